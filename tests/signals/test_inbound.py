"""The doors: who may send, how much, what is answered, and what is kept of what cannot be read."""

import asyncio
import base64
import gzip
import json
import zlib
from dataclasses import replace
from typing import Any

import pytest

from handrail.domain.alert import AlertStatus
from handrail.kernel.clock import ManualClock
from handrail.kernel.errors import BadSignature
from handrail.kernel.limits import LIMITS
from handrail.operations import sources
from handrail.operations.shell import Shell
from handrail.plugins.integrations import registry
from handrail.plugins.integrations.contract import Inbound, Parsed, Verdict
from handrail.signals import inbound
from handrail.signals.inbound import InboundSettings
from handrail.store import tables
from tests.signals.intake import OPEN_TO_LOOPBACK, Intake, Reply, opened, run, said

ALERT = {"title": "Disk nearly full", "dedup_key": "db-1/disk", "severity": "critical", "service": "payments"}
PROBLEM = "application/problem+json"


def prom(name: str = "HighErrorRate", **labels: str) -> dict[str, Any]:
    return {"labels": {"alertname": name, "service": "payments", **labels}, "startsAt": "2026-01-05T08:59:00Z"}


def page(action: str = "trigger", **more: Any) -> dict[str, Any]:
    event = {"routing_key": "token-pager", "event_action": action, "dedup_key": "k"}
    if action == "trigger":
        event["payload"] = {"summary": "Errors", "source": "db-1", "severity": "critical"}  # type: ignore[assignment]
    return {**event, **more}


def nothing_stored(desk: Intake) -> bool:
    return not any(
        desk.rows(table) for table in (tables.alert, tables.occurrence, tables.quarantine, tables.source_stat)
    )


def test_an_alert_is_stored_before_it_is_answered(desk: Intake) -> None:
    reply = desk.post("/in/plain", ALERT, "plain")
    assert (reply.status, reply.headers["content-type"]) == (202, "application/json")
    alert = desk.alert()
    assert reply.json == {"accepted": 1, "duplicate": 0, "rejected": [], "alerts": [alert.id], "changes": []}
    assert (alert.source, alert.verdict, alert.title) == ("plain", "token", "Disk nearly full")


def test_the_same_post_again_answers_with_the_same_alert(desk: Intake) -> None:
    first, again = desk.post("/in/plain", ALERT, "plain"), desk.post("/in/plain", ALERT, "plain")
    assert again.status == 202
    assert (again.json["duplicate"], again.json["alerts"]) == (1, first.json["alerts"])
    assert len(desk.rows(tables.occurrence)) == 1


# Who sends


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer token-plain"},
        {"authorization": "bearer token-plain"},
        {"authorization": "Basic " + base64.b64encode(b"anyone:token-plain").decode()},
        {"x-handrail-token": "token-plain"},
    ],
)
def test_a_token_may_come_in_each_of_three_headers(desk: Intake, headers: dict[str, str]) -> None:
    assert desk.post("/in/plain", ALERT, headers=headers).status == 202


@pytest.mark.parametrize("path", ["/in/plain/token-plain", "/t/token-plain/in/plain", "/t/token-plain/api/v1/alerts"])
def test_a_token_may_stand_in_the_address(desk: Intake, path: str) -> None:
    assert desk.post(path, ALERT).status == 202


def test_senders_that_can_only_change_the_address_reach_each_door(desk: Intake) -> None:
    assert desk.post("/t/token-prom/api/v2/alerts", [prom()]).status == 200
    assert desk.post("/t/token-pager/v2/enqueue", page()).status == 202


WRONG: list[dict[str, str]] = [
    {},
    {"authorization": "Bearer token-plai"},
    {"authorization": "Bearer token-other"},
    {"authorization": "Bearer "},
    {"authorization": "Basic !!!"},
    {"authorization": "Basic " + base64.b64encode(b"token-plain:").decode()},
    {"authorization": "Bearer token-prom"},
    {"authorization": "Digest token-plain"},
    {"authorization": "Bearer \xff\xfe"},
    {"x-handrail-token": "nope"},
]


