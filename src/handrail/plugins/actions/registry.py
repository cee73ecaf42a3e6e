"""Finds the actions: every folder here that shows a `make` is one. Nothing else lists them."""

import importlib
import pkgutil
from collections.abc import Mapping

import handrail.plugins.actions as home
from handrail.plugins.actions.contract import Action
from handrail.plugins.outward import Outward


def actions(outward: Outward, credentials: Mapping[str, str]) -> dict[str, Action]:
    """All actions by name, in order of name. `credentials` maps `host:port` (or a host) to its bearer token."""
    found: dict[str, Action] = {}
    for module in sorted(pkgutil.iter_modules(home.__path__), key=lambda module: module.name):
        if module.ispkg:
            action: Action = importlib.import_module(f"{home.__name__}.{module.name}").make(outward, credentials)
            found[action.manifest.name] = action
    return dict(sorted(found.items()))
