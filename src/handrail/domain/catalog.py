"""The catalogue: services, their owners, dependencies and signals, and the rules by which alerts find their service.

It is read from documents of its own (`kind: catalog`) and from Backstage `catalog-info.yaml` documents, also mixed in
one text. In a Backstage entity Handrail's own facts stand under `metadata.annotations` with the prefix
`handrail.dev/`: `tier`, `control-url`, `signal-url`, `functions`, `environment`, `region`, `data-classes`, `labels`
(`key=value, ...`) and `learned` (those of the dependencies that were only seen in traces).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from handrail.domain import catalog_document
from handrail.domain.service import Rule, Service
from handrail.kernel.errors import Fault

__all__ = ["PREFIX", "Catalog", "Rule", "Service", "from_documents", "read"]

PREFIX = "handrail.dev/"


@dataclass(frozen=True)
class Catalog:
    """All services by name, and the rules in their order."""

    services: Mapping[str, Service] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    @cached_property
    def by_label(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """Services, each under the one of its labels that the fewest share: an alert in a crowded namespace is compared
        with few of them."""
        shared = Counter(pair for service in self.services.values() for pair in service.labels.items())
        found: dict[tuple[str, str], list[str]] = {}
        for service in self.services.values():
            if service.labels:
                found.setdefault(min(service.labels.items(), key=lambda pair: shared[pair]), []).append(service.name)
        return {pair: tuple(names) for pair, names in found.items()}

    @cached_property
    def _rules_by_value(self) -> tuple[Mapping[tuple[str, str], list[int]], list[int]]:
        """Places of rules under the rarest value that they ask for exactly, and of those that ask for none."""
        exact = [[(one.field, one.value) for one in rule.matches if one.test == "equals"] for rule in self.rules]
        shared = Counter(pair for pairs in exact for pair in pairs)
        by_value: dict[tuple[str, str], list[int]] = {}
        rest = []
        for at, pairs in enumerate(exact):
            if pairs:
                by_value.setdefault(min(pairs, key=shared.__getitem__), []).append(at)
            else:
                rest.append(at)
        return by_value, rest

    def rules_for(self, values: Iterable[tuple[str, str]]) -> Iterator[Rule]:
        """The rules that may fit an alert that says these (field, value) pairs, in their order."""
        by_value, rest = self._rules_by_value
        found = [at for pair in values for at in by_value.get(pair, ())]
        return (self.rules[at] for at in (sorted([*found, *rest]) if found else rest))

    @cached_property
    def _folded(self) -> Mapping[str, str | None]:
        """Names without regard to case; None where two services share one."""
        found: dict[str, str | None] = {}
        for name in self.services:
            found[name.casefold()] = None if name.casefold() in found else name
        return found

    def named(self, name: str) -> str | None:
        """The service of that name, also where only the case differs."""
        return name if name in self.services else self._folded.get(name.strip().casefold())

    def dependents(self, name: str) -> frozenset[str]:
        """Every service that reaches `name` through its dependencies: who feels it when `name` fails."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            current = waiting.pop()
            callers = {s.name for s in self.services.values() if current in s.depends_on} - found - {name}
            found |= callers
            waiting.extend(callers)
        return frozenset(found)

    def dependencies(self, name: str) -> frozenset[str]:
        """Every service that `name` reaches."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            service = self.services.get(waiting.pop())
            fresh = set(service.depends_on) - found - {name} if service else set()
            found |= fresh
            waiting.extend(fresh)
        return frozenset(found)

    def adjacent(self, left: str, right: str) -> bool:
        """Whether one of two services calls the other directly, or they are the same."""
        if left == right:
            return True
        one, two = self.services.get(left), self.services.get(right)
        return bool((one and right in one.depends_on) or (two and left in two.depends_on))


def from_documents(documents: Iterable[Any]) -> tuple[Catalog, list[str]]:
    """Read documents; returns the catalogue and one sentence for each fault."""
    found, faults = read(documents)
    return found, [fault.what for fault in faults]


def read(documents: Iterable[Any]) -> tuple[Catalog, list[Fault]]:
    """Read documents; returns the catalogue and every fault at its JSON pointer over the list of documents."""
    services: dict[str, Service] = {}
    places: dict[str, str] = {}
    rules: list[tuple[Rule, str]] = []
    faults: list[Fault] = []
    for n, document in enumerate(documents):
        read_here, where = _read_one(document, n, rules, faults)
        for service in read_here:
            if service.name in services:
                faults.append(Fault(f"{where}{_own(document, service)}", f"The service {service.name} stands twice."))
                continue
            services[service.name] = service
            places[service.name] = f"{where}{_own(document, service)}"
    for service in services.values():
        faults += [
            Fault(places[service.name], f"{service.name} depends on {other}, which is not in the catalogue.")
            for other in service.depends_on
            if other not in services
        ]
    faults += [
        Fault(f"{where}/service", f"Rule “{rule.name}” leads to {rule.service}, which is not in the catalogue.")
        for rule, where in rules
        if rule.service and rule.service not in services
    ]
    return Catalog(services, tuple(rule for rule, _ in rules)), faults


def _read_one(document: Any, n: int, rules: list[tuple[Rule, str]], faults: list[Fault]) -> tuple[list[Service], str]:
    where = f"/{n}"
    if not isinstance(document, dict):
        return [], where
    if document.get("kind") == "catalog":
        services, own_rules, own_faults = catalog_document.read(document, where)
        rules += [(rule, f"{where}/rules/{at}") for at, rule in enumerate(own_rules)]
        faults += own_faults
        return list(services.values()), where
    if document.get("kind") != "Component":
        return [], where
    service = _service(document)
    if isinstance(service, str):
        faults.append(Fault(where, f"Document {n + 1}: {service}"))
        return [], where
    return [service], where


def _own(document: Any, service: Service) -> str:
    """Where in its document a service stands, as a pointer."""
    is_native = document.get("kind") == "catalog"
    return f"/services/{catalog_document.escape(service.name)}" if is_native else "/metadata/name"


def _service(entity: Mapping[str, Any]) -> Service | str:
    metadata, spec = entity.get("metadata"), entity.get("spec")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        return "a Component needs metadata.name."
    if not isinstance(spec, dict) or not isinstance(spec.get("owner"), str):
        return f"{metadata['name']} needs spec.owner: somebody must own a service."
    notes, depends_on = metadata.get("annotations") or {}, spec.get("dependsOn") or []
    if not isinstance(notes, dict):
        return f"{metadata['name']}: metadata.annotations is a mapping."
    if not isinstance(depends_on, list):
        return f"{metadata['name']}: spec.dependsOn is a list."
    tier = str(notes.get(f"{PREFIX}tier", "3"))
    if tier not in ("1", "2", "3", "4"):
        return f"{metadata['name']}: {PREFIX}tier is “{tier}”; write 1, 2, 3 or 4."
    names = tuple(_last(str(item)) for item in depends_on)
    return Service(
        name=metadata["name"],
        title=str(metadata.get("title") or metadata["name"]),
        owner=_last(spec["owner"]),
        tier=int(tier),
        depends_on=names,
        control_url=_text(notes.get(f"{PREFIX}control-url")),
        signal_url=_text(notes.get(f"{PREFIX}signal-url")),
        functions=_listed(notes, "functions"),
        environment=_text(notes.get(f"{PREFIX}environment")),
        region=_text(notes.get(f"{PREFIX}region")),
        learned=tuple(name for name in _listed(notes, "learned") if name in names),
        data_classes=_listed(notes, "data-classes"),
        labels={
            key.strip(): value.strip()
            for key, sign, value in (part.partition("=") for part in _listed(notes, "labels"))
            if sign
        },
    )


def _listed(notes: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """An annotation that lists things, parted by commas."""
    return tuple(part.strip() for part in str(notes.get(f"{PREFIX}{name}", "")).split(",") if part.strip())


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _last(reference: str) -> str:
    """The name of an entity reference such as `component:default/payments`."""
    return reference.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
