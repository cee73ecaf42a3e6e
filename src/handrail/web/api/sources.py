"""Sources of alerts and changes, their secrets, and payloads that nobody could read."""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from handrail.domain.alert import SEVERITY_WORDS, Severity, is_unknown_word, rung_of, severity_of
from handrail.domain.people import Permission, require
from handrail.domain.pull import Pull, PullQuery
from handrail.domain.severities import is_known
from handrail.domain.source import Source, is_sns_address
from handrail.kernel.clock import from_text
from handrail.kernel.errors import BadInput
from handrail.kernel.limits import LIMITS
from handrail.operations import sources
from handrail.operations.shell import Tx
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.registry import integrations
from handrail.signals.trial import read_as
from handrail.store import intake, pulls, queries, sealed
from handrail.web.api import shapes
from handrail.web.api.desk import ApiRoute, Asked, Nothing, Noun, Pages, Reader, SourceManager, Writer, answer

router = APIRouter(prefix="/api/v1", tags=["sources"], route_class=ApiRoute)


class AddSource(Asked):
    name: Annotated[str, Field(max_length=64, examples=["prometheus-prod"])]
    integration: Annotated[str, Field(max_length=64, examples=["alertmanager"])]


class SetSigningSecret(Asked):
    secret: Annotated[str | None, Field(description="The sender's own; left out, one is made.")] = None


class NewSigningSecret(shapes.Shape):
    source_id: str
    secret_id: str
    last_four: str
    secret: str | None = Field(description="Shown once where it was made; null where it was given and in a replay.")


class KeptSecret(shapes.Shape):
    """What may be seen of a secret: never more than its end."""

    id: str
    kind: Literal["token", "signing"]
    last_four: str
    set_at: shapes.Moment | None = Field(description="When it was set; null for tokens.")


class KeptSecrets(shapes.Shape):
    items: list[KeptSecret]


class Confirmation(shapes.Shape):
    """A sender asks to be called at `place` before it sends. `status` is pending, agreed or failed."""

    id: str
    topic: str
    place: str = Field(description="Where it leads, without the sender's secret.")
    status: str
    detail: str
    asked_at: shapes.Moment
    may_be_called: bool = Field(description="Whether the address is one that may be called at all.")


class Confirmations(shapes.Shape):
    items: list[Confirmation]

    @staticmethod
    def of(source: Source) -> "Confirmations":
        return Confirmations(
            items=[
                Confirmation(
                    id=item.id, topic=item.topic, place=item.place, status=item.status, detail=item.detail,
                    asked_at=item.asked_at, may_be_called=is_sns_address(item.url),
                )
                for item in source.confirmations
            ]
        )  # fmt: skip


class Integrations(shapes.Shape):
    items: list[str]


@router.get("/integrations", response_model=Integrations, summary="List the formats that senders may use")
def list_integrations(desk: Reader) -> Response:
    return answer(Integrations(items=sorted(desk.context.integrations)))


@router.get("/sources", response_model=shapes.Page[shapes.Source], summary="List sources and how they are doing")
def list_sources(desk: Reader, asked: Pages, status: Literal["live", "removed"] | None = None) -> Response:
    with desk.read() as connection:
        found = queries.page(connection, Source, queries.Wanted(status), asked.size, asked.before)
        shape = _shaped(connection, desk.context.shell.clock.now())
    return desk.page(found, asked, lambda item: shape(item.state), lambda item: (item.id,))


def _shaped(connection: sa.Connection, now: datetime, source: str | None = None) -> Callable[[Source], shapes.Source]:
    """How any source is told, or the one named, with how it is doing."""
    stats, pulled = intake.stats(connection), pulls.states(connection)
    minutes, refusals = intake.minutes(connection, now, source), intake.refusals(connection, source)
    return lambda each: shapes.Source.of(
        each, stats.get(each.name), pulled.get(each.id), minutes.get(each.name), refusals.get(each.name, ())
    )


@router.get("/sources/{source_id}", response_model=shapes.Source, summary="Get a source")
def get_source(desk: Reader, source_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Source, source_id)
        told = _shaped(connection, desk.context.shell.clock.now(), found.state.name)(found.state)
    return answer(told, seq=found.seq)


