"""What New Relic's words mean here: plain data."""

from handrail.domain.alert import AlertStatus, Severity

STATES = {
    "created": AlertStatus.FIRING, "activated": AlertStatus.FIRING, "active": AlertStatus.FIRING,
    "open": AlertStatus.FIRING, "opened": AlertStatus.FIRING, "test": AlertStatus.FIRING,
    "deactivated": AlertStatus.RESOLVED, "closed": AlertStatus.RESOLVED, "resolved": AlertStatus.RESOLVED,
    "acknowledged": AlertStatus.ACKNOWLEDGED,
}  # fmt: skip
SEVERITIES = {
    "critical": Severity.CRITICAL, "high": Severity.HIGH, "medium": Severity.MEDIUM, "warning": Severity.MEDIUM,
    "warn": Severity.MEDIUM, "low": Severity.LOW, "info": Severity.INFO,
}  # fmt: skip
# An issue stays “activated” while somebody has taken it: only the trigger tells.
ACKNOWLEDGING = frozenset({"acknowledged", "issue acknowledged", "incident acknowledged", "issue ack"})
