"""What the API promises in writing: its description, what each error code means, and how lean it starts."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handrail.kernel import errors
from handrail.web import openapi
from tests.web.conftest import Site

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "handrail").rglob("*.py"))
LEAVES = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.HandrailError)
}
# Codes that stand in a body without being raised as an error of the tree.
ELSEWHERE = {"method_not_allowed", "http_error"}
# What only the command line can meet is told on the terminal and needs no page.
TERMINAL = ("cli", "drills", "settings.py", "__main__.py")


def described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(openapi.FILE.read_text())
    return found


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_committed_description_is_what_the_routes_say() -> None:
    assert openapi.main(["--check"]) == 0, "run: python -m handrail.web.openapi --write"


def test_drift_is_told_with_the_command_that_mends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = tmp_path / "openapi.json"
    stale.write_text("{}")
    assert openapi.main(["--check", str(stale)]) == 1
    assert "--write" in capsys.readouterr().err
    assert openapi.main(["--write", str(stale)]) == 0
    assert openapi.main(["--check", str(stale)]) == 0
    assert openapi.main([]) == 2


def test_every_operation_has_a_name_of_its_own_a_summary_and_its_errors() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert sorted(names) == sorted(set(names))
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)
    for path, method, operation in operations():
        assert operation["summary"], path
        if path.startswith("/api/v1/") and operation["security"]:
            assert {"401", "403"} <= set(operation["responses"]), path
            assert ("412" in operation["responses"]) is (method == "post"), path


def test_every_request_has_an_example_of_what_must_be_said() -> None:
    schemas = described()["components"]["schemas"]
    for path, _, operation in operations():
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            schema = content["schema"]
            if media_type != "application/json" or "$ref" not in schema:
                continue
            known = schemas[schema["$ref"].rsplit("/", 1)[-1]]
            for name in known.get("required", ()):
                if name in ("account_id",):
                    continue
                told = known["properties"][name]
                assert told.get("examples") or told.get("enum"), f"{path}: {name}"


def test_every_request_refuses_fields_that_are_not_known() -> None:
    schemas = described()["components"]["schemas"]
    for path, _, operation in operations():
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        for part in [schema, *schema.get("anyOf", ())]:
            if "$ref" in part:
                assert schemas[part["$ref"].rsplit("/", 1)[-1]]["additionalProperties"] is False, path


def test_the_description_is_served(empty_site: Site) -> None:
    answer = empty_site.nobody.get("/openapi.json")
    assert answer.json() == described()
    assert answer.json()["openapi"].startswith("3.1")


def codes() -> set[str]:
    """Every code that an error of the tree is raised with."""
    found = {leaf.default_code for leaf in LEAVES.values()} | ELSEWHERE
    for file in SOURCES:
        if file.relative_to(ROOT / "src" / "handrail").parts[0] not in TERMINAL:
            found |= set(_codes_in(ast.parse(file.read_text())))
    return found


def _codes_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in LEAVES:
            continue
        given = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "code")]
        yield from (part.value for part in given if isinstance(part, ast.Constant) and isinstance(part.value, str))


def headings() -> list[str]:
    return re.findall(r"^## `([a-z0-9_]+)`$", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE)


def test_every_error_code_has_its_heading_in_the_docs() -> None:
    assert sorted(codes() - set(headings())) == []


def test_no_heading_stands_twice_or_out_of_order() -> None:
    assert headings() == sorted(set(headings()))


def test_no_heading_is_left_of_a_code_that_is_gone() -> None:
    whole = "\n".join(file.read_text() for file in SOURCES)
    assert [heading for heading in headings() if f'"{heading}"' not in whole] == []


def test_the_type_of_a_problem_leads_to_its_meaning(empty_site: Site) -> None:
    problem = empty_site.nobody.get("/me").json()
    page = empty_site.nobody.get(problem["type"].partition("#")[0])
    assert page.headers["content-type"].startswith("text/html")
    assert f'<h2 id="{problem["code"]}">' in page.text


def test_the_application_starts_without_what_it_may_never_need() -> None:
    heavy = ("alembic", "dbos", "uvicorn", "httpx2", "jinja2", "numpy")
    program = (
        "import sys; from handrail.web.app import build_api; build_api(); "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT / "src"
    )
    assert found.stdout.strip() == "[]"
