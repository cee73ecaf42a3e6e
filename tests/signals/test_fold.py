"""What a batch does to alerts, without a database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.domain.alert import AlertStatus, Occurrence, Severity
from handrail.kernel.canonical import canonical
from handrail.plugins.integrations.contract import Parsed
from handrail.signals.fold import Fold, Leaf, Outcome, Submission, encode_leaf
from handrail.store.alerts import Kept
from tests.signals.intake import said

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
FIRING, RESOLVED = AlertStatus.FIRING, AlertStatus.RESOLVED


class Story:
    """Occurrences of one source in order, each in a batch of its own a second after the one before."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Kept] = {}
        self.now = NOW
        self.stored = 0

    def tell(self, *occurrences: Occurrence) -> list[Outcome]:
        self.now += timedelta(seconds=1)
        fold = Fold(dict(self.known), self.now, iter(f"alr_{number}" for number in range(100)))
        results = fold.add(Submission("source", Parsed(occurrences), "token", "trace"))
        self.known |= fold.changed
        self.stored += len(fold.occurrences)
        return [result.outcome for result in results]

    @property
    def kept(self) -> Kept:
        (found,) = self.known.values()
        return found


@pytest.fixture
def story() -> Story:
    return Story()


def at(minutes: int) -> datetime:
    return NOW - timedelta(hours=1) + timedelta(minutes=minutes)


def test_a_first_word_makes_an_alert(story: Story) -> None:
    assert story.tell(said()) == [Outcome.NEW]
    assert story.kept.alert.status == FIRING
    assert not story.kept.correlated
    assert story.kept.trace == "trace"


def test_the_same_words_again_are_stored_once(story: Story) -> None:
    story.tell(said(occurred_at=at(0)))
    assert story.tell(said(occurred_at=at(0))) == [Outcome.DUPLICATE]
    assert story.stored == 1
    assert story.kept.alert.count == 1


def test_the_same_words_twice_in_one_batch_are_stored_once(story: Story) -> None:
    assert story.tell(said(), said()) == [Outcome.NEW, Outcome.DUPLICATE]
    assert story.stored == 1


def test_a_repeat_without_a_time_moves_the_moment_it_was_heard(story: Story) -> None:
    story.tell(said())
    story.tell(said())
    assert story.kept.alert.last_at == NOW + timedelta(seconds=2)
    assert story.kept.alert.last_said_at == NOW + timedelta(seconds=2)


def test_a_firing_alert_that_only_moves_its_expected_end_is_a_repeat(story: Story) -> None:
    story.tell(said(occurred_at=at(0), ends_at=at(70), raw=b"1"))
    assert story.tell(said(occurred_at=at(0), ends_at=at(71), raw=b"2")) == [Outcome.DUPLICATE]


def test_new_words_about_a_firing_alert_are_stored(story: Story) -> None:
    story.tell(said(occurred_at=at(0)))
    assert story.tell(said(occurred_at=at(0), summary="It got worse.")) == [Outcome.UPDATED]
    assert story.kept.alert.summary == "It got worse."
    assert story.kept.alert.count == 2


def test_unknown_fields_alone_make_new_words(story: Story) -> None:
    story.tell(said(extra={"value": 1}))
    assert story.tell(said(extra={"value": 2})) == [Outcome.UPDATED]


def test_a_resolve_before_its_trigger_ends_resolved_with_both_times(story: Story) -> None:
    story.tell(said(status=RESOLVED, occurred_at=at(10)))
    assert story.tell(said(occurred_at=at(5), starts_at=at(5))) == [Outcome.LATE]
    alert = story.kept.alert
    assert (alert.status, alert.starts_at, alert.ends_at) == (RESOLVED, at(5), at(10))


def test_a_late_trigger_gives_its_title_to_a_resolve_that_had_none(story: Story) -> None:
    silent = Occurrence("a", RESOLVED, "", occurred_at=at(10), raw=b"{}")
    story.tell(silent)
    story.tell(said(occurred_at=at(5), severity_raw="critical"))
    assert story.kept.alert.title == "a fails"


def test_a_resolve_without_a_trigger_waits_for_no_candidate(story: Story) -> None:
    story.tell(said(status=RESOLVED))
    assert story.kept.correlated
    assert story.kept.alert.status == RESOLVED


def test_an_older_trigger_after_a_newer_resolve_does_not_reopen(story: Story) -> None:
    story.tell(said(occurred_at=at(0)))
    story.tell(said(status=RESOLVED, occurred_at=at(10)))
    assert story.tell(said(occurred_at=at(5))) == [Outcome.LATE]
    assert story.kept.alert.status == RESOLVED
    assert story.kept.alert.late == 1


def test_a_newer_trigger_reopens_and_asks_for_correlation_again(story: Story) -> None:
    story.tell(said(occurred_at=at(0)))
    story.known = {key: Kept(kept.alert, True, "can_1", "trace") for key, kept in story.known.items()}
    story.tell(said(status=RESOLVED, occurred_at=at(10)))
    assert story.kept.correlated
    story.tell(said(occurred_at=at(20)))
    assert story.kept.alert.status == FIRING
    assert (story.kept.correlated, story.kept.candidate_id) == (False, "can_1")


def test_flapping_for_an_hour_is_one_alert_with_its_count(story: Story) -> None:
    for round_ in range(180):
        status = FIRING if round_ % 2 == 0 else RESOLVED
        story.tell(said(status=status, occurred_at=at(0) + timedelta(seconds=20 * round_)))
    assert story.kept.alert.count == 180
    assert story.kept.alert.late == 0


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=6, max_size=6),
    moment=st.one_of(st.none(), st.just("2026-01-05T09:00:00.000000Z")),
)
def test_leaves_are_canonical_json(texts: list[str], moment: str | None) -> None:
    dedup_key, alert_id, digest, source, status, verdict = texts
    leaf = Leaf(dedup_key, alert_id, moment, digest, "2026-01-05T09:00:01.000000Z", source, status, verdict)
    expected = {
        "id": alert_id, "source": source, "dedup_key": dedup_key, "status": status, "occurred_at": moment,
        "received_at": "2026-01-05T09:00:01.000000Z", "raw_digest": digest, "verdict": verdict,
    }  # fmt: skip
    assert encode_leaf(leaf) == canonical(expected)


def test_a_repeat_that_is_graded_otherwise_by_now_is_news() -> None:
    story = Story()
    assert story.tell(said("a", severity_raw="Warning")) == [Outcome.NEW]
    assert story.tell(said("a", severity_raw="Warning")) == [Outcome.DUPLICATE]
    assert story.tell(said("a", severity_raw="Warning", severity=Severity.HIGH)) == [Outcome.UPDATED]
    assert (story.kept.alert.severity, story.kept.alert.severity_raw) == (Severity.HIGH, "Warning")
