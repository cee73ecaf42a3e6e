"""Sources that sign: good signatures alone are taken, all live secrets hold, and refusals tell and store nothing."""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from handrail.domain.people import Person
from handrail.engine.steps.confirm import Confirm
from handrail.kernel.clock import ManualClock
from handrail.kernel.errors import BadInput, Conflict, NotAllowed, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.kernel.sealed import MasterKeys
from handrail.operations import sources
from handrail.operations.shell import HANDRAIL, Shell
from handrail.plugins.integrations import registry, signatures
from handrail.plugins.integrations.contract import Confirmation, Inbound, Integration, Parsed, Verdict
from handrail.plugins.outward import Answer, OutwardFailed
from handrail.signals import inbound, metrics
from handrail.signals.certificates import Certificates
from handrail.signals.inbound import InboundSettings
from handrail.store import sealed, tables
from tests.signals.intake import OWNER, Intake, opened, said

ALERT = {"title": "Disk nearly full", "dedup_key": "db-1/disk", "severity": "critical"}
BODY = json.dumps(ALERT).encode()
SECRET, OTHER = "the-senders-own-secret", "the-secret-of-another"


def _verify(request: Inbound, secrets: Sequence[str], now: datetime) -> Verdict:
    stamp = request.headers.get("x-time")
    signatures.timestamped_hmac_hex(request.body, request.headers.get("x-signature"), stamp, secrets, now)
    return Verdict.VERIFIED


@pytest.fixture
def desk(shell: Shell, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Intake]:
    """The intake, where Handrail's own form is signed as Slack signs, and its delivery id stands in a header."""
    known = dict(registry.integrations())
    parse = known["generic"].parse

    def remembering(request: Inbound, now: datetime) -> Parsed:
        return replace(parse(request, now), replay_id=request.headers.get("x-delivery"))

    known["generic"] = replace(known["generic"], verify=_verify, parse=remembering)
    _know(monkeypatch, known)
    with opened(shell, clock) as made:
        yield made


def _know(monkeypatch: pytest.MonkeyPatch, known: Mapping[str, Integration]) -> None:
    monkeypatch.setattr(inbound, "integrations", lambda: known)
    monkeypatch.setattr(sources, "integrations", lambda: known)


def signed(desk: Intake, secret: str = SECRET, body: bytes = BODY) -> dict[str, str]:
    stamp = str(int(desk.clock.now().timestamp()))
    code = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-time": stamp, "x-signature": f"v0={code}"}


def stored(desk: Intake) -> list[Any]:
    found = (desk.rows(table) for table in (tables.alert, tables.occurrence, tables.quarantine, tables.source_stat))
    return [row for rows in found for row in rows]


def test_a_good_signature_is_enough_and_its_verdict_is_kept(desk: Intake) -> None:
    desk.add_signing_secret("plain", SECRET)
    assert desk.post("/in/plain", BODY, headers=signed(desk)).status == 202
    assert desk.alert().verdict == "verified"


def test_i10_every_signature_that_does_not_fit_gets_the_same_answer_and_stores_nothing(desk: Intake) -> None:
    desk.add_signing_secret("plain", SECRET)
    desk.add_source("twin", "generic")
    desk.add_signing_secret("twin", OTHER)
    good = signed(desk)
    wrong = [
        {},
        good | {"x-signature": "v0=" + "0" * 64},
        good | {"x-signature": good["x-signature"][:-1]},
        good | {"x-signature": ""},
        good | {"x-signature": "v9" + good["x-signature"][2:]},
        {"x-time": good["x-time"]},
        {"x-signature": good["x-signature"]},
        signed(desk, OTHER),
        {"authorization": "Bearer token-plain"},
        {"authorization": "Bearer token-plain"} | signed(desk, OTHER),
        {"authorization": "Bearer wrong"} | good,
    ]
    before = stored(desk)
    replies = [desk.post("/in/plain", BODY, headers=headers) for headers in wrong]
    replies += [desk.post("/in/plain", BODY + b" ", headers=good), desk.post("/in/nobody", BODY, headers=good)]
    replies += [desk.post("/in/plain", b"not json", headers={}), desk.post("/in/twin", BODY, headers=good)]
    seen = set()
    for reply in replies:
        content = reply.json
        del content["request_id"], content["instance"]
        seen.add((reply.status, json.dumps(content), tuple(sorted(reply.headers))))
    assert len(seen) == 1
    assert {reply.status for reply in replies} == {401}
    assert replies[0].json["code"] == "bad_signature"
    assert stored(desk) == before
    assert desk.post("/in/plain", BODY, headers=good).status == 202


