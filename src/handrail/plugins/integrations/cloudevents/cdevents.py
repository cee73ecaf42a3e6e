"""CDEvents: where its nested subject keeps what a change or an alert needs."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from handrail.plugins.integrations.fields import mapping, words


def is_cdevent(event_type: str, data: Mapping[str, Any]) -> bool:
    return event_type.startswith("dev.cdevents.") and type(data.get("subject")) is dict


def facts_of(event_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The facts under the names that other events use for them."""
    subject = mapping(data["subject"])
    content = mapping(subject.get("content"))
    is_service = event_type.startswith("dev.cdevents.service.")
    facts: dict[str, Any] = {
        "dedup_key": subject.get("id"),
        "title": content.get("description"),
        "service": content.get("service") or (subject.get("id") if is_service else None),
        "environment": content.get("environment"),
        "version": version_of(words(content.get("artifactId"))),
        "url": content.get("url") or content.get("uri"),
    }
    return {name: value for name, value in facts.items() if value}


def version_of(package: str) -> str | None:
    """The version in a package URL (`pkg:oci/name@version?tag=1.4.2`): its tag, which people read, else its digest."""
    if not package.startswith("pkg:"):
        return package or None
    whole, _, qualifiers = package.partition("?")
    tag = parse_qs(qualifiers.partition("#")[0]).get("tag", [""])[0]
    _, _, version = whole.partition("#")[0].rpartition("@")
    return tag or (unquote(version) if "@" in whole else None) or None
