"""One service of the catalogue, and one rule that says to which service an alert belongs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Test: TypeAlias = Literal["equals", "prefix", "glob"]
TESTS: tuple[Test, ...] = ("equals", "prefix", "glob")
FIELDS = ("source", "service", "resource", "title", "severity")
LABEL = "label."


@dataclass(frozen=True)
class Service:
    """One service. `tier` 1 is the most important. `depends_on` are names of services it calls; those of them in
    `learned` were seen in traces and declared by nobody. `functions` are the regulated or important functions that it
    carries, `data_classes` what kinds of data it holds. `labels` are those that its alerts carry."""

    name: str
    title: str
    owner: str
    tier: int = 3
    depends_on: tuple[str, ...] = ()
    control_url: str | None = None
    signal_url: str | None = None
    functions: tuple[str, ...] = ()
    environment: str | None = None
    region: str | None = None
    learned: tuple[str, ...] = ()
    data_classes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Match:
    """One condition of a rule. `field` is one of FIELDS or `label.NAME`; a glob knows * and ? and nothing else."""

    field: str
    test: Test
    value: str

    def holds(self, said: str) -> bool:
        """Whether what an alert says in this field meets the condition."""
        if self.test == "equals":
            return said == self.value
        return said.startswith(self.value) if self.test == "prefix" else glob(self.value, said)

    def __str__(self) -> str:
        return f"{self.field} {self.test} {self.value}"


@dataclass(frozen=True)
class Rule:
    """Alerts that meet every one of `matches` belong to `service`. Rules are asked in order; the first decides."""

    name: str
    matches: tuple[Match, ...]
    service: str


def glob(pattern: str, text: str) -> bool:
    """Whether the whole text fits the pattern: * is any characters, ? is one. At most len(pattern) * len(text) steps,
    whatever the pattern: a regular expression could take for ever."""
    at = place = 0
    star, resume = -1, 0
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resume += 1
            at, place = star + 1, resume
        else:
            return False
    return all(sign == "*" for sign in pattern[at:])