def test_i10_strangers_without_a_signature_do_not_use_up_what_a_source_may_send(
    shell: Shell, clock: ManualClock, desk: Intake
) -> None:
    narrow = replace(LIMITS, source_alerts_per_second=1, source_alerts_burst=1)
    with opened_again(shell, clock, narrow) as small:
        small.tokens = desk.tokens
        small.add_signing_secret("plain", SECRET)
        assert [small.post("/in/plain", BODY).status for _ in range(5)] == [401] * 5
        assert small.post("/in/plain", BODY, headers=signed(small)).status == 202
        assert small.post("/in/plain", BODY, headers=signed(small)).status == 429


def opened_again(shell: Shell, clock: ManualClock, limits: Any) -> Any:
    """A second intake on the same database, with other bounds and no sources of its own."""
    return opened(shell, clock, limits=limits, known={})


def test_i11_a_request_replayed_after_ten_minutes_or_from_the_future_is_refused(desk: Intake) -> None:
    desk.add_signing_secret("plain", SECRET)
    headers = signed(desk)
    assert desk.post("/in/plain", BODY, headers=headers).status == 202
    desk.clock.advance(minutes=10)
    assert desk.post("/in/plain", BODY, headers=headers).status == 401
    ahead = signed(desk)
    desk.clock.moment -= timedelta(minutes=10)
    assert desk.post("/in/plain", BODY, headers=ahead).status == 401
    assert len(desk.rows(tables.occurrence)) == 1


def test_i11_within_the_window_the_delivery_id_makes_a_replay_one_delivery(desk: Intake) -> None:
    desk.add_signing_secret("plain", SECRET)
    headers = signed(desk) | {"x-delivery": "d-1"}
    first = desk.post("/in/plain", BODY, headers=headers)
    desk.clock.advance(minutes=1)
    again = desk.post("/in/plain", BODY, headers=headers)
    assert (first.json["accepted"], again.json["accepted"], again.json["duplicate"]) == (1, 0, 1)
    assert len(desk.rows(tables.occurrence)) == 1


def test_i12_two_live_secrets_are_taken_until_one_is_retired(desk: Intake) -> None:
    old, _ = desk.add_signing_secret("plain", SECRET)
    desk.add_signing_secret("plain", OTHER)
    assert desk.post("/in/plain", BODY, headers=signed(desk)).status == 202
    assert desk.post("/in/plain", BODY, headers=signed(desk, OTHER)).status == 202
    desk.retire_signing_secret("plain", old)
    assert desk.post("/in/plain", BODY, headers=signed(desk)).status == 401
    assert desk.post("/in/plain", BODY, headers=signed(desk, OTHER)).status == 202


def test_when_the_last_signing_secret_is_retired_the_token_tells_again_who_sends(desk: Intake) -> None:
    only, _ = desk.add_signing_secret("plain", SECRET)
    desk.retire_signing_secret("plain", only)
    assert desk.post("/in/plain", BODY, headers=signed(desk)).status == 401
    assert desk.post("/in/plain", BODY, "plain").status == 202
    assert desk.alert().verdict == "token"


def test_i16_the_token_of_one_source_opens_no_other_that_signs_and_neither_notices(desk: Intake) -> None:
    desk.add_signing_secret("plain", SECRET)
    assert desk.post("/in/plain", BODY, "prom", signed(desk)).status == 401
    assert stored(desk) == []
    assert desk.post("/in/plain", BODY, headers=signed(desk)).status == 202
    assert desk.post("/in/prom", [{"labels": {"alertname": "A"}}], "prom").status != 401


