"""A gate as people decide on it: what exactly, who may, by when."""

from collections.abc import Iterator, Mapping
from typing import Any

from handrail.domain.gate import Gate, may_vote
from handrail.domain.incident import Incident
from handrail.domain.people import Permission, Person, permitted
from handrail.kernel.canonical import canonical
from handrail.web import views as v
from handrail.web.presenters.names import Names

# What decides comes first; ids and digests, which only bind, stand last. The digest covers all of it either way.
_FIRST = ("act", "action", "audience", "service", "subject", "text", "channels", "parameters", "preview", "severity")
_LAST = ("message", "incident", "run", "task", "runbook", "evidence", "replaces", "digest", "policy")


def gate_card(gate: Gate, viewer: Person, names: Names, incident: Incident | None = None) -> v.GateCard:
    """`viewer` carries the roles held in the incident."""
    why_not = why_not_vote(gate, viewer)
    return v.GateCard(
        id=gate.id,
        subject=subject(gate),
        status=gate.status,
        digest=gate.subject.digest,
        content=tuple(content(gate.content)),
        bound=tuple(bound(gate.content)),
        proposer=names.known(gate.proposer),
        eligible=names.eligible(gate.eligible),
        quorum=gate.quorum,
        policy=f"rule {gate.rule}",
        opened_at=gate.opened_at,
        expires_at=gate.expires_at,
        votes=tuple(v.Vote(names.known(vote.by), vote.vote, vote.words, vote.at) for vote in gate.votes),
        may_vote=why_not == "",
        why_not=why_not,
        decided_at=gate.decided_at,
        what_then=what_then(gate),
        last_editor=_editor(gate, names),
        incident=(f"/incidents/{incident.id}", incident.reference) if incident else None,
        why=gate.why,
        canonical=canonical(gate.content).decode(),
    )


def why_not_vote(gate: Gate, viewer: Person) -> str:
    """A sentence, or nothing when the viewer may decide."""
    if not permitted(viewer, Permission.VOTE):
        return "Your roles do not let you decide gates."
    if refusal := may_vote(gate, viewer):
        return refusal.detail
    if any(vote.by == viewer.id for vote in gate.votes):
        return "Your vote is recorded; one person is one vote."
    return ""


def subject(gate: Gate) -> str:
    """What follows “Approve” and “Reject”."""
    said = gate.content
    match gate.subject.kind:
        case "action":
            parameters = said.get("parameters") or {}
            if said.get("action") == "deploy.rollback":
                return f"roll back of {parameters.get('service')} to {parameters.get('to_version')}"
            return f"{said.get('action')} on {parameters.get('service') or 'what it names'}"
        case "message":
            return f"message to {said.get('audience')}"
        case "readiness":
            return f"readiness of {said.get('service') or 'the services'}"
        case "document":
            return f"version {said.get('version')} of {said.get('kind')} {said.get('name')}"
    return f"“{gate.subject.title}”"


def what_then(gate: Gate) -> str:
    """What follows at once when the last approval is given."""
    said = gate.content
    match gate.subject.kind:
        case "action":
            signal = (said.get("preview") or {}).get("signal")
            watches = f", then watches the {signal}" if signal else ""
            return f"Once approved, Handrail carries it out at once{watches}."
        case "message":
            return f"Once approved, it goes out at once over {' and '.join(said.get('channels') or ())}."
        case "readiness":
            return "Once signed off, the incident can be closed."
        case "document":
            return "Once approved, it is in force."
    return ""


def _editor(gate: Gate, names: Names) -> str | None:
    """Who else had a hand in it, and so never approves it."""
    if gate.last_editor is None or gate.last_editor == gate.proposer:
        return None
    verb = "put forward by" if gate.subject.kind == "action" else "last edited by"
    return f"{verb} {names.of(gate.last_editor)}"


def content(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What decides: every value that the digest covers but those of `bound`, under the path that leads to it."""
    for name in sorted(said, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)):
        if name not in _LAST:
            yield from _flat(name.replace("_", " "), said[name])


def bound(said: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What only binds, each value with where it is shown: the digest covers it as well."""
    for name in _LAST:
        if name in said:
            values = said[name] if isinstance(said[name], list | tuple) else [said[name]]
            for value in values or ["none"]:
                yield name.replace("_", " "), _text(value), _address(name, value)


def _address(name: str, value: Any) -> str:
    places = {"evidence": "/evidence/", "incident": "/incidents/", "message": "/messages/"}
    return f"{places[name]}{value}" if name in places and value else ""


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(f"{path} › {name.replace('_', ' ')}", inner)
    elif isinstance(value, list | tuple):
        yield path, "\n".join(_text(item) for item in value) if value else "none"
    else:
        yield path, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return canonical(value).decode()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
