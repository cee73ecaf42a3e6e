"""Documents that people write: whatever stands in one, it is read or refused with its faults, and never breaks."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handrail.domain import account, audience, catalog, policy, runbook, source
from handrail.domain.people import Eligible
from handrail.domain.policy import Act, judge
from handrail.domain.runbook import fill
from handrail.kernel.errors import BadInput, Fault, HandrailError, Refused
from handrail.operations import documents
from handrail.operations.documents import identify, read_yaml
from tests.domain.machines import START

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=2),
    max_leaves=5,
)


def around(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping in which each known field holds what it should, or junk, or is missing."""
    return st.fixed_dictionaries({}, optional={name: junk | good for name, good in fields.items()})


names = st.sampled_from(["a", "b", "c"])
eligible = around(
    {"roles": st.lists(st.sampled_from(["owner", "machine", "king"])), "teams": st.just(["$service_owner"])}
)
rules = around({
    "name": names, "when": around({"act": st.just("action"), "tier": st.just([1, 2])}),
    "verdict": st.sampled_from(["auto", "approve", "forbid"]), "approvers": eligible, "quorum": st.integers(0, 11),
    "escalate_to": eligible, "open_for_minutes": st.integers(0, 2000),
})  # fmt: skip
tasks = around({
    "id": names, "title": st.just("Task {{ inputs.x }}"), "kind": st.sampled_from(runbook.KINDS),
    "needs": st.lists(names), "owner": st.just("role:commander"), "due_minutes": st.integers(-1, 20_000),
    "escalate_to": st.just(["role:manager"]), "action": st.just("deploy.rollback"),
    "parameters": st.just({"service": "{{ inputs.x }}"}), "service": st.just("payments"), "audience": st.just("teams"),
    "stage": st.sampled_from(["declared", "never"]), "instructions": st.just("Do it."),
})  # fmt: skip
entities = around({
    "kind": st.just("Component"), "apiVersion": st.just("backstage.io/v1alpha1"),
    "metadata": around({"name": names, "annotations": st.just({"handrail.dev/tier": "2"}), "title": st.just("A")}),
    "spec": around({"owner": st.just("group:default/team-a"), "dependsOn": st.just(["component:default/b"])}),
})  # fmt: skip


