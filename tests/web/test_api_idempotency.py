"""The same request sent twice happens once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from handrail.kernel.limits import LIMITS
from handrail.web.idempotency import Claim
from tests.web.conftest import Site

DECLARE = {"title": "Payments fail", "severity": "SEV1"}
KEY = {"Idempotency-Key": "key-1"}


def test_the_same_request_twice_declares_one_incident(site: Site) -> None:
    hands = site.as_(site.world.commander)
    first = hands.post("/incidents", DECLARE, headers=KEY)
    second = hands.post("/incidents", DECLARE, headers=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len(hands.get("/incidents").json()["items"]) == 1


def test_without_a_key_each_request_happens(site: Site) -> None:
    hands = site.as_(site.world.commander)
    for _ in range(2):
        assert hands.post("/incidents", DECLARE).status_code == 201
    assert len(hands.get("/incidents").json()["items"]) == 2


def test_the_same_key_for_another_request_is_refused(site: Site) -> None:
    hands = site.as_(site.world.commander)
    hands.post("/incidents", DECLARE, headers=KEY)
    other = hands.post("/incidents", {**DECLARE, "severity": "SEV2"}, headers=KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    elsewhere = hands.post("/tokens", {"name": "laptop"}, headers=KEY)
    assert elsewhere.json()["code"] == "idempotency_key_reused"
    assert hands.post("/incidents", DECLARE, headers=KEY).status_code == 201


def test_two_people_may_use_the_same_key(site: Site) -> None:
    for person in (site.world.commander, site.world.member):
        answer = site.as_(person).post("/incidents", DECLARE, headers=KEY)
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (201, False)


def test_a_refusal_is_final_too(site: Site) -> None:
    gate = site.world.to_gate()
    hands = site.as_(site.world.commander)
    said = {"vote": "approve", "digest": gate.subject.digest, "reason": "I want it."}
    first = hands.post(f"/gates/{gate.id}/vote", said, headers=KEY)
    second = hands.post(f"/gates/{gate.id}/vote", said, headers=KEY)
    assert (first.status_code, first.json()["code"]) == (403, "self_approval")
    assert (second.content, second.headers["content-type"]) == (first.content, "application/problem+json")
    assert second.headers["idempotent-replayed"] == "true"


def test_a_fault_of_ours_is_not_final(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    hands = site.as_(site.world.commander)
    shell = site.world.shell
    with monkeypatch.context() as patch:
        patch.setattr(shell, "transact", _broken)
        assert hands.post("/incidents", DECLARE, headers=KEY).status_code == 500
    answer = hands.post("/incidents", DECLARE, headers=KEY)
    assert (answer.status_code, "idempotent-replayed" in answer.headers) == (201, False)


def _broken(*_: object, **__: object) -> None:
    raise RuntimeError("a fault of ours")


def test_a_request_under_way_is_told_to_wait(site: Site) -> None:
    hands = site.as_(site.world.commander)
    once: Any = site.app._rest.app.state.once  # type: ignore[attr-defined]
    with once.under_way(site.world.commander.id, Claim("key-1", "")):
        answer = hands.post("/incidents", DECLARE, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_running")
    assert hands.post("/incidents", DECLARE, headers=KEY).status_code == 201


def test_an_answer_is_kept_for_a_day(site: Site) -> None:
    token = site.as_(site.world.commander)
    token.post("/incidents", DECLARE, headers=KEY)
    site.world.clock.advance(seconds=(LIMITS.idempotency_age + timedelta(minutes=1)).total_seconds())
    again = token.post("/incidents", DECLARE, headers=KEY)
    assert (again.status_code, "idempotent-replayed" in again.headers) == (201, False)


@pytest.mark.parametrize("key", ["", "k" * (LIMITS.idempotency_key_chars + 1), "a\tb"])
def test_a_key_that_cannot_be_one_is_refused(site: Site, key: str) -> None:
    answer = site.as_(site.world.commander).post("/incidents", DECLARE, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")


def test_a_verification_is_answered_once_for_a_key(site: Site) -> None:
    hands = site.as_(site.auditor)
    first = hands.post("/record/verify", headers=KEY)
    site.world.open_candidate()
    second = hands.post("/record/verify", headers=KEY)
    assert second.json()["size"] == first.json()["size"]
    assert hands.post("/record/verify").json()["size"] > first.json()["size"]


def test_no_secret_is_kept(site: Site) -> None:
    made = site.as_(site.world.member).post("/tokens", {"name": "laptop"}, headers=KEY).json()
    with site.world.shell.database.read() as connection:
        kept = connection.exec_driver_sql("SELECT body FROM hr_idempotency").scalars().all()
    assert len(kept) == 1
    assert made["token"] not in kept[0]


def test_the_same_request_at_the_same_moment_happens_once(site: Site) -> None:
    hands = site.as_(site.world.commander)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: hands.post("/incidents", DECLARE, headers=KEY), range(16)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = {answer.content for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    assert len(hands.get("/incidents").json()["items"]) == 1
