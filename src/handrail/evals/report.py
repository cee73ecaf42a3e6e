"""What every evaluation prints: its scores with what is needed to run it again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from handrail import __version__


@dataclass(frozen=True)
class Report:
    """`n` counts what was scored (cases, points, lines, alerts). `scores` and `speed` are numbers by name, nested where
    a suite has parts. `config` is the one configuration used, as it is shipped."""

    suite: str
    data: str
    n: int
    scores: Mapping[str, Any]
    speed: Mapping[str, Any]
    config: Mapping[str, Any] = field(default_factory=dict)
    version: str = __version__

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
