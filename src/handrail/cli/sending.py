"""What `ingest` and `replay` share: a payload handed to the server as its sender would, or read here."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from handrail.cli import credentials
from handrail.cli.client import trouble_of, unreachable
from handrail.cli.trouble import DENIED, USAGE, DryRun, Trouble
from handrail.domain.alert import rung_of
from handrail.kernel.clock import to_text
from handrail.kernel.errors import HandrailError
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.registry import integrations


def posted(source: str, name: str, body: bytes, content_type: str, dry_run: bool) -> dict[str, Any]:
    """Send one payload; {file, status, accepted, duplicate, rejected, why}. Refusals are told and not raised, save
    those of the token, which would be the same for every file."""
    url = f"{credentials.server_url()}/in/{quote(source, safe='')}"
    if dry_run:
        raise DryRun({"method": "POST", "url": url, "body": f"{len(body)} bytes of {name}"})
    headers = {"Authorization": f"Bearer {source_token(source)}", "Content-Type": content_type}
    try:
        answer = httpx2.post(url, content=body, headers=headers, timeout=LIMITS.cli_answer_seconds, trust_env=False)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise unreachable(url, error) from None
    if answer.status_code == 401:
        raise Trouble(
            f"The source {source} is not known by this token.", DENIED,
            "Set HANDRAIL_SOURCE_TOKEN to a token that `handrail source secret` gave.", "bad_signature",
        )  # fmt: skip
    told = {"file": name, "status": answer.status_code, "accepted": 0, "duplicate": 0, "rejected": 0, "why": ""}
    content = _content(answer)
    if "accepted" in content:
        reasons = [f"{item['index']}: {item['reason']}" for item in content["rejected"]]
        return told | {
            "accepted": content["accepted"], "duplicate": content["duplicate"], "rejected": len(reasons),
            "why": "; ".join(reasons[:3]),
        }  # fmt: skip
    return told | ({} if answer.is_success else {"why": trouble_of(answer).what})


def _content(answer: httpx2.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def source_token(source: str) -> str:
    """The source's own variable, else the one for any source, each also as a file. Raises Trouble without any."""
    own = f"HANDRAIL_SOURCE_TOKEN_{source.upper().replace('-', '_')}"
    for name in (own, "HANDRAIL_SOURCE_TOKEN"):
        if token := os.environ.get(name, "").strip():
            return token
        if path := os.environ.get(f"{name}_FILE", ""):
            try:
                return Path(path).read_text().strip()
            except OSError as error:
                raise Trouble(f"The token file {path} cannot be read: {error.strerror}.", USAGE) from None
    raise Trouble(
        f"There is no token for the source {source}.", DENIED,
        f"Set {own} or HANDRAIL_SOURCE_TOKEN (or either with _FILE) to what `handrail source add` gave.", "no_token",
    )  # fmt: skip


def read_here(integration: str, name: str, body: bytes, content_type: str) -> Iterator[dict[str, Any]]:
    """What a payload is read as: a row for each alert, change and refusal."""
    found = integrations().get(integration)
    if found is None:
        known = ", ".join(sorted(integrations()))
        raise Trouble(f"“{integration}” is no format; known: {known}.", USAGE)
    empty = {"file": name, "status": "", "severity": "", "service": "", "at": None, "key": "", "says": ""}
    try:
        parsed = found.parse(Inbound(body, {"content-type": content_type}), datetime.now(UTC))
    except HandrailError as refused:
        yield empty | {"what": "refused", "status": refused.code, "says": refused.detail}
        return
    for said in parsed.occurrences:
        yield empty | {
            "what": "alert", "status": said.status.value, "severity": rung_of(said).value,
            "service": said.service or "", "at": to_text(said.occurred_at) if said.occurred_at else None,
            "key": said.dedup_key, "says": said.title,
        }  # fmt: skip
    for change in parsed.changes:
        yield empty | {
            "what": "change", "status": change.kind, "service": change.service or "",
            "at": to_text(change.occurred_at) if change.occurred_at else None, "key": change.change_key,
            "says": change.title,
        }  # fmt: skip
    for item in parsed.rejected:
        yield empty | {"what": "refused", "status": item.code, "says": f"item {item.index}: {item.reason}"}
