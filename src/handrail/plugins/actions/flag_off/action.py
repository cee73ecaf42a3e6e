"""The action `flag.off`: another default variant for one flag of a flagd document, written back whole.

flagd itself only evaluates; what it evaluates is a document that it polls over HTTP. That document is read, one word of
it changed, and written with `If-Match`, so that nobody else's change is lost and a second try changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handrail.domain.catalog import Catalog
from handrail.kernel.canonical import canonical
from handrail.kernel.errors import Fault
from handrail.plugins.actions.calling import (
    HttpAction,
    content,
    inputs,
    not_learned,
    refusal,
    server,
    text,
    touched,
    wrong,
)
from handrail.plugins.actions.contract import Manifest, Outcome, OutcomeStatus, Preview, Risk
from handrail.plugins.outward import Answer

_VARIANT = "variant of the flag"
_INPUTS = inputs(
    {
        "document_url": text("URL of the flag document, as flagd polls it", 2048),
        "flag": text("Name of the flag"),
        "from_variant": text(f"Default {_VARIANT} in force now"),
    },
    {"to_variant": text(f"Default {_VARIANT} to switch to", default="off")},
)


@dataclass(frozen=True)
class _State:
    """A flag as its document has it, and the document's version."""

    variant: str
    variants: frozenset[str]
    document: dict[str, Any]
    etag: str


class FlagOff(HttpAction):
    """Switches from the variant that people saw to another; a third variant in force means that they saw too little."""

    manifest = Manifest("flag.off", "Switch a feature flag off", Risk.MEDIUM, reversible=True, inputs=_INPUTS)

    def preview_of(self, asked: Mapping[str, str], catalog: Catalog) -> Preview:
        url = server(self.manifest, asked, "document_url")
        flag, before, after = asked["flag"], asked["from_variant"], asked["to_variant"]
        if before == after:
            raise wrong(self.manifest, Fault("/to_variant", f"{flag} would stay {after}; there is nothing to switch."))
        return Preview(
            summary=f"Switch the flag {flag} of {asked['service']} from {before} to {after}.",
            changes=(f"PUT {url} (If-Match)", f"flags.{flag}.defaultVariant: {before} -> {after}"),
            blast_radius=touched(asked, catalog),
            undo=f"Switch {flag} back to {before}.",
            signal=f"{asked['service']} error rate and p95 latency",
        )

    def act(self, asked: Mapping[str, str], key: str) -> Outcome:
        url, flag = server(self.manifest, asked, "document_url"), asked["flag"]
        said = self.caller.look(url, "The flag document")
        found = said if isinstance(said, Outcome) else _state(said, flag)
        if isinstance(found, Outcome):
            return found
        if found.variant == asked["to_variant"]:
            return _in_force(asked)
        why = _why_not(found, asked)
        if why:
            return Outcome(OutcomeStatus.FAILED, why)
        headers = {**self.caller.bearer(url), "content-type": "application/json", "if-match": found.etag,
                   "idempotency-key": key}  # fmt: skip
        changed = _switched(found.document, flag, asked["to_variant"])
        written = self.caller.request("PUT", url, headers, canonical(changed))
        if written.status == 412:
            return Outcome(OutcomeStatus.NOT_DONE, "Somebody changed the flag document meanwhile; nothing was written.")
        return _in_force(asked) if written.status in (200, 201, 204) else refusal(written, "The flag document's server")

    def find(self, asked: Mapping[str, str], key: str) -> Outcome:
        url = server(self.manifest, asked, "document_url")
        said = self.caller.request("GET", url, self.caller.bearer(url))
        found = _state(said, asked["flag"]) if said.status == 200 else not_learned(said, "The flag document's server")
        if isinstance(found, Outcome):
            return Outcome(OutcomeStatus.UNKNOWN, found.detail)
        if found.variant == asked["to_variant"]:
            return _in_force(asked)
        if found.variant == asked["from_variant"]:
            # Switching again is safe: a late first write fails on the version that it names, or writes the same.
            return Outcome(OutcomeStatus.NOT_DONE, f"{asked['flag']} is still {found.variant}.")
        return Outcome(OutcomeStatus.UNKNOWN, f"{asked['flag']} is {found.variant[:80]} by now, which is neither.")

    def undo_parameters(self, parameters: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
        """The switch back."""
        return {
            **parameters,
            "from_variant": parameters.get("to_variant") or "off",
            "to_variant": parameters["from_variant"],
        }


def _state(said: Answer, flag: str) -> _State | Outcome:
    document = content(said)
    flags = document.get("flags")
    if not isinstance(flags, dict):
        return Outcome(OutcomeStatus.FAILED, "The answer is no flag document; nothing was changed.")
    found = flags.get(flag)
    if not isinstance(found, dict) or not isinstance(found.get("defaultVariant"), str):
        return Outcome(OutcomeStatus.FAILED, f"The document has no flag {flag} with a default variant.")
    variants = found.get("variants")
    names = frozenset(variants) if isinstance(variants, dict) else frozenset()
    return _State(found["defaultVariant"], names, document, said.headers.get("etag", ""))


def _why_not(found: _State, asked: Mapping[str, str]) -> str | None:
    flag = asked["flag"]
    if found.variant != asked["from_variant"]:
        return f"{flag} is {found.variant[:80]} by now, not {asked['from_variant']}; nothing was changed."
    if asked["to_variant"] not in found.variants:
        return f"{flag} has no variant {asked['to_variant']}; nothing was changed."
    if not found.etag or found.etag.startswith("W/"):
        return "The server gives no strong ETag, so another's change could be lost; nothing was changed."
    return None


def _switched(document: Mapping[str, Any], flag: str, variant: str) -> dict[str, Any]:
    flags = document["flags"]
    return {**document, "flags": {**flags, flag: {**flags[flag], "defaultVariant": variant}}}


def _in_force(asked: Mapping[str, str]) -> Outcome:
    output = {"flag": asked["flag"], "variant": asked["to_variant"]}
    return Outcome(OutcomeStatus.DONE, f"{asked['flag']} is {asked['to_variant']}.", output)
