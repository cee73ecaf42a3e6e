"""The duty that places new alerts: it reads what is not placed yet, lets `correlate` decide, and records it.

What it has done is in the rows themselves (`hr_alert.correlated`), in the same transaction as the candidate's entry:
after a crash, or with two nodes at once, it goes on where the last commit left it.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from handrail.domain.alert import is_flapping
from handrail.domain.candidate import Candidate, GrowCandidate, OpenCandidate, began
from handrail.domain.catalog import Catalog
from handrail.domain.change import Change
from handrail.domain.incident import AddServices, Incident, Stage
from handrail.domain.kind import kind_of
from handrail.domain.registry import NOUNS
from handrail.domain.silence import Silence, silencing
from handrail.domain.suggest import worse
from handrail.kernel.errors import BrokenInvariant
from handrail.kernel.ids import new_id
from handrail.kernel.limits import LIMITS, Limits
from handrail.operations import silences
from handrail.operations.shell import HANDRAIL, Committed, Shell, Tx
from handrail.signals import metrics
from handrail.signals.correlate import Decided, Live, Memory, Placed, correlate
from handrail.signals.counting import Counts
from handrail.signals.relation import Hit, Pair, RecentChange, Symptom, joined_words, telling_pairs, telling_words
from handrail.signals.remembering import Remembering
from handrail.store import alerts, tables
from handrail.store import candidates as store
from handrail.store.alerts import Hits, Kept
from handrail.store.projections import decode

_log = logging.getLogger("handrail.signals")
LoadCatalog = Callable[[Tx], Catalog]
OnQuiet = Callable[[Tx, str], None]
# The nouns that say where an alert belongs; alerts themselves and changes only add to what is weighed next.
_WEIGHED = ("candidate", "correction", "document", "incident", "silence")


class Correlator:
    """`load_catalog` gives the services; `on_quiet(tx, incident id)` is called when no alert of an incident is open
    any more, until the machine half of its recovery is done."""

    def __init__(self, shell: Shell, load_catalog: LoadCatalog, on_quiet: OnQuiet, limits: Limits = LIMITS) -> None:
        self._shell = shell
        self._load_catalog = load_catalog
        self._on_quiet = on_quiet
        self._limits = limits
        self._remembering = Remembering(limits)
        self._counts = Counts(limits)
        self._waiting: frozenset[str] = frozenset()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def on_commit(self, committed: Committed) -> None:
        """A shell listener."""
        if "alerts" in committed.topics:
            self._wake.set()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="handrail-correlate", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def is_alive(self) -> bool:
        """Whether the duty runs: false once an invariant was found broken."""
        return self._thread is not None and self._thread.is_alive()

    def run_once(self) -> int:
        """Place one batch; how many alerts were placed. Cheap when there is nothing new."""
        if not self._has_work():
            return 0
        with metrics.CORRELATION_SECONDS.time():
            # Weighing takes most of the time: those who store alerts meanwhile must not wait for it.
            plan = self._shell.look(HANDRAIL, self._plan)
            return self._shell.transact(HANDRAIL, partial(self._carry_out, plan), "correlation")

    def _run(self) -> None:
        ended = float("-inf")
        while not self._stopped.is_set():
            self._wake.wait(self._limits.correlation_idle_seconds)
            # The first alerts are placed at once. A storm goes on to commit many times a second: placing what gathers
            # between two rounds costs less than each alone.
            rested = self._shell.clock.monotonic() - ended
            rest = self._limits.correlation_interval_seconds - rested
            self._stopped.wait(max(rest, self._limits.correlation_gather_seconds))
            self._wake.clear()
            try:
                # Only a full batch left something behind; else a storm would have a round for every few alerts.
                while self.run_once() >= self._limits.correlation_batch and not self._stopped.is_set():
                    pass
            except BrokenInvariant:
                _log.critical("correlation stops: an invariant does not hold", exc_info=True)
                return
            except Exception:
                _log.exception("correlation failed and will be tried again")
                self._counts.forget()
            ended = self._shell.clock.monotonic()

    def _has_work(self) -> bool:
        """Whether there is an alert that does not merely wait for another, or an incident gone quiet."""
        with self._shell.database.read() as connection:
            ids = alerts.uncorrelated_ids(connection, self._limits.correlation_batch)
            if ids and not (self._waiting.issuperset(ids) and not self._is_due(connection, ids[0])):
                return True
            return bool(self._gone_quiet(connection)) or bool(silences.with_status(connection, "ended"))

    def _is_due(self, connection: sa.Connection, alert_id: str) -> bool:
        """Whether the alert that has waited longest has waited long enough."""
        kept = alerts.get(connection, alert_id)
        return kept is not None and self._has_waited(kept, self._shell.clock.now())

    def _has_waited(self, kept: Kept, now: datetime) -> bool:
        return now - began(kept.alert, now) > self._limits.correlation_window

    def _gone_quiet(self, connection: sa.Connection) -> list[str]:
        return [
            incident_id
            for incident_id in alerts.quiet_incidents(connection)
            if self._is_quiet(connection, _incident(connection, incident_id))
        ]

    def _is_quiet(self, connection: sa.Connection, incident: Incident) -> bool:
        """Whether its recovery is news: not before an alert that flaps has kept its word for a while."""
        if incident.half(Stage.RECOVER, "machine") is not None:
            return False
        newest = alerts.newest_of(connection, incident.candidate_id or "", self._limits.correlation_sampled_alerts)
        now = self._shell.clock.now()
        return not any(is_flapping(alert, now) for alert in newest)

    def _plan(self, tx: Tx) -> "_Plan | None":
        """Where each alert of the next batch belongs, or None where nothing waits. It only reads."""
        batch = alerts.uncorrelated(tx.connection, self._limits.correlation_batch)
        if not batch:
            return None
        memory = self._remembering.memory(tx, self._load_catalog(tx))
        live = self._live(tx, memory.links.catalog)
        stays, fresh = _sort_out(tx, batch, {one.id for one in live}, memory, self._limits)
        held, symptoms = _hold_back(silences.live(tx.connection), batch, fresh)
        changes = _recent_changes(tx, min((one.since for one in symptoms), default=tx.now), self._limits)
        decided = correlate(memory, changes, live, symptoms, self._limits)
        by_id = {symptom.id: symptom for symptom in symptoms}
        return _Plan(tx.writer.size, batch, by_id, {**stays, **dict.fromkeys(held)}, decided, memory.links.catalog)

    def _carry_out(self, plan: "_Plan | None", tx: Tx) -> int:
        placed = silences.release_ended(tx)
        if placed or (plan is not None and not _still_holds(tx, plan)):
            plan = self._plan(tx)
        if plan is not None:
            placed += self._place_all(tx, plan)
        for incident_id in self._gone_quiet(tx.connection):
            self._on_quiet(tx, incident_id)
        return placed

    def _place_all(self, tx: Tx, plan: "_Plan") -> int:
        decided, where = plan.decided, dict(plan.where)
        for placed in decided.placed:
            candidate_id = _record(tx, placed)
            self._counts.add(candidate_id, (plan.symptoms[member.alert_id] for member in placed.members), tx.now)
            where |= {member.alert_id: candidate_id for member in placed.members}
            metrics.CORRELATED.labels("new" if placed.candidate_id is None else "known").inc(len(placed.members))
        where |= dict.fromkeys(self._given_up(decided, plan.batch, tx.now))
        alerts.mark_correlated(tx.connection, where)
        _reconsider(tx, plan.catalog, decided, self._limits)
        self._waiting = frozenset(decided.waiting) - where.keys()
        if where:
            tx.topics |= {"alerts", "board"}
        return len(where)

    def _given_up(self, decided: Decided, batch: Sequence[Kept], now: datetime) -> Iterable[str]:
        """Alerts that wait no longer: too old by now, or so many wait that they would keep out the others."""
        waiting = set(decided.waiting)
        still = [kept for kept in batch if kept.alert.id in waiting]
        due = [kept.alert.id for kept in still if self._has_waited(kept, now)]
        if not due and len(still) == self._limits.correlation_batch:
            due = [kept.alert.id for kept in still[: len(still) // 2]]
        metrics.CORRELATED.labels("none").inc(len(due))
        return due

    def _live(self, tx: Tx, catalog: Catalog) -> list[Live]:
        """What an alert may join, if any of it was heard of within the window."""
        ids = alerts.live_candidates(tx.connection, self._limits.correlation_candidates)
        by_candidate = self._counts.of(tx.connection, ids, self._shell.clock.monotonic())
        found = []
        for candidate_id, all_hits in by_candidate.items():
            newest = max(tx.now if one.is_open else one.last_at for one in all_hits)
            if tx.now - newest <= self._limits.correlation_window * 2:
                found.append(_read_live(tx, candidate_id, all_hits, catalog, self._limits))
        return found


@dataclass(frozen=True)
class _Plan:
    """What a round decided by what stood in the record below `as_of`. `where` has the alerts that need no candidate
    opened or grown."""

    as_of: int
    batch: Sequence[Kept]
    symptoms: Mapping[str, Symptom]
    where: Mapping[str, str | None]
    decided: Decided
    catalog: Catalog


def _still_holds(tx: Tx, plan: _Plan) -> bool:
    """Whether nothing was recorded since that could change the plan, and none of its alerts was placed by another."""
    return not store.told_since(tx.connection, plan.as_of, _WEIGHED) and alerts.are_uncorrelated(
        tx.connection, [kept.alert.id for kept in plan.batch]
    )


@dataclass(frozen=True)
class _Former:
    """What became of a candidate that an alert belonged to: it stays there, or starts anew with these words."""

    stays: bool
    words: str = ""


def _sort_out(
    tx: Tx, batch: Sequence[Kept], live: set[str], memory: Memory, limits: Limits
) -> tuple[dict[str, str | None], list[Symptom]]:  # fmt: skip
    """Alerts that fire again stay with a candidate that is still live, or outside where a person put them; everything
    else is a symptom to place."""
    stays: dict[str, str | None] = {}
    symptoms = []
    formers: dict[str, _Former] = {}
    for kept in batch:
        words = ""
        if kept.candidate_id is not None:
            former = formers.get(kept.candidate_id)
            if former is None:
                former = formers[kept.candidate_id] = _former(tx, kept, live, limits)
            if former.stays:
                stays[kept.alert.id] = kept.candidate_id
                continue
            words = former.words
        elif memory.corrections.stays_alone(kept.alert.id, tx.now):
            stays[kept.alert.id] = None
            continue
        symptoms.append(_symptom(kept, tx.now, words, memory.links.catalog))
    return stays, symptoms


def _hold_back(
    in_force: Sequence[Silence], batch: Sequence[Kept], fresh: Sequence[Symptom]
) -> tuple[list[str], list[Symptom]]:
    """Ids of alerts that a silence holds back, and the symptoms that are left to place. What already belongs to a live
    candidate stays there: a silence hides no part of an incident that people look at."""
    if not in_force:
        return [], list(fresh)
    held = {kept.alert.id for kept in batch if silencing(in_force, kept.alert) is not None}
    metrics.CORRELATED.labels("silenced").inc(sum(one.id in held for one in fresh))
    return [one.id for one in fresh if one.id in held], [one for one in fresh if one.id not in held]


def _former(tx: Tx, kept: Kept, live: set[str], limits: Limits) -> _Former:
    assert kept.candidate_id is not None
    candidate: Candidate = tx.get("candidate", kept.candidate_id)
    if candidate.status == "open" or candidate.id in live:
        return _Former(True)
    if candidate.status == "merged":
        return _Former(False)
    if candidate.status == "dismissed":
        # Whoever dismissed it saw this alert: firing again at once is no news.
        return _Former(began(kept.alert, tx.now) - candidate.grown_at <= limits.correlation_window)
    incident: Incident = tx.get("incident", candidate.incident_id or "")
    if incident.closed_at is None:
        return _Former(True)
    return _Former(False, f"it fired again after {incident.reference} was closed")


def _symptom(kept: Kept, now: datetime, words: str, catalog: Catalog) -> Symptom:
    alert = kept.alert
    return Symptom(
        alert.id, alert.service, alert.severity, alert.title, began(kept.alert, now), telling_pairs(alert.labels),
        kept.trace, words, kind_of(alert), telling_words(alert, catalog),
    )  # fmt: skip


def _read_live(tx: Tx, candidate_id: str, hits: Sequence[Hits], catalog: Catalog, limits: Limits) -> Live:
    candidate: Candidate = tx.get("candidate", candidate_id)
    pairs: dict[str | None, set[Pair]] = {}
    words: dict[str | None, frozenset[str]] = {}
    for alert in alerts.newest_of(tx.connection, candidate_id, limits.correlation_sampled_alerts):
        pairs.setdefault(alert.service, set()).update(telling_pairs(alert.labels))
        spoken = telling_words(alert, catalog)
        words[alert.service] = joined_words(words.get(alert.service, frozenset()), spoken)
    by_service: dict[str | None, Hit] = {}
    for one in hits:
        active_at = tx.now if one.is_open else one.last_at
        said = frozenset(pairs.get(one.service, ())), words.get(one.service, frozenset())
        hit = Hit(one.service, one.severity, one.first_at, active_at, *said)
        known = by_service.get(one.service)
        by_service[one.service] = hit if known is None else _both(known, hit)
    titles = tuple(member.title for member in candidate.members)
    kinds = frozenset(one.kind for one in candidate.kinds)
    return Live(candidate_id, tuple(by_service.values()), candidate.count, candidate.started_at, titles, kinds)


def _both(one: Hit, other: Hit) -> Hit:
    return Hit(
        one.service,
        worse(one.severity, other.severity),
        min(one.first_at, other.first_at),
        max(one.active_at, other.active_at),
        one.pairs,
        one.words,
    )


def _record(tx: Tx, placed: Placed) -> str:
    """Open or grow the candidate; a live incident takes note of services that are hit as well now."""
    known, content = placed.candidate_id, (
        placed.members, placed.services, placed.suggested_severity, placed.severity_reason, placed.title,
        placed.started_at,
    )  # fmt: skip
    if known is None:
        candidate_id = new_id("can")
        tx.change("candidate", candidate_id, OpenCandidate(candidate_id, *content, placed.trace, placed.kinds))
        return candidate_id
    tx.change("candidate", known, GrowCandidate(*content, placed.kinds))
    candidate: Candidate = tx.get("candidate", known)
    if candidate.incident_id is not None:
        tx.change("incident", candidate.incident_id, AddServices(placed.services))
    return known


def _reconsider(tx: Tx, catalog: Catalog, decided: Decided, limits: Limits) -> None:
    """Where a candidate opened, alerts nearby that have fired for long and belong to none are looked at again: what
    burned slowly may be how it began."""
    services = {service for placed in decided.placed if placed.candidate_id is None for service in placed.services}
    if not services:
        return
    known = catalog.services
    near = services | {called for name in services & known.keys() for called in known[name].depends_on}
    near |= {one.name for one in known.values() if not services.isdisjoint(one.depends_on)}
    store.place_again(tx.connection, near, tx.now - limits.correlation_slow_window, limits.correlation_reconsidered)


def _recent_changes(tx: Tx, since: datetime, limits: Limits) -> list[RecentChange]:
    """Changes within their window before the earliest symptom; the newest ones within a bound."""
    noun = tables.noun
    states = tx.connection.execute(
        sa.select(noun.c.state)
        .where(noun.c.kind == "change")
        .order_by(noun.c.changed_index.desc())
        .limit(limits.page_size_max)
    ).scalars()
    changes: list[Change] = [decode(NOUNS["change"], text) for text in states]
    earliest = since - limits.change_window
    return [RecentChange(change.service, change.title, change.at) for change in changes if change.at >= earliest]


def _incident(connection: sa.Connection, incident_id: str) -> Incident:
    noun = tables.noun
    state = connection.execute(
        sa.select(noun.c.state).where(noun.c.kind == "incident", noun.c.id == incident_id)
    ).scalar_one()
    incident: Incident = decode(NOUNS["incident"], state)
    return incident
