"""What actions over HTTP APIs share: parameters read against their schema, credentials that stay at their place, one
meaning for each failure, and no secret in what comes back. The actions themselves say what is called.

NOT_DONE and FAILED are said only where the effect cannot have happened. NOT_DONE leads to another try, so a probe says
it only where a second try under the same key cannot act twice.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from handrail.domain.catalog import Catalog
from handrail.kernel.canonical import canonical
from handrail.kernel.errors import BadInput, Fault, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.kernel.payload import read_json
from handrail.plugins.actions.contract import Manifest, Outcome, OutcomeStatus, Preview
from handrail.plugins.outward import Answer, Outward, OutwardFailed, read_target

_MAY_STILL_HAPPEN = {408, 409, 425}
_WORD_KEYS = ("detail", "message", "error", "error_description")
_MASK = "…"
# Shorter values would mask parts of common words; no token that guards anything is that short.
_SECRET_CHARS_MIN = 6


def text(title: str, chars_max: int = 256, **more: Any) -> dict[str, Any]:
    """The schema of one text parameter. All parameters are texts: a runbook keeps them so."""
    return {"type": "string", "maxLength": chars_max, "title": title, **more}


def inputs(required: Mapping[str, Any], optional: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of an action's parameters; every one of them also names a service."""
    service = {"service": text("Service in the catalogue")}
    must = {name: {"minLength": 1, **schema} for name, schema in {**service, **required}.items()}
    return {
        "type": "object", "properties": {**must, **optional}, "required": list(must), "additionalProperties": False,
    }  # fmt: skip


def read(manifest: Manifest, parameters: Mapping[str, Any], catalog: Catalog) -> dict[str, str]:
    """The parameters, checked and with the schema's defaults. Raises Unprocessable with one fault per problem."""
    known = manifest.inputs["properties"]
    faults = [Fault(f"/{name}", f"“{str(name)[:80]}” is not known here.") for name in parameters if name not in known]
    asked = {name: parameters.get(name, schema.get("default", "")) for name, schema in known.items()}
    required = manifest.inputs["required"]
    for name, value in asked.items():
        why = _why_not(value, known[name], name in required)
        if why:
            faults.append(Fault(f"/{name}", f"“{name}” {why}"))
    if faults:
        raise wrong(manifest, *faults)
    if asked["service"] not in catalog.services:
        raise Unprocessable(f"{asked['service'][:80]} is not in the catalogue.", "unknown_service")
    return asked


def _why_not(value: Any, schema: Mapping[str, Any], required: bool) -> str | None:
    if not isinstance(value, str):
        return "is a text; write structures as JSON text."
    if not value.strip():
        return "is missing." if required else None
    if len(value) > schema["maxLength"]:
        return f"has more than {schema['maxLength']} characters."
    if "enum" in schema and value not in schema["enum"]:
        return f"is one of {', '.join(schema['enum'])}."
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return f"does not have its form: {schema['title']}."
    return None


def wrong(manifest: Manifest, *faults: Fault) -> Unprocessable:
    return Unprocessable(f"The parameters of {manifest.name} have faults.", "action_parameters", faults)


def no_undo(manifest: Manifest, why: str) -> Unprocessable:
    return Unprocessable(f"{manifest.name} cannot be taken back: {why}", "no_undo")


def mapping(manifest: Manifest, asked: Mapping[str, str], name: str) -> dict[str, Any]:
    """A parameter that is a JSON object written as text. Raises Unprocessable."""
    if not asked[name].strip():
        return {}
    try:
        value = read_json(asked[name].encode(), LIMITS)
    except BadInput as error:
        raise wrong(manifest, Fault(f"/{name}", f"“{name}” is no JSON: {error.detail}")) from None
    if not isinstance(value, dict):
        raise wrong(manifest, Fault(f"/{name}", f"“{name}” is a JSON object, such as {{“name”: “value”}}."))
    return value


def texts(manifest: Manifest, asked: Mapping[str, str], name: str) -> dict[str, str]:
    """A parameter that is a JSON object of texts, numbers and truths, each as text. Raises Unprocessable."""
    value = mapping(manifest, asked, name)
    faults = [
        Fault(f"/{name}", f"“{key[:80]}” in “{name}” is a text, a number, true or false.")
        for key, one in value.items()
        if not isinstance(one, str | int | float | bool)
    ]
    if faults:
        raise wrong(manifest, *faults)
    return {key: one if isinstance(one, str) else canonical(one).decode() for key, one in value.items()}


