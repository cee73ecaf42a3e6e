"""Log lines from shippers: JSON a line, a list, GELF, plain text; what is the message, the service, and an error."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.log_line import LogLine
from handrail.kernel.errors import Refused, TooLarge
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.log_lines.parse import parse

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def read(body: Any, service: str = "") -> Parsed:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse(Inbound(raw, query={"service": service} if service else {}), NOW)


def test_json_lines_are_read_each_and_plain_text_between_them_is_a_line() -> None:
    body = b'{"msg":"served","app":"shop","level":30}\nplain words\n{"message":"broke","level":"ERROR","app":"shop"}\n'
    assert read(body, "else").lines == (
        LogLine("shop", "served"), LogLine("else", "plain words"), LogLine("shop", "broke", is_error=True),
    )  # fmt: skip


def test_a_list_of_objects_and_texts_is_read_and_what_has_no_message_is_named() -> None:
    parsed = read([{"message": "a"}, "b", {"level": "info"}, 7])
    assert [line.text for line in parsed.lines] == ["a", "b"]
    assert [(item.index, item.code) for item in parsed.rejected] == [
        (2, "log_message_missing"),
        (3, "item_not_an_object"),
    ]


def test_gelf_is_one_line() -> None:
    gelf = {"version": "1.1", "host": "app-1", "short_message": "refused", "level": 3, "_service": "ledger"}
    assert read(gelf).lines == (LogLine("ledger", "refused", is_error=True),)


@pytest.mark.parametrize("body", [b"[main] started in 3 s", b"{not json", b"[main] a\n[main] b", b"{x\n{y"])
def test_text_that_begins_like_json_is_text_where_its_sender_or_its_lines_say_so(body: bytes) -> None:
    called_text = parse(Inbound(body, {"content-type": "text/plain; charset=utf-8"}), NOW)
    assert [line.text for line in called_text.lines] == body.decode().splitlines()
    if b"\n" in body:
        assert read(body) == called_text
    else:
        with pytest.raises(Refused) as refused:
            read(body)
        assert refused.value.code == "json_invalid"


@pytest.mark.parametrize(
    ("level", "is_error"),
    [
        ("error", True), ("FATAL", True), ("crit", True), ("warn", False), ("info", False), (None, False), ("", False),
        (3, True), (4, False), (30, False), (50, True), ("60", True), (500, False), ({"a": 1}, False), (True, False),
    ],
)  # fmt: skip
def test_an_error_is_said_in_words_or_as_a_number(level: Any, is_error: bool) -> None:
    (line,) = read({"message": "x", "level": level}).lines
    assert line.is_error == is_error and not line.is_alert


def test_another_senders_payload_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="Alertmanager") as refused:
        read({"version": "4", "groupKey": "x", "alerts": []})
    assert refused.value.code == "unexpected_format"
    with pytest.raises(Refused, match="no “message”"):
        read([{"level": "info"}])


def test_an_empty_body_says_nothing_and_too_many_lines_are_refused() -> None:
    assert read(b"") == Parsed() and read(b"\n\n") == Parsed()
    with pytest.raises(TooLarge):
        read(b"x\n" * (LIMITS.inbound_telemetry_items + 1))


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(Refused) as refused:
        read(b"\xff\xfe\n\x00")
    assert refused.value.code == "text_encoding"


def test_i17_an_alert_of_a_known_sender_is_refused_and_not_taken_for_a_line() -> None:
    alert = {"alerts": [], "orgId": 1, "title": "[FIRING:1]", "message": "**Firing**"}
    with pytest.raises(Refused, match="looks like Grafana's webhook") as refused:
        parse(Inbound(json.dumps(alert).encode()), NOW)
    assert refused.value.code == "unexpected_format"
