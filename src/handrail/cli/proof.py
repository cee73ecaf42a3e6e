"""Checks that are made here and not asked of the server: exports, and that a signed checkpoint covers an entry."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

from handrail.cli.trouble import USAGE, Trouble
from handrail.kernel.errors import HandrailError
from handrail.record import note
from handrail.record.tree import leaf_hash, verify_inclusion
from handrail.record.verifier import CannotRead, Key, Malformed, Report, read_key, utf8, verify_export


def covered(entry: dict[str, Any], vkey: str) -> bool:
    """Whether the entry's leaf is in the tree whose root the checkpoint signs with this key."""
    proof = entry["proof"]
    try:
        signed = note.open(proof["checkpoint"], note.Verifier.from_text(vkey))
        hashes = [bytes.fromhex(each) for each in proof["hashes"]]
        return verify_inclusion(leaf_hash(utf8(entry["leaf"])), entry["index"], signed.size, hashes, signed.root)
    except (HandrailError, ValueError):
        return False


def check_export(path: Path, key: str, checkpoints: Path | None) -> Report:
    """The report on an export. Raises Trouble where there is nothing that could be checked."""
    try:
        more = checkpoints.read_text(encoding="utf-8", errors="surrogateescape") if checkpoints else ""
        return verify_export(path, _key(key) if key else None, more)
    except (CannotRead, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as fault:
        raise Trouble(
            f"It cannot be read: {fault}", USAGE, "Give an export: a folder or a .zip.", "unreadable"
        ) from None


def _key(text: str) -> Key:
    """A key given as text, or as a file that holds it."""
    try:
        if "+" not in text or Path(text).is_file():
            text = Path(text).read_text(encoding="utf-8")
        return read_key(text.strip())
    except (OSError, Malformed, ValueError) as fault:
        raise Trouble(f"The key cannot be read: {fault}", USAGE, "Give the key's text, or a file with it.") from None
