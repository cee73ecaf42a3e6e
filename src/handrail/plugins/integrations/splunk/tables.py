"""What words mean in Splunk's results: plain data. Splunk itself fixes none, so these are conventions."""

from handrail.domain.alert import AlertStatus, Severity

STATUSES = {
    "firing": AlertStatus.FIRING, "triggered": AlertStatus.FIRING, "new": AlertStatus.FIRING,
    "acknowledged": AlertStatus.ACKNOWLEDGED, "ack": AlertStatus.ACKNOWLEDGED,
    "resolved": AlertStatus.RESOLVED, "closed": AlertStatus.RESOLVED, "cleared": AlertStatus.RESOLVED,
    "recovered": AlertStatus.RESOLVED,
}  # fmt: skip
SEVERITIES = {
    "critical": Severity.CRITICAL, "fatal": Severity.CRITICAL, "severe": Severity.CRITICAL, "high": Severity.HIGH,
    "error": Severity.HIGH, "medium": Severity.MEDIUM, "warning": Severity.MEDIUM, "warn": Severity.MEDIUM,
    "unknown": Severity.MEDIUM, "low": Severity.LOW, "info": Severity.INFO, "informational": Severity.INFO,
    "debug": Severity.INFO,
    "6": Severity.CRITICAL, "5": Severity.CRITICAL, "4": Severity.HIGH, "3": Severity.MEDIUM, "2": Severity.INFO,
    "1": Severity.INFO,
}  # fmt: skip
# `alert_status` is ours and takes every usual word; the others are fields of people's data and may hold anything.
OWN_STATUS = "alert_status"
STATUS_NAMES = ("status_label", "status", "state")
SEVERITY_NAMES = ("severity", "urgency", "alert_severity", "priority", "severity_id", "level", "log_level")
SERVICE_NAMES = ("service", "service_name", "app", "application", "dest_service", "component")
RESOURCE_NAMES = ("host", "hostname", "dest", "dvc", "src", "instance", "source")
KEY_NAMES = ("host", "service", "service_name", "app", "dest", "object", "instance", "component", "rule_name")
# Told apart by these as well, where a result has them.
MORE_KEY_NAMES = ("hostname", "dvc", "src", "user", "application", "dest_service")
GIVEN_KEYS = ("dedup_key", "alert_key", "correlation_id", "incident_id")
