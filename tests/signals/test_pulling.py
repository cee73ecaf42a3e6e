"""Pulled metrics: a server that speaks Prometheus' query API is asked in time, and its points are watched."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
import sqlalchemy as sa

from handrail.domain.alert import AlertStatus
from handrail.domain.pull import Pull, PullQuery
from handrail.domain.source import SetPull, Source, decide
from handrail.kernel.errors import NotAllowed, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.operations import sources
from handrail.operations.shell import HANDRAIL
from handrail.plugins.outward import Outward
from handrail.signals.prometheus import bounded
from handrail.signals.pulling import Kept, Pulling, Window, averaged, due, history, missed, moment_of, parts
from handrail.signals.watching import Watcher, Watching
from handrail.store import pulls, tables
from handrail.store.database import Database
from handrail.store.pulls import PullState
from tests.plugins.servers import refused_port, response, serving
from tests.signals.intake import OWNER, Intake, run
from tests.worlds import World

EVERY = 60
PULL = Pull("http://prom.example:9090", (PullQuery("rps", "rate(x[1m])"),), EVERY, 7200)
OWNER_SINCE = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
Value = Callable[[int, float], float | None]


@dataclass
class Fake:
    """A server's memory: what series n is worth at a moment, and what it does instead while `trouble` is set."""

    value: Value
    series: int = 3
    trouble: bytes = b""
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def speak(self, connection: Any, request: bytes) -> None:
        head, _, body = request.partition(b"\r\n\r\n")
        form = parse_qs(body.decode())
        self.asked.append(form)
        connection.sendall(self.trouble or response(200, self._answer(b"query_range" in head, form)))

    def _answer(self, many: bool, form: dict[str, list[str]]) -> bytes:
        if many:
            first, last, step = float(form["start"][0]), float(form["end"][0]), float(form["step"][0])
            moments = [first + n * step for n in range(int((last - first) / step) + 1)]
        else:
            moments = [float(form["time"][0])]
        result = []
        for n in range(self.series):
            values = [[at, str(value)] for at in moments if (value := self.value(n, at)) is not None]
            if values:
                labels = {"__name__": "x", "service": "payments", "pod": f"p-{n}"}
                result.append({"metric": labels, **({"values": values} if many else {"value": values[0]})})
        data = {"resultType": "matrix" if many else "vector", "result": result}
        return json.dumps({"status": "success", "data": data}).encode()


def noise(n: int, at: float) -> float:
    return 100.0 + random.Random(f"{n} {at}").gauss(0, 2)


@dataclass
class Desk:
    """An intake whose source `prom` pulls from a fake server."""

    intake: Intake
    fake: Fake
    pulling: Pulling

    def pull(self, **advance: float) -> None:
        """Let time go by, and everything that is due be done."""
        if advance:
            self.intake.clock.advance(**advance)
        run(self._once())

    async def _once(self) -> None:
        await asyncio.gather(*await self.pulling.once())
        await self.pulling.once()

    def state(self) -> PullState:
        with self.intake.shell.database.read() as connection:
            return pulls.states(connection)[self.intake.tokens["prom"][0]]

    def found(self) -> list[str]:
        return [alert.title for alert in self.intake.alerts() if alert.status != AlertStatus.RESOLVED]

    def set(self, pull: Pull, secret: str | None = None) -> None:
        source_id = self.intake.tokens["prom"][0]
        self.intake.shell.transact(HANDRAIL, lambda tx: sources.set_pull(tx, source_id, pull, OWNER, secret))


@pytest.fixture
def desk_of(desk: Intake) -> Iterator[Desk]:
    fake = Fake(noise)
    with serving(fake.speak) as served:
        watcher = Watcher(Watching(), desk.shell.database, desk.ingestor, desk.clock)
        outward = Outward([served.place], bounded(LIMITS))
        keys = desk.shell.ports.secret_keys
        pulling = Pulling(desk.shell.database, watcher, desk.ingestor, desk.clock, outward, "node-1", keys)
        made = Desk(desk, fake, pulling)
        made.set(replace(PULL, url=served.url))
        yield made


def test_at_the_start_history_is_read_and_a_spike_right_after_it_is_found(desk_of: Desk) -> None:
    desk_of.pull()
    assert desk_of.state().series == 3 and desk_of.state().trouble == ""
    assert [sorted(form) for form in desk_of.fake.asked] == [
        ["query", "time", "timeout"], ["end", "query", "start", "step", "timeout"],
    ]  # fmt: skip
    desk_of.fake.value = lambda n, at: noise(n, at) + (300 if n == 1 else 0)
    for _ in range(3):
        desk_of.pull(seconds=EVERY)
    (alert,) = desk_of.intake.alerts()
    assert (alert.source, alert.service, alert.labels["pod"]) == ("handrail", "payments", "p-1")
    assert "Expected about" in alert.summary