def test_every_way_of_not_being_known_gets_the_same_answer_and_stores_nothing(desk: Intake) -> None:
    replies = [desk.post("/in/plain", ALERT, headers=headers) for headers in WRONG]
    replies += [desk.post("/in/nobody", ALERT, "plain"), desk.post("/in/plain/wrong", ALERT)]
    replies += [desk.post("/api/v1/alerts", ALERT, "prom"), desk.post("/t/wrong/in/plain", ALERT)]
    seen = set()
    for reply in replies:
        content = reply.json
        assert content.pop("request_id").startswith("req_")
        assert content.pop("instance") in ("/in/plain", "/in/nobody", "/api/v1/alerts")
        seen.add((reply.status, json.dumps(content), tuple(sorted(reply.headers)), reply.headers["content-type"]))
    assert len(seen) == 1
    (status, content, _, media_type), *_ = seen
    assert (status, media_type, json.loads(content)["code"]) == (401, PROBLEM, "bad_signature")
    assert nothing_stored(desk)


def test_an_unknown_sender_is_refused_before_its_body_is_read(desk: Intake) -> None:
    assert run(desk.call("POST", "/in/plain", [], {"authorization": "Bearer wrong"})).status == 401


def test_the_token_of_one_source_opens_no_other_and_neither_notices(desk: Intake) -> None:
    assert desk.post("/in/plain", ALERT, "events").status == 401
    assert nothing_stored(desk)
    assert desk.post("/in/plain", ALERT, "plain").status == 202


def test_two_tokens_live_side_by_side_until_one_is_retired(desk: Intake) -> None:
    desk.add_token("plain", "second")
    fresh = {"authorization": "Bearer second"}
    assert desk.post("/in/plain", ALERT, "plain").status == 202
    assert desk.post("/in/plain", ALERT, headers=fresh).status == 202
    desk.retire_token("second")
    assert desk.post("/in/plain", ALERT, headers=fresh).status == 401
    assert desk.post("/in/plain", ALERT, "plain").status == 202


def test_a_token_retired_by_another_node_is_refused_after_a_second(desk: Intake) -> None:
    desk.add_token("plain", "second")
    assert desk.post("/in/plain", ALERT, headers={"x-handrail-token": "second"}).status == 202
    desk.shell.listeners.clear()
    desk.retire_token("second")
    desk.shell.listeners.append(desk.senders.on_commit)
    desk.clock.advance(seconds=1.1)
    assert desk.post("/in/plain", ALERT, headers={"x-handrail-token": "second"}).status == 401


def test_a_token_expires_at_its_moment(desk: Intake) -> None:
    desk.add_token("plain", "short", desk.clock.now().replace(hour=10))
    headers = {"authorization": "Bearer short"}
    assert desk.post("/in/plain", ALERT, headers=headers).status == 202
    desk.clock.advance(hours=1)
    assert desk.post("/in/plain", ALERT, headers=headers).status == 401


def test_without_open_networks_nobody_sends_without_a_token(desk: Intake) -> None:
    assert desk.ask("POST", "/api/v2/alerts", b"[]", client="127.0.0.1").status == 401


def test_an_open_network_sends_without_a_token_and_is_marked_unsigned(shell: Shell, clock: ManualClock) -> None:
    with opened(shell, clock, OPEN_TO_LOOPBACK) as desk:
        body = json.dumps([prom()]).encode()
        assert desk.ask("POST", "/api/v2/alerts", body, client="127.0.0.1").status == 200
        assert (desk.alert().source, desk.alert().verdict) == ("open", "unsigned")
        assert desk.ask("POST", "/api/v2/alerts", body, client="10.0.0.1").status == 401
        assert desk.ask("POST", "/in/open", json.dumps(ALERT).encode(), client="127.0.0.1").status == 202
        assert desk.ask("POST", "/in/plain", json.dumps(ALERT).encode(), client="127.0.0.1").status == 401
        wrong = {"authorization": "Bearer wrong"}
        assert desk.ask("POST", "/api/v2/alerts", body, headers=wrong, client="127.0.0.1").status == 401
        assert len(desk.ask("GET", "/api/v2/alerts", client="127.0.0.1").json) == 2


def signed(inbound_: Inbound, secrets: Any, _now: Any) -> Verdict:
    if inbound_.headers.get("x-signature") not in secrets:
        raise BadSignature("The signature does not fit.", "signature_wrong")
    return Verdict.VERIFIED


