"""What fires at which service, and which open alerts stand at none that is known."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from handrail.domain.alert import Alert, AlertStatus, Severity
from handrail.store import alerts, tables

# Few databases take more values in one statement; alerts of further unknown names are counted and not listed.
_NAMES_AT_ONCE = 500
_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True)
class Health:
    """What fires at one service: the worst severity, and how many alerts."""

    worst: Severity
    firing: int


def health(connection: sa.Connection) -> Mapping[str | None, Health]:
    """By service as alerts name it; a service at which nothing fires is not there. None is alerts without a service."""
    alert = tables.alert
    query = (
        sa.select(alert.c.service, alert.c.severity, sa.func.count())
        .where(alert.c.status == AlertStatus.FIRING)
        .group_by(alert.c.service, alert.c.severity)
    )
    found: dict[str | None, Health] = {}
    for service, severity, count in connection.execute(query):
        known, rung = found.get(service), Severity(severity)
        worst = rung if known is None or _RANK[rung] < _RANK[known.worst] else known.worst
        found[service] = Health(worst, int(count) + (known.firing if known else 0))
    return found


@dataclass(frozen=True)
class Unresolved:
    """`total` of open alerts at no known service; `alerts` are the newest of them."""

    total: int
    alerts: tuple[Alert, ...]


def unresolved(connection: sa.Connection, known: Collection[str], size: int) -> Unresolved:
    """Alerts that are not resolved and whose service is none, or none of `known`."""
    alert = tables.alert
    is_open = alert.c.status != AlertStatus.RESOLVED
    counted = sa.select(alert.c.service, sa.func.count()).where(is_open).group_by(alert.c.service)
    counts = {service: int(count) for service, count in connection.execute(counted) if service not in known}
    named = sorted(service for service in counts if service is not None)[:_NAMES_AT_ONCE]
    stands_nowhere = sa.or_(alert.c.service.is_(None), alert.c.service.in_(named))
    newest = sa.select(alert.c.id).where(is_open, stands_nowhere).order_by(alert.c.moved_at.desc(), alert.c.id.desc())
    kept = [alerts.get(connection, alert_id) for alert_id in connection.execute(newest.limit(size)).scalars().all()]
    return Unresolved(sum(counts.values()), tuple(one.alert for one in kept if one is not None))
