"""Which templates are one: those that differ in one or two places where so many different words were seen that the
place must be a parameter. Few different words are different messages (`link up`, `link down`)."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

from handrail.kernel.limits import LIMITS
from handrail.signals.logs.setting import Setting
from handrail.signals.logs.shapes import ANY

Tokens = tuple[str, ...]
_SIGNS = frozenset("=:,;()[]{}<>\"'|")
_NAMING = frozenset("=:(['\"@<")
# What follows these is the name of one.
_NOUNS = frozenset({"user", "username", "account", "host", "hostname", "domain", "node"})
_PREPOSITIONS = frozenset({"for", "from", "to", "by", "with", "at"})
_DIGITS = re.compile(r"\d+")
_HOLE = ""


def merge_templates(templates: Iterable[Tokens], setting: Setting) -> dict[Tokens, Tokens]:
    """From each template that changes to the wider one that takes its place. Order of input does not matter."""
    by_length: dict[int, list[Tokens]] = defaultdict(list)
    for tokens in templates:
        by_length[len(tokens)].append(tokens)
    wider: dict[Tokens, Tokens] = {}
    for same in by_length.values():
        wider |= _merge_same_length(sorted(same), setting)
    return wider


def _merge_same_length(templates: Sequence[Tokens], setting: Setting) -> dict[Tokens, Tokens]:
    now = {tokens: tokens for tokens in templates}
    for places in (1, 2) if len(templates) <= LIMITS.log_templates_paired else (1,):
        while step := _step(sorted(set(now.values())), places, setting):
            now = {first: step.get(last, last) for first, last in now.items()}
    return {first: last for first, last in now.items() if first != last}


def _step(templates: Sequence[Tokens], places: int, setting: Setting) -> dict[Tokens, Tokens]:
    """One round: every set of templates that are equal but for `places` places, the largest sets first."""
    alike: dict[Tokens, list[Tokens]] = defaultdict(list)
    for tokens in templates:
        open_places = [at for at, token in enumerate(tokens) if token.strip() not in _SIGNS]
        if places > 1 and len(open_places) > LIMITS.log_places_paired:
            continue
        for holes in combinations(open_places, places):
            alike[_with(tokens, holes, _HOLE)].append(tokens)
    wider: dict[Tokens, Tokens] = {}
    for key, members in sorted(alike.items(), key=lambda item: (-len(item[1]), item[0])):
        left = [tokens for tokens in members if tokens not in wider]
        holes = tuple(at for at, token in enumerate(key) if token == _HOLE)
        if len(left) > 1 and all(_is_parameter(left, at, setting) for at in holes):
            merged = tuple(_any(left[0][at]) if token == _HOLE else token for at, token in enumerate(key))
            wider |= {tokens: merged for tokens in left if tokens != merged}
    return wider


def _with(tokens: Tokens, holes: Sequence[int], word: str) -> Tokens:
    changed = list(tokens)
    for at in holes:
        changed[at] = word
    return tuple(changed)


def covers(wide: Tokens, tokens: Tokens) -> bool:
    """Whether a template stands for these tokens: equal but where it has a parameter, and there a word or value."""
    return all(
        one == other or (one == _any(other) and other.strip() not in _SIGNS)
        for one, other in zip(wide, tokens, strict=True)
    )


def _any(token: str) -> str:
    return " " + ANY if token.startswith(" ") else ANY


def _is_parameter(templates: Sequence[Tokens], at: int, setting: Setting) -> bool:
    """What the words seen in one place, and the word before it, say of the place."""
    words = {tokens[at].strip() for tokens in templates}
    if len(words) == 1:
        return False
    if len({_DIGITS.sub("0", word) for word in words}) == 1:
        return True
    if ANY in words and all(_is_value(word) for word in words):
        return True
    before = templates[0][at - 1].strip() if at else ""
    if before.lower() in _NOUNS or (ANY in words and before in _NAMING):
        return True
    if before in _NAMING:
        return len(words) >= setting.named_values_min
    # The first word, and one in capitals, tell what happened rather than to whom.
    telling = sum(word.isupper() or not before for word in words if not _is_value(word))
    needed = setting.named_values_min if before.lower() in _PREPOSITIONS else setting.values_min
    return len(words) - telling >= needed


def _is_value(word: str) -> bool:
    return word == ANY or bool(_DIGITS.search(word))
