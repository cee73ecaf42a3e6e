"""A mailbox on disk: each message is one RFC 5322 file that any mail program opens.

Settings: `folder` (must be there), `from`, `to` (addresses, separated by commas). A repeat overwrites its own file.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from handrail.kernel.clock import Clock
from handrail.plugins.channels.contract import Channel, ChannelError, Receipt, setting
from handrail.plugins.outward import Outward

_SENDER = "handrail@localhost"
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


class Mailbox:
    """Writes files; a reader never sees half of one."""

    name = "mailbox"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def send(
        self, message_id: str, key: str, audience: str, subject: str, text: str, settings: Mapping[str, str]
    ) -> Receipt:
        folder = Path(setting(settings, "folder", self.name))
        file_name = file_name_of(key)
        try:
            content = self._mail(message_id, key, audience, subject, text, settings)
        except (MessageError, ValueError) as error:
            raise ChannelError(f"The message cannot be written as mail: {error}.", retry=False) from None
        try:
            _write(folder, file_name, content)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise ChannelError(f"The mailbox folder could not be written: {why}.") from error
        return Receipt(file_name, f"Written to the mailbox as {file_name}.")

    def _mail(
        self, message_id: str, key: str, audience: str, subject: str, text: str, settings: Mapping[str, str]
    ) -> bytes:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = settings.get("from") or _SENDER
        mail["To"] = settings.get("to") or f"{_UNSAFE.sub('-', audience) or 'audience'}@localhost"
        mail["Subject"] = _line(subject)
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = f"<{_mark(key)}@handrail.localhost>"
        mail["X-Handrail-Message"] = _line(message_id)
        mail["X-Handrail-Audience"] = _line(audience)
        # Lone surrogates have no UTF-8 form; a message must not fail for one.
        mail.set_content(text.encode("utf-8", "replace").decode("utf-8"), cte="quoted-printable")
        return mail.as_bytes()


def make(outward: Outward, clock: Clock) -> Channel:
    return Mailbox(clock)


def file_name_of(key: str) -> str:
    """One name for one key: readable, safe as a file name, and different for different keys."""
    return f"{_UNSAFE.sub('-', key)[:80].strip('-') or 'message'}-{_mark(key)[:12]}.eml"


def _mark(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]


def _line(text: str) -> str:
    """One line: a line break in a header would be the sender's way to write headers of their own."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _write(folder: Path, file_name: str, content: bytes) -> None:
    """Whole, on disk for good, or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / file_name)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
