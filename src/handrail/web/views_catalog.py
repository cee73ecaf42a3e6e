"""What catalog.html is given."""

from dataclasses import dataclass

from handrail.kernel.errors import Fault
from handrail.web.service_map import MapService
from handrail.web.views import AlertRow


@dataclass(frozen=True)
class Dependency:
    name: str
    learned: bool = False


@dataclass(frozen=True)
class ServiceRow:
    """`worst` is None while nothing fires. `where` is environment and region, `holds` what is regulated about it."""

    name: str
    title: str
    owner: str
    tier: int
    where: str
    worst: str | None
    firing: int
    depends_on: tuple[Dependency, ...] = ()
    functions: tuple[str, ...] = ()
    data_classes: tuple[str, ...] = ()
    unowned: bool = False


@dataclass(frozen=True)
class UnresolvedRow:
    """An open alert at no service of the catalogue, and why. `would_be` is the service that it has by now, where the
    catalogue changed since it came in."""

    alert: AlertRow
    why: str
    would_be: str | None = None


@dataclass(frozen=True)
class CatalogView:
    """`services` are the first of `total` that fit `search`; `query` is it as a part of an address. `hidden` services
    and `circles` dependencies are not drawn. `draft` is the text that the form begins with."""

    version: int
    services: tuple[ServiceRow, ...]
    map: tuple[MapService, ...]
    hidden: int
    circles: int
    rules: int
    unresolved: tuple[UnresolvedRow, ...]
    unresolved_total: int
    waiting_gate: str | None = None
    may_propose: bool = False
    total: int = 0
    search: str = ""
    query: str = ""
    draft: str = ""
    draft_chars: int = 0
    faults: tuple[Fault, ...] = ()