@router.post("/sources", response_model=shapes.NewSource, status_code=201, summary="Add a source")
def add_source(desk: Writer, said: AddSource) -> Response:
    """Its first token is shown once."""
    response = desk.write(
        lambda tx, person: sources.add(tx, said.name, said.integration, desk.context.integrations, person),
        lambda tx, made: shapes.NewSource(
            source=shapes.Source.of(made[0]), secret_id=made[0].secrets[-1], token=made[1]
        ),
        made=lambda made: Noun("source", made[0].id),
        status=201,
        secret="token",  # noqa: S106  the name of a field
    )
    desk.context.source_changed()
    return response


@router.post("/sources/{source_id}/secrets", response_model=shapes.NewSecret, status_code=201, summary="Add a secret")
def add_secret(desk: Writer, source_id: str, said: Nothing | None = None) -> Response:
    """One more live token, shown once, so that a sender can be moved over without a gap."""

    def shape(tx: Tx, token: str) -> shapes.NewSecret:
        source: Source = tx.get("source", source_id)
        return shapes.NewSecret(source_id=source_id, secret_id=source.secrets[-1], token=token)

    response = desk.write(
        lambda tx, person: sources.make_secret(tx, source_id, person),
        shape,
        about=Noun("source", source_id),
        status=201,
        secret="token",  # noqa: S106  the name of a field
    )
    desk.context.source_changed()
    return response


@router.get("/sources/{source_id}/secrets", response_model=KeptSecrets, summary="List a source's secrets")
def list_secrets(desk: SourceManager, source_id: str) -> Response:
    """Its live tokens and signing secrets, each by its last four characters."""
    with desk.read() as connection:
        queries.get(connection, Source, source_id)
        tokens = queries.tokens_of(connection, source_id, "source")
        signing = sealed.shown(connection, source_id)
    items = [
        KeptSecret(id=each.id, kind="token", last_four=each.last_four, set_at=None)
        for each in tokens
        if each.revoked_at is None
    ]
    items += [
        KeptSecret(id=each.id, kind="signing", last_four=each.last_four, set_at=from_text(each.set_at))
        for each in signing
    ]
    return answer(KeptSecrets(items=items))


@router.post(
    "/sources/{source_id}/signing-secrets", response_model=NewSigningSecret, status_code=201,
    summary="Set a signing secret",
)  # fmt: skip
def set_signing_secret(desk: Writer, source_id: str, said: SetSigningSecret | None = None) -> Response:
    """One more live signing secret. From now on the source is known by good signatures alone."""
    given = (said.secret if said else None) or ""

    def shape(_tx: Tx, made: tuple[str, str]) -> NewSigningSecret:
        once = None if given else made[1]
        return NewSigningSecret(source_id=source_id, secret_id=made[0], last_four=made[1][-4:], secret=once)

    response = desk.write(
        lambda tx, person: sources.set_signing_secret(tx, source_id, person, given),
        shape,
        about=Noun("source", source_id),
        status=201,
        secret="secret",  # noqa: S106  the name of a field
    )
    desk.context.source_changed()
    return response


@router.get("/sources/{source_id}/confirmations", response_model=Confirmations, summary="List pending confirmations")
def list_confirmations(desk: SourceManager, source_id: str) -> Response:
    """What the sender asks to have confirmed before it sends. Nothing is called until a person agrees."""
    with desk.read() as connection:
        return answer(Confirmations.of(queries.get(connection, Source, source_id).state))


@router.post(
    "/sources/{source_id}/confirmations/{confirmation_id}/agree", response_model=Confirmations,
    summary="Agree to a confirmation",
)  # fmt: skip
def agree_to_confirmation(desk: Writer, source_id: str, confirmation_id: str, said: Nothing | None = None) -> Response:
    """The sender is called once, if the address is one of Amazon's for this."""
    return _answer_confirmation(desk, source_id, confirmation_id, agreed=True)


