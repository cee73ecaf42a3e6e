"""`handrail source`: senders of alerts and changes, and their secrets."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from handrail.cli import output
from handrail.cli.options import PAGE, Cursor, DryRun, Json, Limit, Yes, group
from handrail.cli.text import moment
from handrail.cli.trouble import NOT_FOUND, USAGE, Trouble

app = group(
    "Senders of alerts and changes, and their secrets.",
    """
    handrail source list
    handrail source add prometheus-prod --integration alertmanager
    handrail source secret prometheus-prod                          one more, so that the sender moves without a gap
    handrail source secret prometheus-prod --retire tok_01j...
    handrail source secret github --signing --from secret.txt       the sender's own signing secret
    handrail source severities zabbix --set warning=high            the sender's word, and what it means here
    handrail source try zabbix payload.json                         what a payload would become
    handrail source confirmation aws-alarms --agree cnf_01j...
    handrail source pull prometheus-prod --url https://prom.example --query 'rps=rate(http_requests_total[1m])'
    handrail source remove prometheus-prod
    """,
)
Which = Annotated[str, typer.Argument(metavar="SOURCE", help="Its name or id.")]


class Status(StrEnum):
    LIVE = "live"
    REMOVED = "removed"


@app.command("list")
def list_(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = "",
    as_json: Json = False,
) -> None:
    """List sources and how they are doing."""
    from handrail.cli.client import connect, path_of

    found = connect().pages(path_of("sources"), {"status": status, "cursor": cursor}, limit)
    if as_json:
        return output.print_json(found)
    columns: list[output.Column] = [
        ("SOURCE", lambda row: row["name"]),
        ("ID", lambda row: row["id"]),
        ("FORMAT", lambda row: row["integration"]),
        ("ADDRESS", lambda row: row["address"]),
        ("LAST SEEN", lambda row: moment(row["last_seen_at"]) or "never"),
        ("A MINUTE", lambda row: row["per_minute"]),
        ("ACCEPTED", lambda row: row["accepted"]),
        ("REPEATS", lambda row: row["duplicate"]),
        ("REFUSED", lambda row: row["refused"]),
        ("LAST REFUSAL", lambda row: row["last_refusal"]),
        ("REMOVED", lambda row: moment(row["removed_at"])),
    ]
    return output.print_page(found, columns, "No source. Add one with `handrail source add`.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens.")],
    integration: Annotated[str, typer.Option(help="The format it speaks, such as alertmanager, generic, cloudevents.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Add a source; its token is printed this once."""
    from handrail.cli.client import connect, path_of

    client = connect(dry_run)
    made = client.post(path_of("sources"), {"name": name, "integration": integration})
    address = f"{client.url}{made['source']['address']}"
    output.done(made, f"Let it post to {address} with this token as Bearer; it is shown once:", as_json, made["token"])


