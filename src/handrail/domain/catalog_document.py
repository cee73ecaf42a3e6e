"""The catalogue's own document (`kind: catalog`): its JSON Schema, reading it, and writing it out.

The schema is what editors are given; reading checks the same and more, and says every fault at its JSON pointer.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from handrail.domain.service import FIELDS, LABEL, TESTS, Match, Rule, Service
from handrail.kernel.errors import Fault
from handrail.kernel.limits import LIMITS

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_FIELD = rf"^({'|'.join(FIELDS)}|label\..+)$"
_TEXTS: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string", "minLength": 1},
    "maxItems": LIMITS.catalog_list_items,
}
_WORD: Any = {"type": "string", "minLength": 1, "maxLength": LIMITS.label_chars}
_DEPENDENCY: dict[str, Any] = {
    "oneOf": [
        {"type": "string"},
        {
            "type": "object",
            "required": ["service"],
            "additionalProperties": False,
            "properties": {"service": {"type": "string"}, "learned": {"type": "boolean"}},
        },
    ]
}
_SERVICE: dict[str, Any] = {
    "type": "object",
    "required": ["owner"],
    "additionalProperties": False,
    "properties": {
        "title": _WORD, "owner": _WORD, "tier": {"enum": [1, 2, 3, 4]}, "environment": _WORD, "region": _WORD,
        "depends_on": {"type": "array", "items": _DEPENDENCY, "maxItems": LIMITS.catalog_list_items},
        "functions": _TEXTS, "data_classes": _TEXTS,
        "labels": {"type": "object", "additionalProperties": {"type": "string"},
                   "maxProperties": LIMITS.labels_per_alert},
        "control_url": {"type": "string"}, "signal_url": {"type": "string"},
    },
}  # fmt: skip
_MATCH: dict[str, Any] = {
    "type": "object",
    "required": ["field"],
    "additionalProperties": False,
    "minProperties": 2,
    "maxProperties": 2,
    "properties": {"field": {"type": "string", "pattern": _FIELD}, **dict.fromkeys(TESTS, _WORD)},
}
_RULE: dict[str, Any] = {
    "type": "object",
    "required": ["name", "match", "service"],
    "additionalProperties": False,
    "properties": {
        "name": _WORD,
        "match": {"type": "array", "items": _MATCH, "minItems": 1, "maxItems": LIMITS.catalog_rule_matches},
        "service": {"type": "string"},
    },
}
SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Handrail catalogue",
    "type": "object",
    "required": ["kind"],
    "additionalProperties": False,
    "properties": {
        "kind": {"const": "catalog"},
        "name": {"const": "default"},
        "services": {"type": "object", "additionalProperties": _SERVICE, "maxProperties": LIMITS.catalog_services,
                     "propertyNames": {"pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"}},
        "rules": {"type": "array", "items": _RULE, "maxItems": LIMITS.catalog_rules},
    },
}  # fmt: skip


class Faults:
    """Faults as they are found. `at` is the JSON pointer of what is being read."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def say(self, at: str, what: str) -> None:
        self.found.append(Fault(at, what))

    def text(self, at: str, value: Any) -> str:
        """A text of at least one and at most `label_chars` characters."""
        if isinstance(value, str) and 0 < len(value) <= LIMITS.label_chars:
            return value
        self.say(at, f"Write a text of 1 to {LIMITS.label_chars} characters.")
        return ""

    def texts(self, at: str, value: Any) -> tuple[str, ...]:
        return tuple(self.text(f"{at}/{n}", item) for n, item in enumerate(self.items(at, value)))

    def items(self, at: str, value: Any, most: int = LIMITS.catalog_list_items) -> Sequence[Any]:
        if value is None:
            return ()
        if isinstance(value, list) and len(value) <= most:
            return value
        self.say(at, f"Write a list of at most {most} items.")
        return ()

    def mapping(self, at: str, value: Any, known: Iterable[str] = ()) -> Mapping[Any, Any]:
        """A mapping; where `known` names its keys, any other is a fault."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.say(at, "Write a mapping, name: value.")
            return {}
        for key in value:
            if known and key not in known:
                self.say(f"{at}/{escape(key)}", f"“{str(key)[:60]}” is not known here; known are {', '.join(known)}.")
        return value


def escape(key: Any) -> str:
    """A key as a part of a JSON pointer."""
    return str(key).replace("~", "~0").replace("/", "~1")


def read(document: Any, at: str = "") -> tuple[dict[str, Service], tuple[Rule, ...], list[Fault]]:
    """Services and rules of one `kind: catalog` document, and every fault. Names that a service or rule refers to are
    not looked up here: they may stand in another document of the same text."""
    faults = Faults()
    top = faults.mapping(at, document, SCHEMA["properties"])
    if top.get("name", "default") != "default":
        faults.say(f"{at}/name", "There is one catalogue; leave the name out or write default.")
    written = faults.mapping(f"{at}/services", top.get("services"))
    if len(written) > LIMITS.catalog_services:
        faults.say(f"{at}/services", f"At most {LIMITS.catalog_services} services are held.")
        written = {}
    services = {}
    for name, item in written.items():
        where = f"{at}/services/{escape(name)}"
        if not isinstance(name, str) or not NAME.match(name):
            faults.say(where, "Name a service with letters, digits, dots, hyphens and underscores, 128 at most.")
            continue
        services[name] = _service(name, item, where, faults)
    rules = [
        _rule(item, f"{at}/rules/{n}", faults)
        for n, item in enumerate(faults.items(f"{at}/rules", top.get("rules"), LIMITS.catalog_rules))
    ]
    return services, tuple(rules), faults.found


def _service(name: str, item: Any, at: str, faults: Faults) -> Service:
    said = faults.mapping(at, item, _SERVICE["properties"])

    def word(key: str) -> str | None:
        return faults.text(f"{at}/{key}", said[key]) if said.get(key) is not None else None

    owner = word("owner")
    if owner is None:
        faults.say(f"{at}/owner", f"{name} needs an owner: somebody must own a service.")
    tier = said.get("tier", 3)
    if isinstance(tier, bool) or tier not in (1, 2, 3, 4):
        faults.say(f"{at}/tier", "The tier is 1, 2, 3 or 4; 1 is the most important.")
        tier = 3
    depends_on, learned = _dependencies(name, said.get("depends_on"), f"{at}/depends_on", faults)
    labels = faults.mapping(f"{at}/labels", said.get("labels"))
    if len(labels) > LIMITS.labels_per_alert:
        faults.say(f"{at}/labels", f"At most {LIMITS.labels_per_alert} labels are held.")
        labels = {}
    return Service(
        name, word("title") or name, owner or "", int(tier), depends_on, word("control_url"), word("signal_url"),
        faults.texts(f"{at}/functions", said.get("functions")), word("environment"), word("region"), learned,
        faults.texts(f"{at}/data_classes", said.get("data_classes")),
        {str(key): faults.text(f"{at}/labels/{escape(key)}", value) for key, value in labels.items()},
    )  # fmt: skip


def _dependencies(name: str, value: Any, at: str, faults: Faults) -> tuple[tuple[str, ...], tuple[str, ...]]:
    known: dict[str, bool] = {}
    for n, item in enumerate(faults.items(at, value)):
        said = item if isinstance(item, dict) else {"service": item}
        faults.mapping(f"{at}/{n}", said, ("service", "learned"))
        other, learned = faults.text(f"{at}/{n}", said.get("service")), said.get("learned", False)
        if not isinstance(learned, bool):
            faults.say(f"{at}/{n}/learned", "Write true or false.")
        if other == name:
            faults.say(f"{at}/{n}", f"{name} cannot depend on itself.")
        elif other:
            # What somebody declared stays declared, whatever else says that it was learned.
            known[other] = known.get(other, True) and learned is True
    return tuple(known), tuple(other for other, learned in known.items() if learned)


def _rule(item: Any, at: str, faults: Faults) -> Rule:
    said = faults.mapping(at, item, _RULE["properties"])
    name, service = faults.text(f"{at}/name", said.get("name")), faults.text(f"{at}/service", said.get("service"))
    written = faults.items(f"{at}/match", said.get("match"), LIMITS.catalog_rule_matches)
    if not written:
        faults.say(f"{at}/match", "Give the rule at least one condition; without one it would take every alert.")
    return Rule(name, tuple(_match(one, f"{at}/match/{n}", faults) for n, one in enumerate(written)), service)


def _match(item: Any, at: str, faults: Faults) -> Match:
    said = faults.mapping(at, item, ("field", *TESTS))
    field, tests = said.get("field"), [test for test in TESTS if test in said]
    if not isinstance(field, str) or not (field in FIELDS or (field.startswith(LABEL) and len(field) > len(LABEL))):
        faults.say(f"{at}/field", f"The field is {', '.join(FIELDS)} or {LABEL}NAME.")
    if len(tests) != 1:
        faults.say(at, f"Write exactly one of {', '.join(TESTS)}.")
        return Match(str(field), "equals", "")
    return Match(str(field), tests[0], faults.text(f"{at}/{tests[0]}", said[tests[0]]))


def write(services: Iterable[Service], rules: Iterable[Rule], dump: Callable[[Any], str]) -> str:
    """The text of a document that reads as these services and rules. `dump` turns plain values into YAML."""
    document: dict[str, Any] = {"kind": "catalog", "services": {one.name: plain(one) for one in services}}
    if written := [_plain_rule(rule) for rule in rules]:
        document["rules"] = written
    return dump(document)


def plain(service: Service) -> dict[str, Any]:
    """A service as it stands in a document, without what is at its default."""
    depends_on = [{"service": n, "learned": True} if n in service.learned else n for n in service.depends_on]
    said = {
        "title": service.title if service.title != service.name else None,
        "owner": service.owner, "tier": service.tier, "environment": service.environment, "region": service.region,
        "depends_on": depends_on, "functions": list(service.functions), "data_classes": list(service.data_classes),
        "labels": dict(service.labels), "control_url": service.control_url, "signal_url": service.signal_url,
    }  # fmt: skip
    return {key: value for key, value in said.items() if value not in (None, [], {})}


def _plain_rule(rule: Rule) -> dict[str, Any]:
    matches = [{"field": one.field, one.test: one.value} for one in rule.matches]
    return {"name": rule.name, "match": matches, "service": rule.service}
