"""What an importer is: a pure function from bytes to what a document holds, with everything that it could not take.

An Importer reads services and rules for the catalogue, a RunbookImporter one runbook. What they give is put forward
as a document like any other, by a person who has read it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handrail.domain.service import Rule, Service

# Where the source names nobody. It stands out on the page of the catalogue until somebody takes the service.
UNOWNED = "unowned"


@dataclass(frozen=True)
class Loss:
    """Something that was in the source and is not, or not as it was, in the result.

    `where` is a place that a person can find (a JSON pointer, `line 7`), `do` what this person should do about it.
    """

    where: str
    what: str
    do: str = ""


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


@dataclass(frozen=True)
class ImportedRunbook:
    """`document` is a runbook in our own form that reads without fault, with tasks for people alone."""

    document: dict[str, Any]
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True)
class RunbookImporter:
    """`knows` tells from a bounded text whether `read` should try it; `read` raises BadInput and TooLarge.

    Its word counts only where no other knows the text, when it is not `sure`.
    """

    name: str
    title: str
    accepts: str
    knows: Callable[[str], bool]
    read: Callable[[bytes], ImportedRunbook]
    sure: bool = True
