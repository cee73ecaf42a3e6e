"""The storm path on each database: one commit for what gathered, and nothing lost when one item is bad."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from handrail.domain.alert import AlertStatus, ReportedChange
from handrail.domain.candidate import DeclareCandidate, OpenCandidate
from handrail.kernel.clock import ManualClock, to_text
from handrail.kernel.errors import BrokenInvariant, HandrailError, TooMany, Unavailable, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.operations.shell import HANDRAIL, Committed, Shell, Tx
from handrail.plugins.integrations.contract import Parsed
from handrail.record.tree import leaf_hash, root
from handrail.signals.fold import Outcome
from handrail.signals.ingest import Ingestor, Item, Refusal
from handrail.store import alerts, intake, tables
from tests.signals.intake import Intake, opened, parsed, run, said, together


def outcomes(results: Sequence[Any]) -> list[str]:
    return [str(result.outcome) for result in results]


def ingest(desk: Intake, what: Parsed, source: str = "plain") -> list[Any]:
    return run(desk.ingestor.ingest(source, what, "token", "trace"))


class Held:
    """Holds the writer at the door of its next commit, so that a test can let items gather."""

    def __init__(self, ingestor: Ingestor) -> None:
        self.batches: list[int] = []
        self.go = threading.Event()
        self.reached = threading.Event()
        self._store = ingestor._store
        ingestor._store = self  # type: ignore[method-assign]

    def __call__(self, items: Sequence[Item]) -> Any:
        self.batches.append(len(items))
        self.reached.set()
        assert self.go.wait(10)
        return self._store(items)


def test_what_gathers_during_a_commit_is_committed_together(desk: Intake) -> None:
    held = Held(desk.ingestor)

    async def story() -> list[list[Any]]:
        first = asyncio.create_task(desk.ingestor.ingest("plain", parsed(said("k0")), "token"))
        await asyncio.to_thread(held.reached.wait, 10)
        others = [asyncio.create_task(desk.ingestor.ingest("plain", parsed(said(f"k{n}")), "token")) for n in (1, 2, 3)]
        await asyncio.sleep(0)
        held.go.set()
        return await together(first, *others)

    answers = run(story())
    assert held.batches == [1, 3]
    assert [outcomes(results) for results in answers] == [["new"]] * 4
    batches = [json.loads(row.body) for row in desk.rows(tables.entry) if row.type == "alerts.received"]
    assert [body["count"] for body in batches] == [1, 3]


def test_each_batch_is_committed_to_by_its_root_in_the_record(desk: Intake) -> None:
    ingest(desk, parsed(said("a"), said("b"), said("c")))
    (entry,) = [row for row in desk.rows(tables.entry) if row.type == "alerts.received"]
    rows = sorted(desk.rows(tables.occurrence), key=lambda row: row.position)
    assert entry.stream == "alerts/log"
    assert [(row.batch, row.position) for row in rows] == [(entry.idx, 0), (entry.idx, 1), (entry.idx, 2)]
    expected = root([leaf_hash(row.leaf.encode()) for row in rows]).hex()
    assert json.loads(entry.body) == {"root": expected, "count": 3}
    assert json.loads(rows[0].leaf)["raw_digest"] == hashlib.sha256(rows[0].raw.encode()).hexdigest()


def test_repeats_write_no_entry(desk: Intake) -> None:
    ingest(desk, parsed(said("a", occurred_at=desk.clock.now())))
    before = len(desk.rows(tables.entry))
    desk.clock.advance(minutes=1)
    (result,) = ingest(desk, parsed(said("a", occurred_at=desk.clock.now().replace(minute=0))))
    assert result.outcome == Outcome.DUPLICATE
    assert len(desk.rows(tables.entry)) == before
    assert desk.alert().last_at == desk.clock.now()


def test_the_same_payload_on_two_connections_at_once_is_one_alert_and_one_duplicate(desk: Intake) -> None:
    what = parsed(said("a"))

    async def story() -> list[list[Any]]:
        return await together(*(desk.ingestor.ingest("plain", what, "token") for _ in range(2)))

    one, other = run(story())
    assert one[0].id == other[0].id
    assert sorted(outcomes(one + other)) == ["duplicate", "new"]
    assert len(desk.rows(tables.occurrence)) == 1
    assert desk.stat("plain").duplicate == 1


def test_a_sender_that_went_away_is_stored_once_and_its_retry_is_a_duplicate(desk: Intake) -> None:
    held = Held(desk.ingestor)

    async def gone() -> None:
        task = asyncio.create_task(desk.ingestor.ingest("plain", parsed(said("a")), "token"))
        await asyncio.to_thread(held.reached.wait, 10)
        task.cancel()
        held.go.set()

    run(gone())
    (result,) = ingest(desk, parsed(said("a")))
    assert result.outcome == Outcome.DUPLICATE
    assert desk.alert().count == 1


def test_an_item_that_the_database_refuses_is_refused_alone(desk: Intake) -> None:
    # No parser lets half a surrogate pair through; neither database can hold one.
    bad = said("bad", service="\ud800", raw=b"{}")
    held = Held(desk.ingestor)

    async def story() -> list[Any]:
        first = asyncio.create_task(desk.ingestor.ingest("plain", parsed(said("first")), "token"))
        await asyncio.to_thread(held.reached.wait, 10)
        tasks = [
            asyncio.create_task(desk.ingestor.ingest("plain", parsed(item), "token"))
            for item in (said("a"), said("b"), bad, said("c"), said("d"))
        ]
        await asyncio.sleep(0)
        held.go.set()
        return list(await asyncio.gather(first, *tasks, return_exceptions=True))

    answers = run(story())
    assert [type(answer) for answer in answers] == [list, list, list, Unprocessable, list, list]
    assert answers[3].code == "not_storable"
    assert sorted(alert.dedup_key for alert in desk.alerts()) == ["a", "b", "c", "d", "first"]


def test_within_one_request_the_bad_item_is_refused_and_the_others_are_kept(desk: Intake) -> None:
    results = ingest(desk, parsed(said("a"), said("b"), said("bad", service="\ud800", raw=b"{}"), said("c")))
    assert outcomes(results) == ["new", "new", "refused", "new"]
    assert sorted(alert.dedup_key for alert in desk.alerts()) == ["a", "b", "c"]


def test_a_database_that_is_away_fails_the_whole_batch_once(desk: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def away(*_: object) -> None:
        calls.append(1)
        raise Unavailable("The database went away.", "database_away")

    monkeypatch.setattr(desk.shell, "transact", away)
    with pytest.raises(Unavailable):
        ingest(desk, parsed(*(said(f"k{n}") for n in range(8))))
    assert len(calls) == 1


def test_a_broken_invariant_is_not_searched_for_among_items(desk: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise BrokenInvariant("The stored tree cannot be read.")

    monkeypatch.setattr(desk.shell, "transact", broken)
    with pytest.raises(BrokenInvariant):
        ingest(desk, parsed(said("a"), said("b")))


def test_beyond_the_bound_of_the_queue_senders_are_told_to_come_back(shell: Shell, clock: ManualClock) -> None:
    with opened(shell, clock, limits=replace(LIMITS, inbound_queue_alerts=4)) as desk:
        held = Held(desk.ingestor)

        async def story() -> list[Any]:
            first = asyncio.create_task(desk.ingestor.ingest("plain", parsed(said("k0")), "token"))
            await asyncio.to_thread(held.reached.wait, 10)
            tasks = [
                asyncio.create_task(desk.ingestor.ingest("plain", parsed(said(f"k{n}")), "token")) for n in (1, 2, 3)
            ]
            await asyncio.sleep(0)
            held.go.set()
            return list(await asyncio.gather(first, *tasks, return_exceptions=True))

        answers = run(story())
    assert [type(answer) for answer in answers] == [list, list, list, TooMany]
    assert answers[3].retry_after >= 1


def test_sources_take_turns_so_that_a_storm_holds_up_nobody_else(shell: Shell, clock: ManualClock) -> None:
    with opened(shell, clock, limits=replace(LIMITS, ingest_shared_batch_alerts=4, ingest_turn_alerts=2)) as desk:
        held = Held(desk.ingestor)

        async def story() -> int:
            first = asyncio.create_task(desk.ingestor.ingest("prom", parsed(said("s")), "token"))
            await asyncio.to_thread(held.reached.wait, 10)
            storm = [
                asyncio.create_task(desk.ingestor.ingest("prom", parsed(said(f"s{n}")), "token")) for n in range(40)
            ]
            await asyncio.sleep(0)
            quiet = asyncio.create_task(desk.ingestor.ingest("plain", parsed(said("q")), "token"))
            await asyncio.sleep(0)
            held.go.set()
            await quiet
            done = sum(task.done() for task in storm)
            await together(first, *storm)
            return done

        assert run(story()) < 10


def test_what_waits_is_committed_before_the_intake_closes(shell: Shell, clock: ManualClock) -> None:
    with opened(shell, clock) as desk:

        async def story() -> list[Any]:
            task = asyncio.create_task(desk.ingestor.ingest("plain", parsed(said("a")), "token"))
            await asyncio.sleep(0)
            await asyncio.to_thread(desk.ingestor.close)
            return await task

        assert outcomes(run(story())) == ["new"]
        with pytest.raises(Unavailable):
            ingest(desk, parsed(said("b")))


def test_a_delivery_id_used_before_answers_as_duplicate_and_stores_nothing(desk: Intake) -> None:
    (first,) = ingest(desk, parsed(said("a"), replay_id="delivery-1"))
    (again,) = ingest(desk, parsed(said("a", summary="other words"), replay_id="delivery-1"))
    assert (again.id, again.outcome) == (first.id, Outcome.DUPLICATE)
    assert desk.alert().summary == ""
    (other_source,) = ingest(desk, parsed(said("a"), replay_id="delivery-1"), "events")
    assert other_source.outcome == Outcome.NEW


def test_a_delivery_id_of_any_length_is_remembered(desk: Intake) -> None:
    ingest(desk, parsed(said("a"), replay_id="x" * 5000))
    (again,) = ingest(desk, parsed(said("a"), replay_id="x" * 5000))
    assert again.outcome == Outcome.DUPLICATE
    assert len(desk.rows(tables.replay)) == 1


def test_delivery_ids_are_forgotten_beyond_the_bound(shell: Shell, clock: ManualClock) -> None:
    with opened(shell, clock, limits=replace(LIMITS, replay_ids_remembered=3)) as desk:
        for number in range(6):
            clock.advance(seconds=1)
            ingest(desk, parsed(said(f"k{number}"), replay_id=f"d{number}"))
        assert sorted(row.replay_id for row in desk.rows(tables.replay)) == ["d3", "d4", "d5"]


def change(key: str = "deploy-1", **more: Any) -> ReportedChange:
    return ReportedChange(key, "deploy", "payments", "Deploy of payments 2.5.0", raw=b'{"kind":"deploy"}', **more)


def test_a_change_is_told_once_with_its_payload_as_evidence(desk: Intake) -> None:
    what = Parsed(changes=(change(author="Ada"), change(author="Ada")))
    one, other = ingest(desk, what)
    (again, _) = ingest(desk, what)
    assert (one.kind, one.outcome) == ("change", Outcome.NEW)
    assert {other.id, again.id} == {one.id}
    assert (other.outcome, again.outcome) == (Outcome.DUPLICATE, Outcome.DUPLICATE)
    assert bytes(desk.rows(tables.evidence)[0].content) == b'{"kind":"deploy"}'
    (noun,) = [row for row in desk.rows(tables.noun) if row.kind == "change"]
    assert json.loads(noun.state)["author"] == "Ada"


@pytest.mark.parametrize("verdict", ["verified", "token", "unsigned"])
def test_how_the_sender_of_a_change_was_known_is_in_the_record_with_it(desk: Intake, verdict: str) -> None:
    run(desk.ingestor.ingest("plain", Parsed(changes=(change(),)), verdict))
    (noun,) = [row for row in desk.rows(tables.noun) if row.kind == "change"]
    (entry,) = [row for row in desk.rows(tables.entry) if row.type == "change.reported"]
    assert json.loads(noun.state)["verdict"] == json.loads(entry.body)["verdict"] == verdict


def test_a_change_from_the_future_is_taken_as_of_now(desk: Intake) -> None:
    ingest(desk, Parsed(changes=(change(occurred_at=desk.clock.now().replace(year=2031)),)))
    (noun,) = [row for row in desk.rows(tables.noun) if row.kind == "change"]
    assert json.loads(noun.state)["at"] == json.loads(noun.state)["known_at"]


def test_alerts_and_changes_of_one_request_come_back_in_order(desk: Intake) -> None:
    results = ingest(desk, Parsed((said("a"), said("b")), (change(),)))
    assert [(result.kind, result.key) for result in results] == [
        ("alert", "a"), ("alert", "b"), ("change", "deploy-1"),
    ]  # fmt: skip


def test_statistics_of_a_source_add_up(desk: Intake) -> None:
    ingest(desk, parsed(said("a", occurred_at=desk.clock.now()), said("b")))
    ingest(desk, parsed(said("a", occurred_at=desk.clock.now())))
    run(desk.ingestor.refuse(Refusal("plain", "json_invalid", "The body is not valid JSON.", 3)))
    stat = desk.stat("plain")
    assert (stat.accepted, stat.duplicate, stat.refused) == (2, 1, 3)
    assert stat.last_refusal == "json_invalid: The body is not valid JSON."
    ingest(desk, parsed(said("c")))
    assert desk.stat("plain").last_refusal == stat.last_refusal


def test_listeners_hear_of_alerts_and_of_the_incident_they_belong_to(desk: Intake) -> None:
    (result,) = ingest(desk, parsed(said("a")))

    def declared(tx: Tx) -> None:
        opening = OpenCandidate("can_1", (), ("a",), "SEV2", "why", "title", tx.now)
        tx.change("candidate", "can_1", opening)
        tx.change("candidate", "can_1", DeclareCandidate("inc_1", "usr_1"))
        alerts.mark_correlated(tx.connection, {result.id: "can_1"})

    desk.shell.transact(HANDRAIL, declared)
    heard: list[Committed] = []
    desk.shell.listeners.append(heard.append)
    ingest(desk, parsed(said("a", AlertStatus.RESOLVED)))
    desk.shell.listeners.remove(heard.append)
    assert heard[-1].topics >= {"alerts", "board", "incident:inc_1"}


def test_the_quarantine_is_bounded_in_item_total_and_age(shell: Shell, clock: ManualClock) -> None:
    limits = replace(LIMITS, quarantine_item_bytes=100, quarantine_bytes=1600)
    with opened(shell, clock, limits=limits) as desk:

        def refuse(body: bytes) -> None:
            clock.advance(seconds=1)
            run(desk.ingestor.refuse(Refusal("plain", "json_invalid", "no JSON", body=body)))

        refuse(b"x" * 5000)
        assert [len(row.body) for row in desk.rows(tables.quarantine)] == [100]
        for _ in range(40):
            refuse(b"y" * 100)
        kept = desk.rows(tables.quarantine)
        assert sum(row.size for row in kept) <= 1600
        assert bytes(max(kept, key=lambda row: row.received_at).body) == b"y" * 100
        clock.advance(days=8)
        refuse(b"z" * 100)
        assert [bytes(row.body) for row in desk.rows(tables.quarantine)] == [b"z" * 100]


def test_an_intake_used_from_one_loop_after_another_keeps_working(desk: Intake) -> None:
    for number in range(5):
        assert outcomes(ingest(desk, parsed(said(f"k{number}")))) == ["new"]


def test_a_storm_is_stored_whole(desk: Intake) -> None:
    async def story() -> list[list[Any]]:
        return await together(
            *(desk.ingestor.ingest("prom", parsed(said(f"k{n % 500}", summary=str(n))), "token") for n in range(2000))
        )

    run(story())
    with desk.shell.database.read() as connection:
        assert alerts.count(connection, alerts.Filter(source="prom")) == 500
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.occurrence)).scalar() == 2000
    assert desk.stat("prom").accepted == 2000


def test_alerts_can_be_listed_by_pages_and_filters(desk: Intake) -> None:
    for number in range(5):
        desk.clock.advance(seconds=1)
        ingest(desk, parsed(said(f"k{number}", service="payments" if number % 2 else "50%_off")))
    with desk.shell.database.read() as connection:
        first = alerts.page(connection, alerts.Filter(), 2)
        last = first[-1].alert
        second = alerts.page(connection, alerts.Filter(), 2, (to_text(last.last_at), last.id))
        assert [kept.alert.dedup_key for kept in first + second] == ["k4", "k3", "k2", "k1"]
        assert alerts.count(connection, alerts.Filter(search="PAYMENTS")) == 2
        assert alerts.count(connection, alerts.Filter(search="%_o")) == 3
        assert alerts.count(connection, alerts.Filter(source="prom")) == 0
        (said_row,) = alerts.occurrences_of(connection, first[0].alert.id)
        assert json.loads(said_row.leaf)["dedup_key"] == "k4"
        assert intake.stats(connection)["plain"].accepted == 5


def test_an_error_without_a_code_of_ours_is_not_told_as_data(desk: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object) -> None:
        raise KeyError("bug")

    monkeypatch.setattr(alerts, "save", bug)
    with pytest.raises(KeyError):
        ingest(desk, parsed(said("a")))
    assert not issubclass(KeyError, HandrailError)
