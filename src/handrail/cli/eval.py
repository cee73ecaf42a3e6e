"""`handrail eval`: score the shipped methods on benchmark data, without a server."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from handrail.cli import output
from handrail.cli.options import Json, single
from handrail.cli.trouble import USAGE, Trouble
from handrail.kernel.errors import HandrailError

app = single()

# suite: the module of `handrail.evals` whose `evaluate` scores it.
SUITES = {"metrics": "metrics", "logs": "logs", "group": "group"}


@app.command()
def evaluate(
    suite: Annotated[str, typer.Argument(help=f"One of {', '.join(SUITES)}.")],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The benchmark data, or any part of it.")],
    threshold: Annotated[
        float | None, typer.Option(help="metrics: the score at which a point is an alarm, instead of the shipped one.")
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the raw output, so that others can score it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Score the methods as they are shipped on benchmark data; one configuration for all of it.

    \b
    Examples:
      handrail eval metrics ./nab --json
      handrail eval logs ./loghub_2k --predictions groups.csv
      handrail eval group ./ait_alerts
    """
    if suite not in SUITES:
        raise Trouble(f"There is no suite “{suite}”; known: {', '.join(SUITES)}.", USAGE)
    if not directory.is_dir():
        raise Trouble(f"{directory} is no folder.", USAGE)
    method = import_module(f"handrail.evals.{SUITES[suite]}")
    try:
        report = method.evaluate(directory, threshold=threshold, predictions=predictions)
    except HandrailError as refused:
        raise Trouble(str(refused), USAGE, code=refused.code) from refused
    content = report.as_dict()
    if as_json:
        output.print_json(content)
        return
    parts = {name: content[name] for name in ("scores", "speed", "config")}
    rows = [(part, name, value) for part, values in parts.items() for name, value in _flat("", values)]
    output.talk(f"{report.suite} on {report.data}: {report.n} scored, Handrail {report.version}.")
    columns: list[output.Column] = [
        ("of", lambda row: row["of"]),
        ("name", lambda row: row["name"]),
        ("value", lambda row: row["value"]),
    ]
    output.print_rows(
        [{"of": part, "name": name, "value": _text(value)} for part, name, value in rows], columns, "No scores."
    )


def _flat(under: str, values: object) -> list[tuple[str, object]]:
    if not isinstance(values, dict):
        return [(under, values)]
    return [pair for name, value in values.items() for pair in _flat(f"{under}.{name}".lstrip("."), value)]


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) and abs(value) < 1000 else str(value)
