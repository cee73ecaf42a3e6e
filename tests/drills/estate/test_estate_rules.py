from datetime import UTC, datetime

from handrail.drills.estate.rules import RULES, Phase, annotations_of, holds, labels_of, step, symptoms
from handrail.drills.estate.topology import ORDERS, PAYMENTS
from handrail.drills.estate.window import Measures

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ERRORS = next(rule for rule in RULES if rule.name == "HighErrorRate")
QUEUE = next(rule for rule in RULES if rule.name == "RequestsQueueing")


def after(looks: list[tuple[float, bool]]) -> Phase:
    phase = Phase()
    for seconds, there in looks:
        phase = step(phase, ERRORS, there, seconds, NOW)
    return phase


def test_a_symptom_fires_only_after_its_hold() -> None:
    assert not after([(0.0, True), (1.9, True)]).firing
    assert after([(0.0, True), (2.0, True)]).firing


def test_a_gap_starts_the_hold_anew() -> None:
    assert not after([(0.0, True), (1.5, False), (2.0, True), (3.5, True)]).firing


def test_a_short_quiet_does_not_end_an_alert() -> None:
    assert after([(0.0, True), (2.0, True), (2.5, False), (3.0, True), (3.4, False)]).firing


def test_a_lasting_quiet_ends_an_alert() -> None:
    ended = after([(0.0, True), (2.0, True), (2.5, False), (3.5, False)])
    assert not ended.firing
    assert ended.starts_at == NOW and ended.ends_at == NOW


def test_an_ended_alert_can_fire_again() -> None:
    again = after([(0.0, True), (2.0, True), (2.5, False), (3.5, False), (5.0, True), (7.0, True)])
    assert again.firing and again.ends_at is None


def test_what_is_not_known_is_no_symptom() -> None:
    assert not holds(ERRORS, Measures(down=0.0, error_rate=None))


def test_a_quiet_service_has_no_symptoms() -> None:
    quiet = Measures(0.0, 40.0, 0.0, 0.03, 0.0, 1.0, 0.1, 1.0, 0.0, 0.1)
    assert symptoms(quiet) == ()


def test_an_exhausted_pool_shows_as_full_and_queueing() -> None:
    full = Measures(0.0, 20.0, 0.0, 0.1, 0.0, 5.0, 1.0, 10.0, 7.0, 0.1)
    assert symptoms(full) == ("ConnectionPoolExhausted", "RequestsQueueing")


def test_the_words_name_service_dependency_and_value() -> None:
    words = annotations_of(QUEUE, PAYMENTS, 7.0)
    assert words["summary"] == "7 requests of Payments wait for a connection to ledger."


def test_labels_name_the_dependency_where_the_rule_is_about_it() -> None:
    assert labels_of(QUEUE, ORDERS, "127.0.0.1:1") == {
        "alertname": "RequestsQueueing", "service": "orders", "severity": "warning", "instance": "127.0.0.1:1",
        "environment": "production", "team": "team-orders", "dependency": "payments",
    }  # fmt: skip
    assert "dependency" not in labels_of(ERRORS, ORDERS, "127.0.0.1:1")
