"""Certificates that senders sign with, fetched from their own addresses and held, since a pure function cannot."""

from collections.abc import Callable

from handrail.domain.source import is_sns_address
from handrail.kernel.clock import Clock
from handrail.kernel.limits import LIMITS, Limits
from handrail.plugins.outward import Outward, OutwardFailed


class Certificates:
    """PEM by address. What was not to be had is not asked for again for a while; called in threads."""

    def __init__(
        self,
        outward: Outward,
        clock: Clock,
        may_fetch: Callable[[str], bool] = is_sns_address,
        limits: Limits = LIMITS,
    ) -> None:
        self._outward = outward
        self._clock = clock
        self._may_fetch = may_fetch
        self._limits = limits
        self._held: dict[str, tuple[bytes | None, float]] = {}

    def of(self, url: str) -> bytes | None:
        """The certificate, or None where it must not or cannot be fetched."""
        if not self._may_fetch(url):
            return None
        now, held = self._clock.monotonic(), self._held.get(url)
        if held is not None and (held[0] is not None or now - held[1] < self._limits.certificate_retry_seconds):
            return held[0]
        found = self._fetch(url)
        while len(self._held) >= self._limits.certificates_held:
            self._held.pop(next(iter(self._held), ""), None)
        self._held[url] = (found, now)
        return found

    def _fetch(self, url: str) -> bytes | None:
        try:
            answer = self._outward.get(url)
        except OutwardFailed:
            return None
        return answer.body if answer.status == 200 else None
