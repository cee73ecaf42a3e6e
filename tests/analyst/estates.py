"""Synthetic estates for the analyst: services, symptoms, changes and signals at seconds around one moment."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from handrail.analyst import facts
from handrail.analyst.facts import Facts
from handrail.analyst.rank import Cause, Ranking, rank
from handrail.domain.alert import Alert, AlertStatus, Severity
from handrail.domain.catalog import Catalog, Service
from handrail.domain.change import Change
from handrail.domain.signal import Signal
from handrail.kernel.clock import to_text

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def catalog(depends_on: Mapping[str, Sequence[str]], **more: Any) -> Catalog:
    """Services by what they depend on; each with a control and a signal."""
    return Catalog(
        {
            name: Service(
                name, name.title(), f"team-{name}", depends_on=tuple(others),
                control_url=f"https://{name}.example", signal_url=f"https://monitor.example/signal/{name}", **more,
            )
            for name, others in depends_on.items()
        }
    )  # fmt: skip


SHOP = catalog({"storefront": ["orders"], "orders": ["payments"], "payments": [], "search": []})


def alert(service: str | None, title: str, seconds: float, **labels: str) -> Alert:
    moment = at(seconds)
    name = f"{service}-{title}-{seconds}"
    return Alert(
        id=f"alr_{name}", source="prometheus", dedup_key=name, status=AlertStatus.FIRING, severity=Severity.CRITICAL,
        severity_raw="critical", title=title, summary="", service=service, resource=None, labels=dict(labels),
        annotations={}, starts_at=moment, ends_at=None, first_at=moment, last_at=moment, last_said_at=moment, count=1,
        link=None, fingerprint=name,
    )  # fmt: skip


def change(service: str | None, seconds: float, version: str | None = "2.4.1", **more: Any) -> Change:
    name = f"chg_{service}_{seconds}"
    fields: dict[str, Any] = {
        "id": name, "source": "ci", "change_key": name, "kind": "deploy", "service": service,
        "title": f"deploy {service} {version}", "at": at(seconds), "known_at": at(seconds + 1), "version": version,
        "previous_version": "2.4.0" if version else None, "environment": "production", "link": None,
        "evidence": "e" * 64, "author": "",
    }  # fmt: skip
    return Change(**{**fields, **more})


def signal(service: str, healthy: bool, error_rate: float | None = None, version: str | None = None) -> Signal:
    rate = error_rate if error_rate is not None else (0.0 if healthy else 0.5)
    series = {"t": (1.0, 2.0, 3.0), "error_rate": (0.0, 0.1, rate), "p95_seconds": (0.1, 0.2, 0.3)}
    return Signal(service, healthy, rate, 0.3 if healthy else 1.2, at(60), series, version)


def signals(unhealthy: Sequence[str] = (), healthy: Sequence[str] = ()) -> dict[str, Signal]:
    return {name: signal(name, name in healthy) for name in (*unhealthy, *healthy)}


def storm(first: float = 0.0) -> list[Alert]:
    """The symptoms of payments failing, climbing up the chain."""
    return [
        alert("payments", "Payments has every connection to ledger in use", first, alertname="ConnectionPoolExhausted"),
        alert("payments", "Payments answers slowly: p95 is 1.0 s", first + 1, alertname="HighLatencyP95"),
        alert("orders", "100 % of the calls from Orders to payments fail", first + 3, dependency="payments"),
        alert("orders", "Orders fails 90 % of its requests", first + 4, alertname="HighErrorRate"),
        alert("storefront", "50 % of the calls from Storefront to orders fail", first + 6, dependency="orders"),
        alert("storefront", "Storefront fails 80 % of its requests", first + 7, alertname="HighErrorRate"),
    ]


def known(
    alerts: Sequence[Alert] = (),
    changes: Sequence[Change] = (),
    seen: Mapping[str, Signal] | None = None,
    estate: Catalog = SHOP,
) -> Facts:
    return facts.build(START, alerts, changes, seen or {}, estate)


def ranked(*args: Any, **more: Any) -> Ranking:
    return rank(known(*args, **more))


def best(ranking: Ranking) -> Cause:
    assert ranking.best is not None and ranking.unclear is None, ranking.unclear
    return ranking.best


def ruled_out(ranking: Ranking) -> dict[str, str]:
    """Why each other cause ranks lower: by change id, or by service."""
    return {cause.change.id if cause.change else str(cause.service): cause.why_lower for cause in ranking.others}


def to_text_of(seconds: float) -> str:
    return to_text(at(seconds))
