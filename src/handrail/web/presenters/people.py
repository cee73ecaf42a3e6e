"""People and machines with their roles and tokens; senders and how they are doing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from handrail.domain.account import Account
from handrail.domain.alert import is_unknown_word, rung_of
from handrail.domain.people import GRANTS, Permission, Person, Role, permitted
from handrail.domain.pull import Pull
from handrail.domain.severities import is_known
from handrail.domain.source import Source, is_sns_address
from handrail.kernel.clock import from_text
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Parsed
from handrail.plugins.integrations.registry import integrations
from handrail.store.intake import Minutes, RefusalCount, SourceStat, WordCount
from handrail.store.pulls import PullState
from handrail.store.queries import Quarantined, TokenView
from handrail.store.sealed import Shown
from handrail.web import views as v
from handrail.web.svg import Point, sparkline

_HEARD_LATELY = timedelta(minutes=15)
_ADDRESSES = {"alertmanager": "/api/v2/alerts", "pagerduty_events_v2": "/v2/enqueue"}


def people_view(
    accounts: Iterable[Account], tokens: Mapping[str, Sequence[TokenView]], viewer: Person,
    secret: v.Secret | None = None,
) -> v.PeopleView:  # fmt: skip
    may_manage = permitted(viewer, Permission.MANAGE_PEOPLE)
    ordered = sorted(accounts, key=lambda account: (not account.active, account.kind, account.name.lower(), account.id))
    return v.PeopleView(
        people=tuple(_person(account, tokens.get(account.id, ()), viewer, may_manage) for account in ordered),
        may_manage=may_manage,
        role_options=tuple(v.Option(role, role, role == Role.RESPONDER) for role in Role),
        scope_options=tuple(
            v.Option(scope, scope.replace("_", " "), scope == Permission.READ)
            for scope in Permission
            if may_manage or any(scope in GRANTS[Role(role)] for role in viewer.roles)
        ),
        secret=secret,
    )


def _person(account: Account, tokens: Sequence[TokenView], viewer: Person, may_manage: bool) -> v.PersonRow:
    return v.PersonRow(
        id=account.id, login=account.login, name=account.name, kind=account.kind, roles=account.roles,
        teams=account.teams, active=account.active, seen_at=account.signed_in_at,
        tokens=tuple(
            v.TokenRow(token.id, token.name, token.scopes or (), token.last_four, token.expires_at)
            for token in tokens
            if token.revoked_at is None
        ),
        may_make_token=account.active and (may_manage or account.id == viewer.id),
        may_manage=account.active and may_manage and account.id != viewer.id,
        login_state="has not chosen a password yet" if account.must_set_password else "",
    )  # fmt: skip


@dataclass(frozen=True)
class Doing:
    """How one source is doing, as the store tells it."""

    minutes: Minutes = field(default_factory=Minutes)
    refusals: Sequence[RefusalCount] = ()
    words: Sequence[WordCount] = ()


def source_row(
    source: Source, stat: SourceStat | None, firing: int, now: datetime, public_url: str,
    signing: Sequence[Shown] = (), signs: bool = False, pulled: PullState | None = None, doing: Doing | None = None,
) -> v.SourceRow:  # fmt: skip
    """`signs` tells whether the source's format can be signed with a secret, `signing` what may be shown of them."""
    last_at, doing = from_text(stat.last_seen) if stat else None, doing or Doing()
    known = integrations().get(source.integration)
    return v.SourceRow(
        per_minute=doing.minutes.per_minute,
        in_hour=sum(doing.minutes.received),
        spark=_spark(doing.minutes, now),
        verdicts=_verdicts(stat),
        refusals=tuple(v.RefusalRow(r.code, r.count, from_text(r.last_at), r.reason) for r in doing.refusals),
        severities="\n".join(f"{word}={rung.value}" for word, rung in source.severities.words.items()),
        severity_label=source.severities.label,
        unknown_words=tuple(
            v.UnknownWordRow(each.word, each.count)
            for each in doing.words
            if not is_known(each.word, source.severities.words, known.severities if known else {})
        ),
        alerts_per_second=source.alerts_per_second,
        id=source.id,
        name=source.name,
        kind=source.integration.replace("_", " "),
        address=f"{public_url}{_ADDRESSES.get(source.integration, f'/in/{source.name}')}",
        authentication=_known_by(source),
        health=_health(stat, last_at, now),
        last_at=last_at,
        accepted=stat.accepted if stat else 0,
        refused=stat.refused if stat else 0,
        last_refusal=stat.last_refusal if stat else "",
        alerts_firing=firing,
        signs=signs,
        heartbeat_seconds=source.heartbeat_seconds,
        pull=_pull_row(source.pull, pulled) if source.pull else None,
        signing=tuple(v.SigningRow(each.id, each.last_four, from_text(each.set_at)) for each in signing),
    )


