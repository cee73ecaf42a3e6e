"""What holds for every importer of runbooks, and what each makes of its own samples."""

import copy
import csv
import io
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.domain import runbook
from handrail.kernel.errors import BadInput, NotFound, TooLarge
from handrail.kernel.limits import LIMITS
from handrail.kernel.yamls import load_yaml
from handrail.plugins.importers.contract import ImportedRunbook
from handrail.plugins.importers.registry import guess_runbook_importer, runbook_importer, runbook_importers
from handrail.plugins.importers.runbook_draft import RunbookDraft, as_yaml

NAMES = ("markdown", "rundeck", "ssm-automation", "cutover", "orquesta")
each = pytest.mark.parametrize("name", NAMES)

CHECKLIST = """# Payments are down
## Triage
Context before.
- [ ] Open the dashboard
- [x] Note the error rate
```bash
kubectl get pods
```
See [the map](https://example.com/map).
## Mitigate
1. Roll back
"""
JOB: dict[str, Any] = {
    "name": "Restart payments",
    "description": "Restarts the pods",
    "loglevel": "INFO",
    "options": [
        {"name": "namespace", "required": True},
        {"name": "password", "secure": True, "value": "hush-hush"},
        {"name": "count2", "value": "3"},
    ],
    "nodefilters": {"filter": "tags: web"},
    "schedule": {"time": {"hour": "5"}},
    "sequence": {
        "keepgoing": False,
        "commands": [
            {"description": "Look", "exec": "kubectl -n ${option.namespace} get pods"},
            {"description": "Look", "script": "echo ${option.password} @option.count2@",
             "errorhandler": {"exec": "echo no", "keepgoingOnSuccess": True}},
            {"jobref": {"name": "drain", "group": "web"}},
            {"type": "com.example.plugin", "nodeStep": True, "configuration": {"depth": 2}},
        ],
    },
}  # fmt: skip
AUTOMATION: dict[str, Any] = {
    "schemaVersion": "0.3",
    "description": "Restart an instance",
    "assumeRole": "{{ AutomationAssumeRole }}",
    "parameters": {
        "InstanceId": {"type": "String", "default": "i-1", "description": "Which one"},
        "Token": {"type": "SecureString", "default": "hush-hush"},
    },
    "mainSteps": [
        {"name": "ask", "action": "aws:approve", "timeoutSeconds": 1000, "onFailure": "Abort",
         "inputs": {"Approvers": ["arn:aws:iam::1:user/a"], "MinRequiredApprovals": 1}},
        {"name": "choose", "action": "aws:branch", "inputs": {
            "Choices": [{"NextStep": "stop", "Variable": "{{ ask.ApprovalStatus }}", "StringEquals": "Approved"}],
            "Default": "tell"}},
        {"name": "stop", "action": "aws:changeInstanceState", "maxAttempts": 2, "onFailure": "step:tell",
         "inputs": {"InstanceIds": ["{{ InstanceId }}"], "DesiredState": "stopped"}, "nextStep": "look"},
        {"name": "tell", "action": "aws:sleep", "inputs": {"Duration": "PT1M"}, "isEnd": True},
        {"name": "look", "action": "aws:executeScript", "isCritical": False,
         "inputs": {"Runtime": "python3.11", "Handler": "h", "Script": "import os\nos.system('x')\n"},
         "outputs": [{"Name": "State", "Selector": "$.Payload", "Type": "String"}], "nextStep": "choose"},
    ],
    "outputs": ["look.State"],
}  # fmt: skip
TABLE = (
    "Task ID,Title,Predecessor IDs,Description,Stream,Sub Stream,Task Type,Assigned Team,Planned Duration\n"
    "#2,Restore,#1,Second,Database,,Normal,DB Team,1h 30m\n"
    "#1,Stop writes,,First,Database,,Normal,web,00:10:30\n"
    '#3,Restore,"#2, #9",=1+1,Web,,Checkpoint,,15\n'
)
WORKFLOW: dict[str, Any] = {
    "version": 1.0,
    "description": "Drain a node",
    "input": ["node", {"grace": 30}],
    "vars": [{"seen": False}],
    "tasks": {
        "ask": {"action": "core.ask", "input": {"schema": {"go": {"type": "boolean"}}}, "next": [
            {"when": "<% succeeded() %>", "publish": [{"go": "<% result().response.go %>"}], "do": "drain, tell"},
            {"when": "<% failed() %>", "do": "fail"}]},
        "drain": {"action": "core.remote", "with": "<% ctx(nodes) %>", "delay": 3, "retry": {"count": 2},
                  "input": {"cmd": "drain <% ctx().node %> {{ ctx('grace') }}"}, "next": [{"do": ["join-up", "gone"]}]},
        "tell": {"action": "core.echo", "next": [{"do": "join-up"}]},
        "join-up": {"action": "core.noop", "join": "all", "next": [{"do": "ask"}]},
    },
    "output": [{"seen": "<% ctx().seen %>"}],
}  # fmt: skip
SAMPLES = {
    "orquesta": yaml.safe_dump(WORKFLOW, sort_keys=False).encode(),
    "cutover": TABLE.encode(),
    "markdown": CHECKLIST.encode(),
    "rundeck": yaml.safe_dump([JOB]).encode(),
    "ssm-automation": json.dumps(AUTOMATION).encode(),
}


