"""Handrail's own simple JSON, for everything that has no format of its own."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.generic.parse import parse
from handrail.plugins.integrations.signatures import verify_standard_webhook

INTEGRATION = Integration(
    name="generic",
    title="Generic JSON",
    parse=parse,
    verify=verify_standard_webhook,
    docs="""
Send one object, a list of objects, {"alerts": [...]} or {"changes": [...]} (or both lists at once).

An alert: {"title": "Disk nearly full on db-1", "dedup_key": "db-1/disk", "status": "firing", "severity": "critical",
"service": "payments", "resource": "db-1", "summary": "...", "labels": {}, "annotations": {}, "starts_at": "...",
"ends_at": "...", "occurred_at": "...", "link": "https://..."}. Only `title` must be there (a resolve with
`dedup_key` needs none).
`status` is firing, acknowledged or resolved; usual synonyms are read. Without `dedup_key` the alert is known by its
title, service, resource and labels (but for labels called status or state). One object may also come as a form
(`curl -d title=... -d status=resolved`), and so may every other format's.

A change: {"kind": "deploy", "service": "payments", "version": "1.4.2", "previous_version": "1.4.1",
"environment": "production", "author": "...", "occurred_at": "...", "link": "https://...", "change_key": "..."}. An
object with `kind` is a change. `kind` is deploy, rollback, release, flag, config, infrastructure, migration,
restart, scale or other.
A source with signing secrets is signed as Standard Webhooks say (`webhook-id`, `webhook-timestamp`,
`webhook-signature`); an id that came before is one delivery.
Send a `change_key` so that the same change sent twice is one; without it, its fields and its time decide.
""",
)
