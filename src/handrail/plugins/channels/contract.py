"""What a channel is: it carries one message to one audience, and says when it could not.

Informing may repeat: the same `key` goes outwards on every try, so that a receiver can tell a repeat, and a channel
that can overwrite does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from handrail.kernel.errors import Unavailable


@dataclass(frozen=True)
class Receipt:
    """Proof of delivery: `id` is what the receiver knows it by, `detail` a sentence."""

    id: str
    detail: str = ""


@dataclass
class ChannelError(Unavailable):
    """Not delivered. `retry` says whether another try can help."""

    retry: bool = True

    title: ClassVar[str] = "The message could not be delivered"
    default_code: ClassVar[str] = "not_delivered"


class Channel(Protocol):
    """One kind of channel. `settings` are the audience's for this channel, as its document writes them."""

    name: str

    def send(
        self, message_id: str, key: str, audience: str, subject: str, text: str, settings: Mapping[str, str]
    ) -> Receipt:
        """Deliver, or raise ChannelError and nothing else."""
        ...


def setting(settings: Mapping[str, str], name: str, channel: str) -> str:
    """A setting that must be there. Raises ChannelError."""
    value = settings.get(name, "")
    if not value:
        raise ChannelError(f"The audience's {channel} channel has no “{name}” setting.", "channel_setting", retry=False)
    return value
