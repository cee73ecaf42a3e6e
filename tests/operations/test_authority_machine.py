"""Everything that could lead to an effect without authority, tried at random over the operations themselves.

People vote, edit, lose roles and hand them over; policy and catalogue are replaced; time passes; the engine acts,
is killed and starts again. At the moment of every effect an oracle reads the record, and nothing else, and says
whether the effect was allowed.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from handrail.domain.incident import Incident
from handrail.domain.people import Permission, Person, permitted
from handrail.domain.run import Run
from handrail.engine.duties import Timers
from handrail.engine.steps.deliver import Deliver
from handrail.engine.steps.perform import Perform
from handrail.kernel import points
from handrail.kernel.canonical import digest, plain
from handrail.kernel.clock import ManualClock, from_text
from handrail.kernel.errors import Refused
from handrail.operations import accounts, decisions, documents, incidents, messages, runs
from handrail.operations.shell import Ports
from handrail.plugins.actions.contract import Outcome
from handrail.plugins.channels.contract import ChannelError, Receipt
from handrail.store.projections import dump, entries, rebuild
from tests import databases
from tests.fakes import FakeAction, FakeEngine
from tests.records import verified
from tests.worlds import INPUTS, RUNBOOK, World, add_people, catalog_text, look, make_shell, make_world

PEOPLE = ("owner", "commander", "member", "approver", "outsider", "second", "manager", "robot")
_RULES = """kind: policy
name: default
rules:
  - name: roll-backs
    when: {{act: action}}
    {actions}
  - name: messages
    when: {{act: message}}
    {messages}
  - name: readiness
    when: {{act: readiness}}
    verdict: approve
    approvers: {{teams: [$service_owner], roles: [manager]}}
  - name: documents
    when: {{act: document}}
    verdict: approve
    approvers: {{roles: [owner, manager]}}
