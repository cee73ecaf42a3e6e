"""What fires at which service, on each database."""

from handrail.domain.alert import AlertStatus, Severity
from handrail.store import services
from handrail.store.services import Health
from tests.signals.intake import parsed, run, said
from tests.worlds import World


def receive(world: World) -> None:
    from handrail.signals.ingest import Ingestor

    ingestor = Ingestor(world.shell)
    ingestor.start()
    occurrences = (
        said("a", service="payments", severity_raw="warning"), said("b", service="payments", severity_raw="critical"),
        said("c", AlertStatus.RESOLVED, service="orders"), said("d", AlertStatus.ACKNOWLEDGED, service="elsewhere"),
        said("e", severity_raw="low"),
    )  # fmt: skip
    run(ingestor.ingest("estate", parsed(*occurrences), "token"))
    ingestor.close()


def test_health_is_the_worst_that_fires_and_how_many(world: World) -> None:
    receive(world)
    with world.shell.database.read() as connection:
        assert services.health(connection) == {
            "payments": Health(Severity.CRITICAL, 2), None: Health(Severity.LOW, 1),
        }  # fmt: skip


def test_open_alerts_at_no_known_service_are_counted_whole_and_listed_within_the_bound(world: World) -> None:
    receive(world)
    with world.shell.database.read() as connection:
        found = services.unresolved(connection, {"payments"}, 1)
        everything = services.unresolved(connection, {"payments"}, 10)
    assert (found.total, len(found.alerts)) == (2, 1)
    assert {alert.dedup_key for alert in everything.alerts} == {"d", "e"}
