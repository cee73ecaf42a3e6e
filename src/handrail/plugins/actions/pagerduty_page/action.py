"""The action `pagerduty.page`: an event of PagerDuty's Events API v2, whose dedup key is the act's key.

PagerDuty joins events of one dedup key, so a second try adds to the same alert and pages nobody anew. The Events API
tells nothing back; with a REST key, the probe asks for the incident by that key.
"""

from collections.abc import Mapping
from typing import Any

from handrail.domain.catalog import Catalog
from handrail.kernel.errors import Fault
from handrail.plugins.actions.calling import (
    HttpAction,
    content,
    inputs,
    no_undo,
    not_learned,
    part,
    refusal,
    server,
    text,
    touched,
    wrong,
)
from handrail.plugins.actions.contract import Manifest, Outcome, OutcomeStatus, Preview, Risk

_KEY_CHARS = 255
_NAME = r"^[A-Za-z_][A-Za-z0-9_.-]*$"
_INPUTS = inputs(
    {
        "routing_key": text("Name of the kept integration key", 64, pattern=_NAME),
        "summary": text("What the people who are paged read", 1024),
    },
    {
        "severity": text("Severity", enum=["critical", "error", "warning", "info"], default="critical"),
        "event": text("trigger pages, resolve takes it back", enum=["trigger", "resolve"], default="trigger"),
        "dedup_key": text("Key of the page to resolve", _KEY_CHARS),
        "server": text("Address of the Events API", 512, default="https://events.pagerduty.com"),
        "rest_server": text("Address of the REST API, which the probe asks", 512, default="https://api.pagerduty.com"),
    },
)


class PagerdutyPage(HttpAction):
    """Triggers one alert, or resolves the one that an earlier act triggered."""

    manifest = Manifest("pagerduty.page", "Page people through PagerDuty", Risk.LOW, reversible=True, inputs=_INPUTS)

    def preview_of(self, asked: Mapping[str, str], catalog: Catalog) -> Preview:
        url, _ = self._addresses(asked)
        resolves = asked["event"] == "resolve"
        if resolves != bool(asked["dedup_key"]):
            why = "A resolve names the key of its page; a trigger takes the act's own key."
            raise wrong(self.manifest, Fault("/dedup_key", why))
        line = f"POST {url}/v2/enqueue: {asked['event']} as {{secret:{asked['routing_key']}}}"
        if resolves:
            lines = [line, f"dedup_key: {asked['dedup_key']}"]
        else:
            lines = [line, f"severity: {asked['severity']}", f"summary: {asked['summary']}"]
        return Preview(
            summary=f"{'Resolve the page' if resolves else 'Page people'} about {asked['service']} through PagerDuty.",
            changes=tuple(lines),
            blast_radius=touched(asked, catalog)[:1],
            undo="A resolved page is not opened again; page anew." if resolves else "Resolve the page.",
            signal=f"The page is {'closed' if resolves else 'acknowledged'} in PagerDuty",
        )

    def act(self, asked: Mapping[str, str], key: str) -> Outcome:
        url, _ = self._addresses(asked)
        routing_key = self.caller.named(asked["routing_key"], url)
        if not routing_key:
            host = url.partition("://")[2].partition("/")[0]
            return Outcome(
                OutcomeStatus.FAILED,
                f"Nothing was sent: the credentials file has no {asked['routing_key']}@{host}.",
            )
        dedup_key = _dedup_key(asked, key)
        event: dict[str, Any] = {"routing_key": routing_key, "event_action": asked["event"], "dedup_key": dedup_key}
        if asked["event"] == "trigger":
            event["payload"] = {
                "summary": asked["summary"], "source": asked["service"], "severity": asked["severity"],
                "component": asked["service"],
            }  # fmt: skip
        said = self.caller.post(f"{url}/v2/enqueue", event)
        told = content(said)
        if said.status != 202 or told.get("status") != "success":
            return refusal(said, "PagerDuty")
        if told.get("dedup_key") not in (None, dedup_key):
            return Outcome(OutcomeStatus.UNKNOWN, "PagerDuty took the event under another key than was sent.")
        what = "took the page" if asked["event"] == "trigger" else "took the end of the page"
        return Outcome(OutcomeStatus.DONE, f"PagerDuty {what}.", {"dedup_key": dedup_key})

    def find(self, asked: Mapping[str, str], key: str) -> Outcome:
        _, rest = self._addresses(asked)
        token = self.caller.token(rest)
        if not token:
            return Outcome(OutcomeStatus.UNKNOWN, "PagerDuty's Events API cannot be asked, and no REST key is kept.")
        dedup_key = _dedup_key(asked, key)
        url = f"{rest}/incidents?date_range=all&limit=1&incident_key={part(dedup_key)}"
        said = self.caller.request("GET", url, {"authorization": f"Token token={token}"})
        found = content(said).get("incidents")
        if said.status != 200 or not isinstance(found, list):
            return not_learned(said, "PagerDuty")
        first = found[0] if found and isinstance(found[0], dict) else None
        resolved = first is not None and first.get("status") == "resolved"
        if first is not None and (asked["event"] == "trigger" or resolved):
            return Outcome(OutcomeStatus.DONE, "PagerDuty has it under this key.", {"dedup_key": dedup_key})
        # Sending the event again under the same key pages nobody twice.
        return Outcome(OutcomeStatus.NOT_DONE, "PagerDuty does not show it under this key.")

    def undo_parameters(self, parameters: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
        """The resolve of what was triggered."""
        if parameters.get("event") == "resolve" or not output.get("dedup_key"):
            raise no_undo(self.manifest, "only a page that PagerDuty took can be resolved.")
        return {**parameters, "event": "resolve", "dedup_key": str(output["dedup_key"])}

    def _addresses(self, asked: Mapping[str, str]) -> tuple[str, str]:
        return server(self.manifest, asked), server(self.manifest, asked, "rest_server")


def _dedup_key(asked: Mapping[str, str], key: str) -> str:
    """The key of the page. Keys of acts are far shorter than what PagerDuty takes."""
    return asked["dedup_key"] or key[:_KEY_CHARS]
