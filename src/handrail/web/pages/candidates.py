"""One candidate with each of its alerts, and the forms by which people correct it."""

from dataclasses import replace

from handrail.domain.candidate import Candidate
from handrail.domain.correction import Correction
from handrail.domain.incident import Incident
from handrail.domain.people import Permission, Person
from handrail.kernel.errors import HandrailError, Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.operations import candidates
from handrail.operations.shell import Tx
from handrail.store import alerts, queries
from handrail.store import candidates as store
from handrail.web.pages.alerts import place, read_place
from handrail.web.pages.site import At, Done, On, Post
from handrail.web.pages.visit import Screen, Visit
from handrail.web.presenters.candidates import NEW, NONE, Shelf, candidate_view

_BY_PEOPLE = ("candidate.alerts_taken", "candidate.alerts_put", "candidate.merged")
_ENTRIES_READ, _ENTRIES_SHOWN = 100, 20


def candidate(visit: Visit, chosen: frozenset[str] = frozenset()) -> Screen:
    found: Candidate = queries.get(visit.connection, Candidate, visit.where["candidate_id"]).state
    before = read_place(visit.query.get("before"))
    wanted = alerts.Filter(candidate_id=found.id)
    kept = alerts.page(visit.connection, wanted, LIMITS.page_size_max, before)
    last = kept[-1] if len(kept) == LIMITS.page_size_max else None
    view = replace(
        candidate_view(_shelf(visit, found, tuple(kept)), chosen),
        newer=f"/candidates/{found.id}" if before else None,
        older=f"/candidates/{found.id}?before={place(last)}" if last else None,
    )
    return Screen("candidate.html", view.title, view, "board", (f"candidate:{found.id}",))


def _shelf(visit: Visit, found: Candidate, kept: tuple[alerts.Kept, ...]) -> Shelf:
    connection = visit.connection
    entries = queries.entries(connection, f"candidate/{found.id}", None, _ENTRIES_READ)
    live = alerts.live_candidates(connection, LIMITS.correlation_candidates)[: LIMITS.page_size]
    states = queries.many(connection, Candidate, [one for one in live if one != found.id])
    wanted = [one.incident_id for one in (*states.values(), found) if one.incident_id]
    incidents = queries.many(connection, Incident, wanted)
    others = [(states[one], incidents.get(states[one].incident_id or "")) for one in live if one in states]
    corrections: list[Correction] = store.live_corrections(connection)
    return Shelf(
        candidate=found,
        incident=incidents.get(found.incident_id or ""),
        alerts=kept,
        members=store.members(connection, found, [one.alert.id for one in kept]),
        others=tuple(sorted(others, key=lambda item: item[1] is None)),
        corrections=tuple(one for one in corrections if found.id in (one.from_id, one.into)),
        entries=tuple(entry for entry in entries if entry.type in _BY_PEOPLE)[:_ENTRIES_SHOWN],
        names=visit.names,
        may_declare=visit.may(Permission.DECLARE),
    )


def move(post: Post) -> Done:
    """Chosen alerts go to a new candidate, another one, or out of any."""
    candidate_id, to = post.where["candidate_id"], post.text("to")
    chosen, words = list(post.fields.get("alerts", ())), post.text("reason")
    if not to:
        raise Unprocessable("Choose where the alerts go.", "no_target")
    if to != NEW:
        target = None if to == NONE else to
        post.act(lambda tx, person: candidates.move(tx, candidate_id, chosen, target, words, person))
        where = "in no candidate any more" if target is None else "where you put them"
        return Done(f"{_are(len(chosen))} {where}.")
    made = post.act(lambda tx, person: candidates.split(tx, candidate_id, chosen, words, person))
    own = "its own" if len(chosen) == 1 else "their own"
    return Done(f"{_are(len(chosen))} a candidate of {own} now.", f"/candidates/{made.id}")


def _are(count: int) -> str:
    return "1 alert is" if count == 1 else f"{count} alerts are"


def merge(post: Post) -> Done:
    candidate_id, into, words = post.where["candidate_id"], post.text("into"), post.text("reason")
    if not into:
        raise Unprocessable("Choose the candidate or incident that gets everything.", "no_target")

    def operation(tx: Tx, person: Person) -> Candidate:
        return candidates.merge(tx, candidate_id, into, words, person)

    target = post.act(operation)
    return Done(f"Merged; here is everything, {target.count} alerts.", f"/candidates/{target.id}")


def forget(post: Post) -> Done:
    post.act(lambda tx, person: candidates.end_correction(tx, post.where["correction_id"], person))
    return Done("It says nothing of later alerts any more; the alerts stay where they are.")


def _again(visit: Visit, post: Post, refusal: HandrailError) -> Screen | None:
    """The page with the same alerts chosen as before."""
    if visit.where.get("candidate_id") != post.where["candidate_id"]:
        return None
    return candidate(visit, frozenset(post.fields.get("alerts", ())))


PAGES = (At("/candidates/{candidate_id}", candidate, {"head": "parts/candidate_head.html"}),)
FORMS = (
    On("/candidates/{candidate_id}/move", move, {"reason": "move-reason", "to": "move-to"}, _again),
    On("/candidates/{candidate_id}/merge", merge, {"reason": "merge-reason", "into": "merge-into"}),
    On("/corrections/{correction_id}/end", forget),
)
