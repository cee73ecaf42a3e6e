"""Every part of every sample, one by one, is replaced or left out: what is said lands or is refused in words."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from handrail.kernel.canonical import canonical
from handrail.kernel.errors import Refused
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.registry import integrations

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NAMES = ("aws_health", "azure_monitor", "cloudwatch", "datadog", "dynatrace", "gcp_monitoring", "newrelic", "splunk")
OTHERS: tuple[Any, ...] = (
    None, 0, 10**30, True, "", "x" * 20_000, [], ["a", {"b": 1}], {"k": [1]}, "9999-12-31T23:59:59-23:59",
    "Thu, 15 Jan 99999 02:00:00 GMT", 1e300,
)  # fmt: skip
Path = tuple[str | int, ...]


def bodies(name: str) -> Iterator[Any]:
    """The samples, and the messages inside of those that carry JSON in a text."""
    for file in (files("handrail.plugins.integrations") / name / "samples").iterdir():
        body = json.loads(file.read_text())
        yield body
        if isinstance(body.get("Message"), str):
            yield json.loads(body["Message"])


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in parts:
        yield from paths(inner, (*path, key))


def put(value: Any, path: Path, other: Any) -> Any:
    if not path:
        return other
    changed = copy.copy(value)
    changed[path[0]] = put(value[path[0]], path[1:], other)
    return changed


def check(name: str, body: Any) -> bool:
    try:
        parsed = integrations()[name].parse(Inbound(json.dumps(body).encode()), NOW)
    except Refused as refused:
        in_words = refused.code not in ("", "internal", "bad_input") and len(refused.detail) > 10
        if not in_words:
            raise
        return False
    assert parsed.occurrences or parsed.changes
    for said in parsed.occurrences:
        assert 1 <= len(said.dedup_key) <= LIMITS.label_chars
        assert said.title
        assert len(said.title) <= LIMITS.title_chars
        canonical({"extra": said.extra, "labels": said.labels, "annotations": said.annotations})
        assert all(at is None or at.tzinfo is UTC for at in (said.occurred_at, said.starts_at, said.ends_at))
    for change in parsed.changes:
        assert change.change_key
        assert change.title
        canonical(change.extra)
    return True


@pytest.mark.parametrize("name", NAMES)
def test_any_part_may_be_something_else(name: str) -> None:
    landed = [check(name, put(body, path, other)) for body in bodies(name) for path in paths(body) for other in OTHERS]
    assert sum(landed) > len(landed) / 2, "most parts do not decide whether an alert can be read"


@pytest.mark.parametrize("name", NAMES)
def test_any_field_may_be_missing(name: str) -> None:
    for body in bodies(name):
        for path in paths(body):
            if path and isinstance(path[-1], str):
                whole = copy.deepcopy(body)
                inner = whole
                for part in path[:-1]:
                    inner = inner[part]
                del inner[path[-1]]
                check(name, whole)
