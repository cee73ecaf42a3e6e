"""How the words that one source uses for severities are read: its own mapping before its format's table and the ladder.

Pure. The sender's word is kept as it came; only the rung that it stands for is decided here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from handrail.domain.alert import Occurrence, Severity, known_severity, spellings
from handrail.kernel.errors import Fault
from handrail.kernel.limits import LIMITS

RUNGS = tuple(rung.value for rung in Severity)


@dataclass(frozen=True)
class SeverityMapping:
    """`words`: a word, in lower case, to the rung that it stands for. `label`: the label whose value is the word,
    where the alert has it; empty: the word is what the format takes for the severity."""

    words: dict[str, Severity] = field(default_factory=dict)
    label: str = ""

    def grade(self, said: Occurrence) -> Occurrence:
        """What was said, with the rung that this mapping gives it. A label's word stands in for the format's."""
        labelled = said.labels.get(self.label, "") if self.label else ""
        word = labelled or said.severity_raw or ""
        rung = self.words.get(plain(word))
        if labelled:
            return replace(said, severity_raw=labelled, severity=rung)
        return said if rung is None else replace(said, severity=rung)

    def grade_all(self, said: Sequence[Occurrence]) -> tuple[Occurrence, ...]:
        return tuple(map(self.grade, said))


def plain(word: str) -> str:
    """A word as mappings write it: without case and outer space."""
    return word.strip().lower()


def mapping_of(words: Mapping[str, str], label: str) -> SeverityMapping | tuple[Fault, ...]:
    """The mapping that people asked for, or all that is wrong with it."""
    faults: list[Fault] = []
    if len(words) > LIMITS.severity_words_per_source:
        faults.append(Fault("/words", f"a mapping has at most {LIMITS.severity_words_per_source} words"))
        return tuple(faults)
    read: dict[str, Severity] = {}
    for said, rung in words.items():
        faults += _faults_of(said, rung)
        word = plain(said)
        if word in read:
            faults.append(Fault(f"/words/{said[:40]}", "is there twice; case and outer space make no difference"))
        if rung in RUNGS:
            read[word] = Severity(rung)
    name = label.strip().removeprefix("labels.")
    if len(name) > LIMITS.label_chars or not name.isprintable():
        faults.append(Fault("/label", f"a label's name has up to {LIMITS.label_chars} printable characters"))
    return tuple(faults) if faults else SeverityMapping(dict(sorted(read.items())), name)


def _faults_of(said: str, rung: str) -> list[Fault]:
    where, faults = f"/words/{said[:40]}", []
    if not plain(said) or len(said) > LIMITS.severity_word_chars or not said.isprintable():
        faults.append(Fault(where, f"a word has 1 to {LIMITS.severity_word_chars} printable characters"))
    if rung not in RUNGS:
        faults.append(Fault(where, f"“{rung[:40]}” is no severity; there are {', '.join(RUNGS)}"))
    return faults


def is_known(word: str, *tables: Mapping[str, Severity]) -> bool:
    """Whether the ladder or one of the tables reads a word."""
    return known_severity(word) is not None or any(said in table for said in spellings(word) for table in tables)