def test_i10_the_same_work_is_done_whether_and_where_a_signature_fits(
    desk: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for secret in (SECRET, OTHER, "a-third-secret"):
        desk.add_signing_secret("plain", secret)
    compared: list[int] = []
    compare = hmac.compare_digest

    def counting(left: bytes, right: bytes) -> bool:
        compared[-1] += 1
        return compare(left, right)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    good = signed(desk)
    for headers in (good, signed(desk, "a-third-secret"), good | {"x-signature": "v0=" + "0" * 64}):
        compared.append(0)
        desk.post("/in/plain", BODY, headers=headers)
    assert compared == [3, 3, 3]


def test_i10_a_refused_signature_is_counted(desk: Intake) -> None:
    desk.add_signing_secret("plain", SECRET)
    counted = metrics.REFUSED.labels("bad_signature")
    before = counted._value.get()
    desk.post("/in/plain", BODY)
    assert counted._value.get() == before + 1


def test_a_made_secret_is_kept_sealed_and_shown_by_its_end_alone(desk: Intake) -> None:
    secret_id, secret = desk.add_signing_secret("plain")
    assert secret.startswith("whsec_") and len(secret) == 50
    row, key = desk.rows(tables.sealed)[0], desk.rows(tables.data_key)[0]
    assert secret not in str(row) and secret not in str(desk.rows(tables.entry)) + str(desk.rows(tables.noun))
    with desk.shell.database.read() as connection:
        (shown,) = sealed.shown(connection, desk.tokens["plain"][0])
        assert (shown.id, shown.last_four) == (secret_id, secret[-4:])
        assert sealed.live(connection, desk.shell.ports.secret_keys) == {row.owner_id: (secret,)}
    assert key.wrapped.startswith("v1.")
    desk.retire_signing_secret("plain", secret_id)
    assert desk.rows(tables.sealed) == []


def test_rotation_wraps_the_data_key_again_and_the_secrets_still_open(desk: Intake) -> None:
    desk.add_signing_secret("plain", SECRET)
    ours, new = desk.shell.ports.secret_keys, b"n" * 32
    assert ours is not None
    with desk.shell.database.write() as connection:
        assert sealed.rewrap(connection, MasterKeys((new, *ours.keys))) == 1
        assert sealed.rewrap(connection, MasterKeys((new,))) == 0
        assert list(sealed.live(connection, MasterKeys((new,))).values()) == [(SECRET,)]


def test_a_source_whose_secrets_no_longer_open_refuses_everything_rather_than_take_a_token(
    desk: Intake, caplog: pytest.LogCaptureFixture
) -> None:
    desk.add_signing_secret("plain", SECRET)
    with desk.shell.database.write() as connection:
        connection.execute(tables.data_key.update().values(wrapped="v1.0000.AAAA"))
    desk.senders.forget()
    with caplog.at_level(logging.ERROR, "handrail.store"):
        assert desk.post("/in/plain", BODY, "plain").status == 401
        assert desk.post("/in/plain", BODY, headers=signed(desk)).status == 401
    assert "no signing secret can be read" in caplog.text and SECRET not in caplog.text


def test_a_format_without_signatures_takes_no_signing_secret(desk: Intake) -> None:
    with pytest.raises(Unprocessable) as refused:
        desk.add_signing_secret("prom", SECRET)
    assert refused.value.code == "no_signature_scheme"


@pytest.mark.parametrize("given", ["short", "with a space in it", "x" * 513, "geheimnis-ü", "line\nbreak-secret"])
def test_what_cannot_be_a_signing_secret_is_refused_without_being_repeated(desk: Intake, given: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        desk.add_signing_secret("plain", given)
    assert refused.value.code == "signing_secret" and given not in refused.value.detail


def test_a_source_has_eight_signing_secrets_at_most(desk: Intake) -> None:
    for _ in range(8):
        desk.add_signing_secret("plain")
    with pytest.raises(Conflict):
        desk.add_signing_secret("plain")


def test_only_who_manages_sources_sets_a_signing_secret_or_answers_a_confirmation(desk: Intake) -> None:
    source_id, observer = desk.tokens["plain"][0], Person("usr_o", "person", frozenset({"observer"}))
    for act in (
        lambda tx: sources.set_signing_secret(tx, source_id, observer),
        lambda tx: sources.answer_confirmation(tx, source_id, "cnf_x", True, observer),
    ):
        with pytest.raises(NotAllowed):
            desk.shell.transact(HANDRAIL, act)


def test_a_removed_source_keeps_no_secret(desk: Intake) -> None:
    desk.add_signing_secret("plain", SECRET)
    desk.shell.transact(HANDRAIL, lambda tx: sources.remove(tx, desk.tokens["plain"][0], OWNER))
    assert desk.rows(tables.sealed) == []
    assert desk.post("/in/plain", BODY, headers=signed(desk)).status == 401


# Certificates and confirmations, as Amazon SNS has them

URL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc"


def _topic(request: Inbound, secrets: Sequence[str], now: datetime) -> Verdict:
    if request.headers.get("x-broken"):
        raise BadInput("unreadable")
    return Verdict.VERIFIED if request.certificates.get("https://cert") == b"PEM" else Verdict.TOKEN


def _asks(request: Inbound, now: datetime) -> Parsed:
    body = json.loads(request.body)
    if "url" in body:
        return Parsed(confirmations=(Confirmation(body["url"], "topic-1", "abc"),))
    return Parsed((said("a"),))


@pytest.fixture
def topic(shell: Shell, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Intake]:
    known = dict(registry.integrations())
    known["generic"] = Integration("generic", "x", _asks, _topic, certificate_url=lambda _: "https://cert")
    _know(monkeypatch, known)
    have = {"https://cert": b"PEM"}

    def ask(source_id: str, asked: Sequence[Confirmation]) -> None:
        shell.transact(HANDRAIL, lambda tx: sources.ask_confirmations(tx, source_id, asked))

    with opened(shell, clock, InboundSettings(certificate_of=have.get, ask_confirmations=ask)) as made:
        yield made


def test_a_format_with_certificates_still_needs_its_token(topic: Intake) -> None:
    assert topic.post("/in/plain", {}).status == 401
    assert topic.post("/in/plain", {}, "plain").status == 202
    assert topic.alert().verdict == "verified"
    assert topic.post("/in/plain", b"not json", "plain", {"x-broken": "1"}).json["code"] != "bad_signature"


def test_a_format_with_certificates_and_a_secret_needs_no_token_and_reads_nothing_of_strangers(topic: Intake) -> None:
    topic.add_signing_secret("plain", "arn:aws:sns:eu-west-1:123456789012:alarms")
    assert topic.post("/in/plain", {}).status == 202
    assert topic.post("/in/plain", b"not json", headers={"x-broken": "1"}).status == 401
    assert topic.post("/in/plain", b"not json", "plain", {"x-broken": "1"}).status == 401


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://sns.eu-west-1.amazonaws.com/?Token=abc",
        "https://sns.eu-west-1.amazonaws.com.evil.example/?Token=abc",
        "https://sns.eu-west-1.amazonaws.com@evil.example/?Token=abc",
        "https://sns.eu-west-1.amazonaws.com:444/?Token=abc",
        "https://amazonaws.com/?Token=abc",
        "https://evil.example/sns.eu-west-1.amazonaws.com/?Token=abc",
        "https://evil.example#https://sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com\\@evil.example/",
        "https://sns.eu-west-1.ämazonaws.com/?Token=abc",
        "https://sns.eu-west-1.xn--mazonaws-0za.com/?Token=abc",
        "https://sns。eu-west-1。amazonaws。com/?Token=abc",
        "https://evil.sns.eu-west-1.amazonaws.com/?Token=abc",
        "https://sns.eu-west-1.amazonaws.com./?Token=abc",
        "https://sns.eu-west-1.amazonaws.co/?Token=abc",
        "//sns.eu-west-1.amazonaws.com/?Token=abc",
        "ftp://sns.eu-west-1.amazonaws.com/?Token=abc",
    ],
)
def test_i13_a_confirmation_that_leads_elsewhere_stays_pending_and_nothing_is_called(topic: Intake, url: str) -> None:
    assert topic.post("/in/plain", {"url": url}, "plain").status == 202
    (pending,) = topic.source("plain").confirmations
    assert (pending.status, pending.url, pending.topic) == ("pending", url, "topic-1")
    with pytest.raises(Unprocessable) as refused:
        _answer(topic, pending.id, agreed=True)
    assert refused.value.code == "confirmation_address"
    assert topic.shell.engine.work == []  # type: ignore[attr-defined]
    _answer(topic, pending.id, agreed=False)
    assert topic.source("plain").confirmations == ()


