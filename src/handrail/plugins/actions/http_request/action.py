"""The action `http.request`: one request, its probe and its undo, each shown exactly before it is approved."""

from collections.abc import Mapping
from typing import Any

from handrail.domain.catalog import Catalog
from handrail.kernel.errors import Fault
from handrail.plugins.actions.calling import (
    HttpAction,
    inputs,
    no_undo,
    not_learned,
    refusal,
    text,
    texts,
    touched,
    words,
    wrong,
)
from handrail.plugins.actions.contract import Manifest, Outcome, OutcomeStatus, Preview, Risk
from handrail.plugins.actions.http_request.template import Template
from handrail.plugins.outward import Answer, read_target

_METHODS = ["POST", "PUT", "PATCH", "DELETE"]
_STATUSES = r"^[1-5][0-9]{2}( *, *[1-5][0-9]{2})*$"
_BODY_CHARS = 16_384
_INPUTS = inputs(
    {
        "method": text("Method", enum=_METHODS),
        "url": text("URL; {name} is filled from the values, {key} with the act's key", 2048),
    },
    {
        "values": text("Values of the URL, headers and bodies, as JSON object", 4096),
        "headers": text("Headers, as JSON object; {secret:NAME} stands for a kept secret", 4096),
        "body": text("Body, as JSON or text", _BODY_CHARS),
        "expected": text("Statuses that mean done, such as 200,204; empty: 200, 201 and 204", pattern=_STATUSES),
        "idempotency_header": text("Header that carries the act's key", 128, default="Idempotency-Key"),
        "probe_url": text("URL that tells what became of the act; it may hold {key}", 2048),
        "probe_done": text("Statuses of the probe that mean done", pattern=_STATUSES, default="200"),
        "probe_not_done": text("Statuses of the probe that mean that it never happened", pattern=_STATUSES),
        "undo_method": text("Method that takes it back", enum=_METHODS),
        "undo_url": text("URL that takes it back", 2048),
        "undo_body": text("Body that takes it back", _BODY_CHARS),
    },
)


class HttpRequest(HttpAction):
    """Sends the request once. The key goes along in a header, so that an API which honours it acts once."""

    manifest = Manifest("http.request", "Send an HTTP request", Risk.HIGH, reversible=True, inputs=_INPUTS)

    def preview_of(self, asked: Mapping[str, str], catalog: Catalog) -> Preview:
        values, act, probe, undo = self._requests(asked)
        lines = act.shown(values)
        lines.append(f"done when it answers {asked['expected'] or '200, 201 or 204'}")
        if probe:
            lines.append(f"asked afterwards, where unsure: {' | '.join(probe.shown(values))}")
            lines.append(
                f"that means done at {asked['probe_done']}, never happened at {asked['probe_not_done'] or '-'}"
            )
        return Preview(
            summary=f"Send {lines[0]} for {asked['service']}.",
            changes=tuple(lines),
            blast_radius=touched(asked, catalog),
            undo=f"Send {' | '.join(undo.shown(values))}" if undo else "No undo is given.",
            signal=f"{asked['service']} error rate and p95 latency",
        )

    def act(self, asked: Mapping[str, str], key: str) -> Outcome:
        _, template, _, _ = self._requests(asked)
        said = self._send(template, asked, key)
        if isinstance(said, Outcome):
            return said
        who = read_target(asked["url"]).place
        expected = _statuses(asked["expected"]) or {200, 201, 204}
        if said.status in expected:
            return Outcome(OutcomeStatus.DONE, f"{who} answered {said.status}.{words(said)}", {"status": said.status})
        return refusal(said, who)

    def find(self, asked: Mapping[str, str], key: str) -> Outcome:
        _, _, probe, _ = self._requests(asked)
        if probe is None:
            return Outcome(OutcomeStatus.UNKNOWN, "No request is given that could tell what became of it.")
        said = self._send(probe, asked, key)
        who = read_target(asked["probe_url"]).place
        if isinstance(said, Outcome):
            return Outcome(OutcomeStatus.UNKNOWN, f"It could not be asked what became of it: {said.detail}")
        if said.status in _statuses(asked["probe_done"]):
            return Outcome(OutcomeStatus.DONE, f"{who} says that it is done.{words(said)}", {"status": said.status})
        if said.status in _statuses(asked["probe_not_done"]):
            return Outcome(OutcomeStatus.NOT_DONE, f"{who} says that it never happened.{words(said)}")
        return not_learned(said, who)

    def undo_parameters(self, parameters: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
        """The undo as an act of its own, whose undo is the first act. The probe asks about the first, so it is left."""
        if not parameters.get("undo_url") or not parameters.get("undo_method"):
            raise no_undo(self.manifest, "no undo was given with it.")
        kept = {name: parameters[name] for name in ("service", "values", "headers", "idempotency_header")
                if parameters.get(name)}  # fmt: skip
        turned = {
            "method": parameters["undo_method"], "url": parameters["undo_url"],
            "body": parameters.get("undo_body", ""), "undo_method": parameters["method"],
            "undo_url": parameters["url"], "undo_body": parameters.get("body", ""),
        }  # fmt: skip
        return {**kept, **{name: value for name, value in turned.items() if value}}

    def _requests(self, asked: Mapping[str, str]) -> tuple[dict[str, str], Template, Template | None, Template | None]:
        """Values, act, probe and undo. Raises Unprocessable with every fault of all of them."""
        values = texts(self.manifest, asked, "values")
        headers = texts(self.manifest, asked, "headers")
        own = {} if asked["idempotency_header"].lower() in {name.lower() for name in headers} else {
            asked["idempotency_header"]: "{key}"
        }  # fmt: skip
        act = Template(asked["method"], asked["url"], {**headers, **own}, asked["body"])
        plain = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        probe = Template("GET", asked["probe_url"], plain) if asked["probe_url"] else None
        undo = None
        if asked["undo_url"] or asked["undo_method"]:
            undo = Template(asked["undo_method"], asked["undo_url"], {**headers, **own}, asked["undo_body"])
        faults = [Fault("/values", "“key” is the act's own; name the value otherwise.")] if "key" in values else []
        for where, one in (("/url", act), ("/probe_url", probe), ("/undo_url", undo)):
            faults += [Fault(where, what) for what in (one.faults(values) if one else ())]
        if undo and not (undo.url and undo.method):
            faults.append(Fault("/undo_url", "An undo has both “undo_method” and “undo_url”."))
        if faults:
            raise wrong(self.manifest, *faults)
        return values, act, probe, undo

    def _send(self, template: Template, asked: Mapping[str, str], key: str) -> Answer | Outcome:
        secrets = {name: self.caller.named(name, template.url) for name in template.secrets()}
        missing = sorted(name for name, secret in secrets.items() if not secret)
        if missing:
            place = read_target(template.url).place
            return Outcome(
                OutcomeStatus.FAILED,
                f"Nothing was sent: the credentials file has no {', '.join(f'{name}@{place}' for name in missing)}.",
            )
        known = {name: secret for name, secret in secrets.items() if secret}
        url, headers, content = template.ready(texts(self.manifest, asked, "values"), known, key)
        return self.caller.request(template.method, url, headers, content)


def _statuses(listed: str) -> set[int]:
    return {int(one) for one in listed.split(",") if one.strip()}
