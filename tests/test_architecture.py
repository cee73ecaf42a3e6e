"""Imports point inwards only: the import graph, read from the sources, has no edge outside the drawn layers.

kernel <- domain <- record, store <- operations <- signals, analyst, engine, drills, insight <- web, cli.
Plugins import kernel, domain and each other's contracts. `wiring.py` alone joins ports to adapters.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src" / "handrail"
FILES = sorted(SOURCES.rglob("*.py"))

_INNER = {"kernel", "domain"}
_MIDDLE = _INNER | {"record", "store", "plugins"}
_SHELL = _MIDDLE | {"operations"}
_OUTER = _SHELL | {"signals", "analyst", "engine", "insight", "web"}
# Whole modules at the top that put a process together; only they and the command line may see everything.
ASSEMBLY = {"wiring", "serve", "telemetry", "tracing", "__main__"}
LAYERS: dict[str, set[str]] = {
    "kernel": {"kernel"},
    "domain": _INNER,
    "plugins": _INNER | {"plugins"},
    "documents": set(),
    "record": _INNER | {"record", "store"},
    "store": _INNER | {"store"},
    "operations": _MIDDLE | {"operations", "documents"},
    "signals": _SHELL | {"signals"},
    "analyst": _SHELL | {"analyst"},
    "engine": _SHELL | {"engine"},
    "drills": _SHELL | {"drills"},
    "insight": _SHELL | {"insight"},
    "evals": _SHELL | {"signals", "analyst", "evals"},
    "web": _OUTER,
    "cli": _OUTER | {"drills", "evals", "cli", "settings"} | ASSEMBLY,
    "settings": {"kernel"},
    "handrail": set(),
} | {module: _OUTER | {"drills", "evals", "cli", "settings"} | ASSEMBLY for module in ASSEMBLY}


def module_of(file: Path) -> str:
    parts = file.relative_to(SOURCES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "handrail"


def imports_of(file: Path) -> Iterator[str]:
    """Every module that the file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module_of(file)} imports by a relative name"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(module: str) -> str:
    return module.split(".")[0]


def own_imports(file: Path) -> set[str]:
    names = {name.removeprefix("handrail.") for name in imports_of(file) if name.startswith("handrail.")}
    return names - {"__version__"}


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_imports_point_inwards_only(file: Path) -> None:
    module = module_of(file)
    assert layer_of(module) in LAYERS, f"{layer_of(module)} stands in no layer; say in this test where it belongs"
    allowed = LAYERS[layer_of(module)]
    wrong = {target for target in own_imports(file) if layer_of(target) not in allowed}
    assert wrong == set()


def test_only_one_module_imports_the_engine_library() -> None:
    found = {module_of(file) for file in FILES for name in imports_of(file) if name.split(".")[0] == "dbos"}
    assert found == {"engine.durable"}


def test_the_domain_and_the_kernel_import_no_database_no_network_and_no_framework() -> None:
    outside = {"sqlalchemy", "alembic", "psycopg", "fastapi", "starlette", "dbos", "httpx2", "httpcore2", "jinja2",
               "socket", "threading", "random", "os"}  # fmt: skip
    found = {
        (module_of(file), name)
        for file in FILES
        for name in imports_of(file)
        if layer_of(module_of(file)) in _INNER and name.split(".")[0] in outside
    }
    assert found == set()


def test_the_domain_reads_no_clock() -> None:
    readers = {"now", "utcnow", "today", "monotonic", "time", "time_ns", "perf_counter"}
    found = [
        f"{module_of(file)}:{node.lineno}"
        for file in FILES
        if layer_of(module_of(file)) == "domain"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in readers
    ]
    assert found == []


def test_a_plugin_imports_no_other_plugin() -> None:
    """`plugins/actions/x` may import its own folder, its kind's shared files, and the one client for the outside."""
    found = []
    for file in FILES:
        parts = module_of(file).split(".")
        if len(parts) < 3 or not (SOURCES / "plugins" / parts[1] / parts[2]).is_dir():
            continue
        for target in own_imports(file):
            other = target.split(".")
            foreign = len(other) > 2 and other[0] == "plugins" and (SOURCES / "/".join(other[:3])).is_dir()
            if foreign and other[:3] != parts[:3]:
                found.append(f"{module_of(file)} -> {target}")
    assert found == []


def test_operations_know_a_plugin_by_its_contract_alone() -> None:
    """What lies inside of the assembly asks a port; which plugin stands behind it is decided by the wiring."""
    found = set()
    for file in FILES:
        if layer_of(module_of(file)) in ("plugins", "drills", "cli", *ASSEMBLY):
            continue
        for target in own_imports(file):
            parts = target.split(".")
            if parts[0] == "plugins" and len(parts) > 2 and (SOURCES / "/".join(parts[:3])).is_dir():
                found.add(f"{module_of(file)} -> {target}")
    # The doors answer as Alertmanager and PagerDuty do, so they know these two formats by name.
    assert {edge for edge in found if edge.split(" ")[0] not in ("signals.doors", "signals.reading")} == set()


def test_the_stand_alone_verifier_imports_nothing_of_ours() -> None:
    names = set(imports_of(SOURCES / "record" / "verifier.py"))
    assert not {name for name in names if name.split(".")[0] == "handrail"}


def test_only_the_record_writes_entries() -> None:
    """No other module names the record's tables in an INSERT, UPDATE or DELETE."""
    owned = {"entry", "head", "tile", "checkpoint"}
    found = set()
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.Attribute) and node.attr in ("insert", "update", "delete")):
                continue
            table = node.value
            if isinstance(table, ast.Attribute) and table.attr in owned and layer_of(module_of(file)) != "record":
                found.add(f"{module_of(file)} {node.attr} {table.attr}")
    assert found == {"store.migrate insert head"}