def _pull_row(pull: Pull, state: PullState | None) -> v.PullRow:
    pulled = state.pulled_at if state else None
    return v.PullRow(
        url=pull.url, queries="\n".join(f"{query.name}={query.promql}" for query in pull.queries),
        every_seconds=pull.every_seconds, history_seconds=pull.history_seconds, user=pull.user,
        has_secret=pull.secret_id is not None, pulled_at=from_text(pulled) if pulled else None,
        series=state.series if state else 0, trouble=state.trouble if state else "", notes=state.notes if state else "",
    )  # fmt: skip


def confirmation_rows(source: Source) -> list[v.ConfirmationRow]:
    return [
        v.ConfirmationRow(
            item.id, source.id, source.name, item.topic, item.place, item.status, item.detail, item.asked_at,
            is_sns_address(item.url),
        )
        for item in source.confirmations
    ]  # fmt: skip


def _spark(minutes: Minutes, now: datetime) -> str:
    """The last hour as a line; nothing where nothing was heard."""
    if not any(minutes.received):
        return ""
    ends = len(minutes.received)
    points = [Point(now - timedelta(minutes=ends - 1 - at), count) for at, count in enumerate(minutes.received)]
    return sparkline(
        points, f"The last hour: {sum(minutes.received)} in all, {max(minutes.received)} in its busiest minute"
    )


def _verdicts(stat: SourceStat | None) -> str:
    """Requests by how sure we are of their sender."""
    counts = ((stat.verified, "signed"), (stat.by_token, "by token"), (stat.unsigned, "unsigned")) if stat else ()
    return ", ".join(f"{count} {how}" for count, how in counts if count)


def tried_rows(source: Source, parsed: Parsed) -> v.Tried:
    """What a payload would become, item by item."""
    rows = [
        v.TriedRow(
            "alert", said.status.value, rung_of(said).value,
            f"{said.severity_raw or 'none'}{' (no mapping knows it)' if is_unknown_word(said) else ''}",
            said.service or "", said.title,
        )
        for said in parsed.occurrences
    ]  # fmt: skip
    rows += [v.TriedRow("change", said.kind, "", "", said.service or "", said.title) for said in parsed.changes]
    rows += [v.TriedRow("refused", said.code, "", "", "", said.reason) for said in parsed.rejected]
    return v.Tried(source.name, tuple(rows[: LIMITS.page_size_max]), len(parsed.points))


def _known_by(source: Source) -> str:
    """Signatures alone count as soon as there is a signing secret."""
    kept, what = (source.signing_secrets, "signing secret") if source.signing_secrets else (source.secrets, "token")
    return f"{len(kept)} {what}{'' if len(kept) == 1 else 's'}"


def _health(stat: SourceStat | None, last_at: datetime | None, now: datetime) -> str:
    if stat is None or last_at is None or now - last_at > _HEARD_LATELY:
        return "quiet"
    return "refusing" if stat.refused and not stat.accepted else "receiving"


def refused_row(item: Quarantined) -> v.RefusedRow:
    return v.RefusedRow(item.received_at, item.source, item.code, item.reason, item.size, item.id)
