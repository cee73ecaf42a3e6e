"""Certificates that senders sign with, fetched from their own addresses and held, since a pure function cannot."""

import threading
from typing import TypeVar

from handrail.domain.source import is_sns_address
from handrail.kernel.clock import Clock
from handrail.kernel.limits import LIMITS, Limits
from handrail.plugins.outward import Outward, OutwardFailed

T = TypeVar("T")


class Certificates:
    """PEM by address, called in threads.

    Strangers may name addresses before their signature is checked, so fetching is bounded: what was not to be had is
    not asked for again for a while, all fetches of a minute are counted, and a failure pushes no certificate out.
    """

    def __init__(self, outward: Outward, clock: Clock, limits: Limits = LIMITS) -> None:
        self._outward = outward
        self._clock = clock
        self._limits = limits
        self._held: dict[str, bytes] = {}
        self._missed: dict[str, float] = {}
        self._fetched_at: list[float] = []
        self._lock = threading.Lock()

    def of(self, url: str) -> bytes | None:
        """The certificate, or None where it must not or cannot be fetched now."""
        held = self._held.get(url)
        if held is not None or not is_sns_address(url) or not self._may_fetch(url):
            return held
        found = self._fetch(url)
        with self._lock:
            if found is None:
                _put(self._missed, url, self._clock.monotonic(), self._limits.certificates_held)
            else:
                _put(self._held, url, found, self._limits.certificates_held)
        return found

    def _may_fetch(self, url: str) -> bool:
        now, pause = self._clock.monotonic(), self._limits.certificate_retry_seconds
        with self._lock:
            missed_at = self._missed.get(url)
            self._fetched_at = [at for at in self._fetched_at if now - at < pause]
            is_early = missed_at is not None and now - missed_at < pause
            if is_early or len(self._fetched_at) >= self._limits.certificate_fetches:
                return False
            self._fetched_at.append(now)
            return True

    def _fetch(self, url: str) -> bytes | None:
        try:
            answer = self._outward.get(url)
        except OutwardFailed:
            return None
        return answer.body if answer.status == 200 else None


def _put(kept: dict[str, T], url: str, value: T, bound: int) -> None:
    """Keep a value, and let the oldest go when there are more than the bound."""
    kept[url] = value
    if len(kept) > bound:
        del kept[next(iter(kept))]
