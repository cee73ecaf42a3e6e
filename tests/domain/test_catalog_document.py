"""The catalogue's own document: what it says, and each fault at its place."""

import jsonschema
import pytest

from handrail.domain import catalog, catalog_document
from handrail.kernel.errors import BadInput
from handrail.kernel.yamls import load_yaml
from handrail.operations.documents import identify, lint_catalog

GOOD = """\
kind: catalog
services:
  payments:
    title: Payments
    owner: team-payments
    tier: 1
    environment: production
    region: eu-1
    depends_on:
      - ledger
      - {service: cache, learned: true}
    functions: [card payments]
    data_classes: [personal]
    labels: {app: payments}
  ledger: {owner: team-ledger}
  cache: {owner: team-cache}
rules:
  - name: pods
    match:
      - {field: label.namespace, equals: pay}
      - {field: label.pod, glob: "pay-*"}
    service: payments
"""


def test_a_document_says_everything_about_a_service_and_keeps_learned_apart() -> None:
    found, faults = catalog.read(load_yaml(GOOD))
    assert faults == []
    payments = found.services["payments"]
    assert (payments.owner, payments.tier, payments.environment, payments.region) == (
        "team-payments", 1, "production", "eu-1",
    )  # fmt: skip
    assert (payments.depends_on, payments.learned) == (("ledger", "cache"), ("cache",))
    assert (payments.functions, payments.data_classes) == (("card payments",), ("personal",))
    assert payments.labels == {"app": "payments"}
    assert [(rule.name, rule.service, len(rule.matches)) for rule in found.rules] == [("pods", "payments", 2)]


def test_what_is_written_out_reads_as_the_same() -> None:
    import yaml

    found, _ = catalog.read(load_yaml(GOOD))
    text = catalog_document.write(found.services.values(), found.rules, lambda value: str(yaml.safe_dump(value)))
    assert catalog.read(load_yaml(text)) == (found, [])


def test_every_fault_is_told_at_its_line() -> None:
    text = """\
kind: catalog
services:
  payments:
    tier: 7
    depends_on: [nowhere]
    colour: red
rules:
  - name: all
    match: []
    service: payments
  - name: lost
    match: [{field: pod, equals: x}]
    service: gone
"""
    assert [(fault.where, fault.what.split(";")[0][:48]) for fault in lint_catalog(text)] == [
        ("3:3", "payments depends on nowhere, which is not in the"),
        ("3:3", "payments needs an owner: somebody must own a ser"),
        ("4:5", "The tier is 1, 2, 3 or 4"),
        ("6:5", "“colour” is not known here"),
        ("9:5", "Give the rule at least one condition"),
        ("12:14", "The field is source, service, resource, title, s"),
        ("13:5", "Rule “lost” leads to gone, which is not in the c"),
    ]


def test_own_documents_and_backstage_entities_stand_in_one_text() -> None:
    text = (
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: orders\n  annotations:\n"
        "    handrail.dev/region: eu-1\n    handrail.dev/labels: app=orders\nspec: {owner: team-orders}\n"
        "---\nkind: catalog\nrules: [{name: r, match: [{field: title, prefix: Orders}], service: orders}]\n"
    )
    assert identify(text) == ("catalog", "default")
    found, faults = catalog.read(load_yaml(text))
    assert faults == []
    assert (found.services["orders"].region, found.services["orders"].labels) == ("eu-1", {"app": "orders"})
    assert found.rules[0].service == "orders"


def test_a_service_that_stands_twice_is_a_fault_at_the_second() -> None:
    text = GOOD + "---\napiVersion: v1\nkind: Component\nmetadata:\n  name: ledger\nspec: {owner: x}\n"
    assert [(fault.where, fault.what) for fault in lint_catalog(text)] == [("27:3", "The service ledger stands twice.")]


def test_aliases_are_refused_before_anything_is_read() -> None:
    with pytest.raises(BadInput, match="not readable YAML"):
        lint_catalog("kind: catalog\nservices: &a {x: {owner: y}}\nrules: *a\n")


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        (GOOD, True),
        ("kind: catalog\n", True),
        ("kind: catalog\nservices: {a: {}}\n", False),
        ("kind: catalog\nservices: {a: {owner: x, tier: 9}}\n", False),
        ("kind: catalog\nservices: {'a b': {owner: x}}\n", False),
        ("kind: catalog\nservices: {a: {owner: x, more: 1}}\n", False),
        ("kind: catalog\nservices: {a: {owner: x}}\nrules: [{name: r, service: a, match: []}]\n", False),
        ("kind: catalog\nservices: {a: {owner: x}}\nrules: [{name: r, service: a, match: [{field: title}]}]\n", False),
        ("kind: catalog\nservices: {a: {owner: x}}\nrules: [{name: r, service: a, match: [{field: n, glob: x}]}]\n",
         False),
        ("kind: catalog\nname: other\n", False),
        ("kind: catalog\nservices: [a]\n", False),
    ],
)  # fmt: skip
def test_the_published_schema_and_the_reader_agree(text: str, is_good: bool) -> None:
    document = load_yaml(text)[0]
    assert jsonschema.Draft202012Validator(dict(catalog_document.SCHEMA)).is_valid(document) is is_good
    assert (catalog.read([document])[1] == []) is is_good


def test_more_services_than_the_limit_are_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from handrail.kernel.limits import LIMITS

    monkeypatch.setattr(catalog_document, "LIMITS", replace(LIMITS, catalog_services=2))
    found, faults = catalog.read(load_yaml("kind: catalog\nservices: {a: {owner: x}, b: {owner: x}, c: {owner: x}}\n"))
    assert found.services == {} and [fault.where for fault in faults] == ["/0/services"]
