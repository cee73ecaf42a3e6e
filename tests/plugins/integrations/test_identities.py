"""An alert keeps its identity whatever else its sender changes: only what the table names may tell alerts apart.

A resolve that no longer fits what it ends is the worst that a reader of formats can do.
"""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.plugins.integrations.test_every_integration import assert_bounded, assert_explained, samples_of

from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.registry import integrations

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
Path = tuple[str | int, ...]
# What decides in the samples which alert is meant; “#” stands for any place in a list, and all below a name counts.
IDENTITIES: dict[str, tuple[str, ...]] = {
    "alertmanager": ("#.labels", "alerts.#.labels", "alerts.#.fingerprint"),
    "aws_health": ("detail.eventArn", "source"),
    "azure_monitor": (
        "data.essentials.alertId", "data.essentials.monitoringService", "data.essentials.alertTargetIDs.#",
        "data.alertContext.properties.trackingId",
    ),
    "cloudwatch": ("AlarmArn", "id", "source", "detail-type", "detail.id", "detail.eventArn", "Message"),
    "datadog": (
        "alert_id", "alertId", "alert_scope", "alertScope", "aggreg_key", "alert_cycle_key", "org.id", "body", "title",
    ),
    "gcp_monitoring": ("incident.incident_id", "message"),
    "generic": (
        "dedup_key", "alerts.#.dedup_key", "changes.#.change_key", "title", "#.title", "kind", "#.kind", "service",
        "#.service", "#.version", "version", "previous_version", "environment", "occurred_at", "#.labels",
    ),
    "grafana": ("orgId", "alerts.#.fingerprint", "alerts.#.labels"),
    "grafana_legacy": ("ruleId", "orgId", "ruleUrl"),
    "nagios": ("host", "service", "NAGIOS_HOSTNAME", "NAGIOS_SERVICEDESC"),
    "opsgenie": ("alert.alias",),
    "pagerduty_events_v2": ("dedup_key",),
    "pagerduty_webhook": ("event.data.id", "messages.#.incident.id", "messages.#.data.incident.id"),
    "sentry": ("data.issue.id", "data.event.issue_id", "data.metric_alert.id", "data.error.issue_id", "id"),
    "zabbix": ("trigger_id", "event_id", "link"),
    "argocd": (
        "app.metadata.name", "app.metadata.namespace", "app.status.operationState.finishedAt",
        "app.status.operationState.syncResult", "app", "revision", "finished_at",
    ),
    "cloudevents": (
        "id", "source", "type", "subject", "data.subject", "context.id", "context.source", "context.type",
        "#.id", "#.source", "#.type", "#.subject",
    ),
    "dynatrace": ("PID", "Problem ID"),
    "github": (
        "repository.full_name", "deployment.id", "workflow_run.id", "workflow_run.run_attempt", "release.id", "after",
    ),
    "gitlab": (
        "project.path_with_namespace", "deployable_id", "builds.#.id", "builds.#.environment", "after", "tag",
    ),
    "graylog": ("event_definition_id", "event.key", "event.key_tuple", "check_result.triggered_condition.id"),
    "jenkins": ("url", "build.number"),
    "jira": ("issue.id",),
    "newrelic": ("id", "incident_id"),
    "pingdom": ("check_id",),
    "riemann": ("host", "service", "#.host", "#.service"),
    "rundeck": ("execution.project", "execution.job"),
    "servicenow": ("sys_id", "result.sys_id"),
    "splunk": ("search_name", "app", "result.dedup_key", "result.host", "result.service"),
    "statuspage": ("component.id", "incident.id"),
    "terraform_cloud": ("run_id",),
    "vrealize": ("alertId",),
}  # fmt: skip
OTHERS: tuple[Any, ...] = (
    None, "", 0, "other words", True, ["a", {"b": 1}], {"k": ["v"]}, "2020-02-02T02:02:02Z",
    "javascript:alert(1)", "//evil.example/x", "data:text/html,<script>alert(1)</script>",
)  # fmt: skip


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(inner, (*path, key))


