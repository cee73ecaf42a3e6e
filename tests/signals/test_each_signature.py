"""Every integration that signs, through the door and on each database: what fits is taken and marked as such, and every
way of not fitting gets the one answer and stores nothing."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from typing import Any

import pytest

from handrail.kernel.clock import ManualClock
from handrail.operations.shell import Shell
from handrail.plugins.integrations.registry import integrations
from handrail.store import tables
from tests.signals.intake import Intake, opened

SECRET, OTHER = "the-senders-own-secret", "the-secret-of-another"
Headers = dict[str, str]
Sign = Callable[[str, bytes, str], Headers]


def _hex(secret: str, signed: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), signed, algorithm).hexdigest()


def _standard(secret: str, body: bytes, stamp: str, name: str = "m-1") -> Headers:
    mac = hmac.digest(secret.encode(), f"{name}.{stamp}.".encode() + body, hashlib.sha256)
    code = base64.b64encode(mac).decode()
    return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,{code}"}


def _grafana(secret: str, body: bytes, stamp: str) -> Headers:
    code = _hex(secret, f"{stamp}:".encode() + body)
    return {"x-grafana-alerting-signature": code, "x-grafana-alerting-timestamp": stamp}


# By integration: how it signs, and the header that holds the signature.
SCHEMES: dict[str, tuple[Sign, str]] = {
    "cloudevents": (_standard, "webhook-signature"),
    "generic": (_standard, "webhook-signature"),
    "github": (lambda key, body, _: {"x-hub-signature-256": f"sha256={_hex(key, body)}"}, "x-hub-signature-256"),
    "gitlab": (_standard, "webhook-signature"),
    "grafana": (_grafana, "x-grafana-alerting-signature"),
    "jira": (lambda key, body, _: {"x-hub-signature": f"sha256={_hex(key, body)}"}, "x-hub-signature"),
    "pagerduty_webhook": (
        lambda key, body, _: {"x-pagerduty-signature": f"v1={_hex(OTHER + '!', body)},v1={_hex(key, body)}"},
        "x-pagerduty-signature",
    ),
    "sentry": (lambda key, body, _: {"sentry-hook-signature": _hex(key, body)}, "sentry-hook-signature"),
    "terraform_cloud": (
        lambda key, body, _: {"x-tfe-notification-signature": _hex(key, body, "sha512")},
        "x-tfe-notification-signature",
    ),
}
TIMED = ("cloudevents", "generic", "gitlab", "grafana")
NAMES = list(SCHEMES)


@pytest.fixture
def desk(shell: Shell, clock: ManualClock) -> Iterator[Intake]:
    with opened(shell, clock, known={name.replace("_", "-"): name for name in NAMES}) as made:
        yield made


def sample(name: str) -> tuple[bytes, Headers]:
    """One of the integration's own samples that says something, with the headers beside it."""
    folder = files("handrail.plugins.integrations") / name / "samples"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        beside = folder / f"{file.name.removesuffix('.json')}.headers.json"
        if file.name.endswith(".json") and not file.name.endswith(".headers.json"):
            return file.read_bytes(), json.loads(beside.read_text()) if beside.is_file() else {}
    raise AssertionError(name)


class Sender:
    """One signing source at the door."""

    def __init__(self, desk: Intake, name: str) -> None:
        self.desk, self.name, self.source = desk, name, name.replace("_", "-")
        self.body, self.beside = sample(name)
        self.sign, self.header = SCHEMES[name]

    def signed(self, secret: str = SECRET, body: bytes | None = None, off_seconds: int = 0) -> Headers:
        stamp = str(int(self.desk.clock.now().timestamp()) + off_seconds)
        return self.beside | self.sign(secret, self.body if body is None else body, stamp)

    def post(self, headers: Mapping[str, str], body: bytes | None = None, token: str | None = None) -> Any:
        sent = self.body if body is None else body
        return self.desk.post(f"/in/{self.source}", sent, token, dict(headers))