@router.post(
    "/sources/{source_id}/confirmations/{confirmation_id}/dismiss", response_model=Confirmations,
    summary="Dismiss a confirmation",
)  # fmt: skip
def dismiss_confirmation(desk: Writer, source_id: str, confirmation_id: str, said: Nothing | None = None) -> Response:
    return _answer_confirmation(desk, source_id, confirmation_id, agreed=False)


def _answer_confirmation(desk: Writer, source_id: str, confirmation_id: str, *, agreed: bool) -> Response:
    return desk.write(
        lambda tx, person: sources.answer_confirmation(tx, source_id, confirmation_id, agreed, person),
        lambda tx, _: Confirmations.of(tx.get("source", source_id)),
        about=Noun("source", source_id),
    )


@router.post("/sources/{source_id}/secrets/{secret_id}/retire", response_model=shapes.Source, summary="Retire a secret")
def retire_secret(desk: Writer, source_id: str, secret_id: str, said: Nothing | None = None) -> Response:
    response = desk.write(
        lambda tx, person: sources.retire_secret(tx, source_id, secret_id, person),
        lambda tx, _: shapes.Source.of(tx.get("source", source_id)),
        about=Noun("source", source_id),
    )
    desk.context.source_changed()
    return response


class Heartbeat(Asked):
    every_seconds: Annotated[
        int | None, Field(ge=LIMITS.heartbeat_seconds_least, le=LIMITS.heartbeat_seconds_most, examples=[300])
    ]


@router.post("/sources/{source_id}/heartbeat", response_model=shapes.Source, summary="Expect to hear from a source")
def set_heartbeat(desk: Writer, source_id: str, said: Heartbeat) -> Response:
    """Silence for longer than `every_seconds` is an alert from then on; null ends that."""
    return desk.write(
        lambda tx, person: sources.set_heartbeat(tx, source_id, said.every_seconds, person),
        lambda tx, _: shapes.Source.of(tx.get("source", source_id)),
        about=Noun("source", source_id),
    )


class NamedQuery(Asked):
    name: Annotated[str, Field(max_length=128, examples=["request_rate"])]
    promql: Annotated[
        str, Field(max_length=LIMITS.pull_query_chars, examples=["sum by (service) (rate(http_requests_total[1m]))"])
    ]


class SetPull(Asked):
    url: Annotated[str, Field(max_length=LIMITS.link_chars, examples=["https://prometheus.example:9090"])]
    queries: Annotated[
        list[NamedQuery], Field(max_length=LIMITS.pull_queries, examples=[[{"name": "up", "promql": "up"}]])
    ]
    every_seconds: Annotated[int, Field(ge=LIMITS.pull_seconds_least, le=LIMITS.pull_seconds_most)] = 60
    history_seconds: Annotated[
        int, Field(ge=0, le=LIMITS.pull_history_seconds, description="How far back is read at the start.")
    ] = 24 * 3600
    user: Annotated[str, Field(max_length=LIMITS.label_chars, description="With it the secret is a password.")] = ""
    secret: Annotated[
        str | None,
        Field(
            max_length=LIMITS.pull_secret_chars,
            description="Shown to the server. Left out: the earlier one, if the server is the same; empty: none.",
        ),
    ] = None


@router.post("/sources/{source_id}/pull", response_model=shapes.Source, summary="Pull metrics for a source")
def set_pull(desk: Writer, source_id: str, said: SetPull) -> Response:
    """Ask a server that speaks Prometheus' query API from now on, in this way alone; what it gives is watched."""
    queries = tuple(PullQuery(query.name, query.promql) for query in said.queries)
    pull = Pull(said.url, queries, said.every_seconds, said.history_seconds, said.user)
    return desk.write(
        lambda tx, person: sources.set_pull(tx, source_id, pull, person, said.secret),
        lambda tx, _: shapes.Source.of(tx.get("source", source_id)),
        about=Noun("source", source_id),
    )


@router.post("/sources/{source_id}/pull/end", response_model=shapes.Source, summary="Pull no metrics any more")
def end_pull(desk: Writer, source_id: str, said: Nothing | None = None) -> Response:
    """The secret that was shown to the server is forgotten."""
    return desk.write(
        lambda tx, person: sources.end_pull(tx, source_id, person),
        lambda tx, _: shapes.Source.of(tx.get("source", source_id)),
        about=Noun("source", source_id),
    )


