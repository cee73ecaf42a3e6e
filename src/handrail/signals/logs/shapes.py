"""The shape of a log line: what can be told of one line alone, without any knowledge of the system that wrote it.

Numbers, hexadecimal words, addresses, identifiers, paths and hosts become `<*>`; everything else stays as it was
written. A word between two blanks is judged by itself, so its shape is remembered: most words of a log have been seen
before.
"""

import re

from handrail.kernel.limits import LIMITS

ANY = "<*>"

# Words are cut at these; each is a token of its own, so that `size=12,` and `size=7]` share `size`, `=`.
_PARTS = re.compile(r"""[=:,;()\[\]{}<>"'|]|\.{3,}|(?:[^=:,;()\[\]{}<>"'|.]|\.(?!\.\.))+""")
_HEX = re.compile(r"[+-]?(?:0[xX])?[0-9a-fA-F]{6,}$")
_HOST = re.compile(r"^(?:[A-Za-z0-9_-]+\.){2,}[a-z]{2,}$|^(?:[\w$]+\.){3,}[\w$]+$")
_PATHS = ("/", "./", "../", "~/", "\\\\")
# Parts that belong together across the signs at which words are cut: a host with its port, a hardware address, an
# object printed with its fields, a quoted value.
_WHOLE = re.compile(
    r"[\w-]+(?:\.[\w-]+)+:\d{2,5}(?![\w.])|(?<![\w:])[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){3,}(?![\w:])"
    r"""|(?<==)[\w.]+\{[^{}]*\}|(?<==)null\b|(?<==")[^"]+(?=")|(?<==')[^']+(?=')"""
)
# A value after `=` that is no plain word.
_ODD = re.compile(r"[./@\\]")
_DIGIT = re.compile(r"\d")
# One of many, by its number: `node-1`, `broadcast_0`, `core.7`.
_INSTANCE = re.compile(r"[-_.#@]\d$|/")
_TWO_DIGITS = re.compile(r"\d\D*\d")
_ENDS = ".!?"
_RUN = re.compile(r"<\*>(?:[:.,/@_=-]?<\*>)+")
_LIST = re.compile(r"<\*>(?:,? ?<\*>)+")
_DATE = re.compile(
    r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.? <\*>"
    r"(?: <\*>)*(?: [A-Z]{3,4} <\*>)?"
)
# A size may stand in any unit and be repeated for people: `1033 bytes (1.00 KB)`; a time may be a bound: `<1 sec`.
_SIZE = r"(?:bytes?|[KMGT]i?B|B)\b"
_QUANTITY = re.compile(rf"<\*> {_SIZE}(?: ?\(<\*> {_SIZE}\))?|<<\*> (?:ms|s|secs?|seconds?|minutes?)\b")
_QUOTED = re.compile(r'="[^"]+"')
_TOKENS = re.compile(r""" ?(?:<\*>|[=:,;()\[\]{}<>"'|]|[^ =:,;()\[\]{}<>"'|]+)| """)


def _is_variable(part: str) -> bool:
    """Whether a part of a word is a value by its look alone. One digit after letters (`ssh2`, `eth0`) may as well be a
    name: that is for the other lines to tell."""
    if _DIGIT.search(part):
        return not part[0].isalpha() or any(kind.search(part) for kind in (_TWO_DIGITS, _INSTANCE, _HOST))
    return (
        (part.startswith(_PATHS) and len(part) > 2)
        or part.count("/") > 1
        or bool(_HEX.match(part) or _HOST.match(part))
    )


def word_shape(word: str) -> str:
    """The shape of one word between blanks: `blk_123` gives `<*>`, `uid=0` gives `uid=<*>`, `(from` stays."""
    if word.isalpha():
        return word
    if word.isdigit():
        return ANY
    if ":" in word or "=" in word:
        word = _WHOLE.sub("0", word)
    parts: list[str] = []
    for part in _PARTS.findall(word):
        core = part.rstrip(_ENDS)
        named = bool(parts) and parts[-1] == "="
        variable = core and (_is_variable(core) or (named and _ODD.search(core)))
        parts.append(ANY + part[len(core) :] if variable else part)
    return _RUN.sub(ANY, "".join(parts)) if len(parts) > 1 else parts[0]


class WordShapes(dict[str, str]):
    """Shapes of words seen, forgotten all at once when there are too many; asked for by `shapes[word]`."""

    def __missing__(self, word: str) -> str:
        if len(self) >= LIMITS.log_words_remembered:
            self.clear()
        shape = self[word] = word_shape(word)
        return shape


def line_shape(line: str, shapes: WordShapes) -> str:
    """Words joined by one blank. What lies past the bound of a line is not looked at."""
    return " ".join([shapes[word] for word in line[: LIMITS.log_line_chars].split()])


def tokens_of(shape: str) -> tuple[str, ...]:
    """The tokens of a line's shape; one that follows a blank carries it in front, so joining gives the text back."""
    text = _QUANTITY.sub(ANY, _DATE.sub(ANY, _QUOTED.sub(f'="{ANY}"', shape)))
    # An empty value is a value: `from 10.0.0.1 ()` is `from 10.0.0.1 (host)` without a name.
    text = _LIST.sub(ANY, text.replace(" ()", f" ({ANY})"))
    return tuple(_TOKENS.findall(text))
