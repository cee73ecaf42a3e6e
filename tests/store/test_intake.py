"""How a source is doing: rates by the minute, refusals by code, unknown words; all within their bounds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from handrail.kernel.limits import LIMITS
from handrail.operations.shell import HANDRAIL, Shell
from handrail.store import intake, tables
from handrail.store.intake import Tally

NOW = datetime(2026, 1, 5, 9, 0, 30, tzinfo=UTC)


def minutes(shell: Shell, now: datetime) -> intake.Minutes:
    with shell.database.read() as connection:
        return intake.minutes(connection, now).get("a", intake.Minutes())


def heard(shell: Shell, at: datetime, tally: Tally) -> None:
    shell.transact(HANDRAIL, lambda tx: intake.add_tallies(tx.connection, {"a": tally}, at))


def test_the_last_hour_is_kept_by_the_minute_in_sixty_rows(shell: Shell) -> None:
    for minute in range(150):
        heard(shell, NOW + timedelta(minutes=minute), Tally(accepted=minute, duplicate=1))
    last = NOW + timedelta(minutes=149)
    assert minutes(shell, last).received == tuple(minute + 1 for minute in range(90, 150))
    with shell.database.read() as connection:
        assert len(connection.execute(tables.source_minute.select()).all()) == 60


def test_the_rate_is_that_of_the_last_sixty_seconds_and_ends_with_silence(shell: Shell) -> None:
    heard(shell, NOW - timedelta(minutes=1), Tally(accepted=100))
    heard(shell, NOW, Tally(accepted=5, refused=2))
    heard(shell, NOW, Tally(accepted=3))
    assert minutes(shell, NOW).per_minute == 10 + 50
    assert minutes(shell, NOW + timedelta(minutes=3)).per_minute == 0
    assert sum(minutes(shell, NOW + timedelta(minutes=3)).received) == 110
    assert minutes(shell, NOW + timedelta(hours=2)) == intake.Minutes()


def test_requests_are_counted_by_how_sure_we_are_of_their_sender(shell: Shell) -> None:
    heard(shell, NOW, Tally(verified=2))
    heard(shell, NOW, Tally(verified=1, by_token=4, unsigned=5))
    with shell.database.read() as connection:
        stat = intake.stats(connection)["a"]
    assert (stat.verified, stat.by_token, stat.unsigned) == (3, 4, 5)


def test_refusals_are_counted_by_their_code_with_the_last_reason(shell: Shell) -> None:
    for at, code, why in ((0, "bad_input", "one"), (1, "bad_input", "two"), (2, "not_json", "three")):
        refused = [("a", code, 2, why)]
        moment = NOW + timedelta(seconds=at)
        shell.transact(HANDRAIL, lambda tx, r=refused, m=moment: intake.add_refusals(tx.connection, r, m))  # type: ignore[misc]
    with shell.database.read() as connection:
        found = intake.refusals(connection)["a"]
    told = [(each.code, each.count, each.reason) for each in found]
    assert told == [("not_json", 2, "three"), ("bad_input", 4, "two")]


@pytest.mark.parametrize("most", [1, 3])
def test_unknown_words_are_counted_up_to_a_bound(shell: Shell, most: int) -> None:
    limits = replace(LIMITS, severity_words_unknown=most)
    for _ in range(2):
        words = {("a", f"w{number}"): number + 1 for number in range(5)}
        shell.transact(HANDRAIL, lambda tx, w=words: intake.add_words(tx.connection, w, NOW, limits))  # type: ignore[misc]
    with shell.database.read() as connection:
        assert {each.word: each.count for each in intake.words(connection, "a")["a"]} == {
            f"w{number}": 2 * (number + 1) for number in range(most)
        }
