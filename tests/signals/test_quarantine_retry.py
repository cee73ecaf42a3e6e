"""A payload in quarantine is read again after a fix; what still cannot be read is refused and loses nothing."""

import pytest

from handrail.kernel.errors import HandrailError, NotFound, Unprocessable
from tests.signals.intake import Intake, run


def test_what_can_be_read_by_now_is_taken_and_its_repeat_is_known(desk: Intake) -> None:
    body = b'{"title": "Disk nearly full", "occurred_at": "2026-11-24T03:00:00Z"}'
    assert run(desk.app.read_again("plain", body)) == (1, 0, 0)
    assert run(desk.app.read_again("plain", body)) == (0, 1, 0)
    assert desk.alert().title == "Disk nearly full"


def test_of_a_batch_the_good_ones_are_taken_and_the_bad_ones_counted(desk: Intake) -> None:
    assert run(desk.app.read_again("plain", b'[{"title": "a"}, {"no": "title"}]')) == (1, 0, 1)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"alerts": []}', b'{"version": "4", "alerts": []}'])
def test_what_still_says_nothing_is_refused_in_words(desk: Intake, body: bytes) -> None:
    with pytest.raises(HandrailError) as refused:
        run(desk.app.read_again("plain", body))
    assert refused.value.detail
    assert isinstance(refused.value, Unprocessable) or refused.value.status == 400
    assert desk.alerts() == []


def test_a_source_that_is_gone_reads_nothing(desk: Intake) -> None:
    with pytest.raises(NotFound, match="is gone"):
        run(desk.app.read_again("nobody", b"{}"))
