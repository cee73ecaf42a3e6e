"""The people of the demonstration, and how the owner lets them in, each with an account and a password of their own."""

import secrets
from dataclasses import dataclass

from handrail.drills.demo.client import Client
from handrail.drills.demo.telling import SignIn


@dataclass(frozen=True)
class Role:
    """One account to make. `duty` says in a few words what the person is for."""

    login: str
    name: str
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    duty: str

    @property
    def first_name(self) -> str:
        return self.name.partition(" ")[0]


OWNER = Role("owner", "Owner", ("owner",), (), "owns this installation")
CAROL = Role("carol", "Carol Commander", ("responder",), (), "commands the incident")
PAUL = Role("paul", "Paul Payments", ("responder",), ("team-payments",), "owns payments: approves, verifies, signs off")
DORA = Role("dora", "Dora Communications", ("responder",), (), "writes to teams and executives")
ADA = Role("ada", "Ada Auditor", ("auditor",), (), "exports and checks the record")
PEOPLE: tuple[Role, ...] = (CAROL, PAUL, DORA, ADA)


@dataclass(frozen=True)
class Member:
    """Somebody signed in: account id, password, and the API as that person."""

    role: Role
    account_id: str
    password: str
    api: Client

    @property
    def sign_in(self) -> SignIn:
        return SignIn(self.role.name, self.role.login, self.password, self.role.duty)


class Cast:
    """Everybody who is let in so far, by sign-in name."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._members: dict[str, Member] = {}

    def enter_owner(self, one_time: str) -> Member:
        """The owner's first sign-in, with the one-time password that the server made."""
        return self._enter(OWNER, None, one_time)

    def let_in(self, role: Role) -> Member:
        """The owner makes an account; its person signs in and sets a password."""
        made = self["owner"].api.post(
            "/accounts", {"login": role.login, "name": role.name, "roles": role.roles, "teams": role.teams}
        )
        return self._enter(role, made["account"]["id"], made["password"])

    def __getitem__(self, login: str) -> Member:
        return self._members[login]

    def by_account(self, account_id: str | None) -> Member | None:
        return next((member for member in self._members.values() if member.account_id == account_id), None)

    def sign_ins(self) -> list[SignIn]:
        return [member.sign_in for member in self._members.values()]

    def close(self) -> None:
        for member in self._members.values():
            member.api.close()

    def _enter(self, role: Role, account_id: str | None, one_time: str) -> Member:
        password = f"{role.login}-{secrets.token_hex(4)}"
        api = Client.sign_in(self._url, role.login, one_time, password)
        member = Member(role, account_id or str(api.get("/me")["account"]["id"]), password, api)
        self._members[role.login] = member
        return member
