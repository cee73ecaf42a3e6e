"""`handrail catalog`: services, the rules by which alerts find them, and what other systems know of services."""

from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import output
from handrail.cli.options import DryRun, Json, group
from handrail.cli.text import moment

if TYPE_CHECKING:
    from handrail.plugins.importers.contract import Imported

app = group(
    "The catalogue: services with owners and dependencies, and the rules by which alerts find their service.",
    """
    handrail catalog show
    handrail catalog resolve --label namespace=shop --label pod=checkout-7d9
    handrail catalog unresolved
    handrail catalog import kubernetes cluster.json --print
    handrail catalog import otel-traces traces.json
    """,
)
_LOSSES_TOLD = 40


@app.command()
def show(as_json: Json = False) -> None:
    """List the services in force, with what fires at each."""
    from handrail.cli.client import connect, path_of

    found = connect().get(path_of("catalog"))
    if as_json:
        return output.print_json(found)
    columns: list[output.Column] = [
        ("SERVICE", lambda row: row["name"]),
        ("TIER", lambda row: row["tier"]),
        ("OWNER", lambda row: row["owner"]),
        ("ENVIRONMENT", lambda row: row["environment"]),
        ("REGION", lambda row: row["region"]),
        ("DEPENDS ON", lambda row: ", ".join(_dependency(row, name) for name in row["depends_on"])),
        ("FIRING", lambda row: f"{row['firing']} {row['worst']}" if row["worst"] else ""),
    ]
    output.print_rows(found["services"], columns, "No catalogue is in force. Propose one: `handrail document propose`.")
    return output.talk(f"Version {found['version']}, {len(found['services'])} services, {len(found['rules'])} rules.")


def _dependency(row: output.Row, name: str) -> str:
    return f"{name} (learned)" if name in row["learned"] else name


@app.command()
def resolve(
    label: Annotated[list[str], typer.Option("--label", metavar="KEY=VALUE", help="Any number of labels.")] = [],  # noqa: B006
    service: Annotated[str, typer.Option(help="The service that the sender names.")] = "",
    resource: Annotated[str, typer.Option(help="The resource that the alert is about.")] = "",
    title: Annotated[str, typer.Option(help="The alert's title.")] = "",
    source: Annotated[str, typer.Option(help="The name of the source.")] = "",
    severity: Annotated[str, typer.Option(help="The sender's own word.")] = "",
    as_json: Json = False,
) -> None:
    """Try to which service an alert would belong. Nothing is stored."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.trouble import NOT_FOUND, Trouble

    said = {"label": label, "service": service, "resource": resource, "title": title, "source": source}
    found = connect().get(path_of("catalog", "resolve"), {**said, "severity": severity})
    if as_json:
        return output.print_json(found)
    if found["service"] is None:
        raise Trouble(f"Unresolved: {found['why']}", NOT_FOUND, "Add a rule to the catalogue, then try again.")
    output.talk(found["why"])
    return output.print_text(found["service"])


@app.command()
def unresolved(as_json: Json = False) -> None:
    """List open alerts that stand at no service of the catalogue, newest first."""
    from handrail.cli.client import connect, path_of

    found = connect().get(path_of("catalog", "unresolved"))
    if as_json:
        return output.print_json(found)
    columns: list[output.Column] = [
        ("ALERT", lambda row: row["id"]),
        ("SEVERITY", lambda row: row["severity"]),
        ("SOURCE", lambda row: row["source"]),
        ("NAMED", lambda row: row["named"]),
        ("TITLE", lambda row: row["title"]),
        ("WHY", lambda row: row["why"]),
        ("LAST", lambda row: moment(row["last_at"])),
    ]
    if found["total"] > len(found["items"]):
        output.talk(f"{found['total']} in all; the newest {len(found['items'])} are shown.")
    return output.print_rows(found["items"], columns, "Every open alert stands at a service of the catalogue.")


@app.command()
def schema(as_json: Json = False) -> None:
    """Print the JSON Schema of a catalogue document, for editors."""
    from handrail.cli.client import connect, path_of

    output.print_json(connect().get(path_of("catalog", "schema")))


def _read(kind: str, body: bytes) -> "Imported":
    from handrail.cli.trouble import Trouble, exit_code_of
    from handrail.kernel.errors import HandrailError
    from handrail.plugins.importers.registry import importer

    try:
        return importer(kind).read(body)
    except HandrailError as error:
        faults = tuple(f"{fault.where}: {fault.what}" for fault in error.faults)
        step = "See `handrail catalog import --help`, and docs/catalog.md for what each kind reads."
        raise Trouble(error.detail, exit_code_of(error.status), step, error.code, faults) from None


@app.command("import")
def import_(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="aws-tags, backstage, csv, kubernetes or otel-traces.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="What the other system printed; - reads it from stdin.")],
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the merged document, and put nothing forward.")
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Read services from another system, add them to the catalogue in force, and put that forward."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.reading import read_bytes
    from handrail.domain import catalog
    from handrail.kernel.yamls import load_yaml
    from handrail.plugins.importers.merge import merge

    imported = _read(kind, read_bytes(file))
    client = connect()
    listed = client.pages(path_of("documents"), limit=10_000)["items"]
    is_there = any(item["id"] == "catalog.default" for item in listed)
    text = client.get(path_of("documents", "catalog.default"))["text"] if is_there else ""
    known, _ = catalog.from_documents(load_yaml(text))
    merged = merge(known, imported)
    if not as_json:
        for loss in merged.losses[:_LOSSES_TOLD]:
            output.talk(f"left out, {loss.where}: {loss.what}")
        if len(merged.losses) > _LOSSES_TOLD:
            output.talk(f"left out: {len(merged.losses) - _LOSSES_TOLD} more; --json lists all")
        output.talk(f"{len(merged.added)} services are new, {len(merged.changed)} change.")
    told = {
        "added": merged.added, "changed": merged.changed, "text": merged.text,
        "losses": [{"where": loss.where, "what": loss.what} for loss in merged.losses],
    }  # fmt: skip
    if only_print:
        return output.print_json(told) if as_json else output.print_text(merged.text.rstrip("\n"))
    if catalog.from_documents(load_yaml(merged.text))[0] == known:
        return output.done({**told, "document": None}, "The catalogue in force says all of it already.", as_json)
    made = connect(dry_run).post_text(path_of("documents"), merged.text, "application/yaml")
    draft, answer = made["draft"], {**told, "document": made}
    if draft and draft["gate_id"]:
        return output.done(answer, f"Version {draft['version']} waits at this gate:", as_json, draft["gate_id"])
    return output.done(answer, f"Version {made['version']} of the catalogue is in force.", as_json, made["id"])
