"""A table with a heading row, parted by commas, semicolons or tabs, as spreadsheets write it. One service a row.

Columns: name, title, owner, tier, environment, region, depends_on, functions, data_classes, labels (key=value),
control_url, signal_url; some common other headings are understood. Lists in a cell are parted by ; | or line ends
(with commas too where the table itself is parted otherwise).
"""

import csv
import io
import re
from typing import TYPE_CHECKING

from handrail.kernel.errors import BadInput, Fault
from handrail.plugins.importers.contract import Imported, Importer
from handrail.plugins.importers.draft import LISTS, TEXTS, Draft
from handrail.plugins.importers.reading import read_text

if TYPE_CHECKING:
    import _csv

_HEADINGS = {
    "service": "name", "service_name": "name", "application": "name", "team": "owner", "owning_team": "owner",
    "criticality": "tier", "env": "environment", "dependencies": "depends_on", "data_class": "data_classes",
    "data_classification": "data_classes", "regulated_functions": "functions", "function": "functions",
    "display_name": "title",
}  # fmt: skip
_KNOWN = ("name", "tier", "depends_on", "labels", *TEXTS, *LISTS)


def read(body: bytes) -> Imported:
    """Services of a table. Raises BadInput without a heading row that has a name."""
    text = read_text(body)
    heading = text.split("\n", 1)[0]
    sign = max(",;\t", key=heading.count)
    rows = csv.reader(io.StringIO(text), delimiter=sign, strict=True)
    try:
        return _read_rows(rows, sign)
    except csv.Error as error:
        fault = Fault(f"{rows.line_num}:1", str(error))
        raise BadInput("The file is not a readable table.", "import_unreadable", (fault,)) from None


def _read_rows(rows: "_csv.Reader", sign: str) -> Imported:
    draft = Draft()
    columns = [_column(heading) for heading in next(rows, [])]
    if "name" not in columns:
        raise BadInput(
            "The first row has no column “name” (or service).", "import_unreadable", (Fault("1:1", "No name."),)
        )
    for column in columns:
        if column not in _KNOWN:
            draft.lose("1", f"The column “{column[:60]}” has no place in the catalogue.")
    for row in rows:
        cells = dict(zip(columns, (cell.strip() for cell in row), strict=False))
        if not any(cells.values()):
            continue
        where = str(rows.line_num)
        name = draft.service(cells.get("name", ""), where)
        if name is not None:
            _take(draft, name, cells, where, "[;|\n]" if sign == "," else "[;|,\n]")
    return draft.done()


def _column(heading: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", heading.strip().lower()).strip("_")
    return _HEADINGS.get(plain, plain)


def _take(draft: Draft, name: str, cells: dict[str, str], where: str, parted: str) -> None:
    def many(column: str) -> list[str]:
        return [part.strip() for part in re.split(parted, cells.get(column, "")) if part.strip()]

    for key in TEXTS:
        draft.say(name, key, cells.get(key), where)
    draft.tier(name, cells.get("tier") or None, where)
    for key in LISTS:
        draft.add(name, key, many(key), where)
    for other in many("depends_on"):
        draft.calls(name, other, where)
    for part in many("labels"):
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if sign and key and value:
            draft.label(name, key, value, where)
        else:
            draft.lose(where, f"“{part[:60]}” is no label; write key=value.")


IMPORTER = Importer("csv", "Table (CSV)", "a table with a heading row, one service a row", read)
