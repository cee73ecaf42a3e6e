"""Switch a feature flag off in the flag document that flagd reads over HTTP."""

from collections.abc import Mapping

from handrail.plugins.actions.contract import Action
from handrail.plugins.actions.flag_off.action import FlagOff
from handrail.plugins.outward import Outward


def make(outward: Outward, credentials: Mapping[str, str]) -> Action:
    return FlagOff(outward, credentials)
