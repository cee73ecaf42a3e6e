"""An incident under random commands: stages come one after the other, and nothing moves after its end."""

from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from handrail.domain import incident as incidents
from handrail.domain.incident import (
    HALVES,
    STAGES,
    AddNote,
    AddServices,
    AskReadiness,
    ChangeSeverity,
    Close,
    CompleteHalf,
    Declare,
    GiveRole,
    Half,
    HalfDone,
    Incident,
    IncidentClosed,
    MarkMitigated,
    MarkRecovered,
    NoteAdded,
    Stage,
    StageReached,
)
from handrail.domain.noun import Tick
from tests.domain.machines import START, step, words

people = st.sampled_from(["usr_anna", "usr_ben"])


class IncidentMachine(RuleBasedStateMachine):
    """`reached` are the stages in the order in which the events tell them."""

    def __init__(self) -> None:
        super().__init__()
        self.incident: Incident | None = None
        self.now = START
        self.reached: list[Stage] = [Stage.DETECT]
        self.closed = False

    @property
    def known(self) -> Incident:
        assert self.incident is not None
        return self.incident

    def send(self, command: object) -> tuple[Any, ...]:
        done = step(incidents.NOUN, self.incident, command, self.now)
        self.incident = done.state
        for event in done.events:
            if isinstance(event, StageReached):
                before = self.reached[-1]
                assert STAGES.index(Stage(event.stage)) == STAGES.index(before) + 1
                assert self.known.half(before, "machine") and self.known.half(before, "human")
                self.reached.append(Stage(event.stage))
            if self.closed:
                assert isinstance(event, NoteAdded | StageReached | HalfDone)
                assert not isinstance(event, HalfDone) or event.stage == Stage.REVIEW
            self.closed = self.closed or isinstance(event, IncidentClosed)
        return done.events

    @initialize(severity=st.sampled_from(["SEV1", "SEV4"]), ago=st.integers(-5, 5))
    def declare(self, severity: str, ago: int) -> None:
        moment = self.now - timedelta(minutes=ago)
        assert self.send(
            Declare("inc_1", 1, "It fails", severity, None, ("payments",), None, "usr_anna", moment, moment)
        )
        assert self.known.started_at <= self.now
        assert self.known.stage == Stage.TRIAGE
        assert self.known.roles_of("usr_anna") == {"commander"}

    @rule(stage=st.sampled_from(list(Stage)), half=st.sampled_from(["machine", "human"]), by=people, said=words)
    def complete(self, stage: Stage, half: Half, by: str, said: str) -> None:
        before = self.known.half(stage, half)
        self.send(CompleteHalf(stage, half, by, said))
        if before is not None:
            assert self.known.half(stage, half) == before

    @rule(half=st.sampled_from(["machine", "human", "both"]))
    def pass_the_stage(self, half: str) -> None:
        for each in [item for item in HALVES if item[0] == self.known.stage and half in (item[1], "both")]:
            self.send(CompleteHalf(*each, "usr_anna", "done"))

    @rule(by=people, open_tasks=st.sampled_from([0, 0, 1]))
    def close(self, by: str, open_tasks: int) -> None:
        if self.send(Close(by, open_tasks)):
            assert open_tasks == 0
            assert self.known.half(Stage.RECOVER, "human") is not None
            assert self.reached[-1] == Stage.REVIEW

    @rule(role=st.sampled_from(["commander", "scribe", "king", ""]), account=people, by=people)
    def give_role(self, role: str, account: str, by: str) -> None:
        self.send(GiveRole(role, account, by))

    @rule(severity=st.sampled_from(["SEV1", "SEV2", "SEV9", ""]), by=people, said=words)
    def change_severity(self, severity: str, by: str, said: str) -> None:
        self.send(ChangeSeverity(severity, by, said))

    @rule(
        command=st.one_of(
            st.builds(AddNote, people, words, st.sampled_from([None, START, START + timedelta(days=9)])),
            st.builds(AddServices, st.tuples(st.sampled_from(["payments", "orders", ""]))),
            st.builds(AskReadiness, st.sampled_from(["gat_1", "gat_2"]), people),
            st.sampled_from([MarkMitigated(), MarkRecovered(), Tick(), "nonsense", None]),
        )
    )
    def anything_else(self, command: object) -> None:
        for event in self.send(command):
            if isinstance(event, NoteAdded):
                assert event.happened_at <= event.at

    @rule()
    def time_passes(self) -> None:
        self.now += timedelta(minutes=3)

    @invariant()
    def the_stage_is_the_last_one_reached(self) -> None:
        if self.incident is None:
            return
        assert self.incident.stage == self.reached[-1]
        assert list(STAGES[: len(self.reached)]) == self.reached
        assert (self.incident.stage == Stage.CLOSED) <= (self.incident.closed_at is not None)
        assert len(set(self.incident.services)) == len(self.incident.services)


TestIncidentMachine: Any = IncidentMachine.TestCase
TestIncidentMachine.settings = settings(max_examples=60)
