"""Roll back a release: deploy an earlier version of one service through its own deploy control."""

from collections.abc import Mapping

from handrail.plugins.actions.contract import Action
from handrail.plugins.actions.deploy_rollback.action import DeployRollback
from handrail.plugins.outward import Outward


def make(outward: Outward, credentials: Mapping[str, str]) -> Action:
    return DeployRollback(outward, credentials)
