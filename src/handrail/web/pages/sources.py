"""Who sends: sources with their health, new ones, and what could not be read."""

from handrail.domain.people import Permission, Person, require
from handrail.domain.pull import Pull, PullQuery
from handrail.domain.source import Source
from handrail.kernel.errors import Unprocessable
from handrail.kernel.limits import LIMITS
from handrail.operations import sources as operations
from handrail.operations.shell import Tx
from handrail.plugins.integrations.contract import Inbound, Integration
from handrail.plugins.integrations.registry import integrations
from handrail.signals.trial import read_as
from handrail.store import intake, pulls, queries, rooms, sealed
from handrail.store.queries import Wanted
from handrail.web import views as v
from handrail.web.pages.site import At, Done, On, Post
from handrail.web.pages.visit import Screen, Visit
from handrail.web.presenters.people import Doing, confirmation_rows, refused_row, source_row, tried_rows

_REFUSED_SHOWN = 20


def sources(visit: Visit, secret: v.Secret | None = None, tried: v.Tried | None = None) -> Screen:
    connection, may_manage = visit.connection, visit.may(Permission.MANAGE_SOURCES)
    stats, firing = intake.stats(connection), rooms.firing_by_source(connection)
    found = queries.page(connection, Source, Wanted("live"), LIMITS.page_size_max)
    kept, known, pulled = rooms.quarantine_size(connection), integrations(), pulls.states(connection)
    minutes, refusals = intake.minutes(connection, visit.now), intake.refusals(connection)
    unknown = intake.words(connection)
    signing: dict[str, list[sealed.Shown]] = {}
    for shown in sealed.shown(connection) if may_manage else ():
        signing.setdefault(shown.owner_id, []).append(shown)
    view = v.SourcesView(
        sources=tuple(
            source_row(
                each.state, stats.get(each.state.name), firing.get(each.state.name, 0), visit.now,
                visit.context.public_url, signing.get(each.state.id, ()), _signs(known.get(each.state.integration)),
                pulled.get(each.state.id),
                Doing(
                    minutes.get(each.state.name, intake.Minutes()), refusals.get(each.state.name, ()),
                    unknown.get(each.state.name, ()),
                ),
            )
            for each in found
        ),
        refused=tuple(refused_row(item) for item in queries.quarantined(connection, _REFUSED_SHOWN)),
        quarantine_bytes=kept.bytes,
        quarantine_bytes_max=LIMITS.quarantine_bytes,
        quarantine_items=kept.items,
        inbound_address=f"{visit.context.public_url}/api/v2/alerts",
        may_manage=may_manage,
        integrations=tuple(
            v.Option(name, name.replace("_", " "), name == "alertmanager")
            for name in sorted(visit.context.integrations)
        ),
        secret=secret,
        tried=tried,
        confirmations=tuple(row for each in found for row in confirmation_rows(each.state)) if may_manage else (),
    )  # fmt: skip
    return Screen("sources.html", "Sources", view, "sources", ("sources", "alerts"))


def add(post: Post) -> Done:
    def operation(tx: Tx, person: Person) -> tuple[Source, str]:
        return operations.add(tx, post.text("name"), post.text("integration"), post.context.integrations, person)

    source, token = post.act(operation)
    return _once(f"The source {source.name} is added.", source, token)


def add_token(post: Post) -> Done:
    source_id = post.where["source_id"]

    def operation(tx: Tx, person: Person) -> tuple[Source, str]:
        token = operations.make_secret(tx, source_id, person)
        return tx.get("source", source_id), token

    source, token = post.act(operation)
    return _once(f"{source.name} has one more token; the earlier ones still hold.", source, token)


def set_signing_secret(post: Post) -> Done:
    source_id, given = post.where["source_id"], post.text("secret")

    def operation(tx: Tx, person: Person) -> tuple[Source, str]:
        _, secret = operations.set_signing_secret(tx, source_id, person, given)
        return tx.get("source", source_id), secret

    source, secret = post.act(operation)
    post.context.source_changed()
    if given:
        return Done(
            f"{source.name} is known by its signatures now; the earlier signing secrets still hold.", "/sources"
        )
    shown = v.Secret(f"Signing secret of {source.name}", secret, sealed=True)
    return Done(f"{source.name} has one more signing secret.", "/sources", lambda visit: sources(visit, shown))


def retire(post: Post) -> Done:
    where = post.where
    post.act(lambda tx, person: operations.retire_secret(tx, where["source_id"], where["secret_id"], person))
    post.context.source_changed()
    return Done("The secret is retired; what is signed with it is refused from now on.")


def answer_confirmation(post: Post) -> Done:
    where, agreed = post.where, post.text("answer") == "agree"
    post.act(
        lambda tx, person: operations.answer_confirmation(
            tx, where["source_id"], where["confirmation_id"], agreed, person
        )
    )
    return Done("The sender is being called." if agreed else "The confirmation is dismissed; nothing was called.")


def _signs(integration: Integration | None) -> bool:
    return integration is not None and integration.verify is not None


def _once(said: str, source: Source, token: str) -> Done:
    secret = v.Secret(f"Token of {source.name}", token)
    return Done(said, "/sources", lambda visit: sources(visit, secret))


