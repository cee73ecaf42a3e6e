"""The intake on each database."""

from collections.abc import Iterator

import pytest

from handrail.kernel.clock import ManualClock
from handrail.operations.shell import Shell
from tests.signals.duty import Duty
from tests.signals.intake import Intake, opened


@pytest.fixture
def desk(shell: Shell, clock: ManualClock) -> Iterator[Intake]:
    """The intake with one source of each integration."""
    with opened(shell, clock) as made:
        yield made


@pytest.fixture
def duty(desk: Intake) -> Iterator[Duty]:
    made = Duty(desk)
    yield made
    made.correlator.stop()
