"""The severity and the title that Handrail suggests for a candidate, each from its alerts alone. Pure."""

from collections.abc import Iterable, Mapping

from handrail.domain.alert import Severity
from handrail.domain.catalog import Catalog

_RANK = {severity: rank for rank, severity in enumerate(Severity)}
_SERIOUS = (Severity.CRITICAL, Severity.HIGH)
_UNKNOWN_TIER = 3
_NAMED = 3
_SYMPTOMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("outage", ("down", "unreachable", "unavailable", "outage", "notready", "crash", "absent", "not ready")),
    ("errors", ("error", "5xx", "fail", "exception", "burn")),
    ("latency", ("latency", "slow", "p99", "p95", "duration", "timeout", "timed out", "hang")),
    ("saturation", ("cpu", "memory", "disk", "pool", "queue", "backlog", "saturat", "throttl", "exhaust", "lag")),
)


def worse(one: Severity, other: Severity) -> Severity:
    return min(one, other, key=_RANK.__getitem__)


def suggest_severity(catalog: Catalog, worst: Mapping[str | None, Severity]) -> tuple[str, str]:
    """SEV1 to SEV4 with the sentence that says why; `worst` is the worst alert on each service hit."""
    hit = len([service for service in worst if service is not None]) or 1
    name, severity, tier = min(
        ((service, severity, _tier(catalog, service)) for service, severity in worst.items()),
        key=lambda item: (_RANK[item[1]], item[2], item[0] or ""),
    )
    subject = f"{name or 'An unnamed service'} (tier {tier})" if name in catalog.services else name or "A service"
    services = "1 service is hit" if hit == 1 else f"{hit} services are hit"
    why = f"{subject} has a {severity} alert and {services}."
    is_critical = severity == Severity.CRITICAL
    if is_critical and tier == 1 and hit >= 2:
        return "SEV1", why
    top = _top_tier(catalog, worst)
    if is_critical and hit >= 2 and top is not None:
        return "SEV1", f"{why} {top} (tier 1) is among them."
    if severity in _SERIOUS and (tier <= 2 or hit >= 3):
        return "SEV2", why
    if severity in _SERIOUS or top is not None:
        return "SEV3", why
    return "SEV4", why


def suggest_title(
    catalog: Catalog, worst: Mapping[str | None, Severity], titles: Iterable[str], count: int
) -> str:  # fmt: skip
    """“payments, orders and storefront: errors and latency (12 alerts)”: what others depend on stands first."""
    named = _in_order(catalog, [service for service in worst if service is not None])
    shown = named[:_NAMED] if len(named) <= _NAMED else [*named[: _NAMED - 1], f"{len(named) - _NAMED + 1} more"]
    where = list_words(shown) or "Unnamed services"
    spoken = " ".join(titles).lower()
    what = [symptom for symptom, words in _SYMPTOMS if any(word in spoken for word in words)]
    alerts = "1 alert" if count == 1 else f"{count} alerts"
    return f"{where}: {list_words(what[:_NAMED]) or 'alerts'} ({alerts})"


def _in_order(catalog: Catalog, services: Iterable[str]) -> list[str]:
    names = set(services)
    weight = {name: len(catalog.dependents(name) & names) for name in names}
    return sorted(names, key=lambda name: (-weight[name], name))


def _tier(catalog: Catalog, service: str | None) -> int:
    found = catalog.services.get(service) if service is not None else None
    return found.tier if found else _UNKNOWN_TIER


def _top_tier(catalog: Catalog, worst: Mapping[str | None, Severity]) -> str | None:
    """A tier-1 service among those hit, leaving aside mere information."""
    named = (name for name, severity in worst.items() if name and severity not in (Severity.LOW, Severity.INFO))
    return min((name for name in named if _tier(catalog, name) == 1), default=None)


def list_words(words: Iterable[str]) -> str:
    """“a”, “a and b”, “a, b and c”."""
    items = list(words)
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]])) if items else ""
