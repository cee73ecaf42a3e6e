"""`handrail openapi`: the description of the API that this program serves, without a server."""

from handrail.cli import output
from handrail.cli.options import Json, single

app = single()


@app.command()
def openapi(as_json: Json = False) -> None:
    """Print the API's OpenAPI 3.1 description; it is JSON with and without --json.

    \b
    Examples:
      handrail openapi > openapi.json
    """
    from handrail.web.app import build_api
    from handrail.web.openapi import text_of

    output.print_text(text_of(build_api()).rstrip("\n"))
