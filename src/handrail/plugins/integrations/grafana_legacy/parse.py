"""Reads the webhook of Grafana's legacy alerting into one occurrence."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import Severity
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import (
    extra_of,
    key_of,
    mapping,
    read_body,
    resource_of,
    service_of,
    short_labels,
    words,
)
from handrail.plugins.integrations.reading import (
    ACKNOWLEDGED,
    FIRING,
    RESOLVED,
    first_link,
    first_words,
    occurrence,
    pairs,
    plain,
    severity_word,
    status_in,
)

EXPECTED = "Grafana's legacy webhook (an object with “ruleName”, “ruleId” and “state”)"

STATUSES = {
    "alerting": FIRING, "no_data": FIRING, "pending": FIRING, "unknown": FIRING,
    "ok": RESOLVED, "paused": ACKNOWLEDGED,
}  # fmt: skip
SEVERITIES = {
    "critical": Severity.CRITICAL, "high": Severity.HIGH, "error": Severity.HIGH, "medium": Severity.MEDIUM,
    "warning": Severity.MEDIUM, "low": Severity.LOW, "info": Severity.INFO,
}  # fmt: skip
STATE_SEVERITIES = {"no_data": Severity.MEDIUM, "unknown": Severity.MEDIUM, "pending": Severity.LOW}
_KNOWN = frozenset({"ruleId", "ruleName", "ruleUrl", "state", "message", "tags"})
_ORGANISATION = re.compile(r"[?&]orgId=(\d{1,18})")


def parse(inbound: Inbound, now: datetime) -> Parsed:
    body = read_body(inbound)
    is_rule = type(body) is dict and ("ruleName" in body or "ruleId" in body) and "alerts" not in body
    if not (is_rule and "state" in body):
        raise other_sender(body, EXPECTED)
    if not first_words(body.get("ruleId"), body.get("ruleName")):
        raise other_sender(body, EXPECTED)
    status = status_in(STATUSES, body["state"], "state")
    labels = {**_only_series(body.get("evalMatches")), **pairs(body.get("tags"))}
    short = short_labels(labels)
    own = severity_word(first_words(labels.get("severity"), labels.get("priority")), SEVERITIES)
    is_telling = plain(body["state"]) in STATE_SEVERITIES
    said = occurrence(
        body,
        key=_key(body),
        status=status,
        title=first_words(body.get("ruleName"), body.get("title")),
        severity=own if own.said or not is_telling else severity_word(body["state"], STATE_SEVERITIES),
        service=service_of(short),
        resource=resource_of(short),
        summary=words(body.get("message")),
        labels=labels,
        address=first_link(body.get("ruleUrl")),
        extra=extra_of(body, _KNOWN),
    )
    return Parsed(occurrences=(said,))


def _key(body: Mapping[str, Any]) -> str:
    """Organisation and rule. Older versions tell the organisation in the link alone; an installation starts with 1."""
    in_link = _ORGANISATION.search(words(body.get("ruleUrl")))
    organisation = words(body.get("orgId")) or (in_link.group(1) if in_link else "1")
    return f"{organisation}/{words(body.get('ruleId')) or key_of(words(body.get('ruleName')))}"


def _only_series(matches: Any) -> dict[str, Any]:
    """The labels of the series that matched, where there is one alone: those of many would name the wrong host."""
    if type(matches) is not list or len(matches) != 1:
        return {}
    return mapping(mapping(matches[0]).get("tags"))
