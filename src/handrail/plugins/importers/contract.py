"""What an importer is: a pure function from bytes to services and rules, with everything that it could not take.

What it gives is made into a catalogue document, and that is put forward like any other: it waits at its gate.
"""

from collections.abc import Callable
from dataclasses import dataclass

from handrail.domain.service import Rule, Service

# Where the source names nobody. It stands out on the page of the catalogue until somebody takes the service.
UNOWNED = "unowned"


@dataclass(frozen=True)
class Loss:
    """Something that was in the source and is not in the result. `where` is a place that a person can find."""

    where: str
    what: str


@dataclass(frozen=True)
class Imported:
    """`services` may depend on services that are not among them: the catalogue in force may have those."""

    services: tuple[Service, ...]
    rules: tuple[Rule, ...] = ()
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True)
class Importer:
    """`read` raises BadInput when the bytes are not what `accepts` says, and TooLarge above the limit."""

    name: str
    title: str
    accepts: str
    read: Callable[[bytes], Imported]
