"""Page people through PagerDuty, and take the page back."""

from collections.abc import Mapping

from handrail.plugins.actions.contract import Action
from handrail.plugins.actions.pagerduty_page.action import PagerdutyPage
from handrail.plugins.outward import Outward


def make(outward: Outward, credentials: Mapping[str, str]) -> Action:
    return PagerdutyPage(outward, credentials)
