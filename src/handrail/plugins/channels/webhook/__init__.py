"""A webhook: the message as JSON, signed as Standard Webhooks say, so that the receiver can tell who sends.

Settings: `url` (must be there), `secret` (base64, with or without `whsec_`; must be there). `webhook-id` is the key of
the delivery, the same on every try.
"""

from collections.abc import Mapping

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from handrail.kernel.canonical import canonical
from handrail.kernel.clock import Clock
from handrail.plugins.channels.contract import Channel, ChannelError, Receipt, setting
from handrail.plugins.outward import Answer, Outward, OutwardFailed

_WORTH_ANOTHER_TRY = {408, 425, 429}


class WebhookChannel:
    """Posts to one URL for each audience."""

    name = "webhook"

    def __init__(self, outward: Outward, clock: Clock) -> None:
        self._outward = outward
        self._clock = clock

    def send(
        self, message_id: str, key: str, audience: str, subject: str, text: str, settings: Mapping[str, str]
    ) -> Receipt:
        url, secret = setting(settings, "url", self.name), setting(settings, "secret", self.name)
        words = {"message": message_id, "audience": audience, "subject": subject, "text": text}
        # Lone surrogates have no UTF-8 form; a message must not fail for one.
        data = {name: said.encode("utf-8", "replace").decode("utf-8") for name, said in words.items()}
        body = canonical({"type": "handrail.message", "data": data})
        try:
            answer = self._outward.request("POST", url, self._headers(secret, key, body), body)
        except OutwardFailed as failure:
            raise ChannelError(failure.detail, failure.code, retry=failure.retry) from failure
        return _receipt(answer, key)

    def _headers(self, secret: str, key: str, body: bytes) -> dict[str, str]:
        now = self._clock.now()
        try:
            signature = Webhook(secret).sign(key, now, body.decode())
        except (ValueError, EmptyWebhookSecretError):
            raise ChannelError(
                "The webhook's secret is not base64; take the one the receiver shows.", "channel_setting", retry=False
            ) from None
        return {
            "content-type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }


def make(outward: Outward, clock: Clock) -> Channel:
    return WebhookChannel(outward, clock)


def _receipt(answer: Answer, key: str) -> Receipt:
    if 200 <= answer.status < 300:
        return Receipt(key, f"The webhook answered {answer.status}.")
    retry = answer.status >= 500 or answer.status in _WORTH_ANOTHER_TRY
    raise ChannelError(f"The webhook answered {answer.status}.", retry=retry)
