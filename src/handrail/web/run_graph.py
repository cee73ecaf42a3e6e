"""A run drawn as a layered graph: longest-path layers from left to right, barycentre order, curved edges.

Edges over several layers pass through empty places of their own, so that they do not cross tasks.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from textwrap import wrap

from markupsafe import Markup

NODE_WIDTH, NODE_HEIGHT = 196, 56
GAP_X, GAP_Y, PLACE_HEIGHT, MARGIN = 40, 14, 12, 10
SWEEPS = 12
TITLE_CHARS = 25


@dataclass(frozen=True)
class GraphTask:
    """One task in the drawing. `status` is one of the words in STATUSES; `kind` person or machine."""

    id: str
    title: str
    status: str
    kind: str
    href: str
    owner: str | None = None
    overdue: bool = False
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunGraph:
    title: str
    tasks: tuple[GraphTask, ...]


@dataclass
class Layout:
    """Vertices by layer, in order; a vertex that is not a task is a place on a long edge."""

    layers: list[list[str]]
    edges: list[tuple[str, str]]
    routes: list[list[str]]
    y: dict[str, float] = field(default_factory=dict)


def run_graph(graph: RunGraph) -> Markup:
    """The drawing; a sentence instead when there are no tasks."""
    if not graph.tasks:
        return Markup('<p class="chart-empty">This run has no tasks.</p>')
    tasks = {task.id: task for task in graph.tasks}
    layout = arrange({task.id: task.needs for task in graph.tasks})
    column = {vertex: n for n, layer in enumerate(layout.layers) for vertex in layer}
    width = width_of(len(layout.layers))
    height = MARGIN * 2 + max(layout.y[v] + height_of(v, tasks) for layer in layout.layers for v in layer)
    edges = [_edge(route, layout, column, tasks) for route in layout.routes]
    nodes = [_node(task, column[task.id], layout.y[task.id]) for task in graph.tasks]
    return Markup(
        '<svg class="run-graph" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="group" aria-label="{2}">'
        "<g>{3}</g><g>{4}</g></svg>"
    ).format(width, round(height), _said(graph), Markup("").join(edges), Markup("").join(nodes))


def layers_of(needs: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """The layer of each task: one more than the deepest task it needs.

    Needs that are unknown are left out, and so are those that would close a circle: a drawing never hangs.
    """
    found: dict[str, int] = {}
    known = {name: [n for n in wanted if n in needs and n != name] for name, wanted in needs.items()}
    for name in needs:
        waiting, open_names = [name], set()
        while waiting:
            top = waiting[-1]
            open_names.add(top)
            unmet = [n for n in known[top] if n not in found and n not in open_names]
            if unmet:
                waiting.append(unmet[0])
                continue
            found.setdefault(top, 1 + max((found[n] for n in known[top] if n in found), default=-1))
            open_names.discard(waiting.pop())
    return found


def arrange(needs: Mapping[str, Sequence[str]]) -> Layout:
    """Layers, order within them, and heights."""
    depth = layers_of(needs)
    layout = Layout([[] for _ in range(max(depth.values()) + 1)], [], [])
    for name in needs:
        layout.layers[depth[name]].append(name)
    for name, wanted in needs.items():
        for source in dict.fromkeys(wanted):
            if source in depth and depth[source] < depth[name]:
                _route(layout, source, name, depth)
    _order(layout)
    _heights(layout, set(needs))
    return layout


def _route(layout: Layout, source: str, target: str, depth: Mapping[str, int]) -> None:
    route = [source]
    for layer in range(depth[source] + 1, depth[target]):
        place = f"\x00{source}\x00{target}\x00{layer}"
        layout.layers[layer].append(place)
        route.append(place)
    route.append(target)
    layout.routes.append(route)
    layout.edges += list(pairwise(route))


def _order(layout: Layout) -> None:
    """Sweep forth and back, each vertex at the mean place of its neighbours; keep the order with fewest crossings."""
    before, after = _neighbours(layout.edges)
    best = [list(layer) for layer in layout.layers]
    fewest = crossings(layout)
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        span = range(1, len(layout.layers)) if forth else range(len(layout.layers) - 2, -1, -1)
        for n in span:
            fixed = layout.layers[n - 1 if forth else n + 1]
            _sort_layer(layout.layers[n], fixed, before if forth else after)
        count = crossings(layout)
        if count < fewest:
            fewest, best = count, [list(layer) for layer in layout.layers]
    layout.layers = best


def _sort_layer(layer: list[str], fixed: Sequence[str], neighbours: Mapping[str, Sequence[str]]) -> None:
    place = {vertex: n for n, vertex in enumerate(fixed)}
    here = {vertex: n for n, vertex in enumerate(layer)}

    def mean(vertex: str) -> float:
        found = [place[n] for n in neighbours.get(vertex, ()) if n in place]
        return sum(found) / len(found) if found else float(here[vertex])

    layer.sort(key=lambda vertex: (mean(vertex), here[vertex]))


def crossings(layout: Layout) -> int:
    """How many pairs of edges cross between neighbouring layers."""
    place = {vertex: (n, m) for n, layer in enumerate(layout.layers) for m, vertex in enumerate(layer)}
    by_layer: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for source, target in layout.edges:
        by_layer[place[source][0]].append((place[source][1], place[target][1]))
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0 for pairs in by_layer.values() for n, a in enumerate(pairs) for b in pairs[:n]
    )


def _neighbours(edges: Iterable[tuple[str, str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = defaultdict(list)
    after: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        before[target].append(source)
        after[source].append(target)
    return before, after


def _heights(layout: Layout, tasks: set[str]) -> None:
    """Stack each layer, then pull each vertex towards its neighbours without changing the order."""
    before, after = _neighbours(layout.edges)
    for layer in layout.layers:
        y = 0.0
        for vertex in layer:
            layout.y[vertex] = y
            y += height_of(vertex, tasks) + GAP_Y
    for sweep in range(8):
        forth = sweep % 2 == 0
        for layer in layout.layers if forth else reversed(layout.layers):
            _settle(layer, layout.y, before if forth else after, tasks)
    least = min(layout.y.values())
    for vertex in layout.y:
        layout.y[vertex] = round(layout.y[vertex] - least, 1)


def _settle(
    layer: Sequence[str], y: dict[str, float], neighbours: Mapping[str, Sequence[str]], tasks: set[str]
) -> None:
    """Each vertex goes to the middle of its neighbours; overlaps are shared out evenly down and up."""
    wish = {vertex: _wish(vertex, y, neighbours, tasks) for vertex in layer}
    down: dict[str, float] = {}
    free = float("-inf")
    for vertex in layer:
        down[vertex] = max(wish[vertex], free)
        free = down[vertex] + height_of(vertex, tasks) + GAP_Y
    free = float("inf")
    for vertex in reversed(layer):
        top = min(wish[vertex], free - height_of(vertex, tasks))
        y[vertex] = (down[vertex] + top) / 2
        free = top - GAP_Y


def _wish(vertex: str, y: Mapping[str, float], neighbours: Mapping[str, Sequence[str]], tasks: set[str]) -> float:
    near = neighbours.get(vertex)
    if not near:
        return y[vertex]
    return sum(y[n] + height_of(n, tasks) / 2 for n in near) / len(near) - height_of(vertex, tasks) / 2


def height_of(vertex: str, tasks: Iterable[str]) -> int:
    """How high a vertex is: a node, or an empty place on a long edge."""
    return NODE_HEIGHT if vertex in tasks else PLACE_HEIGHT


def width_of(layers: int) -> int:
    """How wide a drawing of so many layers is."""
    return MARGIN * 2 + layers * NODE_WIDTH + (layers - 1) * GAP_X


def left_of(column: int) -> int:
    """Where the nodes of a layer begin."""
    return MARGIN + column * (NODE_WIDTH + GAP_X)


def _edge(route: Sequence[str], layout: Layout, column: Mapping[str, int], tasks: Mapping[str, GraphTask]) -> Markup:
    passed = tasks[route[0]].status in ("done", "skipped")
    path = path_of(route, layout, column, tasks)
    return Markup('<path class="edge{}" d="{}"/>').format(" passed" if passed else "", path)


def path_of(route: Sequence[str], layout: Layout, column: Mapping[str, int], known: Iterable[str]) -> str:
    """The line of a route, from the right side of its first vertex to the left side of its last."""

    def middle(vertex: str) -> float:
        return round(MARGIN + layout.y[vertex] + height_of(vertex, known) / 2, 1)

    path = f"M{left_of(column[route[0]]) + NODE_WIDTH} {middle(route[0])}"
    for here, after in pairwise(route):
        x, end = left_of(column[here]) + NODE_WIDTH, left_of(column[after])
        bend = (x + end) / 2
        path += f"C{bend} {middle(here)} {bend} {middle(after)} {end} {middle(after)}"
        if after != route[-1]:
            path += f"H{end + NODE_WIDTH}"
    return path


_SHAPES: dict[str, str] = {
    "waiting": "M3 8h10",
    "ready": "M5 3l8 5l-8 5z",
    "working": "M8 2a6 6 0 1 1 -6 6",
    "gate": "M4 7h8v6h-8zM5.5 7v-2a2.5 2.5 0 0 1 5 0v2",
    "done": "M3 8.5l3.5 3.5l6.5 -8",
    "failed": "M4 4l8 8M12 4l-8 8",
    "skipped": "M3 4l5 4l-5 4M9 4l5 4l-5 4",
    "unknown": "M5.5 6a2.5 2.5 0 1 1 3.5 2.3c-.8.4-1 .9-1 1.7M8 12.6v.4",
}
STATUSES: dict[str, tuple[str, str]] = {
    "waiting": ("waiting", "Waiting"),
    "ready": ("ready", "Ready"),
    "claimed": ("working", "In hand"),
    "running": ("working", "Running"),
    "waiting_for_gate": ("gate", "Waiting for approval"),
    "authorised": ("working", "Approved, about to run"),
    "blocked": ("failed", "Blocked"),
    "done": ("done", "Done"),
    "failed": ("failed", "Failed"),
    "skipped": ("skipped", "Skipped"),
    "cancelled": ("skipped", "Cancelled"),
    "outcome_unknown": ("unknown", "Outcome unknown"),
}


def status_look(status: str) -> tuple[str, str]:
    """The class and the word of a status; one that is not known is shown by its own word."""
    return STATUSES.get(status, ("waiting", status.replace("_", " ").capitalize()))


def status_shape(status: str) -> Markup:
    """The sign of a status, 16 by 16, for the drawing and for chips."""
    return Markup('<path class="sign" d="{}"/>').format(_SHAPES[status_look(status)[0]])


def _node(task: GraphTask, column: int, y: float) -> Markup:
    look, word = status_look(task.status)
    lines = wrap(task.title, TITLE_CHARS, max_lines=2, placeholder="…", break_long_words=True) or ["(no title)"]
    top = 19 if len(lines) == 2 else 25
    text = Markup("").join(
        Markup('<text class="node-title" x="34" y="{}">{}</text>').format(top + 13 * n, line)
        for n, line in enumerate(lines)
    )
    under = " · ".join(filter(None, ["Overdue" if task.overdue else word, task.owner]))
    return Markup(
        '<a class="node node-{look}{late} by-{kind}" href="{href}" transform="translate({x} {y})"><title>{said}</title>'
        '<rect class="node-box" width="{w}" height="{h}" rx="{r}"/>'
        '<g class="node-sign" transform="translate(10 12)">{shape}</g>{text}'
        '<text class="node-under" x="34" y="48">{under}</text></a>'
    ).format(
        look=look,
        late=" late" if task.overdue else "",
        kind=task.kind,
        href=task.href,
        x=left_of(column),
        y=MARGIN + y,
        w=NODE_WIDTH,
        h=NODE_HEIGHT,
        r=4 if task.kind == "machine" else 14,
        shape=status_shape(task.status),
        text=text,
        under=under[:30],
        said=f"{task.title}. {word}{', overdue' if task.overdue else ''}. "
        f"{'Machine' if task.kind == 'machine' else 'Person'}: {task.owner or 'nobody yet'}.",
    )


def _said(graph: RunGraph) -> str:
    done = sum(task.status in ("done", "skipped") for task in graph.tasks)
    return f"{graph.title}: {len(graph.tasks)} tasks, {done} finished. The same tasks are in the list."
