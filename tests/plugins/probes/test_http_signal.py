"""Reading a service's signal: what the monitor says, checked; and a sentence when it says nothing useful."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.plugins.servers import refused_port, response, saying, serving

from handrail.domain.signal import Signal, SignalUnreadable
from handrail.kernel.canonical import canonical
from handrail.kernel.clock import ManualClock
from handrail.plugins.outward import Outward
from handrail.plugins.probes.http_signal import HttpSignal, read_signal

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
BODY = (
    b'{"service":"payments","healthy":false,"symptoms":["HighErrorRate"],"version":"2.4.1","error_rate":0.5,'
    b'"p95_seconds":null,"at":"2026-01-05T08:59:59.000000Z","series":{"t":[10,11,12],"error_rate":[null,0.1,0.5],'
    b'"p95_seconds":[0.1,0.2,null]}}'
)


def unreadable(probe: HttpSignal, url: str) -> str:
    with pytest.raises(SignalUnreadable) as failed:
        probe("payments", url)
    return failed.value.detail


def test_a_signal_is_read_with_its_series() -> None:
    with serving(saying(response(200, BODY))) as served:
        signal = HttpSignal(Outward([served.place]), ManualClock())("payments", f"{served.url}/signal/payments")
    assert served.requests[0].startswith(b"GET /signal/payments ")
    assert (signal.service, signal.healthy, signal.error_rate, signal.p95_seconds) == ("payments", False, 0.5, None)
    assert signal.version == "2.4.1"
    assert signal.observed_at == datetime(2026, 1, 5, 8, 59, 59, tzinfo=UTC)
    assert signal.series == {"t": (10, 11, 12), "error_rate": (None, 0.1, 0.5), "p95_seconds": (0.1, 0.2, None)}
    assert canonical(signal).startswith(b'{"error_rate":0.5,"healthy":false')


def test_a_signal_says_itself_in_words() -> None:
    assert Signal("a", False, 0.5, 1.234, NOW).words() == "unhealthy, 50.0 % of requests fail, p95 latency 1.23 s"
    assert Signal("a", True, None, None, NOW).words() == "healthy, error rate unknown, p95 latency unknown"


def test_every_failure_is_one_leaf_with_a_sentence() -> None:
    port = refused_port()
    away = f"127.0.0.1:{port}"
    answers = saying(response(404), response(200, b"<html>"), response(200, b"[]"), response(200, b'{"healthy":1}'))
    with serving(answers) as served:
        probe = HttpSignal(Outward([served.place, away]), ManualClock())
        assert unreadable(probe, served.url) == "The monitor of payments answered 404."
        assert unreadable(probe, served.url) == "The monitor of payments answered what is no JSON."
        assert unreadable(probe, served.url) == "The monitor of payments does not say whether it is healthy."
        assert unreadable(probe, served.url) == "The monitor of payments does not say whether it is healthy."
        assert "could not be reached" in unreadable(probe, f"http://{away}/")
        assert "address not allowed" in unreadable(probe, "http://169.254.169.254/")


def test_a_monitor_that_tells_of_another_service_is_not_believed() -> None:
    with pytest.raises(SignalUnreadable):
        read_signal({"service": "orders", "healthy": True}, "payments", NOW)


@pytest.mark.parametrize(
    "series",
    [
        None, [], {"t": "x"}, {"t": [2, 1], "error_rate": [1, 2]}, {"t": [1, None], "error_rate": [1, 2]},
        {"t": [1, 1], "error_rate": [1, 2]}, {"t": [1, 1e300], "error_rate": [1, 2]}, {"t": [1, 2]},
        {"t": [1, 2], "error_rate": [1]}, {"error_rate": [1, 2]}, {"t": [-1, 2], "error_rate": [1, 2]},
    ],
)  # fmt: skip
def test_a_series_that_does_not_fit_is_left_out(series: Any) -> None:
    assert read_signal({"healthy": True, "series": series}, "payments", NOW).series == {}


@pytest.mark.parametrize("odd", [True, "0.5", float("inf"), float("nan"), 2**60, [], None])
def test_a_number_that_is_none_is_not_known(odd: Any) -> None:
    signal = read_signal({"healthy": True, "error_rate": odd, "p95_seconds": odd}, "payments", NOW)
    assert (signal.error_rate, signal.p95_seconds) == (None, None)


@pytest.mark.parametrize("at", [None, 5, "yesterday", "2026-01-05T09:00:00", "2036-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_is_now(at: Any) -> None:
    assert read_signal({"healthy": True, "at": at}, "payments", NOW).observed_at == NOW
