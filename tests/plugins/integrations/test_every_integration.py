"""What holds for every integration: its samples parse, and nothing that is sent makes it do more than refuse."""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.kernel.canonical import canonical
from handrail.kernel.errors import NotFound, Refused
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.registry import integration, integrations

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NAMES = list(integrations())


def samples_of(name: str) -> Iterator[tuple[str, Inbound]]:
    folder = files("handrail.plugins.integrations") / name / "samples"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith((".json", ".bin")) and not file.name.endswith(".headers.json"):
            yield file.name, Inbound(file.read_bytes(), headers=headers_of(folder, file.name))


def headers_of(folder: Traversable, name: str) -> Mapping[str, str]:
    beside = folder / f"{name.rpartition('.')[0]}.headers.json"
    return dict(json.loads(beside.read_text())) if beside.is_file() else {}


def json_samples_of(name: str) -> list[Inbound]:
    """Those that can be changed part by part."""
    return [inbound for file, inbound in samples_of(name) if file.endswith(".json")]


SAMPLES = [(name, file, inbound) for name in NAMES for file, inbound in samples_of(name)]


def assert_bounded(parsed: Parsed) -> None:
    for said in parsed.occurrences:
        assert 1 <= len(said.dedup_key) <= LIMITS.label_chars
        assert len(said.title) <= LIMITS.title_chars
        assert len(said.summary) <= LIMITS.summary_chars
        assert len(said.labels) <= LIMITS.labels_per_alert
        assert len(said.annotations) <= LIMITS.labels_per_alert
        assert all(len(part) <= LIMITS.label_chars for pair in said.labels.items() for part in pair)
        assert all(len(value) <= LIMITS.annotation_chars for value in said.annotations.values())
        assert len(said.raw) <= LIMITS.raw_alert_bytes
        assert said.link is None or said.link.lower().startswith(("http://", "https://"))
        for moment in (said.occurred_at, said.starts_at, said.ends_at):
            assert moment is None or moment.tzinfo is UTC
        for field in (said.service, said.resource, said.severity_raw):
            assert field is None or 1 <= len(field) <= LIMITS.label_chars
        assert isinstance(json.loads(said.raw), dict)
        canonical({"extra": said.extra, "labels": said.labels, "annotations": said.annotations})
    for change in parsed.changes:
        assert 1 <= len(change.change_key) <= LIMITS.label_chars
        assert 1 <= len(change.title) <= LIMITS.title_chars
        assert len(change.raw) <= LIMITS.raw_alert_bytes
        assert change.link is None or change.link.lower().startswith(("http://", "https://"))
        for field in (change.service, change.version, change.previous_version, change.environment, change.author):
            assert field is None or 1 <= len(field) <= LIMITS.label_chars
        canonical(change.extra)

    assert len(parsed.lines) <= LIMITS.inbound_telemetry_items
    assert all(0 < len(line.text) <= LIMITS.log_line_chars for line in parsed.lines)
    assert all(len(line.service) <= LIMITS.label_chars and "\0" not in line.text for line in parsed.lines)
    assert len(parsed.points) <= LIMITS.inbound_telemetry_items
    for point in parsed.points:
        assert math.isfinite(point.value)
        assert point.at.tzinfo is UTC
        assert 1 <= len(point.name) <= LIMITS.label_chars + len("_count")
        assert len(point.labels) <= LIMITS.labels_per_alert + 1
        assert all(len(part) <= LIMITS.label_chars for pair in point.labels.items() for part in pair)


def parse_or_refuse(name: str, inbound: Inbound) -> None:
    try:
        parsed = integrations()[name].parse(inbound, NOW)
    except Refused as refused:
        assert_explained(refused)
    else:
        assert_bounded(parsed)


def assert_explained(refused: Refused) -> None:
    assert refused.code not in ("", "internal", "bad_input")
    assert 10 < len(refused.detail) < 1500


