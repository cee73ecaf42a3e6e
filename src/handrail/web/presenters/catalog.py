"""The catalogue with what fires at each service."""

from collections.abc import Mapping

from handrail.domain.alert import Alert
from handrail.domain.catalog import Catalog, Service
from handrail.plugins.importers.contract import UNOWNED
from handrail.signals.finder import explain
from handrail.store.services import Health
from handrail.web import views_catalog as v
from handrail.web.presenters.alerts import alert_row
from handrail.web.service_map import MapService


def service_row(one: Service, health: Health | None) -> v.ServiceRow:
    return v.ServiceRow(
        one.name, one.title, one.owner, one.tier, " · ".join(filter(None, (one.environment, one.region))),
        health.worst if health else None, health.firing if health else 0,
        tuple(v.Dependency(other, other in one.learned) for other in one.depends_on), one.functions, one.data_classes,
        one.owner == UNOWNED,
    )  # fmt: skip


def map_service(one: Service, health: Health | None) -> MapService:
    return MapService(
        one.name, one.title, one.tier, f"#service-{one.name}", health.worst if health else None,
        health.firing if health else 0, one.depends_on, frozenset(one.learned),
    )  # fmt: skip


def unresolved_row(catalog: Catalog, alert: Alert) -> v.UnresolvedRow:
    found = explain(catalog, alert)
    return v.UnresolvedRow(alert_row(alert), found.why, found.service)


def in_order(catalog: Catalog, health: Mapping[str | None, Health]) -> list[Service]:
    """What fires first, worst first, then by tier and name."""
    ladder = ("critical", "high", "medium", "low", "info")

    def weight(one: Service) -> tuple[int, int, str]:
        known = health.get(one.name)
        return (ladder.index(known.worst) if known else len(ladder), one.tier, one.name)

    return sorted(catalog.services.values(), key=weight)
