"""Reads GitLab's deliveries into changes. A delivery that changes nothing in production is taken and says nothing."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

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
from handrail.plugins.integrations.reading import first_words
from handrail.plugins.integrations.signatures import equal_token, standard_webhooks

EXPECTED = "a GitLab webhook (an object with “object_kind” and “project”)"
_SPACED_ZONE = re.compile(r" ([+-]\d{2}:?\d{2})$")


def verify(inbound: Inbound, secrets: Sequence[str], now: datetime) -> Verdict:
    """The signing token's signature where one came; else the secret token, which proves no more than a token does."""
    if "webhook-signature" in inbound.headers:
        standard_webhooks(inbound.headers, inbound.body, secrets, now)
        return Verdict.VERIFIED
    equal_token(inbound.headers.get("x-gitlab-token"), secrets)
    return Verdict.TOKEN


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """The changes of one delivery; a pipeline may hold several."""
    body = read_body(inbound)
    if type(body) is not dict or not _is_gitlab(body, inbound.headers):
        raise other_sender(body, EXPECTED)
    said = inbound.headers.get("webhook-id") or inbound.headers.get("idempotency-key") or ""
    delivery = key_text(said.strip())
    event = words(body.get("object_kind")) or words(body.get("event_name"))
    told: Iterable[Told] = _READERS.get(event, _nothing)(body)
    if event == "feature_flag":
        told = (_told_at(each, delivery, now) for each in told)
    return Parsed(changes=tuple(change_of(each, body) for each in told), replay_id=delivery or None)