def test_the_integrations_are_found_in_order_of_name() -> None:
    assert sorted(NAMES) == NAMES
    assert {"alertmanager", "cloudevents", "generic", "pagerduty_events_v2"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_integration_explains_itself(name: str) -> None:
    manifest = integration(name)
    assert manifest.name == name
    assert manifest.title
    assert len(manifest.docs.strip()) > 200


def test_an_unknown_integration_is_not_found_and_the_known_are_named() -> None:
    with pytest.raises(NotFound, match="alertmanager"):
        integration("carrier_pigeon")


@pytest.mark.parametrize(("name", "file", "inbound"), SAMPLES, ids=[f"{name}/{file}" for name, file, _ in SAMPLES])
def test_every_sample_parses_wholly(name: str, file: str, inbound: Inbound) -> None:
    parsed = integration(name).parse(inbound, NOW)
    assert parsed.occurrences or parsed.changes or parsed.points or parsed.lines
    assert parsed.rejected == ()
    assert_bounded(parsed)


@pytest.mark.parametrize("name", NAMES)
def test_every_integration_has_samples(name: str) -> None:
    assert len(list(samples_of(name))) >= 3


@pytest.mark.parametrize(("name", "file", "inbound"), SAMPLES, ids=[f"{name}/{file}" for name, file, _ in SAMPLES])
def test_parsing_twice_says_the_same(name: str, file: str, inbound: Inbound) -> None:
    assert integration(name).parse(inbound, NOW) == integration(name).parse(inbound, NOW)


GARBAGE = [
    b"", b"null", b"0", b'""', b"[]", b"{}", b"[null]", b"[[]]", b'{"alerts":null}', b'{"alerts":{}}',
    b'{"alerts":[1]}',
    b'{"version":"4","alerts":[[]]}', b'{"version":4,"alerts":[{"labels":[]}]}', b'{"routing_key":{}}',
    b'{"event_action":["trigger"]}', b'{"routing_key":"x","event_action":"trigger","payload":7}',
    b'{"specversion":"1.0"}', b'{"specversion":1.0,"id":[],"source":{},"type":null}', b'{"context":{},"subject":null}',
    b'[{"specversion":"0.3","id":"1","source":"s","type":"t"}]', b'{"kind":null}', b'{"kind":{"a":1},"service":"x"}',
    b'{"title":null}', b'{"title":[],"status":{}}', b'{"changes":7}', b'{"changes":[{}]}', b"\xff\xfe", b"[" * 10_000,
    b'{"specversion":"1.0","id":"1","source":"s","type":"alert","data":{"labels":7,"annotations":[],"status":[]}}',
    b'{"specversion":"1.0","id":"1","source":"s","type":"dev.cdevents.incident.detected","data":{"subject":{}}}',
    b'{"context":{"id":"1","source":"s","type":"dev.cdevents.service.deployed.0.1.0"},"subject":[]}',
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", GARBAGE, ids=repr)
def test_garbage_is_refused_or_says_nothing_wrong(name: str, body: bytes) -> None:
    parse_or_refuse(name, Inbound(body))


@pytest.mark.parametrize("name", NAMES)
def test_garbage_in_event_headers_is_refused(name: str) -> None:
    for value in ("", "%", "%ff", "%00", "x" * 100_000, "1.0"):
        headers = {"ce-specversion": "1.0", "ce-id": value, "ce-source": "s", "ce-type": "t", "ce-data": "x"}
        parse_or_refuse(name, Inbound(b"\x00\xff", headers={**headers, "content-type": "image/png"}))


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(
        ["firing", "resolved", "trigger", "4", "1.0", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"]
    )
)
FIELDS = st.sampled_from(
    [
        "alerts",
        "labels",
        "annotations",
        "status",
        "startsAt",
        "endsAt",
        "fingerprint",
        "version",
        "groupKey",
        "receiver",
        "routing_key",
        "event_action",
        "payload",
        "summary",
        "source",
        "severity",
        "timestamp",
        "custom_details",
        "dedup_key",
        "links",
        "href",
        "specversion",
        "id",
        "type",
        "subject",
        "time",
        "data",
        "data_base64",
        "context",
        "content",
        "service",
        "environment",
        "artifactId",
        "title",
        "kind",
        "changes",
        "change_key",
        "starts_at",
    ]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6), max_leaves=25
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", NAMES)
@QUICK
@given(value=VALUES)
def test_random_json_never_raises_anything_but_a_refusal(name: str, value: object) -> None:
    parse_or_refuse(name, Inbound(json.dumps(value).encode()))


@pytest.mark.parametrize("name", [name for name in NAMES if json_samples_of(name)])
@QUICK
@given(data=st.data())
def test_a_mutated_sample_never_raises_anything_but_a_refusal(name: str, data: st.DataObject) -> None:
    inbound = data.draw(st.sampled_from(json_samples_of(name)))
    value = msgspec.json.decode(inbound.body)
    for _ in range(data.draw(st.integers(1, 3))):
        value = mutate(value, data)
    parse_or_refuse(name, Inbound(json.dumps(value).encode(), headers=inbound.headers))


@pytest.mark.parametrize("name", NAMES)
@QUICK
@given(data=st.data())
def test_a_sample_with_broken_bytes_never_raises_anything_but_a_refusal(name: str, data: st.DataObject) -> None:
    inbound = data.draw(st.sampled_from([inbound for _, inbound in samples_of(name)]))
    at = data.draw(st.integers(0, len(inbound.body) - 1))
    patch = data.draw(st.binary(max_size=4))
    parse_or_refuse(name, Inbound(inbound.body[:at] + patch + inbound.body[at + 1 :], headers=inbound.headers))


def mutate(value: Any, data: st.DataObject) -> Any:
    """Change one thing somewhere inside: another value, a missing field, or one more."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 4)) == 0:
        return data.draw(VALUES)
    key = data.draw(st.sampled_from(sorted(value) if isinstance(value, dict) else list(range(len(value)))))
    if isinstance(value, list):
        return [mutate(item, data) if at == key else item for at, item in enumerate(value)]
    if data.draw(st.integers(0, 4)) == 0:
        return {name: item for name, item in value.items() if name != key}
    return {**value, key: mutate(value[key], data)}
