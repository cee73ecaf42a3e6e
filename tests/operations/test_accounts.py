"""Accounts, tokens and sessions: nobody gives more than they have, and the last owner stays."""

from datetime import timedelta

import pytest

from handrail.domain.people import Permission, Person, permitted
from handrail.kernel.errors import Conflict, NotAllowed, NotSignedIn, Unprocessable
from handrail.operations import accounts
from handrail.operations.accounts import caller_by_session, caller_by_token
from tests.worlds import World, add_person, narrowed


def make_token(world: World, scopes: tuple[str, ...] | None, by: object = None) -> str:
    person = world.member if by is None else by
    made = world.by(
        world.member,
        lambda tx: accounts.make_token(tx, world.member.id, "mine", scopes, timedelta(hours=1), person),  # type: ignore[arg-type]
    )
    return made[1]


def test_a_token_acts_with_its_scopes_and_no_more(world: World) -> None:
    token = make_token(world, (Permission.READ,))
    caller = caller_by_token(world.shell.database, token, world.clock.now())
    assert caller is not None
    assert permitted(caller.person, Permission.READ)
    assert not permitted(caller.person, Permission.VOTE)


def test_a_narrow_token_cannot_make_a_wider_one(world: World) -> None:
    reader = narrowed(world.member, Permission.READ)
    for scopes in (None, (Permission.READ, Permission.VOTE), (Permission.COMMAND,)):
        with pytest.raises(NotAllowed, match="more than"):
            make_token(world, scopes, reader)
    assert make_token(world, (Permission.READ,), reader).startswith("hrt_")


def test_a_token_ends_at_its_time_by_revocation_and_with_its_account(world: World) -> None:
    database, token = world.shell.database, make_token(world, None)
    world.clock.advance(hours=1)
    assert caller_by_token(database, token, world.clock.now()) is None
    made = world.by(world.member, lambda tx: accounts.make_token(tx, world.member.id, "two", None, None, world.member))
    assert caller_by_token(database, made[1], world.clock.now()) is not None
    world.by(world.member, lambda tx: accounts.revoke_token(tx, made[0], world.member))
    assert caller_by_token(database, made[1], world.clock.now()) is None
    third = make_token(world, None)
    world.by(world.owner, lambda tx: accounts.deactivate(tx, world.member.id, world.owner))
    assert caller_by_token(database, third, world.clock.now()) is None


def test_nobody_touches_the_tokens_of_another_but_an_owner(world: World) -> None:
    token_id = world.by(
        world.member, lambda tx: accounts.make_token(tx, world.member.id, "mine", None, None, world.member)
    )[0]
    with pytest.raises(NotAllowed):
        world.by(world.commander, lambda tx: accounts.revoke_token(tx, token_id, world.commander))
    with pytest.raises(NotAllowed):
        world.by(world.commander, lambda tx: accounts.make_token(tx, world.member.id, "x", None, None, world.commander))
    world.by(world.owner, lambda tx: accounts.revoke_token(tx, token_id, world.owner))


def test_the_last_owner_can_neither_leave_nor_lose_the_role(world: World) -> None:
    with pytest.raises(Unprocessable, match="last owner"):
        world.by(world.owner, lambda tx: accounts.set_roles(tx, world.owner.id, ("manager",), (), world.owner))
    other = add_person(world.shell, "second", ("owner",))
    with pytest.raises(Conflict, match="yourself"):
        world.by(world.owner, lambda tx: accounts.deactivate(tx, world.owner.id, world.owner))
    world.by(other, lambda tx: accounts.deactivate(tx, world.owner.id, other))
    with pytest.raises(Unprocessable, match="last owner"):
        world.by(other, lambda tx: accounts.set_roles(tx, other.id, ("observer",), (), other))


def test_a_person_never_becomes_a_machine_nor_the_other_way_round(world: World) -> None:
    robot = add_person(world.shell, "robot", ("machine",))
    for account_id, roles in (
        (world.member.id, ("machine",)),
        (robot.id, ("owner",)),
        (robot.id, ("machine", "owner")),
    ):
        with pytest.raises(Unprocessable):
            world.by(
                world.owner,
                lambda tx, who=account_id, what=roles: accounts.set_roles(tx, who, what, (), world.owner),  # type: ignore[misc]
            )


def test_sign_in_says_the_same_for_a_wrong_password_and_an_unknown_name(world: World) -> None:
    account, password = world.by(
        world.owner, lambda tx: accounts.create(tx, "dora", "Dora", ("responder",), (), False, world.owner)
    )
    assert password is not None
    signed = accounts.sign_in(world.shell, "dora", password)
    assert caller_by_session(world.shell.database, signed.token, world.clock.now()) is not None
    told = set()
    for login, word in (("dora", "wrong"), ("nobody", password), ("dora", "")):
        with pytest.raises(NotSignedIn) as refusal:
            accounts.sign_in(world.shell, login, word)
        told.add((refusal.value.detail, refusal.value.code))
    assert len(told) == 1
    world.by(world.owner, lambda tx: accounts.deactivate(tx, account.id, world.owner))
    assert caller_by_session(world.shell.database, signed.token, world.clock.now()) is None
    with pytest.raises(NotSignedIn):
        accounts.sign_in(world.shell, "dora", password)


def test_a_new_password_ends_every_session(world: World) -> None:
    account, password = world.by(
        world.owner, lambda tx: accounts.create(tx, "dora", "Dora", ("responder",), (), False, world.owner)
    )
    assert password is not None
    signed = accounts.sign_in(world.shell, "dora", password)
    person = account.person()
    with pytest.raises(Unprocessable, match="characters"):
        change(world, person, account.id, password, "short")
    with pytest.raises(NotSignedIn):
        change(world, person, account.id, "wrong", "a long enough one")
    change(world, person, account.id, password, "a long enough one")
    assert caller_by_session(world.shell.database, signed.token, world.clock.now()) is None
    assert accounts.sign_in(world.shell, "dora", "a long enough one").account.must_set_password is False


def test_two_accounts_never_share_a_sign_in_name(world: World) -> None:
    with pytest.raises(Unprocessable, match="taken"):
        world.by(world.owner, lambda tx: accounts.create(tx, "member", "M", ("observer",), (), False, world.owner))


def change(world: World, person: Person, account_id: str, old: str, new: str) -> None:
    weighed = accounts.weigh_password(world.shell.database, account_id, old, new)
    world.by(person, lambda tx: accounts.change_password(tx, account_id, weighed))