def test_a_format_that_signs_needs_a_good_signature_and_no_token(
    shell: Shell, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = dict(registry.integrations())
    known["generic"] = replace(known["generic"], verify=signed)
    monkeypatch.setattr(inbound, "integrations", lambda: known)
    monkeypatch.setattr(sources, "integrations", lambda: known)
    with opened(shell, clock) as desk:
        desk.add_signing_secret("plain", "good-one")
        desk.add_signing_secret("plain", "older-one")
        assert desk.post("/in/plain", ALERT, headers={"x-signature": "good-one"}).status == 202
        assert desk.post("/in/plain", ALERT, headers={"x-signature": "older-one"}).status == 202
        assert desk.alert().verdict == "verified"
        bad = desk.post("/in/plain", ALERT, headers={"x-signature": "bad"})
        assert (bad.status, bad.json["code"]) == (401, "bad_signature")
        assert desk.post("/in/plain", ALERT, "plain", {"x-signature": "bad"}).status == 401


# How much, how fast


def test_a_body_declared_too_large_is_refused_unread_and_the_connection_closed(desk: Intake) -> None:
    headers = {"authorization": "Bearer token-plain", "content-length": str(LIMITS.inbound_batch_body_bytes + 1)}
    reply = run(desk.call("POST", "/in/plain", [], headers))
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert reply.json["code"] == "body_too_large"
    assert desk.stat("plain").refused == 1


def test_a_body_that_streams_beyond_its_bound_is_cut_off_there(desk: Intake) -> None:
    headers = {"authorization": "Bearer token-plain", "content-length": "10"}
    parts = [b"x" * 1024 * 1024] * 5
    reply = run(desk.call("POST", "/in/plain", [*parts, b"x", b"never read"], headers))
    assert reply.status == 413


def test_one_pager_event_may_be_as_large_as_one_request_and_no_larger(desk: Intake) -> None:
    reply = run(desk.call("POST", "/v2/enqueue", [b"x" * (LIMITS.inbound_body_bytes + 1)], {}))
    assert reply.status == 413


def test_packed_bodies_are_read(desk: Intake) -> None:
    packed = gzip.compress(json.dumps(ALERT).encode())
    assert desk.post("/in/plain", packed, "plain", {"content-encoding": "gzip"}).status == 202
    members = gzip.compress(b'{"title": ') + gzip.compress(b'"in two members"}')
    assert desk.post("/in/plain", members, "plain", {"content-encoding": "gzip"}).status == 202


def test_a_bomb_is_refused_before_it_grows(desk: Intake) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < 100_000
    reply = desk.post("/in/plain", bomb, "plain", {"content-encoding": "gzip"})
    assert (reply.status, reply.json["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("wbits", [15, 9, -15], ids=["zlib", "small window", "raw"])
def test_deflated_bodies_are_read_with_and_without_their_header(desk: Intake, wbits: int) -> None:
    packer = zlib.compressobj(wbits=wbits)
    packed = packer.compress(json.dumps(ALERT).encode()) + packer.flush()
    assert desk.post("/in/plain", packed, "plain", {"content-encoding": "Deflate"}).status == 202
    cut = desk.post("/in/plain", packed[:-6], "plain", {"content-encoding": "deflate"})
    assert (cut.status, cut.json["code"]) == (400, "gzip_invalid")
    packer = zlib.compressobj(wbits=wbits)
    bomb = packer.compress(b"0" * 50_000_000) + packer.flush()
    assert desk.post("/in/plain", bomb, "plain", {"content-encoding": "deflate"}).status == 413


@pytest.mark.parametrize("packed", [b"no gzip", gzip.compress(b"{}")[:-9], b"\x1f\x8b"], ids=["none", "cut", "head"])
def test_broken_packing_is_named(desk: Intake, packed: bytes) -> None:
    reply = desk.post("/in/plain", packed, "plain", {"content-encoding": "gzip"})
    assert (reply.status, reply.json["code"]) == (400, "gzip_invalid")


def test_an_unknown_packing_is_named(desk: Intake) -> None:
    reply = desk.post("/in/plain", b"x", "plain", {"content-encoding": "br"})
    assert (reply.status, reply.json["code"]) == (400, "encoding_unsupported")


def test_a_content_type_does_not_matter_where_the_json_does(desk: Intake) -> None:
    assert desk.post("/in/plain", ALERT, "plain", {"content-type": "text/plain"}).status == 202


def test_a_source_over_its_rate_waits_alone(shell: Shell, clock: ManualClock) -> None:
    limits = replace(LIMITS, source_alerts_per_second=10, source_alerts_burst=3)
    with opened(shell, clock, limits=limits) as desk:
        replies = [desk.post("/in/plain", ALERT, "plain") for _ in range(4)]
        assert [reply.status for reply in replies] == [202, 202, 202, 429]
        assert (replies[3].json["code"], replies[3].headers["retry-after"]) == ("source_rate", "1")
        assert desk.post("/in/events", {"specversion": "1.0"}, "events").status != 429
        clock.advance(seconds=1)
        assert desk.post("/in/plain", ALERT, "plain").status == 202


def test_a_batch_costs_what_it_holds(shell: Shell, clock: ManualClock) -> None:
    limits = replace(LIMITS, source_alerts_per_second=10, source_alerts_burst=50)
    with opened(shell, clock, limits=limits) as desk:
        batch = [{**ALERT, "dedup_key": str(number)} for number in range(100)]
        assert desk.post("/in/plain", batch, "plain").status == 202
        late = desk.post("/in/plain", ALERT, "plain")
        assert (late.status, int(late.headers["retry-after"])) == (429, 6)


def test_a_sender_that_leaves_in_the_middle_is_answered_nothing(desk: Intake) -> None:
    sent: list[Any] = []

    async def story() -> None:
        parts = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

        async def receive() -> Any:
            return next(parts)

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"authorization", b"Bearer token-plain")]
        scope = {"type": "http", "method": "POST", "path": "/in/plain", "headers": headers, "client": None}
        await desk.app(scope, receive, send)

    run(story())
    assert sent == []
    assert nothing_stored(desk)


# What cannot be read

HOSTILE: list[tuple[bytes, str]] = [
    (b"{", "json_invalid"),
    (b"", "json_invalid"),
    ('{"title": "x"}'.encode("utf-16"), "json_encoding"),
    (b'{"title": "\xff"}', "json_encoding"),
    (b'{"title": "a\\u0000b"}', "json_string"),
    (b'{"title": "\\ud800"}', "json_string"),
    (b"[" * 10_000 + b"]" * 10_000, "json_depth"),
    (b'{"title": 1e999}', "json_number"),
    (b'{"title": "a", "title": "b"}', "json_duplicate_key"),
]


@pytest.mark.parametrize(("body", "code"), HOSTILE, ids=[f"{n}-{code}" for n, (_, code) in enumerate(HOSTILE)])
def test_hostile_json_is_refused_with_its_code_and_kept_for_people(desk: Intake, body: bytes, code: str) -> None:
    reply = desk.post("/in/plain", body, "plain")
    assert (reply.status, reply.headers["content-type"]) == (400, PROBLEM)
    assert (reply.json["code"], reply.json["type"]) == (code, f"/docs/errors#{code}")
    (kept,) = desk.rows(tables.quarantine)
    assert (kept.source, kept.code, bytes(kept.body)) == ("plain", code, body)
    assert (desk.stat("plain").refused, desk.alerts()) == (1, [])


def test_the_payload_of_another_vendor_is_refused_by_name_and_kept(desk: Intake) -> None:
    reply = desk.post("/in/plain", {"alerts": "none", "orgId": 1, "version": "1"}, "plain")
    assert (reply.status, reply.json["code"]) == (422, "unexpected_format")
    assert "Grafana" in reply.json["detail"]
    assert len(desk.rows(tables.quarantine)) == 1
    reply = desk.post("/in/prom", {"specversion": "1.0", "id": "1", "source": "x", "type": "y"}, "prom")
    assert "CloudEvent" in reply.json["detail"]


def test_a_token_inside_of_a_payload_is_masked_in_quarantine(desk: Intake) -> None:
    reply = desk.post("/v2/enqueue", page("explode"))
    assert reply.status == 400
    (kept,) = desk.rows(tables.quarantine)
    assert b"token-pager" not in bytes(kept.body)
    assert b"explode" in bytes(kept.body)


def test_exact_values_and_unknown_fields_survive(desk: Intake) -> None:
    body = (
        b'{"title": "t", "labels": {"id": 9007199254740993, "on": true}, "invented": {"deep": [12345678901234567890]}}'
    )
    assert desk.post("/in/plain", body, "plain").status == 202
    assert desk.alert().labels == {"id": "9007199254740993", "on": "true"}
    assert "12345678901234567890" in desk.rows(tables.occurrence)[0].raw


def test_of_a_batch_of_500_the_bad_one_is_named_by_index_and_kept(desk: Intake) -> None:
    batch: list[Any] = [{**ALERT, "dedup_key": f"k{number}"} for number in range(500)]
    batch[249] = {"severity": "critical", "oops": True}
    reply = desk.post("/in/plain", {"alerts": batch}, "plain")
    assert reply.status == 202
    assert reply.json["accepted"] == 499
    assert [(item["index"], item["code"]) for item in reply.json["rejected"]] == [(249, "alert_title_missing")]
    assert len(reply.json["alerts"]) == 499
    (kept,) = desk.rows(tables.quarantine)
    assert json.loads(kept.body) == [{"oops": True, "severity": "critical"}]
    assert (desk.stat("plain").accepted, desk.stat("plain").refused) == (499, 1)


def test_when_nothing_of_a_batch_can_be_read_it_is_a_bad_request(desk: Intake) -> None:
    reply = desk.post("/in/plain", [{"no": "title"}, 7], "plain")
    assert (reply.status, reply.json["code"]) == (400, "nothing_readable")
    assert [fault["pointer"] for fault in reply.json["errors"]] == ["/0", "/1"]


def test_what_the_database_refuses_is_listed_with_its_index(desk: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = replace(said("bad", service="\ud800"), raw=b"{}")
    known = dict(registry.integrations())
    known["generic"] = replace(known["generic"], parse=lambda *_: Parsed((said("a"), bad, said("b"))))
    monkeypatch.setattr(inbound, "integrations", lambda: known)
    reply = desk.post("/in/plain", ALERT, "plain")
    assert (reply.status, reply.json["accepted"]) == (202, 2)
    assert [(item["index"], item["code"]) for item in reply.json["rejected"]] == [(1, "not_storable")]


def test_a_fault_of_ours_is_told_as_ours(desk: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object) -> Parsed:
        raise RuntimeError("secret words of ours")

    known = dict(registry.integrations())
    known["generic"] = replace(known["generic"], parse=bug)
    monkeypatch.setattr(inbound, "integrations", lambda: known)
    reply = desk.post("/in/plain", ALERT, "plain")
    assert (reply.status, reply.json["code"]) == (500, "internal")
    assert b"secret words" not in reply.body


# As Alertmanager


def test_prometheus_posts_and_gets_an_empty_answer(desk: Intake) -> None:
    reply = desk.post("/api/v2/alerts", [prom()], "prom")
    assert (reply.status, reply.body) == (200, b"")
    assert desk.alert().severity == "medium"


def test_bad_alerts_are_named_as_alertmanager_names_them_and_good_ones_kept(desk: Intake) -> None:
    reply = desk.post("/api/v2/alerts", [prom(), {"labels": {}}, {"labels": {"": "x"}}], "prom")
    assert reply.status == 400
    assert reply.json == 'at least one label pair required; invalid label set: invalid name ""'
    assert len(desk.alerts()) == 1


def test_open_alerts_are_read_back_with_filters(desk: Intake) -> None:
    ended = {**prom("Gone"), "endsAt": "2026-01-05T08:59:30Z"}
    desk.post("/api/v2/alerts", [prom("One"), prom("Two", team="db"), ended], "prom")
    shown = desk.ask("GET", "/api/v2/alerts", source="prom").json
    assert sorted(alert["labels"]["alertname"] for alert in shown) == ["One", "Two"]
    path = "/api/v2/alerts?filter=team%3D%22db%22"
    (two,) = desk.ask("GET", path, source="prom").json
    assert two["labels"]["alertname"] == "Two"
    assert two["status"]["state"] == "active"
    bad = desk.ask("GET", "/api/v2/alerts?filter=%3D%3D", source="prom")
    assert (bad.status, "bad matcher format" in bad.json) == (400, True)


def test_a_source_reads_its_own_alerts_only_and_a_reader_all(shell: Shell, clock: ManualClock) -> None:
    with opened(shell, clock, InboundSettings(may_read=lambda token: token == "person")) as desk:
        desk.post("/api/v2/alerts", [prom()], "prom")
        desk.post("/in/plain", ALERT, "plain")
        assert len(desk.ask("GET", "/api/v2/alerts", source="prom").json) == 1
        person = {"authorization": "Bearer person"}
        assert len(desk.ask("GET", "/api/v2/alerts", headers=person).json) == 2
        assert desk.ask("GET", "/api/v2/alerts", headers={"authorization": "Bearer other"}).status == 401
        assert desk.ask("GET", "/api/v2/alerts").status == 401


def test_the_amtool_sees_that_somebody_is_there(desk: Intake) -> None:
    status = desk.ask("GET", "/api/v2/status").json
    assert status["cluster"]["status"] == "disabled"
    assert status["versionInfo"]["version"].startswith("handrail-")
    assert desk.ask("GET", "/-/ready").body == b"OK"
    assert desk.ask("HEAD", "/-/healthy").status == 200


# As PagerDuty


def test_a_pager_event_opens_and_resolves_by_its_key(desk: Intake) -> None:
    reply = desk.post("/v2/enqueue", page())
    assert reply.status == 202
    assert reply.json == {"status": "success", "message": "Event processed", "dedup_key": "k"}
    assert desk.alert().status == AlertStatus.FIRING
    desk.post("/v2/enqueue", page("acknowledge"))
    assert desk.alert().status == AlertStatus.ACKNOWLEDGED
    desk.post("/v2/enqueue", page("resolve"))
    assert (desk.alert().status, desk.alert().title) == (AlertStatus.RESOLVED, "Errors")
    assert "token-pager" not in "".join(row.raw for row in desk.rows(tables.occurrence))


def test_pager_faults_and_unknown_keys_are_answered_as_pagerduty_does(desk: Intake) -> None:
    reply = desk.post("/v2/enqueue", page(payload={"summary": "x"}))
    assert (reply.status, reply.json["status"]) == (400, "invalid event")
    assert "'payload.source' is missing or blank" in reply.json["errors"]
    unknown = desk.post("/v2/enqueue", page(routing_key="wrong"))
    assert (unknown.status, unknown.json["status"]) == (400, "invalid event")
    assert desk.alerts() == []


def test_a_pager_resolve_before_its_trigger_ends_resolved(desk: Intake) -> None:
    desk.post("/v2/enqueue", page("resolve"))
    trigger = page()
    trigger["payload"]["timestamp"] = "2026-01-05T08:00:00Z"
    desk.post("/v2/enqueue", trigger)
    alert = desk.alert()
    assert (alert.status, alert.late, alert.title) == (AlertStatus.RESOLVED, 1, "Errors")
    assert alert.starts_at.hour == 8


# As Azure Event Grid


def test_a_sender_of_cloudevents_that_asks_first_is_told_that_it_may(desk: Intake) -> None:
    asked = {"webhook-request-origin": "eventgrid.azure.net", "webhook-request-callback": "http://169.254.169.254/"}
    reply = desk.ask("OPTIONS", "/in/events/token-events", headers=asked)
    assert (reply.status, reply.body, reply.headers["allow"]) == (200, b"", "POST")
    assert reply.headers["webhook-allowed-origin"] == "eventgrid.azure.net"
    assert reply.headers["webhook-allowed-rate"] == "*"
    assert nothing_stored(desk)


def test_who_is_not_known_or_sends_another_format_is_not_told_that_it_may(desk: Intake) -> None:
    asked = {"webhook-request-origin": "eventgrid.azure.net"}
    assert desk.ask("OPTIONS", "/in/events/wrong", headers=asked).status == 401
    assert desk.ask("OPTIONS", "/in/nobody", headers=asked).status == 401
    for path, headers in (
        ("/in/plain/token-plain", asked),
        ("/in/events/token-events", {}),
        ("/in/events/token-events", {"webhook-request-origin": "a b"}),
    ):
        reply = desk.ask("OPTIONS", path, headers=headers)
        assert (reply.status, reply.headers["allow"]) == (405, "POST")
        assert "webhook-allowed-origin" not in reply.headers


# As VMware Aria Operations


def test_an_alert_that_was_posted_is_ended_by_what_is_put(shell: Shell, clock: ManualClock) -> None:
    level = "ALERT_CRITICALITY_LEVEL_CRITICAL"
    sent = {"alertId": "a-1", "resourceName": "hv-3", "resourceKind": "HostSystem", "criticality": level, "info": "Hot"}
    fired, ended = (json.dumps({**sent, "status": status}).encode() for status in ("ACTIVE", "CANCELED"))
    with opened(shell, clock, known={"aria": "vrealize"}) as desk:
        assert desk.ask("POST", "/in/aria/token-aria/a-1", fired).status == 202
        assert desk.alert().status == AlertStatus.FIRING
        assert desk.ask("PUT", "/in/aria/wrong/a-1", ended).status == 401
        assert desk.ask("PUT", "/in/aria/token-aria/a-1", ended).status == 202
        assert desk.alert().status == AlertStatus.RESOLVED


# Changes, traces, other addresses


def test_a_change_comes_in_beside_alerts(desk: Intake) -> None:
    content = {"alerts": [ALERT], "changes": [{"kind": "deploy", "service": "payments", "version": "2.5.0"}]}
    reply = desk.post("/api/v1/alerts", content, "plain")
    assert (reply.status, reply.json["accepted"]) == (202, 2)
    assert reply.json["changes"][0].startswith("chg_")


def test_a_cloud_event_delivered_twice_is_one_change(desk: Intake) -> None:
    event = {
        "specversion": "1.0", "id": "1", "source": "ci", "type": "dev.cdevents.service.deployed.0.1.1",
        "data": {"service": "payments", "version": "2.5.0"},
    }  # fmt: skip
    first, again = desk.post("/in/events", event, "events"), desk.post("/in/events", event, "events")
    assert (first.json["accepted"], again.json["accepted"]) == (1, 0)
    assert first.json["changes"] == again.json["changes"]


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("bad", ["", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "x" * 500, "ff" + TRACE[2:]])
def test_the_callers_trace_is_kept_and_a_bad_one_replaced(desk: Intake, bad: str) -> None:
    desk.post("/in/plain", ALERT, "plain", {"traceparent": TRACE})
    desk.post("/in/plain", {"title": "other"}, "plain", {"traceparent": bad})
    kept, made = sorted((row.trace for row in desk.rows(tables.alert)), key=lambda trace: trace != TRACE)
    assert kept == TRACE
    assert len(made) == 55 and made not in (TRACE, bad)


def test_other_addresses_go_to_the_other_application(desk: Intake) -> None:
    assert desk.ask("GET", "/incidents").status == 404
    asked: list[tuple[str, str]] = []

    async def otherwise(scope: Any, _receive: Any, send: Any) -> None:
        asked.append((scope["method"], scope["path"]))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    desk.app._otherwise = otherwise
    for method, path in (("GET", "/api/v1/alerts"), ("GET", "/in/plain"), ("POST", "/in/"), ("GET", "/t/x/pages")):
        assert desk.ask(method, path).status == 204
    assert asked == [("GET", "/api/v1/alerts"), ("GET", "/in/plain"), ("POST", "/in/"), ("GET", "/t/x/pages")]


def test_a_storm_from_one_source_leaves_another_its_place(desk: Intake) -> None:
    async def story() -> list[Reply]:
        storm = [
            desk.call("POST", "/api/v2/alerts", [json.dumps([prom(instance=str(n))]).encode()],
                      {"authorization": "Bearer token-prom"})
            for n in range(400)
        ]  # fmt: skip
        quiet = desk.call("POST", "/in/plain", [json.dumps(ALERT).encode()], {"authorization": "Bearer token-plain"})
        return list(await asyncio.gather(*storm, quiet))

    replies = run(story())
    assert {reply.status for reply in replies[:-1]} == {200}
    assert replies[-1].status == 202
    assert len(desk.rows(tables.alert)) == 401
