"""What people set for one source holds at the door: its words for severities, and how fast it may send."""

from handrail.domain.alert import Severity
from handrail.operations import sources
from handrail.operations.shell import HANDRAIL
from handrail.store import intake
from tests.signals.intake import OWNER, Intake

SAID = {"title": "Disk nearly full", "severity": "Bad", "dedup_key": "disk"}


def set_severities(desk: Intake, name: str, words: dict[str, str], label: str = "") -> None:
    source_id = desk.tokens[name][0]
    desk.shell.transact(HANDRAIL, lambda tx: sources.set_severities(tx, source_id, words, label, OWNER))


def set_rate(desk: Intake, name: str, rate: int | None) -> None:
    source_id = desk.tokens[name][0]
    desk.shell.transact(HANDRAIL, lambda tx: sources.set_rate(tx, source_id, rate, OWNER))


def test_a_sources_own_word_grades_its_alerts_and_the_word_is_kept(desk: Intake) -> None:
    set_severities(desk, "plain", {"bad": "high"})
    assert desk.post("/in/plain", SAID, "plain").status == 202
    assert (desk.alert().severity, desk.alert().severity_raw) == (Severity.HIGH, "Bad")


def test_a_firing_alert_follows_a_new_mapping_when_it_is_repeated(desk: Intake) -> None:
    desk.post("/in/plain", SAID, "plain")
    assert desk.alert().severity == Severity.MEDIUM
    set_severities(desk, "plain", {"bad": "critical"})
    desk.post("/in/plain", SAID, "plain")
    assert (desk.alert().severity, desk.alert().count) == (Severity.CRITICAL, 2)


def test_a_source_beyond_its_own_rate_is_told_when_to_come_back_and_nobody_else_is(desk: Intake) -> None:
    set_rate(desk, "plain", 1)
    statuses = [desk.post("/in/plain", {**SAID, "dedup_key": str(n)}, "plain").status for n in range(8)]
    assert statuses[:5] == [202] * 5
    assert statuses[-1] == 429
    refused = desk.post("/in/plain", SAID, "plain")
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json["code"] == "source_rate"
    many = [{"labels": {"alertname": str(n)}} for n in range(100)]
    assert desk.post("/api/v2/alerts", many, "prom").status == 200


def test_a_rate_that_was_lifted_lets_the_source_go_on(desk: Intake) -> None:
    set_rate(desk, "plain", 1)
    while desk.post("/in/plain", SAID, "plain").status != 429:
        pass
    set_rate(desk, "plain", None)
    desk.clock.advance(seconds=1)
    assert desk.post("/in/plain", SAID, "plain").status == 202


def test_unknown_words_are_counted_at_the_door_until_somebody_maps_them(desk: Intake) -> None:
    for key in ("a", "b"):
        desk.post("/in/plain", {**SAID, "dedup_key": key}, "plain")
    desk.post("/in/plain", {**SAID, "dedup_key": "c", "severity": "critical"}, "plain")
    with desk.shell.database.read() as connection:
        assert [(each.word, each.count) for each in intake.words(connection)["plain"]] == [("Bad", 2)]
    set_severities(desk, "plain", {"bad": "high"})
    desk.post("/in/plain", {**SAID, "dedup_key": "d"}, "plain")
    with desk.shell.database.read() as connection:
        assert intake.words(connection) == {}


def test_requests_are_counted_at_the_door_by_verdict_minute_and_refusal(desk: Intake) -> None:
    desk.post("/in/plain", SAID, "plain")
    desk.post("/in/plain", b"no JSON", "plain")
    assert (desk.stat("plain").by_token, desk.stat("plain").verified) == (1, 0)
    with desk.shell.database.read() as connection:
        assert intake.minutes(connection, desk.clock.now())["plain"].received[-1] == 2
        assert [each.count for each in intake.refusals(connection)["plain"]] == [1]
