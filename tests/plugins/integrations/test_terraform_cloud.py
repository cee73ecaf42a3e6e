"""HCP Terraform's notifications: which run changed infrastructure, and who signed."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.kernel.errors import BadSignature, Refused
from handrail.plugins.integrations.contract import Inbound, Parsed, Verdict
from handrail.plugins.integrations.terraform_cloud.parse import parse, verify

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def read(status: str | None = "applied", **fields: Any) -> Parsed:
    note = {"trigger": "run:completed", "run_status": status, "run_updated_at": "2026-01-05T08:31:12.000Z"}
    body = {
        "payload_version": 1, "run_id": "run-1", "run_url": "https://tf.example/run-1", "run_created_by": "mira",
        "run_message": "Widen\nmore", "workspace_name": "network", "notifications": [note], **fields,
    }  # fmt: skip
    return parse(Inbound(json.dumps(body).encode()), NOW)


def test_an_applied_run_reads_field_by_field() -> None:
    parsed = read()
    [said] = parsed.changes
    assert (said.change_key, said.kind, said.service) == ("run|run-1", "infrastructure", "network")
    assert (said.title, said.author, said.link) == ("network: Widen", "mira", "https://tf.example/run-1")
    assert said.occurred_at == datetime(2026, 1, 5, 8, 31, 12, tzinfo=UTC)
    assert parsed.replay_id == read().replay_id != read("errored").replay_id


@pytest.mark.parametrize("status", ["planned", "errored", "planned_and_finished", "discarded", "applying", None])
def test_a_run_that_applied_nothing_is_no_change(status: str | None) -> None:
    assert read(status).changes == ()


def test_the_verification_is_taken_and_says_nothing() -> None:
    ping = {"message": "Verification of network", "trigger": "verification", "run_status": None}
    assert read(run_id=None, run_url=None, notifications=[ping]) == Parsed()


def test_assessments_are_taken_and_say_nothing() -> None:
    body = {"payload_version": "2", "trigger_scope": "assessment", "trigger": "assessment:drifted", "details": {}}
    assert parse(Inbound(json.dumps(body).encode()), NOW) == Parsed()


def test_a_run_without_its_id_is_refused_in_words() -> None:
    with pytest.raises(Refused) as refused:
        read(run_id=None)
    assert "run_id" in refused.value.detail


def test_the_signature_is_hmac_sha512_of_the_raw_body() -> None:
    body = b'{"payload_version": 1}'
    good = hmac.new(b"new", body, hashlib.sha512).hexdigest()
    assert (
        verify(Inbound(body, headers={"x-tfe-notification-signature": good}), ["old", "new"], NOW) is Verdict.VERIFIED
    )
    weak = hmac.new(b"new", body, hashlib.sha256).hexdigest()
    for bad, secrets in ((good[:-1], ["new"]), (weak, ["new"]), ("", ["new"]), ("", [""]), (good, [])):
        with pytest.raises(BadSignature):
            verify(Inbound(body, headers={"x-tfe-notification-signature": bad}), secrets, NOW)
