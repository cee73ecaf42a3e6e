"""Everything that people do in an incident, at the command line, against a real server."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.cli.conftest import Cast, Runner
from tests.worlds import INPUTS, RUNBOOK, catalog_text

HOSTILE = "Payments \x1b[2J\x1b]0;owned\x07 [red]down[/]\u202e\r\n"
_WAIT_SECONDS = 60.0


def eventually(read: Callable[[], Any]) -> Any:
    """What machines do at their own pace."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while not (found := read()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def incident() -> dict[str, str]:
    """What the tests of this file tell each other: ids of one incident's parts, in order of the file."""
    return {}


def test_hostile_alerts_become_a_candidate_and_steer_no_terminal(cast: Cast, incident: dict[str, str]) -> None:
    token = cast.maria("source", "add", "monitor", "--integration", "generic").word
    alerts = [
        {"title": HOSTILE, "service": name, "severity": "critical", "labels": {"pod\x1b[1m": "a\nb"}, "dedup_key": name}
        for name in ("payments", "orders")
    ]
    url = cast.maria.variables["HANDRAIL_URL"]
    sent = httpx2.post(f"{url}/in/monitor", json={"alerts": alerts}, headers={"Authorization": f"Bearer {token}"})
    assert sent.status_code == 202

    listed = cast.jonas("alert", "list", "--status", "firing", "--search", "Payments")
    assert "\x1b" not in listed.out and "\u202e" not in listed.out and "\r" not in listed.out
    assert "\\x1b[2J" in listed.out and "[red]down[/]" in listed.out
    found = cast.jonas.json("alert", "list")["items"]
    assert {item["service"] for item in found} == {"payments", "orders"}
    shown = cast.jonas("alert", "show", found[0]["id"], "--raw")
    assert "\x1b" not in shown.out
    assert cast.jonas.json("alert", "show", found[0]["id"])["occurrences"]

    candidates = eventually(lambda: cast.jonas.json("candidate", "list", "--status", "open")["items"])
    incident["candidate"] = candidates[0]["id"]
    told = cast.jonas("candidate", "show", incident["candidate"])
    assert "\x1b" not in told.out and "WHY IT IS HERE" in told.out
    assert "\x1b" not in cast.jonas("candidate", "list").out


def test_a_candidate_is_split_merged_and_its_alerts_moved(cast: Cast, incident: dict[str, str]) -> None:
    why = ("--reason", "another matter")
    opened = eventually(lambda: found if len(found := cast.jonas.json("candidate", "list")["items"]) == 2 else None)
    first, (other,) = incident["candidate"], [one["id"] for one in opened if one["id"] != incident["candidate"]]
    assert "/merge" in cast.jonas("candidate", "merge", other, "--into", first, *why, "--dry-run").out
    assert cast.jonas.json("candidate", "show", other)["status"] == "open"
    assert "has everything now" in cast.jonas("candidate", "merge", other, "--into", first, *why).err
    assert "A person put it here." in cast.jonas("candidate", "show", first).out
    assert "TOGETHER WITH" in cast.jonas("candidate", "corrections").out

    ids = {one["service"]: one["alert_id"] for one in cast.jonas.json("candidate", "members", first)["items"]}
    second = cast.jonas("candidate", "split", first, ids["orders"], *why).word
    assert cast.jonas.json("candidate", "show", second)["split_from"] == first
    assert cast.jonas("candidate", "merge", second, "--into", first, *why).err
    assert cast.jonas("candidate", "move", first, ids["orders"], *why, code=2).err
    assert cast.jonas.json("candidate", "move", first, ids["orders"], "--out", *why)["count"] == 1
    assert cast.jonas.json("candidate", "add", first, ids["orders"], *why)["count"] == 2
    for correction in cast.jonas.json("candidate", "corrections")["items"]:
        cast.jonas("candidate", "forget", correction["id"])
    assert cast.jonas.json("candidate", "corrections")["items"] == []
    assert len(cast.jonas.json("candidate", "corrections", "--over")["items"]) == 5
    assert cast.jonas("candidate", "merge", first, "--into", first, *why, code=2).err