def told(read: ImportedRunbook) -> str:
    return "\n".join(f"{loss.where} {loss.what}" for loss in read.losses)


def tasks(read: ImportedRunbook) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read.document["tasks"]
    return found


def test_the_folders_are_the_importers_of_runbooks() -> None:
    assert set(NAMES) <= set(runbook_importers())
    with pytest.raises(NotFound, match="markdown"):
        runbook_importer("nagios")


@each
def test_the_kind_is_guessed_and_the_text_reads_back_without_fault(name: str) -> None:
    assert guess_runbook_importer(SAMPLES[name]).name == name
    read = runbook_importer(name).read(SAMPLES[name])
    [document] = load_yaml(as_yaml(read))
    assert document == read.document
    assert runbook.from_document(document)[1] == []


@each
def test_every_task_is_for_a_person_and_every_loss_says_what_to_do(name: str) -> None:
    read = runbook_importer(name).read(SAMPLES[name])
    assert {task["kind"] for task in tasks(read)} == {"human"}
    assert all("action" not in task for task in tasks(read))
    assert read.losses
    assert all(loss.where and loss.what and loss.do for loss in read.losses)


@each
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[]", b"null", b"\x00", b"[" * 9000, b"a: &x [1]\nb: *x",
                                  b"plain words", b"a: 1\na: 2"])  # fmt: skip
def test_what_is_not_its_format_is_refused_in_words(name: str, body: bytes) -> None:
    with pytest.raises(BadInput) as refusal:
        runbook_importer(name).read(body)
    assert refusal.value.detail.endswith(".")
    with pytest.raises(BadInput):
        guess_runbook_importer(body)


@each
def test_a_file_above_the_limit_is_not_read(name: str) -> None:
    with pytest.raises(TooLarge):
        runbook_importer(name).read(b" " * (LIMITS.runbook_import_bytes + 1))


def test_a_checklist_becomes_tasks_one_after_the_other() -> None:
    read = runbook_importer("markdown").read(SAMPLES["markdown"])
    assert read.document["title"] == "Payments are down"
    assert [task["title"] for task in tasks(read)] == [
        "Triage: Open the dashboard", "Triage: Note the error rate", "Mitigate: Roll back",
    ]  # fmt: skip
    assert tasks(read)[0]["instructions"] == "Context before."
    assert "kubectl get pods\n\nSee [the map](https://example.com/map)." in tasks(read)[1]["instructions"]
    assert tasks(read)[2]["needs"] == ["triage-note-the-error-rate"]
    assert "line 5 The box is ticked" in told(read)


def test_plain_items_are_tasks_where_there_is_no_box() -> None:
    read = runbook_importer("markdown").read(b"# A\n- one\n- two\n")
    assert [task["title"] for task in tasks(read)] == ["one", "two"]


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, CHECKLIST.count("\n")), form=st.sampled_from(
    ("{}", "- {}", "- [ ] {}", "3. {}", "## {}", "> {}", "| {} | b |", "    {}", "<!-- {} -->", "~~~ {}\n~~~",
     "~~~\n{}\n~~~", "***{}***")
))  # fmt: skip
def test_every_line_of_a_checklist_is_in_the_result_or_in_the_losses(at: int, form: str) -> None:
    lines = CHECKLIST.split("\n")
    lines.insert(at, form.format("zanzibar"))
    read = runbook_importer("markdown").read("\n".join(lines).encode())
    assert "zanzibar" in as_yaml(read) + told(read)


