"""People and machines: accounts, roles, tokens. Secrets are shown once, on the answer itself."""

from handrail.domain.account import Account
from handrail.domain.people import Person, Role
from handrail.operations import accounts
from handrail.operations.shell import Tx
from handrail.store import rooms
from handrail.web import views as v
from handrail.web.pages.site import At, Done, On, Post
from handrail.web.pages.visit import Screen, Visit
from handrail.web.presenters.people import people_view


def people(visit: Visit, secret: v.Secret | None = None) -> Screen:
    view = people_view(visit.names.accounts.values(), rooms.tokens(visit.connection), visit.person, secret)
    return Screen("people.html", "People", view, "people")


def _once(said: str, secret: v.Secret) -> Done:
    return Done(said, "/people", lambda visit: people(visit, secret))


def create(post: Post) -> Done:
    role, teams = post.text("role"), tuple(part.strip() for part in post.text("teams").split(",") if part.strip())
    is_machine = role == Role.MACHINE

    def operation(tx: Tx, person: Person) -> tuple[Account, str | None]:
        return accounts.create(tx, post.text("login"), post.text("name"), (role,), teams, is_machine, person)

    account, password = post.act(operation)
    if password is None:
        return Done(f"The account of {account.name} is made. Make a token for it below.")
    return _once(
        f"The account of {account.name} is made.", v.Secret(f"One-time password of {account.name}", password)
    )  # fmt: skip


def make_token(post: Post) -> Done:
    account_id, label = post.where["account_id"], post.text("label")
    scopes = tuple(post.fields.get("scopes") or ()) or None

    def operation(tx: Tx, person: Person) -> tuple[Account, str]:
        _, token = accounts.make_token(tx, account_id, label, scopes, None, person)
        return tx.get("account", account_id), token

    account, token = post.act(operation)
    return _once("The token is made.", v.Secret(f"Token of {account.name} for {label or 'no stated purpose'}", token))


def revoke_token(post: Post) -> Done:
    post.act(lambda tx, person: accounts.revoke_token(tx, post.where["token_id"], person))
    return Done("The token is revoked; whoever uses it is refused from now on.")


def reset_password(post: Post) -> Done:
    account_id = post.where["account_id"]

    def operation(tx: Tx, person: Person) -> tuple[Account, str]:
        password = accounts.reset_password(tx, account_id, person)
        return tx.get("account", account_id), password

    account, password = post.act(operation)
    return _once(
        f"{account.name} has a new one-time password; every session of the account has ended.",
        v.Secret(f"One-time password of {account.name}", password),
    )


def set_roles(post: Post) -> Done:
    roles = tuple(post.fields.get("roles") or ())
    teams = tuple(part.strip() for part in post.text("teams").split(",") if part.strip())
    post.act(lambda tx, person: accounts.set_roles(tx, post.where["account_id"], roles, teams, person))
    return Done("The roles are set; they hold from now on.")


def deactivate(post: Post) -> Done:
    post.act(lambda tx, person: accounts.deactivate(tx, post.where["account_id"], person))
    return Done("The account is closed; its sessions and tokens have ended.")


PAGES = (At("/people", people),)
FORMS = (
    On("/people", create, {"login": "new-login", "name": "new-name", "teams": "new-teams"}),
    On("/people/{account_id}/tokens", make_token, {"label": "label-{account_id}"}),
    On("/people/{account_id}/password", reset_password),
    On("/people/{account_id}/roles", set_roles, {"teams": "teams-{account_id}"}),
    On("/people/{account_id}/deactivate", deactivate),
    On("/tokens/{token_id}/revoke", revoke_token),
)
