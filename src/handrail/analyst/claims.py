"""Checks every citation against the evidence itself before a finding may use it. Pure.

It does not matter who wrote the claim, a rule or a model: evidence that does not exist, words that are not in it,
numbers that nobody measured and times that do not fit are dropped, and the drop is told.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handrail.domain.finding import Citation
from handrail.kernel.clock import to_text

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_SHOWN_CHARS = 80


@dataclass(frozen=True)
class Claim:
    """A citation with the moment that it is about: the moment stands in the evidence and is `not_after` the other."""

    citation: Citation
    at: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True)
class Checked:
    """What may be used, and one sentence for each citation that may not."""

    kept: tuple[Citation, ...]
    dropped: tuple[str, ...]


def check(claims: Iterable[Claim], evidence: Mapping[str, bytes]) -> Checked:
    """Check claims against evidence by digest."""
    kept: list[Citation] = []
    dropped: list[str] = []
    for claim in claims:
        fault = _fault(claim, evidence)
        if fault is None:
            kept.append(claim.citation)
        else:
            dropped.append(f"“{claim.citation.shows[:_SHOWN_CHARS]}” was dropped: {fault}")
    return Checked(tuple(kept), tuple(dropped))


def _fault(claim: Claim, evidence: Mapping[str, bytes]) -> str | None:
    citation = claim.citation
    content = evidence.get(citation.evidence)
    if content is None:
        return "the evidence that it cites does not exist."
    if not citation.quote.strip():
        return "it quotes nothing."
    text = content.decode("utf-8", "replace")
    leaves = tuple(_leaves(_read(text)))
    if not _stands_in(citation.quote, text, leaves):
        return "the evidence does not say that."
    if claim.at is not None and not any(isinstance(leaf, str) and to_text(claim.at) == leaf for leaf in leaves):
        return "the evidence holds no such time."
    if claim.at is not None and claim.not_after is not None and claim.at > claim.not_after:
        return "its time comes after what it should explain."
    return None


def _stands_in(quote: str, text: str, leaves: tuple[Any, ...]) -> bool:
    """Whether the quote is a measured number, or stands word for word in one text of the evidence or in its whole."""
    if _NUMBER.fullmatch(quote):
        return any(
            isinstance(leaf, int | float) and not isinstance(leaf, bool) and leaf == float(quote) for leaf in leaves
        )
    return any(isinstance(leaf, str) and quote in leaf for leaf in leaves) or quote in text


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _leaves(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        else:
            yield item
