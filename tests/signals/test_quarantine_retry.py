"""A payload in quarantine is read again after a fix; what still cannot be read is refused and loses nothing."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.domain.metric import MetricPoint
from handrail.kernel.clock import ManualClock
from handrail.kernel.errors import BadInput, HandrailError, NotFound, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.operations.shell import Shell
from handrail.plugins.integrations import registry
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.signals import inbound
from handrail.signals.inbound import InboundSettings
from handrail.signals.kept import HEADERS, kept_headers
from handrail.store import queries
from tests.signals.intake import Intake, opened, run
from tests.signals.test_inbound_telemetry import PROTOBUF, SNAPPY, logs, samples


def test_what_can_be_read_by_now_is_taken_and_its_repeat_is_known(desk: Intake) -> None:
    body = b'{"title": "Disk nearly full", "occurred_at": "2026-11-24T03:00:00Z"}'
    assert run(desk.app.read_again("plain", Inbound(body))) == (1, 0, 0)
    assert run(desk.app.read_again("plain", Inbound(body))) == (0, 1, 0)
    assert desk.alert().title == "Disk nearly full"


def test_of_a_batch_the_good_ones_are_taken_and_the_bad_ones_counted(desk: Intake) -> None:
    assert run(desk.app.read_again("plain", Inbound(b'[{"title": "a"}, {"no": "title"}]'))) == (1, 0, 1)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"alerts": []}', b'{"version": "4", "alerts": []}'])
def test_what_still_says_nothing_is_refused_in_words(desk: Intake, body: bytes) -> None:
    with pytest.raises(HandrailError) as refused:
        run(desk.app.read_again("plain", Inbound(body)))
    assert refused.value.detail
    assert isinstance(refused.value, Unprocessable) or refused.value.status == 400
    assert desk.alerts() == []


def test_a_source_that_is_gone_reads_nothing(desk: Intake) -> None:
    with pytest.raises(NotFound, match="is gone"):
        run(desk.app.read_again("nobody", Inbound(b"{}")))


def _broken(_inbound: Inbound, _now: datetime) -> Parsed:
    raise BadInput("A fault of this program.", "bad_input")


@pytest.mark.parametrize(
    ("integration", "path", "body", "headers"),
    [
        ("otlp", "/v1/logs", logs(), PROTOBUF),
        ("prometheus_remote_write", "", samples("up"), SNAPPY),
        (
            "cloudevents", "", b'{"title": "Disk full"}',
            {"content-type": "application/json", "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/disks",
             "ce-type": "com.example.alert.fired"},
        ),
    ],
)  # fmt: skip
def test_what_needs_its_headers_is_read_again_after_a_fix(
    shell: Shell, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, integration: str, path: str, body: bytes,
    headers: dict[str, str],
) -> None:  # fmt: skip
    whole = dict(registry.integrations())
    points: list[int] = []

    async def on_points(_source: str, said: Sequence[MetricPoint]) -> None:
        points.append(len(said))

    with opened(shell, clock, InboundSettings(on_points=on_points), known={"sender": integration}) as desk:
        secret = {"cookie": "c", "x-hub-signature-256": "sha256=00", "x-other": "y", "ce-note": "token-sender"}
        with monkeypatch.context() as broken:
            broken.setattr(inbound, "integrations", lambda: {integration: replace(whole[integration], parse=_broken)})
            assert desk.post(f"/in/sender{path}", body, "sender", {**headers, **secret}).status == 400
        with shell.database.read() as connection:
            item = queries.quarantine_item(connection, queries.quarantined(connection)[0].id)
        assert item.headers == {**headers, "ce-note": "[token]"}
        accepted, duplicate, rejected = run(desk.app.read_again("sender", Inbound(body, item.headers, path=item.path)))
        assert (duplicate, rejected) == (0, 0)
        assert (accepted, points) in ((1, []), (0, [1]))


def test_headers_are_kept_within_their_bounds() -> None:
    many = {f"ce-{number}": "v" * 5000 for number in range(100)} | {"content-encoding": "gzip"}
    kept = kept_headers(many, None)
    assert len(kept) == LIMITS.quarantine_headers
    assert {len(value) for value in kept.values()} == {LIMITS.quarantine_header_chars}


def test_formats_parse_by_no_header_that_is_not_kept() -> None:
    """Whatever `parse` asks the headers for is kept; what only `verify` asks for is not."""
    asked: set[str] = set()

    class Headers(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            asked.add(name)
            return super().get(name, default)

        def __contains__(self, name: object) -> bool:
            asked.add(str(name))
            return super().__contains__(name)

    for one in registry.integrations().values():
        for body in (b"{}", b'{"Type": "Notification", "TopicArn": "t", "Message": "{}"}', b'{"a": 1}', b""):
            with suppress(HandrailError):
                one.parse(Inbound(body, Headers(), path="/v1/logs"), datetime(2026, 1, 5, 9, 0, tzinfo=UTC))
    assert {name for name in asked if not name.startswith("ce-")} <= HEADERS
