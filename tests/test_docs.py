"""What the docs list is what the code has."""

from dataclasses import fields
from pathlib import Path

from handrail.kernel.limits import LIMITS
from handrail.settings import Settings

ROOT = Path(__file__).parents[1]


def test_every_limit_stands_in_the_docs_and_no_other() -> None:
    listed = {
        line.split("`")[1] for line in (ROOT / "docs/limits.md").read_text().splitlines() if line.startswith("| `")
    }
    assert listed == {field.name for field in fields(LIMITS)}


def test_every_setting_stands_in_the_docs() -> None:
    text = (ROOT / "docs/settings.md").read_text()
    assert [name for name in Settings.model_fields if f"`HANDRAIL_{name.upper()}`" not in text] == []


def test_every_direct_dependency_has_a_line_in_the_docs() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {item.split(">")[0].split("[")[0].split(";")[0].split("=")[0].strip() for item in project["dependencies"]}
    text = (ROOT / "docs/dependencies.md").read_text()
    assert [name for name in sorted(names) if name not in text] == []


def test_readme_starts_with_the_two_commands() -> None:
    commands = [
        line.strip() for line in (ROOT / "README.md").read_text().splitlines() if line.strip().startswith("make ")
    ]
    assert [command.split()[1] for command in commands[:2]] == ["demo", "test"]
