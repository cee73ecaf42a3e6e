"""Tokens are kept for their owner alone, and each goes only to the server that gave it."""

import json
import stat
from pathlib import Path

import pytest

from handrail.cli import credentials
from handrail.cli.credentials import Kept
from handrail.cli.trouble import Trouble

A, B = "http://a.test", "http://b.test"


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HANDRAIL_TOKEN", "HANDRAIL_TOKEN_FILE", "HANDRAIL_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def test_a_stored_token_is_readable_by_its_owner_alone() -> None:
    credentials.store(A, Kept("hrt_a", "tok_1"))
    file = credentials.credentials_file()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_token_goes_only_to_the_address_that_gave_it() -> None:
    credentials.store(A, Kept("hrt_a", "tok_1"))
    credentials.store(B, Kept("hrt_b", "tok_1"))
    assert credentials.token_for(A) == "hrt_a"
    assert credentials.token_for(B) == "hrt_b"
    assert credentials.token_for("http://c.test") is None
    assert credentials.server_url() == B


def test_the_environment_comes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    credentials.store(A, Kept("hrt_a", "tok_1"))
    kept = tmp_path / "token"
    kept.write_text("hrt_file\n")
    monkeypatch.setenv("HANDRAIL_TOKEN_FILE", str(kept))
    assert credentials.token_for(A) == "hrt_file"
    monkeypatch.setenv("HANDRAIL_TOKEN", " hrt_env ")
    assert credentials.token_for(A) == "hrt_env"
    monkeypatch.setenv("HANDRAIL_URL", "http://elsewhere.test/")
    assert credentials.server_url() == "http://elsewhere.test"


def test_credentials_that_others_may_read_are_refused_with_the_fix() -> None:
    credentials.store(A, Kept("hrt_a", "tok_1"))
    credentials.credentials_file().chmod(0o644)
    with pytest.raises(Trouble) as caught:
        credentials.token_for(A)
    assert caught.value.exit_code == 4
    assert "chmod 600" in caught.value.next_step


@pytest.mark.parametrize(
    "content", ["", "[]", '{"url": 1}', '{"url": "", "tokens": 3}', '{"url": "", "tokens": {"a": "b"}}', "\x00"]
)
def test_broken_credentials_are_one_sentence(content: str) -> None:
    credentials.store(A, Kept("hrt_a", "tok_1"))
    credentials.credentials_file().write_text(content)
    with pytest.raises(Trouble) as caught:
        credentials.token_for(A)
    assert caught.value.exit_code == 2


def test_a_token_file_that_is_missing_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_TOKEN_FILE", "/nowhere/token")
    with pytest.raises(Trouble, match="cannot be read"):
        credentials.token_for(A)


def test_forgetting_removes_one_token() -> None:
    credentials.store(A, Kept("hrt_a", "tok_1"))
    credentials.store(B, Kept("hrt_b", "tok_1"))
    assert credentials.forget(B) and not credentials.forget(B)
    assert json.loads(credentials.credentials_file().read_text())["tokens"] == {A: {"token": "hrt_a", "id": "tok_1"}}
