"""What Prometheus and amtool read back from the address where they post: alerts, and that somebody is there."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

import msgspec

from handrail.kernel.clock import Clock, to_text
from handrail.kernel.errors import BadInput
from handrail.plugins.integrations.alertmanager import view
from handrail.signals.http import Answer
from handrail.store import alerts
from handrail.store.database import Database

_encode = msgspec.json.Encoder().encode


class Reading:
    """Answers in Alertmanager's own form."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._started = to_text(clock.now())

    def alerts(self, source: str | None, parameters: Iterable[tuple[str, str]]) -> Answer:
        """Open alerts of a source (None: of all) that the filters select."""
        try:
            query = view.read_query(parameters)
        except BadInput as fault:
            return Answer(*view.answer_text(fault.detail))
        with self._database.read() as connection:
            found = alerts.listed(connection, source)
        return Answer(200, _encode(view.listed(found, query)))

    def about(self, name: str) -> Answer:
        if name != "/api/v2/status":
            return Answer(200, b"OK", b"text/plain; charset=utf-8")
        told = dict.fromkeys(("branch", "buildDate", "buildUser", "goVersion", "revision"), "")
        content = {
            "cluster": {"status": "disabled", "peers": []},
            "config": {"original": ""},
            "uptime": self._started,
            "versionInfo": {**told, "version": f"handrail-{_version()}"},
        }
        return Answer(200, _encode(content))


def _version() -> str:
    try:
        return version("handrail")
    except PackageNotFoundError:
        return "0"
