"""The receiver takes what is signed with its secret and nothing else."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx2
import pytest
from standardwebhooks.webhooks import Webhook

from handrail.drills.demo.receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = json.dumps(
    {"type": "handrail.message", "data": {"message": "msg_1", "audience": "teams", "subject": "Hello", "text": "Words"}}
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(SECRET) as running:
        yield running


def post(receiver: Receiver, body: str, secret: str = SECRET, key: str = "k1") -> int:
    now = datetime.now(UTC)
    headers = {
        "webhook-id": key, "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(key, now, body),
    }  # fmt: skip
    return httpx2.post(receiver.url, content=body, headers=headers, trust_env=False).status_code


def test_a_signed_message_is_kept_once_however_often_it_comes(receiver: Receiver) -> None:
    assert [post(receiver, BODY), post(receiver, BODY)] == [204, 204]
    (delivery,) = receiver.deliveries()
    assert (delivery.id, delivery.audience, delivery.subject, delivery.text) == ("k1", "teams", "Hello", "Words")


def test_a_message_signed_with_another_secret_is_refused(receiver: Receiver) -> None:
    assert post(receiver, BODY, secret="whsec_" + "A" * 32) == 401
    assert receiver.deliveries() == []
    assert receiver.refused == 1


def test_a_message_without_signature_is_refused(receiver: Receiver) -> None:
    assert httpx2.post(receiver.url, content=BODY, trust_env=False).status_code == 401


def test_signed_words_that_are_no_message_are_refused(receiver: Receiver) -> None:
    assert post(receiver, '{"type": "something else"}') == 400
    assert post(receiver, "[]") == 400


def test_a_body_beyond_the_bound_is_refused_unread(receiver: Receiver) -> None:
    assert httpx2.post(receiver.url, content=b"x" * 300_000, trust_env=False).status_code == 413
