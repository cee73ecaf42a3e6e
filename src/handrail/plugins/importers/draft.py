"""Services as they are gathered from a source, within the limits of the catalogue; whatever does not fit is a loss."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from handrail.domain.catalog_document import NAME
from handrail.domain.service import Match, Rule, Service
from handrail.kernel.limits import LIMITS
from handrail.plugins.importers.contract import UNOWNED, Imported, Loss

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_TIERS = {
    "1": 1, "2": 2, "3": 3, "4": 4, "critical": 1, "mission-critical": 1, "high": 2, "important": 2, "medium": 3,
    "normal": 3, "low": 4,
}  # fmt: skip
TEXTS = ("title", "owner", "environment", "region", "control_url", "signal_url")
LISTS = ("functions", "data_classes")


@dataclass
class _One:
    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    tier: int | None = None
    calls: dict[str, bool] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


class Draft:
    """Grows with what is read; `done` gives the result."""

    def __init__(self) -> None:
        self._services: dict[str, _One] = {}
        self._rules: dict[tuple[tuple[Match, ...], str], None] = {}
        self._losses: dict[Loss, None] = {}

    def lose(self, where: str, what: str) -> None:
        self._losses[Loss(where[: LIMITS.label_chars], what)] = None

    def service(self, name: str, where: str) -> str | None:
        """Make sure that a service of this name is there; its name as the catalogue may hold it, or None."""
        fit = fit_name(name)
        if fit is None:
            self.lose(where, f"“{name[:60]}” cannot be a name in the catalogue.")
            return None
        if fit != name and fit not in self._services:
            self.lose(where, f"“{name[:60]}” is named {fit} here.")
        if fit not in self._services and len(self._services) >= LIMITS.catalog_services:
            self.lose("services", f"At most {LIMITS.catalog_services} services are held; the rest was left out.")
            return None
        self._services.setdefault(fit, _One())
        return fit

    def say(self, name: str, key: str, value: str | None, where: str) -> None:
        """A fact of one word. The first word stays; a different later one is a loss."""
        if not value:
            return
        if len(value) > LIMITS.label_chars:
            self.lose(where, f"{key} of {name} is longer than {LIMITS.label_chars} characters.")
            return
        known = self._services[name].texts.setdefault(key, value)
        if known != value:
            self.lose(where, f"{key} of {name} is {known} already; {value} was left out.")

    def tier(self, name: str, value: str | None, where: str) -> None:
        if value is None:
            return
        tier = _TIERS.get(value.strip().lower().removeprefix("tier").strip(" -_"))
        if tier is None:
            self.lose(where, f"“{value[:40]}” is no tier; it stays 3.")
        elif self._services[name].tier not in (None, tier):
            self.lose(where, f"The tier of {name} is {self._services[name].tier} already; {tier} was left out.")
        else:
            self._services[name].tier = tier

    def add(self, name: str, key: str, values: Iterable[str], where: str) -> None:
        """Facts of many words."""
        kept = self._services[name].lists.setdefault(key, [])
        for value in values:
            if len(kept) >= LIMITS.catalog_list_items or len(value) > LIMITS.label_chars:
                self.lose(where, f"{key} of {name} holds more than the catalogue can.")
                return
            if value not in kept:
                kept.append(value)

    def calls(self, name: str, other: str, where: str, learned: bool = False) -> None:
        """One service depends on another. What was declared stays declared."""
        fit, known = fit_name(other), self._services[name].calls
        if fit is None or fit == name:
            self.lose(where, f"{name} cannot depend on “{other[:60]}”.")
        elif fit not in known and len(known) >= LIMITS.catalog_list_items:
            self.lose(where, f"{name} has more than {LIMITS.catalog_list_items} dependencies.")
        else:
            known[fit] = known.get(fit, True) and learned

    def label(self, name: str, key: str, value: str, where: str) -> None:
        labels = self._services[name].labels
        if len(labels) >= LIMITS.labels_per_alert or len(value) > LIMITS.label_chars:
            self.lose(where, f"The label {key[:60]} of {name} does not fit.")
        else:
            labels[key] = value

    def has_labels(self, name: str) -> bool:
        return bool(self._services[name].labels)

    def rule(self, name: str, matches: tuple[Match, ...]) -> None:
        """Alerts that meet these conditions belong to the service."""
        if len(self._rules) >= LIMITS.catalog_rules:
            self.lose("rules", f"At most {LIMITS.catalog_rules} rules are held; the rest was left out.")
        elif all(0 < len(one.value) <= LIMITS.label_chars for one in matches):
            self._rules[matches, name] = None

    def done(self) -> Imported:
        """What was gathered, in order of name; rules from the narrowest to the widest."""
        rules = sorted(self._rules, key=lambda pair: (-sum(len(one.value) for one in pair[0]), str(pair[0])))
        return Imported(
            tuple(self._built(name) for name in sorted(self._services)),
            tuple(Rule(_rule_name(matches, name), matches, name) for matches, name in rules),
            tuple(self._losses),
        )

    def _built(self, name: str) -> Service:
        one = self._services[name]
        if "owner" not in one.texts:
            self.lose(name, f"Nobody is named as the owner of {name}; it stands as “{UNOWNED}”.")
        learned = tuple(other for other, is_learned in one.calls.items() if is_learned)
        return Service(
            name, one.texts.get("title", name), one.texts.get("owner", UNOWNED), one.tier or 3, tuple(one.calls),
            one.texts.get("control_url"), one.texts.get("signal_url"), tuple(one.lists.get("functions", ())),
            one.texts.get("environment"), one.texts.get("region"), learned, tuple(one.lists.get("data_classes", ())),
            one.labels,
        )  # fmt: skip


def fit_name(name: str) -> str | None:
    """A name as the catalogue may hold it: what it cannot hold becomes a hyphen."""
    fit = _UNFIT.sub("-", name.strip()).strip("-._")[:128]
    return fit if NAME.match(fit) else None


def _rule_name(matches: tuple[Match, ...], service: str) -> str:
    return f"{service}: {' '.join(one.value for one in matches)}"[: LIMITS.label_chars]
