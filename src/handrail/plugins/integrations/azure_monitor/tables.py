"""What Azure's words mean here: plain data."""

from handrail.domain.alert import AlertStatus, Severity

SEVERITIES = {
    "sev0": Severity.CRITICAL, "sev1": Severity.HIGH, "sev2": Severity.MEDIUM, "sev3": Severity.LOW,
    "sev4": Severity.INFO,
    "0": Severity.CRITICAL, "1": Severity.HIGH, "2": Severity.MEDIUM, "3": Severity.LOW, "4": Severity.INFO,
}  # fmt: skip
CONDITIONS = {
    "fired": AlertStatus.FIRING, "activated": AlertStatus.FIRING, "new": AlertStatus.FIRING,
    "acknowledged": AlertStatus.ACKNOWLEDGED,
    "resolved": AlertStatus.RESOLVED, "deactivated": AlertStatus.RESOLVED, "closed": AlertStatus.RESOLVED,
}  # fmt: skip
# Service health tells the stage of an event, and every stage comes as “Fired”.
OVER_STAGES = frozenset({"resolved", "complete", "completed", "rca", "canceled", "cancelled", "closed", "archived"})
WELL = frozenset({"available"})