def test_a_candidate_is_declared_and_the_first_documents_are_in_force(cast: Cast, incident: dict[str, str],
                                                                      tmp_path: Any) -> None:  # fmt: skip
    (tmp_path / "catalog.yaml").write_text(catalog_text())
    assert cast.maria("document", "propose", str(tmp_path / "catalog.yaml")).word == "catalog.default"
    said = cast.jonas("candidate", "declare", incident["candidate"], "--severity", "SEV1", "--title", "Payments fail")
    incident["id"] = said.word
    assert "INC-" in said.err
    shown = cast.jonas.json("incident", "show", incident["id"])
    incident["reference"] = shown["reference"]
    assert shown["roles"] == {"commander": cast.ids["jonas"]}
    assert "Payments fail" in cast.ada("incident", "list", "--status", "live").out
    assert "commander jonas" in cast.ada("incident", "show", incident["reference"]).out
    assert cast.jonas.json("alert", "list", "--incident", incident["reference"])["items"]
    assert "declared" in cast.jonas("candidate", "dismiss", incident["candidate"], "--reason", "late", code=5).err


def test_roles_severity_and_notes_stand_in_the_timeline(cast: Cast, incident: dict[str, str]) -> None:
    which = incident["reference"]
    cast.jonas("incident", "role", which, "deputy", "maria")
    assert cast.jonas("incident", "role", which, "deputy", "nobody", code=3).err.startswith("There is no account")
    cast.jonas("incident", "severity", which, "SEV2", "--reason", "One region only")
    cast.jonas("incident", "note", which, "Cards fail\x1b[2J", "--happened-at", "2026-01-05T09:00:00Z")
    assert "zone" in cast.jonas("incident", "note", which, "x", "--happened-at", "yesterday", code=2).err
    cast.jonas("incident", "investigate", which)
    timeline = cast.ada("incident", "timeline", which, "--limit", "200")
    assert "Cards fail\\x1b[2J" in timeline.out
    assert "\x1b" not in timeline.out
    assert "2026-01-05 09:00:00Z" in timeline.out
    entries = cast.ada.json("incident", "timeline", which, "--limit", "2")
    assert len(entries["items"]) == 2 and entries["next"]
    again = cast.ada.json("incident", "timeline", which, "--cursor", entries["next"], "--limit", "1")
    assert again["items"][0]["index"] > entries["items"][1]["index"]


def test_a_run_waits_at_a_gate_that_shows_exactly_what_is_approved(cast: Cast, incident: dict[str, str]) -> None:
    given = [word for name, value in INPUTS.items() for word in ("--input", f"{name}={value}")]
    dry = cast.jonas("run", "start", incident["id"], "--runbook", RUNBOOK, *given, "--dry-run")
    assert dry.json["body"]["inputs"] == INPUTS
    assert cast.jonas("run", "start", incident["id"], code=2).err.startswith("Give either")
    said = cast.jonas("run", "start", incident["id"], "--runbook", RUNBOOK, *given)
    incident["run"] = said.word
    assert cast.jonas.json("incident", "show", incident["id"])["stage"]
    gates = cast.maria.json("gate", "list", "--mine")["items"]
    (gate,) = [item for item in gates if item["subject"]["kind"] == "action"]
    incident["gate"] = gate["id"]
    assert incident["gate"] in said.err
    shown = cast.maria("gate", "show", gate["id"])
    assert gate["subject"]["digest"] in shown.out
    assert '"to_version": "2.4.0"' in shown.out
    assert "gate approve" in shown.err
    assert gate["id"] in cast.maria("gate", "list", "--mine").out