def kind_of(kind: str, /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return junk | st.fixed_dictionaries({"kind": st.just(kind)}, optional={k: junk | v for k, v in fields.items()})


@given(kind_of("policy", rules=st.lists(rules, max_size=3)))
def test_any_policy_is_read_or_refused_and_what_is_read_can_judge(document: Any) -> None:
    read, faults = policy.from_document(document)
    assert read.rules or faults
    ruling = judge(read, Act("action", "deploy.rollback", "high", 1, "SEV1", service_owner="team-a"))
    assert ruling.verdict in ("auto", "approve", "forbid")
    if not faults and ruling.verdict == "approve":
        assert ruling.quorum >= 1
    assert all(isinstance(fault, Fault) and fault.what for fault in faults)


@given(kind_of("runbook", name=st.just("book"), title=st.just("Book"), inputs=st.just(["x"]),
               tasks=st.lists(tasks, min_size=1, max_size=3)))  # fmt: skip
@example({"kind": "runbook", "name": "book", "title": "t",
          "tasks": [{"id": "a", "title": "t", "kind": "human", "owner": 5}]})  # fmt: skip
@example({"kind": "runbook", "name": "book", "title": "t",
          "tasks": [{"id": "a", "title": "t", "kind": "action", "action": {"x": 1}}]})  # fmt: skip
def test_any_runbook_is_read_or_refused_and_what_is_read_can_be_filled(document: Any) -> None:
    read, faults = runbook.from_document(document)
    if faults:
        assert all(isinstance(fault, Fault) and fault.what for fault in faults)
        return
    filled, missing = fill(read, dict.fromkeys(read.inputs, "value"))
    assert missing == []
    assert len({task.id for task in filled}) == len(filled) >= 1
    for task in filled:
        assert "{{" not in task.title
        for value in (task.owner, task.action, task.service, task.instructions, task.audience, task.stage):
            assert isinstance(value, str)


@given(kind_of("audience", audiences=junk | st.dictionaries(names, around({"channels": st.just(["mailbox"])}))))
def test_any_audience_document_is_read_or_refused(document: Any) -> None:
    read, faults = audience.from_document(document)
    assert read or faults
    assert all(each.channels for each in read.values())


@given(st.lists(junk | entities, max_size=3))
@example([{"kind": "Component", "metadata": {"name": "a", "annotations": ["x"]}, "spec": {"owner": "o"}}])
@example([{"kind": "Component", "metadata": {"name": "a"}, "spec": {"owner": "o", "dependsOn": 5}}])
@example([{"kind": "Component", "metadata": {"name": "a", "annotations": {"handrail.dev/control-url": 5}},
           "spec": {"owner": "o"}}])  # fmt: skip
def test_any_catalogue_is_read_or_refused(documents: list[Any]) -> None:
    read, faults = catalog.from_documents(documents)
    assert all(isinstance(fault, str) and fault for fault in faults)
    for service in read.services.values():
        assert isinstance(service.owner, str) and service.owner
        assert isinstance(service.control_url, str | None)
        assert all(isinstance(name, str) for name in service.depends_on)
        read.dependents(service.name)
        read.dependencies(service.name)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BOMB_IN_A_TASK = f"{BOMB}kind: runbook\nname: book\ntitle: Book\ntasks: [{{id: a, title: *i, kind: human}}]\n"


@pytest.mark.parametrize(
    "text",
    [
        "a: [1", "\t- x: }", "kind: policy\nname: 2024-13-45", "a: !!python/object/apply:os.system ['true']",
        "[" * 20_000, "n: " + "9" * 5000, "a\0b", BOMB, "kind: runbook\n" + BOMB, BOMB_IN_A_TASK, "- &a\n  - *a",
        "a: !!binary '=%'", "? [a, b]\n: c", "<<: 5\na: 1",
    ],
)  # fmt: skip
def test_a_text_that_is_no_document_is_refused_in_words(text: str) -> None:
    with pytest.raises(HandrailError) as refusal:
        identify(text)
    assert 400 <= refusal.value.status < 500


@given(st.text(max_size=60))
def test_any_text_is_identified_or_refused(text: str) -> None:
    refusal = None
    try:
        identify(text)
    except HandrailError as error:
        refusal = error
    assert refusal is None or 400 <= refusal.status < 500


def test_a_fault_of_the_yaml_is_told_with_its_line_and_column() -> None:
    with pytest.raises(BadInput) as refusal:
        read_yaml("kind: policy\nrules:\n  - name: [a\n")
    assert refusal.value.faults[0].where.startswith("4:")


def test_a_document_has_a_name_that_fits_where_it_is_kept() -> None:
    text = f"kind: policy\nname: {'x' * 300}\nrules:\n  - {{name: a, when: {{}}, verdict: forbid}}\n"
    with pytest.raises(HandrailError) as refusal:
        identify(text)
    assert [fault.where for fault in refusal.value.faults] == ["/name"]


def test_what_ships_is_free_of_faults() -> None:
    kinds = [identify(text)[0] for text in documents.shipped()]
    assert {"policy", "audience", "runbook"} <= set(kinds)


def test_the_first_rule_that_matches_decides_and_without_one_it_is_forbidden() -> None:
    text = """
kind: policy
rules:
  - {name: low, when: {act: action, risk: low}, verdict: auto}
  - {name: any, when: {act: action}, verdict: approve, approvers: {teams: [$service_owner]}}
"""
    read, faults = policy.from_document(read_yaml(text)[0])
    assert faults == []
    assert judge(read, Act("action", risk="low")).verdict == "auto"
    ruling = judge(read, Act("action", risk="high", service_owner="team-a"))
    assert (ruling.rule, ruling.approvers) == ("any", Eligible(teams=("team-a",)))
    assert judge(read, Act("action", risk="high")).approvers == Eligible()
    assert judge(read, Act("message")) == policy.Ruling("forbid", "no rule matches")
    assert judge(policy.Policy(()), Act("action", risk="low")).verdict == "forbid"


def test_every_fault_of_a_runbook_is_named_at_once() -> None:
    text = """
kind: runbook
name: Bad Name
title: T
inputs: [a]
tasks:
  - {id: one, title: One, kind: human, needs: [two, missing]}
  - {id: two, title: Two, kind: human, needs: [one]}
  - {id: two, title: "{{ inputs.zz }}", kind: dance}
"""
    _, faults = runbook.from_document(read_yaml(text)[0])
    told = " ".join(fault.what for fault in faults)
    for word in ("lower-case", "missing", "circle", "Write one of", "zz"):
        assert word in told


@pytest.mark.parametrize("name", ["owner\n", "Owner", "", "1owner", "o", "ow ner", "ö" * 3, "a" * 65])
def test_a_sign_in_name_has_one_spelling(name: str) -> None:
    command = account.CreateAccount("usr_1", "person", name, "Name", ("owner",), (), "usr_2")
    assert isinstance(account.decide(None, command, START), Refused)


@pytest.mark.parametrize("name", ["source\n", "So", "", "a" * 65])
def test_a_source_has_a_name_of_one_spelling(name: str) -> None:
    command = source.AddSource("src_1", name, "generic", frozenset({"generic"}), "usr_1")
    assert isinstance(source.decide(None, command, START), Refused)
