"""What the web layer is given by the wiring: everything that routes may touch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handrail.operations.shell import Shell
from handrail.record.source import Checkpointer
from handrail.web.live import LiveBus


@dataclass(frozen=True)
class Context:
    """One process's web layer. `health` gives {"ready": bool, "problems": [sentences]}."""

    shell: Shell
    live: LiveBus
    checkpointer: Checkpointer
    integrations: frozenset[str]
    health: Callable[[], dict[str, Any]]
    public_url: str
    secure_cookies: bool
