"""The template environment: strict, autoescaping, with the few filters that pages need. No database, no request."""

import hashlib
import re
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from handrail.web import run_graph, service_map, svg
from handrail.web.views import Page

HERE = Path(__file__).parent
TEMPLATES, STATIC = HERE / "templates", HERE / "static"

# Characters that are not seen but change what is read: controls, direction overrides, hidden tags. Direction marks and
# joiners, which languages need, stay.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")

ICONS: dict[str, str] = {
    "person": '<circle cx="8" cy="5" r="2.7"/><path d="M2.7 14c.5-3.2 2.6-4.8 5.3-4.8s4.8 1.6 5.3 4.8"/>',
    "machine": '<rect x="3" y="5" width="10" height="8" rx="1.5"/>'
    '<path d="M8 5V2.5M6 9h.01M10 9h.01M1.5 8v2.5M14.5 8v2.5"/>',
    "model": '<path d="M8 1.8l1.5 4.7 4.7 1.5-4.7 1.5L8 14.2l-1.5-4.7L1.8 8l4.7-1.5z"/>',
    "check": '<path d="M3 8.5l3.5 3.5L13 4.5"/>',
    "cross": '<path d="M4 4l8 8M12 4l-8 8"/>',
    "clock": '<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.5 1.5"/>',
    "lock": '<rect x="3.5" y="7" width="9" height="6.5" rx="1"/><path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2"/>',
    "copy": '<rect x="5.5" y="5.5" width="8" height="8" rx="1"/><path d="M10.5 5.5v-3h-8v8h3"/>',
    "theme": '<circle cx="8" cy="8" r="6"/><path d="M8 2v12a6 6 0 0 0 0-12z" fill="currentColor"/>',
    "link": '<path d="M6.5 3h-3.5v10h10v-3.5M9.5 2.5h4v4M13.5 2.5l-6 6"/>',
    "dash": '<path d="M3.5 8h9"/>',
    "hourglass": '<path d="M4 2h8M4 14h8M5 2c0 4 6 4 6 6s-6 2-6 6M11 2c0 4-6 4-6 6"/>',
    "question": '<path d="M5.5 5.5a2.5 2.5 0 1 1 3.5 2.3c-.8.4-1 .9-1 1.9M8 12.8v.2"/>',
    "warning": '<path d="M8 2l6.5 11.5h-13zM8 6.5v3M8 11.5v.2"/>',
    "bell": '<path d="M3.5 11.5c1-1 1-2.5 1-4.5a3.5 3.5 0 0 1 7 0c0 2 0 3.5 1 4.5zM6.7 13.8h2.6"/>',
    "send": '<path d="M2 7.5L14 2.5l-4 11.5-2.7-4.8z"/>',
    "graph": '<rect x="1.5" y="6" width="4" height="4"/><rect x="10.5" y="2" width="4" height="4"/>'
    '<rect x="10.5" y="10" width="4" height="4"/><path d="M5.5 8h2.5V4h2.5M8 8v4h2.5"/>',
}
SEVERITY_SHAPES: dict[str, str] = {
    "critical": '<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z"/><path class="cut" d="M8 4.2v4.6M8 11.2v.4"/>',
    "high": '<path d="M8 1.5l7 12.5H1z"/><path class="cut" d="M8 6v3.6M8 11.8v.3"/>',
    "medium": '<path d="M8 1l7 7-7 7-7-7z"/>',
    "low": '<circle cx="8" cy="8" r="6.5"/>',
    "info": '<circle class="hollow" cx="8" cy="8" r="5.7"/>',
}
LADDER: dict[str, str] = {"SEV1": "critical", "SEV2": "high", "SEV3": "medium", "SEV4": "low"}


def environment() -> Environment:
    """Every template is escaped and every missing value is an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=visible,
    )
    made.filters.update(
        span=span,
        clock=clock,
        iso=iso,
        day=day,
        words=words,
        short=short,
        plural=plural,
        bytes_text=bytes_text,
        severity_look=severity_look,
        time_series=svg.time_series,
        confidence_bar=svg.confidence_bar,
        run_graph=run_graph.run_graph,
        service_map=partial(service_map.service_map, shapes=SEVERITY_SHAPES),
        status_shape=run_graph.status_shape,
        status_look=run_graph.status_look,
    )
    made.globals.update(static=static, icon=icon, severity_shape=severity_shape)
    return made


def render(templates: Environment, name: str, page: Page, view: object) -> str:
    """One page or one live part of it, as text."""
    return templates.get_template(name).render(page=page, view=view)


def visible(value: object) -> object:
    """Any text as it goes onto a page, with unseen characters named: an approver must read what the machine reads."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", value)
    return value


def span(seconds: float) -> str:
    """A span as a person says it: 42 s, 4 min 02 s, 1 h 12 min, 2 d 3 h. `clocks.js` writes the same."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def clock(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%H:%M:%S")


def day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%-d %b %Y}"


def iso(moment: datetime) -> str:
    """RFC 3339 to the millisecond: what a reader can check and a script can parse."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def words(text: str) -> str:
    """A stored word as people read it: outcome_unknown becomes outcome unknown."""
    return str(text).replace("_", " ").replace(".", " ")


def short(digest: str, chars: int = 12) -> str:
    return digest if len(digest) <= chars else digest[:chars] + "…"


def plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}".replace(",", " ")


def bytes_text(count: int) -> str:
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.1f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MiB"


def icon(name: str) -> Markup:
    """A drawn sign, for decoration only: the word stands beside it."""
    return _drawn("icon", ICONS[name])


def severity_shape(severity: Any) -> Markup:
    return _drawn("severity-shape", SEVERITY_SHAPES[severity_look(severity)])


def severity_look(severity: Any) -> str:
    """The look of a severity: incidents have a ladder of their own, and look like the alerts of the same weight."""
    return LADDER.get(str(severity), str(severity))


def _drawn(look: str, inner: str) -> Markup:
    """Only drawings from the tables above come here, never data."""
    return Markup(f'<svg class="{look}" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{inner}</svg>')  # noqa: S704


@cache
def static(name: str) -> str:
    """The address of a static file with its content's digest, so that it may be kept for ever."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"
