"""What servers with Prometheus' query API answer, as their documentation has it, and what else may come."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest

from handrail.domain.pull import Pull, PullQuery
from handrail.kernel.clock import ManualClock
from handrail.kernel.limits import LIMITS
from handrail.plugins.outward import Answer, Outward
from handrail.signals.prometheus import PrometheusServer, PullFailed, bounded, clock_note, read_reply
from tests.plugins.servers import response, saying, serving

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
UP = PullQuery("up", "up")


def said(result: object, kind: str = "vector", status: int = 200, **more: object) -> Answer:
    body = {"status": "success", "data": {"resultType": kind, "result": result}, **more}
    return Answer(status, {}, json.dumps(body).encode())


def refused(answer: Answer) -> str:
    with pytest.raises(PullFailed) as caught:
        read_reply("up", answer)
    return caught.value.detail


def test_a_vector_becomes_points_of_the_metric_that_the_query_is_named_after() -> None:
    pulled = read_reply("up", said([{"metric": {"__name__": "x", "job": "a"}, "value": [1764000000.5, "1"]}]))
    (point,) = pulled.points
    assert (point.name, point.labels, point.value, pulled.series) == ("up", {"job": "a"}, 1.0, 1)
    assert point.at == datetime.fromtimestamp(1764000000.5, UTC)


def test_a_matrix_and_a_scalar_are_read_too() -> None:
    rows = [{"metric": {}, "values": [[1.0, "1"], [2.0, "2e3"]]}]
    assert [point.value for point in read_reply("m", said(rows, "matrix")).points] == [1.0, 2000.0]
    assert [point.value for point in read_reply("m", said([3.0, "7"], "scalar")).points] == [7.0]


def test_values_that_are_no_finite_number_are_left_out_and_counted() -> None:
    rows = [{"metric": {"n": str(n)}, "value": [1.0, text]} for n, text in enumerate(["NaN", "+Inf", "-Inf", "5"])]
    pulled = read_reply("up", said(rows))
    assert [point.value for point in pulled.points] == [5.0]
    assert pulled.notes == ("Query up: 3 values were NaN or infinite and were left out.",)


def test_histograms_are_left_out_and_named() -> None:
    rows = [{"metric": {}, "histogram": [1.0, {"count": "3", "sum": "7", "buckets": [[1, "0", "1", "3"]]}]}]
    pulled = read_reply("lat", said(rows))
    assert pulled.points == () and "1 series are histograms" in pulled.notes[0]


def test_warnings_of_the_server_are_told_on_one_line_and_bounded() -> None:
    pulled = read_reply("up", said([], warnings=["store\n\x1b[31mgone", "x" * 5000]))
    assert pulled.notes[0] == "Query up: the server warns: store [31mgone."
    assert len(pulled.notes[1]) < 300
    assert pulled.notes[-1] == "Query up gave no series."


def test_too_many_series_are_refused_with_what_to_do() -> None:
    rows = [{"metric": {"n": str(n)}, "value": [1.0, "1"]} for n in range(3)]
    with pytest.raises(PullFailed, match=r"gives 3 series, more than the 2 that are pulled; let it aggregate"):
        read_reply("up", said(rows), replace(LIMITS, pull_series=2))


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "check the user and the secret"), (404, "before /api/v1/query"), (302, "not followed"),
     (200, "not what Prometheus answers"), (502, "answered with 502")],
)  # fmt: skip
def test_what_is_no_answer_of_such_a_server_is_said_in_words(status: int, words: str) -> None:
    assert words in refused(Answer(status, {}, b"<html>"))


def test_an_error_of_the_query_is_the_server_s_own_words() -> None:
    body = b'{"status":"error","errorType":"bad_data","error":"1:5: parse error: unexpected end"}'
    assert refused(Answer(400, {}, body)) == "Query up was refused: bad_data: 1:5: parse error: unexpected end."


@pytest.mark.parametrize(
    "answer",
    [said("x", "string"), said([{"value": ["soon", "1"]}]), said([{"value": [1.0]}]), said({"a": 1}),
     Answer(200, {}, b'{"status":"success"}'), Answer(200, {}, b"[]"), Answer(200, {}, b"\xff{")],
)  # fmt: skip
def test_results_of_another_shape_are_refused_and_nothing_breaks(answer: Answer) -> None:
    assert refused(answer).startswith("Query up ")


def test_a_server_whose_clock_is_far_off_is_noted() -> None:
    assert clock_note(Answer(200, {"date": "Tue, 24 Nov 2026 02:00:00 GMT"}, b""), NOW, LIMITS) == (
        "The server's clock is 3600 s behind this one."
    )
    for fine in ("Tue, 24 Nov 2026 03:00:30 GMT", "", "yesterday"):
        assert clock_note(Answer(200, {"date": fine}, b""), NOW, LIMITS) == ""


def test_the_question_is_a_form_with_the_secret_in_its_header() -> None:
    answered = response(200, said([]).body)
    pull = Pull("http://x/prom/", (UP,), 60, 0)
    with serving(saying(answered)) as served:
        outward = Outward([served.place], bounded(LIMITS))
        token = PrometheusServer(outward, replace(pull, url=f"{served.url}/prom/"), "s3cret", clock=ManualClock())
        token.at(UP, 1764000000.0)
        replace(token, pull=replace(token.pull, user="me")).between(UP, 1.0, 61.0, 30)
    first, second = (request.partition(b"\r\n\r\n") for request in served.requests)
    assert first[0].startswith(b"POST /prom/api/v1/query HTTP/1.1") and b"authorization: Bearer s3cret" in first[0]
    assert parse_qs(first[2].decode()) == {"query": ["up"], "timeout": ["30s"], "time": ["1764000000.000"]}
    assert second[0].startswith(b"POST /prom/api/v1/query_range") and b"Basic bWU6czNjcmV0" in second[0]
    assert parse_qs(second[2].decode())["step"] == ["30"]
