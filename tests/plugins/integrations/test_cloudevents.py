"""CloudEvents in their three modes, and CDEvents, as changes and alerts."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.alert import AlertStatus, Occurrence, ReportedChange
from handrail.kernel.errors import BadInput, Unprocessable
from handrail.plugins.integrations.cloudevents.cdevents import version_of
from handrail.plugins.integrations.cloudevents.parse import parse
from handrail.plugins.integrations.contract import Inbound, Parsed

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
EVENT = {"specversion": "1.0", "id": "42", "source": "/ci/payments", "type": "harbour.deploy.finished"}


def read(value: Any) -> Parsed:
    return parse(Inbound(json.dumps(value).encode()), NOW)


def change(**fields: Any) -> ReportedChange:
    return read({**EVENT, **fields}).changes[0]


def alert(**fields: Any) -> Occurrence:
    return read({**EVENT, "type": "harbour.alert.opened", **fields}).occurrences[0]


def test_a_structured_event_reads_field_by_field() -> None:
    data = {"service": {"name": "payments"}, "version": "2.8.0", "previousVersion": "2.7.4", "env": "production"}
    read_change = change(time="2026-01-05T08:05:12Z", data=data, traceparent="00-1-2-01")
    assert read_change.change_key == "/ci/payments|42"
    assert (read_change.kind, read_change.service, read_change.version) == ("deploy", "payments", "2.8.0")
    assert (read_change.previous_version, read_change.environment) == ("2.7.4", "production")
    assert read_change.occurred_at == datetime(2026, 1, 5, 8, 5, 12, tzinfo=UTC)
    assert read_change.title == "deploy of payments 2.8.0"
    assert read_change.extra["traceparent"] == "00-1-2-01"


def test_source_and_id_are_the_replay_id() -> None:
    assert read(EVENT).replay_id == "/ci/payments|42"
    batch = read([EVENT, {**EVENT, "id": "43"}])
    assert batch.replay_id
    assert batch.replay_id != read([EVENT, {**EVENT, "id": "44"}]).replay_id
    assert read([]).replay_id is None


def test_a_binary_event_has_its_attributes_in_headers() -> None:
    headers = {
        "ce-specversion": "1.0", "ce-id": "7", "ce-source": "/flags", "ce-type": "harbour.flag.on",
        "ce-subject": "Euro%20%E2%82%AC", "ce-time": "2026-01-05T08:00:00Z",
        "content-type": "application/json; charset=utf-8",
    }  # fmt: skip
    parsed = parse(Inbound(b'{"service":"shop","title":"Seat map on"}', headers=headers), NOW)
    assert (parsed.changes[0].kind, parsed.changes[0].service) == ("flag", "shop")
    assert json.loads(parsed.changes[0].raw)["subject"] == "Euro €"
    assert parsed.replay_id == "/flags|7"


def test_a_binary_event_may_have_no_body_or_one_that_is_no_json() -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "/flags", "ce-type": "harbour.flag.on"}
    assert parse(Inbound(b"", headers=headers), NOW).changes[0].kind == "flag"
    picture = parse(Inbound(b"\x89PNG\x00", headers={**headers, "content-type": "image/png"}), NOW)
    assert json.loads(picture.changes[0].raw)["data_base64"] == "iVBORwA="


def test_json_inside_of_base64_is_read() -> None:
    data = base64.b64encode(b'{"service":"payments"}').decode()
    assert change(data_base64=data).service == "payments"
    assert change(data_base64="... not base64 ...").service is None


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [
        ("dev.cdevents.service.deployed.0.2.0", "deploy"), ("dev.cdevents.service.upgraded.0.2.0", "deploy"),
        ("dev.cdevents.service.rolledback.0.2.0", "rollback"), ("com.example.Rollback", "rollback"),
        ("com.github.release.published", "release"), ("flagd.flag.changed", "flag"),
        ("com.example.config-change", "config"), ("com.example.change", "other"), ("com.example.someevent", "other"),
    ],
)  # fmt: skip
def test_the_type_tells_the_kind_of_change(event_type: str, kind: str) -> None:
    assert change(type=event_type).kind == kind


def test_an_event_of_no_known_kind_is_kept_with_its_data() -> None:
    kept = change(type="com.example.someevent", subject=None, data={"appinfoA": "abc"})
    assert kept.title == "com.example.someevent"
    assert kept.extra["data"] == {"appinfoA": "abc"}


def test_an_alert_and_its_resolve_share_an_identity() -> None:
    opened = alert(id="1", subject="checkout", data={"title": "Checkout fails", "status": "open"}, severity="critical")
    closed = alert(id="2", subject="checkout", type="harbour.alert.resolved", data={"title": "Checkout works"})
    assert opened.dedup_key == closed.dedup_key == "/ci/payments|checkout"
    assert (opened.status, closed.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert opened.severity_raw == "critical"
    assert opened.title == "Checkout fails"


@pytest.mark.parametrize(
    ("event_type", "status"),
    [
        ("com.ok.alert.fired", "firing"), ("com.example.alertResolved", "resolved"), ("problem.closed.v2", "resolved"),
        ("incident.acknowledged", "acknowledged"), ("alarm", "firing"), ("resolved.alerts.example.alert", "firing"),
    ],
)  # fmt: skip
def test_the_type_tells_the_status_where_the_data_does_not(event_type: str, status: str) -> None:
    assert alert(type=event_type).status == status


def test_the_status_of_the_data_counts_before_the_type() -> None:
    assert alert(type="harbour.alert.resolved", data={"status": "firing"}).status == "firing"
    assert alert(data={"state": "OK"}).status == "resolved"


def test_a_cdevent_reads_with_and_without_an_envelope() -> None:
    context = {
        "specversion": "0.5.0", "id": "c-1", "source": "/monitoring", "type": "dev.cdevents.incident.detected.0.3.0",
        "timestamp": "2026-01-05T08:00:00Z",
    }  # fmt: skip
    content = {"description": "Too slow", "service": {"id": "shop"}, "environment": {"id": "production"}}
    bare = {"context": context, "subject": {"id": "incident-1", "content": content}}
    wrapped = {**EVENT, "id": "c-1", "source": "/monitoring", "type": context["type"], "data": bare}
    for parsed in (read(bare), read(wrapped)):
        said = parsed.occurrences[0]
        assert (said.dedup_key, said.title, said.service) == ("/monitoring|incident-1", "Too slow", "shop")
        assert parsed.replay_id == "/monitoring|c-1"


def test_the_version_of_a_package_is_its_tag_else_what_follows_the_at() -> None:
    assert version_of("pkg:oci/shop@sha256%3Aab12?tag=1.4.2") == "1.4.2"
    assert version_of("pkg:oci/shop@sha256%3Aab12") == "sha256:ab12"
    assert version_of("pkg:oci/shop") is None
    assert version_of("1.4.2") == "1.4.2"
    assert version_of("") is None


BAD: list[tuple[dict[str, Any], str]] = [
    ({"specversion": "0.3"}, "event_version"),
    ({"id": ""}, "event_attribute_missing"),
    ({"source": None}, "event_attribute_missing"),
    ({"type": []}, "event_attribute_missing"),
    ({"type": "t" * 5000}, "event_attribute"),
    ({"data": 1, "data_base64": "MQ=="}, "event_data_twice"),
]


@pytest.mark.parametrize(("fields", "code"), BAD, ids=[f"{code} {next(iter(fields))}" for fields, code in BAD])
def test_an_event_that_breaks_the_standard_is_refused_by_name(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput) as refused:
        read({**EVENT, **fields})
    assert refused.value.code == code


def test_a_list_of_other_things_is_no_batch() -> None:
    with pytest.raises(Unprocessable) as refused:
        read([{"title": "x"}])
    assert refused.value.code == "unexpected_format"


BINARY = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "/ci", "ce-type": "harbour.deploy"}


def test_a_binary_event_that_lacks_its_version_is_told_so() -> None:
    headers = {name: value for name, value in BINARY.items() if name != "ce-specversion"}
    with pytest.raises(BadInput) as refused:
        parse(Inbound(b"{}", headers=headers), NOW)
    assert refused.value.code == "event_version"


def test_a_body_that_says_it_is_a_whole_event_is_one_whatever_headers_stand_beside() -> None:
    headers = {**BINARY, "content-type": "application/cloudevents+json; charset=utf-8"}
    assert parse(Inbound(json.dumps(EVENT).encode(), headers=headers), NOW).replay_id == "/ci/payments|42"


@pytest.mark.parametrize(("said", "read_as"), [('"7"', "7"), ('"a \\" b"', 'a " b'), ("7%207", "7 7"), ('"', '"')])
def test_quoted_header_values_lose_their_quotes(said: str, read_as: str) -> None:
    assert parse(Inbound(b"", headers={**BINARY, "ce-id": said}), NOW).replay_id == f"/ci|{read_as}"


def test_data_that_was_written_as_text_is_read_and_other_text_stays() -> None:
    assert change(data='{"service": "shop", "version": "2"}').version == "2"
    assert change(data="{not json").extra["data"] == {"data": "{not json"}


def cdevent(about: str, **content: Any) -> dict[str, Any]:
    context = {
        "version": "0.4.1", "id": "c-1", "source": "/ci", "type": f"dev.cdevents.{about}.0.2.0",
        "timestamp": "2026-01-05T08:00:00Z",
    }  # fmt: skip
    return {"context": context, "subject": {"id": "run-1", "content": content}}


def test_of_pipelines_only_a_deploy_that_succeeded_is_a_change() -> None:
    [said] = read(cdevent("pipelinerun.finished", pipelineName="deploy-shop", outcome="success")).changes
    assert said.kind == "deploy"
    for about, content in (
        ("pipelinerun.finished", {"pipelineName": "deploy-shop", "outcome": "failure"}),
        ("pipelinerun.finished", {"pipelineName": "unit-tests", "outcome": "success"}),
        ("pipelinerun.started", {"pipelineName": "deploy-shop"}),
        ("taskrun.finished", {"outcome": "success"}),
        ("testsuiterun.finished", {"outcome": "fail"}),
    ):
        parsed = read(cdevent(about, **content))
        assert (parsed.changes, parsed.occurrences, parsed.replay_id) == ((), (), "/ci|c-1")


def test_the_time_of_a_cdevent_stands_in_its_context_where_the_envelope_has_none() -> None:
    wrapped = {**EVENT, "type": "dev.cdevents.service.deployed.0.2.0", "data": cdevent("service.deployed")}
    assert read(wrapped).changes[0].occurred_at == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("said", ["resolved", "CLEAR", "Recovered", "up", "inactive", "fixed", "closed"])
def test_every_usual_word_for_an_end_ends_an_alert(said: str) -> None:
    assert alert(type="harbour.alert", data={"status": said}).status == AlertStatus.RESOLVED
    assert alert(type="harbour.alert", data={"state": {"name": said}}).status == AlertStatus.RESOLVED


@pytest.mark.parametrize("said", [200, "success", "", None, [], {"code": 7}])
def test_a_status_that_is_no_word_for_one_leaves_it_to_the_type(said: object) -> None:
    assert alert(type="harbour.alert.resolved", data={"status": said}).status == AlertStatus.RESOLVED
    assert alert(type="harbour.alert.opened", data={"status": said}).status == AlertStatus.FIRING


@pytest.mark.parametrize(
    ("event_type", "status"),
    [
        ("harbour.alertresolved", "resolved"), ("harbour.alert.recovery", "resolved"), ("ALERT_CLEARED", "resolved"),
        ("harbour.alert.not_resolved", "firing"), ("harbour.alerts.unresolved", "firing"),
        ("harbour.incident.reopened", "firing"), ("harbour.alert.new.v1", "firing"),
    ],
)  # fmt: skip
def test_a_type_in_any_spelling_tells_the_status(event_type: str, status: str) -> None:
    assert alert(type=event_type).status == status


@pytest.mark.parametrize("name", ["dedupKey", "alertId", "incidentId", "problem_id", "fingerprint"])
def test_an_alert_that_gives_its_own_id_goes_by_it_and_not_by_what_it_is_about(name: str) -> None:
    one, other = (alert(subject="payments", data={name: said, "title": "x"}) for said in ("1", "2"))
    assert (one.dedup_key, other.dedup_key) == ("/ci/payments|1", "/ci/payments|2")
    assert alert(type="harbour.alert.resolved", subject="payments", data={name: 1}).dedup_key == one.dedup_key


def test_an_alert_inside_an_object_of_that_name_is_read() -> None:
    inner = {"incident_id": "7", "title": "Checkout fails", "status": "closed", "severity": "high"}
    said = alert(type="harbour.incident.changed", data={"incident": inner})
    assert (said.dedup_key, said.title, said.status) == ("/ci/payments|7", "Checkout fails", AlertStatus.RESOLVED)


def test_a_deploy_of_what_is_named_after_alerts_is_a_change() -> None:
    assert change(type="harbour.alertmanager.deployed").kind == "deploy"


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "harbour.deploy.failed"}, {"type": "harbour.rollback.cancelled.v1"},
        {"data": {"status": "Failure"}}, {"data": {"outcome": "error"}},
    ],
)  # fmt: skip
def test_a_change_that_did_not_come_about_is_no_change(fields: dict[str, Any]) -> None:
    parsed = read({**EVENT, **fields})
    assert (parsed.changes, parsed.occurrences, parsed.replay_id) == ((), (), "/ci/payments|42")


def test_start_and_end_of_a_deploy_are_one_change_where_they_share_its_id() -> None:
    started = change(id="1", type="harbour.deploy.started", data={"deployment_id": "d-7", "service": "shop"})
    finished = change(id="2", type="harbour.deploy.finished", data={"deploymentId": "d-7", "service": "shop"})
    assert started.change_key == finished.change_key == "/ci/payments|d-7"


@pytest.mark.parametrize("event_type", ["harbour.escalation.created", "com.flagship.order.created"])
def test_a_word_that_only_looks_like_a_change_names_no_kind(event_type: str) -> None:
    assert change(type=event_type).kind == "other"


@pytest.mark.parametrize(
    "about",
    [
        "artifact.packaged",
        "artifact.signed",
        "branch.created",
        "repository.modified",
        "change.reviewed",
        "ticket.created",
    ],
)
def test_work_on_the_way_to_a_delivery_is_no_change(about: str) -> None:
    assert read(cdevent(about)).changes == ()


@pytest.mark.parametrize("about", ["artifact.published", "change.merged"])
def test_what_was_merged_or_published_is_a_change_of_no_kind(about: str) -> None:
    [said] = read(cdevent(about)).changes
    assert (said.kind, said.service) == ("other", None)


def test_a_changed_environment_is_infrastructure_and_no_service() -> None:
    [said] = read({**cdevent("environment.modified"), "subject": {"id": "production", "content": {}}}).changes
    assert (said.kind, said.environment, said.service) == ("infrastructure", "production", None)


def test_a_run_of_a_deploy_pipeline_is_called_by_the_pipeline_and_not_by_the_run() -> None:
    [said] = read(cdevent("pipelinerun.finished", pipelineName="deploy-shop", outcome="success")).changes
    assert (said.title, said.service) == ("deploy-shop", None)


def test_a_time_that_cannot_be_read_is_kept_for_people_to_see() -> None:
    said = alert(time="the day before")
    assert (said.occurred_at, said.extra["time"]) == (None, "the day before")
