"""Reads YAML that others wrote: plain values only, no aliases, faults with line and column."""

from collections.abc import Iterable
from typing import Any

import yaml

from handrail.kernel.errors import BadInput, Fault


class _Plain(yaml.SafeLoader):
    """YAML without aliases: a few lines of them can stand for more text than any machine can hold."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read here; write it out", mark)
        return super().compose_node(parent, index)


class _Unique(_Plain):
    """And without a key that stands twice in one mapping: the first of the two would be dropped unseen."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        made = super().construct_mapping(node, deep)
        if len(made) < len(node.value):
            seen: set[str] = set()
            for key, _ in node.value:
                if str(key.value) in seen:
                    what = f"the key “{str(key.value)[:60]}” stands twice; keep one"
                    raise yaml.constructor.ConstructorError(None, None, what, key.start_mark)
                seen.add(str(key.value))
        return made


def load_yaml(text: str, unique_keys: bool = False) -> list[Any]:
    """All documents of a YAML text but the empty ones. Raises BadInput with line and column."""
    try:
        loader = _Unique if unique_keys else _Plain
        return [item for item in yaml.load_all(text, Loader=loader) if item is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        what = str(getattr(error, "problem", None) or "it is not YAML")
        raise BadInput("The document is not readable YAML.", "yaml", (Fault(where, what),)) from None
    except (ValueError, RecursionError) as error:
        what = "It is nested too deeply." if isinstance(error, RecursionError) else f"A value cannot be read: {error}"
        raise BadInput("The document is not readable YAML.", "yaml", (Fault("1:1", what),)) from None


def at_lines(text: str, faults: Iterable[Fault]) -> list[Fault]:
    """The same faults of a text that `load_yaml` reads, in order of the text, each at `line:column` instead of at its
    JSON pointer over the list of documents. What is not there is reported at what should hold it."""
    roots = [node for node in yaml.compose_all(text, Loader=_Plain) if not _is_empty(node)]
    placed = [(_mark(roots, fault.where), fault.what) for fault in faults]
    return [Fault(f"{line}:{column}", what) for (line, column), what in sorted(placed)]


def _is_empty(node: Any) -> bool:
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"))


def _mark(roots: list[Any], pointer: str) -> tuple[int, int]:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    if not parts or not parts[0].isdecimal() or int(parts[0]) >= len(roots):
        return 1, 1
    node = roots[int(parts[0])]
    mark = node.start_mark
    for part in parts[1:]:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if str(key.value) == part), None)
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        elif isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
            node = node.value[int(part)]
            mark = node.start_mark
        else:
            break
    return mark.line + 1, mark.column + 1
