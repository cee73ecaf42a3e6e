"""Reads the REST notifications of VMware Aria Operations (vRealize Operations) into one occurrence."""

from datetime import datetime

from handrail.domain.alert import Severity
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import extra_of, key_of, read_body, words
from handrail.plugins.integrations.reading import (
    ACKNOWLEDGED,
    FIRING,
    RESOLVED,
    first_moment,
    first_words,
    occurrence,
    plain,
    severity_word,
    status_in,
    unread_times,
)

EXPECTED = "a REST notification of Aria Operations (an object with “alertId”, “resourceName” and “criticality”)"

STATUSES = {
    "active": FIRING, "new": FIRING, "updated": FIRING, "update": FIRING, "suspended": ACKNOWLEDGED,
    "canceled": RESOLVED, "cancelled": RESOLVED, "cancel": RESOLVED, "inactive": RESOLVED,
}  # fmt: skip
CRITICALITIES = {
    "critical": Severity.CRITICAL, "immediate": Severity.HIGH, "warning": Severity.MEDIUM, "information": Severity.INFO,
    "info": Severity.INFO, "auto": Severity.MEDIUM, "unknown": Severity.MEDIUM, "none": Severity.INFO,
}  # fmt: skip
_PREFIXES = ("alert_criticality_level_", "criticality_level_", "alert_criticality_")
_KNOWN = frozenset(
    ["alertId", "alertName", "info", "status", "criticality", "resourceName", "startDate", "updateDate", "cancelDate"]
)
_OWN = frozenset(["criticality", "resourceId", "adapterKind", "resourceKind", "alertName"])


def parse(inbound: Inbound, now: datetime) -> Parsed:
    body = read_body(inbound)
    if type(body) is not dict or len(body.keys() & _OWN) < 2 or not {"alertId", "resourceName"} & body.keys():
        raise other_sender(body, EXPECTED)
    name, about = words(body.get("alertName")), words(body.get("info"))
    resource = first_words(body.get("resourceName"), body.get("resourceId"))
    cancelled_at = first_moment(body.get("cancelDate"))
    said = words(body.get("status"))
    status = status_in(STATUSES, said, "status") if said else RESOLVED if cancelled_at else FIRING
    starts_at, updated_at = first_moment(body.get("startDate")), first_moment(body.get("updateDate"))
    # `cancelDate` may hold an older time, and an end must not look older than the last update.
    newest = max((at for at in (cancelled_at if status == RESOLVED else None, updated_at) if at), default=starts_at)
    level = plain(body.get("criticality"))
    for prefix in _PREFIXES:
        level = level.removeprefix(prefix)
    return Parsed(
        occurrences=(
            occurrence(
                body,
                key=words(body.get("alertId")) or key_of(name or about, resource),
                status=status,
                title=about.partition("\n")[0].strip() or name,
                severity=severity_word(level, CRITICALITIES),
                resource=resource,
                summary=about if "\n" in about else name if about else "",
                labels={
                    field: words(body.get(field))
                    for field in ("type", "subType", "resourceKind", "adapterKind", "criticality", "alertName")
                },
                occurred_at=newest,
                starts_at=starts_at,
                ends_at=cancelled_at or updated_at,
                extra={**extra_of(body, _KNOWN), **unread_times(body, ("startDate", "updateDate", "cancelDate"))},
            ),
        )
    )
