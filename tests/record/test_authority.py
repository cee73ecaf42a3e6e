"""No act without authority recorded before it: each way to lack it is named at the act."""

from collections.abc import Callable
from typing import Any

import pytest

from handrail.domain.people import Actor
from tests.record.synthetic import (
    ACTION,
    ANNA,
    BEN,
    CARA,
    ENGINE,
    MESSAGE,
    POLICY,
    Record,
    act,
    open_gate,
    satisfy,
    vote,
)

GATE = "gat_1"


def approved(record: Record) -> None:
    open_gate(record, GATE, ACTION)
    vote(record, GATE, BEN, ACTION)
    satisfy(record, GATE, ACTION)


def close(record: Record, kind: str) -> None:
    record.append(f"gate/{GATE}", kind, {})


def vote_of(record: Record, **body: Any) -> None:
    open_gate(record, GATE, ACTION)
    actor = body.pop("actor", BEN)
    record.append(f"gate/{GATE}", "gate.voted", {"by": "usr_ben", "vote": "approve", "digest": ACTION, **body}, actor)
    satisfy(record, GATE, ACTION)


def by_gate(*steps: Callable[[Record], object]) -> Callable[[Record], int]:
    def run(record: Record) -> int:
        for step in steps:
            step(record)
        return act(record, ACTION, "gate", GATE)

    return run


def acted_with(body: dict[str, Any]) -> Callable[[Record], int]:
    def run(record: Record) -> int:
        approved(record)
        return record.append("run/run_1", "action.started", body)

    return run


def adopt(record: Record, kind: str, digest: str) -> None:
    record.append("document/x", "document.adopted", {"kind": kind, "digest": digest})


def act_after_a_runbook(record: Record) -> int:
    adopt(record, "runbook", POLICY)
    return act(record, ACTION, "policy", POLICY)


def two_needed(record: Record) -> None:
    open_gate(record, GATE, ACTION, quorum=2)


def quorum(value: object) -> Callable[[Record], None]:
    def run(record: Record) -> None:
        body = {"subject": {"digest": ACTION}, "proposer": "usr_anna", "last_editor": None, "quorum": value}
        record.append(f"gate/{GATE}", "gate.opened", body)

    return run


def edited_by_ben(record: Record) -> None:
    body = {"subject": {"digest": ACTION}, "proposer": "usr_anna", "last_editor": "usr_ben", "quorum": 1}
    record.append(f"gate/{GATE}", "gate.opened", body)


def ben_approves(record: Record) -> None:
    vote(record, GATE, BEN, ACTION)


def consent(record: Record) -> None:
    satisfy(record, GATE, ACTION)


LACKING: dict[str, tuple[Callable[[Record], int], str]] = {
    "no gate": (by_gate(), "was not opened"),
    "opened only": (by_gate(lambda r: open_gate(r, GATE, ACTION)), "was not satisfied"),
    "voted but not satisfied": (by_gate(lambda r: open_gate(r, GATE, ACTION), ben_approves), "was not satisfied"),
    "satisfied without a vote": (by_gate(lambda r: open_gate(r, GATE, ACTION), consent), "needed 1 approvals"),
    "opened for other content": (
        by_gate(lambda r: open_gate(r, GATE, MESSAGE), ben_approves, consent), "opened for other content",
    ),
    "satisfied for other content": (
        by_gate(lambda r: open_gate(r, GATE, ACTION), ben_approves, lambda r: satisfy(r, GATE, MESSAGE)),
        "was not satisfied",
    ),
    "voided": (by_gate(approved, lambda r: close(r, "gate.voided")), "had ended"),
    "withdrawn": (by_gate(approved, lambda r: close(r, "gate.withdrawn")), "had ended"),
    "expired": (by_gate(approved, lambda r: close(r, "gate.expired")), "had ended"),
    "too few": (by_gate(two_needed, ben_approves, consent), "needed 2 approvals and had 1"),
    "one person twice": (by_gate(two_needed, ben_approves, ben_approves, consent), "needed 2 approvals and had 1"),
    "proposer votes": (
        by_gate(two_needed, ben_approves, lambda r: vote(r, GATE, ANNA, ACTION), consent), "the proposer's own",
    ),
    "last editor votes": (by_gate(edited_by_ben, ben_approves, consent), "the last editor's own"),
    "machine votes": (by_gate(lambda r: vote_of(r, actor=Actor("machine", "usr_ben"))), "did not come from a person"),
    "cast by another": (by_gate(lambda r: vote_of(r, actor=CARA)), "cast by another account"),
    "rejected": (by_gate(lambda r: vote_of(r, vote="reject")), "needed 1 approvals and had 0"),
    "vote for other content": (by_gate(lambda r: vote_of(r, digest=MESSAGE)), "needed 1 approvals and had 0"),
    "no quorum": (by_gate(quorum(0), ben_approves, consent), "has no quorum"),
    "quorum of text": (by_gate(quorum("1"), ben_approves, consent), "has no quorum"),
    "no authority": (acted_with({"digest": ACTION}), "names no authority"),
    "no digest": (acted_with({"authority": {"kind": "gate", "id": GATE, "rule": "r"}}), "names no authority"),
    "authority of no kind": (
        acted_with({"digest": ACTION, "authority": {"kind": "boss", "id": GATE, "rule": "r"}}), "neither a gate",
    ),
    "authority of odd types": (
        acted_with({"digest": ACTION, "authority": {"kind": "policy", "id": ["x"], "rule": "r"}}), "was not adopted",
    ),
    "policy unknown": (lambda r: act(r, ACTION, "policy", POLICY), "was not adopted"),
    "another document": (act_after_a_runbook, "was not adopted"),
}  # fmt: skip


@pytest.mark.parametrize("case", LACKING)
@pytest.mark.parametrize("prelude", [0, 3])
def test_an_act_without_authority_is_named(case: str, prelude: int) -> None:
    make, words = LACKING[case]
    record = Record()
    for _ in range(prelude):
        record.append("incident/inc_1", "incident.noted", {})
    index = make(record)

    report = record.verify()

    assert [(each.index, each.kind) for each in report.findings] == [(index, "no_authority")]
    assert words in report.findings[0].sentence


def test_authority_recorded_after_the_act_is_none() -> None:
    record = Record()
    first = act(record, ACTION, "gate", GATE)
    approved(record)
    second = act(record, ACTION, "gate", GATE)

    report = record.verify()

    assert [each.index for each in report.findings] == [first]
    assert [each.index for each in report.acts] == [second]


def test_a_gate_that_ends_after_the_act_takes_nothing_away() -> None:
    record = Record()
    approved(record)
    act(record, ACTION, "gate", GATE)
    close(record, "gate.voided")
    assert record.verify().ok


def test_a_gate_on_a_stream_of_another_name_gives_nothing() -> None:
    record = Record()
    for kind, body in (
        ("gate.opened", {"subject": {"digest": ACTION}, "proposer": "x", "last_editor": None, "quorum": 1}),
        ("gate.satisfied", {"digest": ACTION}),
    ):
        record.append(f"incident/{GATE}", kind, body, ENGINE)
    index = act(record, ACTION, "gate", GATE)
    assert [each.index for each in record.verify().findings] == [index]


def test_a_message_needs_authority_as_an_action_does() -> None:
    record = Record()
    index = act(record, MESSAGE, "policy", POLICY, "message.sending")
    adopt(record, "policy", POLICY)
    act(record, MESSAGE, "policy", POLICY, "message.sending")
    assert [each.index for each in record.verify().findings] == [index]
