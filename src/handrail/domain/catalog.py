"""The catalogue: services, their owners, dependencies and signals, read from Backstage `catalog-info.yaml` documents.

Handrail's own facts stand under `metadata.annotations` with the prefix `handrail.dev/`: `tier`, `control-url`,
`signal-url`, `functions`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

PREFIX = "handrail.dev/"


@dataclass(frozen=True)
class Service:
    """One service. `tier` 1 is the most important. `depends_on` are names of services it calls."""

    name: str
    title: str
    owner: str
    tier: int = 3
    depends_on: tuple[str, ...] = ()
    control_url: str | None = None
    signal_url: str | None = None
    functions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalog:
    """All services by name."""

    services: Mapping[str, Service] = field(default_factory=dict)

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
    """Read Backstage entities; returns the catalogue and one sentence for each fault."""
    services: dict[str, Service] = {}
    faults: list[str] = []
    for position, entity in enumerate(documents, 1):
        if not isinstance(entity, dict) or entity.get("kind") != "Component":
            continue
        service = _service(entity)
        if isinstance(service, str):
            faults.append(f"Document {position}: {service}")
        elif service.name in services:
            faults.append(f"Document {position}: the service {service.name} stands twice.")
        else:
            services[service.name] = service
    for service in services.values():
        faults += [
            f"{service.name} depends on {other}, which is not in the catalogue."
            for other in service.depends_on
            if other not in services
        ]
    return Catalog(services), faults


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
    return Service(
        name=metadata["name"],
        title=str(metadata.get("title") or metadata["name"]),
        owner=_last(spec["owner"]),
        tier=int(tier),
        depends_on=tuple(_last(str(item)) for item in depends_on),
        control_url=_text(notes.get(f"{PREFIX}control-url")),
        signal_url=_text(notes.get(f"{PREFIX}signal-url")),
        functions=tuple(part.strip() for part in str(notes.get(f"{PREFIX}functions", "")).split(",") if part.strip()),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _last(reference: str) -> str:
    """The name of an entity reference such as `component:default/payments`."""
    return reference.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
