"""The catalogue at the command line. Nothing here changes what is in force: other files count on the first version."""

import json
from pathlib import Path

from tests.cli.conftest import Cast

TABLE = "name,owner,tier,depends_on,colour\nimported-web,team-web,1,imported-db;gone,red\nimported-db,,2,,\n"


def test_an_import_tells_what_it_left_out_and_prints_a_document_that_reads(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "services.csv").write_text(TABLE)
    said = cast.maria("catalog", "import", "csv", str(tmp_path / "services.csv"), "--print")
    assert "kind: catalog" in said.out and "imported-web:" in said.out
    assert "2 services are new, 0 change." in said.err
    for loss in ("column “colour” has no place", "depends on gone, which is not", "owner of imported-db"):
        assert loss in said.err


def test_an_import_is_put_forward_as_a_document_and_nothing_else(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "services.csv").write_text(TABLE)
    said = cast.maria.json("catalog", "import", "csv", str(tmp_path / "services.csv"), "--dry-run")
    assert "imported-web" in json.dumps(said)
    assert "imported-web" not in cast.maria("catalog", "show").out


def test_a_file_of_another_kind_ends_with_its_place_and_usage(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"resourceSpans": [\n  {]}')
    said = cast.maria("catalog", "import", "otel-traces", str(tmp_path / "broken.json"), code=2)
    assert "not readable JSON" in said.err and "2:4" in said.err
    assert "no importer" in cast.maria("catalog", "import", "nagios", str(tmp_path / "broken.json"), code=3).err
    assert "There is no file" in cast.maria("catalog", "import", "csv", str(tmp_path / "none"), code=3).err


def test_rules_are_tried_and_what_resolves_to_nothing_is_not_found(cast: Cast) -> None:
    said = cast.jonas("catalog", "resolve", "--service", "nowhere-at-all", "--label", "pod=x", code=3)
    assert "which is not in the catalogue" in said.err
    assert cast.jonas.json("catalog", "resolve", "--label", "pod=x")["service"] is None
    assert cast.jonas("catalog", "resolve", "--label", "pod", code=2).err.startswith("A label is written")


def test_the_schema_and_unresolved_alerts_are_data(cast: Cast) -> None:
    assert cast.jonas.json("catalog", "schema")["title"] == "Handrail catalogue"
    assert set(cast.jonas.json("catalog", "unresolved")) == {"total", "items"}
