"""What kind of alert an alert is: the same source, service and rule, whatever its dedup key, host or number."""

import re
from dataclasses import dataclass
from functools import lru_cache

from handrail.domain.alert import Alert

_NAME_CHARS = 120
# What differs from one alert of a rule to the next: numbers, hashes, addresses, and the names that end in them.
_VARIES = re.compile(r"\b[0-9a-f]{8,}\b|[0-9]+(?:[.:,][0-9]+)*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Kind:
    """Alerts of one rule. `name` is the rule's own name, or the title with `#` for what varies."""

    source: str
    service: str | None
    name: str

    @property
    def words(self) -> str:
        """“HighErrors on payments”."""
        return f"“{self.name}” on {self.service}" if self.service else f"“{self.name}”"


def kind_of(alert: Alert) -> Kind:
    return Kind(alert.source, alert.service, alert.labels.get("alertname", "")[:_NAME_CHARS] or template(alert.title))


@lru_cache(maxsize=4096)
def template(title: str) -> str:
    """The title without what varies: “disk # % full on web-#”."""
    return " ".join(_VARIES.sub("#", title).split())[:_NAME_CHARS]