def _answer(desk: Intake, confirmation_id: str, *, agreed: bool) -> None:
    source_id = desk.tokens["plain"][0]
    desk.shell.transact(HANDRAIL, lambda tx: sources.answer_confirmation(tx, source_id, confirmation_id, agreed, OWNER))


def test_i13_amazons_own_confirmation_is_called_once_and_only_after_a_person_agreed(topic: Intake) -> None:
    assert [topic.post("/in/plain", {"url": URL}, "plain").status for _ in range(3)] == [202] * 3
    (pending,) = topic.source("plain").confirmations
    assert pending.place == "https://sns.eu-west-1.amazonaws.com/"
    assert topic.shell.engine.work == []  # type: ignore[attr-defined]
    _answer(topic, pending.id, agreed=True)
    (work,) = topic.shell.engine.work  # type: ignore[attr-defined]
    assert (work.kind, work.arguments["confirmation_id"]) == ("confirm", pending.id)
    with pytest.raises(Conflict):
        _answer(topic, pending.id, agreed=True)


def test_confirmations_without_end_are_passed_over(topic: Intake) -> None:
    for number in range(20):
        assert topic.post("/in/plain", {"url": f"{URL}{number}"}, "plain").status == 202
    assert len(topic.source("plain").confirmations) == 16