def stored(desk: Intake) -> list[Any]:
    found = (desk.rows(table) for table in (tables.alert, tables.occurrence, tables.quarantine, tables.source_stat))
    return [row for rows in found for row in rows] + [row for row in desk.rows(tables.noun) if row.kind == "change"]


def test_these_are_all_that_sign_with_a_secret() -> None:
    signing = {name for name, each in integrations().items() if each.verify and each.certificate_url is None}
    assert signing == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_good_signature_needs_no_token_and_its_verdict_is_kept(desk: Intake, name: str) -> None:
    sender = Sender(desk, name)
    desk.add_signing_secret(sender.source, SECRET)
    assert sender.post(sender.signed()).status == 202
    assert stored(desk) != []
    assert {alert.verdict for alert in desk.alerts()} <= {"verified"}
    assert {json.loads(row.leaf)["verdict"] for row in desk.rows(tables.occurrence)} <= {"verified"}


@pytest.mark.parametrize("name", NAMES)
def test_i10_every_signature_that_does_not_fit_is_refused_alike_and_stores_nothing(desk: Intake, name: str) -> None:
    sender = Sender(desk, name)
    desk.add_signing_secret(sender.source, SECRET)
    good, header = sender.signed(), sender.header
    said = good[header]
    compact = json.dumps(json.loads(sender.body), separators=(",", ":")).encode()
    wrong: list[tuple[Headers, bytes]] = [
        ({name: value for name, value in good.items() if name != header}, sender.body),
        (good | {header: ""}, sender.body),
        (good | {header: " "}, sender.body),
        (good | {header: said[:-2]}, sender.body),
        (good | {header: said + "00"}, sender.body),
        (good | {header: "v9=" + said.replace("v1", "v9")}, sender.body),
        (good | {header: said[:-12] + "ü" * 12}, sender.body),
        (good | {header: "sha1=" + "0" * 40}, sender.body),
        (sender.signed(OTHER), sender.body),
        (sender.signed(""), sender.body),
        (sender.signed(body=b""), sender.body),
        (good, sender.body + b" "),
        (good, sender.body[:-1]),
        (good, compact + b"\n"),
        (good, b""),
        ({}, sender.body),
    ]
    replies = [sender.post(headers, body) for headers, body in wrong]
    replies += [sender.post({}, token=sender.source), sender.post(sender.signed(OTHER), token=sender.source)]
    seen = set()
    for reply in replies:
        content = reply.json
        del content["request_id"]
        seen.add((reply.status, json.dumps(content), tuple(sorted(reply.headers))))
    assert len(seen) == 1 and replies[0].status == 401
    assert stored(desk) == []
    assert sender.post(good).status == 202


@pytest.mark.parametrize("name", ["github", "grafana", "jira", "pagerduty_webhook", "sentry", "terraform_cloud"])
def test_hex_may_be_written_in_either_case_and_base64_is_no_hex(desk: Intake, name: str) -> None:
    sender = Sender(desk, name)
    desk.add_signing_secret(sender.source, SECRET)
    good, header = sender.signed(), sender.header
    lead, mark, code = good[header].rpartition("=")
    assert sender.post(good | {header: lead + mark + base64.b64encode(bytes.fromhex(code)).decode()}).status == 401
    assert sender.post(good | {header: lead + mark + code.upper()}).status == 202


@pytest.mark.parametrize("name", TIMED)
def test_i11_a_signed_time_holds_for_five_minutes_both_ways(desk: Intake, name: str) -> None:
    sender = Sender(desk, name)
    desk.add_signing_secret(sender.source, SECRET)
    for off, status in ((301, 401), (-301, 401), (-31_536_000, 401), (300, 202), (-300, 202)):
        assert sender.post(sender.signed(off_seconds=off)).status == status


@pytest.mark.parametrize("name", TIMED)
def test_i11_a_time_that_is_none_is_refused(desk: Intake, name: str) -> None:
    sender = Sender(desk, name)
    desk.add_signing_secret(sender.source, SECRET)
    now = str(int(desk.clock.now().timestamp()))
    for said in ("", "now", "1e9", "-1", f"{now}000", f" {now}", f"{now}.0", "0x1", "²", "9" * 13):
        assert sender.post(sender.beside | sender.sign(SECRET, sender.body, said)).status == 401
    assert stored(desk) == []


