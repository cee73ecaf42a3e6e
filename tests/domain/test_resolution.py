"""To which service an alert belongs, and why."""

import time

import pytest

from handrail.domain.catalog import Catalog
from handrail.domain.resolution import Resolution, Said, resolve
from handrail.domain.service import Match, Rule, Service, glob

CATALOG = Catalog(
    {
        "payments": Service("payments", "Payments", "a", labels={"app": "pay", "tier": "backend"}),
        "orders": Service("orders", "Orders", "b", labels={"app": "ord"}),
        "twin-a": Service("twin-a", "A", "c", labels={"pool": "blue"}),
        "twin-b": Service("twin-b", "B", "c", labels={"pool": "blue"}),
    },
    (
        Rule("database", (Match("resource", "prefix", "db-pay"), Match("source", "equals", "zabbix")), "payments"),
        Rule("pods", (Match("label.pod", "glob", "orders-*-??"),), "orders"),
        Rule("all pods", (Match("label.pod", "glob", "*"),), "payments"),
    ),
)


@pytest.mark.parametrize(
    ("said", "service", "rule"),
    [
        (Said("zabbix", resource="db-pay-7"), "payments", "database"),
        (Said("other", resource="db-pay-7"), None, None),
        (Said(labels={"pod": "orders-web-x1"}), "orders", "pods"),
        (Said(labels={"pod": "orders-web-x12"}), "payments", "all pods"),
        (Said(service="payments", labels={"pod": "orders-web-x1"}), "orders", "pods"),
        (Said(service="Payments"), "payments", None),
        (Said(service="payments-db"), None, None),
        (Said(service="unknown", labels={"app": "pay", "tier": "backend"}), "payments", None),
        (Said(labels={"app": "pay"}), None, None),
        (Said(labels={"job": "orders"}), "orders", None),
        (Said(service="unknown", labels={"job": "orders"}), None, None),
        (Said(labels={"pool": "blue"}), None, None),
        (Said(labels={"pool": "blue", "app": "orders"}), "orders", None),
        (Said(), None, None),
    ],
)
def test_the_first_that_answers_decides(said: Said, service: str | None, rule: str | None) -> None:
    found = resolve(CATALOG, said)
    assert (found.service, found.rule) == (service, rule)


def test_it_says_why() -> None:
    assert resolve(CATALOG, Said("zabbix", resource="db-pay-7")) == Resolution(
        "payments", "database", "Rule “database”: resource prefix db-pay and source equals zabbix."
    )
    assert resolve(CATALOG, Said(labels={"app": "ord"})).why == "It carries every label of orders: app=ord."
    assert "twin-a, twin-b equally" in resolve(CATALOG, Said(labels={"pool": "blue"})).why
    assert "which is not in the catalogue" in resolve(CATALOG, Said(service="x")).why


def test_rules_keep_their_order_whether_they_ask_for_a_value_or_a_shape() -> None:
    services = {name: Service(name, name, "a") for name in ("first", "second", "third")}
    shape = Rule("shape", (Match("title", "prefix", "disk"),), "first")
    value = Rule("value", (Match("source", "equals", "zabbix"),), "second")
    both = Rule("both", (Match("source", "equals", "zabbix"), Match("label.a", "equals", "b")), "third")
    said = Said("zabbix", title="disk full", labels={"a": "b"})
    for rules, service in (
        ((shape, value, both), "first"), ((value, shape, both), "second"), ((both, shape, value), "third"),
    ):  # fmt: skip
        assert resolve(Catalog(services, rules), said).service == service


def test_a_crowded_namespace_does_not_make_finding_slow() -> None:
    services = {
        f"s{n}": Service(f"s{n}", "x", "o", labels={"namespace": "n", "deployment": f"s{n}"}) for n in range(5000)
    }
    catalog = Catalog(services)
    assert max(len(names) for names in catalog.by_label.values()) == 1
    assert resolve(catalog, Said(labels={"namespace": "n", "deployment": "s7"})).service == "s7"


def test_two_services_that_differ_in_case_only_are_not_guessed_between() -> None:
    catalog = Catalog({name: Service(name, name, "a") for name in ("Pay", "pay")})
    assert resolve(catalog, Said(service="pay")).service == "pay"
    assert resolve(catalog, Said(service="PAY")).service is None


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("", "", True), ("*", "", True), ("?", "", False), ("a*c", "abc", True), ("a*c", "abcd", False),
        ("*b*", "abc", True), ("a?c", "abc", True), ("a.c", "abc", False), ("[ab]", "a", False), ("**x", "yyx", True),
        ("*ab*ab", "abxab", True), ("a*b?", "aabbb", True),
    ],
)  # fmt: skip
def test_a_glob_knows_two_signs_only(pattern: str, text: str, fits: bool) -> None:
    assert glob(pattern, text) is fits


def test_a_hostile_glob_ends_soon() -> None:
    began = time.perf_counter()
    assert not glob("*a" * 128, "a" * 127 + "b" * 129)
    assert time.perf_counter() - began < 1.0
