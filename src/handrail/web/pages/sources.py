"""Who sends: sources with their health, new ones, and what could not be read."""

from handrail.domain.people import Permission, Person
from handrail.domain.source import Source
from handrail.kernel.limits import LIMITS
from handrail.operations import sources as operations
from handrail.operations.shell import Tx
from handrail.store import intake, queries, rooms
from handrail.store.queries import Wanted
from handrail.web import views as v
from handrail.web.pages.site import At, Done, On, Post
from handrail.web.pages.visit import Screen, Visit
from handrail.web.presenters.people import refused_row, source_row

_REFUSED_SHOWN = 20


def sources(visit: Visit, secret: v.Secret | None = None) -> Screen:
    connection, may_manage = visit.connection, visit.may(Permission.MANAGE_SOURCES)
    stats, firing = intake.stats(connection), rooms.firing_by_source(connection)
    found = queries.page(connection, Source, Wanted("live"), LIMITS.page_size_max)
    kept = rooms.quarantine_size(connection)
    view = v.SourcesView(
        sources=tuple(
            source_row(
                each.state, stats.get(each.state.name), firing.get(each.state.name, 0), visit.now,
                visit.context.public_url,
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


def _once(said: str, source: Source, token: str) -> Done:
    secret = v.Secret(f"Token of {source.name}", token)
    return Done(said, "/sources", lambda visit: sources(visit, secret))


def remove(post: Post) -> Done:
    post.act(lambda tx, person: operations.remove(tx, post.where["source_id"], person))
    return Done("The source is removed; its tokens are refused from now on, and its alerts stay.")


PAGES = (At("/sources", sources, {"list": "parts/sources_list.html"}),)
FORMS = (
    On("/sources", add, {"name": "new-source-name"}),
    On("/sources/{source_id}/tokens", add_token),
    On("/sources/{source_id}/remove", remove),
)
