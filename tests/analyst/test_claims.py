"""Every citation is held against its evidence; what does not stand there is dropped and told."""

import pytest
from tests.analyst.estates import at, to_text_of

from handrail.analyst.claims import Checked, Claim, check
from handrail.domain.finding import Citation
from handrail.kernel.canonical import canonical, digest

VALUE = {"rows": [{"title": "Pool exhausted", "at": to_text_of(0)}], "error_rate": 0.5, "count": 3, "healthy": False}
EVIDENCE = {digest(VALUE): canonical(VALUE), "plain": b"line one\nline two"}
D = digest(VALUE)


def claim(quote: str, evidence: str = D, **more: object) -> Claim:
    return Claim(Citation(evidence, quote, "what it shows"), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "kept",
    [
        claim("Pool exhausted"),
        claim("exhausted"),
        claim("0.5"),
        claim("5e-1"),
        claim("3"),
        claim('"healthy":false'),
        claim("line two", "plain"),
        claim("Pool exhausted", at=at(0)),
        claim("Pool exhausted", at=at(0), not_after=at(0)),
    ],
)
def test_what_stands_in_the_evidence_is_kept(kept: Claim) -> None:
    assert check([kept], EVIDENCE) == Checked((kept.citation,), ())


@pytest.mark.parametrize(
    ("dropped", "why"),
    [
        (claim("Pool exhausted", "f" * 64), "does not exist"),
        (claim("pool exhausted"), "does not say that"),
        (claim("0.51"), "does not say that"),
        (claim("2026"), "does not say that"),
        (claim("1"), "does not say that"),
        (claim(""), "quotes nothing"),
        (claim("  "), "quotes nothing"),
        (claim("line three", "plain"), "does not say that"),
        (claim("Pool exhausted", at=at(1)), "no such time"),
        (claim("Pool exhausted", at=at(0), not_after=at(-1)), "comes after"),
    ],
)
def test_what_does_not_stand_there_is_dropped_and_told(dropped: Claim, why: str) -> None:
    checked = check([dropped, claim("0.5")], EVIDENCE)
    assert checked.kept == (claim("0.5").citation,)
    assert len(checked.dropped) == 1
    assert checked.dropped[0].startswith("“what it shows” was dropped: ")
    assert why in checked.dropped[0]


def test_a_number_that_is_only_part_of_another_is_not_a_measured_one() -> None:
    assert not check([claim("0")], EVIDENCE).kept
