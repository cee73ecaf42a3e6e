"""The one configuration of the log methods, for every system."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """`values_min`: so many different words in one place, all else equal, are a parameter; fewer are different
    messages. `named_values_min` is the same after `=` or `:`, in quotes or brackets, where a value is likelier."""

    values_min: int = 6
    named_values_min: int = 4
