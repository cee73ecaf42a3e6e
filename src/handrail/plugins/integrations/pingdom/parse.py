"""Reads Pingdom's webhook into one occurrence."""

from datetime import datetime

from handrail.domain.alert import Severity
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import extra_of, key_of, mapping, read_body, service_of, short_labels, words
from handrail.plugins.integrations.reading import (
    ACKNOWLEDGED,
    FIRING,
    RESOLVED,
    first_link,
    first_moment,
    first_words,
    occurrence,
    pairs,
    severity_word,
    status_in,
    unread_times,
)

EXPECTED = "Pingdom's webhook (an object with “check_id”, “check_name” and “current_state”)"

STATES = {
    "down": FIRING, "failing": FIRING, "unconfirmed_down": FIRING, "unconfirmed": FIRING, "unknown": FIRING,
    "up": RESOLVED, "success": RESOLVED, "paused": ACKNOWLEDGED,
}  # fmt: skip
SEVERITIES = {"high": Severity.HIGH, "low": Severity.LOW}
_KNOWN = frozenset(
    [
        "check_id",
        "check_name",
        "current_state",
        "importance_level",
        "tags",
        "description",
        "long_description",
        "state_changed_timestamp",
        "state_changed_utc_time",
    ]
)


def parse(inbound: Inbound, now: datetime) -> Parsed:
    body = read_body(inbound)
    if type(body) is not dict or "current_state" not in body or not {"check_id", "check_name"} & body.keys():
        raise other_sender(body, EXPECTED)
    name, checked, tags = words(body.get("check_name")), mapping(body.get("check_params")), pairs(body.get("tags"))
    if not first_words(body.get("check_id"), name):
        raise other_sender(body, EXPECTED)
    changed_at = first_moment(body.get("state_changed_timestamp"), body.get("state_changed_utc_time"))
    status = status_in(STATES, body["current_state"], "current_state")
    said = occurrence(
        body,
        key=words(body.get("check_id")) or key_of(name),
        status=status,
        title=name,
        severity=severity_word(body.get("importance_level"), SEVERITIES),
        service=service_of(short_labels(tags)),
        resource=first_words(checked.get("hostname"), checked.get("full_url"), checked.get("url")),
        summary=first_words(body.get("long_description"), body.get("description")),
        labels={**tags, "check_type": words(body.get("check_type"))},
        occurred_at=changed_at,
        starts_at=changed_at if status == FIRING else None,
        ends_at=changed_at,
        address=first_link(checked.get("full_url")),
        extra={
            **extra_of(body, _KNOWN),
            **unread_times(body, ("state_changed_timestamp", "state_changed_utc_time")),
        },
    )
    return Parsed(occurrences=(said,))
