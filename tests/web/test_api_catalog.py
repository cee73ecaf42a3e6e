"""The catalogue by the API: what is in force, trying rules, and alerts at no service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from handrail.operations import documents
from handrail.store.database import Database
from tests.web.houses import House, house
from tests.web.test_pages_catalog import fires, receive

RULES = """\
---
kind: catalog
rules:
  - name: payment pods
    match: [{field: label.pod, glob: "pay-*"}]
    service: payments
"""


@pytest.fixture
def home(sqlite: Database, tmp_path: Path) -> Iterator[House]:
    with house(sqlite, tmp_path) as made:
        yield made


def get(home: House, path: str) -> Any:
    return home.as_(home.world.outsider).get(f"/api/v1{path}").json()


def with_rules(home: House) -> None:
    from tests.worlds import add_person, catalog_text

    world = home.world
    text = catalog_text() + RULES
    proposed = world.by(world.owner, lambda tx: documents.propose(tx, text, world.owner))
    assert proposed.draft is not None and proposed.draft.gate_id is not None
    world.vote(proposed.draft.gate_id, add_person(world.shell, "manager", ("manager",)))


def test_the_catalogue_in_force_is_told_with_its_rules_and_what_fires(home: House) -> None:
    with_rules(home)
    receive(home, fires("a", "critical", None, pod="pay-1"))
    found = get(home, "/catalog")
    payments = next(one for one in found["services"] if one["name"] == "payments")
    assert (found["version"], payments["worst"], payments["firing"]) == (2, "critical", 1)
    assert found["rules"][0]["matches"] == [{"field": "label.pod", "test": "glob", "value": "pay-*"}]


def test_rules_are_tried_without_storing_anything(home: House) -> None:
    with_rules(home)
    assert get(home, "/catalog/resolve?label=pod=pay-1") == {
        "service": "payments", "rule": "payment pods", "why": "Rule “payment pods”: label.pod glob pay-*.",
    }  # fmt: skip
    assert get(home, "/catalog/resolve?service=nowhere")["service"] is None
    assert home.as_(home.world.outsider).get("/api/v1/catalog/resolve?label=pod").status_code == 400


def test_open_alerts_at_no_service_are_counted_and_told_with_the_reason(home: House) -> None:
    receive(home, fires("lost", "high", "web-9", pod="pay-1"), fires("fine", "high", "payments"))
    (told,) = get(home, "/catalog/unresolved")["items"]
    assert (told["named"], told["would_be"]) == ("web-9", None)
    with_rules(home)
    found = get(home, "/catalog/unresolved")
    assert (found["total"], found["items"][0]["would_be"]) == (1, "payments")


def test_the_schema_is_a_schema(home: House) -> None:
    jsonschema.Draft202012Validator.check_schema(get(home, "/catalog/schema"))
