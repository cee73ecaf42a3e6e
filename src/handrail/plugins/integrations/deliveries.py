"""What the senders of deliveries share: one way to write the change that they tell, and what counts as a delivery."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from handrail.domain.alert import ReportedChange
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.changes import kind_of
from handrail.plugins.integrations.fields import clip, key_text, link, mapping, raw_of, words

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SHORT_COMMIT = 7
# Whole words only: “deploy”, “cd” and their like, and not the “cd” in “abcd” or the “ship” in “membership”.
_DELIVERS = re.compile(
    r"(?<![a-z])(?:re)?(?:deploy(?:s|ed|ing|ment|ments)?|roll ?back|roll ?out|promot(?:e|ion)|releas(?:e|ing)"
    r"|ship(?:it)?|cd|apply|upgrade|go live)(?![a-z])"
)
# “Release drafter” and “release notes” write about a release; they make none.
_DOUBTS = re.compile(
    r"(?<![a-z])(?:tests?|testing|lint|dry run|plan|checks?|verify|validate|preview|draft(?:er)?|notes|changelog)"
    r"(?![a-z])"
)
_JOINTS = re.compile(r"[\s_./:-]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class Told:
    """One change in a sender's own words, of any length and type; `change_of` bounds them."""

    key: Iterable[Any]
    kind: str
    service: Any = None
    title: str = ""
    occurred_at: datetime | None = None
    version: Any = None
    previous_version: Any = None
    environment: Any = None
    author: Any = None
    links: Iterable[Any] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


def change_of(told: Told, body: Any) -> ReportedChange:
    """The change within the bounds of every text. Without a title it is named by kind, service, version and place."""
    change = ReportedChange(
        change_key=key_text("|".join(words(part) for part in told.key)),
        kind=told.kind,
        service=short(told.service),
        title=clip(first_line(told.title), LIMITS.title_chars),
        occurred_at=told.occurred_at,
        version=short(told.version),
        previous_version=short(told.previous_version),
        environment=short(told.environment),
        author=short(told.author),
        link=next((found for said in told.links if (found := link(said))), None),
        raw=raw_of(body),
        extra={name: clip(said, LIMITS.label_chars) for name, value in told.extra.items() if (said := words(value))},
    )
    return change if change.title else replace(change, title=_title(change))


def delivers(*names: Any) -> bool:
    """Whether a pipeline, workflow or job says by one of its names that it brings something to where it runs."""
    return any(_delivers(words(name)) for name in names)


def is_check(name: Any) -> bool:
    """Whether a job says that it only tests or checks."""
    return bool(_DOUBTS.search(_plain(words(name))))


def delivery_kind(*names: Any) -> str:
    """Rollback, release, deploy and so on, by the first name that tells; a delivery is a deploy unless it says else."""
    kinds = (kind_of(words(name)) for name in names)
    return next((kind for kind in kinds if kind != "other"), "deploy")


def short(value: Any) -> str | None:
    """A bounded text, or nothing."""
    return clip(words(value), LIMITS.label_chars) or None


def person(value: Any) -> str | None:
    """How a sender's user object names a person, by account before display name; never a mailbox."""
    if type(value) is not dict:
        return short(value)
    names = ("login", "username", "user_username", "name")
    return next((said for name in names if (said := short(mapping(value).get(name)))), None)


def first_line(said: Any) -> str:
    """The subject of a commit's message."""
    return words(said).partition("\n")[0].strip()


def is_zero(commit: Any) -> bool:
    """Git's name for “nothing”: a branch or tag that was not there before, or is not there any more."""
    said = words(commit)
    return bool(said) and not said.strip("0")


def commit(value: Any) -> str | None:
    """A commit's name, or nothing for Git's “nothing”."""
    return None if is_zero(value) else short(value)


def _delivers(name: str) -> bool:
    plain = _plain(name)
    return bool(_DELIVERS.search(plain)) and not _DOUBTS.search(plain)


def _plain(name: str) -> str:
    """The words of a name, however they are joined."""
    return _JOINTS.sub(" ", _CAMEL.sub(" ", name)).lower()


def _title(change: ReportedChange) -> str:
    version = change.version or ""
    shown = version[:_SHORT_COMMIT] if _COMMIT.fullmatch(version) else version
    parts = (
        change.kind,
        f"of {change.service}" if change.service else "",
        shown,
        f"to {change.environment}" if change.environment else "",
    )
    return clip(" ".join(part for part in parts if part), LIMITS.title_chars)
