"""Every page from the samples: whole, safe under the policy, usable without a script, honest with hostile text."""

import hashlib
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from handrail.web import filters
from handrail.web import views as v
from tests.web import samples

ENVIRONMENT = filters.environment()
SHOTS = {shot[0]: shot for shot in samples.shots()}
VOID = {"meta", "link", "input", "br", "img", "hr"}
FORMS = re.compile(
    r"^/(sign-in|sign-out|password|record/verify|people|people/\w+/(tokens|roles|password|deactivate)|tokens/\w+/revoke|"
    r"candidates/\w+/(declare|dismiss|move|merge)|corrections/\w+/end|gates/\w+/vote|tasks/\w+/\w+/(claim|done|skip|ask-again|outcome)|incidents|"
    r"incidents/\w+/(notes|roles|close|readiness|severity|halves|investigate|runs|messages)|messages/\w+/(edit|submit)|"
    r"reviews/\w+/(edit|accept)|sources|"
    r"sources/\w+/(tokens|remove|heartbeat|severities|rate|try|pull|pull/end|signing-secrets|secrets/\w+/retire|confirmations/\w+)|"
    r"quarantine/\w+/retry)$"
)
INCIDENT_PARTS = (
    "head",
    "main",
    "side",
    "needs",
    "cause",
    "proposals",
    "tasks",
    "run",
    "messages",
    "alerts",
    "timeline",
    "roles",
    "stages",
    "sign_offs",
)


