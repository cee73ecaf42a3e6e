"""Backstage `catalog-info.yaml`, of one or many documents: Component, Resource, API, System, Group.

Components and Resources become services. Who consumes an API depends on the Components that provide it. Handrail's
own annotations (`handrail.dev/...`) are read as `domain.catalog` reads them.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from handrail.domain import catalog
from handrail.kernel.errors import BadInput
from handrail.plugins.importers.contract import UNOWNED, Imported, Importer
from handrail.plugins.importers.draft import Draft
from handrail.plugins.importers.reading import items, mapping, read_documents, word

_KUBERNETES_ID = "backstage.io/kubernetes-id"
_QUIET_ANNOTATIONS = ("handrail.dev/", "backstage.io/")


@dataclass
class _Known:
    """What must be known of all entities before any relation can be read."""

    providers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    groups: set[str] = field(default_factory=set)
    systems: set[str] = field(default_factory=set)
    apis: set[str] = field(default_factory=set)


def read(body: bytes) -> Imported:
    """Services of Backstage entities. Raises BadInput where no document is one."""
    documents = read_documents(body)
    if len(documents) == 1 and isinstance(documents[0], list):
        documents = documents[0]
    entities = [mapping(document) for document in documents]
    if not any("kind" in entity and "metadata" in entity for entity in entities):
        raise BadInput("No document of the file is a Backstage entity (kind and metadata).", "import_unreadable")
    draft, known = Draft(), _gather(entities)
    for n, entity in enumerate(entities, 1):
        _take(draft, entity, known, f"document {n}")
    return draft.done()


def _gather(entities: list[dict[str, Any]]) -> _Known:
    known = _Known()
    for entity in entities:
        kind, name = entity.get("kind"), _name(entity)
        if kind == "Component":
            for api in _names(mapping(entity.get("spec")).get("providesApis")):
                known.providers[api].append(name)
        elif kind == "Group":
            known.groups.add(name)
        elif kind == "System":
            known.systems.add(name)
        elif kind == "API":
            known.apis.add(name)
    return known


def _take(draft: Draft, entity: dict[str, Any], known: _Known, at: str) -> None:
    kind, spec, metadata = entity.get("kind"), mapping(entity.get("spec")), mapping(entity.get("metadata"))
    where = f"{at}, {kind} {_name(entity)}"
    if kind not in ("Component", "Resource"):
        if kind not in ("API", "System", "Group"):
            draft.lose(where, f"A {kind} has no place in the catalogue.")
        return
    name = draft.service(_name(entity), where)
    if name is None:
        return
    draft.say(name, "title", word(metadata.get("title")), where)
    owner = _last(word(spec.get("owner")) or "")
    draft.say(name, "owner", owner, where)
    if owner and known.groups and owner not in known.groups:
        draft.lose(where, f"The owner {owner} is no Group of this file.")
    _take_relations(draft, name, spec, known, where)
    _take_facts(draft, name, entity, where)
    lifecycle, system = word(spec.get("lifecycle")), _last(word(spec.get("system")) or "")
    if lifecycle == "production":
        draft.say(name, "environment", "production", where)
    elif lifecycle is not None:
        draft.lose(where, f"The lifecycle {lifecycle} has no place in the catalogue.")
    if system and system not in known.systems:
        draft.lose(where, f"The System {system} is not in this file.")
    for tag in items(metadata.get("tags")):
        draft.lose(where, f"The tag {word(tag)} has no place in the catalogue.")


def _take_relations(draft: Draft, name: str, spec: dict[str, Any], known: _Known, where: str) -> None:
    for reference in items(spec.get("dependsOn")):
        if str(reference).lower().startswith("api:"):
            _consume(draft, name, _last(str(reference)), known, where)
        else:
            draft.calls(name, _last(str(reference)), where)
    for api in _names(spec.get("consumesApis")):
        _consume(draft, name, api, known, where)


def _consume(draft: Draft, name: str, api: str, known: _Known, where: str) -> None:
    providers = [one for one in known.providers.get(api, ()) if one != name]
    for provider in providers:
        draft.calls(name, provider, where)
    if not known.providers.get(api):
        draft.lose(where, f"Nobody in this file provides the API {api} that {name} consumes.")


def _take_facts(draft: Draft, name: str, entity: dict[str, Any], where: str) -> None:
    """Handrail's own annotations, by the reader of the catalogue itself."""
    notes = mapping(mapping(entity.get("metadata")).get("annotations"))
    asked = {"kind": "Component", "metadata": {"name": name, "annotations": notes}, "spec": {"owner": UNOWNED}}
    found, faults = catalog.read([asked])
    for fault in faults:
        draft.lose(where, fault.what)
    if (service := found.services.get(name)) is not None:
        if f"{catalog.PREFIX}tier" in notes:
            draft.tier(name, str(service.tier), where)
        for key in ("environment", "region", "control_url", "signal_url"):
            draft.say(name, key, getattr(service, key), where)
        for key in ("functions", "data_classes"):
            draft.add(name, key, getattr(service, key), where)
        for key, value in service.labels.items():
            draft.label(name, key, value, where)
    if (kubernetes_id := word(notes.get(_KUBERNETES_ID))) is not None:
        draft.label(name, _KUBERNETES_ID, kubernetes_id, where)
    for key in notes:
        if not str(key).startswith(_QUIET_ANNOTATIONS):
            draft.lose(where, f"The annotation {key} has no place in the catalogue.")


def _name(entity: dict[str, Any]) -> str:
    return word(mapping(entity.get("metadata")).get("name")) or ""


def _names(value: Any) -> list[str]:
    return [_last(str(item)) for item in items(value)]


def _last(reference: str) -> str:
    """The name of an entity reference such as `component:default/payments`."""
    return reference.rsplit("/", 1)[-1].rsplit(":", 1)[-1]


IMPORTER = Importer("backstage", "Backstage", "catalog-info.yaml, one or many documents", read)
