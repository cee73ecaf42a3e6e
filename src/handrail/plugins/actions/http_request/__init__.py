"""Send one HTTP request as people approved it: for every API that has no action of its own."""

from collections.abc import Mapping

from handrail.plugins.actions.contract import Action
from handrail.plugins.actions.http_request.action import HttpRequest
from handrail.plugins.outward import Outward


def make(outward: Outward, credentials: Mapping[str, str]) -> Action:
    return HttpRequest(outward, credentials)
