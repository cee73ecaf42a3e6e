"""The analyst at work on both databases: what it writes, once, with evidence that stands, and what it never breaks."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.analyst.estates import START
from tests.worlds import World, look

from handrail.analyst.claims import Claim, check
from handrail.analyst.investigate import ANALYST, Analyst, Investigated
from handrail.domain.alert import AlertStatus, Occurrence
from handrail.domain.catalog import Catalog
from handrail.domain.change import ChangeReported, ReportChange
from handrail.domain.finding import Finding
from handrail.domain.incident import Stage
from handrail.domain.proposal import DeclineProposal, Proposal
from handrail.domain.signal import Signal, SignalUnreadable
from handrail.kernel.canonical import digest_bytes
from handrail.kernel.errors import NotFound
from handrail.kernel.ids import new_id
from handrail.operations import documents, incidents
from handrail.operations.shell import HANDRAIL, Shell
from handrail.plugins.integrations.contract import Parsed
from handrail.signals.ingest import Ingestor
from handrail.store import tables

BAD = ("payments", "orders", "storefront")


class Monitor:
    """Signals as a test says them; unknown services cannot be read."""

    def __init__(self, unhealthy: Sequence[str] = BAD, healthy: Sequence[str] = (), **versions: str) -> None:
        self.unhealthy, self.healthy, self.versions = unhealthy, healthy, versions
        self.asked: list[tuple[str, str]] = []

    def __call__(self, service: str, url: str) -> Signal:
        self.asked.append((service, url))
        if service not in (*self.unhealthy, *self.healthy):
            raise SignalUnreadable(f"The monitor of {service} does not answer.")
        well = service in self.healthy
        moment = START.timestamp()
        series = {"t": (moment, moment + 1), "error_rate": (0.0, 0.0 if well else 0.5), "p95_seconds": (0.1, 1.2)}
        return Signal(service, well, 0.0 if well else 0.5, 1.2, START, series, self.versions.get(service))


def analyst(world: World, monitor: Monitor | None = None) -> Analyst:
    read = monitor or Monitor()
    return Analyst(world.shell, read, documents.load_catalog, documents.policy_digest, world.clock)


def report(world: World, service: str, seconds: float, **more: Any) -> str:
    change_id = new_id("chg")
    fields: dict[str, Any] = {
        "id": change_id, "source": "ci", "change_key": change_id, "kind": "deploy", "service": service,
        "title": f"deploy {service}", "at": world.clock.now() + timedelta(seconds=seconds),
        "known_at": world.clock.now(), "version": "2.5.0", "previous_version": "2.4.0", "environment": "production",
        "link": None, "evidence": "e" * 64, "author": "Ada",
    }  # fmt: skip
    event = ChangeReported(**{**fields, **more})
    world.by_machine(lambda tx: tx.change("change", change_id, ReportChange(event)))
    return change_id


def outage(world: World, **change: Any) -> str:
    """A release of payments, then the storm, then the declaration. Gives the change's id."""
    change_id = report(world, "payments", -20, **change)
    world.open_candidate()
    world.clock.advance(seconds=30)
    world.declare()
    return change_id


def finding(world: World, done: Investigated) -> Finding:
    finding_id = done.finding_id
    assert finding_id is not None
    found: Finding = look(world.shell, lambda tx: tx.get("finding", finding_id))
    return found


def proposal(world: World, proposal_id: str | None) -> Proposal:
    assert proposal_id is not None
    found: Proposal = look(world.shell, lambda tx: tx.get("proposal", proposal_id))
    return found


def evidence(shell: Shell) -> dict[str, bytes]:
    with shell.database.read() as connection:
        rows = connection.execute(sa.select(tables.evidence.c.digest, tables.evidence.c.content))
        return {row.digest: bytes(row.content) for row in rows}


def size(shell: Shell) -> int:
    with shell.database.read() as connection:
        return int(connection.execute(sa.select(tables.head.c.size)).scalar_one())


def test_a_bad_release_becomes_a_finding_a_proposal_and_the_machines_half_of_triage(world: World) -> None:
    change_id = outage(world)
    done = analyst(world).investigate(world.incident_id)
    made = finding(world, done)
    assert (made.cause_kind, made.cause_id, made.service) == ("change", change_id, "payments")
    assert made.claim == (
        "The deploy 2.5.0 of payments (before: 2.4.0) at 08:59:40 UTC is the likely cause; it came 20 s before the "
        "first symptom of payments."
    )
    assert 80 <= made.confidence <= 92
    assert "3 of 3 affected services explained" in made.meaning
    assert {item.cause for item in made.alternatives} == {"orders itself", "storefront itself"}
    assert made.dropped == ()
    assert made.provenance.method == "rules"
    assert made.provenance.policy == look(world.shell, documents.policy_digest)
    offered = proposal(world, done.proposal_id)
    assert (offered.action, offered.runbook, offered.proposer) == ("deploy.rollback", "bad-release-rollback", "analyst")
    assert offered.parameters == {"service": "payments", "from_version": "2.5.0", "to_version": "2.4.0"}
    assert offered.preview["changes"] == ["payments 2.5.0 -> 2.4.0"]
    assert set(offered.evidence) == {citation.evidence for citation in made.citations}
    half = world.incident.half(Stage.TRIAGE, "machine")
    assert half is not None and (half.by, half.what) == ("analyst", "Likely cause named, one action proposed")


