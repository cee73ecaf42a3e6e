"""Accounts by the sign-in names that people know: ids become names in tables, and names become ids in requests."""

from dataclasses import dataclass, field
from typing import Any

from handrail.cli.client import Client, path_of
from handrail.cli.trouble import NOT_FOUND, Trouble
from handrail.kernel.limits import LIMITS


@dataclass
class Names:
    """Asks the server for its accounts once, when the first name is needed."""

    client: Client
    _logins: dict[str, str] | None = field(default=None)

    def of(self, account_id: Any) -> str:
        """The sign-in name, or the id where no account is known under it."""
        return self._known().get(str(account_id), str(account_id)) if account_id else ""

    def actor(self, actor: dict[str, Any]) -> str:
        behalf = actor.get("on_behalf_of")
        return self.of(actor["id"]) + (f" for {self.of(behalf)}" if behalf else "")

    def id_of(self, name: str) -> str:
        """The id for a sign-in name; an id is itself."""
        if name.startswith("usr_"):
            return name
        found = next((known for known, login in self._known().items() if login == name), None)
        if found is None:
            raise Trouble(f"There is no account “{name}”.", NOT_FOUND, "See `handrail user list`.", "no_account")
        return found

    def _known(self) -> dict[str, str]:
        if self._logins is None:
            found = self.client.pages(path_of("accounts"), limit=LIMITS.accounts_named)["items"]
            self._logins = {account["id"]: account["login"] for account in found}
        return self._logins
