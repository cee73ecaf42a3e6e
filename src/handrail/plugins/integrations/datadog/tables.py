"""What Datadog's words and names mean here: plain data."""

from handrail.domain.alert import AlertStatus, Severity

TRANSITIONS = {
    **dict.fromkeys(
        (
            "triggered", "re_triggered", "retriggered", "alert", "alerting", "warn", "re_warn", "warning", "no_data",
            "re_no_data", "renotify", "renotified", "escalated", "error", "critical", "test", "active", "open",
            "opened", "declared", "created", "stable", "new",
        ),
        AlertStatus.FIRING,
    ),
    "acknowledged": AlertStatus.ACKNOWLEDGED,
    "acked": AlertStatus.ACKNOWLEDGED,
    **dict.fromkeys(
        ("recovered", "recovery", "ok", "resolved", "closed", "warn_recovered", "no_data_recovered", "success"),
        AlertStatus.RESOLVED,
    ),
}  # fmt: skip
TRANSITION_SEVERITIES = {
    "warn": Severity.MEDIUM, "re_warn": Severity.MEDIUM, "warning": Severity.MEDIUM,
    "no_data": Severity.MEDIUM, "re_no_data": Severity.MEDIUM,
}  # fmt: skip
SEVERITIES = {
    "p1": Severity.CRITICAL, "p2": Severity.HIGH, "p3": Severity.MEDIUM, "p4": Severity.LOW, "p5": Severity.INFO,
    "1": Severity.CRITICAL, "2": Severity.HIGH, "3": Severity.MEDIUM, "4": Severity.LOW, "5": Severity.INFO,
    "sev_1": Severity.CRITICAL, "sev_2": Severity.HIGH, "sev_3": Severity.MEDIUM, "sev_4": Severity.LOW,
    "sev_5": Severity.INFO,
    "error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.INFO, "success": Severity.INFO,
}  # fmt: skip
# Words that say nothing: “normal” is every event's priority, “success” and “info” come with a recovery.
NO_SEVERITY = frozenset({"normal", "success", "none", "null", "not_defined"})

# A template's author chooses the names; compared without case and signs.
NAMES: dict[str, tuple[str, ...]] = {
    "alert_id": ("alertid", "monitorid"),
    "scope": ("alertscope", "scope", "scopes", "alertscopes"),
    "transition": ("alerttransition", "transition"),
    "status": ("alertstatus", "monitorstatus", "monitorstate", "status", "incidentstatus"),
    "cycle": ("alertcyclekey", "alertcycle"),
    "aggregation": ("aggregkey", "aggregationkey", "aggregate"),
    "title": ("title", "eventtitle"),
    "alert_title": ("alerttitle", "alertname", "monitorname"),
    "body": ("body", "textonlymsg", "eventmsg", "message", "msg", "text"),
    "priority": ("alertpriority", "priority", "monitorpriority", "severity", "incidentseverity"),
    "type": ("alerttype",),
    "tags": ("tags",),
    "host": ("hostname", "host"),
    "service": ("service",),
    "link": ("link", "eventurl", "url", "alerturl", "incidenturl"),
    "date": ("date", "dateposix", "lastupdated", "lastupdatedposix", "timestamp"),
    "updated": ("lastupdated", "date", "lastupdatedposix", "dateposix", "timestamp"),
    "event_type": ("eventtype",),
    "delivery": ("id", "eventid"),
}
