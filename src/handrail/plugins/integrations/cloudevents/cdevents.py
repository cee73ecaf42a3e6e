"""CDEvents: where its nested subject keeps what a change or an alert needs."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from handrail.plugins.integrations.deliveries import delivers
from handrail.plugins.integrations.fields import mapping, words

# Work on the way to a delivery, by what it is about, and for some of them by what became of it.
_STEPS = (
    "taskrun", "build", "testcase", "testcaserun", "testsuite", "testsuiterun", "testoutput", "repository", "branch",
    "ticket",
)  # fmt: skip
_TOLD = {"artifact": ("published",), "change": ("merged",)}


def is_cdevent(event_type: str, data: Mapping[str, Any]) -> bool:
    return event_type.startswith("dev.cdevents.") and type(data.get("subject")) is dict


def facts_of(event_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The facts under the names that other events use for them."""
    subject = mapping(data["subject"])
    content = mapping(subject.get("content"))
    about = event_type.split(".")[2]
    own = {about: subject.get("id")} if about in ("service", "environment") else {}
    facts: dict[str, Any] = {
        "dedup_key": subject.get("id"),
        "title": content.get("description") or content.get("pipelineName"),
        "service": content.get("service") or own.get("service"),
        "environment": own.get("environment") or content.get("environment"),
        "version": version_of(words(content.get("artifactId"))),
        "url": content.get("url") or content.get("uri"),
        "timestamp": mapping(data.get("context")).get("timestamp"),
    }
    return {name: value for name, value in facts.items() if value}


def is_delivery_step(event_type: str, data: Mapping[str, Any]) -> bool:
    """Whether an event tells only of the way to a delivery: a run, build, branch or review that changes nothing where
    the software runs.

    A pipeline run that finished with success and says by its name that it deploys is no mere step; neither is a change
    that was merged, nor an artifact that was published.
    """
    parts = event_type.split(".")
    about, predicate = (parts[2], parts[3]) if len(parts) > 3 else ("", "")
    if about in _TOLD:
        return predicate not in _TOLD[about]
    if about != "pipelinerun":
        return about in _STEPS
    content = mapping(mapping(data.get("subject")).get("content"))
    succeeded = words(content.get("outcome")).lower() == "success"
    return not (predicate == "finished" and succeeded and delivers(content.get("pipelineName")))


def version_of(package: str) -> str | None:
    """The version in a package URL (`pkg:oci/name@version?tag=1.4.2`): its tag, which people read, else its digest."""
    if not package.startswith("pkg:"):
        return package or None
    whole, _, qualifiers = package.partition("?")
    tag = parse_qs(qualifiers.partition("#")[0]).get("tag", [""])[0]
    _, _, version = whole.partition("#")[0].rpartition("@")
    return tag or (unquote(version) if "@" in whole else None) or None
