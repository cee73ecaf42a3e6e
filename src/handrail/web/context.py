"""What the web layer is given by the wiring: everything that routes may touch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from handrail.operations.shell import Shell
from handrail.plugins.integrations.contract import Inbound
from handrail.record.source import Checkpointer
from handrail.web.live import LiveBus

Application: TypeAlias = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class Context:
    """One process's web layer. `inbound` takes what senders post;
    `read_again(source, kept)` takes a kept payload once more and counts what was accepted, known and rejected;
    `health` gives {"ready": bool, "problems": [...]}."""

    shell: Shell
    live: LiveBus
    checkpointer: Checkpointer
    integrations: frozenset[str]
    inbound: Application
    source_changed: Callable[[], None]
    read_again: Callable[[str, Inbound], tuple[int, int, int]]
    health: Callable[[], dict[str, Any]]
    public_url: str
    secure_cookies: bool
