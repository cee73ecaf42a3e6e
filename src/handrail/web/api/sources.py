"""Sources of alerts and changes, their secrets, and payloads that nobody could read."""

import base64
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from handrail.domain.source import Source
from handrail.operations import sources
from handrail.operations.shell import Tx
from handrail.store import intake, queries
from handrail.web.api import shapes
from handrail.web.api.desk import ApiRoute, Asked, Nothing, Noun, Pages, Reader, SourceManager, Writer, answer

router = APIRouter(prefix="/api/v1", tags=["sources"], route_class=ApiRoute)


class AddSource(Asked):
    name: Annotated[str, Field(max_length=64, examples=["prometheus-prod"])]
    integration: Annotated[str, Field(max_length=64, examples=["alertmanager"])]


class Integrations(shapes.Shape):
    items: list[str]


@router.get("/integrations", response_model=Integrations, summary="List the formats that senders may use")
def list_integrations(desk: Reader) -> Response:
    return answer(Integrations(items=sorted(desk.context.integrations)))


@router.get("/sources", response_model=shapes.Page[shapes.Source], summary="List sources and how they are doing")
def list_sources(desk: Reader, asked: Pages, status: Literal["live", "removed"] | None = None) -> Response:
    with desk.read() as connection:
        found = queries.page(connection, Source, queries.Wanted(status), asked.size, asked.before)
        stats = intake.stats(connection)
    return desk.page(
        found, asked, lambda item: shapes.Source.of(item.state, stats.get(item.state.name)), lambda item: (item.id,)
    )


@router.get("/sources/{source_id}", response_model=shapes.Source, summary="Get a source")
def get_source(desk: Reader, source_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Source, source_id)
        stats = intake.stats(connection)
    return answer(shapes.Source.of(found.state, stats.get(found.state.name)), seq=found.seq)


@router.post("/sources", response_model=shapes.NewSource, status_code=201, summary="Add a source")
def add_source(desk: Writer, said: AddSource) -> Response:
    """Its first token is shown once."""
    response = desk.write(
        lambda tx, person: sources.add(tx, said.name, said.integration, desk.context.integrations, person),
        lambda tx, made: shapes.NewSource(
            source=shapes.Source.of(made[0]), secret_id=made[0].secrets[-1], token=made[1]
        ),
        made=lambda made: Noun("source", made[0].id),
        status=201,
        secret="token",  # noqa: S106  the name of a field
    )
    desk.context.source_changed()
    return response


@router.post("/sources/{source_id}/secrets", response_model=shapes.NewSecret, status_code=201, summary="Add a secret")
def add_secret(desk: Writer, source_id: str, said: Nothing | None = None) -> Response:
    """One more live token, shown once, so that a sender can be moved over without a gap."""

    def shape(tx: Tx, token: str) -> shapes.NewSecret:
        source: Source = tx.get("source", source_id)
        return shapes.NewSecret(source_id=source_id, secret_id=source.secrets[-1], token=token)

    response = desk.write(
        lambda tx, person: sources.make_secret(tx, source_id, person),
        shape,
        about=Noun("source", source_id),
        status=201,
        secret="token",  # noqa: S106  the name of a field
    )
    desk.context.source_changed()
    return response


@router.post("/sources/{source_id}/secrets/{secret_id}/retire", response_model=shapes.Source, summary="Retire a secret")
def retire_secret(desk: Writer, source_id: str, secret_id: str, said: Nothing | None = None) -> Response:
    response = desk.write(
        lambda tx, person: sources.retire_secret(tx, source_id, secret_id, person),
        lambda tx, _: shapes.Source.of(tx.get("source", source_id)),
        about=Noun("source", source_id),
    )
    desk.context.source_changed()
    return response


@router.post("/sources/{source_id}/remove", response_model=shapes.Source, summary="Remove a source")
def remove_source(desk: Writer, source_id: str, said: Nothing | None = None) -> Response:
    """Its alerts stay; its tokens are refused from now on."""
    response = desk.write(
        lambda tx, person: sources.remove(tx, source_id, person),
        lambda tx, _: shapes.Source.of(tx.get("source", source_id)),
        about=Noun("source", source_id),
    )
    desk.context.source_changed()
    return response


@router.get("/quarantine", response_model=shapes.Page[shapes.Quarantined], summary="List payloads that were not read")
def list_quarantine(desk: SourceManager, asked: Pages) -> Response:
    with desk.read() as connection:
        found = queries.quarantined(connection, asked.size, asked.before)
    return desk.page(found, asked, shapes.Quarantined.model_validate, lambda item: (item.id,))


@router.get("/quarantine/{item_id}", response_model=shapes.QuarantinedBody, summary="Get a payload that was not read")
def get_quarantined(desk: SourceManager, item_id: str) -> Response:
    with desk.read() as connection:
        found = queries.quarantine_item(connection, item_id)
    body = base64.b64encode(found.body or b"").decode()
    return answer(
        shapes.QuarantinedBody(**dict(shapes.Quarantined.model_validate(found)), body_base64=body)
    )  # fmt: skip