"""
_BY_OWNERS = "verdict: approve\n    approvers: {teams: [$service_owner], roles: [manager]}\n    quorum: "
_BY_COMMAND = "verdict: approve\n    approvers: {roles: [commander, manager]}"
POLICIES = tuple(
    _RULES.format(actions=actions, messages=words)
    for actions, words in (
        (_BY_OWNERS + "1", _BY_COMMAND), (_BY_OWNERS + "2", "verdict: auto"), ("verdict: forbid", _BY_COMMAND),
        ("verdict: auto", "verdict: forbid"),
    )
)  # fmt: skip
CATALOGUES = (
    catalog_text(), catalog_text(owner="team-storefront"),
    catalog_text().replace("component:default/payments", "component:default/storefront"),
)  # fmt: skip
BETWEEN = ("nothing", "team", "observer", "hand over", "policy", "catalogue", "expire", "skip", "cancel", "withdraw",
           "edit", "restart", "other message")  # fmt: skip
KILLS = ("perform.before_authority", "perform.after_authority", "perform.after_effect", "deliver.before_send",
         "deliver.after_send")  # fmt: skip

people = st.sampled_from(PEOPLE)
ANYTHING: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "withdraw": {"name": people, "at": st.integers(0, 3)},
    "edit": {"name": people, "at": st.integers(0, 9), "text": st.sampled_from(["Some words.", "Other words."])},
    "submit": {"name": people, "at": st.integers(0, 9)},
    "write": {"name": people},
    "work": {
        "name": people, "what": st.sampled_from(["skip", "cancel", "again", "claim", "finish", "resolve"]),
        "task": st.sampled_from(["roll-back", "roll-back", "confirm-impact", "tell-teams", "signal-recovers"]),
        "luck": st.integers(0, 3), "at": st.integers(0, 3),
    },
    "start_another_run": {"name": people},
    "change_account": {
        "name": st.sampled_from(["approver", "second", "manager", "commander"]), "luck": st.integers(0, 4),
        "roles": st.sampled_from([("responder",), ("responder",), ("observer",), ("manager",)]),
        "teams": st.sampled_from([("team-payments",), ("team-payments",), ("team-storefront",), ()]),
    },
    "give_role": {
        "giver": st.sampled_from(["commander", "member", "outsider"]), "taker": people,
        "role": st.sampled_from(["commander", "communications"]),
    },
    "adopt": {"text": st.sampled_from([*POLICIES, *CATALOGUES])},
    "change_severity": {"severity": st.sampled_from(["SEV1", "SEV3"])},
    "try_to_end": {
        "what": st.sampled_from(["ready", "close"]), "half": st.sampled_from(["machine", "human"]),
        "stage": st.sampled_from(["triage", "contain", "remediate", "recover"]),
    },
}  # fmt: skip


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Oracle:
    """Whether an effect is allowed, from the entries of the record up to now."""

    world: World
    facts: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def read(self) -> "Oracle":
        with self.world.shell.database.read() as connection:
            self.facts = [(e.stream, e.type, {**e.body, **(e.personal or {})}) for e in entries(connection)]
        return self

    def of(self, stream: str, *kinds: str) -> list[dict[str, Any]]:
        return [body for where, kind, body in self.facts if where == stream and (kind in kinds or not kinds)]

    def policy_in_force(self) -> str:
        return str(self.of("document/policy.default", "document.adopted")[-1]["digest"])

    def person(self, account_id: str, incident_id: str) -> Person:
        """The account as its entries tell it, with the roles that it holds in the incident."""
        made = self.of(f"account/{account_id}", "account.created")[-1]
        latest = [made, *self.of(f"account/{account_id}", "account.roles_set")][-1]
        holders: dict[str, str] = {}
        for given in self.of(f"incident/{incident_id}", "incident.role_given"):
            holders[given["role"]] = given["account_id"]
        held = frozenset(role for role, holder in holders.items() if holder == account_id)
        active = not self.of(f"account/{account_id}", "account.deactivated")
        return Person(
            account_id, made["kind"], frozenset(latest["roles"]), frozenset(latest["teams"]), active,
            incident_roles=held,
        )  # fmt: skip

    def must_allow(self, effect: dict[str, Any], content: dict[str, Any], incident_id: str) -> None:
        """Fails unless this effect (its entry) has authority for this content."""
        assert effect["digest"] == digest(content)
        allowed = effect["authority"]
        if allowed["kind"] == "policy":
            assert allowed["id"] == self.policy_in_force()
            assert allowed["rule"] in ("roll-backs", "messages")
            return
        stream = f"gate/{allowed['id']}"
        [opened] = self.of(stream, "gate.opened")
        assert opened["subject"]["digest"] == effect["digest"]
        assert opened["content"] == content
        assert opened["policy"] == self.policy_in_force()
        assert not self.of(stream, "gate.voided", "gate.withdrawn", "gate.expired", "gate.rejected")
        [satisfied] = self.of(stream, "gate.satisfied")
        assert self.world.clock.now() <= from_text(satisfied["usable_until"])
        eligible = [opened, *self.of(stream, "gate.escalated")][-1]["eligible"]
        votes = [vote for vote in self.of(stream, "gate.voted") if vote["vote"] == "approve"]
        assert len({vote["by"] for vote in votes}) == len(votes)
        valid = 0
        for vote in votes:
            voter = self.person(vote["by"], incident_id)
            assert voter.kind == "person"
            assert vote["by"] not in (opened["proposer"], opened["last_editor"])
            assert vote["digest"] == effect["digest"]
            held = voter.roles | voter.incident_roles
            may = (
                held & set(eligible["roles"])
                or voter.teams & set(eligible["teams"])
                or vote["by"] in eligible["people"]
            )
            valid += bool(may) and permitted(voter, Permission.VOTE)
        assert valid >= opened["quorum"]


class AuthorityMachine(RuleBasedStateMachine):
    """One live incident at its open gate. `make` gives a world of its own to each example."""

    make: Callable[[], World]

    def __init__(self) -> None:
        super().__init__()
        self.world = type(self).make()
        self.acts: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.run_ids = [self.world.run_id]
        self.message_ids = [str(task.message_id) for task in self.world.run.tasks.values() if task.message_id]
        self.world.action.execute = self.on_act  # type: ignore[method-assign]
        self.world.shell.ports = Ports({"deploy.rollback": self.world.action})

    # What the outside sees.

    def on_act(self, parameters: Any, catalog: Any, key: str) -> Outcome:
        oracle = Oracle(self.world).read()
        run_id, task_id, _ = key.split(":")
        run: Run = look(self.world.shell, lambda tx: tx.get("run", run_id))
        incident: Incident = self.world.incident
        assert run.status == "running"
        assert incident.closed_at is None
        started = [act for act in oracle.of(f"run/{run_id}", "action.started") if act["task_id"] == task_id][-1]
        assert started["key"] == key
        assert not [
            end for end in oracle.of(f"run/{run_id}", "task.skipped", "task.done", "task.failed")
            if end["task_id"] == task_id
        ]  # fmt: skip
        [begun] = oracle.of(f"run/{run_id}", "run.started")
        plan = next(task for task in begun["tasks"] if task["id"] == task_id)
        assert dict(parameters) == plan["parameters"]
        current = look(self.world.shell, documents.load_catalog)
        proposed = oracle.of(f"proposal/{begun['proposal_id']}", "proposal.made")
        content = {
            "act": "action", "action": "deploy.rollback", "risk": "medium", "parameters": plan["parameters"],
            "run": run_id, "task": task_id, "incident": run.incident_id, "runbook": begun["runbook_digest"],
            "preview": plain(FakeAction().preview(parameters, current)),
            "evidence": list(proposed[0]["evidence"]) if proposed else [], "policy": oracle.policy_in_force(),
        }  # fmt: skip
        oracle.must_allow(started, content, run.incident_id)
        self.acts[key] += 1
        assert self.acts[key] == 1
        return FakeAction.execute(self.world.action, parameters, catalog, key)

    def send(self, message_id: str, key: str, audience: str, subject: str, text: str, settings: Any) -> Receipt:
        oracle = Oracle(self.world).read()
        stream = f"message/{message_id}"
        sending = oracle.of(stream, "message.sending")[-1]
        assert sending["key"] == key == f"{message_id}:{sending['channel']}"
        [drafted] = oracle.of(stream, "message.drafted")
        words = [drafted, *oracle.of(stream, "message.edited")][-1]
        assert (subject, text) == (words["subject"], words["text"])
        content = {
            "act": "message", "message": message_id, "incident": drafted["incident_id"], "audience": audience,
            "stage": drafted["stage"], "channels": drafted["channels"], "subject": subject, "text": text,
        }  # fmt: skip
        assert audience == drafted["audience"]
        if sending["attempt"] == 1:
            oracle.must_allow(sending, content, drafted["incident_id"])
        assert sending["digest"] == digest(content)
        self.sent[key] += 1
        if self.sent[key] % 2:
            raise ChannelError("The outside answers 503.")
        return Receipt("250")

    # What people do.

    def tried(self, person: Person, operation: Callable[[Any], Any]) -> Any:
        try:
            return self.world.by(person, operation)
        except Refused:
            return None

    def who(self, name: str) -> Person:
        """The person as the API would see them now."""
        known: Person = getattr(self.world, name, None) or self.world.extra[name]  # type: ignore[attr-defined]
        account = look(self.world.shell, lambda tx: tx.get("account", known.id))
        found: Person = account.person()
        return found

    def gate_ids(self) -> list[str]:
        with self.world.shell.database.read() as connection:
            found = connection.exec_driver_sql("SELECT id FROM hr_noun WHERE kind = 'gate' ORDER BY changed_index DESC")
            return [row[0] for row in found][:4]

    @rule(name=st.sampled_from([*PEOPLE, "approver", "second"]), at=st.integers(0, 3), stale=st.integers(0, 5),
          choice=st.sampled_from(["approve", "approve", "approve", "approve", "reject"]))  # fmt: skip
    def vote(self, name: str, at: int, stale: int, choice: Literal["approve", "reject"]) -> None:
        ids, person = self.gate_ids(), self.who(name)
        gate = self.world.gate(ids[at % len(ids)])
        seen = gate.subject.digest if stale else "0" * 64
        self.tried(person, lambda tx: decisions.vote(tx, gate.id, choice, seen, "I have read it.", person))

    @rule(at=st.integers(0, 1))
    def everybody_approves(self, at: int) -> None:
        ids = self.gate_ids()
        for name in PEOPLE:
            person, gate = self.who(name), self.world.gate(ids[at % len(ids)])
            self.tried(
                person,
                lambda tx, g=gate, p=person: decisions.vote(tx, g.id, "approve", g.subject.digest, "Yes.", p),  # type: ignore[misc]
            )

    def withdraw(self, name: str, at: int) -> None:
        ids, person = self.gate_ids(), self.who(name)
        self.tried(person, lambda tx: decisions.withdraw(tx, ids[at % len(ids)], "Not now.", person))

    def edit(self, name: str, at: int, text: str) -> None:
        person, message_id = self.who(name), self.message_ids[at % len(self.message_ids)]
        self.tried(person, lambda tx: messages.edit(tx, message_id, "Subject", text, person))

    def submit(self, name: str, at: int) -> None:
        person, message_id = self.who(name), self.message_ids[at % len(self.message_ids)]
        self.tried(person, lambda tx: messages.submit(tx, message_id, person))

    def write(self, name: str) -> None:
        person = self.who(name)
        if len(self.message_ids) >= 10:
            return
        made = self.tried(person, lambda tx: messages.write(tx, self.world.incident_id, "teams", "update", person))
        self.message_ids += [made] if made else []

    def work(self, name: str, what: str, task: str, luck: int, at: int) -> None:
        person, run_id = self.who(name), self.run_ids[at % len(self.run_ids)]
        operations: dict[str, Callable[[Any], Any]] = {
            "skip": lambda tx: runs.skip(tx, run_id, task, "Not needed.", person),
            "cancel": lambda tx: runs.cancel(tx, run_id, "Enough.", person),
            "again": lambda tx: runs.ask_again(tx, run_id, task, person),
            "claim": lambda tx: runs.claim(tx, run_id, task, person),
            "finish": lambda tx: runs.finish(tx, run_id, task, "Done.", person),
            "resolve": lambda tx: runs.resolve_unknown(tx, run_id, task, "look_again", "Look.", person),
        }
        if luck == 0 or what not in ("skip", "cancel"):
            self.tried(person, operations[what])

    def start_another_run(self, name: str) -> None:
        person = self.who(name)
        if len(self.run_ids) >= 8:
            return
        made = self.tried(person, lambda tx: runs.start(tx, self.world.incident_id, RUNBOOK, INPUTS, None, person))
        self.run_ids += [made.id] if made else []

    def change_account(self, name: str, luck: int, roles: tuple[str, ...], teams: tuple[str, ...]) -> None:
        owner, whom = self.world.owner, self.who(name).id
        self.tried(owner, lambda tx: accounts.set_roles(tx, whom, roles, teams, owner))
        if luck == 0 and name == "second":
            self.tried(owner, lambda tx: accounts.deactivate(tx, whom, owner))

    def give_role(self, giver: str, taker: str, role: str) -> None:
        person, whom = self.who(giver), self.who(taker).id
        self.tried(person, lambda tx: incidents.give_role(tx, self.world.incident_id, role, whom, person))

    def adopt(self, text: str) -> None:
        owner, manager = self.world.owner, self.who("manager")
        made = self.tried(owner, lambda tx: documents.propose(tx, text, owner))
        if made is not None and made.draft is not None:
            gate = self.world.gate(made.draft.gate_id)
            self.tried(manager, lambda tx: decisions.vote(tx, gate.id, "approve", gate.subject.digest, "Yes.", manager))

    def change_severity(self, severity: str) -> None:
        person = self.world.commander
        self.tried(person, lambda tx: incidents.change_severity(tx, self.world.incident_id, severity, "So.", person))

    def try_to_end(self, what: str, half: Literal["machine", "human"], stage: str) -> None:
        person, incident_id = self.world.commander, self.world.incident_id
        self.tried(person, lambda tx: incidents.complete_half(tx, incident_id, stage, half, "By hand.", person))
        if what == "ready":
            self.tried(person, lambda tx: incidents.ask_readiness(tx, incident_id, person))
        else:
            self.tried(person, lambda tx: incidents.close(tx, incident_id, person))

    @rule(what=st.sampled_from(sorted(ANYTHING)), data=st.data())
    def somebody_does_something(self, what: str, data: st.DataObject) -> None:
        getattr(self, what)(**data.draw(st.fixed_dictionaries(ANYTHING[what])))

    # Consent, then something in between, then the effect.

    @rule(several=st.lists(st.sampled_from(BETWEEN), min_size=1, max_size=4),
          node=st.sampled_from(["node-a", "node-b"]),
          kill=st.sampled_from([None, None, None, *KILLS[:3]]), run=st.integers(0, 3))  # fmt: skip
    def act_after_each(self, several: list[str], node: str, kill: str | None, run: int) -> None:
        for between in several:
            self.act_after(between, 1, node, kill, run)

    def act_after(self, between: str, mended: int, node: str, kill: str | None, run: int) -> None:
        if mended:
            self.mend()
        at = len(self.run_ids) - 1 if run == 0 else run
        run_id = self.run_ids[at % len(self.run_ids)]
        person = self.world.commander
        self.tried(person, lambda tx: runs.ask_again(tx, run_id, "roll-back", person))
        self.everybody_approves(0)
        self.everybody_approves(1)
        self.disturb(between, run_id)
        self.perform(at, node, "roll-back", kill)
        self.perform(at, node, "roll-back", None)

    @rule(between=st.sampled_from(BETWEEN), mended=st.integers(0, 3), at=st.integers(0, 9),
          between_channels=st.booleans(), kill=st.sampled_from([None, None, None, *KILLS[3:]]))  # fmt: skip
    def send_after(self, between: str, mended: int, at: int, between_channels: bool, kill: str | None) -> None:
        if mended:
            self.mend()
        self.write("member")
        if len(self.message_ids) < 10:
            at = len(self.message_ids) - 1
        self.submit("member", at)
        self.everybody_approves(0)
        if between_channels:
            self.deliver(at, "mailbox", kill)
        self.disturb(between, self.run_ids[-1], at)
        for channel in ("mailbox", "webhook"):
            self.deliver(at, channel, kill)

    def mend(self) -> None:
        """People, policy and catalogue as they were, and a run in which something can be done."""
        owner = self.world.owner
        for name, teams in (("approver", ("team-payments",)), ("second", ("team-payments",)),
                            ("manager", ()), ("commander", ("team-storefront",))):  # fmt: skip
            roles = ("manager",) if name == "manager" else ("responder",)
            whom = self.who(name).id
            account = look(self.world.shell, lambda tx, who=whom: tx.get("account", who))  # type: ignore[misc]
            if (account.roles, account.teams) != (roles, teams):
                self.tried(owner, lambda tx, a=account.id, r=roles, t=teams: accounts.set_roles(tx, a, r, t, owner))  # type: ignore[misc]
        for text in (POLICIES[0], CATALOGUES[0]):
            self.adopt(text)
        self.give_role("commander", "commander", "commander")
        last: Run = look(self.world.shell, lambda tx: tx.get("run", self.run_ids[-1]))
        if last.status != "running" or last.tasks["roll-back"].status in ("done", "skipped", "failed"):
            self.start_another_run("commander")

    def disturb(self, what: str, run_id: str, at: int = 0) -> None:
        person, owner = self.world.commander, self.world.owner
        match what:
            case "team" | "observer":
                roles = ("observer",) if what == "observer" else ("responder",)
                teams = ("team-payments",) if what == "observer" else ("team-x",)
                for whom in (self.who(name).id for name in ("approver", "second", "manager")):
                    self.tried(owner, lambda tx, w=whom: accounts.set_roles(tx, w, roles, teams, owner))  # type: ignore[misc]
            case "hand over":
                self.give_role("commander", "member", "commander")
            case "policy":
                self.adopt(POLICIES[1])
            case "catalogue":
                self.adopt(CATALOGUES[2])
            case "expire":
                self.world.clock.advance(hours=5)
            case "skip":
                self.tried(person, lambda tx: runs.skip(tx, run_id, "roll-back", "Not needed.", person))
            case "cancel":
                self.tried(person, lambda tx: runs.cancel(tx, run_id, "Enough.", person))
            case "withdraw":
                for gate_at in (0, 1):
                    self.withdraw("commander", gate_at)
                    self.withdraw("member", gate_at)
            case "edit":
                self.edit("member", at, "Words that nobody approved.")
            case "restart":
                self.restart()
            case "other message":
                self.send_after("nothing", 0, at, False, None)

    # What machines and time do.

    @rule(at=st.integers(0, 3), node=st.sampled_from(["node-a", "node-b"]),
          task=st.sampled_from(["roll-back", "roll-back", "roll-back", "confirm-impact"]),
          kill=st.sampled_from([None, None, *KILLS[:3]]))  # fmt: skip
    def perform(self, at: int, node: str, task: str, kill: str | None) -> None:
        """Whether the work was ever put in line or not: it may come twice, late, and from another node."""
        world = self.world
        step = Perform(world.shell, world.clock, world.shell.ports.actions, node)
        arguments = {"run_id": self.run_ids[at % len(self.run_ids)], "task_id": task}
        self.until_killed(kill, lambda: step(arguments))

    @rule(at=st.integers(0, 9), channel=st.sampled_from(["mailbox", "webhook", "pager"]),
          kill=st.sampled_from([None, None, *KILLS[3:]]))  # fmt: skip
    def deliver(self, at: int, channel: str, kill: str | None) -> None:
        step = Deliver(self.world.shell, {name: _Outside(name, self.send) for name in ("mailbox", "webhook", "pager")},
                       {name: {"to": "x"} for name in ("mailbox", "webhook", "pager")})  # fmt: skip
        arguments = {"message_id": self.message_ids[at % len(self.message_ids)], "channel": channel}
        self.until_killed(kill, lambda: step(arguments))

    def until_killed(self, point: str | None, work: Callable[[], None]) -> None:
        def kill() -> None:
            raise Killed

        if point is not None:
            points.arm(point, kill)
        try:
            work()
        except (Killed, Refused):
            pass
        finally:
            points.disarm()

    @rule(span=st.sampled_from([{"seconds": 2}, {"seconds": 61}, {"minutes": 16}, {"hours": 5}]))
    def time_passes(self, span: dict[str, float]) -> None:
        self.world.clock.advance(**span)
        Timers(self.world.shell)()

    @rule()
    def restart(self) -> None:
        before = self.world.shell
        self.world.shell = make_shell(before.database, self.world.clock, self.world.engine, self.world.action)

    def teardown(self) -> None:
        """Whatever was tried, the record verifies, authority of every act included, and gives the same projections."""
        database = self.world.shell.database
        report = verified(self.world.shell)
        assert (report.ok, report.findings) == (True, [])
        with database.write() as connection:
            before = dump(connection)
            rebuild(database, connection)
            assert dump(connection) == before
        for run_id in self.run_ids:
            run: Run = look(self.world.shell, lambda tx, r=run_id: tx.get("run", r))  # type: ignore[misc]
            assert run.status == "running" or all(task.status != "running" for task in run.tasks.values()) or all(
                task.plan.kind == "check" for task in run.tasks.values() if task.status == "running"
            )  # fmt: skip
        database.dispose()
        Path(str(database.url.database)).unlink()


@dataclass
class _Outside:
    name: str
    send: Callable[..., Receipt]


@pytest.fixture
def at_the_gate(sqlite_template: Path, tmp_path: Path) -> Iterator[Callable[[], World]]:
    """Makes copies of one world that stands before its open gate."""
    database = databases.copied_sqlite(sqlite_template, tmp_path)
    world = make_world(database)
    extra = add_people(
        world.shell, ("second", ("responder",), ("team-payments",)), ("manager", ("manager",), ()),
        ("robot", ("machine",), ("team-payments",)),
    )  # fmt: skip
    policy = world.by(world.owner, lambda tx: documents.propose(tx, POLICIES[0], world.owner))
    assert policy.draft is not None and policy.draft.gate_id is not None
    world.vote(policy.draft.gate_id, extra["manager"])
    world.to_gate()
    database.dispose()
    template, moment = Path(str(database.url.database)), world.clock.now()

    def make() -> World:
        clock, engine, action = ManualClock(moment), FakeEngine(), FakeAction()
        shell = make_shell(databases.copied_sqlite(template, tmp_path), clock, engine, action)
        made = replace(world, shell=shell, clock=clock, engine=engine, action=action)
        made.extra = extra  # type: ignore[attr-defined]
        return made

    yield make
    points.disarm()


def test_no_effect_without_authority_whatever_people_machines_and_time_do(at_the_gate: Callable[[], World]) -> None:
    class Machine(AuthorityMachine):
        make = staticmethod(at_the_gate)

    run_state_machine_as_test(Machine, settings=settings(max_examples=12, stateful_step_count=40))


# How often the roll-back happens, and how many tries of a message are made, when this comes after consent. A message
# is approved by the commander's role and is tried over two channels; “other message” sends one more each time.
AFTER_CONSENT = {
    "nothing": (1, 2), "team": (0, 2), "observer": (0, 2), "hand over": (1, 0), "policy": (0, 0), "catalogue": (0, 2),
    "expire": (0, 0), "skip": (1, 2), "cancel": (0, 2), "withdraw": (0, 0), "edit": (1, 2), "restart": (1, 2),
    "other message": (1, 6),
}  # fmt: skip


@pytest.mark.parametrize("between", BETWEEN)
def test_what_comes_between_consent_and_effect(at_the_gate: Callable[[], World], between: str) -> None:
    machine = type("Machine", (AuthorityMachine,), {"make": staticmethod(at_the_gate)})()
    machine.act_after(between, 1, "node-a", None, 0)
    machine.mend()
    machine.send_after(between, 1, 0, False, None)
    assert (sum(machine.acts.values()), sum(machine.sent.values())) == AFTER_CONSENT[between]
    machine.teardown()


@pytest.mark.parametrize("kill", KILLS[:3])
def test_a_kill_between_consent_and_report_still_makes_one_act(at_the_gate: Callable[[], World], kill: str) -> None:
    machine = type("Machine", (AuthorityMachine,), {"make": staticmethod(at_the_gate)})()
    machine.act_after("nothing", 0, "node-a", kill, 0)
    assert list(machine.acts.values()) == [1]
    machine.teardown()


def test_the_oracle_sees_an_act_that_nobody_allowed(at_the_gate: Callable[[], World]) -> None:
    """The oracle itself is tried: with consent taken out of the record's reading, it must object."""
    world = at_the_gate()
    world.vote(world.gate_of("roll-back").id)
    started = world.start_action()
    oracle = Oracle(world).read()
    [entry] = oracle.of(f"run/{world.run_id}", "action.started")
    content = world.gate_of("roll-back").content
    oracle.must_allow(entry, content, world.incident_id)
    assert started.attempt == 1
    for kind in ("gate.satisfied", "gate.voted"):
        blind = Oracle(world, [fact for fact in oracle.facts if fact[1] != kind])
        with pytest.raises((AssertionError, ValueError)):
            blind.must_allow(entry, content, world.incident_id)
    with pytest.raises(AssertionError):
        oracle.must_allow(entry, {**content, "risk": "low"}, world.incident_id)
    assert json.dumps(content)