def test_history_is_learned_from_and_nothing_is_said_of_what_it_holds(desk_of: Desk) -> None:
    began = desk_of.intake.clock.now().timestamp() - 1800
    desk_of.fake.value = lambda n, at: noise(n, at) + (500 if began < at < began + 300 else 0)
    desk_of.pull()
    assert desk_of.intake.alerts() == []


def test_what_was_missed_while_the_server_was_away_is_read_afterwards_and_is_no_gap(desk_of: Desk) -> None:
    desk_of.pull()
    desk_of.fake.trouble = response(503, b"starting")
    for _ in range(10):
        desk_of.pull(seconds=EVERY)
    desk_of.fake.trouble = b""
    desk_of.pull(seconds=EVERY)
    window = desk_of.fake.asked[-1]
    assert (float(window["end"][0]) - float(window["start"][0])) / EVERY == 9
    assert desk_of.found() == []


def test_a_server_that_measured_nothing_for_a_while_makes_no_alert_per_series(desk_of: Desk) -> None:
    desk_of.fake.series = 40
    now = desk_of.intake.clock.now().timestamp()
    desk_of.fake.value = lambda n, at: None if now < at <= now + 1200 else noise(n, at)
    desk_of.pull()
    for _ in range(25):
        desk_of.pull(seconds=EVERY)
    assert [title for title in desk_of.found() if "no points" in title] == []


def test_a_server_that_stays_away_is_an_alert_in_words_which_ends_when_it_is_back(desk_of: Desk) -> None:
    desk_of.pull()
    desk_of.fake.trouble = response(502, b"<html>")
    desk_of.pull(seconds=EVERY)
    assert desk_of.found() == []
    desk_of.pull(seconds=EVERY)
    desk_of.pull(seconds=EVERY)
    assert desk_of.found() == ["Metrics of prom cannot be pulled"]
    assert "answered with 502" in desk_of.intake.alert().summary
    assert "answered with 502" in desk_of.state().trouble
    desk_of.pull(seconds=EVERY)
    assert len(desk_of.intake.alerts()) == 1
    desk_of.fake.trouble = b""
    desk_of.pull(seconds=EVERY)
    assert desk_of.found() == [] and desk_of.state().trouble == ""


def test_a_server_that_answers_with_nothing_where_it_had_series_stays_away_too(desk_of: Desk) -> None:
    desk_of.pull()
    desk_of.fake.series = 0
    for _ in range(4):
        desk_of.pull(seconds=EVERY)
    assert desk_of.found() == ["Metrics of prom cannot be pulled"]
    assert desk_of.state().trouble == "The server answers, but with no series; before, there were 3."
    assert desk_of.state().series == 0


def test_the_alert_ends_when_metrics_need_not_be_pulled_any_more(desk_of: Desk) -> None:
    desk_of.fake.trouble = response(500)
    for _ in range(4):
        desk_of.pull(seconds=EVERY)
    assert desk_of.found() == ["Metrics of prom cannot be pulled"]
    source_id = desk_of.intake.tokens["prom"][0]
    desk_of.intake.shell.transact(HANDRAIL, lambda tx: sources.end_pull(tx, source_id, OWNER))
    asked = len(desk_of.fake.asked)
    desk_of.pull(seconds=EVERY)
    assert desk_of.found() == [] and len(desk_of.fake.asked) == asked


def test_an_address_that_may_not_be_called_says_how_it_may_be(desk_of: Desk) -> None:
    desk_of.set(replace(PULL, url=f"http://127.0.0.1:{refused_port()}"))
    desk_of.pull()
    assert "address not allowed" in desk_of.state().trouble and "allow list" in desk_of.state().trouble


def test_one_query_that_is_refused_keeps_no_other_from_being_asked(desk_of: Desk) -> None:
    pull = desk_of.intake.source("prom").pull
    assert pull is not None
    speak = desk_of.fake._answer

    def answer(many: bool, form: dict[str, list[str]]) -> bytes:
        bad = b'{"status":"error","errorType":"bad_data","error":"parse error"}'
        return bad if form["query"] == ["("] else speak(many, form)

    desk_of.fake._answer = answer  # type: ignore[method-assign]
    desk_of.set(replace(pull, queries=(PullQuery("bad", "("), *pull.queries)))
    desk_of.pull()
    assert desk_of.state().series == 3
    assert desk_of.state().trouble == "Query bad was refused: bad_data: parse error."


