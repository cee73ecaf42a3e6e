"""Mines the templates of log lines as they come, with bounded memory and one configuration for all systems.

A line is told by its shape alone first (numbers, addresses and the like masked), which is fast and mostly enough. From
time to time templates that turned out to be one are merged. So a group's id may later stand for a wider group:
`group_of` gives the id as it is known now, and ids once merged never part again. Equal input gives equal output.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from handrail.kernel.limits import LIMITS, Limits
from handrail.signals.logs.merge import Tokens, covers, merge_templates
from handrail.signals.logs.setting import Setting
from handrail.signals.logs.shapes import ANY, WordShapes, line_shape, tokens_of

_MERGE_AFTER_FIRST = 256


@dataclass(frozen=True)
class Template:
    """`text` has `<*>` for every parameter; `lines` counts the lines that had it."""

    group: int
    text: str
    lines: int


class TemplateMiner:
    """`words` may be shared between miners: the shape of a word is the same in every log."""

    def __init__(
        self, setting: Setting | None = None, limits: Limits = LIMITS, words: WordShapes | None = None
    ) -> None:
        self._setting = setting or Setting()
        self._limits = limits
        self._words = WordShapes() if words is None else words
        self._groups_by_shape: dict[str, int] = {}
        self._groups_by_tokens: dict[Tokens, int] = {}
        self._wide: dict[int, list[Tokens]] = {}
        self._parents: list[int] = []
        self._counts: list[int] = []
        self._merge_at = _MERGE_AFTER_FIRST
        self._unmerged = False
        self._overflow: int | None = None

    def add(self, line: str) -> int:
        """The line's group, as known now."""
        shape = line_shape(line, self._words)
        group = self._groups_by_shape.get(shape)
        if group is None:
            group = self._learn(shape)
        self._counts[group] += 1
        return group

    @property
    def size(self) -> int:
        """How many shapes, templates and ids are remembered."""
        return len(self._groups_by_shape) + len(self._groups_by_tokens) + len(self._parents)

    def group_of(self, group: int) -> int:
        """What a group is called now, after the merges since it was given out."""
        parents = self._parents
        while parents[group] != group:
            parents[group] = parents[parents[group]]
            group = parents[group]
        return group

    def merge(self) -> None:
        """Join templates that turned out to be one. It happens by itself as templates grow; asking for it at the end
        of a batch gives the groups of the whole batch."""
        if not self._unmerged:
            return
        self._unmerged = False
        wider = merge_templates(self._groups_by_tokens, self._setting)
        for tokens in sorted(wider):
            group = self._groups_by_tokens.pop(tokens)
            kept = self._groups_by_tokens.setdefault(wider[tokens], group)
            self._join(group, kept)
        self._remember_wide(wider)
        self._groups_by_shape = {shape: self.group_of(group) for shape, group in self._groups_by_shape.items()}
        known, most = len(self._groups_by_tokens), self._limits.log_templates
        doubled = max(_MERGE_AFTER_FIRST, 2 * known)
        # One merge more just before the bound is reached, and none for every line beyond it.
        self._merge_at = min(doubled, most) if known < most else doubled

    def _remember_wide(self, wider: Mapping[Tokens, Tokens]) -> None:
        """Keep merged templates at hand by length, so that a line they cover needs no template of its own."""
        known = {tokens for same in self._wide.values() for tokens in same} | set(wider.values())
        self._wide = {}
        for tokens in sorted(known & self._groups_by_tokens.keys()):
            self._wide.setdefault(len(tokens), []).append(tokens)

    def templates(self) -> list[Template]:
        """Every template known now, by group."""
        known = [(group, "".join(tokens)) for tokens, group in self._groups_by_tokens.items()]
        if self._overflow is not None:
            known.append((self._overflow, ANY))
        return [Template(group, text, self._counts[group]) for group, text in sorted(known)]

    def _learn(self, shape: str) -> int:
        tokens = tokens_of(shape)[: LIMITS.log_line_tokens]
        group = self._find(tokens)
        if group is None and len(self._groups_by_tokens) >= self._merge_at:
            self.merge()
            group = self._find(tokens)
        if group is None:
            group = self._new_group(tokens)
        if len(self._groups_by_shape) >= self._limits.log_shapes_remembered:
            self._groups_by_shape.clear()
        self._groups_by_shape[shape] = group
        return group

    def _find(self, tokens: Tokens) -> int | None:
        group = self._groups_by_tokens.get(tokens)
        if group is not None:
            return group
        wide = next((wide for wide in self._wide.get(len(tokens), ()) if covers(wide, tokens)), None)
        return None if wide is None else self._groups_by_tokens[wide]

    def _new_group(self, tokens: Tokens) -> int:
        if len(self._groups_by_tokens) >= self._limits.log_templates or len(self._parents) >= self._limits.log_groups:
            if self._overflow is None:
                self._overflow = self._append()
            return self._overflow
        self._unmerged = True
        return self._groups_by_tokens.setdefault(tokens, self._append())

    def _append(self) -> int:
        self._parents.append(len(self._parents))
        self._counts.append(0)
        return len(self._parents) - 1

    def _join(self, group: int, kept: int) -> None:
        if group == kept:
            return
        self._parents[group] = kept
        self._counts[kept] += self._counts[group]
        self._counts[group] = 0
