"""A message under random and hostile commands: only approved words are sent, and late reports do not count."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from handrail.domain import message as messages
from handrail.domain.message import (
    ApproveMessage,
    DraftMessage,
    EditMessage,
    Fact,
    FinishDelivery,
    Message,
    MessageApproved,
    MessageRejected,
    MessageSending,
    RejectMessage,
    StartDelivery,
    SubmitMessage,
)
from handrail.domain.noun import ERASED, Tick
from handrail.domain.run import Authority
from handrail.kernel.canonical import digest
from tests.domain.machines import START, step, words

CHANNELS = ("mailbox", "webhook")
channels = st.sampled_from([*CHANNELS, *CHANNELS, "pager", ""])
GATE = Authority("gate", "gat_1", "rule")


class MessageMachine(RuleBasedStateMachine):
    """`approved` is the digest that consent was given for; `latest` the newest try of each channel."""

    def __init__(self) -> None:
        super().__init__()
        self.message: Message | None = None
        self.now = START
        self.approved: str | None = None
        self.latest: dict[str, int] = {}
        self.seen: list[str] = []
        self.ended: Message | None = None

    @property
    def known(self) -> Message:
        assert self.message is not None
        return self.message

    def send(self, command: object) -> tuple[Any, ...]:
        content = digest(self.message.content()) if self.message else ""
        done = step(messages.NOUN, self.message, command, self.now)
        self.message = done.state
        for event in done.events:
            match event:
                case MessageApproved():
                    assert event.digest == content
                    self.approved = event.digest
                case MessageRejected():
                    self.approved = None
                case MessageSending():
                    assert event.digest == self.approved == content
                    assert event.authority == GATE
                    assert event.attempt == self.latest.get(event.channel, 0) + 1
                    assert event.key == f"msg_1:{event.channel}"
                    self.latest[event.channel] = event.attempt
        return done.events

    @initialize(subject=words, text=words)
    def draft(self, subject: str, text: str) -> None:
        self.message, self.approved, self.latest, self.seen, self.ended = None, None, {}, [], None
        assert self.send(
            DraftMessage(
                "msg_1", "inc_1", "teams", "update", CHANNELS, (Fact("It began.", 3),), subject, text, "handrail"
            )
        )

    @precondition(lambda self: self.ended is not None)
    @rule(subject=words, text=words)
    def draft_another(self, subject: str, text: str) -> None:
        self.draft(subject, text)

    @rule(subject=words, text=words, by=st.sampled_from(["usr_anna", "usr_ben"]))
    def edit(self, subject: str, text: str, by: str) -> None:
        before = self.known
        if self.send(EditMessage(subject, text, by)):
            assert before.authority is None
            assert self.known.status == "draft"
            assert self.known.gate_id is None
            assert self.known.last_editor == by

    @rule(gate=st.sampled_from([None, "gat_1", "gat_2"]))
    def submit(self, gate: str | None) -> None:
        self.send(SubmitMessage(gate, "usr_anna"))
        self.seen.append(digest(self.known.content()))

    @rule(data=st.data(), other=st.sampled_from(["", "f" * 64]))
    def approve(self, data: st.DataObject, other: str) -> None:
        """With the digest of words as they are, as they once were, or of something else."""
        self.send(ApproveMessage(data.draw(st.sampled_from([*self.seen[-2:], other])), GATE))

    @precondition(lambda self: self.message is not None and self.message.status == "submitted")
    @rule()
    def approve_truly(self) -> None:
        assert self.send(ApproveMessage(digest(self.known.content()), GATE))

    @rule()
    def reject(self) -> None:
        before = self.known
        self.send(RejectMessage("Consent no longer stands."))
        if before.status in ("submitted", "approved"):
            assert self.known.status == "rejected"
        for channel, delivery in before.deliveries.items():
            if delivery.attempts:
                assert self.known.deliveries[channel] == delivery
            else:
                assert not self.send(StartDelivery(channel))

    @rule(channel=channels)
    def start(self, channel: str) -> None:
        if self.send(StartDelivery(channel)):
            assert self.approved is not None

    @rule(channel=channels, attempt=st.integers(0, 7), delivered=st.booleans())
    def report(self, channel: str, attempt: int, delivered: bool) -> None:
        if self.send(FinishDelivery(channel, attempt, delivered, "said")):
            assert attempt == self.latest[channel]

    @rule(channel=channels, delivered=st.sampled_from([False, False, False, True]))
    def attempt_truly(self, channel: str, delivered: bool) -> None:
        if self.send(StartDelivery(channel)):
            assert self.send(FinishDelivery(channel, self.latest[channel], delivered, "said"))
            assert not self.send(FinishDelivery(channel, self.latest[channel], True, "again"))

    @rule(span=st.sampled_from([timedelta(seconds=1), timedelta(days=2)]))
    def time_passes(self, span: timedelta) -> None:
        self.now += span

    @rule(channel=channels)
    def words_change_behind_the_back(self, channel: str) -> None:
        """An erasure, or a hand in the database: the words are no longer those approved, so nothing is sent."""
        changes: list[Callable[[Message], Message]] = [
            lambda m: replace(m, subject=ERASED, text=ERASED),
            lambda m: replace(m, audience="executives"),
            lambda m: replace(m, channels=("public",)),
        ]
        for change in changes:
            assert not step(messages.NOUN, change(self.known), StartDelivery(channel), self.now).events

    @rule(command=st.sampled_from(["nonsense", None, Tick()]))
    def nonsense(self, command: object) -> None:
        assert not self.send(command)

    @invariant()
    def a_delivery_has_authority_and_a_bound(self) -> None:
        if self.message is None:
            return
        if self.message.deliveries:
            assert self.message.authority == GATE
            assert self.message.digest == self.approved
        for delivery in self.message.deliveries.values():
            assert (delivery.status == "retrying") == (delivery.retry_at is not None)

    @invariant()
    def what_ended_stays_ended(self) -> None:
        if self.message is None:
            return
        if self.ended is not None:
            assert self.message == self.ended
        if self.message.status in ("delivered", "failed"):
            self.ended = self.message
            assert all(each.status in ("delivered", "failed") for each in self.message.deliveries.values())


TestMessageMachine: Any = MessageMachine.TestCase
TestMessageMachine.settings = settings(max_examples=100)
