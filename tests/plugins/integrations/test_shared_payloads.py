"""Real payloads of real senders, where the shared folder with them lies beside this repository."""

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from handrail.kernel.errors import Refused
from handrail.plugins.integrations.alertmanager.fingerprint import fingerprint
from handrail.plugins.integrations.alertmanager.parse import parse_v2
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.registry import integrations

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SHARED = Path(__file__).resolve().parents[4] / "shared"
PAYLOADS = SHARED / "data" / "payloads"
STORM = SHARED / "tools" / "alertstorm.py"
# Folders whose name is not their integration's.
OURS = {
    "alertmanager": "alertmanager",
    "pagerduty_events_v2": "pagerduty_events_v2",
    "cloudevents": "cloudevents",
    "cdevents": "cloudevents",
    "github": "github",
    "gitlab": "gitlab",
    "otlp": "otlp",
    "aws_cloudwatch_sns": "cloudwatch",
    "aws_eventbridge": "cloudwatch",
    "aws_cloudwatch_lambda_action": "cloudwatch",
}
# SNS asks every address to be confirmed before it says anything, so this names no format of its own.
ASKS_ANY = {"aws_health": "aws_cloudwatch_sns/subscription_confirmation.json"}
ABSENT = "the shared folder with real payloads is not beside this repository (../shared); nothing to read"
needs_payloads = pytest.mark.skipif(not PAYLOADS.is_dir(), reason=ABSENT)
FILES = sorted(PAYLOADS.glob("*/*.json"))


def read(folder: str) -> list[tuple[Any, Parsed]]:
    """Each payload of a folder beside what was read of it. Expectations come from the payloads: none is copied here."""
    parse = integrations()[OURS[folder]].parse
    files = [file for file in FILES if file.parent.name == folder]
    assert files
    parsed = [(json.loads(file.read_bytes()), parse(Inbound(file.read_bytes()), NOW)) for file in files]
    assert all(part.rejected == () for _, part in parsed)
    return parsed


@needs_payloads
def test_alertmanagers_payloads_are_read() -> None:
    for payload, parsed in read("alertmanager"):
        assert len(parsed.occurrences) == len(payload["alerts"])
        for sent, said in zip(payload["alerts"], parsed.occurrences, strict=True):
            assert said.dedup_key == sent.get("fingerprint", fingerprint(sent["labels"]))
            assert said.title == sent["annotations"]["summary"]
            assert said.labels == sent["labels"]
            assert said.status == sent["status"] == "firing"
            assert said.severity_raw == "critical"
            assert said.ends_at is None
            assert said.starts_at
            assert said.link == sent["generatorURL"]
            assert json.loads(said.raw) == sent


@needs_payloads
def test_pagerdutys_own_example_is_read() -> None:
    [(payload, parsed)] = read("pagerduty_events_v2")
    [said] = parsed.occurrences
    assert said.dedup_key == payload["dedup_key"]
    assert said.title == payload["payload"]["summary"]
    assert said.resource == payload["payload"]["source"]
    assert said.service == payload["payload"]["component"]
    assert said.labels["load avg"] == "0.75"
    assert said.occurred_at
    assert said.link == payload["client_url"]


@needs_payloads
def test_the_cloudevents_standards_examples_are_read() -> None:
    for payload, parsed in read("cloudevents"):
        [change] = parsed.changes
        assert change.change_key == parsed.replay_id == f"{payload['source']}|{payload['id']}"
        assert change.kind == "other"
        assert change.occurred_at
        assert json.loads(change.raw) == payload


@needs_payloads
def test_the_cdevents_conformance_examples_are_read() -> None:
    for payload, parsed in read("cdevents"):
        context, subject = payload["context"], payload["subject"]
        assert parsed.replay_id == f"{context['source']}|{context['id']}"
        if "incident" in context["type"]:
            [said] = parsed.occurrences
            assert said.dedup_key == f"{context['source']}|{subject['id']}"
            assert said.title == subject["content"]["description"]
            assert said.service == subject["content"]["service"]["id"]
            assert said.status == "firing"
        else:
            [change] = parsed.changes
            assert (change.kind, change.service) == ("deploy", subject["id"])
            assert change.environment == subject["content"]["environment"]["id"]
            assert change.version
            assert change.version.startswith("sha256:")


@needs_payloads
@pytest.mark.parametrize("name", list(integrations()))
def test_i17_every_other_senders_payload_is_refused(name: str) -> None:
    others = [
        file
        for file in FILES
        if OURS.get(file.parent.name, file.parent.name) != name
        and f"{file.parent.name}/{file.name}" != ASKS_ANY.get(name)
    ]
    assert len(others) > 30
    for file in others:
        with pytest.raises(Refused) as refused:
            integrations()[name].parse(Inbound(file.read_bytes()), NOW)
        assert refused.value.code == "unexpected_format", file


def storm() -> ModuleType:
    spec = importlib.util.spec_from_file_location("alertstorm", STORM)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not STORM.is_file(), reason=ABSENT.replace("real payloads", "the alert storm tool"))
@pytest.mark.parametrize("mode", ["am-v2", "am-webhook", "pd-v2", "generic"])
def test_the_storm_tools_requests_are_read_whole(mode: str) -> None:
    tool, batch = storm(), 1 if mode == "pd-v2" else 10
    events, identities = tool.build_storm(300, 7, 20, 10, 0.6, 0.3, 10)
    parse = {
        "am-v2": parse_v2,
        "am-webhook": integrations()["alertmanager"].parse,
        "pd-v2": integrations()["pagerduty_events_v2"].parse,
        "generic": integrations()["generic"].parse,
    }[mode]
    last: dict[tuple[str, str], str] = {}
    for at in range(0, len(events), batch):
        part = events[at : at + batch]
        body = json.dumps(tool.payload(mode, part, identities, "s", NOW.timestamp(), "k" * 32)).encode()
        parsed = parse(Inbound(body), NOW)
        assert parsed.rejected == ()
        assert [said.status.value for said in parsed.occurrences] == [event.status for event in part]
        for event, said in zip(part, parsed.occurrences, strict=True):
            who = identities[event.ident]
            last[(who["alertname"], who["instance"])] = said.dedup_key
            if said.title:
                assert (said.service, said.severity_raw) == (who["service"], who["severity"])
                assert said.labels["storm"] == "s"
                assert (said.labels["alertname"], said.labels["instance"]) == (who["alertname"], who["instance"])
    assert len(set(last.values())) == len(last) == len(identities)
