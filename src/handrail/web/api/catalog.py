"""The catalogue in force: its services and rules, its schema, and to which service an alert belongs."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from handrail.domain import catalog as domain
from handrail.domain import catalog_document
from handrail.domain.catalog import Catalog
from handrail.domain.document import Document
from handrail.domain.resolution import Said, resolve
from handrail.kernel.errors import BadInput, Fault
from handrail.kernel.limits import LIMITS
from handrail.operations import documents
from handrail.signals.finder import explain
from handrail.store import queries, services
from handrail.web.api import shapes
from handrail.web.api.desk import ApiRoute, Desk, Reader, answer

router = APIRouter(prefix="/api/v1", tags=["catalog"], route_class=ApiRoute)


class ServiceShape(shapes.Shape):
    """`worst` and `firing` are what fires at it now; `worst` null while nothing does."""

    name: str
    title: str
    owner: str
    tier: int
    depends_on: list[str]
    learned: list[str] = Field(description="Those of `depends_on` that were seen in traces and declared by nobody.")
    control_url: str | None
    signal_url: str | None
    functions: list[str]
    environment: str | None
    region: str | None
    data_classes: list[str]
    labels: dict[str, str]
    worst: str | None = None
    firing: int = 0


class MatchShape(shapes.Shape):
    """One condition: what the alert says in `field` equals, begins with (prefix) or fits (glob, * and ?) `value`."""

    field: str
    test: str
    value: str


class RuleShape(shapes.Shape):
    """Alerts that meet all of `matches` belong to `service`; rules are asked in order."""

    name: str
    matches: list[MatchShape]
    service: str


class CatalogShape(shapes.Shape):
    """`version` and `digest` are those of the catalogue in force; version 0 means that there is none."""

    version: int
    digest: str
    services: list[ServiceShape]
    rules: list[RuleShape]


class ResolutionShape(shapes.Shape):
    """`service` null is unresolved. `rule` is the declared rule that decided, null where a name or label did."""

    service: str | None
    rule: str | None
    why: str


class UnresolvedAlert(shapes.Shape):
    """`named` is the service that the sender named, `would_be` the one that its next word would go to."""

    id: str
    title: str
    source: str
    severity: str
    status: str
    named: str | None
    would_be: str | None
    why: str
    last_at: shapes.Moment


class UnresolvedAlerts(shapes.Shape):
    """`total` of open alerts at no service of the catalogue; `items` are the newest of them."""

    total: int
    items: list[UnresolvedAlert]


Word = Annotated[str | None, Query(max_length=LIMITS.title_chars)]
Labels = Annotated[
    list[str], Query(max_length=LIMITS.labels_per_alert, description="key=value, once for each label.")
]  # fmt: skip


@router.get("/catalog", response_model=CatalogShape, summary="Services with owners, dependencies and health")
def get_catalog(desk: Reader) -> Response:
    with desk.read() as connection:
        found = queries.find(connection, Document, documents.document_id("catalog", "default"))
        health = services.health(connection)
    if found is None or not found.state.version:
        return answer(CatalogShape(version=0, digest="", services=[], rules=[]))
    known, _ = domain.from_documents(documents.read_yaml(found.state.text))
    listed = []
    for name in sorted(known.services):
        shape, now = ServiceShape.model_validate(known.services[name]), health.get(name)
        listed.append(shape.model_copy(update={"worst": now.worst, "firing": now.firing}) if now else shape)
    rules = [RuleShape.model_validate(rule) for rule in known.rules]
    return answer(CatalogShape(version=found.state.version, digest=found.state.digest, services=listed, rules=rules))


@router.get("/catalog/schema", response_model=dict[str, Any], summary="The JSON Schema of a catalogue document")
def get_catalog_schema(desk: Reader) -> Response:
    return JSONResponse(dict(catalog_document.SCHEMA))


@router.get("/catalog/resolve", response_model=ResolutionShape, summary="To which service an alert would belong")
def resolve_alert(
    desk: Reader, source: Word = None, service: Word = None, resource: Word = None, title: Word = None,
    severity: Word = None, label: Labels = [],  # noqa: B006
) -> Response:  # fmt: skip
    """Nothing is stored: this is for trying rules."""
    labels = _labels(label)
    said = Said(source or "", service, resource, title or "", severity, labels)
    return answer(ResolutionShape.model_validate(resolve(_in_force(desk), said)))


@router.get("/catalog/unresolved", response_model=UnresolvedAlerts, summary="Open alerts at no service")
def list_unresolved(desk: Reader) -> Response:
    known = _in_force(desk)
    with desk.read() as connection:
        found = services.unresolved(connection, known.services.keys(), LIMITS.catalog_unresolved_shown)
    items = []
    for alert in found.alerts:
        told = explain(known, alert)
        items.append(
            UnresolvedAlert(
                id=alert.id, title=alert.title, source=alert.source, severity=alert.severity, status=alert.status,
                named=alert.service, would_be=told.service, why=told.why, last_at=alert.last_at,
            )
        )  # fmt: skip
    return answer(UnresolvedAlerts(total=found.total, items=items))


def _in_force(desk: Desk) -> Catalog:
    with desk.read() as connection:
        found = queries.find(connection, Document, documents.document_id("catalog", "default"))
    if found is None or not found.state.version:
        return Catalog()
    return domain.from_documents(documents.read_yaml(found.state.text))[0]


def _labels(said: list[str]) -> dict[str, str]:
    faults = [Fault(f"/label/{n}", f"“{one[:60]}” is no label.") for n, one in enumerate(said) if "=" not in one]
    if faults:
        raise BadInput("A label is written key=value.", "bad_label", tuple(faults))
    return {key: value for key, _, value in (one.partition("=") for one in said)}
