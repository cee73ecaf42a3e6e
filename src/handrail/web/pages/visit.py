"""One look at a page by somebody known: one snapshot, one moment, and what the viewer may."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

import sqlalchemy as sa
from starlette.datastructures import QueryParams

from handrail.domain import audience, catalog, policy
from handrail.domain.account import Account
from handrail.domain.audience import Audience
from handrail.domain.catalog import Catalog
from handrail.domain.document import Document
from handrail.domain.incident import Incident
from handrail.domain.people import Permission, Person, permitted, require
from handrail.domain.policy import Policy
from handrail.operations.documents import document_id, read_yaml
from handrail.store import queries
from handrail.web import views as v
from handrail.web.context import Context
from handrail.web.live import Seen
from handrail.web.presenters.names import Names


@dataclass(frozen=True)
class Screen:
    """What an address shows: a template with its view, and what the page listens to."""

    template: str
    title: str
    view: object
    active: str = ""
    topics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Visit:
    """`path` is the page's own address with its query; `where` holds the parts of the address that vary; `seen` is the
    news from before the snapshot that the page is drawn from."""

    context: Context
    connection: sa.Connection
    account: Account
    person: Person
    now: datetime
    path: str
    where: Mapping[str, str] = field(default_factory=dict)
    query: QueryParams = field(default_factory=QueryParams)
    seen: Seen = field(default_factory=dict)

    @cached_property
    def names(self) -> Names:
        return Names(queries.accounts(self.connection))

    @cached_property
    def documents(self) -> Mapping[str, Document]:
        """The documents in force that pages explain decisions with."""
        wanted = [document_id(kind, "default") for kind in ("policy", "catalog", "audience")]
        found = queries.many(self.connection, Document, wanted)
        return {document.kind: document for document in found.values() if document.version}

    @property
    def policy(self) -> Policy | None:
        return _policy(self.documents["policy"].text) if "policy" in self.documents else None

    @property
    def catalog(self) -> Catalog:
        return _catalog(self.documents["catalog"].text) if "catalog" in self.documents else Catalog()

    @property
    def audiences(self) -> Mapping[str, Audience]:
        return _audiences(self.documents["audience"].text) if "audience" in self.documents else {}

    def may(self, permission: Permission) -> bool:
        return permitted(self.person, permission)

    def require(self, permission: Permission) -> None:
        require(self.person, permission)

    def within(self, incident: Incident | None) -> Person:
        """The viewer with the roles held in an incident."""
        return queries.in_incident(self.person, incident)


@lru_cache(maxsize=8)
def _policy(text: str) -> Policy:
    return policy.from_document(read_yaml(text)[0])[0]


@lru_cache(maxsize=8)
def _catalog(text: str) -> Catalog:
    return catalog.from_documents(read_yaml(text))[0]


@lru_cache(maxsize=8)
def _audiences(text: str) -> Mapping[str, Audience]:
    return audience.from_document(read_yaml(text)[0])[0]


def options(values: Any, chosen: str, first: str) -> tuple[v.Option, ...]:
    """A select of plain words, with a first choice that means all of them."""
    return (v.Option("", first, not chosen), *(v.Option(value, value, value == chosen) for value in values))
