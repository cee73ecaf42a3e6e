"""Sources take turns by what they ask for: deficit round robin (Shreedhar and Varghese, SIGCOMM 1995), in alerts.

A source with one alert is not held up by one that sends batches of a thousand: each has the same share of a commit, and
a commit that several wait for is kept small, for the last of them waits for all of it.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from handrail.kernel.errors import TooMany
from handrail.kernel.limits import LIMITS, Limits

T = TypeVar("T")


@dataclass
class _Line(Generic[T]):
    """What one source has waiting, and how many alerts of it may be taken by what its turns have brought."""

    waiting: deque[tuple[int, T]] = field(default_factory=deque)
    size: int = 0
    credit: int = 0


class Turns(Generic[T]):
    """`size` is the number of alerts that wait. Not safe between threads by itself."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._lines: OrderedDict[str, _Line[T]] = OrderedDict()
        self.size = 0

    def __bool__(self) -> bool:
        return bool(self._lines)

    def put(self, source: str, size: int, item: T) -> None:
        """Put one submission of `size` alerts in line. Raises TooMany when too much waits, of all or of this source:
        one source never holds more than half of the room."""
        line, bound = self._lines.get(source), self._limits.inbound_queue_alerts
        if self.size and self.size + size > bound:
            raise TooMany("Too many alerts wait to be stored; send this again shortly.", "queue_full")
        if line is not None and line.size + size > bound // 2:
            raise TooMany("Too many alerts of this source wait to be stored; send this again shortly.", "queue_full")
        if line is None:
            line = self._lines[source] = _Line()
        line.waiting.append((size, item))
        line.size += size
        self.size += size

    def take(self) -> list[T]:
        """The next batch, oldest first of each source. A submission is never cut: a large one makes a batch alone, once
        its source's turns have paid for it."""
        alone = len(self._lines) == 1
        bound = self._limits.ingest_batch_alerts if alone else self._limits.ingest_shared_batch_alerts
        batch: list[T] = []
        taken = passed_over = 0
        while self._lines and not (batch and passed_over >= len(self._lines)):
            source, line = self._lines.popitem(last=False)
            line.credit += bound if alone else self._limits.ingest_turn_alerts
            before = taken
            while line.waiting and line.waiting[0][0] <= line.credit and not (
                batch and taken + line.waiting[0][0] > bound
            ):  # fmt: skip
                size, item = line.waiting.popleft()
                batch.append(item)
                taken += size
                line.credit -= size
                line.size -= size
            if line.waiting:
                self._lines[source] = line
            passed_over = passed_over + 1 if taken == before else 0
        self.size -= taken
        return batch
