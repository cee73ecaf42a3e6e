"""Reads the fields of a change (deploy, rollback, flag, configuration) under the names that senders use for them."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.domain.alert import ReportedChange
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.fields import clip, link, moment, words

_KINDS = (
    ("rollback", "rollback"), ("rolledback", "rollback"), ("revert", "rollback"),
    ("deploy", "deploy"), ("upgraded", "deploy"), ("rollout", "deploy"),
    ("release", "release"), ("flag", "flag"), ("toggle", "flag"), ("config", "config"), ("setting", "config"),
    ("infra", "infrastructure"), ("environment", "infrastructure"), ("terraform", "infrastructure"),
    ("migration", "migration"), ("restart", "restart"), ("scal", "scale"),
)  # fmt: skip

# Words that hold a word of the table and mean another thing.
_LOOK_ALIKES = re.compile("escalat[a-z]*|fiscal|flagship|resetting|infraction")

_NAMES: dict[str, tuple[str, ...]] = {
    "service": ("service", "service_name", "serviceName", "application", "app", "component", "project", "repository"),
    "title": ("title", "summary", "message", "description"),
    "version": ("version", "to_version", "tag", "revision", "commit", "sha"),
    "previous_version": ("previous_version", "previousVersion", "from_version"),
    "environment": ("environment", "env"),
    "author": ("author", "user", "actor", "deployed_by"),
}
CHANGE_FIELDS = frozenset(
    {name for names in _NAMES.values() for name in names}
    | {"kind", "change_key", "occurred_at", "occurredAt", "time", "timestamp", "at", "link", "url", "html_url"}
)


def kind_of(said: str) -> str:
    """The kind of change that a sender's own word or event type names; “other” when it names none."""
    plain = _LOOK_ALIKES.sub("", said.lower().replace("_", "").replace("-", "").replace(" ", ""))
    return next((kind for word, kind in _KINDS if word in plain), "other")


def said_of(item: Mapping[str, Any], field: str) -> str | None:
    """What the sender says for one of a change's fields, as bounded text. An object is asked for its name or id."""
    for name in _NAMES[field]:
        value = item.get(name)
        if type(value) is dict:
            value = words(value.get("name")) or words(value.get("id"))
        said = words(value)
        if said:
            return clip(said, LIMITS.title_chars if field == "title" else LIMITS.label_chars)
    return None


def time_of(item: Mapping[str, Any]) -> datetime | None:
    for name in ("occurred_at", "occurredAt", "time", "timestamp", "at"):
        read = moment(item.get(name))
        if read:
            return read
    return None


def link_of(item: Mapping[str, Any]) -> str | None:
    return link(item.get("link")) or link(item.get("url")) or link(item.get("html_url"))


def title_of(change: ReportedChange) -> str:
    """A title for a change that came without one: “deploy of payments 1.4.2”."""
    of = f" of {change.service}" if change.service else ""
    version = f" {change.version}" if change.version else ""
    return clip(f"{change.kind}{of}{version}", LIMITS.title_chars)