@app.command()
def secret(
    source: Which,
    retire: Annotated[str, typer.Option(help="End this secret instead (its id; `source show` has them).")] = "",
    signing: Annotated[
        bool, typer.Option("--signing", help="Make a signing secret: signatures alone count then.")
    ] = False,
    from_file: Annotated[
        str, typer.Option("--from", help="With --signing: a file with the sender's own; - is stdin.")
    ] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Make one more token or signing secret for a source, or retire one."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.reading import read_secret

    if from_file and not signing:
        raise Trouble("A token is always made here.", USAGE, "Add --signing to give the sender's signing secret.")
    given = {"secret": read_secret(from_file)} if from_file else {}

    client = connect(dry_run)
    source_id = _id_of(client, source)
    if retire:
        done = client.post(path_of("sources", source_id, "secrets", retire, "retire"))
        return output.done(done, f"{retire} is refused from now on.", as_json)
    if signing:
        kept = client.post(path_of("sources", source_id, "signing-secrets"), given)
        said = f"One more signing secret ({kept['secret_id']}), which ends in {kept['last_four']}"
        return output.done(kept, f"{said}{'' if given else '; it is shown once:'}", as_json, kept["secret"])
    made = client.post(path_of("sources", source_id, "secrets"))
    return output.done(made, f"One more token ({made['secret_id']}); it is shown once:", as_json, made["token"])


@app.command()
def show(source: Which, as_json: Json = False) -> None:
    """Show a source, the ends of its live secrets, and what it asks to have confirmed."""
    from handrail.cli.client import connect, path_of

    client = connect()
    source_id = _id_of(client, source)
    found = client.get(path_of("sources", source_id))
    secrets = client.get(path_of("sources", source_id, "secrets"))["items"]
    asked = client.get(path_of("sources", source_id, "confirmations"))["items"]
    if as_json:
        return output.print_json({"source": found, "secrets": secrets, "confirmations": asked})
    output.print_fields(
        [("Source", found["name"]), ("Id", found["id"]), ("Format", found["integration"]),
         ("Address", found["address"]), ("Added", moment(found["added_at"])), ("Removed", moment(found["removed_at"])),
         ("Last seen", moment(found["last_seen_at"])), ("A minute now", found["per_minute"]),
         ("In the last hour", sum(found["minutes"])),
         ("May send", f"{found['alerts_per_second']} a second" if found["alerts_per_second"] else "as any source"),
         ("Requests", "{verified} signed, {token} by token, {unsigned} unsigned".format(**found["verdicts"]))]
    )  # fmt: skip
    refused: list[output.Column] = [
        ("REFUSED", lambda row: row["code"]),
        ("TIMES", lambda row: row["count"]),
        ("LAST", lambda row: moment(row["last_at"])),
        ("WHY", lambda row: row["reason"]),
    ]
    output.print_rows(found["refusals"], refused, "Nothing of it was refused.")
    columns: list[output.Column] = [
        ("SECRET", lambda row: row["id"]),
        ("KIND", lambda row: row["kind"]),
        ("ENDS IN", lambda row: row["last_four"]),
        ("SET", lambda row: moment(row["set_at"])),
    ]
    output.print_rows(secrets, columns, "It has no live secret.")
    return _print_confirmations(asked)


@app.command()
def confirmation(
    source: Which,
    agree: Annotated[str, typer.Option(help="Let this sender be called (the confirmation's id).")] = "",
    dismiss: Annotated[str, typer.Option(help="Call nobody, and forget this one.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Show what a sender asks to have confirmed before it sends; agree to it or dismiss it."""
    from handrail.cli.client import connect, path_of

    if agree and dismiss:
        raise Trouble("Agree or dismiss, not both.", USAGE, "Give one of --agree and --dismiss.")
    client = connect(dry_run)
    where = ("sources", _id_of(client, source), "confirmations")
    if not agree and not dismiss:
        found = client.get(path_of(*where))
        return output.print_json(found) if as_json else _print_confirmations(found["items"])
    done = client.post(path_of(*where, agree or dismiss, "agree" if agree else "dismiss"))
    return output.done(done, "The sender is being called." if agree else "Nothing was called.", as_json)


def _print_confirmations(items: list[dict[str, Any]]) -> None:
    columns: list[output.Column] = [
        ("CONFIRMATION", lambda row: row["id"]),
        ("STATE", lambda row: row["status"]),
        ("TOPIC", lambda row: row["topic"]),
        ("LEADS TO", lambda row: row["place"]),
        ("ASKED", lambda row: moment(row["asked_at"])),
        ("MAY BE CALLED", lambda row: "yes" if row["may_be_called"] else "no, never"),
        ("WHAT CAME OF IT", lambda row: row["detail"]),
    ]
    output.print_rows(items, columns, "It asks for no confirmation.")


@app.command()
def heartbeat(
    source: Which,
    every: Annotated[str, typer.Option(metavar="SPAN", help="Silence for longer is an alert: 30s, 5m, 2h.")] = "",
    off: Annotated[bool, typer.Option("--off", help="Silence is nothing.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Expect to hear from a source: when it falls silent, that is an alert, which ends when it is heard again."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.silence import seconds

    if bool(every) == off:
        raise Trouble("Say --every SPAN or --off.", USAGE)
    client = connect(dry_run)
    asked = {"every_seconds": None if off else seconds(every)}
    done = client.post(path_of("sources", _id_of(client, source), "heartbeat"), asked)
    output.done(done, "Silence is nothing." if off else f"Silence for longer than {every} is an alert.", as_json)


@app.command()
def pull(
    source: Which,
    url: Annotated[
        str, typer.Option(help="A server with Prometheus' query API: what stands before /api/v1/query.")
    ] = "",
    query: Annotated[
        list[str] | None, typer.Option("--query", metavar="NAME=PROMQL", help="What is asked; give it again for more.")
    ] = None,
    every: Annotated[str, typer.Option(metavar="SPAN", help="How often.")] = "60s",
    history: Annotated[str, typer.Option(metavar="SPAN", help="How far back is read at the start; 0s: not.")] = "1d",
    user: Annotated[str, typer.Option(help="With it the secret is this user's password, else a token.")] = "",
    secret_from: Annotated[
        str, typer.Option(metavar="FILE", help="The secret that is shown to the server; - is stdin.")
    ] = "",
    no_secret: Annotated[bool, typer.Option("--no-secret", help="Show none from now on.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Pull no metrics any more.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Pull metrics for a source and watch them; without options, show how that goes."""
    from handrail.cli.client import connect, path_of
    from handrail.cli.reading import read_secret
    from handrail.cli.silence import seconds

    client = connect(dry_run)
    if off:
        done = client.post(path_of("sources", _id_of(client, source), "pull", "end"))
        return output.done(done, "Nothing is pulled any more.", as_json)
    if not url and not query:
        found = client.get(path_of("sources", _id_of(client, source)))
        return output.print_json(found["pull"]) if as_json else _print_pull(found["pull"])
    if not url or not query:
        raise Trouble("Say the --url and at least one --query NAME=PROMQL.", USAGE)
    asked: dict[str, Any] = {
        "url": url, "queries": [_named_query(each) for each in query], "every_seconds": seconds(every),
        "history_seconds": seconds(history), "user": user,
    }  # fmt: skip
    if no_secret or secret_from:
        asked["secret"] = "" if no_secret else read_secret(secret_from)
    done = client.post(path_of("sources", _id_of(client, source), "pull"), asked)
    return output.done(done, f"Pulled every {every}; `source pull {source}` shows how that goes.", as_json)


def _named_query(said: str) -> dict[str, str]:
    name, mark, promql = said.partition("=")
    if not mark or not name.strip() or not promql.strip():
        raise Trouble(f"“{said}” is no named query.", USAGE, "Write NAME=PROMQL, such as up=up or rate='rate(x[1m])'.")
    return {"name": name.strip(), "promql": promql.strip()}


def _print_pull(pulled: dict[str, Any] | None) -> None:
    if pulled is None:
        return output.talk("Nothing is pulled for this source. Set it with --url and --query.")
    output.print_fields(
        [("Server", pulled["url"]), ("Every", f"{pulled['every_seconds']} s"),
         ("History", f"{pulled['history_seconds']} s"), ("User", pulled["user"]),
         ("Secret", "shown to the server" if pulled["has_secret"] else "none"),
         ("Last tried", moment(pulled["tried_at"]) or "never"), ("Last pulled", moment(pulled["pulled_at"]) or "never"),
         ("Series", str(pulled["series"])), ("Trouble", pulled["trouble"] or "none"), ("Notes", pulled["notes"])]
    )  # fmt: skip
    columns: list[output.Column] = [("QUERY", lambda row: row["name"]), ("PROMQL", lambda row: row["promql"])]
    return output.print_rows(pulled["queries"], columns, "")


@app.command()
def severities(
    source: Which,
    put: Annotated[
        list[str] | None, typer.Option("--set", metavar="WORD=SEVERITY", help="Read this word so. Repeatable.")
    ] = None,
    unset: Annotated[list[str] | None, typer.Option(metavar="WORD", help="Leave this word to the format.")] = None,
    label: Annotated[
        str | None, typer.Option(help="Take the word from this label, such as labels.priority; empty: no label.")
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Show how the sender's words for severities are read, or set it. The sender's own word is always kept."""
    from handrail.cli.client import connect, path_of

    client = connect()
    where = path_of("sources", _id_of(client, source), "severities")
    found = client.get(where)
    if put is None and unset is None and label is None:
        return output.print_json(found) if as_json else _print_severities(found)
    words = dict(found["words"])
    for each in put or ():
        word, sign, rung = each.rpartition("=")
        if not sign:
            raise Trouble(f"“{each}” is no WORD=SEVERITY.", USAGE, "Write --set warning=high.")
        words[word.strip().lower()] = rung.strip().lower()
    for each in unset or ():
        if words.pop(each.strip().lower(), None) is None:
            raise Trouble(
                f"The source has no word “{each}” of its own.", USAGE, "`source severities SOURCE` lists them."
            )
    asked = {"words": words, "label": found["label"] if label is None else label}
    done = connect(dry_run).post(where, asked)
    return output.done(done, f"{source}: {_mapping_said(done)}", as_json)


def _mapping_said(found: dict[str, Any]) -> str:
    words = ", ".join(f"{word} is {rung}" for word, rung in found["words"].items()) or "no words of its own"
    return f"{words}; the word is taken from the label {found['label']}" if found["label"] else words


def _print_severities(found: dict[str, Any]) -> None:
    rows = [
        {"word": word, "rung": rung, "by": by}
        for by, words in (("this source", found["words"]), ("its format", found["of_the_format"]),
                          ("the ladder", found["of_the_ladder"]))
        for word, rung in words.items()
    ]  # fmt: skip
    columns: list[output.Column] = [
        ("WORD", lambda row: row["word"]), ("MEANS", lambda row: row["rung"]), ("SAYS", lambda row: row["by"]),
    ]  # fmt: skip
    output.print_rows(rows, columns, "")
    output.talk(f"Any other word means {found['otherwise']}.")
    for each in found["unknown"]:
        output.talk(f"Nobody knows its word “{each['word']}”, which it used {each['count']} times.")
    if found["label"]:
        output.talk(f"The word is taken from the label {found['label']}, where an alert has it.")


@app.command()
def rate(
    source: Which,
    per_second: Annotated[int | None, typer.Option(help="Alerts a second that it may send.")] = None,
    off: Annotated[bool, typer.Option("--off", help="As many as any source may.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Set how fast a source may send: beyond that it is told to come back later, and nobody else is slowed."""
    from handrail.cli.client import connect, path_of

    if (per_second is None) != off:
        raise Trouble("Say --per-second N or --off.", USAGE)
    client = connect(dry_run)
    done = client.post(path_of("sources", _id_of(client, source), "rate"), {"alerts_per_second": per_second})
    said = "may send as many alerts as any other" if off else f"may send {per_second} alerts a second"
    output.done(done, f"{source} {said}.", as_json)


def _word_said(alert: dict[str, Any]) -> str:
    return f"{alert['severity_raw'] or ''}{'' if alert['is_known_word'] else ' (no mapping knows it)'}"


@app.command("try")
def try_(
    source: Which,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A payload as the sender would post it; - is stdin.")],
    header: Annotated[
        list[str] | None, typer.Option(metavar="NAME:VALUE", help="A header that the format reads. Repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a payload of this source would become. Nothing is stored, and no signature is checked."""
    import base64

    from handrail.cli.client import connect, path_of
    from handrail.cli.reading import read_bytes

    headers = {}
    for each in header or ():
        name, sign, value = each.partition(":")
        if not sign:
            raise Trouble(f"“{each}” is no header.", USAGE, "Write --header 'Content-Type: application/json'.")
        headers[name.strip()] = value.strip()
    body = base64.b64encode(read_bytes(file)).decode()
    client = connect()
    found = client.post(path_of("sources", _id_of(client, source), "try"), {"body_base64": body, "headers": headers})
    if as_json:
        return output.print_json(found)
    rows = [
        {
            **each,
            "what": "alert",
            "word": f"{each['severity_raw'] or ''}{'' if each['is_known_word'] else ' (unknown)'}",
        }
        for each in found["alerts"]
    ]
    rows += [
        {**each, "what": "change", "status": each["kind"], "dedup_key": each["change_key"]} for each in found["changes"]
    ]
    rows += [{"what": "refused", "status": each["code"], "title": each["reason"]} for each in found["refused"]]
    columns: list[output.Column] = [
        ("WHAT", lambda row: row["what"]),
        ("STATUS", lambda row: row["status"]),
        ("SEVERITY", lambda row: row.get("severity", "")),
        ("THEIR WORD", lambda row: row.get("word", "")),
        ("SERVICE", lambda row: row.get("service") or ""),
        ("KEY", lambda row: row.get("dedup_key", "")),
        ("SAYS", lambda row: row["title"]),
    ]
    output.print_rows(rows, columns, "It says neither an alert nor a change.")
    if found["metric_points"]:
        output.talk(f"It also holds {found['metric_points']} samples of metrics.")
    return None


@app.command()
def retry(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Its id in quarantine; the page of sources lists them.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Read a payload from quarantine again, after a fix. What still cannot be read stays there."""
    from handrail.cli.client import connect, path_of

    done = connect(dry_run).post(path_of("quarantine", item, "retry"))
    said = f"Read: {done['accepted']} accepted, {done['duplicate']} known already, {done['rejected']} rejected."
    output.done(done, said, as_json)


@app.command()
def remove(source: Which, yes: Yes = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Remove a source: its alerts stay, its tokens are refused. You type its name, or add --yes."""
    from handrail.cli.client import connect, path_of

    client = connect(dry_run)
    source_id = _id_of(client, source)
    if not dry_run:
        output.confirm(f"Everything that {source} sends is refused from then on.", source, yes)
    done = client.post(path_of("sources", source_id, "remove"))
    output.done(done, f"{done['name']} is removed.", as_json)


def _id_of(client: Any, name: str) -> str:
    """The id of a live source by its name; an id is itself."""
    from handrail.cli.client import path_of
    from handrail.kernel.limits import LIMITS

    if name.startswith("src_"):
        return name
    found = client.pages(path_of("sources"), {"status": "live"}, LIMITS.accounts_named)["items"]
    known = {str(each["name"]): str(each["id"]) for each in found}
    if name not in known:
        raise Trouble(f"There is no source “{name}”.", NOT_FOUND, "See `handrail source list`.", "no_source")
    return known[name]
