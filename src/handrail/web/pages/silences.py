"""Silences, maintenance windows and shelvings: which are in force, new ones, and ending them."""

from datetime import UTC, datetime, timedelta

from handrail.domain.people import Permission, Person
from handrail.domain.silence import Kind, Silence
from handrail.kernel.errors import Unprocessable
from handrail.operations import silences as operations
from handrail.operations.shell import Tx
from handrail.store import queries
from handrail.store.queries import Wanted
from handrail.web import views as v
from handrail.web.pages.site import At, Done, On, Post
from handrail.web.pages.visit import Screen, Visit

_SHOWN = 100
_SPANS = (("30", "30 minutes"), ("120", "2 hours"), ("480", "8 hours"), ("1440", "1 day"), ("10080", "7 days"))


def silences(visit: Visit) -> Screen:
    found = [
        each.state
        for status in ("live", "scheduled", "ended", "over")
        for each in queries.page(visit.connection, Silence, Wanted(status), _SHOWN)
    ]
    view = v.SilencesView(
        silences=tuple(silence_row(visit, silence) for silence in found[:_SHOWN]),
        may_manage=visit.may(Permission.WORK),
        spans=spans(),
        kinds=(v.Option("silence", "silence", True), v.Option("maintenance", "maintenance window")),
    )
    return Screen("silences.html", "Silences", view, "silences", ("silences", "alerts"))


def spans() -> tuple[v.Option, ...]:
    return tuple(v.Option(minutes, words, minutes == "120") for minutes, words in _SPANS)


def silence_row(visit: Visit, silence: Silence) -> v.SilenceRow:
    return v.SilenceRow(
        silence.id, silence.what, silence.status, tuple(str(one) for one in silence.matchers), silence.reason,
        silence.starts_at, silence.ends_at, visit.names.of(silence.by), silence.released,
        silence.status in ("scheduled", "live"),
    )  # fmt: skip


def add(post: Post) -> Done:
    def operation(tx: Tx, person: Person) -> Silence:
        starts_at = _moment(post.text("starts_at")) or tx.now
        ends_at = starts_at + _span(post)
        what: Kind = "maintenance" if post.text("kind") == "maintenance" else "silence"
        matchers = [line for line in post.text("matchers").splitlines() if line.strip()]
        return operations.add(tx, what, matchers, starts_at, ends_at, post.text("reason"), person)

    post.act(operation)
    return Done("It is in place.", "/silences")


def shelve(post: Post) -> Done:
    alert_id = post.where["alert_id"]
    post.act(lambda tx, person: operations.shelve(tx, alert_id, _span(post), post.text("reason"), person))
    return Done("The alert is shelved until then; its page says so.")


def end(post: Post) -> Done:
    post.act(lambda tx, person: operations.end(tx, post.where["silence_id"], person))
    return Done("It has ended; what it held back and still fires is placed now.")


def _span(post: Post) -> timedelta:
    minutes = post.text("minutes")
    if not minutes.isdecimal() or len(minutes) > 6:
        raise Unprocessable("Say for how long, in minutes.", "bad_silence")
    return timedelta(minutes=int(minutes))


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Unprocessable("Write the beginning in UTC, such as 2026-12-01T22:00.", "bad_silence") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


PAGES = (At("/silences", silences, {"list": "parts/silences_list.html"}),)
FORMS = (
    On("/silences", add, {name: f"new-silence-{name}" for name in ("matchers", "reason", "starts_at")}),
    On("/silences/{silence_id}/end", end),
    On("/alerts/{alert_id}/shelve", shelve),
)
