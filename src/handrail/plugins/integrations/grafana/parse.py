"""Reads the webhook of Grafana's unified alerting into occurrences, one for each alert of the group."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from handrail.domain.alert import Occurrence, Severity
from handrail.kernel.errors import BadInput
from handrail.plugins.integrations.batch import other_sender, read_items, refuse_if_nothing
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import (
    extra_of,
    key_of,
    mapping,
    moment,
    read_body,
    resource_of,
    service_of,
    short_labels,
    text,
    words,
)
from handrail.plugins.integrations.reading import (
    FIRING,
    RESOLVED,
    first_link,
    first_words,
    occurrence,
    severity_word,
    status_in,
    unread_times,
)

EXPECTED = "Grafana's alerting webhook (an object with “orgId”, “version”: “1” and a list “alerts”)"

STATUSES = {
    "firing": FIRING, "alerting": FIRING, "nodata": FIRING, "no_data": FIRING, "error": FIRING,
    "resolved": RESOLVED, "ok": RESOLVED, "normal": RESOLVED,
}  # fmt: skip
SEVERITIES = {
    "critical": Severity.CRITICAL, "emergency": Severity.CRITICAL, "high": Severity.HIGH, "error": Severity.HIGH,
    "major": Severity.HIGH, "medium": Severity.MEDIUM, "warning": Severity.MEDIUM, "low": Severity.LOW,
    "minor": Severity.LOW, "info": Severity.INFO, "notice": Severity.INFO,
}  # fmt: skip
_OWN_FIELDS = frozenset({"silenceURL", "dashboardURL", "panelURL", "valueString", "values", "imageURL"})
_KNOWN_GROUP = frozenset(
    {"alerts", "status", "state", "version", "groupLabels", "commonLabels", "commonAnnotations", "message"}
)
_KNOWN_ALERT = frozenset(
    {"labels", "annotations", "status", "startsAt", "endsAt", "generatorURL", "fingerprint", "panelURL", "dashboardURL"}
)


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """The group's alerts; bad ones are named by index and the others kept."""
    body = read_body(inbound)
    if not _is_grafana(body):
        raise other_sender(body, EXPECTED)
    kept, rejected = read_items(body["alerts"], partial(_read, group=body, now=now))
    refuse_if_nothing(kept, rejected, body, EXPECTED)
    return Parsed(occurrences=kept, rejected=rejected)


def _is_grafana(body: Any) -> bool:
    """Alertmanager writes nearly the same object: version 4, no organisation, and none of Grafana's own links."""
    if type(body) is not dict or type(body.get("alerts")) is not list:
        return False
    if "orgId" in body or words(body.get("version")) == "1":
        return True
    own = any(not _OWN_FIELDS.isdisjoint(item) for item in body["alerts"] if type(item) is dict)
    return own and words(body.get("version")) != "4"


def _read(item: Any, group: Mapping[str, Any], now: datetime) -> Occurrence:
    if type(item) is not dict:
        raise BadInput("an alert must be an object with labels", code="alert_not_an_object")
    fingerprint = words(item.get("fingerprint"))
    if not mapping(item.get("labels")) and not fingerprint:
        raise BadInput("the alert has neither labels nor a fingerprint", code="alert_labels_missing")
    labels = mapping(item.get("labels")) or mapping(group.get("commonLabels"))
    sent = mapping(item.get("annotations")) or mapping(group.get("commonAnnotations"))
    short = short_labels(labels)
    starts_at, ends_at = moment(item.get("startsAt")), moment(item.get("endsAt"))
    said = first_words(item.get("status"), group.get("status"), group.get("state"))
    ended = ends_at is not None and ends_at <= now
    status = status_in(STATUSES, said, "status") if said else RESOLVED if ended else FIRING
    severity = first_words(labels.get("severity"), labels.get("priority"), sent.get("severity"))
    about = extra_of(group, _KNOWN_GROUP)
    return occurrence(
        item,
        key=f"{words(group.get('orgId')) or '1'}/{fingerprint or key_of(text(dict(sorted(labels.items()))))}",
        status=status,
        title=first_words(sent.get("summary"), sent.get("title"), _name(labels), group.get("title")),
        severity=severity_word(severity, SEVERITIES),
        service=service_of(short) or words(labels.get("grafana_folder")),
        resource=resource_of(short),
        summary=first_words(sent.get("description"), sent.get("message")),
        labels=labels,
        annotations=sent,
        starts_at=starts_at,
        ends_at=ends_at,
        address=first_link(
            item.get("panelURL"), item.get("dashboardURL"), item.get("generatorURL"), base=group.get("externalURL")
        ),
        extra={
            **extra_of(item, _KNOWN_ALERT),
            **unread_times(item, ("startsAt", "endsAt")),
            **({"group": about} if about else {}),
        },
    )


def _name(labels: Mapping[str, Any]) -> str:
    """The rule's name. A rule without data, or in error, is told under a name of Grafana's with the rule's beside."""
    name, rule = words(labels.get("alertname")), words(labels.get("rulename"))
    return f"{name}: {rule}" if rule and name.startswith("Datasource") else name or rule