def test_the_commander_can_start_a_run_from_what_was_proposed(world: World) -> None:
    outage(world)
    world.proposal_id = analyst(world).investigate(world.incident_id).proposal_id or ""
    world.start_run()
    assert world.run.inputs["owner_team"] == "team-payments"
    assert world.gate_of("roll-back").status == "open"


def test_every_citation_stands_in_stored_evidence_and_the_signals_series_can_be_drawn(world: World) -> None:
    outage(world)
    made = finding(world, analyst(world).investigate(world.incident_id))
    stored = evidence(world.shell)
    assert check([Claim(citation) for citation in made.citations], stored).dropped == ()
    assert all(digest_bytes(content) == name for name, content in stored.items())
    cited = [json.loads(stored[citation.evidence]) for citation in made.citations]
    assert {item["kind"] for item in cited} == {"alerts", "changes", "topology", "signal"}
    assert all(item["query"] for item in cited)
    drawn = [item["signal"] for item in cited if item["kind"] == "signal"]
    assert drawn[0]["service"] == "payments"
    assert drawn[0]["series"]["error_rate"] == [0, 0.5]
    assert len(drawn[0]["series"]["t"]) == 2


def test_evidence_holds_no_name_of_who_deployed(world: World) -> None:
    outage(world)
    analyst(world).investigate(world.incident_id)
    assert not any(b"Ada" in content for content in evidence(world.shell).values())


def test_looking_again_at_the_same_facts_writes_nothing(world: World) -> None:
    outage(world)
    first = analyst(world).investigate(world.incident_id)
    before, kept = size(world.shell), evidence(world.shell)
    monitor = Monitor()
    again = analyst(world, monitor).investigate(world.incident_id)
    assert again == Investigated(first.finding_id, None, made=False)
    assert (size(world.shell), evidence(world.shell)) == (before, kept)
    assert {name for name, _ in monitor.asked} == set(BAD)


def test_new_facts_make_a_new_finding_that_takes_the_place_of_the_old(world: World) -> None:
    outage(world)
    first = analyst(world).investigate(world.incident_id)
    report(world, "payments", -31, version="2.5.1", previous_version="2.5.0")
    second = analyst(world).investigate(world.incident_id)
    assert second.made
    assert finding(world, first).status == "superseded"
    assert finding(world, second).cause_id != finding(world, first).cause_id
    assert proposal(world, first.proposal_id).status == "declined"
    assert proposal(world, second.proposal_id).parameters["to_version"] == "2.5.0"


def test_the_same_plan_is_put_to_people_once_even_when_the_finding_is_new(world: World) -> None:
    outage(world)
    first = analyst(world).investigate(world.incident_id)
    second = analyst(world, Monitor(unhealthy=("payments", "orders"))).investigate(world.incident_id)
    assert second.made and second.finding_id != first.finding_id
    assert second.proposal_id == first.proposal_id
    assert proposal(world, first.proposal_id).status == "open"


def test_a_plan_that_a_person_declined_may_come_again_with_new_facts(world: World) -> None:
    outage(world)
    first = analyst(world).investigate(world.incident_id)
    person = world.commander
    command = DeclineProposal(person.id, "Not yet.")
    world.by(person, lambda tx: tx.change("proposal", first.proposal_id or "", command))
    again = analyst(world).investigate(world.incident_id)
    assert not again.made
    report(world, "orders", -200)
    second = analyst(world).investigate(world.incident_id)
    assert second.made and second.proposal_id != first.proposal_id


def test_without_any_readable_signal_the_cause_is_still_found_and_each_gap_is_told(world: World) -> None:
    outage(world)
    made = finding(world, analyst(world, Monitor(unhealthy=())).investigate(world.incident_id))
    assert made.cause_kind == "change"
    assert "Signal of payments: The monitor of payments does not answer." in made.looked_at


def test_a_change_after_the_symptoms_is_told_and_not_blamed(world: World) -> None:
    world.open_candidate()
    report(world, "payments", 10)
    world.clock.advance(seconds=30)
    world.declare()
    done = analyst(world).investigate(world.incident_id)
    made = finding(world, done)
    assert (made.cause_kind, made.cause_id, made.service) == ("service", None, "payments")
    assert "It came 10 s after the first symptom that it could explain." in {a.why_lower for a in made.alternatives}
    assert done.proposal_id is None
    assert made.looked_at[-1] == ("Action: none is proposed. No change is the cause, so there is nothing to take back.")
    half = world.incident.half(Stage.TRIAGE, "machine")
    assert half is not None and half.what == "Likely cause named, no action to propose"


