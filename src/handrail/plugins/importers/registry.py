"""Finds the importers: every folder here that shows an IMPORTER is one. Nothing else lists them."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import handrail.plugins.importers as home
from handrail.kernel.errors import NotFound
from handrail.plugins.importers.contract import Importer


@cache
def importers() -> Mapping[str, Importer]:
    """All importers by name, in order of name."""
    found = {}
    for module in sorted(pkgutil.iter_modules(home.__path__), key=lambda module: module.name):
        if module.ispkg:
            made = importlib.import_module(f"{home.__name__}.{module.name}").IMPORTER
            found[made.name] = made
    return MappingProxyType(dict(sorted(found.items())))


def importer(name: str) -> Importer:
    """The importer of that name, or NotFound that lists those there are."""
    known = importers().get(name)
    if known is None:
        raise NotFound(f"There is no importer “{name[:40]}”; known are {', '.join(importers())}.")
    return known
