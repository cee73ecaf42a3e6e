"""Named points at which a test can stop, throw or kill. In production nothing is armed and they do nothing."""

from collections.abc import Callable

_armed: dict[str, Callable[[], None]] = {}


def reach(name: str) -> None:
    """Tell that the point was reached."""
    hook = _armed.get(name)
    if hook is not None:
        hook()


def arm(name: str, hook: Callable[[], None]) -> None:
    """Run `hook` whenever the point is reached."""
    _armed[name] = hook


def disarm() -> None:
    """Forget all hooks."""
    _armed.clear()