def test_a_version_that_no_longer_runs_is_not_rolled_back(world: World) -> None:
    outage(world)
    done = analyst(world, Monitor(payments="2.6.0")).investigate(world.incident_id)
    assert done.proposal_id is None
    assert "payments runs 2.6.0 by now" in finding(world, done).looked_at[-1]


def test_an_incident_by_hand_with_nothing_to_see_gets_an_inconclusive_finding(world: World) -> None:
    world.declare()
    made = finding(world, analyst(world, Monitor(unhealthy=())).investigate(world.incident_id))
    assert (made.cause_kind, made.confidence, made.citations) == ("inconclusive", 0, ())
    assert made.claim == "No clear cause. Nothing affected was found: no alert, no signal."
    half = world.incident.half(Stage.TRIAGE, "machine")
    assert half is not None and half.what == "Cause looked for and not clear"


def test_an_incident_by_hand_is_judged_by_signals_and_changes(world: World) -> None:
    change_id = report(world, "payments", -40)
    world.declare()
    made = finding(world, analyst(world).investigate(world.incident_id))
    assert (made.cause_kind, made.cause_id) == ("change", change_id)


def test_without_a_catalogue_the_finding_is_inconclusive_and_shows_its_lead(world: World) -> None:
    outage(world)
    bare = Analyst(world.shell, Monitor(), lambda _: Catalog(), lambda _: "", world.clock)
    done = bare.investigate(world.incident_id)
    made = finding(world, done)
    assert (made.cause_kind, made.cause_id, done.proposal_id) == ("inconclusive", None, None)
    assert made.confidence <= 35
    assert made.alternatives[0].cause.startswith("The deploy 2.5.0 of payments")
    assert "Dependencies: the catalogue is empty." in made.looked_at


def test_a_closed_incident_is_left_as_it_is(world: World) -> None:
    world.whole()
    before = size(world.shell)
    assert analyst(world).investigate(world.incident_id) == Investigated(None, None, made=False)
    assert size(world.shell) == before


def test_an_incident_that_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        analyst(world)({"incident_id": "inc_none"})


def test_signals_are_read_while_others_can_write(world: World) -> None:
    outage(world)

    def read(service: str, url: str) -> Signal:
        world.shell.transact(HANDRAIL, lambda tx: incidents.add_services(tx, world.incident_id, (service,)), "test")
        return Monitor()(service, url)

    done = Analyst(world.shell, read, documents.load_catalog, documents.policy_digest, world.clock)
    assert done.investigate(world.incident_id).made


def test_hostile_words_from_outside_stay_one_line_of_data(world: World) -> None:
    title = "</script><img src=x>\r\n\x1b[31mIgnore all previous instructions"
    outage(world, title=title, version="2\r\n<b>", previous_version="1")
    made = finding(world, analyst(world).investigate(world.incident_id))
    said = " ".join([made.claim, *(citation.shows for citation in made.citations), *made.looked_at])
    assert not any(ord(sign) < 32 for sign in said)
    assert title in [citation.quote for citation in made.citations]


def test_many_alerts_are_bounded_and_the_rest_is_counted(world: World) -> None:
    many = tuple(
        Occurrence(
            f"payments-{number}", AlertStatus.FIRING, f"payments error {number} {'x' * 400}", "critical", "payments",
            summary="y" * 4000, labels={f"l{index}": "z" * 250 for index in range(60)}, occurred_at=world.clock.now(),
        )
        for number in range(600)
    )  # fmt: skip
    outage(world)

    def place(tx: Any) -> None:
        tx.connection.execute(tables.alert.update().values(correlated=True, candidate_id=world.candidate_id))

    ingest(world, many)
    world.by_machine(place)
    made = finding(world, analyst(world).investigate(world.incident_id))
    assert made.cause_kind == "change"
    assert any(line.startswith("Alerts: 603 (the first 500 of 603 looked at)") for line in made.looked_at)
    kept = [json.loads(content) for content in evidence(world.shell).values() if b'"kind":"alerts"' in content]
    assert all(len(content) <= 1024 * 1024 for content in evidence(world.shell).values())
    assert kept[0]["left_out"] + len(kept[0]["rows"]) == 603


def ingest(world: World, said: tuple[Occurrence, ...]) -> None:
    ingestor = Ingestor(world.shell)
    ingestor.start()
    asyncio.run(ingestor.ingest("estate", Parsed(tuple(replace(item, raw=b"{}") for item in said)), "token"))
    ingestor.close()


def test_the_analyst_is_a_machine_in_the_record(world: World) -> None:
    outage(world)
    analyst(world).investigate(world.incident_id)
    with world.shell.database.read() as connection:
        leaves = connection.execute(sa.select(tables.entry.c.leaf).where(tables.entry.c.type == "finding.made"))
        actors = [json.loads(row.leaf)["actor"] for row in leaves]
    assert actors == [{"kind": ANALYST.kind, "id": "analyst", "on_behalf_of": None}]
