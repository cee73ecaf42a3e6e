"""Which cause is named, in several estates: also where nothing changed, where much changed, and where it misleads."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analyst.estates import SHOP, alert, best, catalog, change, known, ranked, ruled_out, signals, storm

from handrail.analyst.rank import Cap, rank
from handrail.domain.alert import Alert
from handrail.domain.catalog import Catalog
from handrail.domain.change import Change
from handrail.kernel.limits import LIMITS

ALL_BAD = signals(unhealthy=["payments", "orders", "storefront"], healthy=["search"])


def test_a_bad_release_of_the_deepest_dependency_is_named_with_high_confidence() -> None:
    ranking = ranked(storm(), [change("payments", -20)], ALL_BAD)
    cause = best(ranking)
    assert (cause.service, cause.change and cause.change.id) == ("payments", "chg_payments_-20")
    assert cause.cap == Cap.CHANGE_SERVICE_TIME_TOPOLOGY
    assert 85 <= cause.confidence <= 92
    assert set(ruled_out(ranking)) == {"orders", "storefront"}
    assert ruled_out(ranking)["orders"] == (
        "orders depends on payments, which is affected itself; its symptoms follow from there."
    )


def test_the_order_in_which_alerts_fire_alone_does_not_hide_the_deepest_cause() -> None:
    late_at_the_source = [alert("storefront", "Storefront fails", 0), alert("orders", "Orders fails", 2),
                          alert("payments", "Payments pool exhausted", 9)]  # fmt: skip
    assert best(ranked(late_at_the_source, [change("payments", -10)])).service == "payments"


def test_an_unrelated_change_at_the_same_time_is_not_blamed() -> None:
    ranking = ranked(storm(), [change("search", -5), change("payments", -20)], ALL_BAD)
    cause = best(ranking)
    assert cause.change is not None and cause.change.id == "chg_payments_-20"
    assert ruled_out(ranking)["chg_search_-5"] == "Only its time speaks for it: the signal of search is healthy."


def test_an_unrelated_change_alone_does_not_become_the_cause() -> None:
    ranking = ranked(storm(), [change("search", -1)])
    cause = best(ranking)
    assert (cause.service, cause.change) == ("payments", None)
    assert cause.confidence <= 70
    assert "neither search nor anything that depends on it shows a symptom" in ruled_out(ranking)["chg_search_-1"]


def test_a_hanging_dependency_without_any_change_is_named_as_a_service() -> None:
    cause = best(ranked(storm(), [], ALL_BAD))
    assert (cause.service, cause.change, cause.cap) == ("payments", None, Cap.SERVICE)
    assert 50 <= cause.confidence <= 70


def test_a_silent_dependency_that_its_caller_names_is_the_source() -> None:
    alerts = [alert("orders", "Calls to payments time out", 0, dependency="payments"),
              alert("storefront", "Calls to orders fail", 5, dependency="orders")]  # fmt: skip
    assert best(ranked(alerts)).service == "payments"


def test_a_dependency_whose_own_signal_is_healthy_is_not_the_source() -> None:
    alerts = [alert("orders", "Calls to payments time out", 0, dependency="payments"),
              alert("storefront", "Calls to orders fail", 5, dependency="orders")]  # fmt: skip
    assert best(ranked(alerts, seen=signals(healthy=["payments"]))).service == "orders"


def test_of_changes_to_two_services_that_of_the_deepest_affected_is_named() -> None:
    ranking = ranked(storm(), [change("orders", -5), change("payments", -60)], ALL_BAD)
    cause = best(ranking)
    assert cause.change is not None and cause.change.id == "chg_payments_-60"
    assert "depends on payments" in ruled_out(ranking)["chg_orders_-5"]


def test_of_two_changes_to_one_service_the_closer_is_named_and_both_lower_the_confidence() -> None:
    alone = best(ranked(storm(), [change("payments", -20)], ALL_BAD)).confidence
    ranking = ranked(storm(), [change("payments", -80, "2.4.0"), change("payments", -20)], ALL_BAD)
    cause = best(ranking)
    assert cause.change is not None and cause.change.id == "chg_payments_-20"
    assert cause.confidence < alone
    assert ruled_out(ranking)["chg_payments_-80"] == (
        "Another change of payments came 60 s later, closer to the first symptom."
    )


@pytest.mark.parametrize("seconds", [0.001, 2, 60, 600])
def test_a_change_after_the_symptoms_is_never_blamed(seconds: float) -> None:
    ranking = ranked(storm(), [change("payments", seconds)], ALL_BAD)
    cause = best(ranking)
    assert (cause.service, cause.change) == ("payments", None)
    reason = ruled_out(ranking)[f"chg_payments_{seconds}"]
    assert reason == f"It came {int(seconds)} s after the first symptom that it could explain."


def test_a_change_at_the_very_moment_of_the_first_symptom_may_be_the_cause() -> None:
    assert best(ranked(storm(), [change("payments", 0)], ALL_BAD)).change is not None


def test_a_change_before_the_window_is_not_looked_at_as_a_cause() -> None:
    window = LIMITS.change_window.total_seconds()
    assert best(ranked(storm(), [change("payments", -window)], ALL_BAD)).change is not None
    assert best(ranked(storm(), [change("payments", -window - 1)], ALL_BAD)).change is None


def test_the_storefront_alone_changed_but_payments_is_the_deepest_unhealthy() -> None:
    ranking = ranked(storm(), [change("storefront", -5, "3.1.1")], ALL_BAD)
    cause = best(ranking)
    assert (cause.service, cause.change) == ("payments", None)
    assert "storefront depends on payments" in ruled_out(ranking)["chg_storefront_-5"]


def test_a_bad_release_at_the_top_of_the_chain_is_named_when_nothing_below_is_affected() -> None:
    alerts = [alert("storefront", "Storefront uses 100 % of a processor", 0, alertname="HighCpu"),
              alert("storefront", "Storefront answers slowly", 1)]  # fmt: skip
    cause = best(ranked(alerts, [change("storefront", -10, "3.1.1")], signals(["storefront"], ["orders", "payments"])))
    assert cause.change is not None and cause.service == "storefront"
    assert cause.confidence >= 80


def test_a_shared_dependency_of_two_branches_explains_both() -> None:
    estate = catalog({"web": ["db"], "api": ["db"], "mail": ["queue"], "db": [], "queue": []})
    alerts = [alert("web", "Web fails", 3), alert("api", "Api fails", 4), alert("db", "Disk full", 0)]
    assert best(ranked(alerts, [change("db", -30), change("queue", -10)], estate=estate)).service == "db"


def test_two_services_that_fail_apart_from_each_other_leave_the_cause_unclear() -> None:
    ranking = ranked([alert("payments", "Pool exhausted", 0), alert("search", "Pool exhausted", 0)])
    assert ranking.unclear == "payments and search are nearly equally likely."


def test_an_early_change_upstream_and_a_deeper_affected_service_are_not_decided_by_force() -> None:
    alerts = [alert("orders", "Orders queue grows", 0), alert("storefront", "Storefront fails", 3),
              alert("payments", "Payments answers slowly", 8)]  # fmt: skip
    ranking = ranked(alerts, [change("orders", -10)])
    assert ranking.best is not None
    assert ranking.unclear is not None or ranking.best.confidence < 70


def test_services_in_a_circle_are_not_decided_by_topology() -> None:
    circle = catalog({"a": ["b"], "b": ["a"]})
    ranking = ranked([alert("a", "Errors", 0), alert("b", "Errors", 0)], estate=circle)
    assert ranking.unclear is not None


def test_most_alerts_without_a_service_leave_the_cause_unclear() -> None:
    alerts = [alert("payments", "Pool exhausted", 0), *(alert(None, "Odd", second) for second in range(5))]
    assert ranked(alerts).unclear == "Most alerts name no service, so their place in the topology is not known."


def test_an_empty_catalogue_leaves_the_cause_unclear_and_still_shows_the_lead() -> None:
    ranking = ranked(storm(), [change("payments", -20)], estate=Catalog())
    assert ranking.unclear == "The catalogue is empty, so nobody can tell which service depends on which."
    assert ranking.best is not None and ranking.best.service == "payments"


def test_nothing_known_is_unclear_and_changes_alone_are_no_cause() -> None:
    assert ranked().best is None
    ranking = ranked(changes=[change("payments", -20)])
    assert ranking.unclear == "No service shows a symptom; only changes near in time are known."


def test_an_incident_told_by_a_person_is_judged_by_signals() -> None:
    cause = best(ranked([], [change("payments", -20)], ALL_BAD))
    assert cause.change is not None and cause.service == "payments"


def test_a_change_without_a_service_is_worth_its_time_only() -> None:
    ranking = ranked(storm(), [change(None, -5)], ALL_BAD)
    assert best(ranking).change is None
    assert ruled_out(ranking)["chg_None_-5"] == "It names no service, so only its time speaks for it."


NAMES = st.sampled_from(sorted(SHOP.services))
ALERTS = st.builds(
    lambda name, title, seconds: alert(name, title, seconds),
    st.one_of(NAMES, st.sampled_from(["stranger", None])),
    st.sampled_from(["Pool exhausted", "Errors", "Slow", "Calls to payments fail", "Calls to orders fail"]),
    st.integers(-900, 900),
)
CHANGES = st.builds(change, st.one_of(NAMES, st.none(), st.just("stranger")), st.integers(-2400, 1200))


@given(
    st.lists(ALERTS, max_size=12, unique_by=lambda item: item.id),
    st.lists(CHANGES, max_size=6, unique_by=lambda item: item.id),
    st.sets(NAMES),
)
def test_whatever_is_known_the_ranking_keeps_its_promises(
    alerts: list[Alert], changes: list[Change], unhealthy: set[str]
) -> None:
    readings = signals(sorted(unhealthy), sorted(set(SHOP.services) - unhealthy))
    seen = known(alerts, changes, readings)
    ranking = rank(seen)
    assert ranking == rank(known(alerts[::-1], changes[::-1], readings))
    assert len(ranking.others) <= LIMITS.finding_alternatives
    if ranking.best is None:
        assert ranking.unclear
        return
    cause = ranking.best
    assert 0 <= cause.confidence <= cause.cap <= 92
    assert all(0 <= other.confidence <= max(cause.confidence - 1, 0) and other.why_lower for other in ranking.others)
    if ranking.unclear is None:
        assert cause.service in seen.affected
        assert 2 * len(cause.explained) >= len(seen.affected)
    if cause.change is not None:
        own = [item.at for item in seen.symptoms if item.service == cause.service]
        assert not own or timedelta() <= min(own) - cause.change.at <= LIMITS.change_window
