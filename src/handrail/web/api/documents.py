"""Documents that people write (policy, runbooks, catalogue, audiences)."""

from typing import Annotated

from fastapi import APIRouter, Body
from starlette.responses import Response

from handrail.domain.document import Document
from handrail.kernel.errors import BadInput
from handrail.operations import documents
from handrail.store import queries
from handrail.store.queries import Wanted
from handrail.web.api import shapes
from handrail.web.api.desk import ApiRoute, Noun, Pages, Reader, Writer, answer

router = APIRouter(prefix="/api/v1", tags=["documents"], route_class=ApiRoute)

_EXAMPLE = "kind: audience\nname: default\naudiences:\n  teams:\n    title: Internal teams\n    channels: [mailbox]\n"


@router.get("/documents", response_model=shapes.Page[shapes.DocumentLine], summary="List documents")
def list_documents(desk: Reader, asked: Pages) -> Response:
    with desk.read() as connection:
        found = queries.page(connection, Document, Wanted(), asked.size, asked.before)
    return desk.page(found, asked, lambda item: shapes.DocumentLine.of(item.state), lambda item: (item.id,))


@router.get("/documents/{document_id}", response_model=shapes.Document, summary="Get a document with its text")
def get_document(desk: Reader, document_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Document, document_id)
    return answer(shapes.Document.model_validate(found.state), seq=found.seq)


@router.post("/documents", response_model=shapes.Document, status_code=201, summary="Put a document forward")
def propose_document(
    desk: Writer, text: Annotated[bytes, Body(media_type="application/yaml", examples=[_EXAMPLE])]
) -> Response:
    """A first version is in force at once; a later one waits at the gate that the answer's draft names."""
    words = _text(text)
    return desk.write(
        lambda tx, person: documents.propose(tx, words, person),
        lambda tx, document: shapes.Document.model_validate(document),
        made=lambda document: Noun("document", document.id),
        status=201,
    )


def _text(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BadInput("The document is not UTF-8.", "document_encoding") from None
    if "\0" in text:
        raise BadInput("The document holds a NUL character; send it without.", "document_encoding")
    return text
