"""What a source's metrics are pulled by: a server that speaks Prometheus' query API, and the queries put to it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from handrail.kernel.errors import Fault
from handrail.kernel.limits import LIMITS

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,127}\Z")


@dataclass(frozen=True)
class PullQuery:
    """`name` names what the PromQL expression gives: it stands for the metric in findings, and tells queries apart."""

    name: str
    promql: str


@dataclass(frozen=True)
class Pull:
    """Every `every_seconds` each query is asked for its value; at the start for the last `history_seconds` too.

    `url` is what stands before `/api/v1/query`. With `user` the secret is the password of Basic, else a bearer token;
    `secret_id` None: nothing is shown to the server.
    """

    url: str
    queries: tuple[PullQuery, ...]
    every_seconds: int
    history_seconds: int
    user: str = ""
    secret_id: str | None = None

    @property
    def place(self) -> str:
        """The server, as the allow list writes it."""
        return place_of(self.url)


def place_of(url: str) -> str:
    """Scheme, host and port: whoever may see a secret there. Empty where the URL names none."""
    try:
        read = urlsplit(url)
        port = read.port or {"http": 80, "https": 443}.get(read.scheme, 0)
    except ValueError:
        return ""
    host = read.hostname or ""
    return f"{read.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def faults_of(pull: Pull) -> tuple[Fault, ...]:
    """All that is wrong with it, each where it stands."""
    return (*_url_faults(pull.url), *_query_faults(pull.queries), *_time_faults(pull))


def _url_faults(url: str) -> Iterator[Fault]:
    try:
        read = urlsplit(url)
        named = read.scheme in ("http", "https") and bool(read.hostname) and (read.port or 1) > 0
    except ValueError:
        named = False
        read = urlsplit("")
    if not named or not url.isascii() or not url.isprintable() or " " in url or len(url) > LIMITS.link_chars:
        yield Fault("url", "must be the server's http or https address, such as https://prometheus.example:9090")
    elif read.username is not None or read.password is not None:
        yield Fault("url", "must not hold a user or a password; give them apart, so that they are kept sealed")
    elif read.query or read.fragment:
        yield Fault("url", "must end before “/api/v1/query”, without ? and #")


def _query_faults(queries: Sequence[PullQuery]) -> Iterator[Fault]:
    if not 1 <= len(queries) <= LIMITS.pull_queries:
        yield Fault("queries", f"must be 1 to {LIMITS.pull_queries}")
    seen: set[str] = set()
    for place, query in enumerate(queries[: LIMITS.pull_queries]):
        if not _NAME.match(query.name):
            yield Fault(f"queries/{place}/name", "must be letters, digits, _ and :, not beginning with a digit")
        elif query.name in seen:
            yield Fault(f"queries/{place}/name", f"is the second “{query.name}”; give each query its own name")
        seen.add(query.name)
        if not query.promql.strip() or len(query.promql) > LIMITS.pull_query_chars:
            yield Fault(f"queries/{place}/promql", f"must have 1 to {LIMITS.pull_query_chars} characters")


def _time_faults(pull: Pull) -> Iterator[Fault]:
    least, most, longest = LIMITS.pull_seconds_least, LIMITS.pull_seconds_most, LIMITS.pull_history_seconds
    if not least <= pull.every_seconds <= most:
        yield Fault("every_seconds", f"must be {least} to {most}")
    if not 0 <= pull.history_seconds <= longest:
        yield Fault("history_seconds", f"must be 0 to {longest}")
    if pull.user and not (pull.user.isprintable() and ":" not in pull.user and len(pull.user) <= LIMITS.label_chars):
        yield Fault("user", f"must have up to {LIMITS.label_chars} printable characters and no colon")
