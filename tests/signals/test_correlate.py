"""Which alerts belong together: pure, over a catalogue of a shop and of an unrelated office."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handrail.domain.alert import Severity
from handrail.domain.catalog import Catalog, Service
from handrail.domain.suggest import list_words, suggest_severity, suggest_title
from handrail.signals.correlate import Decided, Live, Memory, correlate
from handrail.signals.relation import Hit, Links, RecentChange, Symptom, telling_pairs

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
CRITICAL, HIGH, MEDIUM, LOW, INFO = Severity


def catalog(*lines: tuple[str, int, str]) -> Catalog:
    return Catalog({
        name: Service(name, name, "team", tier, tuple(calls.split())) for name, tier, calls in lines
    })  # fmt: skip


SHOP = catalog(
    ("storefront", 1, "orders"), ("orders", 2, "payments"), ("payments", 1, "ledger"), ("ledger", 3, ""),
    ("mailer", 3, "smtp"), ("reports", 3, "smtp"), ("smtp", 3, ""), ("office", 3, ""), ("wiki", 4, ""),
)  # fmt: skip


def alert(service: str | None, seconds: float = 0, severity: Severity = CRITICAL, **more: Any) -> Symptom:
    labels = more.pop("labels", {})
    name = f"{service}-{seconds:g}-{severity}"
    title = more.pop("title", f"{service}: error ratio above 5%")
    since = NOW + timedelta(seconds=seconds)
    return Symptom(name, service, severity, title, since, telling_pairs(labels), **more)


def decide(symptoms: Sequence[Symptom], live: Sequence[Live] = (), changes: Sequence[RecentChange] = ()) -> Decided:
    return correlate(Memory(Links(SHOP)), changes, live, symptoms)


def groups(decided: Decided) -> list[list[str | None]]:
    return [sorted({member.service for member in placed.members}, key=str) for placed in decided.placed]


def candidate(service: str, active: float = 0, since: float = -60, severity: Severity = CRITICAL) -> Live:
    hit = Hit(service, severity, NOW + timedelta(seconds=since), NOW + timedelta(seconds=active))
    return Live(f"can_{service}", (hit,), 4, hit.first_at, (f"{service}: errors",))


# What belongs together


def test_a_storm_over_connected_services_is_one_candidate() -> None:
    services = ("storefront", "orders", "payments")
    storm = [alert(services[n % 3], n * 0.5) for n in range(120)]
    (placed,) = decide(storm).placed
    assert len(placed.members) == 120
    assert placed.services == ("orders", "payments", "storefront")


def test_unrelated_services_at_the_same_time_stay_apart() -> None:
    decided = decide([alert("payments"), alert("office"), alert("wiki")])
    assert groups(decided) == [["office"], ["payments"], ["wiki"]]


def test_unrelated_services_stay_apart_whatever_labels_they_share() -> None:
    shared = {"cluster": "eu", "region": "west", "host": "a"}
    decided = decide([alert("payments", labels=shared), alert("office", labels=shared)])
    assert len(decided.placed) == 2


def test_services_far_apart_in_time_stay_apart() -> None:
    decided = decide([alert("payments"), alert("orders", 11 * 60)])
    assert groups(decided) == [["payments"], ["orders"]]


def test_a_chain_of_alerts_longer_than_the_window_is_one_storm() -> None:
    decided = decide([alert("payments", minute * 60) for minute in range(0, 60, 9)])
    assert len(decided.placed) == 1


def test_services_connected_through_one_that_is_silent_belong_together() -> None:
    decided = decide([alert("storefront"), alert("ledger", 30)])
    assert groups(decided) == [["ledger", "storefront"]]


def test_siblings_belong_together_only_with_something_more_in_common() -> None:
    assert len(decide([alert("mailer"), alert("reports")]).placed) == 2
    shared = {"host": "relay-1"}
    assert len(decide([alert("mailer", labels=shared), alert("reports", labels=shared)]).placed) == 1
    change = RecentChange("smtp", "Deploy of smtp 2", NOW - timedelta(minutes=2))
    (placed,) = decide([alert("mailer"), alert("reports")], changes=[change]).placed
    assert "2 min after “Deploy of smtp 2”" in placed.members[1].reason


def test_an_alert_that_connects_two_new_groups_makes_them_one() -> None:
    decided = decide([alert("storefront", 0), alert("ledger", 1), alert("payments", 2), alert("orders", 3)])
    assert len(decided.placed) == 1


def test_services_of_no_catalogue_belong_together_by_two_telling_labels() -> None:
    shared = {"cluster": "eu-1", "team": "db"}
    assert len(decide([alert("x", labels=shared), alert("y", labels=shared)]).placed) == 1
    assert len(decide([alert("x", labels={"cluster": "eu-1"}), alert("y", labels={"cluster": "eu-1"})]).placed) == 2
    plain = {"severity": "critical", "environment": "production", "alertname": "Down", "job": "node"}
    assert len(decide([alert("x", labels=plain), alert("y", labels=plain)]).placed) == 2


def test_alerts_without_a_service_belong_together_by_their_labels() -> None:
    shared = {"cluster": "eu-1", "rack": "7"}
    first, second = alert(None, 0, labels=shared), alert(None, 1, labels=shared)
    assert len(decide([first, second]).placed) == 1
    assert len(decide([alert(None, 0), alert(None, 1)]).placed) == 2


def test_the_order_in_which_alerts_are_read_does_not_matter() -> None:
    names = ("storefront", "orders", "payments", "office", "mailer", "x")
    storm = [alert(names[n % 6], n * 7, list(Severity)[n % 5], labels={"host": str(n % 3)}) for n in range(60)]
    expected = decide(storm)
    for seed in range(5):
        shuffled = random.Random(seed).sample(storm, len(storm))
        assert decide(shuffled) == expected


# What opens a candidate


@pytest.mark.parametrize(
    ("symptoms", "opens"),
    [
        ([alert("payments", 0, INFO)], False),
        ([alert("payments", 0, LOW)], False),
        ([alert("payments", 0, MEDIUM)], False),
        ([alert("payments", 0, HIGH)], True),
        ([alert("payments", 0, CRITICAL)], True),
        ([alert("payments", 0, MEDIUM), alert("orders", 5, MEDIUM)], True),
        ([alert("payments", 0, MEDIUM), alert("office", 5, MEDIUM)], False),
        ([alert("payments", 0, MEDIUM), alert("payments", 5, INFO)], False),
        ([alert("payments", seconds, INFO) for seconds in range(50)], False),
    ],
)
def test_a_candidate_opens_by_one_serious_or_two_medium_alerts(symptoms: list[Symptom], opens: bool) -> None:
    decided = decide(symptoms)
    assert bool(decided.placed) == opens
    assert set(decided.waiting) == (set() if opens else {symptom.id for symptom in symptoms})


def test_an_info_alert_joins_what_is_serious() -> None:
    (placed,) = decide([alert("payments", 0, INFO), alert("orders", 10)]).placed
    assert len(placed.members) == 2


# Live candidates


def test_an_alert_joins_a_live_candidate_whatever_its_severity() -> None:
    (placed,) = decide([alert("orders", 30, INFO)], [candidate("payments")]).placed
    assert placed.candidate_id == "can_payments"
    assert placed.services == ("orders", "payments")
    assert "(5 alerts)" in placed.title


def test_an_alert_joins_the_candidate_that_it_matches_best() -> None:
    decided = decide([alert("orders", 5)], [candidate("storefront"), candidate("orders"), candidate("office")])
    assert [placed.candidate_id for placed in decided.placed] == ["can_orders"]


def test_an_alert_after_the_window_joins_no_candidate() -> None:
    decided = decide([alert("payments", 601)], [candidate("payments", active=0)])
    assert [placed.candidate_id for placed in decided.placed] == [None]


def test_two_candidates_never_become_one() -> None:
    decided = decide([alert("orders", 5), alert("storefront", 6), alert("payments", 7)],
                     [candidate("storefront"), candidate("payments")])  # fmt: skip
    assert {placed.candidate_id for placed in decided.placed} <= {"can_storefront", "can_payments"}


def test_new_groups_are_drawn_into_the_candidate_that_an_alert_connects_them_with() -> None:
    decided = decide([alert("mailer", 0), alert("smtp", 1)], [candidate("reports")])
    shared = decide([alert("mailer", 0), alert("smtp", 1)], [candidate("smtp")])
    assert [placed.candidate_id for placed in shared.placed] == ["can_smtp"]
    assert [placed.candidate_id for placed in decided.placed] == ["can_reports"]


# Reasons


def test_each_alert_says_why_it_is_there_and_how_surely() -> None:
    change = RecentChange("payments", "Deploy of payments 2.5.0", NOW - timedelta(seconds=90))
    shared = {"cluster": "eu-1"}
    storm = [
        alert("payments", 0, labels=shared),
        alert("orders", 40, labels=shared),
        alert("storefront", 200),
        alert("orders", 200),
    ]
    (placed,) = decide(storm, changes=[change]).placed
    by_id = {member.alert_id: member for member in placed.members}
    first, second = by_id["payments-0-critical"], by_id["orders-40-critical"]
    assert (first.score, first.reason) == (100, "First symptom: a critical alert on payments.")
    assert second.reason == (
        "orders calls payments; 40 s apart; both carry cluster=eu-1; 2 min after “Deploy of payments 2.5.0”."
    )
    assert second.score == 83
    assert by_id["orders-200-critical"].reason.startswith("orders is alerting already; 2 min apart")
    assert by_id["storefront-200-critical"].reason.startswith("storefront calls orders")
    assert all(0 < member.score <= 100 for member in placed.members)


def test_an_alert_of_a_closed_incident_says_so() -> None:
    words = "it fired again after INC-3 was closed"
    (placed,) = decide([alert("payments", earlier=words)]).placed
    assert placed.members[0].reason == f"First symptom: a critical alert on payments; {words}."


# Severity and title


@pytest.mark.parametrize(
    ("worst", "expected", "why"),
    [
        (
            {"payments": CRITICAL, "orders": HIGH},
            "SEV1",
            "payments (tier 1) has a critical alert and 2 services are hit.",
        ),
        ({"orders": CRITICAL, "payments": HIGH}, "SEV1", "payments (tier 1) is among them."),
        ({"payments": CRITICAL}, "SEV2", "payments (tier 1) has a critical alert and 1 service is hit."),
        ({"orders": HIGH}, "SEV2", "orders (tier 2) has a high alert"),
        ({"ledger": HIGH, "smtp": MEDIUM, "office": LOW}, "SEV2", "3 services are hit."),
        ({"ledger": CRITICAL}, "SEV3", "ledger (tier 3) has a critical alert"),
        ({"payments": MEDIUM}, "SEV3", "payments (tier 1) has a medium alert"),
        ({"ledger": MEDIUM}, "SEV4", "ledger (tier 3) has a medium alert"),
        ({"unknown": CRITICAL}, "SEV3", "unknown has a critical alert and 1 service is hit."),
        ({None: CRITICAL}, "SEV3", "A service has a critical alert and 1 service is hit."),
        ({"payments": INFO, "ledger": MEDIUM}, "SEV4", "ledger (tier 3) has a medium alert"),
    ],
)
def test_the_suggested_severity_says_why(worst: dict[str | None, Severity], expected: str, why: str) -> None:
    severity, reason = suggest_severity(SHOP, worst)
    assert severity == expected
    assert why in reason


def test_the_title_names_services_symptoms_and_count() -> None:
    worst: dict[str | None, Severity] = {"storefront": HIGH, "payments": CRITICAL, "orders": HIGH}
    titles = ["High error ratio", "p99 latency above 1.5 s"]
    assert suggest_title(SHOP, worst, titles, 12) == "payments, orders and storefront: errors and latency (12 alerts)"
    assert suggest_title(SHOP, {"office": HIGH}, ["odd"], 1) == "office: alerts (1 alert)"
    assert suggest_title(SHOP, {None: HIGH}, ["node down"], 2) == "Unnamed services: outage (2 alerts)"
    many: dict[str | None, Severity] = {f"s{n}": HIGH for n in range(40)}
    assert suggest_title(SHOP, many, [], 90) == "s0, s1 and 38 more: alerts (90 alerts)"


def test_lists_read_as_people_write_them() -> None:
    assert [list_words(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip


def test_a_thousand_alerts_of_unknown_services_are_placed_without_comparing_all_with_all() -> None:
    storm = [alert(f"svc-{n}", 0, labels={"host": f"h{n}"}) for n in range(1000)]
    assert len(decide(storm).placed) == 1000
