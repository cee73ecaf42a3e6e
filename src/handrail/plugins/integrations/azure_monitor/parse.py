"""Reads Azure Monitor's common alert schema into one occurrence."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.kernel.errors import BadInput, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.azure_monitor.tables import CONDITIONS, OVER_STAGES, SEVERITIES, WELL
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import (
    clip,
    extra_of,
    key_of,
    key_text,
    link,
    mapping,
    moment,
    raw_of,
    read_body,
    short_annotations,
    short_labels,
    words,
)
from handrail.plugins.integrations.reading import (
    ended_at,
    first_link,
    first_words,
    labels_of,
    listed,
    object_in,
    severity_word,
    short,
    status_in,
    unread_times,
    without_tags,
)

EXPECTED = (
    "Azure Monitor's common alert schema (an object with “schemaId”: “azureMonitorCommonAlertSchema” and "
    "“data.essentials”; switch it on in the action group)"
)
_SCHEMA = "azuremonitorcommonalertschema"
_PORTAL = "https://portal.azure.com/#view/Microsoft_Azure_Monitoring_Alerts/AlertDetails.ReactView/alertId/"
_KNOWN_ESSENTIALS = frozenset(
    {
        "alertId", "alertRule", "severity", "monitorCondition", "alertTargetIDs", "configurationItems",
        "firedDateTime", "resolvedDateTime", "description", "investigationLink",
    }
)  # fmt: skip
_CONTEXT_LINKS = (
    "LinkToFilteredSearchResultsUI", "LinkToSearchResults", "LinkToSearchResultsAPI",
    "linkToFilteredSearchResultsUI", "linkToSearchResultsUI",
)  # fmt: skip
_TIMES = ("firedDateTime", "resolvedDateTime")


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One alert. Its id and its condition are also the delivery's: Azure tries again without saying so."""
    body = read_body(inbound)
    data = mapping(mapping(body).get("data"))
    essentials, schema = data.get("essentials"), words(mapping(body).get("schemaId")).lower()
    if schema not in ("", _SCHEMA) and "data" in body:
        raise Unprocessable(
            f"What came is Azure's schema “{clip(words(body['schemaId']), 64)}”. This address expects {EXPECTED}.",
            code="unexpected_format",
        )
    if type(essentials) is not dict or schema not in ("", _SCHEMA):
        raise other_sender(body, EXPECTED)
    return Parsed(occurrences=(_occurrence(body, data, essentials),))


def _occurrence(body: Mapping[str, Any], data: Mapping[str, Any], essentials: Mapping[str, Any]) -> Occurrence:
    context = object_in(data.get("alertContext"))
    properties = object_in(context.get("properties"))
    custom = {**mapping(data.get("customProperties")), **_plain(properties)}
    # Prometheus' rules have labels and annotations of their own.
    own = mapping(context.get("labels"))
    custom = {**custom, **mapping(context.get("annotations"))}
    status, kind = _status(essentials, context, properties), words(essentials.get("monitoringService"))
    target = _last(next((words(item) for item in listed(essentials.get("alertTargetIDs")) if words(item)), ""))
    item = next((words(item) for item in listed(essentials.get("configurationItems")) if words(item)), "")
    fired, resolved = moment(essentials.get("firedDateTime")), moment(essentials.get("resolvedDateTime"))
    told = moment(context.get("eventTimestamp")) if _is_health(kind) else None
    rule = first_words(essentials.get("alertRule"), essentials.get("alertRuleName"))
    title = first_words(properties.get("title"), rule) if _is_health(kind) else rule
    if not title:
        raise BadInput("The alert has no “alertRule”.", code="alert_title_missing")
    ends_at = (resolved or told) if status == AlertStatus.RESOLVED else None
    word = severity_word(essentials.get("severity"), SEVERITIES)
    return Occurrence(
        dedup_key=_key(essentials, properties, kind, target, rule),
        status=status,
        title=clip(title, LIMITS.title_chars),
        severity_raw=word.said,
        severity=word.rung,
        service=short(
            first_words(custom.get("service"), custom.get("service_name"), own.get("service"), _last(item) or target)
        ),
        resource=short(_last(item) or target or words(properties.get("region"))),
        summary=clip(_summary(essentials, context, properties), LIMITS.summary_chars),
        labels=short_labels(labels_of({**own, **_labels(essentials, context, rule, target), **_dimensions(context)})),
        annotations=short_annotations(labels_of(custom)),
        occurred_at=ended_at(fired, ends_at) if status == AlertStatus.RESOLVED else told or fired,
        starts_at=fired if not _is_health(kind) or status == AlertStatus.FIRING else None,
        ends_at=ends_at,
        link=_link(essentials, context),
        raw=raw_of(body),
        extra=_extra(body, data, essentials, context),
    )


def _is_health(kind: str) -> bool:
    return kind.replace(" ", "").lower() in ("servicehealth", "resourcehealth")


