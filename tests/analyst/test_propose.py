"""From a cause to one exact action, or a sentence that says why there is none."""

from dataclasses import replace

import pytest
from tests.analyst.estates import SHOP, best, catalog, change, ranked, signals, storm

from handrail.analyst.propose import RUNBOOK, Plan, propose
from handrail.analyst.rank import Cause
from handrail.domain.change import Change
from handrail.domain.runbook import Runbook
from handrail.plugins.actions.contract import Action
from handrail.plugins.actions.registry import actions
from handrail.plugins.outward import Outward

SHIPPED = Runbook(RUNBOOK, "Roll back", ("service", "version", "previous_version", "owner_team"), ())


def no_network(*_: object) -> list[str]:
    raise AssertionError("a proposal looked up a name")


ACTIONS: dict[str, Action] = actions(Outward(resolve=no_network), {})


def cause(*changes: Change) -> Cause:
    return best(ranked(storm(), list(changes), signals(["payments"])))


def test_a_bad_release_becomes_a_rollback_with_its_preview_and_the_runbooks_inputs() -> None:
    plan = propose(cause(change("payments", -20)), SHOP, ACTIONS, SHIPPED, "2.4.1")
    assert isinstance(plan, Plan)
    assert plan.action == "deploy.rollback"
    assert plan.parameters == {"service": "payments", "to_version": "2.4.0", "from_version": "2.4.1"}
    assert plan.preview["changes"] == ["payments 2.4.1 -> 2.4.0"]
    assert plan.preview["blast_radius"] == ["payments", "orders", "storefront"]
    assert plan.runbook == "bad-release-rollback"
    assert plan.inputs == {
        "service": "payments", "version": "2.4.1", "previous_version": "2.4.0", "owner_team": "team-payments",
    }  # fmt: skip


def test_a_runbook_gets_only_the_inputs_it_asks_for_and_refuses_what_does_not_follow() -> None:
    plan = propose(cause(change("payments", -20)), SHOP, ACTIONS, replace(SHIPPED, inputs=("service",)), None)
    assert isinstance(plan, Plan) and plan.inputs == {"service": "payments"}
    asks = replace(SHIPPED, inputs=("service", "ticket"))
    assert propose(cause(change("payments", -20)), SHOP, ACTIONS, asks, None) == (
        "The runbook “bad-release-rollback” asks for ticket, which does not follow from the cause."
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ([], "No change is the cause, so there is nothing to take back."),
        ([change("payments", -20, kind="flag")], "The cause is a change of the kind flag; no action is known"),
        ([change("payments", -20, previous_version=None)], "does not say which version was there before"),
        ([change("payments", -20, None)], "does not say which version was there before"),
    ],
)
def test_a_cause_that_cannot_be_taken_back_says_why(changes: list[Change], why: str) -> None:
    plan = propose(cause(*changes), SHOP, ACTIONS, SHIPPED, None)
    assert isinstance(plan, str) and why in plan


def test_a_release_that_no_longer_runs_is_not_rolled_back() -> None:
    plan = propose(cause(change("payments", -20)), SHOP, ACTIONS, SHIPPED, "2.4.2")
    assert plan == "payments runs 2.4.2 by now, not 2.4.1; there is nothing to roll back."


def test_what_is_missing_in_the_installation_is_named() -> None:
    found = cause(change("payments", -20))
    assert propose(found, SHOP, {}, SHIPPED, None) == "This installation has no action “deploy.rollback”."
    assert propose(found, SHOP, ACTIONS, None, None) == "The runbook “bad-release-rollback” is not in force."
    without = catalog({"payments": []})
    without = type(without)({"payments": replace(without.services["payments"], control_url=None)})
    plan = propose(found, without, ACTIONS, SHIPPED, None)
    assert plan == "The action cannot be previewed: The catalogue names no deploy control (control-url) for payments."
