"""What Dynatrace's words mean here: plain data."""

from handrail.domain.alert import AlertStatus, Severity

STATES = {
    "open": AlertStatus.FIRING, "active": AlertStatus.FIRING, "reopened": AlertStatus.FIRING,
    "acknowledged": AlertStatus.ACKNOWLEDGED,
    "resolved": AlertStatus.RESOLVED, "closed": AlertStatus.RESOLVED, "merged": AlertStatus.RESOLVED,
}  # fmt: skip
SEVERITIES = {
    "availability": Severity.CRITICAL, "error": Severity.HIGH, "monitoring_unavailable": Severity.HIGH,
    "performance": Severity.MEDIUM, "resource_contention": Severity.MEDIUM, "resource": Severity.MEDIUM,
    "custom_alert": Severity.MEDIUM, "info": Severity.INFO,
}  # fmt: skip
SERVICE_TYPES = frozenset(
    {"SERVICE", "APPLICATION", "MOBILE_APPLICATION", "CUSTOM_APPLICATION", "SYNTHETIC_TEST", "HTTP_CHECK", "QUEUE"}
)
# A workflow sends the problem's record, which has other names than the notification's placeholders.
ALIASES = {
    "event.id": "pid", "displayid": "problemid", "event.name": "problemtitle", "event.status": "state",
    "event.category": "problemseverity", "event.description": "problemdetailstext", "event.start": "starttime",
    "event.end": "endtime", "affectedentitynames": "impactedentities", "entitytags": "tags",
    "problemdetailsjsonv2": "problemdetailsjson",
}  # fmt: skip
