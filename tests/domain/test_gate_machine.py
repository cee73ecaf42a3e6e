"""A gate under random and hostile commands: consent comes only from enough people who may give it, and ends in time."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from handrail.domain import gate as gates
from handrail.domain.gate import CastVote, Gate, OpenGate, Rung, Subject, Void, Withdraw, authority
from handrail.domain.noun import Tick
from handrail.domain.people import Eligible, Permission, Person, permitted
from tests.domain.machines import EDITOR, PEOPLE, PROPOSER, START, minutes, step, words

DIGEST, OTHER = "a" * 64, "b" * 64
ELIGIBLE = Eligible(roles=("manager",), teams=("payments",))
LADDER = (Rung(Eligible(roles=("owner",)), 600),)
AGAIN = OpenGate(
    "gat_1", None, Subject("action", "x", OTHER, "Other"), {}, "usr_x", None, ELIGIBLE, 1, "", "", minutes(15),
    minutes(60),
)  # fmt: skip
FINAL = ("rejected", "expired", "withdrawn", "voided")


class GateMachine(RuleBasedStateMachine):
    """`accounts` are the people as they are now; `consent` is counted here, apart from the gate."""

    def __init__(self) -> None:
        super().__init__()
        self.gate: Gate | None = None
        self.now = START
        self.accounts: dict[str, Person] = {person.id: person for person in PEOPLE}
        self.consent: set[str] = set()
        self.voted: list[str] = []
        self.last_status = "open"

    def send(self, command: object) -> bool:
        """Whether the command had any effect."""
        done = step(gates.NOUN, self.gate, command, self.now)
        self.gate = done.state
        return bool(done.events)

    @property
    def open_gate(self) -> Gate:
        assert self.gate is not None
        return self.gate

    @initialize(quorum=st.integers(1, 3), ladder=st.booleans())
    def open(self, quorum: int, ladder: bool) -> None:
        self.gate, self.consent, self.voted, self.last_status = None, set(), [], "open"
        assert self.send(
            OpenGate(
                "gat_1", None, Subject("action", "run_1/t", DIGEST, "Roll back"), {"act": "action"}, PROPOSER.id,
                EDITOR.id, ELIGIBLE, quorum, "p" * 64, "rule", minutes(15), minutes(60), LADDER if ladder else (),
            )
        )  # fmt: skip

    @rule(
        who=st.sampled_from([person.id for person in PEOPLE]),
        choice=st.sampled_from(["approve", "approve", "approve", "reject"]),
        digest=st.sampled_from([DIGEST, DIGEST, DIGEST, OTHER, ""]),
        said=words,
    )
    def vote(self, who: str, choice: Literal["approve", "reject"], digest: str, said: str) -> None:
        voter, before = self.accounts[who], self.open_gate
        if self.send(CastVote(voter, choice, digest, said)):
            assert voter.kind == "person"
            assert voter.active
            assert permitted(voter, Permission.VOTE)
            assert who not in (PROPOSER.id, EDITOR.id)
            assert before.eligible.admits(voter)
            assert digest == DIGEST
            assert before.status == "open"
            self.voted.append(who)
            if choice == "approve":
                self.consent.add(who)

    @rule(who=st.sampled_from([person.id for person in PEOPLE]), change=st.sampled_from(["team", "roles", "active"]))
    def account_changes(self, who: str, change: str) -> None:
        known = self.accounts[who]
        if change == "team":
            fresh = replace(known, teams=frozenset() if known.teams else frozenset({"payments"}))
        elif change == "roles" and known.kind == "person":
            fresh = replace(known, roles=frozenset({"observer"}))
        else:
            fresh = replace(known, active=not known.active)
        self.accounts[who] = fresh

    @rule(command=st.sampled_from([Withdraw(PROPOSER.id, "Not needed."), Void("The words were edited.")]))
    def end(self, command: object) -> None:
        self.send(command)

    @precondition(lambda self: self.gate is not None and self.gate.status in FINAL)
    @rule(quorum=st.integers(1, 3), ladder=st.booleans())
    def ask_again(self, quorum: int, ladder: bool) -> None:
        """A new gate, so that the rest of the steps has something to attack."""
        self.accounts = {person.id: person for person in PEOPLE}
        self.open(quorum, ladder)

    @rule()
    def tick(self) -> None:
        before = self.open_gate
        self.send(Tick())
        assert self.open_gate.votes == before.votes
        assert self.open_gate.status in (before.status, "expired")

    @rule(span=st.sampled_from([minutes(1), minutes(14), minutes(16), minutes(61), timedelta(days=400)]))
    def time_passes(self, span: timedelta) -> None:
        self.now += span

    @rule(command=st.sampled_from(["nonsense", None, AGAIN]))
    def nonsense(self, command: object) -> None:
        assert not self.send(command)

    @rule(digest=st.sampled_from([DIGEST, DIGEST, OTHER]), known=st.sets(st.sampled_from([p.id for p in PEOPLE])))
    def use(self, digest: str, known: set[str]) -> None:
        """Consent is used only for its content, in its time, and while enough of its givers may still give it."""
        people = {who: person for who, person in self.accounts.items() if who in known}
        if authority(self.gate, digest, people, self.now) is not None:
            return
        gate = self.open_gate
        assert gate.status == "satisfied"
        assert digest == DIGEST
        assert gate.usable_until is not None and self.now <= gate.usable_until
        counted = [who for who in self.consent if who in people and may(gate, people[who])]
        assert len(counted) >= gate.quorum

    @invariant()
    def consent_is_enough_people_who_may(self) -> None:
        if self.gate is None:
            return
        assert sorted(self.gate.approvers()) == sorted(self.consent)
        if self.gate.status == "satisfied":
            assert len(self.consent) >= self.gate.quorum
            assert not any(vote.vote == "reject" for vote in self.gate.votes)

    @invariant()
    def one_person_is_one_vote(self) -> None:
        assert len(self.voted) == len(set(self.voted))

    @invariant()
    def what_ended_stays_ended(self) -> None:
        if self.gate is None:
            return
        status = self.gate.status
        if self.last_status in FINAL:
            assert status == self.last_status
        if self.last_status == "satisfied":
            assert status in ("satisfied", "withdrawn", "voided")
        self.last_status = status
        assert (gates.row(self.gate).timers != ()) == (status == "open")


def may(gate: Gate, person: Person) -> bool:
    return (
        person.kind == "person"
        and person.active
        and person.id not in (gate.proposer, gate.last_editor)
        and permitted(person, Permission.VOTE)
        and gate.eligible.admits(person)
    )


TestGateMachine: Any = GateMachine.TestCase
TestGateMachine.settings = settings(max_examples=150)