@pytest.mark.parametrize("name", NAMES)
def test_i12_each_live_secret_holds_until_it_is_retired(desk: Intake, name: str) -> None:
    sender = Sender(desk, name)
    old, _ = desk.add_signing_secret(sender.source, OTHER)
    desk.add_signing_secret(sender.source, SECRET)
    assert sender.post(sender.signed(OTHER)).status == 202
    assert sender.post(sender.signed()).status == 202
    desk.retire_signing_secret(sender.source, old)
    assert sender.post(sender.signed(OTHER)).status == 401
    assert sender.post(sender.signed()).status == 202


@pytest.mark.parametrize("name", NAMES)
def test_a_signature_proves_nothing_where_the_source_has_no_secret(desk: Intake, name: str) -> None:
    sender = Sender(desk, name)
    assert sender.post(sender.signed()).status == 401
    assert stored(desk) == []
    assert sender.post(sender.signed(), token=sender.source).status == 202
    assert {alert.verdict for alert in desk.alerts()} <= {"token"}


def test_gitlabs_secret_token_signs_nothing_and_counts_as_a_token(desk: Intake) -> None:
    sender = Sender(desk, "gitlab")
    desk.add_signing_secret("gitlab", SECRET)
    for said in ("", SECRET[:-1], SECRET + " x", OTHER, SECRET.upper()):
        assert sender.post({"x-gitlab-token": said}).status == 401
    assert sender.post({"x-gitlab-token": SECRET}).status == 202
    bad = sender.signed(OTHER) | {"x-gitlab-token": SECRET}
    assert sender.post(bad).status == 401


def test_i11_a_delivery_id_that_came_before_changes_nothing_whatever_the_body_says(desk: Intake) -> None:
    sender = Sender(desk, "generic")
    desk.add_signing_secret("generic", SECRET)
    fired, ended = (
        json.dumps({"title": "Disk full", "dedup_key": "d", "status": status}).encode()
        for status in ("firing", "resolved")
    )
    assert sender.post(sender.signed(body=fired), fired).json["accepted"] == 1
    again = sender.post(sender.signed(body=ended), ended).json
    assert (again["accepted"], again["duplicate"]) == (0, 1)
    assert desk.alert().status == "firing"
    stamp = str(int(desk.clock.now().timestamp()))
    assert sender.post(_standard(SECRET, ended, stamp, "m-2"), ended).json["accepted"] == 1
    assert desk.alert().status == "resolved"


def test_i12_of_several_signatures_one_that_fits_is_enough_and_a_longer_list_is_cut(desk: Intake) -> None:
    sender = Sender(desk, "pagerduty_webhook")
    desk.add_signing_secret(sender.source, SECRET)
    good = _hex(SECRET, sender.body)
    for said in (f"v1={good}", f"v0={good} , v1={good}", f"v1={'0' * 64},v1={good},v1=zz", f",,v1={good},"):
        assert sender.post({sender.header: said}).status == 202
    for said in (f"v2={good}", f"V1={good}", f"v1 = {good}", ",".join(["v1=" + "0" * 64] * 16 + [f"v1={good}"])):
        assert sender.post({sender.header: said}).status == 401


def test_i10_a_signature_over_a_longer_body_fits_that_body_alone(desk: Intake) -> None:
    """HMAC cannot be extended: what a stranger appends to a signed body, with the padding between, is not signed."""
    sender = Sender(desk, "sentry")
    desk.add_signing_secret(sender.source, SECRET)
    good = sender.signed()
    padded = sender.body + b"\x80" + b"\x00" * 55 + (8 * len(sender.body)).to_bytes(8, "big") + b"{}"
    for body in (padded, sender.body * 2, sender.body + b"\x00"):
        assert sender.post(good, body).status == 401
