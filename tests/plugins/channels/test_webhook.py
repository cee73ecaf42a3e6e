"""The webhook: signed as Standard Webhooks say, the same id on every try, and a clear word on whether to try again."""

import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook
from tests.plugins.servers import refused_port, response, saying, serving

from handrail.kernel.clock import ManualClock
from handrail.plugins.channels.contract import Channel, ChannelError, Receipt
from handrail.plugins.channels.registry import channels
from handrail.plugins.outward import Outward

KEY = "msg_1:webhook:7f"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def webhook(*allowed: str) -> Channel:
    return channels(Outward(allowed), ManualClock(datetime.now(UTC)))["webhook"]


def send(channel: Channel, url: str, secret: str = SECRET) -> Receipt:
    return channel.send("msg_1", KEY, "teams", "Subject ä", "Text", {"url": url, "secret": secret})


def failure(channel: Channel, url: str, secret: str = SECRET) -> ChannelError:
    with pytest.raises(ChannelError) as failed:
        send(channel, url, secret)
    return failed.value


def test_a_receiver_with_the_secret_can_verify_what_came() -> None:
    with serving(saying(response(204))) as served:
        receipt = send(webhook(served.place), f"{served.url}/hook")
    head, _, body = served.requests[0].partition(b"\r\n\r\n")
    lines = [line.decode().split(": ", 1) for line in head.split(b"\r\n")[1:]]
    said = Webhook(SECRET).verify(body, dict(lines))
    assert said == {
        "type": "handrail.message",
        "data": {"message": "msg_1", "audience": "teams", "subject": "Subject ä", "text": "Text"},
    }
    assert json.loads(body) == said
    assert receipt == Receipt(KEY, "The webhook answered 204.")


def test_a_second_try_carries_the_same_id() -> None:
    with serving(saying(response(500), response(200))) as served:
        channel = webhook(served.place)
        assert failure(channel, served.url).retry
        send(channel, served.url)
    ids = [line for request in served.requests for line in request.split(b"\r\n") if line.startswith(b"webhook-id")]
    assert ids == [b"webhook-id: msg_1:webhook:7f"] * 2


@pytest.mark.parametrize(
    ("status", "retry"),
    [(429, True), (500, True), (502, True), (503, True), (408, True), (400, False), (401, False), (404, False),
     (410, False), (301, False), (302, False)],
)  # fmt: skip
def test_the_status_says_whether_another_try_helps(status: int, retry: bool) -> None:
    with serving(saying(response(status))) as served:
        assert failure(webhook(served.place), served.url).retry is retry


def test_nobody_listening_and_no_answer_are_worth_another_try() -> None:
    port = refused_port()
    assert failure(webhook(f"127.0.0.1:{port}"), f"http://127.0.0.1:{port}/").retry
    with serving(lambda *_: None) as served:
        assert failure(webhook(served.place), served.url).retry


def test_n1_an_inner_address_is_refused_for_good_and_says_so() -> None:
    with serving(saying(response(200))) as served:
        refused = failure(webhook(), served.url)
        assert served.connections == 0
    assert not refused.retry
    assert "address not allowed" in refused.detail


@pytest.mark.parametrize(
    ("url", "secret"), [("", SECRET), ("https://a.example/", ""), ("https://a.example/", "whsec_ä")]
)
def test_settings_that_cannot_work_are_not_tried_again(url: str, secret: str) -> None:
    assert not failure(webhook(), url, secret).retry
