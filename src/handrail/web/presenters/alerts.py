"""Alerts as rows and as pages."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import Alert
from handrail.kernel.clock import from_text
from handrail.kernel.errors import BadInput
from handrail.signals.heartbeat import OWN
from handrail.signals.picture import read
from handrail.store.alerts import OccurrenceRow
from handrail.web import views as v
from handrail.web.presenters.charts import drawn


def alert_row(alert: Alert) -> v.AlertRow:
    return v.AlertRow(
        alert.id, alert.title or "(no title)", alert.severity, alert.status, alert.source, alert.service, alert.count,
        alert.first_at, alert.last_at, alert.verdict,
    )  # fmt: skip


def alert_view(
    alert: Alert, occurrences: Iterable[OccurrenceRow], belongs_to: tuple[str, str] | None = None
) -> v.AlertView:
    said = tuple(occurrences)
    return v.AlertView(
        row=alert_row(alert),
        summary=alert.summary,
        severity_raw=alert.severity_raw,
        resource=alert.resource,
        labels=tuple(sorted(alert.labels.items())),
        annotations=tuple(sorted(alert.annotations.items())),
        raw=pretty(said[0].raw) if said else "",
        occurrences=tuple(_occurrence(row, alert) for row in said),
        dedup_key=alert.dedup_key,
        link=alert.link,
        belongs_to=belongs_to,
        late=alert.late,
        turns=alert.turns,
        seen=_seen(alert, said),
    )


def _seen(alert: Alert, occurrences: Iterable[OccurrenceRow]) -> v.Seen | None:
    """Out of the newest words that hold pictures. Our own detectors' only: a sender's pictures are none of ours."""
    if alert.source != OWN:
        return None
    for row in occurrences:
        shown = read(row.raw)
        charts = tuple(filter(None, map(drawn, shown.pictures)))
        if charts or shown.samples:
            return v.Seen(_occurrence(row, alert).at, charts, shown.samples)
    return None


def _occurrence(row: OccurrenceRow, alert: Alert) -> v.AlertOccurrence:
    """What the committed leaf says of one occurrence, and where it is committed."""
    leaf: Mapping[str, Any] = json.loads(row.leaf)
    return v.AlertOccurrence(
        at=_moment(leaf.get("received_at")) or alert.last_at,
        status=str(leaf.get("status", alert.status)),
        occurred_at=_moment(leaf.get("occurred_at")),
        index=row.batch,
        position=row.position,
    )


def _moment(text: Any) -> datetime | None:
    try:
        return from_text(str(text)) if text else None
    except BadInput:
        return None


def pretty(text: str) -> str:
    """JSON with indents; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
