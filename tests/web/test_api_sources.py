"""Sources over the API: severities, rate, trying a payload, and how each is doing."""

import base64

from handrail.operations import sources
from handrail.operations.shell import HANDRAIL, Tx
from handrail.store import intake
from handrail.store.intake import Tally
from tests.web.conftest import Site


def source(site: Site) -> str:
    owner = site.world.owner
    made, _ = site.world.by(owner, lambda tx: sources.add(tx, "zbx", "zabbix", frozenset({"zabbix"}), owner))
    return str(made.id)


def test_severities_are_told_set_as_a_whole_and_refused_with_all_their_faults(site: Site) -> None:
    hands = site.as_(site.world.owner)
    where = f"/sources/{source(site)}/severities"
    words = {("zbx", "Oh no"): 2, ("zbx", "critical"): 1}
    site.world.shell.transact(HANDRAIL, lambda tx: intake.add_words(tx.connection, words, tx.now))
    told = hands.get(where).json()
    assert (told["words"], told["otherwise"], told["of_the_format"]["warning"]) == ({}, "medium", "low")
    assert [(each["word"], each["count"]) for each in told["unknown"]] == [("Oh no", 2)]
    assert hands.post(where, {"words": {"Warning": "high"}, "label": "labels.prio"}).json()["label"] == "prio"
    assert hands.post(where, {"words": {"oh no": "low"}}).json()["words"] == {"oh no": "low"}
    assert hands.get(where).json()["unknown"] == []
    refused = hands.post(where, {"words": {"a": "urgent", "b": "worse"}})
    assert (refused.status_code, len(refused.json()["errors"])) == (422, 2)


def test_a_payload_is_tried_with_the_sources_own_words_and_nothing_is_stored(site: Site) -> None:
    hands = site.as_(site.world.owner)
    source_id = source(site)
    hands.post(f"/sources/{source_id}/severities", {"words": {"warning": "critical"}})
    body = b'{"event_id": "1", "trigger_id": "7", "trigger": "Disk", "severity": "Warning", "value": "1"}'
    tried = hands.post(f"/sources/{source_id}/try", {"body_base64": base64.b64encode(body).decode()}).json()
    (alert,) = tried["alerts"]
    assert (alert["title"], alert["severity"], alert["severity_raw"]) == ("Disk", "critical", "Warning")
    assert hands.get("/alerts").json()["items"] == []
    assert hands.post(f"/sources/{source_id}/try", {"body_base64": "no"}).status_code == 400
    assert hands.post(f"/sources/{source_id}/try", {"body_base64": "ew=="}).status_code == 400


def test_how_a_source_is_doing_is_told_by_the_minute_the_verdict_and_the_code(site: Site) -> None:
    hands = site.as_(site.world.owner)
    source_id = source(site)

    def count(tx: Tx) -> None:
        intake.add_tallies(tx.connection, {"zbx": Tally(accepted=5, duplicate=2, verified=1, unsigned=3)}, tx.now)
        intake.add_refusals(tx.connection, [("zbx", "not_json", 4, "It is no JSON.")], tx.now)

    site.world.shell.transact(HANDRAIL, count)
    told = hands.get(f"/sources/{source_id}").json()
    assert (told["per_minute"], told["minutes"][-1], len(told["minutes"])) == (7, 7, 60)
    assert told["verdicts"] == {"verified": 1, "token": 0, "unsigned": 3}
    assert [(each["code"], each["count"]) for each in told["refusals"]] == [("not_json", 4)]
    assert hands.get("/sources").json()["items"][-1]["per_minute"] == 7
    assert hands.post(f"/sources/{source_id}/rate", {"alerts_per_second": 50}).json()["alerts_per_second"] == 50
