"""Audiences: who is told, over which channels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handrail.kernel.errors import Fault


@dataclass(frozen=True)
class Audience:
    name: str
    title: str
    channels: tuple[str, ...]


def from_document(document: Any) -> tuple[Mapping[str, Audience], list[Fault]]:
    """Read an audience document; every fault at its JSON pointer."""
    if not isinstance(document, dict) or document.get("kind") != "audience":
        return {}, [Fault("/kind", "An audience document starts with “kind: audience”.")]
    written = document.get("audiences")
    if not isinstance(written, dict) or not written:
        return {}, [Fault("/audiences", "Name at least one audience.")]
    audiences, faults = {}, []
    for name, item in written.items():
        where = f"/audiences/{name}"
        channels = item.get("channels") if isinstance(item, dict) else None
        if not isinstance(channels, list) or not channels or not all(isinstance(part, str) for part in channels):
            faults.append(Fault(f"{where}/channels", "Give the audience a list of channels."))
            continue
        audiences[str(name)] = Audience(str(name), str(item.get("title") or name), tuple(channels))
    return audiences, faults
