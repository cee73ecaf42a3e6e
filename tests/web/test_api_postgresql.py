"""The API over PostgreSQL: every read answers, and a key makes a write happen once there too."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handrail.kernel.clock import ManualClock
from handrail.store.database import Database
from tests.web.conftest import Site, make_site
from tests.web.test_api_access import READS


@pytest.fixture
def site(postgresql: Database, clock: ManualClock, tmp_path: Path) -> Iterator[Site]:
    yield from make_site(postgresql, clock, tmp_path)


def test_everything_can_be_read_after_a_whole_incident(site: Site) -> None:
    site.world.whole()
    site.context.checkpointer.run_once(site.world.clock.now())
    world, hands = site.world, site.as_(site.world.owner)
    source_id = hands.post("/sources", {"name": "prometheus", "integration": "alertmanager"}).json()["source"]["id"]
    alert_id = hands.get("/alerts").json()["items"][0]["id"]
    silence = {"matchers": ["service=nothing"], "seconds": 60, "reason": "a test"}
    silence_id = hands.post("/silences", silence).json()["id"]
    finding = hands.get(f"/incidents/{world.incident_id}/findings").json()["items"][0]
    ids = {
        "account_id": world.member.id, "source_id": source_id, "candidate_id": world.candidate_id,
        "incident_id": world.incident_id, "gate_id": world.gate_of("roll-back").id, "run_id": world.run_id,
        "task_id": "roll-back", "message_id": world.message_of("tell-teams").id, "review_id": world.review_id,
        "index": "3", "alert_id": alert_id, "finding_id": finding["id"], "proposal_id": world.proposal_id,
        "document_id": "policy.default", "silence_id": silence_id, "digest": finding["citations"][0]["evidence"],
    }  # fmt: skip
    beyond_the_test = {
        "/live", "/api/v1/corrections/{correction_id}", "/api/v1/quarantine/{item_id}", "/api/v1/changes/{change_id}",
    }  # fmt: skip
    for path in READS:
        if path not in beyond_the_test:
            query = "?first=5" if path.endswith("consistency") else "?limit=5"
            answer = hands.get(path.format(**ids).removeprefix("/api/v1") + query)
            assert answer.status_code == 200, (path, answer.text)
    assert hands.post("/record/verify").json()["ok"] is True


def test_the_same_request_at_the_same_moment_happens_once(site: Site) -> None:
    hands, said = site.as_(site.world.commander), {"title": "Payments fail", "severity": "SEV1"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: hands.post("/incidents", said, headers={"Idempotency-Key": "k"}), range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(hands.get("/incidents").json()["items"]) == 1
