"""To which service an alert belongs: pure, from the catalogue in force and what the alert says.

In this order, and the first that answers decides: the declared rules; the service that the sender named, where the
catalogue has it; the labels that a service declares; and, where the sender named no service, a label that commonly
holds one. An alert that nothing answers keeps what its sender said and is listed as unresolved.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from handrail.domain.catalog import Catalog
from handrail.domain.service import FIELDS, LABEL, Rule

# Where senders commonly put a service's name, the most telling first.
NAMING_LABELS = (
    "service", "service_name", "service.name", "app.kubernetes.io/name", "app_kubernetes_io_name", "app", "deployment",
    "job",
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What an alert says of itself, as far as rules may ask."""

    source: str = ""
    service: str | None = None
    resource: str | None = None
    title: str = ""
    severity: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str | None:
        """What stands in a field (see `Match.field`); None where the alert says nothing."""
        if name.startswith(LABEL):
            return self.labels.get(name[len(LABEL) :])
        found: str | None = getattr(self, name, None)
        return found

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every field that says something, with what it says."""
        for name in FIELDS:
            if (value := self.of(name)) is not None:
                yield name, value
        for key, value in self.labels.items():
            yield LABEL + key, value


@dataclass(frozen=True)
class Resolution:
    """`service` is a name in the catalogue, or None. `rule` is the declared rule that decided, if one did. `why` is a
    sentence for people."""

    service: str | None
    rule: str | None
    why: str


def resolve(catalog: Catalog, said: Said) -> Resolution:
    """The service of an alert, or that there is none and why."""
    for rule in catalog.rules_for(said.pairs()) if catalog.rules else ():
        if _meets(rule, said):
            met = " and ".join(str(one) for one in rule.matches)
            return Resolution(rule.service, rule.name, f"Rule “{rule.name}”: {met}.")
    if said.service is not None and (named := catalog.named(said.service)) is not None:
        return Resolution(named, None, f"The sender named {said.service}.")
    by_labels = _by_labels(catalog, said)
    if isinstance(by_labels, Resolution):
        return by_labels
    if said.service is None:
        for label in NAMING_LABELS:
            if label in said.labels and (named := catalog.named(said.labels[label])) is not None:
                return Resolution(named, None, f"The label {label} names {said.labels[label]}.")
    if by_labels:
        return Resolution(
            None, None, f"Its labels fit {', '.join(by_labels)} equally; add a rule that tells them apart."
        )
    if said.service is not None:
        return Resolution(None, None, f"The sender named {said.service}, which is not in the catalogue; no rule fits.")
    return Resolution(None, None, "The sender named no service, no rule fits, and no label names one.")


def _meets(rule: Rule, said: Said) -> bool:
    return all((value := said.of(one.field)) is not None and one.holds(value) for one in rule.matches)


def _by_labels(catalog: Catalog, said: Said) -> Resolution | tuple[str, ...]:
    """The one service of whose labels the alert carries all, the one with most of them first; or those that tie."""
    near = {name for pair in said.labels.items() for name in catalog.by_label.get(pair, ())}
    fit = [
        catalog.services[name] for name in near if catalog.services[name].labels.items() <= said.labels.items()
    ]  # fmt: skip
    most = max((len(one.labels) for one in fit), default=0)
    best = sorted(one.name for one in fit if len(one.labels) == most)
    if len(best) != 1:
        return tuple(best)
    carried = ", ".join(f"{key}={value}" for key, value in sorted(catalog.services[best[0]].labels.items()))
    return Resolution(best[0], None, f"It carries every label of {best[0]}: {carried}.")