def server(manifest: Manifest, asked: Mapping[str, str], name: str = "server") -> str:
    """A parameter that is the address of an API, without its last slash. Raises Unprocessable."""
    url = asked[name].rstrip("/")
    try:
        read_target(url)
    except OutwardFailed as failure:
        raise wrong(manifest, Fault(f"/{name}", failure.detail)) from None
    if set("?#{} \t\r\n") & set(url):
        raise wrong(manifest, Fault(f"/{name}", f"“{name}” is an address without question mark, # or spaces."))
    return url


def part(value: str) -> str:
    """A text as one part of a path: nothing in it can lead elsewhere."""
    return quote(value, safe="") if value not in (".", "..") else value.replace(".", "%2E")


def touched(asked: Mapping[str, str], catalog: Catalog) -> tuple[str, ...]:
    return (asked["service"], *sorted(catalog.dependents(asked["service"])))


class Caller:
    """Calls with credentials that each belong to a place. What comes back is freed from every secret known here."""

    def __init__(self, outward: Outward, credentials: Mapping[str, str]) -> None:
        self._outward = outward
        self._credentials = dict(credentials)

    def token(self, url: str) -> str | None:
        """The token of the URL's `host:port`, or of its host."""
        target = read_target(url)
        return self._credentials.get(target.place) or self._credentials.get(target.host)

    def named(self, name: str, url: str) -> str | None:
        """A secret by its name, kept as `name@host:port` or `name@host`: it never leaves for another place."""
        target = read_target(url)
        return self._credentials.get(f"{name}@{target.place}") or self._credentials.get(f"{name}@{target.host}")

    def bearer(self, url: str) -> dict[str, str]:
        token = self.token(url)
        return {"authorization": f"Bearer {token}"} if token else {}

    def post(self, url: str, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
        return self._outward.post_json(url, value, headers)

    def request(self, method: str, url: str, headers: Mapping[str, str], content: bytes = b"") -> Answer:
        return self._outward.request(method, url, headers, content)

    def look(self, url: str, who: str, headers: Mapping[str, str] | None = None) -> Answer | Outcome:
        """Read before an act. Reading changes nothing, so a failure is never UNKNOWN here."""
        try:
            said = self._outward.get(url, self.bearer(url) if headers is None else headers)
        except OutwardFailed as failure:
            status = OutcomeStatus.NOT_DONE if failure.retry else OutcomeStatus.FAILED
            return Outcome(status, f"{who} could not be asked, and nothing was changed: {failure.detail}")
        if said.status == 200:
            return said
        passing = said.status >= 500 or said.status == 429 or said.status in _MAY_STILL_HAPPEN
        status = OutcomeStatus.NOT_DONE if passing else OutcomeStatus.FAILED
        return Outcome(status, f"{who} answered {said.status} when asked; nothing was changed.{words(said)}")

    def gives_away(self, parameters: Mapping[str, Any]) -> list[str]:
        """Names of parameters that hold a kept secret itself: they would stand in the record for ever."""
        return [name for name, value in parameters.items() if self._mask(value) != value]

    def masked(self, outcome: Outcome) -> Outcome:
        """The outcome without any secret known here, also where the other side repeats one."""
        return replace(outcome, detail=self._mask(outcome.detail), output=self._mask(outcome.output))

    def _mask(self, value: Any) -> Any:
        if isinstance(value, str):
            for secret in sorted(self._credentials.values(), key=len, reverse=True):
                if len(secret) >= _SECRET_CHARS_MIN:
                    value = value.replace(secret, _MASK)
            return value
        if isinstance(value, dict):
            return {self._mask(key): self._mask(one) for key, one in value.items()}
        return [self._mask(one) for one in value] if isinstance(value, list) else value


class HttpAction:
    """The common course of an action over HTTP. An action gives `manifest`, `preview_of`, `act`, `find` and its undo;
    the four outcomes and the masking are the same for all."""

    manifest: Manifest

    def __init__(self, outward: Outward, credentials: Mapping[str, str]) -> None:
        self.caller = Caller(outward, credentials)

    def preview_of(self, asked: Mapping[str, str], catalog: Catalog) -> Preview:
        raise NotImplementedError

    def act(self, asked: Mapping[str, str], key: str) -> Outcome:
        raise NotImplementedError

    def find(self, asked: Mapping[str, str], key: str) -> Outcome:
        raise NotImplementedError

    def preview(self, parameters: Mapping[str, Any], catalog: Catalog) -> Preview:
        """What would happen, from the parameters and the catalogue alone. Raises Unprocessable."""
        asked = read(self.manifest, parameters, catalog)
        given_away = self.caller.gives_away(asked)
        if given_away:
            why = "This is a secret of the credentials file. Name it instead of writing it."
            raise wrong(self.manifest, *(Fault(f"/{name}", why) for name in given_away))
        return self.preview_of(asked, catalog)

    def execute(self, parameters: Mapping[str, Any], catalog: Catalog, key: str) -> Outcome:
        """Act once. Raises Unprocessable when the parameters no longer make sense."""
        asked = self._checked(parameters, catalog)
        try:
            outcome = self.act(asked, key)
        except OutwardFailed as failure:
            outcome = not_heard(failure)
        return self.caller.masked(outcome)

    def probe(self, parameters: Mapping[str, Any], catalog: Catalog, key: str) -> Outcome:
        """Ask what became of the act that was begun with this key."""
        asked = self._checked(parameters, catalog)
        try:
            outcome = self.find(asked, key)
        except OutwardFailed as failure:
            outcome = Outcome(OutcomeStatus.UNKNOWN, f"It could not be asked what became of it: {failure.detail}")
        return self.caller.masked(outcome)

    def simulate(self, parameters: Mapping[str, Any], catalog: Catalog, key: str) -> Outcome:
        """Everything but the effect: nothing leaves the process."""
        would = self.preview(parameters, catalog)
        output = {"simulated": True, "changes": list(would.changes)}
        return Outcome(OutcomeStatus.DONE, f"Simulated: {would.summary}", output)

    def _checked(self, parameters: Mapping[str, Any], catalog: Catalog) -> dict[str, str]:
        self.preview(parameters, catalog)
        return read(self.manifest, parameters, catalog)


def not_heard(failure: OutwardFailed) -> Outcome:
    """No answer that can be used: what that means depends on whether the request may have left."""
    if failure.sent:
        return Outcome(OutcomeStatus.UNKNOWN, f"It was asked for and not confirmed: {failure.detail}")
    status = OutcomeStatus.NOT_DONE if failure.retry else OutcomeStatus.FAILED
    return Outcome(status, f"It was not asked for: {failure.detail}")


def refusal(said: Answer, who: str) -> Outcome:
    """What an answer outside of success means for the act."""
    told = f"{who} answered {said.status}"
    if said.status < 300 or said.status >= 500 or said.status in _MAY_STILL_HAPPEN:
        return Outcome(OutcomeStatus.UNKNOWN, f"{told}; it may have happened.{words(said)}")
    if said.status == 429:
        return Outcome(OutcomeStatus.NOT_DONE, f"{told}: it takes no more requests now.{words(said)}")
    if said.status < 400:
        return Outcome(OutcomeStatus.FAILED, f"{told}; redirects are not followed. Correct the address.")
    return Outcome(OutcomeStatus.FAILED, f"{told} and did nothing.{words(said)}")


def not_learned(said: Answer, who: str) -> Outcome:
    """A probe whose answer says nothing about the act."""
    return Outcome(OutcomeStatus.UNKNOWN, f"{who} answered {said.status} when asked what became of it.{words(said)}")


def content(said: Answer) -> dict[str, Any]:
    """The answer as a JSON object; empty when it is none."""
    try:
        value = said.json()
    except BadInput:
        return {}
    return value if isinstance(value, dict) else {}


def words(said: Answer) -> str:
    """The other side's own sentence, shortened: it is data from outside."""
    found = content(said)
    for key in _WORD_KEYS:
        detail = found.get(key)
        if isinstance(detail, str) and detail.strip():
            return f" It says: {' '.join(detail.split())[:200]}"
    return ""
