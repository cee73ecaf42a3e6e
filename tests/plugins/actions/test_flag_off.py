"""Switching a flag in flagd's document: the state that people saw, one word changed, nobody else's change lost."""

import json
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.plugins.actions.examples import SECRETS, catalog, credentials, example
from tests.plugins.servers import Served, response, saying, serving

from handrail.kernel.errors import Unprocessable
from handrail.plugins.actions.contract import Action, Outcome, OutcomeStatus
from handrail.plugins.actions.registry import actions
from handrail.plugins.outward import Outward

KEY = "run_1:task:abc/1"


def document(variant: str = "on") -> dict[str, Any]:
    flag = {"state": "ENABLED", "variants": {"on": True, "off": False, "beta": True}, "defaultVariant": variant}
    other = {"state": "ENABLED", "variants": {"on": True}, "defaultVariant": "on"}
    return {"$schema": "https://flagd.dev/schema/v0/flags.json", "flags": {"new-checkout": flag, "other": other}}


@dataclass
class Store:
    """A document with versions, as object storage keeps it. `meanwhile` is done between a read and a write."""

    held: dict[str, Any] = field(default_factory=document)
    version: int = 1
    etag: bool = True
    meanwhile: bool = False
    writes: int = 0

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            header = f'etag: "{self.version}"\r\n' if self.etag else ""
            connection.sendall(response(200, json.dumps(self.held).encode(), header))
            self.version += self.meanwhile
        elif f'if-match: "{self.version}"\r\n'.encode() not in request:
            connection.sendall(response(412))
        else:
            self.held = json.loads(request.partition(b"\r\n\r\n")[2])
            self.version, self.writes = self.version + 1, self.writes + 1
            connection.sendall(response(204))


def off(served: Served | None = None) -> Action:
    place = served.place if served else "api.example"
    return actions(Outward([place]), credentials(place))["flag.off"]


def run(store: Store, parameters: dict[str, str] | None = None) -> Outcome:
    with serving(store) as served:
        return off(served).execute({**example("flag.off", served.url), **(parameters or {})}, catalog(), KEY)


def test_the_preview_names_the_one_word_that_changes() -> None:
    preview = off().preview(example("flag.off"), catalog())
    assert preview.changes == (
        "PUT https://api.example/flags.json (If-Match)",
        "flags.new-checkout.defaultVariant: on -> off",
    )


def test_it_changes_the_variant_and_leaves_the_rest() -> None:
    store = Store()
    outcome = run(store)
    assert (outcome.status, outcome.detail) == (OutcomeStatus.DONE, "new-checkout is off.")
    assert store.held == document("off")


def test_a_second_try_writes_nothing() -> None:
    store = Store()
    assert run(store).status == run(store).status == OutcomeStatus.DONE
    assert store.writes == 1


def test_the_undo_switches_back() -> None:
    store = Store()
    run(store)
    with serving(store) as served:
        undo = off(served).undo_parameters(example("flag.off", served.url), {})
        assert off(served).execute(undo, catalog(), KEY).status == OutcomeStatus.DONE
    assert store.held == document("on")


@pytest.mark.parametrize(
    ("store", "parameters", "status"),
    [
        (Store(held=document("beta")), {}, OutcomeStatus.FAILED),
        (Store(held={"items": []}), {}, OutcomeStatus.FAILED),
        (Store(), {"flag": "nothing"}, OutcomeStatus.FAILED),
        (Store(), {"to_variant": "dark"}, OutcomeStatus.FAILED),
        (Store(etag=False), {}, OutcomeStatus.FAILED),
        (Store(meanwhile=True), {}, OutcomeStatus.NOT_DONE),
    ],
)
def test_what_was_not_approved_is_not_written(store: Store, parameters: dict[str, str], status: OutcomeStatus) -> None:
    assert run(store, parameters).status == status
    assert store.writes == 0


@pytest.mark.parametrize("answer", [b"", response(500), response(409)])
def test_a_write_that_is_not_confirmed_is_unknown(answer: bytes) -> None:
    store = Store()

    def speak(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            store(connection, request)
        else:
            connection.sendall(answer)

    with serving(speak) as served:
        assert off(served).execute(example("flag.off", served.url), catalog(), KEY).status == OutcomeStatus.UNKNOWN
    assert f"authorization: Bearer {SECRETS['token']}".encode() in served.requests[-1]


@pytest.mark.parametrize(
    ("variant", "status"),
    [("off", OutcomeStatus.DONE), ("on", OutcomeStatus.NOT_DONE), ("beta", OutcomeStatus.UNKNOWN)],
)
def test_the_probe_reads_the_state(variant: str, status: OutcomeStatus) -> None:
    with serving(saying(response(200, json.dumps(document(variant)).encode()))) as served:
        assert off(served).probe(example("flag.off", served.url), catalog(), KEY).status == status


def test_a_switch_to_the_same_variant_is_refused() -> None:
    with pytest.raises(Unprocessable):
        off().preview({**example("flag.off"), "from_variant": "off"}, catalog())
