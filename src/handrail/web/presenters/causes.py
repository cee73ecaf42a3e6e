"""The likely cause with what it stands on."""

from collections.abc import Mapping

from handrail.domain.finding import Citation, Finding
from handrail.store.queries import Evidence
from handrail.web import views as v
from handrail.web.presenters.charts import Figure, Marks, charts, read_figure, shown_lines
from handrail.web.presenters.names import Names

_WORDS = ((85, "Very likely"), (65, "Likely"), (40, "Possible"), (0, "A weak lead"))
_KINDS = {"alerts": "alerts", "changes": "change", "topology": "dependencies", "signal": "signal"}


def cause_card(finding: Finding, kept: Mapping[str, Evidence], marks: Marks, names: Names) -> v.CauseCard:
    """`kept` are the snapshots that the finding cites, by digest."""
    return v.CauseCard(
        id=finding.id,
        claim=finding.claim,
        confidence=confidence(finding),
        origin=v.Actor("machine", names.of("analyst")),
        at=finding.made_at,
        evidence=_evidence(finding, kept, marks),
        rejected=tuple(
            v.Rejected(f"{other.cause} ({other.confidence} %)", other.why_lower) for other in finding.alternatives
        ),
        looked_at=finding.looked_at,
        dropped=finding.dropped,
        would_change=finding.would_change,
        is_clear=finding.cause_kind != "inconclusive",
    )


def confidence(finding: Finding) -> v.Confidence:
    word = next(word for least, word in _WORDS if finding.confidence >= least)
    return v.Confidence(finding.confidence / 100, word, finding.meaning)


def _evidence(finding: Finding, kept: Mapping[str, Evidence], marks: Marks) -> tuple[v.EvidenceItem, ...]:
    """One item for each snapshot, with all that is cited of it: signals first, because they are drawn."""
    cited: dict[str, list[Citation]] = {}
    for citation in finding.citations:
        cited.setdefault(citation.evidence, []).append(citation)
    items = [
        _item(f"{finding.id}-{at}", found, citations, marks, finding.service)
        for at, (digest, citations) in enumerate(cited.items())
        if (found := kept.get(digest)) is not None
    ]
    return tuple(sorted(items, key=lambda item: not item.charts))


def _item(
    item_id: str, found: Evidence, citations: list[Citation], marks: Marks, service: str | None
) -> v.EvidenceItem:  # fmt: skip
    figure = read_figure(found.digest, found.content)
    sentences = dict.fromkeys(citation.shows for citation in citations)
    return v.EvidenceItem(
        id=item_id,
        kind=_KINDS.get(figure.kind, figure.kind),
        sentence=" ".join(sentences),
        source=figure.source,
        digest=found.digest,
        at=found.made_at,
        charts=charts(figure, marks, _wanted(figure, service)),
        lines=tuple(
            v.LogLine(line, marked) for line, marked in shown_lines(figure, (citation.quote for citation in citations))
        )
        if not figure.series
        else (),
    )


def _wanted(figure: Figure, service: str | None) -> tuple[str, ...] | None:
    """Everything of the service in question; of its callers only whether they fail."""
    return None if figure.service == service else ("error_rate",)
