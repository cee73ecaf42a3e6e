"""What people corrected and what earlier incidents taught, in placing alerts; words of the alerts' own; slow burning.

Each helps where it should, and binds nothing that has nothing to do with each other.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from handrail.domain.alert import AlertStatus, Occurrence, Severity, first
from handrail.domain.candidate import KindSeen
from handrail.domain.catalog import Catalog
from handrail.domain.correction import Correction, Corrections, index
from handrail.domain.kind import Kind
from handrail.kernel.limits import LIMITS
from handrail.signals.correlate import Decided, Live, Memory, correlate
from handrail.signals.learned import Learned, Past, learn
from handrail.signals.relation import Hit, Links, Symptom, telling_pairs, telling_words
from tests.signals.test_correlate import CRITICAL, MEDIUM, SHOP, groups

NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def kind(service: str | None, name: str = "Errors") -> Kind:
    return Kind("prom", service, name)


def alert(service: str | None, seconds: float = 0, severity: Severity = CRITICAL, **more: Any) -> Symptom:
    name, text = more.pop("name", "Errors"), more.pop("text", "")
    labels = more.pop("labels", {})
    said = Occurrence("key", AlertStatus.FIRING, f"{service}: {name}", "critical", service, summary=text, labels=labels)
    told = first("alr_1", "prom", said, "", "token", NOW)
    return Symptom(
        f"{service}-{name}-{seconds:g}", service, severity, told.title, NOW + timedelta(seconds=seconds),
        telling_pairs(labels), kind=kind(service, name), words=telling_words(told, SHOP), **more,
    )  # fmt: skip


def corrected(
    kinds: Sequence[Kind], apart: Sequence[Kind] = (), together: Sequence[Kind] = (), into: str | None = "can_new",
    days_ago: float = 2,
) -> Correction:  # fmt: skip
    at = NOW - days_ago * DAY
    return Correction(
        f"cor_{days_ago}", tuple(kinds), tuple(apart), tuple(together), (), "can_old", into, "usr_1", at,
        at + LIMITS.correction_age,
    )  # fmt: skip


def taught(*pairs: tuple[Kind, Kind], times: int = 5, alone: int = 0) -> Learned:
    past = [
        Past(NOW - DAY, tuple(KindSeen(one, NOW - DAY) for one in pair)) for pair in pairs for _ in range(times)
    ] + [Past(NOW - DAY, (KindSeen(pair[0], NOW - DAY),)) for pair in pairs for _ in range(alone)]
    return learn(past, NOW)


def decide(
    symptoms: Sequence[Symptom], *corrections: Correction, live: Sequence[Live] = (), learned: Learned | None = None,
    catalog: Catalog = SHOP,
) -> Decided:  # fmt: skip
    held = index(corrections) if corrections else Corrections()
    return correlate(Memory(Links(catalog), held, learned or Learned()), [], live, symptoms)


def candidate(service: str, name: str = "Errors", candidate_id: str = "", active: float = 0) -> Live:
    hit = Hit(service, CRITICAL, NOW - timedelta(minutes=1), NOW + timedelta(seconds=active))
    kinds = frozenset({kind(service, name)})
    return Live(candidate_id or f"can_{service}", (hit,), 1, hit.first_at, (f"{service}: {name}",), kinds)


def reasons(decided: Decided) -> dict[str, str]:
    return {member.alert_id: member.reason for placed in decided.placed for member in placed.members}


# What people put apart


def test_kinds_that_a_person_took_apart_stay_apart_and_the_reason_says_so() -> None:
    apart = corrected([kind("orders")], apart=[kind("payments")])
    storm = [alert("payments"), alert("orders", 20)]
    assert groups(decide(storm)) == [["orders", "payments"]]
    decided = decide(storm, apart)
    assert groups(decided) == [["payments"], ["orders"]]
    assert reasons(decided)["orders-Errors-20"] == (
        "First symptom: a critical alert on orders; kept apart from “Errors” on payments, as a person did on "
        "3 March 2026."
    )


def test_apart_holds_in_both_directions_and_for_live_candidates() -> None:
    apart = corrected([kind("orders")], apart=[kind("payments")])
    decided = decide([alert("payments", 20)], apart, live=[candidate("orders")])
    assert [placed.candidate_id for placed in decided.placed] == [None]


def test_another_kind_on_the_same_services_is_not_kept_apart() -> None:
    apart = corrected([kind("orders")], apart=[kind("payments")])
    assert groups(decide([alert("payments"), alert("orders", 20, name="Slow")], apart)) == [["orders", "payments"]]


def test_an_alert_between_two_groups_that_a_person_took_apart_does_not_make_them_one() -> None:
    apart = corrected([kind("orders")], apart=[kind("ledger")])
    storm = [alert("orders"), alert("ledger", 5), alert("payments", 10)]
    assert groups(decide(storm)) == [["ledger", "orders", "payments"]]
    decided = decide(storm, apart)
    assert len(decided.placed) == 2
    assert sorted(len(placed.members) for placed in decided.placed) == [1, 2]


# What people put together


def test_later_alerts_of_kinds_that_a_person_put_together_come_together() -> None:
    together = corrected([kind("office")], together=[kind("payments")])
    storm = [alert("payments"), alert("office", 30)]
    assert len(decide(storm).placed) == 2
    decided = decide(storm, together)
    assert groups(decided) == [["office", "payments"]]
    assert reasons(decided)["office-Errors-30"] == (
        "A person put such an alert with such alerts on 3 March 2026; 30 s apart."
    )


def test_an_alert_joins_the_very_candidate_that_such_alerts_were_put_into() -> None:
    put = corrected([kind("office")], apart=[kind("wiki")], into="can_payments")
    decided = decide([alert("office", 30)], put, live=[candidate("payments"), candidate("wiki")])
    assert [placed.candidate_id for placed in decided.placed] == ["can_payments"]
    assert reasons(decided)["office-Errors-30"].startswith("A person put such an alert here on 3 March 2026; 30 s")


def test_a_persons_word_goes_before_a_better_match() -> None:
    together = corrected([kind("orders")], together=[kind("office")])
    decided = decide([alert("orders", 5)], together, live=[candidate("payments"), candidate("office")])
    assert [placed.candidate_id for placed in decided.placed] == ["can_office"]


def test_the_reason_keeps_what_the_catalogue_says_beside_the_persons_word() -> None:
    together = corrected([kind("orders")], together=[kind("payments")])
    assert reasons(decide([alert("payments"), alert("orders", 20)], together))["orders-Errors-20"] == (
        "orders calls payments; 20 s apart; a person put such an alert with such alerts on 3 March 2026."
    )


def test_a_persons_word_binds_nothing_outside_the_window() -> None:
    together = corrected([kind("office")], together=[kind("payments")])
    assert len(decide([alert("payments"), alert("office", 700)], together).placed) == 2


def test_the_newer_of_two_corrections_holds() -> None:
    older = corrected([kind("orders")], apart=[kind("payments")], days_ago=9)
    newer = corrected([kind("payments")], together=[kind("orders")], days_ago=1)
    storm = [alert("payments"), alert("orders", 20)]
    assert len(decide(storm, older, newer).placed) == 1
    assert len(decide(storm, replace(older, at=NOW), newer).placed) == 2


def test_kinds_put_together_do_not_draw_in_their_neighbours() -> None:
    together = corrected([kind("office")], together=[kind("payments")])
    decided = decide([alert("payments"), alert("office", 10), alert("wiki", 20)], together)
    assert groups(decided) == [["office", "payments"], ["wiki"]]


# What earlier incidents taught


def test_what_came_together_before_comes_together_where_the_catalogue_knows_no_connection() -> None:
    learned = taught((kind("payments"), kind("office")), times=4, alone=1)
    decided = decide([alert("payments"), alert("office", 60)], learned=learned)
    assert groups(decided) == [["office", "payments"]]
    (member,) = [one for one in decided.placed[0].members if one.service == "office"]
    assert member.reason == "In 4 of 5 earlier incidents both came together; 60 s apart."
    assert member.score == 22 + 27


def test_what_was_learned_is_of_kinds_and_not_of_services() -> None:
    learned = taught((kind("payments"), kind("office")))
    assert len(decide([alert("payments"), alert("office", 60, name="Printer")], learned=learned).placed) == 2


def test_what_was_learned_does_not_chain() -> None:
    """a came with b, and b with c, but never a with c: c is judged by its own companions in the group alone."""
    learned = taught((kind("payments"), kind("office")), (kind("office"), kind("wiki")), times=8)
    decided = decide([alert("payments"), alert("wiki", 5)], learned=learned)
    assert len(decided.placed) == 2


def test_what_was_learned_makes_two_groups_never_one() -> None:
    learned = taught((kind("payments"), kind("office")))
    storm = [alert("payments"), alert("office", 1, name="Door"), alert("office", 2)]
    assert groups(decide(storm, learned=learned)) == [["payments"], ["office"]]


def test_two_causes_at_once_stay_two_with_every_memory_at_work() -> None:
    learned = taught((kind("payments"), kind("storefront")), (kind("mailer"), kind("smtp")))
    apart = corrected([kind("ledger")], apart=[kind("wiki")])
    shop = [alert(("storefront", "orders", "payments")[n % 3], n * 3, text="see ledger-db") for n in range(30)]
    post = [alert(("mailer", "smtp")[n % 2], n * 3 + 1, text="see relay-1") for n in range(30)]
    expected = [["orders", "payments", "storefront"], ["mailer", "smtp"]]
    for seed in range(5):
        storm = random.Random(seed).sample(shop + post, 60)
        assert groups(decide(storm, apart, learned=learned)) == expected


def test_a_person_goes_before_what_was_learned() -> None:
    learned = taught((kind("payments"), kind("office")))
    apart = corrected([kind("office")], apart=[kind("payments")])
    assert len(decide([alert("payments"), alert("office", 5)], apart, learned=learned).placed) == 2


# The alerts' own words


def test_siblings_that_speak_of_the_same_service_belong_together() -> None:
    """Both mailer and reports depend on smtp."""
    plain = [alert("mailer"), alert("reports", 10)]
    assert len(decide(plain).placed) == 2
    spoken = [alert("mailer", text="no answer from smtp"), alert("reports", 10, text="smtp refused")]
    decided = decide(spoken)
    assert groups(decided) == [["mailer", "reports"]]
    assert reasons(decided)["reports-Errors-10"].endswith("; 10 s apart; both speak of smtp.")


def test_words_that_every_alert_has_bind_nothing() -> None:
    text = "error ratio above threshold for five minutes, please check dashboards"
    assert len(decide([alert("mailer", text=text), alert("reports", 10, text=text)]).placed) == 2


def test_words_never_bind_services_that_the_catalogue_knows_and_does_not_connect() -> None:
    text = "no answer from ledger-db on node-7"
    assert len(decide([alert("payments", text=text), alert("office", 10, text=text)]).placed) == 2


def test_one_telling_label_is_enough_where_the_texts_speak_of_two_of_the_same_things() -> None:
    one = alert("x", labels={"cluster": "eu-1"}, text="no route to ledger-db by node-7")
    other = alert("y", 10, labels={"cluster": "eu-1"}, text="node-7 lost ledger-db")
    assert len(decide([one, other]).placed) == 1
    assert len(decide([one, replace(other, words=frozenset({"node-7"}))]).placed) == 2
    assert len(decide([one, replace(other, pairs=frozenset())]).placed) == 2


def test_what_the_labels_say_already_is_not_told_twice() -> None:
    shared = {"host": "node-7"}
    decided = decide(
        [alert("payments", labels=shared, text="node-7"), alert("orders", 5, labels=shared, text="node-7")]
    )
    assert "both speak" not in reasons(decided)["orders-Errors-5"]


def test_words_are_read_within_a_bound() -> None:
    assert len(alert("payments", text=" ".join(f"node-{n}" for n in range(1000))).words) == 12


# What burns slowly, and what comes late


def test_an_alert_that_has_fired_for_long_joins_what_it_may_have_caused() -> None:
    disk = alert("payments", -45 * 60, MEDIUM, name="DiskFills")
    decided = decide([disk], live=[candidate("orders")])
    assert [placed.candidate_id for placed in decided.placed] == ["can_orders"]
    assert reasons(decided)[disk.id] == ("orders calls payments; it had been firing for 44 min by then and still is.")


def test_an_alert_that_has_fired_for_half_a_day_or_on_a_distant_service_joins_nothing() -> None:
    assert decide([alert("payments", -3 * 3600, MEDIUM)], live=[candidate("orders")]).placed == ()
    assert decide([alert("office", -45 * 60, MEDIUM)], live=[candidate("orders")]).placed == ()


def test_a_late_alert_joins_a_candidate_whose_alerts_still_fire() -> None:
    decided = decide([alert("orders", 3600)], live=[candidate("payments", active=3600)])
    assert [placed.candidate_id for placed in decided.placed] == ["can_payments"]


# Repeatable, and bounded


def test_the_answer_is_the_same_in_whatever_order_alerts_are_read() -> None:
    names = ("storefront", "orders", "payments", "office", "mailer", "wiki", "x", None)
    learned = taught((kind("payments"), kind("office")), (kind("wiki"), kind("mailer")))
    held = [
        corrected([kind("orders")], apart=[kind("payments")]),
        corrected([kind("x")], together=[kind("wiki")], days_ago=3),
    ]
    storm = [
        alert(names[n % 8], n * 7, list(Severity)[n % 5], name=("Errors", "Slow")[n % 2], text=f"node-{n % 3} fails")
        for n in range(64)
    ]
    expected = decide(storm, *held, learned=learned)
    for seed in range(5):
        assert decide(random.Random(seed).sample(storm, len(storm)), *held, learned=learned) == expected


def test_links_are_forgotten_and_asked_anew_within_their_bound() -> None:
    small = Links(SHOP, replace(LIMITS, correlation_links=10))
    storm = [alert(name, n) for n, name in enumerate(("storefront", "orders", "payments", "ledger", "office"))]
    assert correlate(Memory(small), [], [], storm) == decide(storm)