def test_new_labels_are_new_series_and_the_old_ones_are_no_alert(desk_of: Desk) -> None:
    desk_of.pull()
    began = desk_of.intake.clock.now().timestamp()
    desk_of.fake.series = 6
    desk_of.fake.value = lambda n, at: noise(n, at) if (n < 3) == (at <= began) else None
    for _ in range(8):
        desk_of.pull(seconds=EVERY)
    assert desk_of.found() == [] and desk_of.state().series == 3


def test_a_clock_that_goes_back_is_said_and_the_pulling_goes_on(desk_of: Desk) -> None:
    desk_of.pull()
    desk_of.pull(seconds=-3600)
    assert "clock went back" in desk_of.state().notes
    desk_of.pull(seconds=EVERY)
    assert "clock went back" in desk_of.state().notes
    desk_of.pull(seconds=3600)
    assert desk_of.state().notes == "" and desk_of.found() == []


def test_a_server_that_answers_too_late_or_breaks_off_is_said_in_words(desk_of: Desk) -> None:
    desk_of.fake.trouble = b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n{"
    desk_of.pull()
    assert "The connection to 127.0.0.1" in desk_of.state().trouble
    slow = replace(bounded(LIMITS), outward_total_seconds=0)
    desk_of.pulling.outward = Outward(desk_of.pulling.outward._allowed, slow)
    desk_of.pull(seconds=EVERY)
    assert "in time" in desk_of.state().trouble


def test_the_source_is_heard_by_being_pulled(desk_of: Desk) -> None:
    desk_of.pull()
    assert desk_of.intake.stat("prom").accepted == 0
    assert desk_of.intake.stat("prom").last_seen.startswith("2026-01-05T09:00")


def test_the_secret_is_kept_sealed_and_never_shown_to_another_server(desk_of: Desk) -> None:
    pull = desk_of.intake.source("prom").pull
    assert pull is not None
    desk_of.set(pull, "tok-first")
    assert all("tok-first" not in str(row) for row in desk_of.intake.rows(tables.sealed))
    assert all("tok-first" not in str(row) for row in desk_of.intake.rows(tables.entry))
    kept = desk_of.intake.source("prom").pull
    assert kept is not None and kept.secret_id is not None
    desk_of.set(replace(pull, every_seconds=30))
    again = desk_of.intake.source("prom").pull
    assert again is not None and again.secret_id == kept.secret_id
    desk_of.set(replace(pull, url="https://elsewhere.example"))
    other = desk_of.intake.source("prom").pull
    assert other is not None and other.secret_id is None
    assert desk_of.intake.rows(tables.sealed) == []


def test_removing_a_source_forgets_the_secret_and_ends_the_pulling(desk_of: Desk) -> None:
    pull = desk_of.intake.source("prom").pull
    assert pull is not None
    desk_of.set(pull, "tok-first")
    desk_of.intake.shell.transact(HANDRAIL, lambda tx: sources.remove(tx, desk_of.intake.tokens["prom"][0], OWNER))
    desk_of.pull()
    assert desk_of.intake.rows(tables.sealed) == [] and desk_of.fake.asked == []


def test_of_two_nodes_one_pulls_until_it_is_gone(postgresql: Database) -> None:
    assert pulls.claim(postgresql, ["src_1", "src_2"], "a") == {"src_1", "src_2"}
    assert pulls.claim(postgresql, ["src_1"], "b") == frozenset()
    assert pulls.claim(postgresql, ["src_1"], "a") == {"src_1"}
    with postgresql.plain() as connection:
        connection.execute(sa.text("UPDATE hr_pull SET leased_until = leased_until - INTERVAL '1 hour'"))
    assert pulls.claim(postgresql, ["src_1"], "b") == {"src_1"}
    pulls.release(postgresql, "b")
    assert pulls.claim(postgresql, ["src_1"], "a") == {"src_1"}


def test_two_nodes_on_one_database_ask_once_and_the_other_goes_on_when_the_first_stops(desk_of: Desk) -> None:
    if desk_of.intake.shell.database.is_sqlite:
        pytest.skip("SQLite is for one process.")
    other = Desk(desk_of.intake, desk_of.fake, replace(desk_of.pulling, node="node-2", _kept={}, _tasks=set()))
    desk_of.pull()
    asked = len(desk_of.fake.asked)
    other.pull(seconds=EVERY)
    assert len(desk_of.fake.asked) == asked
    pulls.release(desk_of.intake.shell.database, "node-1")
    other.pull()
    assert len(desk_of.fake.asked) > asked and desk_of.state().node == "node-2"
    desk_of.pull(seconds=EVERY)
    assert desk_of.state().node == "node-2"


def test_nobody_but_who_manages_sources_lets_metrics_be_pulled(world: World) -> None:
    source, _ = world.by(
        world.owner, lambda tx: sources.add(tx, "prom", "generic", frozenset({"generic"}), world.owner)
    )
    with pytest.raises(NotAllowed):
        world.by(world.outsider, lambda tx: sources.set_pull(tx, source.id, PULL, world.outsider))


@pytest.mark.parametrize(
    ("changed", "where"),
    [({"url": "ftp://x"}, "url"), ({"url": "https://me:pw@x"}, "url"), ({"url": "https://x/?a=1"}, "url"),
     ({"url": "https://x:99999"}, "url"), ({"queries": ()}, "queries"), ({"every_seconds": 4}, "every_seconds"),
     ({"history_seconds": -1}, "history_seconds"), ({"user": "a:b"}, "user"),
     ({"queries": (PullQuery("1x", "up"),)}, "queries/0/name"),
     ({"queries": (PullQuery("x", " "),)}, "queries/0/promql"),
     ({"queries": (PullQuery("x", "up"), PullQuery("x", "down"))}, "queries/1/name")],
)  # fmt: skip
def test_what_cannot_be_pulled_is_refused_with_its_place(changed: dict[str, Any], where: str) -> None:
    source = Source("src_1", "prom", "generic", OWNER_SINCE)
    refused = decide(source, SetPull(replace(PULL, **changed), "usr_1"), OWNER_SINCE)
    assert isinstance(refused, Unprocessable) and refused.code == "bad_pull"
    assert [fault.where for fault in refused.faults] == [where]


def test_moments_stand_on_a_grid_and_what_was_missed_is_asked_within_bounds() -> None:
    assert moment_of(125.0, 60) == 120.0
    assert missed(PULL, 60.0, 60.0) is None
    assert missed(PULL, 60.0, 120.0) == Window(120.0, 120.0, 60)
    assert missed(PULL, 60.0, 300.0) == Window(120.0, 300.0, 60)
    assert missed(PULL, 0.0, 72_000.0) == Window(72_000.0 - 7200, 72_000.0, 60)


def test_history_goes_back_as_far_as_its_points_are_read() -> None:
    assert history(PULL, 72_000.0, 10) == Window(72_000.0 - 7200, 72_000.0 - 60, 60)
    few = replace(LIMITS, pull_history_points=100)
    assert history(PULL, 72_000.0, 10, few) == Window(72_000.0 - 600, 72_000.0 - 60, 60)
    assert history(replace(PULL, history_seconds=0), 72_000.0, 10) is None


def test_a_window_is_asked_in_parts_that_cover_it_once() -> None:
    few = replace(LIMITS, pull_answer_points=100)
    found = list(parts(Window(0.0, 1500.0, 60), 10, few))
    assert found == [Window(0.0, 540.0, 60), Window(600.0, 1140.0, 60), Window(1200.0, 1500.0, 60)]


def test_a_source_that_another_node_pulls_is_not_spoken_of() -> None:
    source = Source("src_1", "prom", "generic", OWNER_SINCE, pull=PULL, pull_set_at=OWNER_SINCE)
    assert due([source], {}, frozenset({"prom"}), OWNER_SINCE) == ()
    fresh = Kept(PULL)
    assert due([source], {"src_1": fresh}, frozenset({"prom"}), OWNER_SINCE) == ()
    for _ in range(3):
        fresh.note("It is gone.", OWNER_SINCE)
    (said,) = due([source], {"src_1": fresh}, frozenset(), OWNER_SINCE + timedelta(minutes=1))
    assert said.status == AlertStatus.FIRING and said.summary.endswith("It is gone.")


def test_history_is_asked_as_the_means_that_detectors_look_at() -> None:
    close = replace(PULL, every_seconds=5)
    assert averaged(PULL.queries[0], close).promql == "avg_over_time((rate(x[1m]))[30s:5s])"
    assert history(close, 72_005.0, 10) == Window(72_000.0 - 7200 + 30, 72_000.0, 30)
    assert averaged(PULL.queries[0], PULL) == PULL.queries[0]
