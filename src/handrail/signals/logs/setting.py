"""The one configuration of the log methods, for every system, and their bounds on memory."""

from dataclasses import dataclass

LINE_CHARS = 4096
WORDS_REMEMBERED = 100_000
SHAPES_REMEMBERED = 50_000
TEMPLATES = 20_000
GROUPS = 1_000_000
PAIRED_TEMPLATES = 2_000
TOKENS = 400


@dataclass(frozen=True)
class Setting:
    """`values_min`: so many different words in one place, all else equal, are a parameter; fewer are different
    messages. `named_values_min` is the same after `=` or `:`, in quotes or brackets, where a value is likelier."""

    values_min: int = 6
    named_values_min: int = 4
