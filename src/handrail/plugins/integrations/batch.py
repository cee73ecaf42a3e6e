"""Reading many items in one request: the good ones are kept, the bad ones listed by index. Also who else sent it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from handrail.kernel.errors import Fault, Refused, TooLarge, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Rejected

T = TypeVar("T")


def read_items(items: Sequence[Any], read: Callable[[Any], T]) -> tuple[tuple[T, ...], tuple[Rejected, ...]]:
    """Each item read on its own. A refusal of one stays with that one."""
    if len(items) > LIMITS.inbound_batch_alerts:
        raise TooLarge(
            f"The batch has {len(items)} items; at most {LIMITS.inbound_batch_alerts} are taken at once. Send fewer.",
            code="batch_too_large",
        )
    kept: list[T] = []
    rejected: list[Rejected] = []
    for index, item in enumerate(items):
        try:
            kept.append(read(item))
        except Refused as fault:
            rejected.append(Rejected(index, fault.code, fault.detail))
    return tuple(kept), tuple(rejected)


def refuse_if_nothing(kept: Sequence[object], rejected: Sequence[Rejected], value: Any, expected: str) -> None:
    """Raise when items came and none of them could be read: it says why for each, and what was expected."""
    if kept or not rejected:
        return
    sender = guess_sender(value)
    looks = f" It looks like {sender}." if sender else ""
    raise Unprocessable(
        f"None of the {len(rejected)} items could be read: {rejected[0].reason} Expected: {expected}.{looks}",
        code="nothing_readable",
        faults=tuple(Fault(f"/{item.index}", f"{item.code}: {item.reason}") for item in rejected),
    )


def other_sender(value: Any, expected: str) -> Unprocessable:
    """The refusal of a payload that is not this integration's: what was expected, and what it looks like."""
    sender = guess_sender(value)
    came = f"What came looks like {sender}" if sender else f"What came is {_shape(value)} of no format known here"
    return Unprocessable(
        f"{came}. This address expects {expected}. Check the sender's URL, or the kind of this source.",
        code="unexpected_format",
    )


_SENDERS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(names.split()), title)
    for names, title in (
        ("alerts orgId", "Grafana's webhook"),
        ("ruleName ruleUrl", "Grafana's legacy webhook"),
        ("alerts groupKey", "Alertmanager's webhook"),
        ("routing_key event_action", "a PagerDuty event (Events API v2)"),
        ("integrationId action alert", "Opsgenie's webhook"),
        ("specversion type source", "a CloudEvent"),
        ("context subject", "a CDEvent"),
        ("schemaId data", "Azure Monitor's common alert schema"),
        ("Type TopicArn", "an Amazon SNS message"),
        ("detail-type detail", "an Amazon EventBridge event"),
        ("alarmArn alarmData", "a CloudWatch alarm event"),
        ("incident version", "a Google Cloud Monitoring incident"),
        ("ProblemID ProblemTitle", "Dynatrace's problem notification"),
        ("issueUrl impactedEntities", "a New Relic issue"),
        ("resourceLogs", "OpenTelemetry logs"),
        ("resourceSpans", "OpenTelemetry traces"),
        ("webhookEvent issue", "Jira's webhook"),
        ("object_kind", "GitLab's webhook"),
        ("repository sender", "GitHub's webhook"),
        ("action data actor", "Sentry's webhook"),
        ("search_name results_link", "Splunk's alert"),
        ("check_id check_name", "Pingdom's webhook"),
        ("check_result stream", "Graylog's notification"),
        ("execution executionId", "Rundeck's notification"),
        ("event_type alert_transition", "Datadog's webhook"),
        ("event_type org last_updated", "Datadog's webhook"),
    )
)


def guess_sender(value: Any) -> str | None:
    """Whose payload this looks like, by names that only that sender puts side by side."""
    if type(value) is list and value:
        value = value[0]
    if type(value) is not dict:
        return None
    if type(value.get("event")) is dict and "event_type" in value["event"]:
        return "PagerDuty's webhook (v3)"
    return next((title for names, title in _SENDERS if names <= value.keys()), None)


def _shape(value: Any) -> str:
    if type(value) is dict:
        return "an object"
    return "a list" if type(value) is list else "a single value"
