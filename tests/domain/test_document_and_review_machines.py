"""Documents change only through their gate; an accepted review stays as it is."""

from typing import Any, Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from handrail.domain import document as documents
from handrail.domain import review as reviews
from handrail.domain.document import AdoptDraft, DeclineDraft, Document, DocumentAdopted, ProposeDocument
from handrail.domain.review import SECTIONS, AcceptReview, DraftReview, EditReview, Review
from tests.domain.machines import START, step, words

DIGESTS = ("1" * 64, "2" * 64, "3" * 64)
gates = st.sampled_from(["gat_1", "gat_2", "gat_3"])
digests = st.sampled_from(DIGESTS)


class DocumentMachine(RuleBasedStateMachine):
    """`asked` is which text each gate was opened for."""

    def __init__(self) -> None:
        super().__init__()
        self.document: Document | None = None
        self.versions: list[int] = []
        self.asked: dict[str | None, str] = {}

    def send(self, command: object) -> tuple[Any, ...]:
        before = self.document
        done = step(documents.NOUN, self.document, command, START)
        self.document = done.state
        for event in done.events:
            if isinstance(event, DocumentAdopted):
                assert event.gate_id is not None or before is None or not before.version
                assert event.gate_id is None or self.asked[event.gate_id] == event.digest
                self.versions.append(event.version)
        return done.events

    @rule(digest=digests, gate=st.one_of(gates, st.none()))
    def propose(self, digest: str, gate: str | None) -> None:
        waiting = self.document is not None and self.document.draft is not None
        if self.send(ProposeDocument("policy.default", "policy", "default", digest, "text", "usr_anna", gate)):
            assert not waiting
            self.asked[gate] = digest

    @rule(gate=gates, digest=digests)
    def adopt(self, gate: str, digest: str) -> None:
        if self.send(AdoptDraft(gate, digest)):
            assert self.asked[gate] == digest
            assert self.document is not None and self.document.digest == digest

    @rule(gate=gates)
    def decline(self, gate: str) -> None:
        before = self.document
        if self.send(DeclineDraft(gate)):
            assert before is not None and self.document is not None
            assert (self.document.version, self.document.digest) == (before.version, before.digest)

    @rule(command=st.sampled_from(["nonsense", None]))
    def nonsense(self, command: object) -> None:
        assert not self.send(command)

    @invariant()
    def versions_only_grow(self) -> None:
        assert self.versions == sorted(set(self.versions))
        if self.document is not None:
            assert self.document.version == (self.versions[-1] if self.versions else 0)


class ReviewMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.review: Review | None = None
        self.accepted: Review | None = None

    def send(self, command: object) -> tuple[Any, ...]:
        done = step(reviews.NOUN, self.review, command, START)
        self.review = done.state
        return done.events

    @initialize(summary=words)
    def draft(self, summary: str) -> None:
        compiled = {"times": {"declare_seconds": 1.5}, "timeline": []}
        assert self.send(DraftReview("rev_1", "inc_1", compiled, summary))

    @rule(section=st.sampled_from([*SECTIONS, "blame", ""]), said=words)
    def edit(self, section: str, said: str) -> None:
        if self.send(EditReview(section, said, "usr_anna")):
            assert section in SECTIONS
            assert self.review is not None and self.review.sections[section] == said

    @rule(kind=st.sampled_from(["accept", "draft", "nonsense"]))
    def command(self, kind: Literal["accept", "draft", "nonsense"]) -> None:
        again = DraftReview("rev_1", "inc_1", {}, "written over")
        self.send({"accept": AcceptReview("usr_ben"), "draft": again, "nonsense": None}[kind])

    @invariant()
    def an_accepted_review_stays(self) -> None:
        if self.accepted is not None:
            assert self.review == self.accepted
        if self.review is not None and self.review.status == "accepted":
            self.accepted = self.review


TestDocumentMachine: Any = DocumentMachine.TestCase
TestDocumentMachine.settings = settings(max_examples=60)
TestReviewMachine: Any = ReviewMachine.TestCase
TestReviewMachine.settings = settings(max_examples=20)
