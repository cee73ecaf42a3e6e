"""Runbooks of other systems, read into our own form. Nothing is stored: a person puts the result forward."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from handrail.domain.people import Permission, require
from handrail.plugins.importers.registry import guess_runbook_importer, runbook_importer
from handrail.plugins.importers.runbook_draft import as_yaml
from handrail.web.api import shapes
from handrail.web.api.desk import ApiRoute, Writer

router = APIRouter(prefix="/api/v1", tags=["runbooks"], route_class=ApiRoute)

_EXAMPLE = "# Payments are down\n\n- [ ] Look at the dashboard\n"


class Loss(shapes.Shape):
    """What the runbook does not hold as the source did: `where`, `what`, and what a person should `do` about it."""

    where: str
    what: str
    do: str


class ImportedRunbook(shapes.Shape):
    """`kind` is what the source was read as, `text` the runbook as YAML to be edited and put forward."""

    kind: str
    runbook: dict[str, Any]
    text: str
    losses: list[Loss]


@router.post("/runbooks/import", response_model=ImportedRunbook, summary="Read another system's runbook; store nothing")
def import_runbook(
    desk: Writer,
    source: Annotated[bytes, Body(media_type="application/octet-stream", examples=[_EXAMPLE])],
    kind: Annotated[str | None, Query(alias="as", max_length=40, description="Guessed where it is not given.")] = None,
) -> Response:
    """Every task of the result is for a person, so nothing imported can act by itself."""

    def act() -> ImportedRunbook:
        require(desk.person, Permission.MANAGE_DOCUMENTS)
        chosen = runbook_importer(kind) if kind else guess_runbook_importer(source)
        read = chosen.read(source)
        losses = [Loss(where=loss.where, what=loss.what, do=loss.do) for loss in read.losses]
        return ImportedRunbook(kind=chosen.name, runbook=read.document, text=as_yaml(read), losses=losses)

    return desk.do(act)
