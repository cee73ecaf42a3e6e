"""Gathers the evidence of an incident, read-only and bounded: alerts, changes, topology and signals.

Each becomes a snapshot with the query that made it, known by the digest of its content. Reads over the network happen
outside of any transaction, a few at a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from handrail.domain.alert import Alert
from handrail.domain.catalog import Catalog
from handrail.domain.change import Change
from handrail.domain.incident import Incident
from handrail.domain.signal import ReadSignal, Signal, SignalUnreadable
from handrail.kernel.canonical import canonical, digest_bytes, plain
from handrail.kernel.clock import to_text
from handrail.kernel.limits import LIMITS

_SUMMARY_CHARS = LIMITS.title_chars


@dataclass(frozen=True)
class Snapshot:
    """One piece of evidence as it will be stored."""

    about: str
    value: Any
    content: bytes
    digest: str


@dataclass(frozen=True)
class Known:
    """What the database knows about an incident. `alerts_total` may be more than the alerts that were read."""

    incident: Incident
    catalog: Catalog
    policy: str
    alerts: tuple[Alert, ...] = ()
    alerts_total: int = 0
    changes: tuple[Change, ...] = ()
    changes_since: datetime | None = None


@dataclass(frozen=True)
class Gathered:
    """The evidence, by what it is about; `looked_at` says in words where was looked, also where nothing was found."""

    alerts: Snapshot | None = None
    changes: Snapshot | None = None
    topology: Snapshot | None = None
    signals: Mapping[str, Snapshot] = field(default_factory=dict)
    readings: Mapping[str, Signal] = field(default_factory=dict)
    looked_at: tuple[str, ...] = ()

    def snapshots(self) -> tuple[Snapshot, ...]:
        named = [item for item in (self.alerts, self.changes, self.topology) if item is not None]
        return (*named, *self.signals.values())


def gather(known: Known, read: ReadSignal, now: datetime) -> Gathered:
    """Read the signals around the incident and make snapshots of everything."""
    around = surroundings(known.catalog, _services(known))
    answers = _read_signals(known.catalog, around, read)
    readings = {name: answer for name, answer in answers.items() if isinstance(answer, Signal)}
    return Gathered(
        alerts=_alerts(known),
        changes=_changes(known, now),
        topology=_topology(known.catalog, around),
        signals={name: _signal(known.catalog, signal) for name, signal in readings.items()},
        readings=readings,
        looked_at=(_alert_words(known), _change_words(known, now), _topology_words(known.catalog, around),
                   *_signal_words(around, answers)),
    )  # fmt: skip


def surroundings(catalog: Catalog, services: Sequence[str]) -> tuple[str, ...]:
    """The services in question, then what they depend on, then what depends on them, within the bound."""
    down = sorted({name for service in services for name in catalog.dependencies(service)})
    up = sorted({name for service in services for name in catalog.dependents(service)})
    return tuple(dict.fromkeys((*services, *down, *up)))[: LIMITS.investigation_services]


def snapshot(about: str, value: Any) -> Snapshot:
    content = canonical(value)
    return Snapshot(about, plain(value), content, digest_bytes(content))


def _services(known: Known) -> tuple[str, ...]:
    """The services with alerts, those with the first alert first, then the others that the incident names."""
    by_time = sorted(known.alerts, key=lambda alert: (alert.starts_at, alert.id))
    return tuple(dict.fromkeys((*(alert.service for alert in by_time if alert.service), *known.incident.services)))


def _read_signals(catalog: Catalog, around: Sequence[str], read: ReadSignal) -> dict[str, Signal | str]:
    """The signal of each service, or a sentence that says why there is none."""

    def ask(name: str) -> Signal | str:
        service = catalog.services.get(name)
        if service is None or not service.signal_url:
            return "the catalogue names no signal for it"
        try:
            return read(name, service.signal_url)
        except SignalUnreadable as failure:
            return failure.detail

    if not around:
        return {}
    with ThreadPoolExecutor(LIMITS.investigation_reads_at_once, "signal") as pool:
        return dict(zip(around, pool.map(ask, around), strict=True))


def _alerts(known: Known) -> Snapshot | None:
    if not known.alerts:
        return None
    ordered = sorted(known.alerts, key=lambda alert: (alert.starts_at, alert.id))
    rows, left_out = _fit([_alert_row(alert) for alert in ordered])
    query = {"candidate": known.incident.candidate_id, "order": "known first", "at_most": LIMITS.investigation_alerts}
    about = f"Alerts of {known.incident.reference}"
    left_out += known.alerts_total - len(known.alerts)
    return snapshot(about, {"kind": "alerts", "query": query, "left_out": left_out, "rows": rows})


def _alert_row(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id, "source": alert.source, "service": alert.service, "title": alert.title,
        "summary": alert.summary[:_SUMMARY_CHARS], "severity": alert.severity, "status": alert.status,
        "starts_at": to_text(alert.starts_at), "ends_at": to_text(alert.ends_at) if alert.ends_at else None,
        "count": alert.count, "labels": dict(sorted(alert.labels.items())),
    }  # fmt: skip


def _changes(known: Known, now: datetime) -> Snapshot | None:
    if known.changes_since is None:
        return None
    rows, left_out = _fit([_change_row(change) for change in known.changes])
    query = {"since": to_text(known.changes_since), "until": to_text(now), "at_most": LIMITS.investigation_changes}
    about = f"Changes around the start of {known.incident.reference}"
    return snapshot(about, {"kind": "changes", "query": query, "left_out": left_out, "rows": rows})


def _change_row(change: Change) -> dict[str, Any]:
    """Without the author: who deployed is no evidence of a cause, and a name may be erased where evidence stays."""
    return {
        "id": change.id, "source": change.source, "kind": change.kind, "service": change.service,
        "title": change.title, "at": to_text(change.at), "version": change.version,
        "previous_version": change.previous_version, "environment": change.environment, "evidence": change.evidence,
    }  # fmt: skip


def _topology(catalog: Catalog, around: Sequence[str]) -> Snapshot | None:
    known = [catalog.services[name] for name in around if name in catalog.services]
    if not known:
        return None
    value = {
        "kind": "topology",
        "query": {"around": list(around), "source": "catalogue in force"},
        "lines": dependency_lines(catalog, around),
        "services": {service.name: {"tier": service.tier, "owner": service.owner} for service in known},
    }
    return snapshot("Dependencies around the incident", value)


def dependency_lines(catalog: Catalog, around: Iterable[str]) -> list[str]:
    """One line for each dependency of these services."""
    found = [catalog.services[name] for name in around if name in catalog.services]
    return [f"{service.name} depends on {other}" for service in found for other in service.depends_on]


def _signal(catalog: Catalog, signal: Signal) -> Snapshot:
    query = {"signal": signal.service, "url": catalog.services[signal.service].signal_url}
    return snapshot(f"Signal of {signal.service}", {"kind": "signal", "query": query, "signal": signal})


def _fit(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """As many rows from the start as evidence may hold, and how many were left out."""
    kept: list[dict[str, Any]] = []
    left = LIMITS.evidence_bytes - LIMITS.annotation_chars
    for row in rows:
        left -= len(canonical(row)) + 1
        if left < 0:
            break
        kept.append(row)
    return kept, len(rows) - len(kept)


def _alert_words(known: Known) -> str:
    if known.incident.candidate_id is None:
        return "Alerts: the incident was declared by hand, no alerts belong to it."
    if not known.alerts:
        return "Alerts: none belong to the incident."
    services = sorted({alert.service or "no service" for alert in known.alerts})
    read = f"the first {len(known.alerts)} of {known.alerts_total}" if known.alerts_total > len(known.alerts) else "all"
    return f"Alerts: {known.alerts_total} ({read} looked at), on {', '.join(services)}."


def _change_words(known: Known, now: datetime) -> str:
    if known.changes_since is None:
        return "Changes: not looked for."
    count = len(known.changes) or "none"
    return f"Changes from {known.changes_since:%H:%M:%S} to {now:%H:%M:%S} UTC, of any service: {count}."


def _topology_words(catalog: Catalog, around: Sequence[str]) -> str:
    if not catalog.services:
        return "Dependencies: the catalogue is empty."
    missing = [name for name in around if name not in catalog.services]
    gaps = f"; not in the catalogue: {', '.join(missing)}" if missing else ""
    return f"Dependencies of {', '.join(around) or 'nothing'}: {len(dependency_lines(catalog, around))}{gaps}."


def _signal_words(around: Sequence[str], answers: Mapping[str, Signal | str]) -> list[str]:
    return [
        f"Signal of {name}: {answer.words() if isinstance(answer, Signal) else answer.rstrip('.')}."
        for name in around
        if (answer := answers.get(name)) is not None
    ]