def _status(essentials: Mapping[str, Any], context: Mapping[str, Any], properties: Mapping[str, Any]) -> AlertStatus:
    """Fired and Resolved; for health events, which only ever fire, what they tell about the end."""
    status = status_in(CONDITIONS, essentials.get("monitorCondition"), "monitorCondition")
    kind = words(essentials.get("monitoringService"))
    if status != AlertStatus.FIRING or not _is_health(kind):
        return status
    stages = {words(properties.get("stage")).lower(), words(context.get("status")).lower()}
    over = bool(stages & OVER_STAGES) or words(properties.get("currentHealthStatus")).lower() in WELL
    return AlertStatus.RESOLVED if over else status


def _key(essentials: Mapping[str, Any], properties: Mapping[str, Any], kind: str, target: str, rule: str) -> str:
    """The alert's id, which its end shares. Health events have another id each time: what they are about ties them."""
    tracking = words(properties.get("trackingId"))
    if _is_health(kind) and tracking:
        return key_text(f"servicehealth|{tracking}")
    targets = [words(item).lower() for item in listed(essentials.get("alertTargetIDs")) if words(item)]
    if kind.replace(" ", "").lower() == "resourcehealth" and targets:
        return key_text(f"resourcehealth|{targets[0]}")
    given = first_words(essentials.get("alertId"), essentials.get("originAlertId"))
    return key_text(given) or key_of("azure_monitor", rule, *targets, target)


def _last(resource_id: str) -> str:
    """The name at the end of a resource's id."""
    return resource_id.rstrip("/").rpartition("/")[2]


def _plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Custom properties: the short ones. Service health's descriptions are long and are read by themselves."""
    return {name: value for name, value in properties.items() if 0 < len(words(value)) <= LIMITS.label_chars}


def _summary(essentials: Mapping[str, Any], context: Mapping[str, Any], properties: Mapping[str, Any]) -> str:
    told = first_words(properties.get("communication"), properties.get("details"))
    said = first_words(essentials.get("description"), mapping(context.get("annotations")).get("description"))
    parts = [said, without_tags(told), *(_condition(item) for item in _all_of(context))]
    if not told and properties.get("currentHealthStatus"):
        parts.append(
            f"{words(properties.get('previousHealthStatus'))} → {words(properties.get('currentHealthStatus'))} "
            f"{words(properties.get('cause'))}".strip()
        )
    return "\n".join(part for part in parts if part)


def _all_of(context: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [mapping(item) for item in listed(mapping(context.get("condition")).get("allOf"))]


def _condition(item: Mapping[str, Any]) -> str:
    """“Percentage CPU GreaterThan 25: 31.1” in Azure's words."""
    name = first_words(item.get("metricName"), item.get("webTestName"), item.get("metricMeasureColumn"))
    said = " ".join(part for part in (name, words(item.get("operator")), words(item.get("threshold"))) if part)
    value = words(item.get("metricValue"))
    return f"{said}: {value}" if said and value else said


def _labels(essentials: Mapping[str, Any], context: Mapping[str, Any], rule: str, target: str) -> dict[str, Any]:
    ids = [words(item) for item in listed(essentials.get("alertTargetIDs")) if words(item)]
    parts = ids[0].strip("/").split("/") if ids else []
    by_name = dict(zip((part.lower() for part in parts[::2]), parts[1::2], strict=False))
    first = next(iter(_all_of(context)), {})
    return {
        "alert_rule": rule,
        "signal": essentials.get("signalType"),
        "monitor": essentials.get("monitoringService"),
        "subscription": by_name.get("subscriptions"),
        "resource_group": first_words(essentials.get("targetResourceGroup"), by_name.get("resourcegroups")),
        "resource_type": essentials.get("targetResourceType"),
        "target": target,
        "metric": first.get("metricName"),
        "web_test": first.get("webTestName"),
        "operation": context.get("operationName"),
        "caller": context.get("caller"),
    }


def _dimensions(context: Mapping[str, Any]) -> dict[str, Any]:
    """The dimensions of all conditions; version 1 of log alerts has them beside the search."""
    said = [pair for item in _all_of(context) for pair in listed(item.get("dimensions"))]
    pairs = [mapping(pair) for pair in [*said, *listed(context.get("Dimensions"))]]
    return {words(pair.get("name")): pair.get("value") for pair in pairs if words(pair.get("name"))}


def _link(essentials: Mapping[str, Any], context: Mapping[str, Any]) -> str | None:
    first = next(iter(_all_of(context)), {})
    given = first_link(
        essentials.get("investigationLink"),
        *(context.get(name) for name in _CONTEXT_LINKS),
        *(first.get(name) for name in _CONTEXT_LINKS),
    )
    alert_id = words(essentials.get("alertId"))
    return given or (link(_PORTAL + quote(alert_id, safe="")) if alert_id else None)


def _extra(
    body: Mapping[str, Any], data: Mapping[str, Any], essentials: Mapping[str, Any], context: Mapping[str, Any]
) -> dict[str, object]:
    extra: dict[str, object] = {
        **extra_of(body, frozenset({"schemaId", "data"})),
        **extra_of(data, frozenset({"essentials", "alertContext", "customProperties"})),
    }
    beside = {**extra_of(essentials, _KNOWN_ESSENTIALS), **unread_times(essentials, _TIMES)}
    return {**extra, "essentials": beside, "alertContext": extra_of(context, frozenset())}
