"""Reads GitHub's deliveries into changes. A delivery that changes nothing in production is taken and says nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from handrail.kernel.errors import BadInput
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed, Verdict
from handrail.plugins.integrations.deliveries import (
    Told,
    change_of,
    commit,
    delivers,
    delivery_kind,
    first_line,
    person,
)
from handrail.plugins.integrations.fields import key_text, mapping, moment, read_body, words
from handrail.plugins.integrations.signatures import hmac_hex

EXPECTED = "a GitHub webhook (an object with “repository” and, for what is read, “deployment”, “release” or “ref”)"
# A commit made long before it was pushed changed nothing until the push.
_COMMIT_IS_OLD = timedelta(hours=1)
_FORM_FIELDS_MAX = 8
_FOR_PULL_REQUESTS = ("pull_request", "pull_request_target", "pull_request_review", "merge_group")


def verify(inbound: Inbound, secrets: Sequence[str], now: datetime) -> Verdict:
    """`X-Hub-Signature-256`, over the body as it came. The older SHA-1 header is not looked at."""
    hmac_hex(inbound.body, inbound.headers.get("x-hub-signature-256"), secrets)
    return Verdict.VERIFIED


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """At most one change. The event is named by `X-GitHub-Event`; without it, the body's own parts tell."""
    body = read_body(_unwrapped(inbound))
    named = inbound.headers.get("x-github-event", "").strip().lower()
    if type(body) is not dict or not (named or _is_github(body)):
        raise other_sender(body, EXPECTED)
    event = named or _event_of(body)
    read = _READERS.get(event)
    told = read(body) if read else None
    replay_id = key_text(inbound.headers.get("x-github-delivery", "").strip()) or None
    return Parsed(changes=(change_of(told, body),) if told else (), replay_id=replay_id)


def _unwrapped(inbound: Inbound) -> Inbound:
    """GitHub's other content type: a form whose field “payload” holds the JSON."""
    if not inbound.body.startswith(b"payload="):
        return inbound
    try:
        [payload] = parse_qs(inbound.body.decode("ascii"), max_num_fields=_FORM_FIELDS_MAX)["payload"]
    except (ValueError, KeyError):
        raise BadInput("The form has no single field “payload” with JSON.", code="form_payload_missing") from None
    return replace(inbound, body=payload.encode())


def _is_github(body: Mapping[str, Any]) -> bool:
    return ("hook_id" in body and "zen" in body) or (type(body.get("repository")) is dict and "sender" in body)


def _event_of(body: Mapping[str, Any]) -> str:
    for part in ("deployment_status", "workflow_run", "deployment", "release"):
        if type(body.get(part)) is dict:
            return part
    return "push" if "ref" in body and "after" in body else ""


