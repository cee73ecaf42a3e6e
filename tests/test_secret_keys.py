"""The master keys of kept secrets: made at first start, replaced one after the other, and never guessed at."""

import stat
from pathlib import Path
from typing import Any

import pytest

from handrail.domain.people import Person
from handrail.kernel.errors import HandrailError, Unprocessable
from handrail.operations import sources
from handrail.operations.shell import HANDRAIL, Tx
from handrail.settings import master_keys, read_settings
from handrail.store import sealed
from handrail.wiring import Handrail, assemble

OLD, NEW = bytes(range(32)).hex(), bytes(range(100, 132)).hex()
OWNER = Person("usr_owner", "person", frozenset({"owner"}))


def test_a_key_is_made_once_and_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    settings = read_settings(data_dir=tmp_path / "data")
    made = master_keys(settings)
    file = tmp_path / "data" / "secrets.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert master_keys(settings) == made
    assert made.keys[0].hex() == file.read_text().strip()


def test_keys_may_be_set_or_stand_in_a_file_in_order(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{NEW}\n{OLD}\n")
    wanted = (bytes.fromhex(NEW), bytes.fromhex(OLD))
    assert master_keys(read_settings(data_dir=tmp_path, secret_keys=f"{NEW}, {OLD}")).keys == wanted
    assert master_keys(read_settings(data_dir=tmp_path, secret_keys_file=str(file))).keys == wanted
    assert not (tmp_path / "secrets.key").exists()


def test_both_at_once_an_empty_file_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    for settings in (
        read_settings(data_dir=tmp_path, secret_keys=OLD, secret_keys_file=str(empty)),
        read_settings(data_dir=tmp_path, secret_keys_file=str(empty)),
    ):
        with pytest.raises(Unprocessable):
            master_keys(settings)
    with pytest.raises(Unprocessable):
        read_settings(data_dir=tmp_path, secret_keys_file=str(tmp_path / "missing"))


def _opened(data_dir: Path, **more: Any) -> Handrail:
    return assemble(read_settings(data_dir=data_dir, **more))


def _stop(handrail: Handrail) -> None:
    handrail.database.dispose()
    if handrail._lock is not None:
        handrail._lock.close()


def _secrets(handrail: Handrail) -> list[tuple[str, ...]]:
    with handrail.database.read() as connection:
        return list(sealed.live(connection, handrail.shell.ports.secret_keys).values())


def test_rotation_a_new_first_key_takes_over_at_start_and_the_old_one_can_go(tmp_path: Path) -> None:
    handrail = _opened(tmp_path, secret_keys=OLD)

    def add(tx: Tx) -> None:
        source, _ = sources.add(tx, "scripts", "generic", frozenset({"generic"}), OWNER)
        sources.set_signing_secret(tx, source.id, OWNER, "the-senders-own-secret")

    handrail.shell.transact(HANDRAIL, add)
    _stop(handrail)
    with pytest.raises(HandrailError, match="not among those given"):
        _opened(tmp_path, secret_keys=NEW)
    for keys in (f"{OLD},{NEW}", f"{NEW},{OLD}", NEW):
        handrail = _opened(tmp_path, secret_keys=keys)
        assert _secrets(handrail) == [("the-senders-own-secret",)]
        _stop(handrail)
    with pytest.raises(HandrailError, match="not among those given"):
        _opened(tmp_path, secret_keys=OLD)


def test_a_node_that_lost_its_key_file_does_not_start_and_leaves_no_other_key_behind(tmp_path: Path) -> None:
    handrail = _opened(tmp_path)

    def add(tx: Tx) -> None:
        source, _ = sources.add(tx, "scripts", "generic", frozenset({"generic"}), OWNER)
        sources.set_signing_secret(tx, source.id, OWNER)

    handrail.shell.transact(HANDRAIL, add)
    _stop(handrail)
    (tmp_path / "secrets.key").unlink()
    with pytest.raises(HandrailError, match=r"copy secrets\.key"):
        _opened(tmp_path)
    assert not (tmp_path / "secrets.key").exists()
