"""Entries of the record as rows for people."""

import json
from typing import Any

from handrail.cli.names import Names
from handrail.cli.output import Column, print_fields
from handrail.cli.text import moment, safe

_TELLING = ("title", "words", "result", "claim", "subject", "why", "severity", "stage", "half", "task_id", "role",
            "vote", "status", "channel", "detail", "name", "audience")  # fmt: skip
_TELLING_CHARS = 100


def brief(entry: Any) -> str:
    """The few values that tell most about an entry."""
    said = {**entry["body"], **(entry["personal"] or {})}
    parts = [str(said[name]) for name in _TELLING if isinstance(said.get(name), str | int) and said[name] != ""]
    if isinstance(said.get("subject"), dict):
        parts.insert(0, str(said["subject"].get("title", "")))
    words = safe(" · ".join(parts))
    text = words if len(words) <= _TELLING_CHARS else words[: _TELLING_CHARS - 1] + "…"
    return text + ("  (erased)" if entry["erased"] else "")


def with_actor(names: Names) -> Column:
    return ("WHO", lambda row: names.actor(row["actor"]))


COLUMNS: tuple[Column, ...] = (
    ("INDEX", lambda row: row["index"]),
    ("HAPPENED", lambda row: moment(row["happened_at"])),
    ("TYPE", lambda row: row["type"]),
    ("WHAT", brief),
)


def print_entry(entry: Any, names: Names) -> None:
    """One entry whole."""
    proof, erased = entry["proof"], "erased" if entry["erased"] else ""
    print_fields(
        [
            ("Entry", entry["index"]), ("Stream", f"{entry['stream']} ({entry['seq']})"), ("Type", entry["type"]),
            ("Who", names.actor(entry["actor"])), ("Happened", entry["happened_at"]),
            ("Recorded", entry["recorded_at"]), ("Reason", entry["reason"]), ("Body", _block(entry["body"])),
            ("Personal", _block(entry["personal"]) if entry["personal"] else erased), ("Leaf", entry["leaf"]),
            ("Leaf hash", entry["leaf_hash"]), ("Checkpoint", proof["checkpoint"].rstrip("\n") if proof else ""),
        ]
    )  # fmt: skip


def _block(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
