"""Reads what Argo CD's notifications say about an application: the whole of it, or a flat body."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.kernel.errors import BadInput
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.deliveries import Told, change_of, commit
from handrail.plugins.integrations.fields import mapping, moment, read_body, words

EXPECTED = "an Argo CD notification: an object with “app” as the whole application, or with “app”, “phase”, “revision”"
_WAYS = ("phase", "operation_phase", "sync_phase", "state")


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One change for a sync that succeeded, nothing for one that runs or failed."""
    body = read_body(inbound)
    told = _told(body)
    return Parsed(changes=(change_of(told, body),) if told else ())


def _told(body: Any) -> Told | None:
    if type(body) is not dict:
        raise other_sender(body, EXPECTED)
    application = _application(body)
    if application is not None:
        return _whole(application, mapping(body.get("context")))
    if words(body.get("app")) or words(body.get("application")):
        phase = next((said for name in _WAYS if (said := words(body.get(name)))), "")
        if phase or "revision" in body:
            return _flat(body, phase)
    raise other_sender(body, EXPECTED)


def _application(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for candidate in (body.get("app"), body.get("application"), body):
        if type(candidate) is dict and type(candidate.get("metadata")) is dict and "status" in candidate:
            return candidate
    return None


def _whole(application: Mapping[str, Any], context: Mapping[str, Any]) -> Told | None:
    metadata, status = mapping(application["metadata"]), mapping(application["status"])
    operation = mapping(status.get("operationState"))
    asked = mapping(mapping(operation.get("operation")).get("sync"))
    if words(operation.get("phase")).lower() != "succeeded" or asked.get("dryRun") is True:
        return None
    name = words(metadata.get("name"))
    if not name:
        raise BadInput("The application has no “metadata.name”.", code="application_missing")
    result, sync = mapping(operation.get("syncResult")), mapping(status.get("sync"))
    revision, finished = _revision(result) or _revision(sync), operation.get("finishedAt")
    destination = mapping(mapping(application.get("spec")).get("destination"))
    by = mapping(mapping(operation.get("operation")).get("initiatedBy"))
    previous = _previous(status, revision)
    argocd = words(context.get("argocdUrl")).rstrip("/")
    return Told(
        key=(words(metadata.get("namespace")), name, revision, words(finished)),
        kind="rollback" if _is_older(status, asked, revision) else "deploy",
        service=words(mapping(metadata.get("labels")).get("app.kubernetes.io/name")) or name,
        title="",
        occurred_at=moment(finished) or moment(operation.get("startedAt")),
        version=_image_tag(status) or commit(revision),
        previous_version=None if _image_tag(status) else commit(previous),
        environment=words(mapping(metadata.get("labels")).get("environment")) or destination.get("namespace"),
        author=words(by.get("username")) or ("automated" if by.get("automated") is True else ""),
        links=(f"{argocd}/applications/{name}" if argocd else None, *_urls(status)),
        extra={
            "revision": revision,
            "previous_revision": previous,
            "cluster": words(destination.get("name")) or destination.get("server"),
            "health": mapping(status.get("health")).get("status"),
            "sync": sync.get("status"),
        },
    )


def _flat(body: Mapping[str, Any], phase: str) -> Told | None:
    if phase.lower() not in ("succeeded", "success", "synced", "deployed"):
        return None
    name = words(body.get("app")) or words(body.get("application"))
    revision = words(body.get("revision"))
    finished = next((body[key] for key in ("finished_at", "finishedAt", "time", "timestamp") if body.get(key)), None)
    if not revision and not finished:
        raise BadInput("The sync has neither “revision” nor “finished_at”.", code="event_id_missing")
    return Told(
        key=("", name, revision, words(finished)),
        kind="deploy",
        service=words(body.get("service")) or name,
        occurred_at=moment(finished),
        version=words(body.get("version")) or commit(revision),
        previous_version=commit(body.get("previous_revision")),
        environment=words(body.get("environment")) or body.get("namespace"),
        author=body.get("author"),
        links=(body.get("link"), body.get("url")),
        extra={"revision": revision, "project": body.get("project"), "health": body.get("health")},
    )


def _revision(part: Mapping[str, Any]) -> str:
    """An application of several sources has a list of revisions; together they are its revision."""
    several = part.get("revisions")
    listed = [words(item) for item in several] if type(several) is list else []
    return words(part.get("revision")) or ",".join(item for item in listed if item)


def _history(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    history = status.get("history")
    return [item for item in history if type(item) is dict] if type(history) is list else []


def _previous(status: Mapping[str, Any], revision: str) -> str:
    """The revision that was deployed before: the newest of the history, oldest first, that is another one."""
    revisions = [_revision(item) for item in _history(status)]
    return next((said for said in reversed(revisions) if said and said != revision), "")


def _is_older(status: Mapping[str, Any], asked: Mapping[str, Any], revision: str) -> bool:
    """Argo CD rolls back by a sync to a revision that its history already held, before the newest other one."""
    revisions = [said for item in _history(status) if (said := _revision(item))]
    while revisions and revisions[-1] == revision:
        revisions.pop()
    return bool(revision) and words(asked.get("revision")) == revision and revision in revisions


def _image_tag(status: Mapping[str, Any]) -> str:
    """The tag of the only image; with several, no one of them is the version."""
    images = mapping(status.get("summary")).get("images")
    if type(images) is not list or len(images) != 1:
        return ""
    name = words(images[0]).partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]


def _urls(status: Mapping[str, Any]) -> list[Any]:
    urls = mapping(status.get("summary")).get("externalURLs")
    return urls if type(urls) is list else []
