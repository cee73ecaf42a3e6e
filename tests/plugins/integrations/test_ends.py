"""Each sample that ends an alert closes what its firing sample opened, whatever became of the times it tells."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.plugins.integrations.test_identities import IDENTITIES, at, bodies, decides, dropped, paths, put, read

from handrail.domain.alert import AlertStatus, Occurrence, first, merge
from handrail.plugins.integrations.fields import moment

ARRIVED = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NO_TIMES: tuple[Any, ...] = (None, "", 0, "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "soon", ["x"])
Sample = tuple[Any, dict[str, str]]


def said(name: str, sample: Sample, status: AlertStatus) -> list[Occurrence]:
    parsed = read(name, *sample)
    return [occurrence for occurrence in parsed.occurrences if occurrence.status == status] if parsed else []


def pairs(name: str) -> list[tuple[Occurrence, Sample]]:
    """What opened an alert, beside each sample that ends the same one."""
    samples = [(body, headers) for _, body, headers in bodies(name)]
    return [
        (opened, sample)
        for sample in samples
        for ended in said(name, sample, AlertStatus.RESOLVED)
        for opened in (item for other in samples for item in said(name, other, AlertStatus.FIRING))
        if opened.dedup_key == ended.dedup_key
    ]


def status_after(opened: Occurrence, ended: Occurrence) -> AlertStatus:
    """The two in order, a minute apart; where the first told no time, it happened when it came."""
    alert = first("alr_1", "source", opened, "f", "token", min(opened.occurred_at or ARRIVED, ARRIVED))
    return merge(alert, ended, ARRIVED + timedelta(minutes=1)).status


PAIRS = {name: found for name in sorted(IDENTITIES) if (found := pairs(name))}


def test_most_formats_that_can_end_an_alert_have_samples_of_both() -> None:
    assert len(PAIRS) >= 20


@pytest.mark.parametrize("name", PAIRS)
def test_an_end_closes_its_alert_also_without_any_of_its_times(name: str) -> None:
    for opened, (body, headers) in PAIRS[name]:
        timed = [path for path in paths(body) if moment(at(body, path)) and not decides(name, path)]
        changed = [body, *(put(body, path, other) for path in timed for other in NO_TIMES)]
        changed += [dropped(body, path) for path in timed]
        for sent in changed:
            for ended in said(name, (sent, headers), AlertStatus.RESOLVED):
                if ended.dedup_key == opened.dedup_key:
                    assert status_after(opened, ended) == AlertStatus.RESOLVED
