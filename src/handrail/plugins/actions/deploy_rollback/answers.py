"""What a deploy control's answers mean for the act. Pure.

The rule behind all of it: NOT_DONE and FAILED are said only where the effect cannot have happened; whatever leaves a
doubt is UNKNOWN and goes on to the probe, then to a person.
"""

from typing import Any

from handrail.kernel.errors import BadInput
from handrail.plugins.actions.contract import Outcome, OutcomeStatus
from handrail.plugins.outward import Answer, OutwardFailed

_KEPT = ("status", "version", "previous_version", "deployed_at", "deploys")
_MAY_STILL_HAPPEN = {408, 409, 425}


def not_heard(failure: OutwardFailed) -> Outcome:
    """No answer that can be used: what that means depends on whether the request may have left."""
    if failure.sent:
        return Outcome(OutcomeStatus.UNKNOWN, f"The deploy was asked for and not confirmed: {failure.detail}")
    status = OutcomeStatus.NOT_DONE if failure.retry else OutcomeStatus.FAILED
    return Outcome(status, f"The deploy was not asked for: {failure.detail}")


def after_deploy(said: Answer, service: str, version: str) -> Outcome:
    if 200 <= said.status < 300:
        return _confirmed(said, service, version)
    told = f"The deploy control of {service} answered {said.status}"
    if said.status >= 500 or said.status in _MAY_STILL_HAPPEN:
        return Outcome(OutcomeStatus.UNKNOWN, f"{told}; the deploy may have happened.{_words(said)}")
    if said.status == 429:
        return Outcome(OutcomeStatus.NOT_DONE, f"{told}: it takes no more requests now.{_words(said)}")
    if said.status < 400:
        return Outcome(OutcomeStatus.FAILED, f"{told}; redirects are not followed. Correct the control-url.")
    return Outcome(OutcomeStatus.FAILED, f"{told} and did nothing.{_words(said)}")


def after_probe(said: Answer, service: str, version: str) -> Outcome:
    if 200 <= said.status < 300:
        return _confirmed(said, service, version)
    if said.status == 404:
        return Outcome(OutcomeStatus.NOT_DONE, f"The deploy control of {service} never did a deploy with this key.")
    return Outcome(
        OutcomeStatus.UNKNOWN,
        f"The deploy control of {service} answered {said.status} when asked what became of it.{_words(said)}",
    )


def running_version(said: Answer) -> str | None:
    """The version that the control says is in force, if it says one."""
    if said.status != 200:
        return None
    version = _content(said).get("version")
    return version if isinstance(version, str) and version else None


def _confirmed(said: Answer, service: str, version: str) -> Outcome:
    content = _content(said)
    output = {key: content[key] for key in _KEPT if isinstance(content.get(key), str | int)}
    if said.status == 202 or content.get("status") not in (None, "done"):
        return Outcome(OutcomeStatus.UNKNOWN, f"{service} took the deploy on and has not said that it is done.", output)
    if content.get("version") not in (None, version):
        told = str(content["version"])[:80]
        return Outcome(OutcomeStatus.UNKNOWN, f"{service} says that it deployed {told}, not {version}.", output)
    return Outcome(OutcomeStatus.DONE, f"{service} runs {version}.", output)


def _content(said: Answer) -> dict[str, Any]:
    try:
        content = said.json()
    except BadInput:
        return {}
    return content if isinstance(content, dict) else {}


def _words(said: Answer) -> str:
    """The control's own sentence, shortened: it is data from outside."""
    detail = _content(said).get("detail")
    return f" It says: {' '.join(detail.split())[:200]}" if isinstance(detail, str) and detail.strip() else ""