class Rate(Asked):
    alerts_per_second: Annotated[int | None, Field(ge=1, le=LIMITS.source_alerts_per_second, examples=[50])]


@router.post("/sources/{source_id}/rate", response_model=shapes.Source, summary="Set how fast a source may send")
def set_rate(desk: Writer, source_id: str, said: Rate) -> Response:
    """More alerts a second than this are answered with 429 and when to come back; null: as many as any source may."""
    response = desk.write(
        lambda tx, person: sources.set_rate(tx, source_id, said.alerts_per_second, person),
        lambda tx, _: shapes.Source.of(tx.get("source", source_id)),
        about=Noun("source", source_id),
    )
    desk.context.source_changed()
    return response


class SetSeverities(Asked):
    """The whole mapping, which replaces the one before."""

    words: Annotated[
        dict[str, str],
        Field(description="A word of the sender to one of our severities.", examples=[{"warning": "high"}]),
    ]
    label: Annotated[
        str, Field(description="Take the word from this label, where an alert has it.", examples=["priority"])
    ] = ""


class UnknownWord(shapes.Shape):
    word: str
    count: int
    last_at: shapes.Moment


class Severities(shapes.Shape):
    """How the sender's words are read: by `words`, else by `of_the_format`, else by the ladder, else as `otherwise`."""

    words: dict[str, Severity]
    label: str
    of_the_format: dict[str, Severity]
    of_the_ladder: dict[str, Severity]
    otherwise: Severity
    unknown: list[UnknownWord] = Field(description="Words that this source used and that none of these knows.")

    @staticmethod
    def of(source: Source, used: Sequence[intake.WordCount] = ()) -> "Severities":
        known = integrations().get(source.integration)
        return Severities(
            unknown=[
                UnknownWord(word=each.word, count=each.count, last_at=from_text(each.last_at))
                for each in used
                if not is_known(each.word, source.severities.words, known.severities if known else {})
            ],
            words=source.severities.words, label=source.severities.label,
            of_the_format=dict(known.severities) if known else {}, of_the_ladder=SEVERITY_WORDS,
            otherwise=severity_of(None),
        )  # fmt: skip


@router.get("/sources/{source_id}/severities", response_model=Severities, summary="How a source's severities are read")
def get_severities(desk: Reader, source_id: str) -> Response:
    with desk.read() as connection:
        found = queries.get(connection, Source, source_id)
        used = intake.words(connection, found.state.name).get(found.state.name, ())
    return answer(Severities.of(found.state, used), seq=found.seq)


@router.post("/sources/{source_id}/severities", response_model=Severities, summary="Set how severities are read")
def set_severities(desk: Writer, source_id: str, said: SetSeverities) -> Response:
    """From now on: alerts that fire already follow when their sender repeats them. The sender's own word is kept."""
    response = desk.write(
        lambda tx, person: sources.set_severities(tx, source_id, said.words, said.label, person),
        lambda tx, _: Severities.of(tx.get("source", source_id)),
        about=Noun("source", source_id),
    )
    desk.context.source_changed()
    return response


class Try(Asked):
    body_base64: Annotated[str, Field(description="The payload as the sender would post it.", examples=["e30="])]
    headers: Annotated[
        dict[str, str],
        Field(
            default_factory=dict, description="Those that the format reads.",
            examples=[{"content-type": "application/json"}],
        ),
    ]  # fmt: skip


class TriedAlert(shapes.Shape):
    dedup_key: str
    status: str
    severity: str
    severity_raw: str | None
    is_known_word: bool = Field(description="False: no mapping knows the sender's word, so that medium is a guess.")
    title: str
    summary: str
    service: str | None
    resource: str | None
    labels: dict[str, str]
    occurred_at: shapes.Moment | None
    link: str | None


class TriedChange(shapes.Shape):
    change_key: str
    kind: str
    title: str
    service: str | None
    occurred_at: shapes.Moment | None


class TriedRefusal(shapes.Shape):
    index: int
    code: str
    reason: str


