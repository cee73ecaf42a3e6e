"""A checklist in Markdown (CommonMark with the `- [ ]` of GitHub): items become human tasks, one after the other.

Boxes and numbered items are tasks; where there are none, plain items are. Headings stand before the titles. Text,
tables, links and fenced commands below an item are its instructions: commands are text for a person.
"""

import re
from dataclasses import dataclass, field

from handrail.kernel.errors import BadInput
from handrail.plugins.importers.contract import ImportedRunbook, RunbookImporter
from handrail.plugins.importers.runbook_draft import KEEP, RunbookDraft
from handrail.plugins.importers.runbook_reading import read_source

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)$")
_BOX = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\[([ xX])\][ \t]+(.+)$")
_NUMBER = re.compile(r"[ \t]*\d{1,9}[.)][ \t]+(.+)$")
_BULLET = re.compile(r"[ \t]*[-*+][ \t]+(.+)$")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([^`]*)$")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")


@dataclass
class _State:
    draft: RunbookDraft
    forms: tuple[re.Pattern[str], ...]
    headings: list[str] = field(default_factory=lambda: [""] * 7)
    has_title: bool = False
    last: str | None = None
    open: str | None = None
    waiting: list[tuple[int, str]] = field(default_factory=list)


def knows(text: str) -> bool:
    return any(_BOX.match(line) or _HEADING.match(line) for line in text.splitlines()) and text.lstrip()[:1] != "{"


def read(body: bytes) -> ImportedRunbook:
    """The runbook of a checklist. Raises BadInput where no line is an item of a list."""
    lines = read_source(body).split("\n")
    draft = RunbookDraft("checklist")
    begin = _front_matter(draft, lines)
    blocks = list(_blocks(lines, begin))
    items = [text for _, text, is_code in blocks if not is_code and not _RULE.match(text)]
    forms = (_BOX, _NUMBER) if any(_BOX.match(line) or _NUMBER.match(line) for line in items) else (_BULLET,)
    if not any(form.match(line) for form in forms for line in items):
        raise BadInput("No line of the file is an item such as “- [ ] Look at the dashboard”.", "import_unreadable")
    state = _State(draft, forms)
    for at, text, is_code in blocks:
        if is_code:
            _say(state, text, at)
        else:
            _read_line(state, text, at)
    _end_section(state)
    order = "Order is read from the lines: each task needs the one before."
    draft.lose("/", order, "Loosen `needs` where tasks can be done side by side.")
    return draft.done()


def _front_matter(draft: RunbookDraft, lines: list[str]) -> int:
    """Tell the lines between the two `---` at the beginning as losses; where the text goes on."""
    if lines[0].strip() != "---":
        return 0
    end = next((n for n, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
    for n, line in enumerate(lines[1:end], 2):
        if line.strip():
            draft.lose(f"line {n}", f"The front matter has no place here: {line.strip()}", KEEP)
    return end + 1 if end else 0


def _blocks(lines: list[str], begin: int) -> list[tuple[int, str, bool]]:
    """Number, text and whether it is code, of each line and each fenced block that says something."""
    found, at = [], begin
    while at < len(lines):
        line = lines[at].rstrip()
        fence = _FENCE.match(line)
        if fence is None:
            found += [(at + 1, line, False)] if line else []
            at += 1
            continue
        closing = (n for n in range(at + 1, len(lines)) if lines[n].strip().startswith(fence[1]))
        end = next((n for n in closing if not lines[n].strip().strip(fence[1][0])), len(lines))
        kind = f" ({fence[2].strip()})" if fence[2].strip() else ""
        code = "\n".join(lines[at + 1 : end])
        if code.strip() or kind:
            found.append((at + 1, f"Commands, to be read and run by a person{kind}:\n{code}", True))
        at = end + 1
    return found


def _read_line(state: _State, line: str, at: int) -> None:
    heading = _HEADING.match(line)
    if heading:
        _head(state, len(heading[1]), heading[2].strip().rstrip("#").strip(), at)
        return
    if _RULE.match(line):
        return
    item = next((found for form in state.forms if (found := form.match(line))), None)
    if item is None:
        _say(state, line.strip(), at)
        return
    if item.re is _BOX and item[1] != " ":
        state.draft.lose(f"line {at}", "The box is ticked; the task is open here.", "Nothing, if it is done each time.")
    _add(state, item[item.re.groups].strip(), at)


def _head(state: _State, level: int, words: str, at: int) -> None:
    _end_section(state)
    if level == 1 and not state.has_title:
        state.has_title = True
        state.draft.title(words, f"line {at}")
        return
    state.headings[level:] = [words, *[""] * (6 - level)]
    what = f"The heading “{words[:200]}” stands before the titles of its tasks: a runbook has no streams here."
    state.draft.lose(f"line {at}", what, "Shorten the titles.")


def _add(state: _State, words: str, at: int) -> None:
    title = ": ".join([*filter(None, state.headings), words])
    made = state.draft.task(title, f"line {at}", [text for _, text in state.waiting])
    state.waiting = []
    if made is None:
        return
    if state.last is not None:
        state.draft.needs(made, state.last)
    state.last = state.open = made


def _say(state: _State, text: str, at: int) -> None:
    """Text belongs to the item above it in its section, or waits for the first one."""
    if "Commands, to be read" in text[:30]:
        what = "Commands became text in the instructions; nothing runs them."
        state.draft.lose(f"line {at}", what, "Make an action of them, where a machine may do it.")
    if state.open is not None:
        state.draft.say(state.open, text)
    else:
        state.waiting.append((at, text))


def _end_section(state: _State) -> None:
    """What waited for an item of a section that has none is a loss."""
    for at, text in state.waiting:
        state.draft.lose(f"line {at}", f"No item of this section could take it: {text}", KEEP)
    state.waiting, state.open = [], None


# A comment of YAML looks like a heading, so its word is not sure.
RUNBOOK_IMPORTER = RunbookImporter(
    "markdown", "Markdown checklist", "a checklist with “- [ ]” or numbers", knows, read, sure=False
)
