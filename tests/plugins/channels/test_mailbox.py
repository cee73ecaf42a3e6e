"""The mailbox on disk: real mail files, whole or absent, one for each key."""

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from handrail.kernel.clock import ManualClock
from handrail.plugins.channels.contract import Channel, ChannelError
from handrail.plugins.channels.registry import channels
from handrail.plugins.outward import Outward

KEY = "msg_1:mailbox:7f"


def mailbox() -> Channel:
    return channels(Outward(), ManualClock())["mailbox"]


def read(path: Path) -> EmailMessage:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_the_registry_finds_both_channels() -> None:
    assert list(channels(Outward(), ManualClock())) == ["mailbox", "webhook"]


def test_a_message_becomes_a_mail_file_whose_name_is_the_receipt(tmp_path: Path) -> None:
    settings = {"folder": str(tmp_path / "mail"), "from": "handrail@example.org", "to": "a@example.org, b@example.org"}
    receipt = mailbox().send("msg_1", KEY, "executives", "Zahlungen gestört", "Line one\n.\nÄrger\n", settings)
    mail = read(tmp_path / "mail" / receipt.id)
    assert (mail["From"], mail["To"]) == ("handrail@example.org", "a@example.org, b@example.org")
    assert mail["Subject"] == "Zahlungen gestört"
    assert mail["Date"] == "Mon, 05 Jan 2026 09:00:00 +0000"
    assert mail["X-Handrail-Message"] == "msg_1"
    assert mail.get_content() == "Line one\r\n.\r\nÄrger\r\n"
    assert receipt.id.startswith("msg_1-mailbox-7f-") and receipt.id.endswith(".eml")


def test_a_repeat_overwrites_its_own_file_and_another_key_does_not(tmp_path: Path) -> None:
    settings = {"folder": str(tmp_path)}
    names = [mailbox().send("msg_1", key, "teams", "s", "t", settings).id for key in (KEY, KEY, "msg_1/mailbox/7f")]
    assert names[0] == names[1] != names[2]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(set(names))


@pytest.mark.parametrize("key", ["../../etc/passwd", "/abs", "..", "a\0b", "", "k" * 500, "\ud800"])
def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    receipt = mailbox().send("msg_1", key, "teams", "s", "t", {"folder": str(tmp_path / "in")})
    assert [path.name for path in (tmp_path / "in").iterdir()] == [receipt.id]
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    subject = "Down\r\nBcc: everyone@example.org\r\n\r\n<script>\ud800\x1b[2J"
    receipt = mailbox().send("msg_1", KEY, "teams\r\nX: y", subject, "\ud800 text", {"folder": str(tmp_path)})
    mail = read(tmp_path / receipt.id)
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Down Bcc: everyone@example.org <script> [2J"
    assert mail.get_content() == "? text\r\n"


def test_a_folder_that_cannot_be_written_is_worth_another_try(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ChannelError) as failed:
        mailbox().send("msg_1", KEY, "teams", "s", "t", {"folder": str(tmp_path / "file")})
    assert failed.value.retry


@pytest.mark.parametrize("settings", [{}, {"folder": ""}])
def test_a_mailbox_without_a_folder_is_not_tried_again(settings: dict[str, str]) -> None:
    with pytest.raises(ChannelError) as failed:
        mailbox().send("msg_1", KEY, "teams", "s", "t", settings)
    assert not failed.value.retry


def test_an_address_that_is_none_is_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(ChannelError) as failed:
        mailbox().send("msg_1", KEY, "teams", "s", "t", {"folder": str(tmp_path), "to": "a@b\r\nBcc: c@d"})
    assert not failed.value.retry
