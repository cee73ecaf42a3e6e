"""The services drawn as a map: who calls stands left, what is called stands right, health by word, shape and colour.

It is laid out as runs are (see `run_graph`). Dependencies that close a circle cannot be drawn from left to right; they
are counted, and the list names them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from handrail.web import run_graph
from handrail.web.run_graph import MARGIN, NODE_HEIGHT, NODE_WIDTH, TITLE_CHARS

_NARROW_LAYERS = 4


@dataclass(frozen=True)
class MapService:
    """`worst` is the severity of the worst alert that fires, None while nothing does."""

    name: str
    title: str
    tier: int
    href: str
    worst: str | None = None
    firing: int = 0
    calls: tuple[str, ...] = ()
    learned: frozenset[str] = frozenset()


def choose(services: Sequence[MapService], most: int) -> list[MapService]:
    """The services to draw: those that fire or have a dependency; of too many, what fires, then what calls it or is
    called by it, then by tier."""
    called = {other for one in services for other in one.calls}
    services = [one for one in services if one.worst or one.calls or one.name in called]
    if len(services) <= most:
        return list(services)
    firing = {one.name for one in services if one.worst}
    near = {one.name for one in services if firing & set(one.calls)}
    near |= {other for one in services if one.name in firing for other in one.calls}

    def weight(one: MapService) -> tuple[int, int, str]:
        return (0 if one.name in firing else 1 if one.name in near else 2, one.tier, one.name)

    kept = {one.name for one in sorted(services, key=weight)[:most]}
    return [one for one in services if one.name in kept]


def callers_of(services: Iterable[MapService]) -> dict[str, tuple[str, ...]]:
    """Who calls each service, among these."""
    found: dict[str, list[str]] = {one.name: [] for one in services}
    for one in services:
        for other in one.calls:
            if other in found:
                found[other].append(one.name)
    return {name: tuple(callers) for name, callers in found.items()}


def not_drawn(services: Sequence[MapService]) -> int:
    """How many dependencies close a circle."""
    callers = callers_of(services)
    depth = run_graph.layers_of(callers)
    return sum(depth[caller] >= depth[name] for name, each in callers.items() for caller in each)


def service_map(services: Sequence[MapService], shapes: Mapping[str, str]) -> Markup:
    """The drawing; a sentence instead when there is no service. `shapes` are our own signs of severities."""
    if not services:
        return Markup('<p class="chart-empty">Nothing to draw: no service has a dependency, and nothing fires.</p>')
    known = {one.name: one for one in services}
    layout = _arranged(tuple(callers_of(services).items()))
    column = {vertex: n for n, layer in enumerate(layout.layers) for vertex in layer}
    width = run_graph.width_of(len(layout.layers))
    height = MARGIN * 2 + max(layout.y[v] + run_graph.height_of(v, known) for layer in layout.layers for v in layer)
    edges = [_edge(known, route, run_graph.path_of(route, layout, column, known)) for route in layout.routes]
    nodes = [_node(one, column[one.name], layout.y[one.name], shapes) for one in services]
    sick = sum(one.worst is not None for one in services)
    broad = " broad" if len(layout.layers) > _NARROW_LAYERS else ""
    said = f"Map of {len(services)} services, {sick} with a firing alert. The same services are in the list."
    return Markup(
        '<svg class="run-graph service-map{5}" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="group" '
        'aria-label="{2}"><g>{3}</g><g>{4}</g></svg>'
    ).format(width, round(height), said, Markup("").join(edges), Markup("").join(nodes), broad)


@lru_cache(maxsize=8)
def _arranged(callers: tuple[tuple[str, tuple[str, ...]], ...]) -> "run_graph.Layout":
    """Where services stand depends on their dependencies alone, and health changes much more often."""
    return run_graph.arrange(dict(callers))


def _edge(known: Mapping[str, MapService], route: Sequence[str], path: str) -> Markup:
    caller, called = known[route[0]], known[route[-1]]
    looks = (
        "edge"
        + (" learned" if called.name in caller.learned else "")
        + (f" failing edge-{called.worst}" if called.worst else "")
    )
    return Markup('<path class="{}" d="{}"/>').format(looks, path)


def _node(one: MapService, column: int, y: float, shapes: Mapping[str, str]) -> Markup:
    health = f"{one.worst} · {one.firing} firing" if one.worst else "nothing fires"
    title = one.title if len(one.title) <= TITLE_CHARS else f"{one.title[: TITLE_CHARS - 1]}…"
    if one.worst is not None and one.worst in shapes:
        sick = f" sick edge-{one.worst}"
        drawn = Markup(shapes[one.worst])  # noqa: S704
        sign = Markup('<g class="severity-shape" transform="translate(10 12)">{}</g>').format(drawn)
    else:
        sick = ""
        sign = Markup('<g class="node-sign" transform="translate(10 12)">{}</g>').format(run_graph.status_shape("done"))
    return Markup(
        '<a class="node map-node{sick}" href="{href}" transform="translate({x} {y})"><title>{said}</title>'
        '<rect class="node-box" width="{w}" height="{h}" rx="6"/>{sign}'
        '<text class="node-title" x="34" y="25">{title}</text>'
        '<text class="node-under" x="34" y="43">{under}</text></a>'
    ).format(
        sick=sick,
        href=one.href, x=run_graph.left_of(column), y=MARGIN + y, w=NODE_WIDTH, h=NODE_HEIGHT, sign=sign, title=title,
        under=f"{health} · tier {one.tier}", said=f"{one.title} ({one.name}), tier {one.tier}: {health}.",
    )  # fmt: skip
