"""Reads what Jenkins' notification plugin sends about a build."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.kernel.errors import BadInput
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.deliveries import Told, change_of, commit, delivery_kind, is_check
from handrail.plugins.integrations.fields import link, mapping, moment, read_body, words
from handrail.plugins.integrations.reading import pairs

EXPECTED = "Jenkins' notification plugin in its JSON format (an object with “name” and “build”)"
_XML = "The body is XML; in the job's notification endpoint choose the format JSON."
# “FINISHED” is what the plugin said for COMPLETED before it knew FINALIZED.
_OVER = ("COMPLETED", "FINALIZED", "FINISHED")
_PARAMETERS = {
    "service": ("SERVICE", "SERVICE_NAME", "APP", "APP_NAME", "APPLICATION", "COMPONENT"),
    "version": ("VERSION", "TAG", "IMAGE_TAG", "RELEASE", "REVISION"),
    "environment": ("ENVIRONMENT", "ENV", "TARGET_ENV", "DEPLOY_ENV", "STAGE"),
}


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """One change for a build that is over and succeeded; nothing for all that it says before or else."""
    if inbound.body.lstrip().startswith(b"<"):
        raise BadInput(_XML, code="body_is_xml")
    body = read_body(inbound)
    if not _is_jenkins(body):
        raise other_sender(body, EXPECTED)
    build = mapping(body["build"])
    over = words(build.get("phase")).upper() in _OVER
    if not over or words(build.get("status")).upper() != "SUCCESS" or is_check(body.get("name")):
        return Parsed()
    return Parsed(changes=(change_of(_told(body, build), body),))


def _is_jenkins(body: Any) -> bool:
    return type(body) is dict and type(body.get("build")) is dict and "phase" in body["build"]


def _told(body: Mapping[str, Any], build: Mapping[str, Any]) -> Told:
    job = words(body.get("name"))
    address, number = words(body.get("url")) or job, words(build.get("number"))
    if not address or not number:
        raise BadInput("The build names no job (“name” or “url”) or no “number”.", code="event_id_missing")
    scm, given = mapping(build.get("scm")), _given(build)
    name = words(body.get("display_name")) or job or address
    return Told(
        key=(address, number),
        kind=delivery_kind(job, body.get("display_name"), address),
        service=given["service"] or name,
        title=f"{name} #{number}",
        # The plugin writes the moment of the phase, so of the end, not that of the build's start.
        occurred_at=moment(build.get("timestamp")),
        version=given["version"] or commit(scm.get("commit")),
        environment=given["environment"],
        author=build.get("userName") or build.get("userId") or build.get("user"),
        links=(build.get("full_url"), _joined(body, build)),
        extra={"job": job, "branch": scm.get("branch"), "notes": build.get("notes")},
    )


def _given(build: Mapping[str, Any]) -> dict[str, str]:
    """What the build's parameters say, in whatever case they are written."""
    parameters = {name.upper(): value for name, value in pairs(build.get("parameters")).items()}
    return {
        field: next((said for name in names if (said := words(parameters.get(name)))), "")
        for field, names in _PARAMETERS.items()
    }


def _joined(body: Mapping[str, Any], build: Mapping[str, Any]) -> str | None:
    """Without Jenkins' own address set, the plugin sends paths alone; some senders put the host beside them."""
    host = link(build.get("host_url")) or link(body.get("host_url"))
    return f"{host.rstrip('/')}/{words(build.get('url')).lstrip('/')}" if host else None