def test_front_matter_and_sections_without_items_are_losses() -> None:
    read = runbook_importer("markdown").read(b"---\nowner: web\n---\n# A\nAlone.\n## B\n- [ ] one\n")
    assert "line 2 The front matter has no place here: owner: web" in told(read)
    assert "line 5 No item of this section could take it: Alone." in told(read)


def test_a_job_becomes_tasks_with_its_commands_as_text() -> None:
    read = runbook_importer("rundeck").read(SAMPLES["rundeck"])
    assert read.document["inputs"] == ["namespace", "count_two"]
    assert [task["id"] for task in tasks(read)] == ["look", "look-2", "drain", "plugin-com-example-plugin"]
    assert "Command: kubectl -n {{ inputs.namespace }} get pods" in tasks(read)[0]["instructions"]
    assert "If it fails:" in tasks(read)[1]["instructions"]
    assert tasks(read)[3]["needs"] == ["drain"]


def test_a_secret_of_a_job_is_no_input_and_its_value_is_nowhere() -> None:
    read = runbook_importer("rundeck").read(SAMPLES["rundeck"])
    assert "${option.password}" in tasks(read)[1]["instructions"]
    assert "hush-hush" not in as_yaml(read) + told(read)
    assert "/0/options/1 The secret password is no input" in told(read)


def test_a_second_job_of_a_file_is_a_loss() -> None:
    read = runbook_importer("rundeck").read(json.dumps([JOB, {**JOB, "name": "Other"}]).encode())
    assert "/1 The job Other is another runbook." in told(read)


