"""Deliver one message over one channel. It may be sent twice after a crash, under the same key; it is never lost."""

from collections.abc import Mapping
from dataclasses import dataclass

from handrail.domain.message import FinishDelivery
from handrail.kernel.errors import Conflict, Refused
from handrail.kernel.limits import LIMITS
from handrail.kernel.points import reach
from handrail.kernel.trace import span
from handrail.operations import messages, runs
from handrail.operations.messages import Sending
from handrail.operations.shell import HANDRAIL, Shell, Tx
from handrail.plugins.channels.contract import Channel, ChannelError


@dataclass(frozen=True)
class Deliver:
    """`settings` are the installation's for each channel; a channel without any is not set up."""

    shell: Shell
    channels: Mapping[str, Channel]
    settings: Mapping[str, Mapping[str, str]]

    def __call__(self, arguments: Mapping[str, str]) -> None:
        message_id, name = arguments["message_id"], arguments["channel"]
        try:
            sending = self.shell.transact(HANDRAIL, lambda tx: messages.start_delivery(tx, message_id, name), "engine")
        except Refused as refusal:
            # Delivered or given up already: an earlier try of the same work got that far.
            if refusal.code != "delivery_ended":
                why = refusal.detail
                self.shell.transact(HANDRAIL, lambda tx: messages.void_message(tx, message_id, why), "engine")
            return
        reach("deliver.before_send")
        with span("deliver", sending.trace, channel=name, attempt=sending.attempt):
            delivered, detail, again = self._send(sending, name)
        reach("deliver.after_send")
        command = FinishDelivery(name, sending.attempt, delivered, detail[: LIMITS.reason_chars], again)
        self.shell.transact(HANDRAIL, lambda tx: self._report(tx, message_id, command), "engine")

    def _send(self, sending: Sending, name: str) -> tuple[bool, str, bool]:
        channel, settings = self.channels.get(name), self.settings.get(name)
        if channel is None or settings is None:
            return False, f"The channel “{name}” is not set up in this installation.", False
        message = sending.message
        try:
            receipt = channel.send(message.id, sending.key, message.audience, message.subject, message.text, settings)
        except ChannelError as error:
            return False, error.detail, error.retry
        return True, f"{receipt.id} {receipt.detail}".strip(), False

    def _report(self, tx: Tx, message_id: str, command: FinishDelivery) -> None:
        try:
            message = messages.finish_delivery(tx, message_id, command)
        except Conflict as refusal:
            if refusal.code != "fenced":
                raise
            return
        if message.status == "delivered" and message.run_id and message.task_id:
            runs.finish_message_task(tx, message.run_id, message.task_id)
