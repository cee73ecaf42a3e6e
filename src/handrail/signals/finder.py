"""Finds the service of what was said, by the catalogue that is in force in one transaction."""

from handrail.domain.alert import Alert, Occurrence
from handrail.domain.catalog import Catalog
from handrail.domain.resolution import Resolution, Said, resolve
from handrail.operations.documents import document_id, load_catalog
from handrail.operations.shell import Tx
from handrail.store.statements import fetch

_CHANGED = "SELECT changed_index FROM hr_noun WHERE kind = 'document' AND id = ?"


class Catalogs:
    """The catalogue in force, read again when its document changed. One for each thread that asks."""

    def __init__(self) -> None:
        self._as_of: int | None = None
        self._catalog = Catalog()

    def in_force(self, tx: Tx) -> Catalog:
        rows = fetch(tx.connection, _CHANGED, (document_id("catalog", "default"),))
        as_of = int(rows[0][0]) if rows else -1
        if as_of != self._as_of:
            self._catalog, self._as_of = load_catalog(tx), as_of
        return self._catalog


class ServiceFinder:
    """The catalogue is read when it is first asked for: most batches of a storm only repeat what is known."""

    def __init__(self, tx: Tx, catalogs: Catalogs) -> None:
        self._tx = tx
        self._catalogs = catalogs
        self._catalog: Catalog | None = None

    def __call__(self, source: str, said: Occurrence, before: str | None = None) -> str | None:
        """The service, or None. A later word that tells less (a resolve often has fewer labels) does not take an alert
        from the service of the catalogue where it is."""
        if self._catalog is None:
            self._catalog = self._catalogs.in_force(self._tx)
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