def _is_gitlab(body: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """A system hook has no kind; it tells of users and keys as well, which GitLab must not take for a failure."""
    if words(body.get("object_kind")):
        return True
    if not words(body.get("event_name")):
        return False
    is_read = words(body.get("event_name")) in _READERS and ("project" in body or "project_id" in body)
    return is_read or "x-gitlab-event" in headers


def _nothing(_body: Mapping[str, Any]) -> Iterator[Told]:
    return iter(())


def _told_at(told: Told, delivery: str, now: datetime) -> Told:
    """A flag is turned on and off many times and GitLab does not say when: the delivery tells one from another, or the
    minute of arrival."""
    return replace(told, key=(*told.key, delivery or now.strftime("%Y-%m-%dT%H:%M")))


def gitlab_moment(value: Any) -> datetime | None:
    """GitLab writes “2021-04-28 21:50:00 +0200” and “… UTC” beside ISO 8601."""
    return moment(_SPACED_ZONE.sub(r"\1", value.strip()) if type(value) is str else value)


def _first_moment(*values: Any) -> datetime | None:
    return next((read for value in values if (read := gitlab_moment(value))), None)


def _project(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    project = mapping(body.get("project"))
    path = words(project.get("path_with_namespace")) or words(project.get("name"))
    if not path:
        raise BadInput("The delivery names no project (“project.path_with_namespace”).", code="project_missing")
    return project, path


def _web(project: Mapping[str, Any]) -> Any:
    return project.get("web_url") or project.get("homepage")


def _deployment(body: Mapping[str, Any]) -> Iterator[Told]:
    if words(body.get("status")).lower() != "success":
        return
    project, path = _project(body)
    job, deployment = words(body.get("deployable_id")), words(body.get("deployment_id"))
    if not job and not deployment:
        raise BadInput("The deployment has neither “deployable_id” nor “deployment_id”.", code="event_id_missing")
    commit_name = words(body.get("commit_url")).rpartition("/")[2]
    yield Told(
        key=(path, "job", job) if job else (path, "deployment", deployment),
        kind="deploy",
        service=path,
        title=first_line(body.get("commit_title")),
        occurred_at=_first_moment(body.get("status_changed_at")),
        version=commit(commit_name) or body.get("short_sha") or body.get("ref"),
        environment=body.get("environment"),
        author=person(body.get("user")),
        links=(body.get("deployable_url"), body.get("environment_external_url"), body.get("commit_url"), _web(project)),
        extra={"event": "deployment", "ref": body.get("ref"), "tier": body.get("environment_tier")},
    )


def _pipeline(body: Mapping[str, Any]) -> Iterator[Told]:
    """One change for each deploy job that succeeded, once the pipeline is over: it is told again at every step."""
    pipeline = mapping(body.get("object_attributes"))
    if words(pipeline.get("status")).lower() not in ("success", "failed", "canceled"):
        return
    builds = body.get("builds")
    if not builds and words(pipeline.get("status")).lower() == "success" and _is_delivery(pipeline):
        yield _deploy_job(body, pipeline, {})
    for build in builds if type(builds) is list else ():
        if type(build) is dict and words(build.get("status")).lower() == "success" and _deploys(build):
            yield _deploy_job(body, pipeline, build)


def _is_delivery(pipeline: Mapping[str, Any]) -> bool:
    """A pipeline told without its jobs: its name or one of its stages must say that it deploys."""
    stages = pipeline.get("stages")
    return delivers(pipeline.get("name"), *(stages if type(stages) is list else ()))


def _deploys(build: Mapping[str, Any]) -> bool:
    """A job with an environment starts, stops or merely reads it; without one, its name or stage must say it."""
    environment = mapping(build.get("environment"))
    if environment:
        return words(environment.get("action")) in ("", "start")
    return delivers(f"{words(build.get('stage'))} {words(build.get('name'))}")


def _deploy_job(body: Mapping[str, Any], pipeline: Mapping[str, Any], build: Mapping[str, Any]) -> Told:
    project, path = _project(body)
    job, number = words(build.get("id")), words(pipeline.get("id"))
    if not (job if build else number):
        raise BadInput("The pipeline or one of its jobs has no “id”.", code="event_id_missing")
    environment, head = mapping(build.get("environment")), mapping(body.get("commit"))
    home = words(_web(project))
    return Told(
        key=(path, "job", job) if build else (path, "pipeline", number),
        kind=delivery_kind(build.get("name"), build.get("stage")),
        service=path,
        title=first_line(head.get("title")) or first_line(head.get("message")),
        occurred_at=_first_moment(build.get("finished_at"), pipeline.get("finished_at"), pipeline.get("created_at")),
        version=commit(pipeline.get("sha")) or commit(head.get("id")),
        environment=environment.get("name"),
        author=person(build.get("user")) or person(body.get("user")),
        links=(f"{home}/-/jobs/{job}" if build else None, pipeline.get("url"), head.get("url")),
        extra={
            "event": "pipeline",
            "pipeline": number,
            "job": build.get("name"),
            "ref": pipeline.get("ref"),
            "tier": environment.get("deployment_tier"),
        },
    )


def _push(body: Mapping[str, Any]) -> Iterator[Told]:
    project, path = _project(body)
    branch, after = words(project.get("default_branch")), commit(body.get("after"))
    if not branch or words(body.get("ref")) != f"refs/heads/{branch}" or not after:
        return
    head = _head(body, after)
    yield Told(
        key=(path, "push", after),
        kind="other",
        service=path,
        title=first_line(head.get("title")) or first_line(head.get("message")) or f"push to {branch} of {path}",
        occurred_at=_first_moment(head.get("timestamp")),
        version=after,
        previous_version=commit(body.get("before")),
        author=person(body.get("user_username")) or person(body.get("user_name")),
        links=(head.get("url"), _web(project)),
        extra={"event": "push", "branch": branch},
    )


def _head(body: Mapping[str, Any], after: str) -> Mapping[str, Any]:
    """The commit that the branch now points at; the list is cut at twenty, so it may not be there."""
    commits = body.get("commits")
    listed = [item for item in commits if type(item) is dict] if type(commits) is list else []
    named = (item for item in listed if words(item.get("id")) == after)
    return next(named, listed[-1] if listed else {})


def _tag_push(body: Mapping[str, Any]) -> Iterator[Told]:
    project, path = _project(body)
    reference, after = words(body.get("ref")), commit(body.get("after"))
    if not reference.startswith("refs/tags/") or not after:
        return
    tag, head = reference.removeprefix("refs/tags/"), _head(body, words(body.get("checkout_sha")) or after)
    yield Told(
        key=(path, "release", tag),
        kind="release",
        service=path,
        title=first_line(body.get("message")) or f"tag {tag} of {path}",
        occurred_at=_first_moment(head.get("timestamp")),
        version=tag,
        author=person(body.get("user_username")) or person(body.get("user_name")),
        links=(head.get("url"), _web(project)),
        extra={"event": "tag_push", "commit": commit(body.get("checkout_sha")) or after},
    )


def _release(body: Mapping[str, Any]) -> Iterator[Told]:
    if words(body.get("action")).lower() not in ("create", ""):
        return
    project, path = _project(body)
    tag, head = words(body.get("tag")), mapping(body.get("commit"))
    if not tag:
        raise BadInput("The release has no “tag”.", code="event_id_missing")
    yield Told(
        key=(path, "release", tag),
        kind="release",
        service=path,
        title=first_line(body.get("name")) or tag,
        occurred_at=_first_moment(body.get("released_at"), body.get("created_at")),
        version=tag,
        author=person(mapping(head.get("author")).get("name")),
        links=(body.get("url"), _web(project)),
        extra={"event": "release", "commit": head.get("id")},
    )


def _feature_flag(body: Mapping[str, Any]) -> Iterator[Told]:
    project, path = _project(body)
    flag = mapping(body.get("object_attributes"))
    name = first_words(flag.get("name"), flag.get("id"))
    if not name:
        raise BadInput("The feature flag has neither “name” nor “id”.", code="event_id_missing")
    state = "on" if words(flag.get("active")).lower() in ("true", "1") else "off"
    yield Told(
        key=(path, "flag", first_words(flag.get("id"), name), state),
        kind="flag",
        service=path,
        title=f"{name} {state}",
        version=state,
        author=person(body.get("user")),
        links=(_web(project),),
        extra={"event": "feature_flag", "flag": name, "description": flag.get("description")},
    )


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Told]]] = {
    "deployment": _deployment,
    "pipeline": _pipeline,
    "push": _push,
    "tag_push": _tag_push,
    "release": _release,
    "feature_flag": _feature_flag,
}
