"""Text for terminals. What alerts, logs and people wrote is hostile: nothing of it may steer the terminal."""

import unicodedata
from typing import Any

# Cc steers the terminal, Cf can turn the order of text round or hide it, Cs breaks the encoding, Zl and Zp break lines.
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def safe(value: object, *, lines: bool = False) -> str:
    """The text with every character that a terminal might obey written out. `lines` keeps line breaks and tabs."""
    text = "" if value is None else str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(letter, lines) for letter in text)


def _shown(letter: str, lines: bool) -> str:
    if lines and letter in "\n\t":
        return letter
    if unicodedata.category(letter) not in _STEERING:
        return letter
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(letter)
    if named:
        return named
    point = ord(letter)
    return f"\\x{point:02x}" if point < 256 else f"\\u{point:04x}" if point < 65536 else f"\\U{point:08x}"


def moment(value: Any) -> str:
    """A moment of the API, to the second."""
    text = safe(value)
    return f"{text[:10]} {text[11:19]}Z" if len(text) >= 19 and text[10:11] == "T" else text


def listed(values: Any) -> str:
    """A list as one phrase."""
    return ", ".join(safe(value) for value in values or ())


def span(seconds: Any) -> str:
    """A number of seconds as people say it; a dash where it is not known."""
    if not isinstance(seconds, int | float):
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s" if seconds < 10 else f"{rest} s"
