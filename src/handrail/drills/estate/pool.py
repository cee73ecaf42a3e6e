"""A bounded pool of connections: who finds none free waits, a bounded time, in a bounded queue."""

import asyncio
from dataclasses import dataclass


@dataclass
class PoolExhausted(Exception):
    """No connection came free in time."""

    detail: str


class Pool:
    """`in_use` never exceeds `size`. A connection that is not given back is gone until the pool is replaced."""

    def __init__(self, name: str, size: int, wait_seconds: float, waiting_max: int) -> None:
        self.name = name
        self.size = size
        self.in_use = 0
        self.waiting = 0
        self._wait_seconds = wait_seconds
        self._waiting_max = waiting_max
        self._free = asyncio.Semaphore(size)

    async def take(self) -> None:
        """Take one connection. Raises PoolExhausted when none came free in time or too many wait already."""
        if self.waiting >= self._waiting_max:
            raise PoolExhausted(f"{self.waiting} requests already wait for a connection to {self.name}")
        self.waiting += 1
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise PoolExhausted(
                f"waited {self._wait_seconds:g} s for a connection to {self.name}: "
                f"{self.in_use} of {self.size} in use, {self.waiting} waiting"
            ) from None
        finally:
            self.waiting -= 1
        self.in_use += 1

    def give_back(self) -> None:
        """Put one connection back."""
        self.in_use -= 1
        self._free.release()
