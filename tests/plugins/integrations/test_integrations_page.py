"""Every integration tells how its sender is set up, on one page that is never behind the code."""

from pathlib import Path

from handrail.plugins.integrations.page import text
from handrail.plugins.integrations.registry import integrations

PAGE = Path(__file__).parents[3] / "docs" / "integrations.md"


def test_the_page_is_what_the_manifests_say() -> None:
    assert PAGE.read_text() == text(), "run: python -m handrail.plugins.integrations.page > docs/integrations.md"


def test_every_manifest_says_how_its_sender_is_set_up() -> None:
    assert [each.name for each in integrations().values() if len(each.docs.strip()) < 100] == []
