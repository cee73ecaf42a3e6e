"""What an action is: a typed, risk-classed effect outside Handrail, with preview, execute, probe, undo and simulate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from handrail.domain.catalog import Catalog


class Risk(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True)
class Manifest:
    """Static facts of an action. `inputs` is a JSON Schema of its parameters."""

    name: str
    title: str
    risk: Risk
    reversible: bool
    inputs: Mapping[str, Any]


@dataclass(frozen=True)
class Preview:
    """What would happen, computed without effect and bound into the digest that people approve.

    `changes` are exact lines of what changes, `blast_radius` the services touched, `undo` how to take it back,
    `signal` what must recover afterwards.
    """

    summary: str
    changes: tuple[str, ...]
    blast_radius: tuple[str, ...]
    undo: str
    signal: str


class OutcomeStatus(StrEnum):
    DONE = "done"
    NOT_DONE = "not_done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    """What became of one effect. FAILED means that the outside said no; UNKNOWN means that nobody can tell."""

    status: OutcomeStatus
    detail: str
    output: dict[str, Any] = field(default_factory=dict)


class Action(Protocol):
    """One kind of effect. Every call is bounded in time; `key` is the same for every try of the same act."""

    manifest: Manifest

    def preview(self, parameters: Mapping[str, Any], catalog: Catalog) -> Preview: ...

    def execute(self, parameters: Mapping[str, Any], catalog: Catalog, key: str) -> Outcome: ...

    def probe(self, parameters: Mapping[str, Any], catalog: Catalog, key: str) -> Outcome: ...

    def undo_parameters(self, parameters: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]: ...

    def simulate(self, parameters: Mapping[str, Any], catalog: Catalog, key: str) -> Outcome: ...