class Tried(shapes.Shape):
    """What a payload would become. Nothing of it is kept."""

    alerts: list[TriedAlert]
    changes: list[TriedChange]
    refused: list[TriedRefusal]
    metric_points: int

    @staticmethod
    def of(parsed: Parsed) -> "Tried":
        return Tried(
            alerts=[
                TriedAlert(
                    dedup_key=said.dedup_key, status=said.status.value, severity=rung_of(said).value,
                    severity_raw=said.severity_raw, is_known_word=not is_unknown_word(said), title=said.title,
                    summary=said.summary, service=said.service, resource=said.resource, labels=said.labels,
                    occurred_at=said.occurred_at, link=said.link,
                )
                for said in parsed.occurrences
            ],
            changes=[
                TriedChange(
                    change_key=said.change_key, kind=said.kind, title=said.title, service=said.service,
                    occurred_at=said.occurred_at,
                )
                for said in parsed.changes
            ],
            refused=[TriedRefusal(index=item.index, code=item.code, reason=item.reason) for item in parsed.rejected],
            metric_points=len(parsed.points),
        )  # fmt: skip


@router.post("/sources/{source_id}/try", response_model=Tried, summary="See what a payload would become")
def try_payload(desk: SourceManager, source_id: str, said: Try) -> Response:
    """Read as the source's payloads are, with its own severities, and not stored. Its signature is not checked."""
    with desk.read() as connection:
        source: Source = queries.get(connection, Source, source_id).state
    try:
        body = base64.b64decode(said.body_base64, validate=True)
    except ValueError:
        raise BadInput("The body is not Base64.", "bad_input") from None
    headers = {name.lower(): value for name, value in said.headers.items()}
    return answer(Tried.of(read_as(source, Inbound(body, headers), desk.context.shell.clock.now())))


@router.post("/sources/{source_id}/remove", response_model=shapes.Source, summary="Remove a source")
def remove_source(desk: Writer, source_id: str, said: Nothing | None = None) -> Response:
    """Its alerts stay; its tokens are refused from now on."""
    response = desk.write(
        lambda tx, person: sources.remove(tx, source_id, person),
        lambda tx, _: shapes.Source.of(tx.get("source", source_id)),
        about=Noun("source", source_id),
    )
    desk.context.source_changed()
    return response


@router.get("/quarantine", response_model=shapes.Page[shapes.Quarantined], summary="List payloads that were not read")
def list_quarantine(desk: SourceManager, asked: Pages) -> Response:
    with desk.read() as connection:
        found = queries.quarantined(connection, asked.size, asked.before)
    return desk.page(found, asked, shapes.Quarantined.model_validate, lambda item: (item.id,))


@router.get("/quarantine/{item_id}", response_model=shapes.QuarantinedBody, summary="Get a payload that was not read")
def get_quarantined(desk: SourceManager, item_id: str) -> Response:
    with desk.read() as connection:
        found = queries.quarantine_item(connection, item_id)
    body = base64.b64encode(found.body or b"").decode()
    return answer(
        shapes.QuarantinedBody(
            **dict(shapes.Quarantined.model_validate(found)), body_base64=body, headers=dict(found.headers)
        )
    )  # fmt: skip


class Retried(shapes.Shape):
    """What became of a payload that was read again; it has left the quarantine."""

    id: str
    accepted: int
    duplicate: int
    rejected: int


@router.post("/quarantine/{item_id}/retry", response_model=Retried, summary="Read a kept payload again")
def retry_quarantined(desk: Writer, item_id: str, said: Nothing | None = None) -> Response:
    """After a fix of the format or of this program. What still cannot be read stays, and the answer says why."""
    require(desk.person, Permission.MANAGE_SOURCES)
    with desk.read() as connection:
        item = queries.quarantine_item(connection, item_id)
    kept = Inbound(item.body or b"", item.headers, path=item.path)
    counted = desk.context.read_again(item.source, kept)
    return desk.write(
        lambda tx, person: sources.leave_quarantine(tx, item_id, item.source, counted, person),
        lambda tx, _: Retried(id=item_id, accepted=counted[0], duplicate=counted[1], rejected=counted[2]),
    )