def mappings(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each mapping of a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    here = [way] if isinstance(value, dict) else []
    return here + [found for key, item in inner for found in mappings(item, (*way, key))]


SECRETS = (("options", 1), ("parameters", "Token"))
PLACES = [
    (name, sample, way)
    for name, sample in (("rundeck", JOB), ("ssm-automation", AUTOMATION), ("orquesta", WORKFLOW))
    for way in mappings(sample)
    if way[:2] not in SECRETS
]


@pytest.mark.parametrize(("name", "sample", "way"), PLACES, ids=[f"{name} {way}" for name, _, way in PLACES])
@pytest.mark.parametrize("value", ["zanzibar", {"deep": ["zanzibar"]}, ["zanzibar"]], ids=("word", "mapping", "list"))
def test_every_field_is_in_the_result_or_in_the_losses(
    name: str, sample: Any, way: tuple[Any, ...], value: object
) -> None:
    def place_in(whole: Any) -> Any:
        for key in way:
            whole = whole[key]
        return whole

    for key in (*place_in(sample), "surplus"):
        changed = copy.deepcopy(sample)
        place_in(changed)[key] = value
        try:
            read = runbook_importer(name).read(json.dumps(changed).encode())
        except BadInput:
            continue
        assert "zanzibar" in as_yaml(read) + told(read), (way, key)


def test_an_automation_keeps_its_approval_its_ways_and_no_loop() -> None:
    read = runbook_importer("ssm-automation").read(SAMPLES["ssm-automation"])
    needs = {task["id"]: task.get("needs", []) for task in tasks(read)}
    assert needs == {"ask": [], "choose": ["ask"], "stop": ["choose"], "tell": ["choose", "stop"], "look": ["stop"]}
    assert "MinRequiredApprovals: 1" in tasks(read)[0]["instructions"]
    assert "{{ inputs.instanceid }}" in tasks(read)[2]["instructions"]
    assert "choose after look closes a circle" in told(read)
    assert "Nothing counts or checks its approvers" in told(read)
    assert "hush-hush" not in as_yaml(read) + told(read)


def test_an_automation_of_another_schema_or_with_a_name_twice_is_told() -> None:
    with pytest.raises(BadInput, match="schemaVersion is “2"):
        runbook_importer("ssm-automation").read(json.dumps({**AUTOMATION, "schemaVersion": "2.2"}).encode())
    twice = {**AUTOMATION, "mainSteps": [{"name": "a", "action": "aws:pause"}] * 2}
    read = runbook_importer("ssm-automation").read(json.dumps(twice).encode())
    assert [task["id"] for task in tasks(read)] == ["a", "a-2"]
    assert "A step before has the name a" in told(read)


def test_a_table_becomes_tasks_in_the_order_of_predecessors() -> None:
    read = runbook_importer("cutover").read(SAMPLES["cutover"])
    assert [(task["id"], task.get("needs")) for task in tasks(read)] == [
        ("restore", ["stop-writes"]), ("stop-writes", None), ("restore-2", ["restore"]),
    ]  # fmt: skip
    assert [task.get("owner") for task in tasks(read)] == ["team:db-team", "team:web", None]
    assert [task.get("due_minutes") for task in tasks(read)] == [90, 11, None]
    assert tasks(read)[2]["instructions"].startswith("'=1+1")
    assert "line 4 It waits for #9, which is no task here." in told(read)


@pytest.mark.parametrize("row", [1, 2, 3])
@pytest.mark.parametrize("column", range(10))
def test_every_cell_of_a_table_is_in_the_result_or_in_the_losses(row: int, column: int) -> None:
    rows = list(csv.reader(io.StringIO(TABLE)))
    rows[row][column:] = ["zanzibar", *rows[row][column + 1 :]]
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    read = runbook_importer("cutover").read(written.getvalue().encode())
    assert "zanzibar" in as_yaml(read) + told(read)


def test_tasks_of_a_table_that_wait_for_each_other_or_share_an_id_are_told() -> None:
    read = runbook_importer("cutover").read(b"Task ID,Title,Predecessor IDs\n#1,a,#2\n#2,b,#1\n#2,c,\n")
    assert [task.get("needs", []) for task in tasks(read)] == [[], ["a"], []]
    assert "a after b closes a circle" in told(read)
    assert "The id #2 stands on a row before" in told(read)


def test_a_workflow_keeps_its_ways_and_evaluates_nothing() -> None:
    read = runbook_importer("orquesta").read(SAMPLES["orquesta"])
    needs = {task["id"]: task.get("needs", []) for task in tasks(read)}
    assert needs == {"ask": [], "drain": ["ask"], "tell": ["ask"], "join-up": ["drain", "tell"]}
    assert "drain {{ inputs.node }} {{ inputs.grace }}" in tasks(read)[1]["instructions"]
    assert "only when this holds, else skip it: <% succeeded() %>" in tasks(read)[0]["instructions"]
    for loss in ("It leads to gone", "ask after join-up closes a circle", "“fail” is a word for", "/vars "):
        assert loss in told(read)


def test_a_comment_of_yaml_is_not_taken_for_a_heading() -> None:
    assert guess_runbook_importer(b"# our job\n" + SAMPLES["rundeck"]).name == "rundeck"


def test_hostile_text_is_made_harmless_and_told() -> None:
    read = runbook_importer("markdown").read("- [ ] =cmd|'x'!A0 {{ inputs.evil }}\x1b[2J\u202e {{{{\n".encode())
    [task] = tasks(read)
    assert task["title"] == "'=cmd|'x'!A0 { { inputs.evil }}\\u001b[2J\\u202e { { { {"
    assert "double braces" in told(read) and "control characters" in told(read) and "apostrophe" in told(read)


def test_too_many_tasks_and_too_long_texts_are_cut_and_told() -> None:
    read = runbook_importer("markdown").read(b"- [ ] a\n" * (LIMITS.runbook_tasks + 5))
    assert len(tasks(read)) == LIMITS.runbook_tasks
    assert "the rest is left out" in told(read)
    read = runbook_importer("markdown").read(b"- [ ] a\n" + b"word " * LIMITS.summary_chars)
    assert len(tasks(read)[0]["instructions"]) <= LIMITS.summary_chars
    assert "it was cut" in told(read)


def test_a_circle_is_opened_where_it_leads_back() -> None:
    draft = RunbookDraft("test")
    for name in ("a", "b", "c"):
        draft.task(name, f"/{name}")
    for task, need in (("b", "a"), ("c", "b"), ("a", "c"), ("b", "b")):
        draft.needs(task, need)
    read = draft.done()
    assert [task.get("needs", []) for task in tasks(read)] == [[], ["a"], ["b"]]
    assert "/c a after c closes a circle" in told(read)


def test_a_source_without_a_task_is_refused() -> None:
    with pytest.raises(BadInput, match="holds no task"):
        RunbookDraft("test").done()
