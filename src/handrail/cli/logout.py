"""`handrail logout`: revokes the token that login kept, and forgets it."""

from typing import Annotated

import typer

from handrail.cli import credentials, output
from handrail.cli.options import Json, single
from handrail.cli.trouble import NOT_FOUND, Trouble

app = single()


@app.command()
def logout(
    url: Annotated[str, typer.Option(help="The server; left out: HANDRAIL_URL or the last one.")] = "",
    as_json: Json = False,
) -> None:
    """Revoke the token that login kept, and forget it. It is forgotten even when the server is away.

    \b
    Examples:
      handrail logout
    """
    from handrail.cli.client import Client, path_of

    url = (url or credentials.server_url()).rstrip("/")
    kept = credentials.load().tokens.get(url)
    if kept is None:
        raise Trouble(f"No token is kept for {url}.", NOT_FOUND, "Nothing is to be done.", "not_signed_in")
    credentials.forget(url)
    revoked = True
    try:
        Client(url, kept.token).post(path_of("tokens", kept.id, "revoke"))
    except Trouble as trouble:
        revoked = False
        output.talk(f"The token could not be revoked at the server: {trouble.what}")
    output.done({"url": url, "revoked": revoked}, f"The token for {url} is forgotten.", as_json)