def _repository(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    repository = mapping(body.get("repository"))
    owner = words(mapping(repository.get("owner")).get("login"))
    name = words(repository.get("name"))
    full = words(repository.get("full_name")) or (f"{owner}/{name}" if owner and name else name)
    if not full:
        raise BadInput("The delivery names no repository (“repository.full_name”).", code="repository_missing")
    return repository, full


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = mapping(body.get(name))
    if not part:
        raise BadInput(f"The delivery has no object “{name}”, which its event is about.", code="event_part_missing")
    return part


def _required_id(part: Mapping[str, Any], name: str) -> str:
    said = words(part.get("id"))
    if not said:
        raise BadInput(f"“{name}” has no “id”; the same event sent twice could not be told.", code="event_id_missing")
    return said


def _deployment(body: Mapping[str, Any]) -> Told | None:
    if (words(body.get("action")) or "created") != "created":
        return None
    deployment = _part(body, "deployment")
    return _deployed(body, deployment, {}, "started")


def _deployment_status(body: Mapping[str, Any]) -> Told | None:
    status = _part(body, "deployment_status")
    if words(status.get("state")).lower() != "success":
        return None
    return _deployed(body, _part(body, "deployment"), status, "success")


def _deployed(body: Mapping[str, Any], deployment: Mapping[str, Any], status: Mapping[str, Any], state: str) -> Told:
    repository, full = _repository(body)
    times = (status.get("updated_at"), status.get("created_at"), deployment.get("created_at"))
    return Told(
        key=(full, "deployment", _required_id(deployment, "deployment")),
        kind=delivery_kind(deployment.get("task")),
        service=full,
        occurred_at=_first_moment(times),
        version=commit(deployment.get("sha")) or deployment.get("ref"),
        environment=words(status.get("environment")) or words(deployment.get("environment")),
        author=person(deployment.get("creator")) or person(status.get("creator")) or person(body.get("sender")),
        links=(
            status.get("target_url"), status.get("log_url"), status.get("environment_url"), repository.get("html_url"),
        ),
        extra={
            "event": "deployment", "state": state, "ref": deployment.get("ref"), "task": deployment.get("task"),
            "description": words(status.get("description")) or words(deployment.get("description")),
        },
    )  # fmt: skip


def _workflow_run(body: Mapping[str, Any]) -> Told | None:
    run, workflow = _part(body, "workflow_run"), mapping(body.get("workflow"))
    if words(run.get("conclusion")).lower() != "success" or words(run.get("event")) in _FOR_PULL_REQUESTS:
        return None
    names = (run.get("name"), workflow.get("name"), _file_name(run.get("path")), _file_name(workflow.get("path")))
    if not delivers(*names):
        return None
    _, full = _repository(body)
    head = mapping(run.get("head_commit"))
    name = words(run.get("name")) or words(workflow.get("name"))
    about = first_line(run.get("display_title")) or first_line(head.get("message"))
    return Told(
        key=(full, "workflow_run", _required_id(run, "workflow_run"), words(run.get("run_attempt")) or "1"),
        kind=delivery_kind(*names),
        service=full,
        title=": ".join(part for part in (name, about) if part),
        occurred_at=_first_moment((run.get("updated_at"), run.get("run_started_at"), run.get("created_at"))),
        version=commit(run.get("head_sha")) or commit(head.get("id")),
        author=person(run.get("triggering_actor")) or person(run.get("actor")) or person(body.get("sender")),
        links=(run.get("html_url"),),
        extra={"event": "workflow_run", "branch": run.get("head_branch"), "workflow": name},
    )


def _push(body: Mapping[str, Any]) -> Told | None:
    repository, full = _repository(body)
    branch = words(repository.get("default_branch")) or words(repository.get("master_branch"))
    after = commit(body.get("after"))
    if not branch or words(body.get("ref")) != f"refs/heads/{branch}" or body.get("deleted") is True or not after:
        return None
    commits = body.get("commits")
    head = mapping(body.get("head_commit")) or mapping(commits[-1] if type(commits) is list and commits else None)
    return Told(
        key=(full, "push", after),
        kind="other",
        service=full,
        title=first_line(head.get("message")) or f"push to {branch} of {full}",
        occurred_at=_pushed_at(repository, head),
        version=after,
        previous_version=commit(body.get("before")),
        author=person(body.get("sender")) or person(body.get("pusher")),
        links=(body.get("compare"), head.get("url")),
        extra={"event": "push", "branch": branch, "forced": "true" if body.get("forced") is True else None},
    )


def _pushed_at(repository: Mapping[str, Any], head: Mapping[str, Any]) -> datetime | None:
    made, pushed = moment(head.get("timestamp")), moment(repository.get("pushed_at"))
    if made and pushed and pushed - made > _COMMIT_IS_OLD:
        return pushed
    return made or pushed


def _release(body: Mapping[str, Any]) -> Told | None:
    release = _part(body, "release")
    if words(body.get("action")) not in ("published", "") or release.get("draft") is True:
        return None
    _, full = _repository(body)
    return Told(
        key=(full, "release", _required_id(release, "release")),
        kind="release",
        service=full,
        title=_release_title(release),
        occurred_at=_first_moment((release.get("published_at"), release.get("created_at"))),
        version=release.get("tag_name"),
        author=person(release.get("author")) or person(body.get("sender")),
        links=(release.get("html_url"),),
        extra={
            "event": "release",
            "branch": release.get("target_commitish"),
            "prerelease": "true" if release.get("prerelease") is True else None,
        },
    )


def _release_title(release: Mapping[str, Any]) -> str:
    return first_line(release.get("name")) or first_line(release.get("tag_name"))


def _file_name(path: Any) -> str:
    """The folder of all workflows says nothing about one of them."""
    return words(path).partition("@")[0].rpartition("/")[2].rpartition(".")[0]


def _first_moment(values: Sequence[Any]) -> datetime | None:
    return next((read for value in values if (read := moment(value))), None)


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Told | None]] = {
    "deployment": _deployment,
    "deployment_status": _deployment_status,
    "workflow_run": _workflow_run,
    "push": _push,
    "release": _release,
}
