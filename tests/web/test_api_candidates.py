"""Candidates over the API: every member with its reason, and what people correct."""

from typing import Any

from tests.web.conftest import Site

WHY = {"reason": "The shop is another matter."}


def alert_ids(site: Site) -> dict[str, str]:
    """Alert ids by the service that they are of."""
    members = site.as_(site.world.outsider).get(f"/candidates/{site.world.candidate_id}/members").json()["items"]
    return {member["service"]: member["alert_id"] for member in members}


def test_every_member_says_why_it_is_there_a_page_at_a_time(site: Site) -> None:
    candidate_id = site.world.open_candidate()
    hands = site.as_(site.world.outsider)
    found: list[dict[str, Any]] = []
    query = f"/candidates/{candidate_id}/members?limit=2"
    while query:
        page = hands.get(query).json()
        found += page["items"]
        query = f"/candidates/{candidate_id}/members?limit=2&cursor={page['next']}" if page["next"] else ""
    assert sorted(member["service"] for member in found) == ["orders", "payments", "storefront"]
    assert {(member["reason"], member["score"], member["status"]) for member in found} == {
        ("payments is called by it", 90, "firing")
    }


def test_a_candidate_is_split_and_merged_again(site: Site) -> None:
    candidate_id = site.world.open_candidate()
    hands, ids = site.as_(site.world.commander), alert_ids(site)
    said = {"alerts": [ids["storefront"]], **WHY}
    made = hands.post(f"/candidates/{candidate_id}/split", said, headers={"Idempotency-Key": "once"})
    assert (made.status_code, made.json()["split_from"], made.json()["services"]) == (
        201, candidate_id, ["storefront"],
    )  # fmt: skip
    assert made.headers["location"] == f"/api/v1/candidates/{made.json()['id']}"
    again = hands.post(f"/candidates/{candidate_id}/split", said, headers={"Idempotency-Key": "once"})
    assert again.json() == made.json()
    assert hands.get(f"/candidates/{candidate_id}").json()["count"] == 2

    target = hands.post(f"/candidates/{made.json()['id']}/merge", {"into": candidate_id, **WHY}).json()
    assert (target["id"], target["count"]) == (candidate_id, 3)
    (merged,) = hands.get("/candidates?status=merged").json()["items"]
    assert merged["merged_into"] == candidate_id


def test_an_alert_is_moved_out_and_put_in_again(site: Site) -> None:
    candidate_id = site.world.open_candidate()
    hands, ids = site.as_(site.world.commander), alert_ids(site)
    said = {"alerts": [ids["storefront"]], **WHY}
    assert hands.post(f"/candidates/{candidate_id}/move", {**said, "to": None}).json()["count"] == 2
    assert hands.get(f"/alerts/{ids['storefront']}").json()["candidate_id"] is None
    assert hands.post(f"/candidates/{candidate_id}/add", said).json()["count"] == 3
    lost = hands.post(f"/candidates/{candidate_id}/split", {"alerts": list(ids.values()), **WHY})
    assert (lost.status_code, lost.json()["code"]) == (422, "nothing_left")


def test_whoever_read_an_older_state_is_told_so(site: Site) -> None:
    candidate_id = site.world.open_candidate()
    hands, ids = site.as_(site.world.commander), alert_ids(site)
    tag = hands.get(f"/candidates/{candidate_id}").headers["etag"]
    for service, status in (("storefront", 201), ("orders", 412)):
        said = {"alerts": [ids[service]], **WHY}
        answer = hands.post(f"/candidates/{candidate_id}/split", said, headers={"If-Match": tag})
        assert answer.status_code == status


def test_what_a_correction_teaches_is_listed_and_ended(site: Site) -> None:
    candidate_id = site.world.open_candidate()
    hands, ids = site.as_(site.world.commander), alert_ids(site)
    hands.post(f"/candidates/{candidate_id}/split", {"alerts": [ids["storefront"]], **WHY})
    (found,) = hands.get("/corrections?status=live").json()["items"]
    assert found["kinds"] == [{"source": "estate", "service": "storefront", "name": "storefront is failing"}]
    assert [kind["service"] for kind in found["apart_from"]] == ["payments", "orders"]
    ended = hands.post(f"/corrections/{found['id']}/end").json()
    assert (ended["status"], ended["ended_by"]) == ("over", site.world.commander.id)
    assert hands.get(f"/corrections/{found['id']}").json() == ended
    assert hands.post(f"/corrections/{found['id']}/end").json()["code"] == "correction_ended"
