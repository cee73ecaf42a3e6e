"""Alerts as symptoms: what they are about, and which dependency they name."""

from dataclasses import replace

import pytest
from tests.analyst.estates import SHOP, alert, at, catalog, known, signals, storm

from handrail.analyst.facts import SymptomKind, symptom_of
from handrail.domain.alert import Severity


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Connection pool exhausted", SymptomKind.SATURATION),
        ("12 requests queue", SymptomKind.SATURATION),
        ("OOMKilled", SymptomKind.SATURATION),
        ("Service is down", SymptomKind.DOWN),
        ("p95 above 1 s", SymptomKind.LATENCY),
        ("5xx rate 10 %", SymptomKind.ERRORS),
        ("Certificate expires", SymptomKind.OTHER),
    ],
)
def test_a_symptom_is_known_by_its_words(title: str, kind: SymptomKind) -> None:
    assert symptom_of(alert("payments", title, 0), "payments", SHOP).kind == kind


def test_a_full_pool_towards_a_dependency_points_at_the_dependency() -> None:
    by_label = alert("orders", "Pool exhausted", 0, dependency="payments")
    by_words = alert("orders", "Orders has every connection to payments in use", 0)
    for said in (by_label, by_words):
        symptom = symptom_of(said, "orders", SHOP)
        assert (symptom.kind, symptom.points_at) == (SymptomKind.DEPENDENCY, "payments")


@pytest.mark.parametrize(
    "title", ["Calls to payments-archive fail", "Calls to prepayments fail", "Calls to ledger fail"]
)
def test_a_name_that_only_looks_like_a_dependency_is_none(title: str) -> None:
    assert symptom_of(alert("orders", title, 0), "orders", SHOP).points_at is None


def test_a_name_with_signs_of_patterns_is_looked_for_as_it_is() -> None:
    odd = catalog({"a": ["c++(x"], "c++(x": []})
    assert symptom_of(alert("a", "calls to c++(x fail", 0), "a", odd).points_at == "c++(x"


def test_affected_are_services_with_symptoms_with_bad_signals_and_those_that_callers_name() -> None:
    alerts = [alert("orders", "Calls to payments fail", 0)]
    assert known(alerts, seen=signals(unhealthy=["search"])).affected == ("orders", "payments", "search")
    assert known(alerts, seen=signals(healthy=["payments"])).affected == ("orders",)


def test_alerts_that_only_inform_are_no_symptoms_and_those_without_service_lower_what_is_placed() -> None:
    informs = replace(alert("search", "Deployed", -60), severity=Severity.INFO)
    seen = known([informs, alert(None, "Odd", 0), alert("orders", "Errors", 5)])
    assert [item.service for item in seen.symptoms] == ["orders"]
    assert (seen.placed, seen.first_at) == (0.5, at(5))


def test_equal_facts_have_equal_json_whatever_the_order_of_alerts() -> None:
    assert known(storm()).as_json() == known(list(reversed(storm()))).as_json()


def test_a_reading_that_differs_without_changing_health_is_the_same_fact() -> None:
    one, other = signals(unhealthy=["payments"]), signals(unhealthy=["payments"])
    other["payments"] = replace(other["payments"], error_rate=0.9)
    assert known(storm(), seen=one).as_json() == known(storm(), seen=other).as_json()
