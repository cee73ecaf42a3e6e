"""A runbook as it is gathered from a source: tasks for people alone, within the limits; the rest is a loss.

Nothing here can make a task that acts: a command of the source is text in the instructions of a human task.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from handrail.domain import runbook
from handrail.kernel.errors import BadInput, BrokenInvariant
from handrail.kernel.limits import LIMITS
from handrail.plugins.importers.contract import ImportedRunbook, Loss
from handrail.plugins.importers.runbook_reading import Part, shown

_UNFIT = re.compile(r"[^a-z0-9]+")
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ID_CHARS = 60
_BRACES = re.compile(r"\{(?=\{)")
# Line ends and tabs stay; other controls, and characters that turn text round, are written out.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_FORMULA = ("=", "+", "-", "@", "\t")
# Where the source names an input: what no text of a source can hold, because controls are written out before.
_MARK = re.compile("\x00([a-z_]+)\x01")
KEEP = "Write it into the instructions of the task that it concerns, if people need it."


@dataclass
class _One:
    id: str
    title: str
    where: str
    instructions: list[str]
    needs: dict[str, None] = field(default_factory=dict)
    owner: str = ""
    due_minutes: int | None = None


class RunbookDraft:
    """Grows with what is read; `done` gives the result. `put` turns the source's references to inputs into ours."""

    def __init__(self, source: str) -> None:
        self.inputs: dict[str, str] = {}
        self.put: Callable[[str], str] = lambda text: text
        self._source = source
        self._title = ""
        self._about: list[str] = []
        self._tasks: dict[str, _One] = {}
        self._counts: dict[str, int] = {}
        self._losses: dict[Loss, None] = {}
        self._too_many = False

    def lose(self, where: str, what: str, do: str) -> None:
        self._losses[Loss(where[: LIMITS.label_chars] or "/", _plain(what)[: LIMITS.title_chars], do)] = None

    def title(self, text: str, where: str) -> None:
        self._title = self._text(text, where, LIMITS.title_chars, line=True)

    def about(self, text: str, where: str, what: str) -> None:
        """Something about the whole runbook: our form has no place for it but the first task's instructions."""
        if text.strip():
            self._about.append(text)
            self.lose(where, f"{what} has no place of its own; it stands in the first task's instructions.", "Read it.")

    def placed(self, name: str) -> str | None:
        """What `put` writes for an input of the source; None where it has no such input."""
        return f"\x00{self.inputs[name]}\x01" if name in self.inputs else None

    def input(self, name: str, where: str) -> str:
        """Declare an input; its name as our form may hold it."""
        spelled = "".join(f"_{_DIGITS[int(c)]}" if c in "0123456789" else c for c in name.lower())
        fit = base = re.sub("[^a-z]+", "_", spelled).strip("_")[:60] or "input"
        number = 0
        while fit in self.inputs.values():
            number += 1
            fit = f"{base}_{'x' * number}"
        if fit != name:
            self.lose(where, f"The input {name[:60]} is named {fit} here.", "Use this name when you start a run.")
        self.inputs[name] = fit
        return fit

    def task(self, name: str, where: str, instructions: Iterable[str] = ()) -> str | None:
        """Add a human task; its id, or None where there are too many."""
        if len(self._tasks) >= LIMITS.runbook_tasks:
            if not self._too_many:
                do = "Split the source into several runbooks."
                self.lose(where, f"A runbook has at most {LIMITS.runbook_tasks} tasks; the rest is left out.", do)
            self._too_many = True
            return None
        base = _fit(name, "task")
        count = self._counts[base] = self._counts.get(base, 0) + 1
        made = base if count == 1 else f"{base[: _ID_CHARS - 5]}-{count}"
        while made in self._tasks:
            count += 1
            made = f"{base[: _ID_CHARS - 5]}-{count}"
        self._counts[base] = count
        title = self._text(name, where, LIMITS.title_chars, line=True) or "Task without a name"
        self._tasks[made] = _One(made, title, where, [part for part in instructions if part.strip()])
        return made

    def say(self, task: str, text: str) -> None:
        """Add to a task's instructions."""
        if text.strip():
            self._tasks[task].instructions.append(text)

    def own(self, task: str, owner: str) -> None:
        self._tasks[task].owner = owner

    def due(self, task: str, minutes: int) -> None:
        self._tasks[task].due_minutes = minutes

    def needs(self, task: str, other: str) -> None:
        self._tasks[task].needs[other] = None

    def leave(self, part: Part, advice: Mapping[str, str]) -> None:
        """Whatever nobody took of the part is a loss, with the advice of the innermost key that has one."""
        for left in part.left():
            keys = [key for key in left.where.split("/") if key in advice]
            value = " ".join(shown(left.value).split())
            value = value if len(value) <= 200 else f"{value[:200]} …"
            self.lose(left.where, f"It has no place in a runbook here: {value}", advice[keys[-1]] if keys else KEEP)

    def done(self) -> ImportedRunbook:
        """The runbook. Raises BadInput where the source has no task."""
        if not self._tasks:
            raise BadInput(f"The {self._source} holds no task, so there is nothing to import.", "import_empty")
        self._cut_circles()
        first = next(iter(self._tasks.values()))
        first.instructions[:0] = [f"About this runbook: {text}" for text in self._about]
        title = self._title or f"Imported {self._source}"
        document: dict[str, Any] = {"kind": "runbook", "name": _fit(title, "runbook"), "title": title}
        if self.inputs:
            document["inputs"] = list(self.inputs.values())
        document["tasks"] = [self._written(one) for one in self._tasks.values()]
        _, faults = runbook.from_document(document)
        if faults:
            raise BrokenInvariant(f"An imported runbook has a fault at {faults[0].where}: {faults[0].what}")
        return ImportedRunbook(document, self._bounded())

    def _bounded(self) -> tuple[Loss, ...]:
        losses = tuple(self._losses)
        if len(losses) <= LIMITS.runbook_import_losses:
            return losses
        kept = losses[: LIMITS.runbook_import_losses - 1]
        more = f"{len(losses) - len(kept)} more losses are not listed."
        return (*kept, Loss("/", more, "Split the source, and import the parts."))

    def _written(self, one: _One) -> dict[str, Any]:
        made: dict[str, Any] = {"id": one.id, "title": one.title, "kind": "human"}
        if one.needs:
            made["needs"] = list(one.needs)
        if one.owner:
            made["owner"] = self._text(one.owner, one.where, LIMITS.label_chars, line=True)
        if one.due_minutes is not None:
            made["due_minutes"] = one.due_minutes
        text = self._text("\n\n".join(one.instructions), one.where, LIMITS.summary_chars)
        return {**made, "instructions": text} if text else made

    def _text(self, text: str, where: str, chars: int, line: bool = False) -> str:
        """A text of the source made harmless: no input of ours, no control character, no formula, no endless one."""
        made = " ".join(text.split()) if line else text.strip().replace("\r\n", "\n").replace("\r", "\n")
        if _CONTROLS.search(made):
            self.lose(where, "It holds control characters; they are written out.", "Delete them.")
            made = _plain(made)
        made = self.put(made)
        if _BRACES.search(made):
            do = "Declare an input where one is meant, and write {{ inputs.name }}."
            self.lose(where, "It holds double braces; they were parted, so that nothing is put in.", do)
            made = _BRACES.sub("{ ", made)
        made = _MARK.sub(r"{{ inputs.\1 }}", made)
        if made.startswith(_FORMULA):
            do = "Delete the apostrophe if you like; it keeps spreadsheets from reading a formula."
            self.lose(where, f"It begins with {made[0]!r}; an apostrophe stands before it.", do)
            made = f"'{made}"
        if len(made) > chars:
            do = "Keep the long text elsewhere and link it."
            self.lose(where, f"The text has {len(made)} characters; it was cut at {chars}.", do)
            made = made[:chars].rstrip()
            made = made if made.rfind("{{") <= made.rfind("}}") else made[: made.rfind("{{")]
        return made

    def _cut_circles(self) -> None:
        """Drop each need that leads back, seen from the first task on: a loop of the source has no place here."""
        after: dict[str, list[str]] = {name: [] for name in self._tasks}
        for one in self._tasks.values():
            for need in one.needs:
                after[need].append(one.id)
        done: set[str] = set()
        for root in self._tasks:
            way: dict[str, Any] = {} if root in done else {root: iter(after[root])}
            while way:
                here = next(reversed(way))
                following = next(way[here], None)
                if following is None:
                    done.add(here)
                    del way[here]
                elif following in way:
                    del self._tasks[following].needs[here]
                    what = f"{following} after {here} closes a circle; it does not wait for it here."
                    self.lose(self._tasks[here].where, what, "Write into the instructions when to go back.")
                elif following not in done:
                    way[following] = iter(after[following])


def _fit(name: str, otherwise: str) -> str:
    fit = _UNFIT.sub("-", name.lower()).strip("-")
    fit = fit if fit[:1].isalpha() else f"{otherwise}-{fit}".strip("-")
    return fit[:_ID_CHARS].strip("-")


def _plain(text: str) -> str:
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class _Dumper(yaml.SafeDumper):
    """Text of several lines stands as a block, as a person would write it."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)


def as_yaml(imported: ImportedRunbook) -> str:
    """The document as a person edits it."""
    written = yaml.dump(imported.document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return f"# Imported, with tasks for people alone. Read it and its losses before you put it forward.\n{written}"