def test_nobody_approves_without_right_reason_confirmation_and_the_same_content(
    cast: Cast, incident: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = incident["gate"]
    assert "may not vote" in cast.jonas("gate", "approve", gate, "--reason", "mine", "--yes", code=4).err
    assert "may not vote" in cast.ada("gate", "approve", gate, "--reason", "x", "--yes", code=4).err
    assert "--reason" in cast.maria("gate", "approve", gate, "--yes", code=2).err
    unconfirmed = cast.maria("gate", "approve", gate, "--reason", "x", code=2)
    assert "no terminal" in unconfirmed.err and '"to_version": "2.4.0"' in unconfirmed.out
    other = cast.maria("gate", "approve", gate, "--reason", "x", "--yes", "--digest", "0" * 64, code=5)
    assert "not what you expect" in other.err
    assert cast.maria("gate", "approve", "gat_none", "--reason", "x", "--yes", code=3).err
    monkeypatch.setattr("sys.stdin", _Terminal("wrong\n"))
    assert "Nothing was done" in cast.maria("gate", "approve", gate, "--reason", "x", code=2).err
    assert cast.maria.json("gate", "show", gate)["votes"] == []


class _Terminal:
    def __init__(self, typed: str) -> None:
        self._typed = typed

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self._typed


def test_a_rejection_is_typed_and_binds_to_what_was_shown(
    cast: Cast, incident: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = incident["gate"]
    monkeypatch.setattr("sys.stdin", _Terminal(f"{gate}\n"))
    cast.maria("gate", "reject", gate, "--reason", "Wrong version")
    found = cast.maria.json("gate", "show", gate)
    assert (found["status"], found["votes"][0]["reason"]) == ("rejected", "Wrong version")
    assert cast.maria("gate", "approve", gate, "--reason", "x", "--yes", code=5).err
    assert cast.jonas("gate", "withdraw", gate, "--reason", "x", code=5).err


def test_tasks_are_claimed_done_skipped_and_asked_again(cast: Cast, incident: dict[str, str]) -> None:
    run = incident["run"]
    mine = cast.jonas.json("task", "list", "--mine")["items"]
    assert "confirm-impact" in [task["id"] for task in mine]
    cast.jonas("task", "claim", f"{run}/confirm-impact")
    cast.jonas("task", "done", f"{run}/confirm-impact", "--result", "Every third purchase fails")
    assert cast.jonas("task", "claim", f"{run}/confirm-impact", code=5).err
    assert cast.jonas("task", "done", "confirm-impact", code=2).err.startswith("“confirm-impact” is no task")
    assert cast.jonas("task", "claim", f"{run}/none", code=3).err
    assert cast.jonas("task", "ask-again", f"{run}/roll-back", code=5).err
    assert cast.jonas("task", "resolve", f"{run}/roll-back", "happened", "--reason", "x", code=5).err
    all_ = cast.jonas("task", "list", "--incident", incident["id"], "--all").out
    assert "confirm-impact" in all_ and "Roll payments back" in all_
    shown = cast.ada("run", "show", run).out
    assert "Every third purchase fails" in shown and "to 2.4.0" in shown


def test_a_message_is_edited_submitted_and_approved_by_another(cast: Cast, incident: dict[str, str]) -> None:
    message = cast.jonas("message", "draft", incident["id"], "--audience", "teams", "--stage", "update").word
    cast.jonas("message", "edit", message, "--subject", "Payments: update", "--text", "Hello\x1b[2J\nsecond line")
    gate = cast.jonas("message", "submit", message).word
    assert cast.jonas("gate", "approve", gate, "--reason", "my own", "--yes", code=4).err
    cast.maria("gate", "approve", gate, "--reason", "Right and short", "--yes")
    shown = cast.ada("message", "show", message)
    assert "Payments: update" in shown.out and "second line" in shown.out
    assert "\x1b" not in shown.out
    assert eventually(lambda: _delivered(cast.ada.json("message", "show", message), "mailbox"))
    assert message in cast.ada("message", "list", "--incident", incident["id"]).out


def _delivered(message: dict[str, Any], channel: str) -> bool:
    return any(item["channel"] == channel and item["status"] == "delivered" for item in message["deliveries"])


def test_an_incident_is_led_to_its_end_by_hand(cast: Cast, incident: dict[str, str]) -> None:
    which = incident["id"]
    assert cast.jonas("incident", "close", which, code=5).err
    cast.jonas("run", "cancel", incident["run"], "--reason", "By hand instead", "--yes")
    for stage, half in (("triage", "machine"), ("triage", "human"), ("contain", "machine"), ("contain", "human"),
                        ("remediate", "machine"), ("remediate", "human"), ("recover", "machine")):  # fmt: skip
        cast.jonas("incident", "stage", which, stage, half, "--reason", "done by hand")
    gate = cast.jonas("incident", "ready", which).word
    cast.maria("gate", "approve", gate, "--reason", "Sold one item", "--yes")
    review = cast.jonas("incident", "close", which).word
    assert "INC-" in cast.ada("incident", "outcome", which).out
    assert cast.ada.json("incident", "outcome", which)["times"]["recover_seconds"] is None

    cast.jonas("review", "edit", review, "helped", "--words", "The runbook")
    assert "The runbook" in cast.ada("review", "show", which).out
    cast.maria("review", "accept", review)
    assert cast.ada.json("review", "show", review)["status"] == "accepted"
    assert cast.jonas("review", "edit", review, "helped", "--words", "late", code=5).err
    assert cast.ada.json("incident", "show", which)["stage"] == "closed"


def test_an_incident_is_declared_by_hand_and_a_dry_run_declares_nothing(cast: Cast) -> None:
    before = len(cast.jonas.json("incident", "list")["items"])
    dry = cast.jonas("incident", "declare", "--severity", "SEV3", "--title", "Slow", "--dry-run")
    assert dry.json["method"] == "POST" and dry.json["body"]["title"] == "Slow"
    assert len(cast.jonas.json("incident", "list")["items"]) == before
    made = cast.jonas("incident", "declare", "--severity", "SEV3", "--title", "Slow", "--service", "orders")
    assert made.word.startswith("inc_")
    assert cast.ada("incident", "declare", "--severity", "SEV3", "--title", "Slow", code=4).err
    assert cast.jonas("incident", "declare", "--severity", "SEV9", "--title", "Slow", code=2).err
    assert cast.jonas("incident", "show", "INC-999", code=3).err


def test_a_document_changes_only_with_a_second_person(cast: Cast, tmp_path: Any) -> None:
    text = cast.maria("document", "show", "policy.default").out
    file = tmp_path / "policy.yaml"
    file.write_text(text.replace("open_for_minutes: 240", "open_for_minutes: 120"))
    gate = cast.maria("document", "propose", str(file)).word
    assert gate in cast.ada("document", "list").out
    assert "120" in cast.ada("document", "show", "policy.default", "--draft").out
    cast.maria("gate", "withdraw", gate, "--reason", "Not today")
    assert cast.ada("document", "show", "policy.default", "--draft", code=3).err
    file.write_text("kind: policy\nname: default\nrules: [{name: x, verdict: perhaps}]\n")
    faults = cast.maria("document", "propose", str(file), code=2).err
    assert len(faults.splitlines()) >= 2
    assert cast.maria("document", "propose", str(tmp_path / "none.yaml"), code=3).err
    assert cast.ada("document", "propose", str(file), code=4).err


def test_sources_have_secrets_that_are_shown_once_and_end(cast: Cast, tmp_path: Any) -> None:
    cast.maria("source", "add", "pager", "--integration", "pagerduty_events_v2")
    more = cast.maria.json("source", "secret", "pager")
    assert more["token"].startswith("hrt_")
    assert more["token"] not in cast.maria("source", "list", "--json").out
    cast.maria("source", "secret", "pager", "--retire", more["secret_id"])
    assert "terminal" in cast.maria("source", "remove", "pager", code=2).err
    cast.maria("source", "add", "scripts", "--integration", "generic")
    ours = cast.maria.json("source", "secret", "scripts", "--signing")
    assert ours["secret"].startswith("whsec_")
    file = tmp_path / "secret.txt"
    file.write_text("the-senders-own-secret\n")
    assert "ends in cret" in cast.maria("source", "secret", "scripts", "--signing", "--from", str(file)).err
    shown = cast.maria("source", "show", "scripts").out
    assert "cret" in shown and "the-senders-own" not in shown and ours["secret"] not in shown
    assert cast.maria("source", "secret", "pager", "--signing", code=2).err
    assert cast.maria("source", "secret", "scripts", "--from", str(file), code=2).err
    assert "no confirmation" in cast.maria("source", "confirmation", "scripts").err
    assert cast.maria("source", "confirmation", "scripts", "--agree", "cnf_x", code=3).err
    cast.maria("source", "remove", "pager", "--yes")
    assert "pager" not in [item["name"] for item in cast.maria.json("source", "list", "--status", "live")["items"]]
    assert cast.maria("source", "remove", "pager", "--yes", code=3).err
    assert cast.ada("source", "add", "mine", "--integration", "generic", code=4).err
    assert cast.maria("source", "add", "mine", "--integration", "smoke-signals", code=2).err
    assert cast.ada("change", "list").err


def test_accounts_and_tokens_come_and_go(cast: Cast, run: Runner) -> None:
    made = cast.owner.json("user", "create", "ci", "--name", "CI", "--role", "machine", "--machine")
    token = cast.owner.json("token", "create", "build", "--user", "ci", "--scope", "read", "--days", "1")
    run.variables = {**cast.ada.variables, "HANDRAIL_TOKEN": token["token"]}
    assert run("incident", "list").out
    assert run("incident", "declare", "--severity", "SEV1", "--title", "x", code=4).err
    assert "machine" in cast.owner("user", "roles", "ci", "--role", "observer", code=2).err
    cast.owner("user", "create", "tom", "--name", "Tom", "--role", "observer")
    cast.owner("user", "roles", "tom", "--role", "responder", "--team", "build")
    found = {item["login"]: item for item in cast.owner.json("user", "list")["items"]}
    assert (found["tom"]["roles"], found["tom"]["teams"]) == (["responder"], ["build"])
    cast.owner("user", "deactivate", "ci", "--yes")
    assert "login" in run("incident", "list", code=4).err
    assert made["account"]["id"] in cast.owner("user", "list", "--status", "inactive").out
    assert cast.jonas("user", "create", "x", "--name", "X", "--role", "owner", code=4).err

    own = cast.jonas.json("token", "create", "spare")
    assert own["token"] not in cast.jonas("token", "list", "--json").out
    cast.jonas("token", "revoke", own["id"])
    assert cast.jonas("token", "revoke", "tok_none", code=3).err


def test_login_keeps_a_token_and_logout_ends_it(cast: Cast, run: Runner, tmp_path: Any) -> None:
    run.variables = {"HANDRAIL_URL": cast.owner.variables["HANDRAIL_URL"]}
    once = tmp_path / "once"
    own = tmp_path / "own"
    once.write_text(cast.owner.json("user", "create", "lena", "--name", "Lena", "--role", "observer")["password"])
    own.write_text("lena-long-enough-password\n")
    assert "new-password-file" in run("login", "--user", "lena", "--password-file", str(once), code=2).err
    wrong = run("login", "--user", "lena", "--password-file", str(own), code=4)
    assert "wrong" in wrong.err and "lena-long" not in wrong.err
    options = ("--user", "lena", "--password-file", str(once), "--new-password-file", str(own))
    kept = json.loads(run("login", *options, "--json").out)
    assert "token" not in kept
    assert run("incident", "list").out
    token = json.loads((tmp_path / "config/handrail/credentials").read_text())["tokens"][kept["url"]]["token"]
    run("logout")
    assert run("incident", "list", code=4).err
    assert run("logout", code=3).err
    run.variables = {**run.variables, "HANDRAIL_TOKEN": token}
    assert run("incident", "list", code=4).err
    del run.variables["HANDRAIL_TOKEN"]
    once.write_text(cast.owner("user", "reset-password", "lena").word)
    own.write_text("lena-another-long-password\n")
    run("login", *options)


def test_a_refusal_as_json_is_one_object_on_stderr(cast: Cast) -> None:
    said = cast.jonas("incident", "show", "INC-999", "--json", code=3)
    assert said.out == ""
    error = json.loads(said.err)["error"]
    assert (error["code"], error["exit"]) == ("not_found", 3)


def test_a_server_that_is_away_is_one_sentence(run: Runner) -> None:
    run.variables = {"HANDRAIL_URL": "http://127.0.0.1:1", "HANDRAIL_TOKEN": "hrt_x"}
    said = run("incident", "list", code=1)
    assert "does not answer" in said.err and "handrail up" in said.err
    run.variables = {"HANDRAIL_URL": "ftp//nothing", "HANDRAIL_TOKEN": "hrt_x"}
    assert "address" in run("incident", "list", code=2).err
