"""Finds the integrations: every folder here that shows an INTEGRATION is one. Nothing else lists them."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import handrail.plugins.integrations as home
from handrail.kernel.errors import NotFound
from handrail.plugins.integrations.contract import Integration


@cache
def integrations() -> Mapping[str, Integration]:
    """All integrations by name, in order of name."""
    found = {}
    for module in sorted(pkgutil.iter_modules(home.__path__), key=lambda module: module.name):
        if module.ispkg:
            manifest = importlib.import_module(f"{home.__name__}.{module.name}").INTEGRATION
            found[manifest.name] = manifest
    return MappingProxyType(found)


def integration(name: str) -> Integration:
    """The integration of that name, or NotFound that lists those there are."""
    known = integrations().get(name)
    if known is None:
        raise NotFound(f"There is no integration “{name[:40]}”; known are {', '.join(integrations())}.")
    return known
