"""What a source's payload is read as, without storing anything: the same parsing and grading as at the door."""

from dataclasses import replace
from datetime import datetime

from handrail.domain.source import Source
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.registry import integration


def read_as(source: Source, inbound: Inbound, now: datetime) -> Parsed:
    """What was said, graded by the source's own mapping. Raises a Refused leaf when nothing of it can be read."""
    parsed = integration(source.integration).parse(inbound, now)
    return replace(parsed, occurrences=source.severities.grade_all(parsed.occurrences))
