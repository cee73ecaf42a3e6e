"""The page of the catalogue: health on the map, alerts at no service, and a new version by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.domain.alert import AlertStatus, Occurrence
from handrail.operations import documents
from handrail.plugins.integrations.contract import Parsed
from handrail.signals.ingest import Ingestor
from handrail.store.database import Database
from tests.web.houses import House, house
from tests.worlds import catalog_text, look, run_apart


@pytest.fixture
def home(sqlite: Database, tmp_path: Path) -> Iterator[House]:
    with house(sqlite, tmp_path) as made:
        yield made


def receive(home: House, *said: Occurrence) -> None:
    ingestor = Ingestor(home.world.shell)
    ingestor.start()
    run_apart(ingestor.ingest("estate", Parsed(said), "token"))
    ingestor.close()


def fires(key: str, severity: str, service: str | None, **labels: str) -> Occurrence:
    return Occurrence(key, AlertStatus.FIRING, f"{key} <b>fires</b>", severity, service, labels=labels, raw=b"{}")


def test_the_worst_firing_alert_stands_at_each_service_by_word_and_shape(home: House) -> None:
    receive(home, fires("a", "warning", "payments"), fires("b", "critical", "payments"), fires("c", "low", "orders"))
    text = home.as_(home.world.outsider).get("/catalog").text
    assert "critical · 2 firing · tier 1" in text and "low · 1 firing · tier 1" in text
    assert "payments (payments), tier 1: critical · 2 firing." in text
    assert "storefront (storefront), tier 1: nothing fires." in text
    assert "Map of 3 services, 2 with a firing alert." in text
    assert (
        text.index('id="service-payments"') < text.index('id="service-orders"') < text.index('id="service-storefront"')
    )


def test_an_alert_that_found_no_service_is_listed_with_its_reason_and_escaped(home: House) -> None:
    receive(home, fires("lost", "high", "web-9"), fires("mute", "high", None), fires("known", "high", "Payments"))
    text = home.as_(home.world.outsider).get("/catalog").text
    assert "2 open alerts" in text
    assert "The sender named web-9, which is not in the catalogue; no rule fits." in text
    assert "lost &lt;b&gt;fires&lt;/b&gt;" in text and "<b>fires</b>" not in text
    assert "known &lt;b&gt;" not in text


def test_who_may_not_manage_documents_sees_no_form_and_cannot_send_one(home: House) -> None:
    browser = home.as_(home.world.outsider)
    assert "catalog-text" not in browser.get("/catalog").text
    answer = browser.post("/catalog", {"text": catalog_text(owner="thief"), "back": "/catalog"})
    assert answer.status_code == 403
    assert look(home.world.shell, documents.load_catalog).services["payments"].owner == "team-payments"


def test_a_new_version_by_hand_waits_at_its_gate(home: House) -> None:
    browser = home.as_(home.world.owner)
    answer = browser.post("/catalog", {"text": catalog_text(owner="team-new"), "back": "/catalog"})
    assert answer.status_code == 303 and answer.headers["location"].startswith("/gates/")
    assert look(home.world.shell, documents.load_catalog).services["payments"].owner == "team-payments"
    assert "A new version waits at its gate" in browser.get("/catalog").text


def test_faults_are_shown_at_their_lines_and_what_was_typed_stays(home: House) -> None:
    typed = "kind: catalog\nservices:\n  a: {tier: 9}\n"
    answer = home.as_(home.world.owner).post("/catalog", {"text": typed, "back": "/catalog"})
    assert answer.status_code == 422
    assert "<code>3:3</code>a needs an owner" in answer.text and "<code>3:7</code>The tier is" in answer.text
    assert "  a: {tier: 9}" in answer.text


def test_another_document_is_not_put_forward_here(home: House) -> None:
    text = "kind: audience\naudiences: {teams: {channels: [mailbox]}}\n"
    answer = home.as_(home.world.owner).post("/catalog", {"text": text, "back": "/catalog"})
    assert answer.status_code == 400 and "This is no catalogue" in answer.text


def test_services_are_found_by_words_and_a_long_list_is_bounded(home: House) -> None:
    from handrail.domain.people import Person
    from tests.worlds import add_person

    world = home.world
    owner: Person = world.owner
    text = "kind: catalog\nservices:\n" + "".join(f"  s{n:03}: {{owner: team-{n % 7}}}\n" for n in range(250))
    proposed = world.by(owner, lambda tx: documents.propose(tx, text, owner))
    assert proposed.draft is not None and proposed.draft.gate_id is not None
    world.vote(proposed.draft.gate_id, add_person(world.shell, "manager", ("manager",)))
    browser = home.as_(world.outsider)
    everything = browser.get("/catalog").text
    assert "250 services, the first 200 shown" in everything and everything.count('<tr id="service-') == 200
    some = browser.get("/catalog?q=TEAM-3").text
    assert some.count('<tr id="service-') == 36 and "/catalog/parts/live?q=TEAM-3" in some
    assert "No service has these words" in browser.get("/catalog?q=%3Cb%3Enothing").text
    assert browser.get("/catalog/parts/live?q=s001").text.count('<tr id="service-') == 1
