"""Finds the channels: every folder here that shows a `make` is one. Nothing else lists them."""

import importlib
import pkgutil

import handrail.plugins.channels as home
from handrail.kernel.clock import Clock
from handrail.plugins.channels.contract import Channel
from handrail.plugins.outward import Outward


def channels(outward: Outward, clock: Clock) -> dict[str, Channel]:
    """All channels by name, in order of name."""
    found: dict[str, Channel] = {}
    for module in sorted(pkgutil.iter_modules(home.__path__), key=lambda module: module.name):
        if module.ispkg:
            channel: Channel = importlib.import_module(f"{home.__name__}.{module.name}").make(outward, clock)
            found[channel.name] = channel
    return dict(sorted(found.items()))
