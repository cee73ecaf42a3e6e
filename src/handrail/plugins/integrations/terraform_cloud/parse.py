"""Reads run notifications of HCP Terraform, and checks their signature."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from handrail.kernel.errors import BadInput, BadSignature
from handrail.plugins.integrations.batch import other_sender, read_items, refuse_if_nothing
from handrail.plugins.integrations.contract import Inbound, Parsed, Verdict
from handrail.plugins.integrations.deliveries import Told, change_of, first_line
from handrail.plugins.integrations.fields import key_of, mapping, moment, read_body, words

EXPECTED = "an HCP Terraform notification (an object with “payload_version” and a list “notifications”)"


def verify(inbound: Inbound, secrets: Sequence[str], now: datetime) -> Verdict:
    """`X-TFE-Notification-Signature`: hex HMAC-SHA512 of the body as it came."""
    given = inbound.headers.get("x-tfe-notification-signature", "").strip().lower().encode()
    wanted = [hmac.new(item.encode(), inbound.body, hashlib.sha512).hexdigest().encode() for item in secrets if item]
    # All secrets are tried, so that the time does not tell which one fits.
    if sum(hmac.compare_digest(item, given) for item in wanted) == 0:
        raise BadSignature("The signature does not fit.")
    return Verdict.VERIFIED


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One change for a run that was applied. The verification, and all else that a run says, is taken in silence."""
    body = read_body(inbound)
    if type(body) is not dict or not _is_terraform(body):
        raise other_sender(body, EXPECTED)
    if "trigger_scope" in body and "notifications" not in body:
        return Parsed()  # version 2 tells of assessments and workspaces, which change nothing
    if type(body.get("notifications")) is not list:
        raise other_sender(body, EXPECTED)
    told, rejected = read_items(body["notifications"], lambda item: _told(body, item))
    refuse_if_nothing(told, rejected, body, EXPECTED)
    changes = {change.change_key: change for item in told if item for change in (change_of(item, body),)}
    return Parsed(changes=tuple(changes.values()), rejected=rejected, replay_id=_replay_id(body))


def _is_terraform(body: Mapping[str, Any]) -> bool:
    return "payload_version" in body or "notification_configuration_id" in body


def _told(body: Mapping[str, Any], notification: Any) -> Told | None:
    if type(notification) is not dict:
        raise BadInput("A notification must be an object.", code="item_not_an_object")
    if words(notification.get("run_status")).lower() != "applied":
        return None
    run = words(body.get("run_id"))
    if not run:
        raise BadInput("The notification of an applied run has no “run_id”.", code="event_id_missing")
    workspace, message = words(body.get("workspace_name")), first_line(body.get("run_message"))
    return Told(
        key=("run", run),
        kind="infrastructure",
        service=workspace,
        title=": ".join(part for part in (workspace, message) if part),
        occurred_at=moment(notification.get("run_updated_at")) or moment(body.get("run_created_at")),
        version=run,
        author=words(body.get("run_created_by")) or words(notification.get("run_updated_by")),
        links=(body.get("run_url"),),
        extra={
            "organization": body.get("organization_name"),
            "workspace_id": body.get("workspace_id"),
            "trigger": notification.get("trigger"),
            "applied_by": notification.get("run_updated_by"),
        },
    )


def _replay_id(body: Mapping[str, Any]) -> str | None:
    """A notification has no id of its own: run, trigger and status at its time are one."""
    run = words(body.get("run_id"))
    if not run:
        return None
    names = ("trigger", "run_status", "run_updated_at")
    said = [words(mapping(item).get(name)) for item in body["notifications"] for name in names]
    return key_of(words(body.get("notification_configuration_id")), run, *said)
