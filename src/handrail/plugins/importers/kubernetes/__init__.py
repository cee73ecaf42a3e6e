"""Kubernetes: what `kubectl get deployments,statefulsets,daemonsets,services -A -o json` (or yaml) prints.

A workload becomes the service that its label `app.kubernetes.io/name` names, else one of its own name. Rules lead
alerts that carry namespace and pod, workload or Service to it.
"""

from typing import Any

from handrail.domain.service import LABEL, Match
from handrail.kernel.errors import BadInput
from handrail.plugins.importers.contract import Imported, Importer
from handrail.plugins.importers.draft import Draft
from handrail.plugins.importers.reading import items, mapping, read_documents, word

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_APP = "app.kubernetes.io/"
_OWNERS = ("owner", "team", f"{_APP}owner", f"{_APP}team")
_ENVIRONMENTS = (f"{_APP}environment", "environment", "env")
_REGIONS = ("topology.kubernetes.io/region", "region")
_TIER = ("handrail.dev/tier",)


def read(body: bytes) -> Imported:
    """Services of workloads and Services. Raises BadInput where the file lists no object."""
    objects = [one for document in read_documents(body) for one in _flat(document)]
    if not objects:
        raise BadInput("The file lists no Kubernetes object (kind and metadata).", "import_unreadable")
    draft = Draft()
    placed: list[tuple[str, dict[str, Any], str]] = []
    for one in objects:
        if one.get("kind") in _WORKLOADS:
            _take_workload(draft, one, placed)
        elif one.get("kind") != "Service":
            draft.lose(_where(one), f"A {one.get('kind')} has no place in the catalogue.")
    for one in objects:
        if one.get("kind") == "Service":
            _take_service(draft, one, placed)
    return draft.done()


def _flat(document: Any) -> list[dict[str, Any]]:
    """The objects of a list, or the object itself."""
    top = mapping(document)
    if str(top.get("kind", "")).endswith("List"):
        return [mapping(item) for item in items(top.get("items"))]
    return [top] if "kind" in top and "metadata" in top else []


def _where(one: dict[str, Any]) -> str:
    return f"{one.get('kind')} {_namespace(one)}/{_name(one)}"


def _take_workload(draft: Draft, one: dict[str, Any], placed: list[tuple[str, dict[str, Any], str]]) -> None:
    where, own, namespace = _where(one), _name(one), _namespace(one)
    pod_labels = mapping(mapping(mapping(mapping(one.get("spec")).get("template")).get("metadata")).get("labels"))
    name = draft.service(_service_name(one) or own, where)
    if name is None:
        return
    placed.append((namespace, pod_labels, name))
    _take_facts(draft, name, one, where)
    if (part_of := _label(one, (f"{_APP}part-of",))) is not None:
        draft.lose(where, f"It is part of {part_of}, which has no place in the catalogue.")
    kind = str(one["kind"]).lower()
    at_home = Match(f"{LABEL}namespace", "equals", namespace)
    if draft.has_labels(name):
        draft.rule(name, (at_home, Match(f"{LABEL}{kind}", "equals", own)))
    else:
        draft.label(name, "namespace", namespace, where)
        draft.label(name, kind, own, where)
    draft.rule(name, (at_home, Match(f"{LABEL}pod", "glob", f"{own}-*")))


def _take_service(draft: Draft, one: dict[str, Any], placed: list[tuple[str, dict[str, Any], str]]) -> None:
    """A Service leads to the workload that it selects; one that selects none of the file is a service itself."""
    where, own, namespace = _where(one), _name(one), _namespace(one)
    selector = mapping(mapping(one.get("spec")).get("selector"))
    behind = {
        name for home, labels, name in placed if selector and home == namespace and selector.items() <= labels.items()
    }
    if len(behind) > 1:
        draft.lose(
            where, f"It selects the pods of {', '.join(sorted(behind))}; no rule leads its alerts to one of them."
        )
        return
    name = next(iter(behind), None) or draft.service(_service_name(one) or own, where)
    if name is None:
        return
    if not behind:
        _take_facts(draft, name, one, where)
    draft.rule(
        name, (Match(f"{LABEL}namespace", "equals", namespace), Match(f"{LABEL}service", "equals", own))
    )  # fmt: skip


def _take_facts(draft: Draft, name: str, one: dict[str, Any], where: str) -> None:
    draft.say(name, "owner", _label(one, _OWNERS), where)
    draft.say(name, "environment", _label(one, _ENVIRONMENTS), where)
    draft.say(name, "region", _label(one, _REGIONS), where)
    draft.tier(name, _label(one, _TIER), where)


def _label(one: dict[str, Any], names: tuple[str, ...]) -> str | None:
    """The first of these that stands among labels or annotations."""
    metadata = mapping(one.get("metadata"))
    for held in (mapping(metadata.get("labels")), mapping(metadata.get("annotations"))):
        for name in names:
            if (found := word(held.get(name))) is not None:
                return found
    return None


def _service_name(one: dict[str, Any]) -> str | None:
    return _label(one, (f"{_APP}name",))


def _name(one: dict[str, Any]) -> str:
    return word(mapping(one.get("metadata")).get("name")) or ""


def _namespace(one: dict[str, Any]) -> str:
    return word(mapping(one.get("metadata")).get("namespace")) or "default"


IMPORTER = Importer("kubernetes", "Kubernetes labels", "kubectl get deployments,services -A -o json (or yaml)", read)
