"""Finds the importers: a folder here that shows an IMPORTER or a RUNBOOK_IMPORTER is one. Nothing else lists them."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType, ModuleType

import handrail.plugins.importers as home
from handrail.kernel.errors import BadInput, NotFound
from handrail.plugins.importers.contract import Importer, RunbookImporter
from handrail.plugins.importers.runbook_reading import read_source


def _folders() -> Iterator[ModuleType]:
    for module in sorted(pkgutil.iter_modules(home.__path__), key=lambda module: module.name):
        if module.ispkg:
            yield importlib.import_module(f"{home.__name__}.{module.name}")


@cache
def importers() -> Mapping[str, Importer]:
    """All importers of services by name, in order of name."""
    found = {made.name: made for module in _folders() if (made := getattr(module, "IMPORTER", None))}
    return MappingProxyType(dict(sorted(found.items())))


@cache
def runbook_importers() -> Mapping[str, RunbookImporter]:
    """All importers of runbooks by name, in order of name."""
    found = {made.name: made for module in _folders() if (made := getattr(module, "RUNBOOK_IMPORTER", None))}
    return MappingProxyType(dict(sorted(found.items())))


def importer(name: str) -> Importer:
    """The importer of that name, or NotFound that lists those there are."""
    known = importers().get(name)
    if known is None:
        raise NotFound(f"There is no importer “{name[:40]}”; known are {', '.join(importers())}.")
    return known


def runbook_importer(name: str) -> RunbookImporter:
    """The importer of runbooks of that name, or NotFound that lists those there are."""
    known = runbook_importers().get(name)
    if known is None:
        raise NotFound(f"No runbook is read from “{name[:40]}”; known are {', '.join(runbook_importers())}.")
    return known


def guess_runbook_importer(body: bytes) -> RunbookImporter:
    """The one importer that knows this content. Raises BadInput where none or several do."""
    text = read_source(body)
    known = [made for made in runbook_importers().values() if made.knows(text)]
    known = [made for made in known if made.sure] or known
    if len(known) == 1:
        return known[0]
    kinds = ", ".join(made.name for made in known or runbook_importers().values())
    why = "could be several kinds" if known else "looks like no kind of runbook that is read here"
    raise BadInput(f"The file {why}; name one of {kinds}.", "import_unreadable")
