"""The map of services: who calls stands left, and what cannot be drawn is counted."""

import re

from handrail.web.filters import SEVERITY_SHAPES
from handrail.web.service_map import MapService, choose, not_drawn, service_map


def one(name: str, *calls: str, worst: str | None = None, learned: frozenset[str] = frozenset()) -> MapService:
    return MapService(name, name, 2, f"#service-{name}", worst, 1 if worst else 0, calls, learned)


def left_of(text: str, name: str) -> int:
    found = re.search(rf'href="#service-{name}" transform="translate\((\d+) ', text)
    assert found
    return int(found[1])


def test_callers_stand_left_of_what_they_call() -> None:
    text = str(service_map([one("db"), one("web", "api"), one("api", "db")], SEVERITY_SHAPES))
    assert left_of(text, "web") < left_of(text, "api") < left_of(text, "db")
    assert text.count('<path class="edge"') == 2


def test_the_drawing_is_whole_and_wide_ones_say_so() -> None:
    from xml.etree import ElementTree

    for length, look in ((3, "run-graph service-map"), (6, "run-graph service-map broad")):
        chain = [one(f"s{n}", f"s{n + 1}") for n in range(length - 1)] + [one(f"s{length - 1}", worst="low")]
        drawn = ElementTree.fromstring(str(service_map(chain, SEVERITY_SHAPES)))  # noqa: S314
        assert drawn.get("class") == look
        assert len(drawn.findall(".//a")) == length


def test_learned_and_failing_dependencies_look_their_part() -> None:
    drawn = [one("web", "db", learned=frozenset({"db"})), one("db", worst="critical")]
    text = str(service_map(drawn, SEVERITY_SHAPES))
    assert 'class="edge learned failing edge-critical"' in text and "map-node sick edge-critical" in text


def test_a_circle_is_drawn_without_hanging_and_what_is_left_out_is_counted() -> None:
    services = [one("a", "b"), one("b", "a")]
    assert not_drawn(services) == 1
    assert str(service_map(services, SEVERITY_SHAPES)).count('<path class="edge"') == 1


def test_of_too_many_services_those_that_fire_and_their_neighbours_are_drawn() -> None:
    services = [one(f"s{n:03}") for n in range(200)] + [
        one("caller", "sick"),
        one("sick", "below", worst="low"),
        one("below"),
    ]
    assert {each.name for each in choose(services, 3)} == {"caller", "sick", "below"}
    chain = [one(f"c{n:03}", f"c{n + 1:03}") for n in range(99)]
    assert len(choose(chain, 50)) == 50


def test_what_stands_alone_and_is_well_is_not_drawn() -> None:
    services = [one("alone"), one("ill", worst="low"), one("web", "db"), one("db")]
    assert [each.name for each in choose(services, 50)] == ["ill", "web", "db"]


def test_hostile_names_are_escaped() -> None:
    text = str(service_map([MapService("x", '"><script>', 1, "#x")], SEVERITY_SHAPES))
    assert "<script>" not in text


def test_no_service_is_a_sentence() -> None:
    assert "Nothing to draw" in service_map([], SEVERITY_SHAPES)
