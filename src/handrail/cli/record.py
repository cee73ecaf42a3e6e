"""`handrail record`: read, proved, verified, signed, exported; and personal text in it erased."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, DryRun, Json, Limit, Reason, Yes, group
from handrail.cli.text import moment
from handrail.cli.trouble import FAILED, USAGE, Trouble

if TYPE_CHECKING:
    from handrail.record.verifier import Report

app = group(
    "The record: everything that happened, in one order, hash-linked and signed.",
    """
    handrail record list --stream incident/inc_01j...
    handrail record show 42
    handrail record verify                                                    the server's own record
    handrail record verify record.zip --key log.vkey --checkpoints kept.log   an export, without a server
    handrail record export record.zip
    """,
)


@app.command("list")
def list_(
    stream: Annotated[str, typer.Option(help="Only this stream, such as gate/gat_01j...")] = "",
    type_: Annotated[str, typer.Option("--type", help="Only this type, such as gate.voted.")] = "",
    limit: Limit = PAGE,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """List entries, newest first."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.entries import COLUMNS, with_actor
    from handrail.cli.names import Names

    client = connect()
    found = client.pages(path_of("record", "entries"), {"stream": stream, "type": type_, "cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    where: output.Column = ("STREAM", lambda row: row["stream"])
    columns = [*COLUMNS[:2], where, COLUMNS[2], with_actor(Names(client)), COLUMNS[3]]
    return output.print_page(found, columns, "No such entry.")


@app.command()
def show(
    index: Annotated[int, typer.Argument(min=0, help="The entry's index.")],
    as_json: Json = False,
) -> None:
    """Show one entry with its leaf, and check here that a signed checkpoint covers it."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.entries import print_entry
    from handrail.cli.names import Names
    from handrail.cli.proof import covered

    client = connect()
    found = client.get(path_of("record", "entries", str(index)))
    vkey = client.get(path_of("record"))["vkey"]
    if as_json:
        return output.print_json({**found, "proof_holds": covered(found, vkey) if found["proof"] else None})
    print_entry(found, Names(client))
    if not found["proof"]:
        output.talk("No checkpoint covers it yet; one is signed every few seconds.")
    elif covered(found, vkey):
        output.talk(f"Checked here: the signed checkpoint of {found['proof']['size']} entries covers it.")
    else:
        raise Trouble("The inclusion proof does not hold.", FAILED, "Run `handrail record verify`.", "proof_fails")
    return None


@app.command()
def verify(
    export: Annotated[
        Path | None, typer.Argument(help="An export (folder or .zip), checked here without a server. Left out: the "
                                         "server verifies its own record.")
    ] = None,
    key: Annotated[str, typer.Option(help="The log's public key as you hold it from elsewhere, or a file.")] = "",
    checkpoints: Annotated[
        Path | None, typer.Option(help="A checkpoints.log kept outside: shows a rewritten or cut record.")
    ] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Verify the record: every fault is named with the index of its entry. Ends with 0 when it holds, else with 1."""
    if export is None and (key or checkpoints):
        raise Trouble("--key and --checkpoints go with an export.", USAGE, "Name the export, or leave them out.")
    if export is None:
        _verify_online(as_json)
    else:
        _verify_export(export, key, checkpoints, as_json)


def _verify_export(path: Path, key: str, checkpoints: Path | None, as_json: bool) -> None:
    from dataclasses import asdict

    from handrail.cli.proof import check_export
    from handrail.record.verifier import human_report

    report = check_export(path, key, checkpoints)
    if as_json:
        output.print_json({**asdict(report), "key_given": bool(key)})
    else:
        output.print_text(human_report(report, bool(key)))
    _end(report.ok)


def _verify_online(as_json: bool) -> None:
    from handrail.cli.client import connect, path_of

    client = connect()
    found = client.post(path_of("record", "verify"))
    if as_json:
        output.print_json(found)
    else:
        output.print_text(_words(_report(found)))
    _end(bool(found["ok"]))


def _words(report: "Report") -> str:
    """The verifier's own report; its line on keys is for exports, and the server used its own."""
    from handrail.record.verifier import human_report

    lines = human_report(report, True).splitlines()
    return "\n".join("Key          the server's own" if line.startswith("Key ") else line for line in lines)


def _report(found: dict[str, Any]) -> "Report":
    from handrail.record.verifier import Act, Finding, Report

    nested = {
        "findings": [Finding(**each) for each in found["findings"]],
        "acts": [Act(**each) for each in found["acts"]],
    }
    return Report(**{**found, **nested})


def _end(ok: bool) -> None:
    if not ok:
        raise typer.Exit(FAILED)


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="Where to write it: a new .zip.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Export the record as a zip that anybody can verify; that it was exported is an entry."""
    from handrail.cli.client import connect, path_of

    if out.exists():
        raise Trouble(f"{out} exists already; nothing was exported.", USAGE, "Give a name that is free.")
    pieces = connect(dry_run).post_for_bytes(path_of("record", "export"))
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        # The record holds personal text, so the export is for its maker alone until they decide otherwise.
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)
        partial.rename(out)
    except OSError as error:
        raise Trouble(f"{out} cannot be written: {error.strerror}.", USAGE, "Give another place.") from None
    finally:
        partial.unlink(missing_ok=True)
    size = out.stat().st_size
    words = f"Exported {size} bytes. Check it with: handrail record verify {out}"
    output.done({"path": str(out), "bytes": size}, words, as_json, out)


@app.command()
def checkpoint(dry_run: DryRun = False, as_json: Json = False) -> None:
    """Sign what is new now, and print the newest signed checkpoint."""
    from handrail.cli.client import connect, path_of

    client = connect(dry_run)
    signed = client.post(path_of("record", "checkpoint"))["signed_size"]
    found = client.get(path_of("record"))
    if as_json:
        return output.print_json({"signed_size": signed, **found})
    newest = found["checkpoint"]
    output.talk(f"Signed {signed} entries." if signed else "Nothing was new.")
    if newest:
        output.talk(f"The newest checkpoint covers {newest['size']} entries, made {moment(newest['made_at'])}:")
        output.print_text(newest["note"].rstrip("\n"))
    return output.talk(f"Verifier key (keep it elsewhere): {found['vkey']}")


@app.command()
def erase(
    index: Annotated[int, typer.Argument(min=0, help="The entry's index.")],
    reason: Reason,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Erase the personal text of an entry for good; its commitment stays. You type the index, or add --yes."""
    from handrail.cli.client import connect, path_of

    client = connect(dry_run)
    if not dry_run:
        output.confirm(f"The personal text of entry {index} is erased for good.", str(index), yes)
    done = client.post(path_of("record", "entries", str(index), "erase"), {"reason": reason})
    output.done(done, f"The personal text of entry {index} is erased; the record still verifies.", as_json)
