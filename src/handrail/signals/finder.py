"""Finds the service of what was said, by the catalogue that is in force in one transaction."""

from handrail.domain.alert import Alert, Occurrence
from handrail.domain.catalog import Catalog
from handrail.domain.resolution import Resolution, Said, resolve
from handrail.operations.documents import load_catalog
from handrail.operations.shell import Tx


class ServiceFinder:
    """The catalogue is read when it is first asked for: most batches of a storm only repeat what is known."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._catalog: Catalog | None = None

    def __call__(self, source: str, said: Occurrence, before: str | None = None) -> str | None:
        """The service, or None. A later word that tells less (a resolve often has fewer labels) does not take an alert
        from the service of the catalogue where it is."""
        if self._catalog is None:
            self._catalog = load_catalog(self._tx)
        if not self._catalog.services:
            return None
        asked = Said(source, said.service, said.resource, said.title, said.severity_raw, said.labels)
        return resolve(self._catalog, asked).service or (before if before in self._catalog.services else None)


def explain(catalog: Catalog, alert: Alert) -> Resolution:
    """What the catalogue says today of an alert that is known. Its service may be one that an earlier catalogue or an
    earlier word of the sender gave it."""
    return resolve(
        catalog, Said(alert.source, alert.service, alert.resource, alert.title, alert.severity_raw, alert.labels)
    )
