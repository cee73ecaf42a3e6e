"""Ids and roles as people read them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from handrail.domain.account import Account
from handrail.domain.people import Eligible
from handrail.web import views as v

# What acts without an account, by the id that stands in the record.
_MACHINES = {"handrail": "Handrail", "analyst": "Analyst"}
_ROLES = {"communications": "communications lead", "expert": "subject expert"}


@dataclass(frozen=True)
class Names:
    """Who stands behind which id."""

    accounts: Mapping[str, Account]

    def of(self, account_id: str) -> str:
        """A name, or the id itself where no account is known under it."""
        account = self.accounts.get(account_id)
        return account.name if account else _MACHINES.get(account_id, account_id)

    def all(self, account_ids: Iterable[str]) -> str:
        return ", ".join(self.of(account_id) for account_id in account_ids)

    def actor(self, kind: str, account_id: str, on_behalf_of: str | None = None) -> v.Actor:
        return v.Actor(kind, self.of(account_id), self.of(on_behalf_of) if on_behalf_of else None)

    def known(self, account_id: str) -> v.Actor:
        """An actor of whom only the id is kept: without an account it is a machine."""
        account = self.accounts.get(account_id)
        return v.Actor(account.kind if account else "machine", self.of(account_id))

    def eligible(self, eligible: Eligible) -> tuple[str, ...]:
        """Who may decide, in words."""
        return (
            *(f"any {role_words(role)}" for role in eligible.roles),
            *(f"anyone of {team}" for team in eligible.teams),
            *(self.of(account_id) for account_id in eligible.people),
        )

    def owner(self, owner: str) -> str:
        """The owner of a task as the runbook writes it: `role:commander`, `team:payments` or an account."""
        kind, _, name = owner.rpartition(":")
        if kind == "role":
            return role_words(name)
        return name if kind == "team" else self.of(name)

    def people(self) -> tuple[Account, ...]:
        """Active people by name."""
        active = [account for account in self.accounts.values() if account.active and account.kind == "person"]
        return tuple(sorted(active, key=lambda account: (account.name.lower(), account.id)))


def role_words(role: str) -> str:
    return _ROLES.get(role, role)