def put(value: Any, path: Path, other: Any) -> Any:
    changed = copy.copy(value)
    changed[path[0]] = put(value[path[0]], path[1:], other) if len(path) > 1 else other
    return changed


def dropped(value: Any, path: Path) -> Any:
    changed = copy.copy(value)
    if len(path) > 1:
        changed[path[0]] = dropped(value[path[0]], path[1:])
    else:
        del changed[path[0]]
    return changed


def at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def decides(name: str, path: Path) -> bool:
    """Whether a change there may rightly change which alert is meant: at what the table names, above it or below."""
    said = tuple("#" if isinstance(part, int) else part for part in path)
    named = [tuple(text.split(".")) for text in IDENTITIES[name]]
    return any(said[: len(part)] == part or part[: len(said)] == said for part in named)


def read(name: str, body: Any, headers: dict[str, str]) -> Parsed | None:
    try:
        parsed = integrations()[name].parse(Inbound(json.dumps(body).encode(), headers=headers), NOW)
    except Refused as refused:
        assert_explained(refused)
        return None
    assert_bounded(parsed)
    return parsed


def keys(parsed: Parsed) -> set[str]:
    return {said.dedup_key for said in parsed.occurrences} | {change.change_key for change in parsed.changes}


def bodies(name: str) -> Iterator[tuple[str, Any, dict[str, str]]]:
    """The samples, and by itself the message of those that carry JSON in a text."""
    for file, inbound in samples_of(name):
        if file.endswith(".json"):
            body = json.loads(inbound.body)
            yield file, body, dict(inbound.headers)
            if isinstance(body, dict) and isinstance(body.get("Message"), str):
                yield f"{file}/Message", json.loads(body["Message"]), {}


SAMPLES = [(name, *sample) for name in sorted(IDENTITIES) for sample in bodies(name)]
NAMED = [f"{name}/{file}" for name, file, _, _ in SAMPLES]


@pytest.mark.parametrize(("name", "file", "body", "headers"), SAMPLES, ids=NAMED)
def test_no_other_part_of_a_sample_changes_which_alert_is_meant(
    name: str, file: str, body: Any, headers: dict[str, str]
) -> None:
    meant = read(name, body, headers)
    assert meant
    for path in paths(body):
        if not decides(name, path):
            for changed in (dropped(body, path), *(put(body, path, other) for other in OTHERS)):
                parsed = read(name, changed, headers)
                assert parsed is None or keys(parsed) <= keys(meant), (path, at(body, path))


@pytest.mark.parametrize("name", sorted(IDENTITIES))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_sample_changed_in_several_places_lands_or_is_refused_and_means_the_same(
    name: str, data: st.DataObject
) -> None:
    body, headers = data.draw(st.sampled_from([(sent, kept) for of, _, sent, kept in SAMPLES if of == name]))
    meant, stays = read(name, body, headers), True
    for _ in range(data.draw(st.integers(1, 4))):
        places = list(paths(body))
        if not places:
            break
        path = data.draw(st.sampled_from(places))
        stays = stays and not decides(name, path)
        body = mutated(body, path, data)
    parsed = read(name, body, headers)
    if stays and parsed and meant:
        assert keys(parsed) <= keys(meant)


def mutated(body: Any, path: Path, data: st.DataObject) -> Any:
    """One part dropped, retyped, wrapped in an object or a list, written as text, or told twice."""
    value, how = at(body, path), data.draw(st.sampled_from(["drop", "other", "object", "list", "text", "twice"]))
    if how == "drop":
        return dropped(body, path)
    if how == "twice":
        above = at(body, path[:-1])
        more = [*above, value] if isinstance(above, list) else {**above, f"{path[-1]} ": value}
        return put(body, path[:-1], more) if path[:-1] else more
    changed = {
        "other": data.draw(st.sampled_from(OTHERS)), "object": {"value": value}, "list": [value],
        "text": value if isinstance(value, str) else json.dumps(value),
    }  # fmt: skip
    return put(body, path, changed[how])