def test_addresses_that_may_never_be_called_leave_room_for_amazons(topic: Intake) -> None:
    for number in range(20):
        assert topic.post("/in/plain", {"url": f"https://evil.example/{number}"}, "plain").status == 202
    assert len(topic.source("plain").confirmations) == 8
    topic.post("/in/plain", {"url": URL}, "plain")
    assert URL in [each.url for each in topic.source("plain").confirmations]


def test_handrails_own_form_is_signed_as_standard_webhooks_say(shell: Shell, clock: ManualClock) -> None:
    with opened(shell, clock) as desk:
        _, secret = desk.add_signing_secret("plain")
        stamp = str(int(clock.now().timestamp()))
        code = hmac.digest(base64.b64decode(secret[6:]), f"msg_1.{stamp}.".encode() + BODY, "sha256")
        headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp}
        headers["webhook-signature"] = "v1," + base64.b64encode(code).decode()
        assert desk.post("/in/plain", BODY).status == desk.post("/in/plain", BODY, "plain").status == 401
        assert desk.post("/in/plain", BODY, headers=headers).json["accepted"] == 1
        assert desk.post("/in/plain", BODY, headers=headers).json["duplicate"] == 1
        assert desk.alert().verdict == "verified"


class _Outside:
    """An outside that answers as it is told, and remembers what was called."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.called: list[str] = []

    def get(self, url: str) -> Answer:
        self.called.append(url)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer[0], {}, answer[1])


def _confirm(topic: Intake, outside: Any) -> None:
    for work in topic.shell.engine.take("confirm"):  # type: ignore[attr-defined]
        Confirm(topic.shell, outside)(work.arguments)
        Confirm(topic.shell, outside)(work.arguments)


def test_i13_the_call_is_made_once_and_what_came_of_it_is_told(topic: Intake) -> None:
    topic.post("/in/plain", {"url": URL}, "plain")
    (pending,) = topic.source("plain").confirmations
    _answer(topic, pending.id, agreed=True)
    outside = _Outside(OutwardFailed("sns.eu-west-1.amazonaws.com:443 was not reached.", "not_reached"), (200, b""))
    _confirm(topic, outside)
    (failed,) = topic.source("plain").confirmations
    assert (failed.status, failed.detail) == ("failed", "sns.eu-west-1.amazonaws.com:443 was not reached.")
    _answer(topic, pending.id, agreed=True)
    _confirm(topic, outside)
    assert topic.source("plain").confirmations == ()
    assert outside.called == [URL, URL]


def test_a_confirmation_of_a_source_that_was_removed_meanwhile_is_not_called(topic: Intake) -> None:
    topic.post("/in/plain", {"url": URL}, "plain")
    _answer(topic, topic.source("plain").confirmations[0].id, agreed=True)
    topic.shell.transact(HANDRAIL, lambda tx: sources.remove(tx, topic.tokens["plain"][0], OWNER))
    outside = _Outside()
    _confirm(topic, outside)
    assert outside.called == []


CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"


def test_a_certificate_is_fetched_once_and_from_amazon_alone(clock: ManualClock) -> None:
    outside = _Outside((200, b"PEM"))
    certificates = Certificates(outside, clock)  # type: ignore[arg-type]
    assert certificates.of("https://sns.eu-west-1.amazonaws.com.evil.example/x.pem") is None
    assert [certificates.of(CERTIFICATE) for _ in range(3)] == [b"PEM"] * 3
    assert outside.called == [CERTIFICATE]


def test_a_certificate_that_was_not_to_be_had_is_asked_for_again_after_a_minute(clock: ManualClock) -> None:
    outside = _Outside(OutwardFailed("away"), (404, b"no"), (200, b"PEM"))
    certificates = Certificates(outside, clock)  # type: ignore[arg-type]
    assert [certificates.of(CERTIFICATE) for _ in range(3)] == [None] * 3
    clock.advance(seconds=60)
    assert certificates.of(CERTIFICATE) is None
    clock.advance(seconds=60)
    assert certificates.of(CERTIFICATE) == b"PEM"
    assert len(outside.called) == 3


def test_strangers_cannot_have_certificates_fetched_without_end_nor_push_out_a_good_one(clock: ManualClock) -> None:
    outside = _Outside((200, b"PEM"), *[(403, b"")] * 200)
    certificates = Certificates(outside, clock)  # type: ignore[arg-type]
    assert certificates.of(CERTIFICATE) == b"PEM"
    assert {certificates.of(f"{CERTIFICATE}?{number}") for number in range(100)} == {None}
    assert len(outside.called) == 10
    clock.advance(seconds=60)
    certificates.of(f"{CERTIFICATE}?new")
    assert len(outside.called) == 11
    assert certificates.of(CERTIFICATE) == b"PEM"
