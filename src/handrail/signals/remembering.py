"""Keeps what correlation knows beyond the moment, and reads it again only where the record has news of it."""

from datetime import date

from handrail.domain.catalog import Catalog
from handrail.domain.correction import Corrections, index
from handrail.kernel.limits import LIMITS, Limits
from handrail.operations.shell import Tx
from handrail.signals.correlate import Memory
from handrail.signals.learned import Learned, Past, learn
from handrail.signals.relation import Links
from handrail.store import candidates as store


class Remembering:
    """One duty's memory. Everything in it follows from the record, so that another node knows the same."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._links = Links(Catalog(), limits)
        self._corrections = Corrections()
        self._learned = Learned()
        self._corrections_as_of = -1
        self._learned_as_of: tuple[int, date] | None = None

    def memory(self, tx: Tx, catalog: Catalog) -> Memory:
        if self._links.catalog is not catalog:
            self._links = Links(catalog, self._limits)
        news = store.news_of(tx.connection, "correction")
        if news != self._corrections_as_of:
            self._corrections = index(store.live_corrections(tx.connection))
            self._corrections_as_of = news
        # Weights fall by the day; asking more often would change nothing that a person could see.
        closed = (store.news_of(tx.connection, "incident", "closed"), tx.now.date())
        if closed != self._learned_as_of:
            past = store.kinds_of_closed(tx.connection, self._limits.learned_incidents)
            self._learned = learn((Past(*one) for one in past), tx.now, self._limits)
            self._learned_as_of = closed
        return Memory(self._links, self._corrections, self._learned)
