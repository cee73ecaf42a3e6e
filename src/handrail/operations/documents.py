"""Documents in force: proposed, adopted through a gate, and read by the operations that follow them."""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from handrail.domain import audience, catalog, policy, runbook
from handrail.domain.audience import Audience
from handrail.domain.catalog import Catalog
from handrail.domain.document import AdoptDraft, DeclineDraft, Document, ProposeDocument
from handrail.domain.gate import Gate
from handrail.domain.people import Permission, Person, require
from handrail.domain.policy import Act, Policy, Ruling
from handrail.domain.runbook import Runbook
from handrail.kernel.canonical import digest_bytes
from handrail.kernel.errors import Fault, NotFound, Unprocessable
from handrail.kernel.yamls import at_lines, load_yaml
from handrail.operations import gates
from handrail.operations.shell import HANDRAIL, Shell, Tx

_NAME = re.compile(r"^[a-z][a-z0-9-]{0,63}\Z")
KINDS = ("policy", "runbook", "catalog", "audience")


def document_id(kind: str, name: str) -> str:
    return f"{kind}.{name}"


@lru_cache(maxsize=32)
def read_yaml(text: str) -> list[Any]:
    """All documents of a YAML text, to be read and never changed. Raises BadInput with line and column."""
    return load_yaml(text)


def identify(text: str) -> tuple[str, str]:
    """The kind and name of a document; a list of Backstage entities is the catalogue. Raises on every fault at once."""
    documents = read_yaml(text)
    first = documents[0] if documents else {}
    kind = first.get("kind") if isinstance(first, dict) else None
    if kind in ("policy", "runbook", "audience"):
        faults = _lint(str(kind), first)
        if faults:
            raise Unprocessable(
                f"The {kind} has {len(faults)} fault(s); nothing was changed.", "document_faults", tuple(faults)
            )
        return str(kind), str(first.get("name") or "default")
    if isinstance(first, dict) and ("apiVersion" in first or kind == "catalog"):
        faults = lint_catalog(text)
        if faults:
            raise Unprocessable("The catalogue has faults; nothing was changed.", "document_faults", tuple(faults))
        return "catalog", "default"
    raise Unprocessable(f"A document starts with “kind:” and one of {', '.join(KINDS)}.", "unknown_document")


def lint_catalog(text: str) -> list[Fault]:
    """Every fault of a catalogue's text, at `line:column`. Raises BadInput where it is not readable YAML."""
    return at_lines(text, catalog.read(read_yaml(text))[1])


def _lint(kind: str, document: Any) -> list[Fault]:
    readers = {"policy": policy.from_document, "runbook": runbook.from_document, "audience": audience.from_document}
    name = document.get("name") or "default"
    fault = Fault("/name", "Name the document in lower-case letters, digits and hyphens.")
    return readers[kind](document)[1] + ([] if isinstance(name, str) and _NAME.match(name) else [fault])


def propose(tx: Tx, text: str, person: Person) -> Document:
    """Put a document forward. The first version is adopted at once; a later one opens a gate."""
    require(person, Permission.MANAGE_DOCUMENTS)
    return _propose(tx, text, person.id)


def _propose(tx: Tx, text: str, by: str) -> Document:
    kind, name = identify(text)
    noun_id = document_id(kind, name)
    known: Document | None = tx.load("document", noun_id)
    text_digest = digest_bytes(text.encode())
    gate_id = None
    if known is not None and known.version and known.digest != text_digest:
        if known.draft is not None:
            tx.change("document", noun_id, ProposeDocument(noun_id, kind, name, text_digest, text, by, None))
        content = {
            "act": "document", "kind": kind, "name": name, "version": known.last_version + 1,
            "digest": text_digest, "replaces": known.digest, "text": text,
        }  # fmt: skip
        ruling = ruling_for(tx, Act("document"))
        title = f"Adopt version {known.last_version + 1} of {kind} {name}"
        ask = gates.Ask("document", noun_id, title, content, proposer=by, last_editor=None)
        gate_id = gates.open_gate(tx, ask, ruling, policy_digest(tx))
    tx.change("document", noun_id, ProposeDocument(noun_id, kind, name, text_digest, text, by, gate_id))
    result: Document = tx.get("document", noun_id)
    return result


def on_gate(tx: Tx, gate: Gate) -> None:
    """What follows from a decided gate over a document."""
    if gate.status == "satisfied":
        tx.change("document", gate.subject.id, AdoptDraft(gate.id, str(gate.content.get("digest"))))
    elif gate.status != "open":
        tx.change("document", gate.subject.id, DeclineDraft(gate.id))


def adopt_shipped(shell: Shell) -> None:
    """At first start: adopt the documents that ship with the product, where none is in force."""

    def operation(tx: Tx) -> None:
        for text in shipped():
            kind, name = identify(text)
            if tx.load("document", document_id(kind, name)) is None:
                _propose(tx, text, HANDRAIL.id)

    shell.transact(HANDRAIL, operation, "first start")


def shipped() -> list[str]:
    root = resources.files("handrail.documents")
    runbooks = sorted(
        (item for item in root.joinpath("runbooks").iterdir() if item.name.endswith(".yaml")), key=lambda i: i.name
    )
    return [item.read_text() for item in (root.joinpath("policy.yaml"), root.joinpath("audiences.yaml"), *runbooks)]


def in_force(tx: Tx, kind: str, name: str = "default") -> Document | None:
    document: Document | None = tx.load("document", document_id(kind, name))
    return document if document is not None and document.version else None


def policy_digest(tx: Tx) -> str:
    document = in_force(tx, "policy")
    return document.digest if document else ""


def ruling_for(tx: Tx, act: Act) -> Ruling:
    """The verdict of the policy in force; without a policy everything is forbidden."""
    document = in_force(tx, "policy")
    return policy.judge(_policy(document.text), act) if document else Ruling("forbid", "no policy is in force")


def load_catalog(tx: Tx) -> Catalog:
    document = in_force(tx, "catalog")
    return _catalog(document.text) if document else Catalog()


def load_audiences(tx: Tx) -> Mapping[str, Audience]:
    document = in_force(tx, "audience")
    return _audiences(document.text) if document else {}


def load_runbook(tx: Tx, name: str) -> tuple[Runbook, str]:
    """A runbook in force, with its digest. Raises NotFound."""
    document = in_force(tx, "runbook", name)
    if document is None:
        raise NotFound(f"There is no runbook “{name[:64]}” in force.")
    return _runbook(document.text), document.digest


@lru_cache(maxsize=16)
def _policy(text: str) -> Policy:
    return policy.from_document(read_yaml(text)[0])[0]


@lru_cache(maxsize=16)
def _catalog(text: str) -> Catalog:
    return catalog.from_documents(read_yaml(text))[0]


@lru_cache(maxsize=16)
def _audiences(text: str) -> Mapping[str, Audience]:
    return audience.from_document(read_yaml(text)[0])[0]


@lru_cache(maxsize=64)
def _runbook(text: str) -> Runbook:
    return runbook.from_document(read_yaml(text)[0])[0]