def remove(post: Post) -> Done:
    post.act(lambda tx, person: operations.remove(tx, post.where["source_id"], person))
    return Done("The source is removed; its tokens are refused from now on, and its alerts stay.")


def set_heartbeat(post: Post) -> Done:
    typed = post.text("every")
    if typed and (not typed.isdecimal() or len(typed) > 9):
        raise Unprocessable("Say how many seconds of silence are an alert, or nothing.", "bad_heartbeat")
    every = int(typed) if typed else None
    post.act(lambda tx, person: operations.set_heartbeat(tx, post.where["source_id"], every, person))
    return Done(f"Silence for longer than {every} s is an alert now." if every else "Silence is nothing now.")


def set_severities(post: Post) -> Done:
    words = {}
    for line in filter(None, map(str.strip, post.text("words").splitlines())):
        word, sign, rung = line.rpartition("=")
        if not sign:
            raise Unprocessable(f"“{line[:80]}” is no mapping; write one WORD=SEVERITY a line.", "bad_severities")
        if word.strip().lower() in words:
            raise Unprocessable(f"“{word[:80]}” is there twice; say once what it means.", "bad_severities")
        words[word.strip().lower()] = rung.strip().lower()
    label = post.text("label")
    post.act(lambda tx, person: operations.set_severities(tx, post.where["source_id"], words, label, person))
    post.context.source_changed()
    return Done("Its words for severities are read so from now on; what fires follows when its sender repeats it.")


def set_rate(post: Post) -> Done:
    typed = post.text("rate")
    if typed and (not typed.isdecimal() or len(typed) > 9):
        raise Unprocessable("Say how many alerts a second it may send, or nothing.", "bad_rate")
    rate = int(typed) if typed else None
    post.act(lambda tx, person: operations.set_rate(tx, post.where["source_id"], rate, person))
    post.context.source_changed()
    return Done(f"It may send {rate} alerts a second." if rate else "It may send as many alerts as any source.")


def try_payload(post: Post) -> Done:
    """What was typed, read as the source's payloads are; nothing is stored."""
    require(post.person, Permission.MANAGE_SOURCES)
    with post.context.shell.database.read() as connection:
        source: Source = queries.get(connection, Source, post.where["source_id"]).state
    kept = Inbound(post.text("payload").encode(), {"content-type": post.text("content_type") or "application/json"})
    parsed = read_as(source, kept, post.context.shell.clock.now())
    tried = tried_rows(source, parsed)
    said = f"Read as {source.name} sends it; nothing was stored."
    return Done(said, "/sources", lambda visit: sources(visit, tried=tried))


def set_pull(post: Post) -> Done:
    every, history = _seconds(post, "every", "between two pulls"), _seconds(post, "history", "of history")
    lines = [line.strip() for line in post.text("queries").splitlines() if line.strip()]
    queries = tuple(_query(line) for line in lines)
    pull = Pull(post.text("url").strip(), queries, every, history, post.text("user").strip())
    secret = "" if post.text("no_secret") else post.text("secret") or None
    post.act(lambda tx, person: operations.set_pull(tx, post.where["source_id"], pull, person, secret))
    return Done(f"Metrics are pulled every {every} s; this page shows how that goes.")


def end_pull(post: Post) -> Done:
    post.act(lambda tx, person: operations.end_pull(tx, post.where["source_id"], person))
    return Done("No metrics are pulled for this source any more.")


def _seconds(post: Post, name: str, words: str) -> int:
    typed = post.text(name)
    if not typed.isdecimal() or len(typed) > 9:
        raise Unprocessable(f"Say how many seconds {words}, as a number.", "bad_pull")
    return int(typed)


def _query(line: str) -> PullQuery:
    name, mark, promql = line.partition("=")
    if not mark:
        raise Unprocessable(f"“{line[:80]}” is no named query; write one NAME=PROMQL a line.", "bad_pull")
    return PullQuery(name.strip(), promql.strip())


def retry(post: Post) -> Done:
    require(post.person, Permission.MANAGE_SOURCES)
    item_id = post.where["item_id"]
    with post.context.shell.database.read() as connection:
        item = queries.quarantine_item(connection, item_id)
    counted = post.context.read_again(item.source, Inbound(item.body or b"", item.headers, path=item.path))
    post.act(lambda tx, person: operations.leave_quarantine(tx, item_id, item.source, counted, person))
    return Done(f"Read: {counted[0]} accepted, {counted[1]} known already, {counted[2]} still rejected.")


PAGES = (At("/sources", sources, {"list": "parts/sources_list.html"}),)
FORMS = (
    On("/sources", add, {"name": "new-source-name"}),
    On("/sources/{source_id}/tokens", add_token),
    On("/sources/{source_id}/signing-secrets", set_signing_secret),
    On("/sources/{source_id}/secrets/{secret_id}/retire", retire),
    On("/sources/{source_id}/confirmations/{confirmation_id}", answer_confirmation),
    On("/sources/{source_id}/heartbeat", set_heartbeat),
    On("/sources/{source_id}/severities", set_severities),
    On("/sources/{source_id}/rate", set_rate),
    On("/sources/{source_id}/try", try_payload),
    On("/sources/{source_id}/pull", set_pull),
    On("/sources/{source_id}/pull/end", end_pull),
    On("/sources/{source_id}/remove", remove),
    On("/quarantine/{item_id}/retry", retry),
)
