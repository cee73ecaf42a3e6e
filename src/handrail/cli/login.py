"""`handrail login`: signs in with a password, makes a token of one's own, and keeps that for later commands."""

import getpass
import socket
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handrail.cli import credentials, output
from handrail.cli.options import Json, single
from handrail.cli.reading import read_secret
from handrail.cli.trouble import USAGE, Trouble

if TYPE_CHECKING:
    from handrail.cli.client import Client

app = single()


@app.command()
def login(
    user: Annotated[str, typer.Option("--user", "-u", help="Sign-in name; asked for when left out.")] = "",
    url: Annotated[str, typer.Option(help="The server; left out: HANDRAIL_URL or the last one.")] = "",
    password_file: Annotated[
        str, typer.Option(help="A file with the password alone; - is stdin. Left out: you are asked.")
    ] = "",
    new_password_file: Annotated[
        str, typer.Option(help="A file with your own new password, for the first sign-in with a one-time password.")
    ] = "",
    days: Annotated[int, typer.Option(min=1, max=3650, help="The token ends after so many days.")] = 90,
    as_json: Json = False,
) -> None:
    """Sign in and keep a token for later commands. The password is never an option, and is not kept.

    \b
    Examples:
      handrail login
      handrail login --user jonas --url https://handrail.example
      handrail login --user owner --password-file first-password --new-password-file my-password
    """
    from handrail.cli.client import Client, path_of

    url = (url or credentials.server_url()).rstrip("/")
    # What cannot be kept must be known before the server is asked for a token.
    credentials.load()
    user = user or _ask("Sign-in name: ")
    password = read_secret(password_file) if password_file else _ask_secret("Password: ")
    client = Client(url, None)
    session = client.post(path_of("sign-in"), {"login": user, "password": password})
    client.as_page(session["csrf"])
    if session["must_set_password"]:
        session = _set_password(client, password, new_password_file)
    made = client.post(path_of("tokens"), {"name": f"handrail login on {_here()}", "expires_in_days": days})
    credentials.store(url, credentials.Kept(made["token"], made["id"]))
    client.post(path_of("sign-out"))
    kept = {"url": url, "login": user, "token_id": made["id"], "file": str(credentials.credentials_file())}
    words = f"Signed in at {url} as {user}. Your token is in {kept['file']} and ends in {days} days."
    output.done(kept, words, as_json)


def _set_password(client: "Client", old: str, new_file: str) -> dict[str, Any]:
    """The first sign-in: one's own password takes the place of the one-time password."""
    from handrail.cli.client import path_of

    if new_file:
        new = read_secret(new_file)
    else:
        output.talk("This password was for one use. Choose your own, of 12 characters or more.")
        new = _ask_secret("New password: ", "--new-password-file")
        if sys.stdin.isatty() and _ask_secret("Once more: ") != new:
            raise Trouble("The two are not the same; nothing was changed.", USAGE, "Run `handrail login` again.")
    session: dict[str, Any] = client.post(path_of("password"), {"old": old, "new": new})
    client.as_page(session["csrf"])
    return session


def _ask(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline().strip()
    if not answer:
        raise Trouble("No sign-in name was given.", USAGE, "Give --user.")
    return answer


def _ask_secret(question: str, option: str = "--password-file") -> str:
    if not sys.stdin.isatty():
        raise Trouble("There is no terminal to ask for the password.", USAGE, f"Give it with {option} FILE.")
    return getpass.getpass(question)


def _here() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"[:80]
