"""A whole incident through operations, step by step: what tests drive, interrupt and attack.

`storefront` calls `orders`, which calls `payments`; a release of payments is rolled back.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from handrail.domain.account import Account, CreateAccount
from handrail.domain.alert import AlertStatus, Occurrence
from handrail.domain.candidate import Candidate, Member, OpenCandidate
from handrail.domain.finding import Citation, FindingMade, MakeFinding, Provenance
from handrail.domain.gate import Gate
from handrail.domain.incident import CompleteHalf, Incident, Stage
from handrail.domain.message import FinishDelivery, Message
from handrail.domain.people import Actor, Permission, Person
from handrail.domain.proposal import MakeProposal, ProposalMade
from handrail.domain.review import Review
from handrail.domain.run import FinishAction, FinishCheck, Run
from handrail.kernel.canonical import plain
from handrail.kernel.clock import ManualClock
from handrail.kernel.ids import new_id
from handrail.kernel.sealed import MasterKeys
from handrail.operations import decisions, documents, incidents, messages, reviews, runs
from handrail.operations.runs import Started
from handrail.operations.shell import HANDRAIL, Ports, Shell, Tx
from handrail.plugins.integrations.contract import Parsed
from handrail.signals.ingest import Ingestor
from handrail.store import alerts
from handrail.store.database import Database
from tests.fakes import FakeAction, FakeEngine

T = TypeVar("T")

SEAL_KEY = b"k" * 32
SECRET_KEYS = MasterKeys((b"m" * 32,))
NODE = "node-a"
RUNBOOK = "bad-release-rollback"
OWNING_TEAM = "team-payments"
INPUTS = {"service": "payments", "version": "2.5.0", "previous_version": "2.4.0", "owner_team": OWNING_TEAM}


def catalog_text(control: str = "http://payments.internal:9103", owner: str = OWNING_TEAM) -> str:
    """A catalogue of three services in a chain."""
    components = []
    for name, team, calls in (("storefront", "team-storefront", "orders"), ("orders", "team-orders", "payments"),
                              ("payments", owner, None)):  # fmt: skip
        depends = f"  dependsOn: [component:default/{calls}]\n" if calls else ""
        components.append(
            "apiVersion: backstage.io/v1alpha1\nkind: Component\n"
            f"metadata:\n  name: {name}\n  annotations:\n    handrail.dev/tier: '1'\n"
            f"    handrail.dev/control-url: {control}\n    handrail.dev/signal-url: {control}/signal\n"
            f"spec:\n  owner: {team}\n{depends}"
        )
    return "---\n".join(components)


def make_shell(database: Database, clock: ManualClock, engine: FakeEngine, action: FakeAction) -> Shell:
    ports = Ports({action.manifest.name: action}, secret_keys=SECRET_KEYS)
    return Shell(database, clock, SEAL_KEY, engine, ports)


def make_world(
    database: Database, clock: ManualClock | None = None, engine: FakeEngine | None = None,
    action: FakeAction | None = None,
) -> "World":  # fmt: skip
    """People, documents and a catalogue in an empty database."""
    clock, engine, action = clock or ManualClock(), engine or FakeEngine(), action or FakeAction()
    shell = make_shell(database, clock, engine, action)
    documents.adopt_shipped(shell)
    people = add_people(
        shell,
        ("owner", ("owner",), ()),
        ("commander", ("responder",), ("team-storefront",)),
        ("member", ("responder",), ("team-storefront",)),
        ("approver", ("responder",), (OWNING_TEAM,)),
        ("outsider", ("observer",), ()),
    )
    world = World(
        shell, clock, engine, action, people["owner"], people["commander"], people["member"], people["approver"],
        people["outsider"],
    )  # fmt: skip
    world.by(world.owner, lambda tx: documents.propose(tx, catalog_text(), world.owner))
    return world


def add_person(shell: Shell, login: str, roles: tuple[str, ...], teams: tuple[str, ...] = ()) -> Person:
    return add_people(shell, (login, roles, teams))[login]


def add_people(shell: Shell, *wanted: tuple[str, tuple[str, ...], tuple[str, ...]]) -> dict[str, Person]:
    """Accounts without passwords: hashing one costs more time than a whole incident."""

    def operation(tx: Tx) -> dict[str, Person]:
        made = {}
        for login, roles, teams in wanted:
            account_id = new_id("usr")
            kind: Literal["person", "machine"] = "machine" if roles == ("machine",) else "person"
            tx.change(
                "account", account_id,
                CreateAccount(account_id, kind, login, login.title(), roles, teams, HANDRAIL.id),
            )  # fmt: skip
            account: Account = tx.get("account", account_id)
            made[login] = account.person()
        return made

    return shell.transact(HANDRAIL, operation, "test")


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: the driver of a browser keeps this thread's loop for itself."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def look(shell: Shell, question: Callable[[Tx], T]) -> T:
    """Read through an operation that changes nothing."""
    return shell.transact(HANDRAIL, question, "test")


@dataclass
class World:
    """One installation with its people; each method is one operation of one of them."""

    shell: Shell
    clock: ManualClock
    engine: FakeEngine
    action: FakeAction
    owner: Person
    commander: Person
    member: Person
    approver: Person
    outsider: Person
    candidate_id: str = ""
    incident_id: str = ""
    proposal_id: str = ""
    run_id: str = ""
    review_id: str = ""
    alerts: tuple[str, ...] = field(default=("payments-errors", "orders-errors", "storefront-latency"))

    def by(self, person: Person, operation: Callable[[Tx], T]) -> T:
        """Run an operation as this person, in its transaction."""
        return self.shell.transact(person.actor, operation)

    def by_machine(self, operation: Callable[[Tx], T]) -> T:
        return self.shell.transact(HANDRAIL, operation, "engine")

    def restarted(self) -> "World":
        """The same installation after the process ended and began again."""
        database = Database(self.shell.database.url.render_as_string(hide_password=False))
        return replace(self, shell=make_shell(database, self.clock, self.engine, self.action))

    @property
    def incident(self) -> Incident:
        found: Incident = look(self.shell, lambda tx: tx.get("incident", self.incident_id))
        return found

    @property
    def run(self) -> Run:
        found: Run = look(self.shell, lambda tx: tx.get("run", self.run_id))
        return found

    def gate(self, gate_id: str) -> Gate:
        found: Gate = look(self.shell, lambda tx: tx.get("gate", gate_id))
        return found

    def gate_of(self, task_id: str) -> Gate:
        gate_id = self.run.tasks[task_id].gate_id
        assert gate_id is not None
        return self.gate(gate_id)

    def message(self, message_id: str) -> Message:
        found: Message = look(self.shell, lambda tx: tx.get("message", message_id))
        return found

    def message_of(self, task_id: str) -> Message:
        message_id = self.run.tasks[task_id].message_id
        assert message_id is not None
        return self.message(message_id)

    def receive(self, status: AlertStatus = AlertStatus.FIRING) -> None:
        """One batch in which every alert of the outage says its status."""
        said = tuple(
            Occurrence(
                key, status, f"{key.partition('-')[0]} is failing", "critical", key.partition("-")[0],
                occurred_at=self.clock.now(), raw=f'{{"alert":"{key}","status":"{status}"}}'.encode(),
            )
            for key in self.alerts
        )  # fmt: skip
        ingestor = Ingestor(self.shell)
        ingestor.start()
        run_apart(ingestor.ingest("estate", Parsed(said), "token"))
        ingestor.close()

    def open_candidate(self) -> str:
        """The storm as one candidate."""
        self.receive()
        self.candidate_id = new_id("can")

        def operation(tx: Tx) -> None:
            known = alerts.load_known(tx.connection, [("estate", key) for key in self.alerts])
            placed = [kept.alert for kept in known.values()]
            members = tuple(
                Member(alert.id, alert.service, alert.title, "payments is called by it", 90) for alert in placed
            )
            command = OpenCandidate(
                self.candidate_id, members, ("orders", "payments", "storefront"), "SEV1", "Customers are hit.",
                "Payments is failing", self.clock.now() - timedelta(minutes=2),
            )  # fmt: skip
            tx.change("candidate", self.candidate_id, command)
            alerts.mark_correlated(tx.connection, {alert.id: self.candidate_id for alert in placed})

        self.by_machine(operation)
        return self.candidate_id

    def declare(self, severity: str = "SEV1") -> str:
        """The commander declares the candidate, or by hand when there is none."""
        incident = self.by(
            self.commander,
            lambda tx: incidents.declare(
                tx, self.commander, "Payments is failing", severity, self.candidate_id or None, ("payments",)
            ),
        )
        self.incident_id = incident.id
        return incident.id

    def find_cause(self) -> str:
        """The analyst names the release."""
        finding_id = new_id("fnd")

        def operation(tx: Tx) -> None:
            evidence = tx.keep_json_evidence({"errors": [0, 5, 60]}, "errors of payments")
            made = FindingMade(
                finding_id, self.incident_id, "Release 2.5.0 of payments began the errors.", "change", "chg_1",
                "payments", 91, "timing and topology", (Citation(evidence, "5, 60", "errors rise"),), (), ("errors",),
                "Errors before the release.", (), Provenance("rules", "1", "0" * 64, ""), tx.now,
            )  # fmt: skip
            tx.change("finding", finding_id, MakeFinding(made))
            tx.change(
                "incident", self.incident_id, CompleteHalf(Stage.TRIAGE, "machine", "analyst", "Cause named by rules")
            )

        self.shell.transact(Actor("machine", "analyst"), operation, "investigation")
        return finding_id

    def propose(self, **inputs: str) -> str:
        """The analyst proposes to roll payments back."""
        finding_id = self.find_cause()
        self.proposal_id = new_id("prp")
        filled = {**INPUTS, **inputs}
        parameters = {
            "service": filled["service"], "from_version": filled["version"], "to_version": filled["previous_version"],
        }  # fmt: skip

        def operation(tx: Tx) -> None:
            preview = plain(self.action.preview(parameters, documents.load_catalog(tx)))
            made = ProposalMade(
                self.proposal_id, self.incident_id, finding_id, "deploy.rollback", parameters, preview, (), RUNBOOK,
                filled, "analyst", tx.now,
            )  # fmt: skip
            tx.change("proposal", self.proposal_id, MakeProposal(made))

        self.shell.transact(Actor("machine", "analyst"), operation, "investigation")
        return self.proposal_id

    def start_run(self) -> str:
        """The commander chooses the proposal."""
        run = self.by(
            self.commander,
            lambda tx: runs.start(tx, self.incident_id, "", {}, self.proposal_id, self.commander),
        )
        self.run_id = run.id
        return run.id

    def to_gate(self) -> Gate:
        """Everything up to the open gate over the rollback."""
        self.open_candidate()
        self.declare()
        self.propose()
        self.start_run()
        return self.gate_of("roll-back")

    def to_consent(self) -> Gate:
        """Everything up to the approved rollback, not yet begun."""
        return self.vote(self.to_gate().id)

    def vote(
        self, gate_id: str, person: Person | None = None, choice: Literal["approve", "reject"] = "approve",
        digest: str | None = None,
    ) -> Gate:  # fmt: skip
        voter, seen = person or self.approver, digest or self.gate(gate_id).subject.digest
        return self.by(voter, lambda tx: decisions.vote(tx, gate_id, choice, seen, "I have read it.", voter))

    def start_action(self, task_id: str = "roll-back", node: str = NODE, holder_alive: bool = True) -> Started:
        return self.by_machine(lambda tx: runs.start_action(tx, self.run_id, task_id, node, holder_alive))

    def finish_action(
        self, attempt: int, status: Literal["done", "failed", "unknown"] = "done", task_id: str = "roll-back"
    ) -> None:
        command = FinishAction(task_id, attempt, status, "Deployed.", {"version": "2.4.0"})
        self.by_machine(lambda tx: runs.finish_action(tx, self.run_id, command))

    def act(self) -> None:
        """What the engine does with authorised work."""
        started = self.start_action()
        self.action.acts.append((started.key, dict(started.parameters)))
        self.finish_action(started.attempt)

    def check(self, passed: bool = True, task_id: str = "signal-recovers") -> None:
        command = FinishCheck(task_id, passed, "Errors are back to 0.", None)
        self.by_machine(lambda tx: runs.finish_check(tx, self.run_id, command))

    def do_task(self, task_id: str, person: Person | None = None) -> None:
        worker = person or self.member
        self.by(worker, lambda tx: runs.claim(tx, self.run_id, task_id, worker))
        self.by(worker, lambda tx: runs.finish(tx, self.run_id, task_id, "Seen and done.", worker))

    def write_message(self, audience: str = "teams", stage: str = "update") -> str:
        return self.by(self.member, lambda tx: messages.write(tx, self.incident_id, audience, stage, self.member))

    def edit_message(self, message_id: str, person: Person | None = None, text: str = "Edited words.") -> None:
        editor = person or self.member
        self.by(editor, lambda tx: messages.edit(tx, message_id, "Edited subject", text, editor))

    def submit(self, message_id: str, person: Person | None = None) -> Gate:
        """Put a message to its gate."""
        asker = person or self.member
        message = self.by(asker, lambda tx: messages.submit(tx, message_id, asker))
        assert message.gate_id is not None
        return self.gate(message.gate_id)

    def deliver(self, message_id: str, channel: str, delivered: bool = True) -> None:
        """One try of the engine over one channel."""
        sending = self.by_machine(lambda tx: messages.start_delivery(tx, message_id, channel))
        command = FinishDelivery(channel, sending.attempt, delivered, "250 kept" if delivered else "503")

        def operation(tx: Tx) -> None:
            message = messages.finish_delivery(tx, message_id, command)
            if message.status == "delivered" and message.run_id and message.task_id:
                runs.finish_message_task(tx, message.run_id, message.task_id)

        self.by_machine(operation)

    def send(self, message_id: str) -> None:
        """Edited by a member, approved by the commander, delivered over every channel."""
        self.edit_message(message_id)
        self.vote(self.submit(message_id).id, self.commander)
        for channel in self.message(message_id).channels:
            self.deliver(message_id, channel)

    def become_quiet(self) -> None:
        """All alerts of the incident resolve."""
        self.receive(AlertStatus.RESOLVED)
        self.by_machine(lambda tx: incidents.on_quiet(tx, self.incident_id))

    def ask_readiness(self) -> Gate:
        return self.gate(
            self.by(self.commander, lambda tx: incidents.ask_readiness(tx, self.incident_id, self.commander))
        )

    def close(self) -> str:
        self.review_id = self.by(self.commander, lambda tx: incidents.close(tx, self.incident_id, self.commander))
        return self.review_id

    def accept_review(self) -> Review:
        self.by(self.member, lambda tx: reviews.edit(tx, self.review_id, "helped", "The gate was quick.", self.member))
        self.by(self.commander, lambda tx: reviews.accept(tx, self.review_id, self.commander))
        found: Review = look(self.shell, lambda tx: tx.get("review", self.review_id))
        return found

    def to_recovery(self) -> None:
        """Everything up to the recovered service, with all tasks and messages done."""
        self.to_consent()
        self.tick_seconds()
        self.act()
        self.tick_seconds()
        self.check()
        for task_id in ("confirm-impact", "verify-journey"):
            self.do_task(task_id)
        for task_id in ("tell-teams", "tell-executives"):
            self.tick_seconds()
            self.send(self.message_of(task_id).id)

    def to_readiness(self) -> None:
        """Everything up to the signed readiness."""
        self.to_recovery()
        self.become_quiet()
        self.vote(self.ask_readiness().id)

    def whole(self) -> "World":
        """From the first alert to the accepted review."""
        self.to_readiness()
        self.close()
        self.accept_review()
        return self

    def tick_seconds(self, seconds: float = 7) -> datetime:
        return self.clock.advance(seconds=seconds)

    def candidate(self) -> Candidate:
        found: Candidate = look(self.shell, lambda tx: tx.get("candidate", self.candidate_id))
        return found


def narrowed(person: Person, *scopes: Permission) -> Person:
    """The person as seen through a token with these scopes."""
    return replace(person, scopes=frozenset(scopes))
