"""Alerts come to the service that the catalogue gives them, at the moment they come in."""

from handrail.domain.alert import AlertStatus, Severity
from handrail.domain.document import ProposeDocument
from handrail.kernel.canonical import digest_bytes
from handrail.operations.documents import load_catalog
from handrail.operations.shell import HANDRAIL
from handrail.signals.finder import explain
from tests.signals.intake import Intake, parsed, run, said

CATALOG = """\
kind: catalog
services:
  payments: {owner: team-payments, labels: {app: pay}}
  orders: {owner: team-orders}
rules:
  - name: order pods
    match: [{field: label.pod, glob: "orders-*"}]
    service: orders
"""


def adopt(desk: Intake, text: str = CATALOG) -> None:
    command = ProposeDocument(
        "catalog.default", "catalog", "default", digest_bytes(text.encode()), text, "usr_test", None
    )  # fmt: skip
    desk.shell.transact(HANDRAIL, lambda tx: tx.change("document", "catalog.default", command))


def test_an_alert_comes_to_the_service_of_the_first_rule_that_fits(desk: Intake) -> None:
    adopt(desk)
    run(desk.ingestor.ingest("plain", parsed(said("a", service="web-7", labels={"pod": "orders-web-1"})), "token"))
    assert desk.alert().service == "orders"


def test_without_a_catalogue_the_sender_alone_says_the_service(desk: Intake) -> None:
    run(desk.ingestor.ingest("plain", parsed(said("a", service="web-7", labels={"job": "orders"})), "token"))
    assert desk.alert().service == "web-7"


def test_an_alert_that_nothing_answers_keeps_what_its_sender_said(desk: Intake) -> None:
    adopt(desk)
    run(desk.ingestor.ingest("plain", parsed(said("a", service="web-7")), "token"))
    assert desk.alert().service == "web-7"


def test_a_resolve_with_fewer_labels_stays_at_the_service(desk: Intake) -> None:
    adopt(desk)
    run(desk.ingestor.ingest("plain", parsed(said("a", service="web-7", labels={"app": "pay"})), "token"))
    run(desk.ingestor.ingest("plain", parsed(said("a", AlertStatus.RESOLVED, service="web-7")), "token"))
    alert = desk.alert()
    assert (alert.status, alert.service) == (AlertStatus.RESOLVED, "payments")


def test_a_repeat_is_still_a_repeat_after_the_rule_moved_the_alert(desk: Intake) -> None:
    adopt(desk)
    again = said("a", service="web-7", labels={"app": "pay"}, severity_raw="critical")
    first, second = (run(desk.ingestor.ingest("plain", parsed(again), "token"))[0].outcome for _ in range(2))
    assert (first, second) == ("new", "duplicate")
    assert (desk.alert().service, desk.alert().severity) == ("payments", Severity.CRITICAL)


def test_what_the_catalogue_says_of_a_known_alert_is_told_with_its_reason(desk: Intake) -> None:
    adopt(desk)
    run(desk.ingestor.ingest("plain", parsed(said("a", labels={"pod": "orders-web-1"})), "token"))
    found = explain(desk.shell.transact(HANDRAIL, load_catalog), desk.alert())
    assert (found.service, found.rule) == ("orders", "order pods")
