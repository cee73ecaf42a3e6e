import pytest

from handrail.drills.estate.metrics import Metrics
from handrail.drills.estate.pool import Pool
from handrail.drills.estate.window import Sample, Window, quantile, read_sample


def window(*samples: Sample) -> Window:
    made = Window()
    for sample in samples:
        made.add(sample)
    return made


def test_rates_are_counted_from_the_sample_before_the_window() -> None:
    seen = window(
        Sample(0.0, True, requests=100, errors=50, cpu_seconds=1.0),
        Sample(1.0, True, requests=110, errors=50, cpu_seconds=1.1),
        Sample(2.0, True, requests=150, errors=60, cpu_seconds=1.6),
    ).measure(2.1, 1.0)
    assert seen.error_rate == pytest.approx(0.25)
    assert seen.requests_per_second == pytest.approx(40.0)
    assert seen.cpu_share == pytest.approx(0.5)


def test_too_few_requests_say_nothing_about_a_rate() -> None:
    seen = window(Sample(0.0, True), Sample(1.0, True, requests=4, errors=4)).measure(1.0, 0.5)
    assert seen.error_rate is None and seen.p95_seconds is None


def test_counters_that_fell_are_counted_from_nothing() -> None:
    before, after = Sample(0.0, True, requests=900, errors=900), Sample(1.0, True, requests=10, errors=1)
    seen = window(before, after).measure(1.0, 0.5)
    assert seen.error_rate == pytest.approx(0.1)


def test_gauges_are_the_least_seen_in_the_window() -> None:
    seen = window(
        Sample(0.0, True, pool_in_use=10, pool_max=10, pool_waiting=9),
        Sample(1.0, True, pool_in_use=5, pool_max=10, pool_waiting=0),
        Sample(1.5, True, pool_in_use=10, pool_max=10, pool_waiting=4),
    ).measure(1.5, 1.0)
    assert seen.pool_share == 0.5 and seen.pool_waiting == 0.0


def test_a_service_that_cannot_be_read_is_down_and_nothing_else_is_known() -> None:
    seen = window(Sample(0.0, True, requests=100), Sample(1.0, False)).measure(1.0, 1.5)
    assert seen.down == 1.0 and seen.error_rate is None and seen.pool_share is None


def test_a_service_never_read_is_down() -> None:
    assert Window().measure(1.0, 1.5).down == 1.0


def test_the_quantile_lies_within_its_bucket() -> None:
    buckets = [(0.1, 90.0), (0.5, 95.0), (1.0, 100.0), (float("inf"), 100.0)]
    assert quantile(0.95, buckets) == pytest.approx(0.5)
    assert quantile(0.975, buckets) == pytest.approx(0.75)
    assert quantile(0.95, [(0.1, 0.0), (float("inf"), 100.0)]) == pytest.approx(0.1)
    assert quantile(0.95, []) is None


def test_a_sample_is_read_from_what_a_service_really_serves() -> None:
    metrics = Metrics("payments")
    metrics.deployed("2.4.0", Pool("ledger", 10, 1.0, 10))
    metrics.answered(200, 0.02)
    metrics.answered(503, 1.2)
    metrics.called("ledger", "ok")
    metrics.called("ledger", "timeout")
    sample = read_sample(metrics.text().decode(), 7.0)
    assert (sample.at, sample.up, sample.version) == (7.0, True, "2.4.0")
    assert (sample.requests, sample.errors, sample.calls, sample.calls_failed) == (2.0, 1.0, 2.0, 1.0)
    assert (sample.pool_in_use, sample.pool_max, sample.pool_waiting) == (0.0, 10.0, 0.0)
    assert sample.buckets[-1] == (float("inf"), 2.0)
    assert sample.cpu_seconds > 0


@pytest.mark.parametrize("text", ["", "<html>", "up 1\n", "a b c d"])
def test_text_that_is_not_ours_is_no_sample(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the parser's own sentence differs by fault
        read_sample(text, 0.0)
