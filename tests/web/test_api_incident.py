"""One incident handled over the API alone, and what the API tells about it on the way."""

from typing import Any

from handrail.kernel.canonical import digest
from handrail.operations import sources
from handrail.operations.shell import Tx
from handrail.plugins.integrations.contract import Confirmation
from tests.web.conftest import Site
from tests.worlds import INPUTS, RUNBOOK

WHY = {"reason": "It is so."}


def items(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def declared(site: Site) -> str:
    site.world.open_candidate()
    answer = site.as_(site.world.commander).post(f"/candidates/{site.world.candidate_id}/declare", {"severity": "SEV1"})
    assert answer.status_code == 201, answer.text
    site.world.incident_id = answer.json()["id"]
    return site.world.incident_id


def deliver(site: Site, message_id: str) -> None:
    for channel in site.world.message(message_id).channels:
        site.world.deliver(message_id, channel)


def test_an_incident_is_handled_over_the_api_from_candidate_to_accepted_review(site: Site) -> None:
    commander, member, approver = (site.as_(p) for p in (site.world.commander, site.world.member, site.world.approver))
    incident_id = declared(site)
    site.world.propose()
    proposal = items(commander.get(f"/incidents/{incident_id}/proposals"))[0]
    finding = items(commander.get(f"/incidents/{incident_id}/findings"))[0]
    assert (proposal["finding_id"], finding["confidence"]) == (finding["id"], 91)

    run = commander.post(f"/incidents/{incident_id}/runs", {"proposal_id": proposal["id"]})
    assert run.status_code == 201, run.text
    site.world.run_id = run.json()["id"]
    tasks = {task["id"]: task for task in run.json()["tasks"]}
    gate_id = tasks["roll-back"]["gate_id"]

    assert [gate["id"] for gate in items(approver.get("/gates?mine=true"))] == [gate_id]
    assert items(commander.get("/gates?mine=true")) == []
    gate = approver.get(f"/gates/{gate_id}").json()
    assert digest(gate["content"]) == gate["subject"]["digest"]
    assert (gate["may_vote"], gate["why_not"]) == (True, None)
    vote = {"vote": "approve", "digest": gate["subject"]["digest"], "reason": "Read and agreed."}
    own = commander.post(f"/gates/{gate_id}/vote", vote)
    assert (own.status_code, own.json()["code"]) == (403, "self_approval")
    assert commander.get(f"/gates/{gate_id}").json()["why_not"].startswith("You")
    other = approver.post(f"/gates/{gate_id}/vote", {**vote, "digest": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (412, "content_changed")
    assert approver.post(f"/gates/{gate_id}/vote", vote).json()["status"] == "satisfied"
    twice = approver.post(f"/gates/{gate_id}/vote", vote)
    assert (twice.status_code, twice.json()["code"]) == (409, "gate_decided")

    site.world.act()
    site.world.check()
    path = f"/runs/{run.json()['id']}/tasks"
    for task_id in ("confirm-impact", "verify-journey"):
        assert member.post(f"{path}/{task_id}/claim").json()["claimed_by"] == site.world.member.id
        assert member.post(f"{path}/{task_id}/done", {"result": "Seen."}).json()["status"] == "done"
    for task_id in ("tell-teams", "tell-executives"):
        message_id = member.get(f"{path}/{task_id}").json()["message_id"]
        edited = member.post(f"/messages/{message_id}/edit", {"subject": "S", "text": "Words."})
        assert (edited.json()["text"], edited.json()["status"]) == ("Words.", "draft")
        gate_id = member.post(f"/messages/{message_id}/submit").json()["gate_id"]
        seen = commander.get(f"/gates/{gate_id}").json()["subject"]["digest"]
        commander.post(f"/gates/{gate_id}/vote", {"vote": "approve", "digest": seen, **WHY})
        deliver(site, message_id)
        assert member.get(f"/messages/{message_id}").json()["status"] == "delivered"
    site.world.become_quiet()

    asked = commander.post(f"/incidents/{incident_id}/readiness")
    assert asked.headers["location"] == f"/api/v1/gates/{asked.json()['gate_id']}"
    gate = approver.get(f"/gates/{asked.json()['gate_id']}").json()
    approver.post(f"/gates/{gate['id']}/vote", {"vote": "approve", "digest": gate["subject"]["digest"], **WHY})
    closed = commander.post(f"/incidents/{incident_id}/close")
    assert closed.status_code == 200, closed.text
    review_id = closed.json()["review_id"]
    assert member.post(f"/reviews/{review_id}/edit", {"section": "helped", "words": "Luck."}).status_code == 200
    assert commander.post(f"/reviews/{review_id}/accept").json()["status"] == "accepted"
    assert commander.get(f"/incidents/{incident_id}/review").json()["sections"]["helped"] == "Luck."

    incident = commander.get(f"/incidents/{incident_id}").json()
    assert (incident["status"], incident["stage"], incident["reference"]) == ("closed", "closed", "INC-1")
    assert all(stage["machine"] and stage["human"] for stage in incident["stages"])
    outcome = commander.get("/incidents/inc-1/outcome").json()
    assert outcome["times"]["close_seconds"] > 0
    assert outcome["acts"]["person"]["gate.voted"] == 4


def test_the_timeline_is_read_page_by_page_and_from_an_index_on(site: Site) -> None:
    site.world.whole()
    hands = site.as_(site.world.outsider)
    path = f"/incidents/{site.world.incident_id}/timeline"
    whole = items(hands.get(f"{path}?limit=200"))
    assert [line["index"] for line in whole] == sorted(line["index"] for line in whole)
    pages, address = [], f"{path}?limit=7"
    while address:
        answer = hands.get(address)
        pages += items(answer)
        address = f"{path}?limit=7&cursor={answer.json()['next']}" if answer.json()["next"] else ""
        assert ('rel="next"' in answer.headers.get("link", "")) is bool(address)
    assert pages == whole
    middle = whole[len(whole) // 2]["index"]
    assert items(hands.get(f"{path}?limit=200&after={middle}")) == [line for line in whole if line["index"] > middle]


def test_lists_are_read_to_their_end_without_a_gap_or_a_repeat(site: Site) -> None:
    site.world.whole()
    hands = site.as_(site.world.owner)
    for path in ("/alerts", "/gates", "/record/entries", "/accounts", "/messages", "/incidents/INC-1/tasks",
                 "/incidents/INC-1/alerts", "/documents", "/incidents/INC-1/gates"):  # fmt: skip
        whole = items(hands.get(f"{path}?limit=200"))
        assert len(whole) > 1, path
        pages, address = [], f"{path}?limit=1"
        while address:
            answer = hands.get(address)
            pages += items(answer)
            address = f"{path}?limit=1&cursor={answer.json()['next']}" if answer.json()["next"] else ""
        assert pages == whole, path


def test_my_tasks_are_those_of_my_roles_and_teams(site: Site) -> None:
    site.world.to_gate()

    def mine(person: Any) -> list[str]:
        return [task["id"] for task in items(site.as_(person).get("/tasks?mine=true"))]

    assert mine(site.world.commander) == ["confirm-impact"]
    assert mine(site.world.approver) == ["roll-back"]
    assert mine(site.world.outsider) == []
    everything = items(site.as_(site.world.outsider).get("/tasks"))
    assert [task["id"] for task in everything] == ["confirm-impact", "roll-back", "tell-teams"]
    assert not any(task["overdue"] for task in everything)
    site.world.clock.advance(minutes=6)
    assert [task["id"] for task in items(site.as_(site.world.outsider).get("/tasks")) if task["overdue"]] == [
        "confirm-impact"
    ]


def test_a_write_on_what_somebody_else_changed_is_refused(site: Site) -> None:
    incident_id = declared(site)
    hands = site.as_(site.world.commander)
    seen = hands.get(f"/incidents/{incident_id}").headers["etag"]
    said = {"severity": "SEV2", **WHY}
    first = hands.post(f"/incidents/{incident_id}/severity", said, headers={"If-Match": seen})
    assert first.status_code == 200
    assert first.headers["etag"] == hands.get(f"/incidents/{incident_id}").headers["etag"] != seen
    late = hands.post(f"/incidents/{incident_id}/severity", {**said, "severity": "SEV3"}, headers={"If-Match": seen})
    assert (late.status_code, late.json()["code"]) == (412, "stale")
    for given in ("*", f'"x", {first.headers["etag"]}'):
        answer = hands.post(f"/incidents/{incident_id}/severity", said, headers={"If-Match": given})
        assert answer.status_code == 200


def test_what_belongs_to_another_incident_is_not_found_under_this_one(site: Site) -> None:
    site.world.to_gate()
    hands = site.as_(site.world.commander)
    other = hands.post("/incidents", {"title": "Another", "severity": "SEV3"}).json()["id"]
    for part in ("runs", "tasks", "gates", "messages", "findings", "proposals", "alerts"):
        assert items(hands.get(f"/incidents/{other}/{part}")) == []
    answer = hands.post(f"/incidents/{other}/runs", {"proposal_id": site.world.proposal_id})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert hands.get(f"/runs/{site.world.run_id}/tasks/nothing").status_code == 404
    assert hands.get(f"/gates?incident={other}&mine=true").json()["items"] == []


def test_a_run_of_ones_own_inputs_names_every_fault(site: Site) -> None:
    declared(site)
    hands = site.as_(site.world.commander)
    path = f"/incidents/{site.world.incident_id}/runs"
    answer = hands.post(path, {"runbook": RUNBOOK, "inputs": {"service": "payments", "colour": "red"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "run_inputs")
    pointers = [fault["pointer"] for fault in answer.json()["errors"]]
    assert pointers == ["/inputs/version", "/inputs/previous_version", "/inputs/owner_team", "/inputs/colour"]
    started = hands.post(path, {"runbook": RUNBOOK, "inputs": INPUTS})
    assert started.json()["proposer"] == site.world.commander.id
    assert hands.post(f"/runs/{started.json()['id']}/cancel", WHY).json()["status"] == "cancelled"


def test_an_action_is_asked_about_again_after_its_gate_was_withdrawn_or_skipped(site: Site) -> None:
    gate = site.world.to_gate()
    commander, approver = site.as_(site.world.commander), site.as_(site.world.approver)
    assert approver.post(f"/gates/{gate.id}/withdraw", WHY).json()["code"] == "not_proposer"
    site.world.clock.advance(hours=2)
    for _ in range(2):
        site.world.by_machine(lambda tx: _tick(tx, gate.id))
        site.world.clock.advance(hours=2)
    assert approver.get(f"/gates/{gate.id}").json()["status"] == "expired"
    task = commander.post(f"/runs/{site.world.run_id}/tasks/roll-back/ask-again")
    assert task.status_code == 200, task.text
    assert task.json()["gate_id"] != gate.id
    skipped = commander.post(f"/runs/{site.world.run_id}/tasks/roll-back/skip", WHY)
    assert skipped.json()["status"] == "skipped"
    assert approver.get(f"/gates/{task.json()['gate_id']}").json()["status"] == "voided"


def _tick(tx: Tx, gate_id: str) -> None:
    from handrail.operations import decisions

    decisions.tick(tx, "gate", gate_id)


def test_a_person_says_what_became_of_an_act_that_nobody_could_tell(site: Site) -> None:
    site.world.to_consent()
    started = site.world.start_action()
    site.world.finish_action(started.attempt, "unknown")
    hands = site.as_(site.world.member)
    path = f"/runs/{site.world.run_id}/tasks/roll-back"
    assert hands.get(path).json()["status"] == "outcome_unknown"
    answer = hands.post(f"{path}/resolve-unknown", {"choice": "happened", "reason": "I looked: it is deployed."})
    assert answer.json()["status"] == "done"


def test_an_incident_is_declared_by_hand_and_led_without_machines(site: Site) -> None:
    hands = site.as_(site.world.commander)
    began = {"started_at": "2026-01-05T09:30:00+01:00", "services": ["payments", "payments"]}
    incident = hands.post("/incidents", {"title": "Payments fail", "severity": "SEV1", **began}).json()
    assert (incident["started_at"], incident["services"]) == ("2026-01-05T08:30:00.000000Z", ["payments"])
    path = f"/incidents/{incident['id']}"
    assert hands.post(f"{path}/roles", {"role": "deputy", "account_id": site.world.member.id}).json()["roles"] == {
        "commander": site.world.commander.id, "deputy": site.world.member.id,
    }  # fmt: skip
    assert (
        hands.post(f"{path}/notes", {"words": "Cards fail.", "happened_at": "2026-01-05T08:40:00Z"}).status_code == 200
    )
    note = items(hands.get(f"{path}/timeline"))[-1]
    assert (note["happened_at"], note["personal"]) == ("2026-01-05T08:40:00.000000Z", {"words": "Cards fail."})
    assert hands.post(f"{path}/investigate").status_code == 202
    assert site.world.engine.of_kind("investigate")[-1].arguments == {"incident_id": incident["id"]}
    for half in ("machine", "human"):
        assert hands.post(f"{path}/stages/triage/{half}", WHY).status_code == 200
    assert hands.get(path).json()["stage"] == "contain"
    own = hands.post(f"{path}/stages/recover/human", WHY)
    assert (own.status_code, own.json()["code"]) == (409, "own_act")
    assert hands.post(f"{path}/close").json()["code"] == "not_ready"


def test_a_candidate_is_dismissed_once(site: Site) -> None:
    candidate_id = site.world.open_candidate()
    hands = site.as_(site.world.commander)
    assert len(hands.get(f"/candidates/{candidate_id}").json()["members"]) == 3
    assert hands.post(f"/candidates/{candidate_id}/dismiss", WHY).json()["status"] == "dismissed"
    again = hands.post(f"/candidates/{candidate_id}/dismiss", WHY)
    assert (again.status_code, again.json()["code"]) == (409, "candidate_decided")
    assert items(hands.get("/candidates?status=open")) == []


def test_an_alert_is_shown_with_every_word_that_its_source_said(site: Site) -> None:
    site.world.open_candidate()
    hands = site.as_(site.world.outsider)
    alert = items(hands.get("/alerts?status=firing&search=PAYMENTS"))[0]
    assert (alert["dedup_key"], alert["candidate_id"]) == ("payments-errors", site.world.candidate_id)
    said = items(hands.get(f"/alerts/{alert['id']}/occurrences"))[0]
    assert said["leaf"]["dedup_key"] == "payments-errors"
    assert said["raw"] == '{"alert":"payments-errors","status":"firing"}'
    assert items(hands.get("/alerts?source=another")) == []


def test_a_source_is_added_moved_over_and_removed(site: Site) -> None:
    hands = site.as_(site.world.owner)
    made = hands.post("/sources", {"name": "prometheus", "integration": "alertmanager"})
    assert made.status_code == 201, made.text
    source = made.json()["source"]
    assert (source["address"], made.json()["token"][:4]) == ("/in/prometheus", "hrt_")
    second = hands.post(f"/sources/{source['id']}/secrets").json()
    assert second["token"] != made.json()["token"]
    retired = hands.post(f"/sources/{source['id']}/secrets/{made.json()['secret_id']}/retire").json()
    assert retired["secrets"] == [second["secret_id"]]
    assert hands.post("/sources", {"name": "prometheus", "integration": "generic"}).json()["code"] == "source_exists"
    assert hands.post("/sources", {"name": "x", "integration": "odd"}).json()["code"] == "unknown_integration"
    assert hands.post(f"/sources/{source['id']}/remove").json()["removed_at"] is not None
    assert site.source_changes == [4]
    assert items(hands.get("/sources?status=live")) == []


def test_signing_secrets_are_set_shown_by_their_ends_and_retired(site: Site) -> None:
    hands = site.as_(site.world.owner)
    made = hands.post("/sources", {"name": "scripts", "integration": "generic"}).json()
    path = f"/sources/{made['source']['id']}"
    given = hands.post(f"{path}/signing-secrets", {"secret": "the-senders-own-secret"})
    assert given.status_code == 201, given.text
    assert (given.json()["secret"], given.json()["last_four"]) == (None, "cret")
    ours = hands.post(f"{path}/signing-secrets").json()
    assert ours["secret"].startswith("whsec_")
    seen = hands.get(f"{path}/secrets")
    assert [(item["kind"], item["last_four"]) for item in items(seen)] == [
        ("token", made["token"][-4:]), ("signing", "cret"), ("signing", ours["last_four"]),
    ]  # fmt: skip
    assert "the-senders-own-secret" not in seen.text + given.text and ours["secret"] not in seen.text
    retired = hands.post(f"{path}/secrets/{given.json()['secret_id']}/retire").json()
    assert retired["signing_secrets"] == [ours["secret_id"]]
    assert hands.post(f"{path}/signing-secrets", {"secret": "short"}).json()["code"] == "signing_secret"
    assert site.as_(site.world.outsider).get(f"{path}/secrets").status_code == 403


def test_a_sender_that_asks_to_be_confirmed_waits_for_who_manages_sources(site: Site) -> None:
    hands, world = site.as_(site.world.owner), site.world
    source_id = hands.post("/sources", {"name": "alarms", "integration": "generic"}).json()["source"]["id"]
    asked = [
        Confirmation(f"https://{host}/?Token=secret-part", "arn:alarms", "secret-part")
        for host in ("sns.eu-west-1.amazonaws.com", "sns.eu-west-1.amazonaws.com.evil.example")
    ]
    world.by_machine(lambda tx: sources.ask_confirmations(tx, source_id, asked))
    path = f"/sources/{source_id}/confirmations"
    seen = hands.get(path)
    ours, theirs = items(seen)
    assert (ours["place"], ours["may_be_called"]) == ("https://sns.eu-west-1.amazonaws.com/", True)
    assert "secret-part" not in seen.text + hands.get(f"/sources/{source_id}").text
    assert hands.post(f"{path}/{theirs['id']}/agree").json()["code"] == "confirmation_address"
    assert items(hands.post(f"{path}/{theirs['id']}/dismiss"))[0]["id"] == ours["id"]
    assert items(hands.post(f"{path}/{ours['id']}/agree"))[0]["status"] == "agreed"
    assert site.as_(world.outsider).get(path).status_code == 403


def test_a_document_is_changed_through_a_gate(site: Site) -> None:
    owner = site.as_(site.world.owner)
    text = owner.get("/documents/policy.default").json()["text"]

    def put(body: str) -> Any:
        return owner.send("POST", "/documents", content=body.encode(), headers={"Content-Type": "application/yaml"})

    faulty = put("kind: policy\nname: default\nrules:\n  - {name: a, verdict: maybe}\n")
    assert (faulty.status_code, faulty.json()["errors"][0]["pointer"]) == (422, "/rules/0/verdict")
    assert put("a: [").json()["code"] == "yaml"
    proposed = put(text + "\n# reviewed\n")
    assert proposed.status_code == 201, proposed.text
    gate_id = proposed.json()["draft"]["gate_id"]
    assert owner.get("/documents").json()["items"][-2]["waiting_gate_id"] in (gate_id, None)
    gate = owner.get(f"/gates/{gate_id}").json()
    assert gate["content"]["text"].endswith("# reviewed\n")
    vote = {"vote": "approve", "digest": gate["subject"]["digest"], **WHY}
    assert owner.post(f"/gates/{gate_id}/vote", vote).json()["code"] == "self_approval"
    catalog = owner.get("/catalog").json()
    assert [service["name"] for service in catalog["services"]] == ["orders", "payments", "storefront"]


def test_quarantine_is_for_those_who_manage_sources(site: Site) -> None:
    from handrail.store import intake
    from handrail.store.intake import Unread

    with site.world.shell.database.plain() as connection:
        intake.quarantine(connection, [Unread("estate", "json_invalid", "Not JSON.", b"\xff{")], site.world.clock.now())
    owner = site.as_(site.world.owner)
    item = items(owner.get("/quarantine"))[0]
    assert owner.get(f"/quarantine/{item['id']}").json()["body_base64"] == "/3s="
    assert site.as_(site.world.member).get("/quarantine").status_code == 403


def test_evidence_comes_as_a_download(site: Site) -> None:
    site.world.to_gate()
    hands = site.as_(site.world.outsider)
    finding = items(hands.get(f"/incidents/{site.world.incident_id}/findings"))[0]
    answer = hands.get(f"/evidence/{finding['citations'][0]['evidence']}")
    assert answer.content == b'{"errors":[0,5,60]}'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
