"""All nouns by kind: what the shell, the projections and the rebuild walk over."""

from handrail.domain import (
    account,
    candidate,
    change,
    correction,
    document,
    finding,
    gate,
    incident,
    message,
    proposal,
    review,
    run,
    silence,
    source,
)
from handrail.domain.noun import Noun

NOUNS: dict[str, Noun] = {
    module.NOUN.kind: module.NOUN
    for module in (
        account, candidate, change, correction, document, finding, gate, incident, message, proposal, review, run,
        silence, source,
    )
}  # fmt: skip
