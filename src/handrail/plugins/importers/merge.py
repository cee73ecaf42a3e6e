"""Puts what an importer read into the catalogue in force: pure, and the result is only a text to put forward."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import yaml

from handrail.domain import catalog_document
from handrail.domain.catalog import Catalog
from handrail.domain.service import Rule, Service
from handrail.kernel.limits import LIMITS
from handrail.plugins.importers.contract import UNOWNED, Imported, Loss


@dataclass(frozen=True)
class Merged:
    """`text` is a document that reads without fault. `added` and `changed` are names of services."""

    text: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    losses: tuple[Loss, ...]


def merge(known: Catalog, imported: Imported) -> Merged:
    """The catalogue with what was imported. Nothing known is taken away: facts that the import says replace known ones,
    dependencies and labels are added, and what was declared is not made learned. Known rules come before new ones."""
    losses = list(imported.losses)
    services = dict(known.services)
    for one in imported.services:
        if one.name not in services and len(services) >= LIMITS.catalog_services:
            losses.append(
                Loss("services", f"At most {LIMITS.catalog_services} services are held; the rest was left out.")
            )
            break
        services[one.name] = _joined(services[one.name], one) if one.name in services else one
    services = {name: _without_unknown(one, services, losses) for name, one in services.items()}
    rules = _rules(known.rules, imported.rules, services, losses)
    changed = tuple(name for name in sorted(known.services) if services[name] != known.services[name])
    return Merged(
        catalog_document.write(services.values(), rules, dump), tuple(sorted(set(services) - set(known.services))),
        changed, tuple(losses),
    )  # fmt: skip


def dump(value: object) -> str:
    """Plain values as YAML in the order they have."""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))


class _Dumper(yaml.SafeDumper):
    """Writes values out each time: the reader takes no aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _joined(known: Service, said: Service) -> Service:
    both = dict.fromkeys((*known.depends_on, *said.depends_on))
    declared = {n for one in (known, said) for n in one.depends_on if n not in one.learned}
    labels: Mapping[str, str] = {**known.labels, **said.labels}
    return replace(
        known,
        title=said.title if said.title != said.name else known.title,
        owner=said.owner if said.owner != UNOWNED else known.owner,
        tier=said.tier if said.tier != 3 else known.tier,
        depends_on=tuple(both)[: LIMITS.catalog_list_items],
        learned=tuple(n for n in both if n not in declared),
        control_url=said.control_url or known.control_url,
        signal_url=said.signal_url or known.signal_url,
        functions=tuple(dict.fromkeys((*known.functions, *said.functions)))[: LIMITS.catalog_list_items],
        environment=said.environment or known.environment,
        region=said.region or known.region,
        data_classes=tuple(dict.fromkeys((*known.data_classes, *said.data_classes)))[: LIMITS.catalog_list_items],
        labels=labels if len(labels) <= LIMITS.labels_per_alert else known.labels,
    )


def _without_unknown(one: Service, services: Mapping[str, Service], losses: list[Loss]) -> Service:
    unknown = [other for other in one.depends_on if other not in services]
    if not unknown:
        return one
    losses += [Loss(one.name, f"{one.name} depends on {other}, which is not in the catalogue.") for other in unknown]
    return replace(
        one,
        depends_on=tuple(other for other in one.depends_on if other in services),
        learned=tuple(other for other in one.learned if other in services),
    )


def _rules(
    known: Iterable[Rule], said: Iterable[Rule], services: Mapping[str, Service], losses: list[Loss]
) -> tuple[Rule, ...]:
    kept = {rule.matches: rule for rule in known}
    for rule in said:
        if rule.service not in services or rule.matches in kept:
            continue
        if len(kept) >= LIMITS.catalog_rules:
            losses.append(Loss("rules", f"At most {LIMITS.catalog_rules} rules are held; the rest was left out."))
            break
        kept[rule.matches] = rule
    return tuple(kept.values())
