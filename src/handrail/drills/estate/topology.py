"""What stands in the estate: storefront -> orders -> payments -> ledger, with every limit of each as data.

The waits shrink along the chain on purpose: when payments stops answering, calls to it time out, the callers' own
connections run out, and the failure climbs until customers see it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spec:
    """One service: what it answers, what it calls, and how many calls it makes at once.

    `dependency_path` is None where the dependency is simulated in the process itself (the ledger).
    """

    name: str
    title: str
    owner: str
    tier: int
    functions: str
    method: str
    path: str
    dependency: str
    dependency_method: str
    dependency_path: str | None
    pool_connections: int
    pool_wait_seconds: float
    call_seconds: float
    first_version: str


STOREFRONT = Spec(
    name="storefront", title="Storefront", owner="team-storefront", tier=1, functions="checkout",
    method="GET", path="/checkout", dependency="orders", dependency_method="GET", dependency_path="/order",
    pool_connections=48, pool_wait_seconds=1.0, call_seconds=1.3, first_version="3.1.0",
)  # fmt: skip
ORDERS = Spec(
    name="orders", title="Orders", owner="team-orders", tier=2, functions="order taking",
    method="GET", path="/order", dependency="payments", dependency_method="POST", dependency_path="/pay",
    pool_connections=16, pool_wait_seconds=0.8, call_seconds=0.8, first_version="1.8.0",
)  # fmt: skip
PAYMENTS = Spec(
    name="payments", title="Payments", owner="team-payments", tier=1, functions="card payments",
    method="POST", path="/pay", dependency="ledger", dependency_method="", dependency_path=None,
    pool_connections=10, pool_wait_seconds=1.0, call_seconds=1.0, first_version="2.4.0",
)  # fmt: skip

SERVICES: dict[str, Spec] = {spec.name: spec for spec in (STOREFRONT, ORDERS, PAYMENTS)}

MONITOR = "monitor"
LOAD = "load"

LEDGER_SECONDS = (0.006, 0.016)
POOL_WAITING_MAX = 256
OPEN_REQUESTS_MAX = 96
DRAIN_SECONDS = 0.3
SETTLEMENT_SECONDS = 300.0
BODY_BYTES_MAX = 64 * 1024
LOG_BYTES_MAX = 16 * 1024 * 1024
