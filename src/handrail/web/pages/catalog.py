"""The catalogue: its map with live health, its services, the alerts that found none, and a new version by hand."""

from urllib.parse import urlencode

from handrail.domain.catalog import Service
from handrail.domain.document import Document
from handrail.domain.people import Permission
from handrail.kernel.errors import BadInput, HandrailError
from handrail.kernel.limits import LIMITS
from handrail.operations import documents
from handrail.store import queries, services
from handrail.web import service_map
from handrail.web import views_catalog as v
from handrail.web.pages.site import At, Done, On, Post
from handrail.web.pages.visit import Screen, Visit
from handrail.web.presenters import catalog as presenter

_STARTER = """\
kind: catalog
services:
  checkout:
    owner: team-shop
    tier: 1
    depends_on: [payments]
  payments:
    owner: team-payments
rules:
  - name: payment pods
    match:
      - {field: label.pod, glob: "payments-*"}
    service: payments
"""


def catalog(visit: Visit, post: Post | None = None, refusal: HandrailError | None = None) -> Screen:
    known, health = visit.catalog, services.health(visit.connection)
    found = queries.find(visit.connection, Document, documents.document_id("catalog", "default"))
    document = found.state if found else None
    nowhere = services.unresolved(visit.connection, known.services.keys(), LIMITS.catalog_unresolved_shown)
    search = (visit.query.get("q") or "")[: LIMITS.label_chars]
    ordered = [one for one in presenter.in_order(known, health) if _fits(one, search)]
    everything = [presenter.map_service(one, health.get(one.name)) for one in known.services.values()]
    drawn = service_map.choose(everything, LIMITS.catalog_map_services)
    view = v.CatalogView(
        version=document.version if document else 0,
        services=tuple(presenter.service_row(one, health.get(one.name)) for one in ordered[: LIMITS.page_size_max]),
        total=len(ordered),
        search=search,
        query=f"?{urlencode({'q': search})}" if search else "",
        map=tuple(drawn),
        hidden=len(everything) - len(drawn),
        circles=service_map.not_drawn(drawn),
        rules=len(known.rules),
        unresolved=tuple(presenter.unresolved_row(known, alert) for alert in nowhere.alerts),
        unresolved_total=nowhere.total,
        waiting_gate=document.draft.gate_id if document and document.draft else None,
        may_propose=visit.may(Permission.MANAGE_DOCUMENTS),
        draft=post.text("text") if post else (document.text if document and document.text else _STARTER),
        draft_chars=LIMITS.api_body_bytes,
        faults=refusal.faults if refusal else (),
    )
    return Screen("catalog.html", "Catalogue", view, "catalog", ("alerts",))


def _fits(one: Service, search: str) -> bool:
    """Whether what is looked for stands in what a service is called, whose it is, or where it runs."""
    held = (one.name, one.title, one.owner, one.environment or "", one.region or "", *one.functions, *one.data_classes)
    return search.casefold() in "\n".join(held).casefold()


def propose(post: Post) -> Done:
    text = post.text("text").replace("\r\n", "\n") + "\n"
    if documents.identify(text)[0] != "catalog":
        raise BadInput("This is no catalogue; it begins with “kind: catalog” or a Backstage entity.", "not_a_catalog")
    document = post.act(lambda tx, person: documents.propose(tx, text, person))
    if document.draft is not None and document.draft.gate_id is not None:
        return Done("The new version waits at its gate.", f"/gates/{document.draft.gate_id}")
    return Done(f"Version {document.version} of the catalogue is in force.", "/catalog")


PAGES = (At("/catalog", catalog, {"live": "parts/catalog_live.html", "map": "parts/catalog_map.html"}),)
FORMS = (On("/catalog", propose, {"text": "catalog-text"}, again=catalog),)
