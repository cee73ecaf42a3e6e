"""Cutover's table of tasks (CSV), as it is uploaded or exported: each row a human task, predecessors its needs.

Ids are written `#7`. The order is by predecessors, not by rows. What a column of its own has no place for here stands
in the instructions. https://help.cutover.com/en/articles/6171869-task-upload-template-guide
"""

import csv
import io
import re

from handrail.kernel.errors import BadInput, Fault
from handrail.plugins.importers.contract import ImportedRunbook, RunbookImporter
from handrail.plugins.importers.runbook_draft import KEEP, RunbookDraft
from handrail.plugins.importers.runbook_reading import read_source

_OWN = ("Task ID", "Title", "Predecessor IDs", "Description", "Assigned Team")
_SPAN = re.compile(
    r"(?:(\d{1,3})\s*h)?\s*(?:(\d{1,4})\s*m(?:in)?)?$|(\d{1,3}):([0-5]\d)(?::([0-5]\d))?$", re.IGNORECASE
)
_TEAM_UNFIT = re.compile(r"[^a-z0-9]+")
_MINUTES_MAX = 10_080


def knows(text: str) -> bool:
    heading = text.lstrip("\ufeff").split("\n", 1)[0]
    return "Task ID" in heading and "Title" in heading


def read(body: bytes) -> ImportedRunbook:
    """The runbook of a table. Raises BadInput without a heading row with Title, or where it is no table."""
    rows = csv.reader(io.StringIO(read_source(body)), strict=True)
    try:
        return _read_rows([(rows.line_num, row) for row in rows])
    except csv.Error as error:
        fault = Fault(f"{rows.line_num}:1", str(error))
        raise BadInput("The file is not a readable table.", "import_unreadable", (fault,)) from None


def _read_rows(rows: list[tuple[int, list[str]]]) -> ImportedRunbook:
    columns = [column.strip() for column in rows[0][1]] if rows else []
    if "Title" not in columns or "Task ID" not in columns:
        raise BadInput("The first row has no columns “Task ID” and “Title”.", "import_unreadable")
    twice = next((column for column in columns if column in _OWN and columns.count(column) > 1), None)
    if twice:
        raise BadInput(f"The column “{twice}” stands twice; keep one.", "import_unreadable")
    draft = RunbookDraft("Cutover table")
    tasks: dict[str, str] = {}
    waits: list[tuple[str, str, str]] = []
    for number, row in rows[1:]:
        if any(cell.strip() for cell in row):
            _read_row(draft, columns, row, f"line {number}", tasks, waits)
    for task, names, where in waits:
        for name in re.split(r"[,;\s]+", names.strip()):
            if name.lstrip("#") in tasks:
                draft.needs(task, tasks[name.lstrip("#")])
            elif name:
                do = "Add the task, or leave it so."
                draft.lose(where, f"It waits for {name[:80]}, which is no task here.", do)
    draft.lose("/", "A table has no title, and a runbook needs one.", "Write a title and a name of your own.")
    return draft.done()


def _read_row(
    draft: RunbookDraft, columns: list[str], row: list[str], where: str, tasks: dict[str, str],
    waits: list[tuple[str, str, str]],
) -> None:  # fmt: skip
    cells = [cell.strip() for cell in row]
    own = {column: cell for column, cell in zip(columns, cells, strict=False) if column in _OWN}
    others = [(column, cell) for column, cell in zip(columns, cells, strict=False) if column not in _OWN and cell]
    told = "\n".join(f"{column or 'Column without a name'}: {cell}" for column, cell in others)
    made = draft.task(own.get("Title", ""), where, [own.get("Description", ""), told])
    for surplus in cells[len(columns) :]:
        if surplus:
            draft.lose(where, f"The row is longer than its heading; this cell has no column: {surplus}", KEEP)
    if made is None:
        return
    if not own.get("Title"):
        draft.lose(where, "The row has no title.", "Write one.")
    for column, _ in others:
        what = f"The column “{column[:80]}” has no place of its own; it stands in the instructions."
        draft.lose("line 1", what, "Read it, and write what matters where it belongs.")
    _number(draft, own.get("Task ID", ""), made, where, tasks)
    if own.get("Predecessor IDs"):
        waits.append((made, own["Predecessor IDs"], where))
    if own.get("Assigned Team"):
        _assign(draft, own["Assigned Team"], made, where)
    _set_due(draft, dict(others).get("Planned Duration", ""), made, where)


def _number(draft: RunbookDraft, written: str, task: str, where: str, tasks: dict[str, str]) -> None:
    number = written.lstrip("#")
    if not number:
        return
    if number in tasks:
        what = f"The id {written[:80]} stands on a row before; what waits for it waits for that row."
        draft.lose(where, what, "Give each task an id of its own.")
    else:
        draft.lose(where, f"Task {written[:80]} has the id {task} here.", "Use it where tasks are named.")
    tasks.setdefault(number, task)


def _assign(draft: RunbookDraft, team: str, task: str, where: str) -> None:
    fit = _TEAM_UNFIT.sub("-", team.lower()).strip("-")
    if not fit:
        draft.lose(where, f"“{team[:80]}” cannot be the name of a team.", "Name an owner.")
        return
    draft.own(task, f"team:{fit}")
    if fit != team:
        draft.lose(where, f"The team “{team[:200]}” is written team:{fit}.", "See that there is a team of this name.")


def _set_due(draft: RunbookDraft, written: str, task: str, where: str) -> None:
    """A span with its units becomes due_minutes; a bare number stays in the instructions alone."""
    found = _SPAN.match(written) if written else None
    if found is None or not any(found.groups()):
        return
    hours, minutes = int(found[1] or found[3] or 0), int(found[2] or found[4] or 0)
    span = hours * 60 + minutes + (1 if int(found[5] or 0) else 0)
    if 0 < span <= _MINUTES_MAX:
        draft.due(task, span)
        draft.lose(where, f"The planned duration {written} is due_minutes {span}.", "See that it is meant so.")


RUNBOOK_IMPORTER = RunbookImporter("cutover", "Cutover table", "the CSV of Cutover's tasks", knows, read)