class Reader(HTMLParser):
    """What a page holds: balanced tags, attributes, forms with their fields, labels."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.forms: list[tuple[dict[str, str | None], list[dict[str, str | None]]]] = []
        self.unbalanced: list[str] = []
        self.headings: list[int] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag == "form":
            self.forms.append((values, []))
        if tag in ("input", "textarea", "select", "button") and "form" in self.open:
            self.forms[-1][1].append({"tag": tag, **values})
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)


@cache
def text_of(name: str) -> str:
    _, template, page, view = SHOTS[name]
    return filters.render(ENVIRONMENT, template, page, view)


every_page = pytest.mark.parametrize("name", sorted(SHOTS))


@every_page
def test_a_page_is_well_formed_with_unique_ids(name: str) -> None:
    read = Reader(text_of(name))
    assert read.unbalanced == [] and read.open == []
    ids = Counter(values["id"] for _, values in read.tags if "id" in values)
    assert [i for i, count in ids.items() if count > 1] == []


@every_page
def test_a_page_needs_nothing_that_the_policy_forbids(name: str) -> None:
    for tag, values in Reader(text_of(name)).tags:
        assert "style" not in values and not any(a.startswith(("on", "hx-on")) for a in values), (tag, values)
        if tag == "script":
            assert (values["src"] or "").startswith("/static/")
        assert tag != "style"
        assert not (values.get("href") or "").lower().startswith(("javascript:", "data:", "http"))


@every_page
def test_every_form_posts_to_a_known_place_with_its_token(name: str) -> None:
    for values, fields in Reader(text_of(name)).forms:
        if values.get("method") == "post":
            assert FORMS.match(values["action"] or ""), values
            assert [f["value"] for f in fields if f.get("name") == "csrf"] == ["csrf-3f0c"]
        else:
            assert values.get("method") in ("get", "dialog")


@every_page
def test_every_field_has_a_label_and_every_button_words(name: str) -> None:
    text = text_of(name)
    read = Reader(text)
    labels = {values.get("for") for tag, values in read.tags if tag == "label"}
    for tag, values in read.tags:
        if tag in ("input", "textarea", "select") and values.get("type") not in ("hidden", "checkbox"):
            assert values.get("id") in labels, values
    for attributes, inner in re.findall(r"<button([^>]*)>(.*?)</button>", text, re.DOTALL):
        assert "aria-label" in attributes or re.sub(r"<[^>]+>", "", inner).strip()


@every_page
def test_a_page_has_one_main_heading_and_a_skip_link(name: str) -> None:
    text = text_of(name)
    assert len(re.findall(r"<h1\b", text)) == 1
    assert '<a class="skip-link" href="#main">' in text


def test_alert_text_is_inert_and_unseen_characters_are_named() -> None:
    for name in ("board", "incident", "alert", "alerts", "record", "review", "evidence"):
        text = text_of(name)
        assert "<script>alert" not in text and "<img src=x" not in text
        assert "&lt;script&gt;alert(2)&lt;/script&gt;" in text
        assert "\u202e" not in text and "⟨U+202E⟩" in text


def test_no_template_marks_anything_as_safe() -> None:
    for path in filters.TEMPLATES.rglob("*.html"):
        assert not re.search(r"\|\s*safe|autoescape|Markup", path.read_text()), path


def test_a_missing_value_is_an_error_and_not_a_blank() -> None:
    with pytest.raises(Exception, match="has no attribute"):
        ENVIRONMENT.from_string("{{ page.titel }}").render(page=SHOTS["board"][2])


@pytest.mark.parametrize("part", INCIDENT_PARTS)
def test_each_part_of_the_room_renders_alone(part: str) -> None:
    page = SHOTS["incident"][2]
    for view in (samples.INCIDENT, samples.RECOVERED, samples.EARLY):
        read = Reader(filters.render(ENVIRONMENT, f"parts/incident/{part}.html", page, view))
        assert read.unbalanced == [] and read.open == []


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("board/live", "board"),
        ("board/alerts", "board"),
        ("approvals/list", "approvals"),
        ("approvals/count", "board"),
        ("approvals/gate_body", "gate"),
        ("task_body", "task"),
        ("message_body", "message"),
        ("alerts_list", "alerts"),
        ("sources_list", "sources"),
    ],
)
def test_each_live_part_of_other_pages_renders_alone(part: str, name: str) -> None:
    _, _, page, view = SHOTS[name]
    read = Reader(filters.render(ENVIRONMENT, f"parts/{part}.html", page, view))
    assert read.unbalanced == [] and "html" not in [tag for tag, _ in read.tags]


def test_the_gate_shows_what_its_digest_covers_and_its_buttons_say_what_they_do() -> None:
    text = text_of("gate")
    assert f'name="digest" value="{samples.DIGEST}"' in text
    assert "Approve roll back of payments to 2.4.0" in text and "Reject roll back of payments to 2.4.0" in text
    for key, value in samples.CONTENT:
        assert f"<dt>{key}</dt>" in text and f"<code>{value}</code>" in text


def test_who_may_not_vote_gets_the_reason_and_no_button() -> None:
    gate = replace(samples.GATE, may_vote=False, why_not="You proposed this yourself; someone else has to decide.")
    view = v.GateView(v.ApprovalItem(gate))
    text = filters.render(ENVIRONMENT, "gate.html", SHOTS["gate"][2], view)
    assert "You proposed this yourself" in text and "/vote" not in text


def test_a_decided_gate_has_no_form() -> None:
    text = filters.render(ENVIRONMENT, "gate.html", SHOTS["gate"][2], v.GateView(v.ApprovalItem(samples.APPROVED)))
    assert "/vote" not in text and "2.4.0 ran clean for nine days" in text


def test_an_observer_sees_a_candidate_without_the_declare_form() -> None:
    view = replace(samples.BOARD, candidates=(replace(samples.CANDIDATE, may_declare=False),))
    text = filters.render(ENVIRONMENT, "board.html", SHOTS["board"][2], view)
    assert "/declare" not in text and "Your roles do not let you declare" in text


def test_the_suggested_severity_is_chosen_and_marked() -> None:
    assert '<option value="SEV2" selected>SEV2 (suggested)</option>' in text_of("board")


def test_an_empty_board_teaches_where_to_point_a_sender() -> None:
    text = text_of("board_empty")
    assert "No incident, and nothing that looks like one" in text and "http://127.0.0.1:8080/api/v2/alerts" in text


def test_a_broken_record_names_the_entry() -> None:
    text = text_of("record_bad")
    assert "2 entries are not as recorded" in text and '<a class="entry-link" href="/record/1262">#1262</a>' in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (86400, "1 d 0 h"),
    ],
)
def test_spans_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert filters.span(seconds) == text


def test_static_addresses_change_with_the_content() -> None:
    digest = hashlib.sha256((filters.STATIC / "handrail.css").read_bytes()).hexdigest()
    assert filters.static("handrail.css") == f"/static/handrail.css?v={digest[:12]}"


def test_vendored_files_are_the_ones_that_the_list_names() -> None:
    folder = filters.STATIC / "vendor"
    named = dict(re.findall(r"\| `([^`]+)` \|.*`([0-9a-f]{64})` \|", (folder / "VENDORED.md").read_text()))
    assert set(named) == {path.name for path in folder.glob("*.js")}
    for name, digest in named.items():
        assert hashlib.sha256(Path(folder / name).read_bytes()).hexdigest() == digest


def test_the_stylesheet_takes_colours_from_tokens_only() -> None:
    rules = (filters.STATIC / "handrail.css").read_text().split("}", 1)[1].split("@media print")[0]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", rules) == []
