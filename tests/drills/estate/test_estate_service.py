import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from handrail.drills.estate.releases import release_of
from handrail.drills.estate.service import Service
from handrail.drills.estate.topology import ORDERS, PAYMENTS, STOREFRONT
from handrail.kernel.clock import ManualClock

TOKEN = {"authorization": "Bearer control"}


def ask(folder: Path, asking: Callable[[httpx2.AsyncClient], Awaitable[None]], spec: Any = PAYMENTS) -> None:
    """Run one conversation with a service that starts from what is on disk in `folder`."""

    async def run() -> None:
        service = Service(spec, "http://127.0.0.1:9", folder, "control", ManualClock())
        transport = httpx2.ASGITransport(service.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://service") as client:
            await asking(client)

    asyncio.run(run())


async def deploy(client: httpx2.AsyncClient, key: str, body: Mapping[str, Any]) -> httpx2.Response:
    return await client.post("/deploy", json=body, headers={**TOKEN, "idempotency-key": key})


def test_a_deploy_swaps_the_version_and_answers_what_it_did(tmp_path: Path) -> None:
    async def asking(client: httpx2.AsyncClient) -> None:
        done = await deploy(client, "k1", {"version": "2.4.1"})
        assert done.status_code == 200
        assert done.json() == {
            "status": "done", "key": "k1", "service": "payments", "version": "2.4.1", "previous_version": "2.4.0",
            "deployed_at": "2026-01-05T09:00:00.000000Z", "deploys": 1,
        }  # fmt: skip
        version = (await client.get("/version")).json()
        assert (version["version"], version["previous_version"], version["deploys"]) == ("2.4.1", "2.4.0", 1)
        assert 'build_info{service="payments",version="2.4.1"} 1.0' in (await client.get("/metrics")).text

    ask(tmp_path, asking)


def test_the_same_key_deploys_once_and_hears_the_first_answer(tmp_path: Path) -> None:
    async def asking(client: httpx2.AsyncClient) -> None:
        first = await deploy(client, "k1", {"version": "2.4.1"})
        await deploy(client, "k2", {"version": "2.4.0"})
        again = await deploy(client, "k1", {"version": "2.4.1"})
        assert again.json() == first.json()
        assert again.headers["idempotent-replayed"] == "true"
        version = (await client.get("/version")).json()
        assert (version["version"], version["deploys"]) == ("2.4.0", 2)

    ask(tmp_path, asking)
    assert len((tmp_path / "deploys-payments.jsonl").read_text().splitlines()) == 2


def test_keys_and_the_release_survive_a_restart(tmp_path: Path) -> None:
    async def before(client: httpx2.AsyncClient) -> None:
        await deploy(client, "k1", {"version": "9.9.9", "fault": "leak_connections"})

    async def after(client: httpx2.AsyncClient) -> None:
        assert (await client.get("/version")).json()["version"] == "9.9.9"
        assert (await client.get("/deploy?key=k1", headers=TOKEN)).json()["status"] == "done"
        await deploy(client, "k1", {"version": "9.9.9", "fault": "leak_connections"})
        assert (await client.get("/version")).json()["deploys"] == 1

    ask(tmp_path, before)
    ask(tmp_path, after)


def test_many_at_once_with_one_key_deploy_once(tmp_path: Path) -> None:
    async def asking(client: httpx2.AsyncClient) -> None:
        await asyncio.gather(*(deploy(client, "k1", {"version": "2.4.1"}) for _ in range(20)))
        assert (await client.get("/version")).json()["deploys"] == 1

    ask(tmp_path, asking)


def test_a_key_never_used_is_not_done(tmp_path: Path) -> None:
    async def asking(client: httpx2.AsyncClient) -> None:
        said = await client.get("/deploy?key=never", headers=TOKEN)
        assert (said.status_code, said.json()["code"]) == (404, "not_done")

    ask(tmp_path, asking)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic Y29udHJvbA=="}])
def test_control_without_the_token_does_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    async def asking(client: httpx2.AsyncClient) -> None:
        asked = {**headers, "idempotency-key": "k1"}
        assert (await client.post("/deploy", json={"version": "2.4.1"}, headers=asked)).status_code == 401
        assert (await client.get("/deploy?key=k1", headers=headers)).status_code == 401
        assert (await client.get("/version")).json()["deploys"] == 0

    ask(tmp_path, asking)


@pytest.mark.parametrize(
    ("key", "body", "status", "code"),
    [
        ("", b'{"version": "2.4.1"}', 400, "key_missing"),
        ("k" * 201, b'{"version": "2.4.1"}', 400, "key_missing"),
        ("k1", b"not json", 400, "bad_input"),
        ("k1", b"\xff\xfe", 400, "bad_input"),
        ("k1", b"[]", 400, "bad_input"),
        ("k1", b'{"version": 2}', 400, "bad_input"),
        ("k1", b'{"version": "2.4.1; rm"}', 400, "bad_input"),
        ("k1", b'{"version": "2.4.1", "fault": 3}', 400, "bad_input"),
        ("k1", b'{"version": "7.7.7"}', 422, "unknown_release"),
        ("k1", b'{"version": "7.7.7", "fault": "no such"}', 422, "unknown_release"),
        ("k1", b'{"version": "7.7.7", "fault": "hang_on_dependency"}', 422, "unknown_release"),
        ("k1", b'{"version": "' + b"1" * 70_000 + b'"}', 413, "too_large"),
    ],
)
def test_a_deploy_that_cannot_be_is_refused(tmp_path: Path, key: str, body: bytes, status: int, code: str) -> None:
    async def asking(client: httpx2.AsyncClient) -> None:
        said = await client.post("/deploy", content=body, headers={**TOKEN, "idempotency-key": key})
        assert (said.status_code, said.json()["code"]) == (status, code)
        assert (await client.get("/version")).json()["deploys"] == 0

    ask(tmp_path, asking)


def test_a_key_cannot_stand_for_another_deploy(tmp_path: Path) -> None:
    async def asking(client: httpx2.AsyncClient) -> None:
        await deploy(client, "k1", {"version": "2.4.1"})
        said = await deploy(client, "k1", {"version": "2.4.0"})
        assert (said.status_code, said.json()["code"]) == (422, "key_reused")

    ask(tmp_path, asking)


def test_a_leaking_release_runs_out_of_connections_and_a_rollback_heals(tmp_path: Path) -> None:
    async def asking(client: httpx2.AsyncClient) -> None:
        await deploy(client, "k1", {"version": "2.4.1"})
        metrics = ""
        while 'pool_connections_in_use{service="payments"} 10.0' not in metrics:
            await asyncio.gather(*(client.post("/pay") for _ in range(20)))
            metrics = (await client.get("/metrics")).text
        refused = await client.post("/pay")
        assert refused.status_code == 503
        assert "waited 1 s for a connection to ledger: 10 of 10 in use" in refused.json()["detail"]
        await deploy(client, "k2", {"version": "2.4.0"})
        assert (await client.post("/pay")).status_code == 200

    ask(tmp_path, asking)


def test_a_dependency_that_refuses_is_a_bad_gateway(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def asking(client: httpx2.AsyncClient) -> None:
        trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        said = await client.get("/order", headers=trace)
        assert said.status_code == 502
        assert said.json()["detail"] == "orders: payments refused the connection at http://127.0.0.1:9."

    ask(tmp_path, asking, ORDERS)
    line = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (line["level"], line["status"], line["trace_id"]) == ("error", 502, "0af7651916cd43dd8448eb211c80319c")
    assert line["parent_id"] == "b7ad6b7169203331"


def test_an_unknown_path_is_not_found(tmp_path: Path) -> None:
    async def asking(client: httpx2.AsyncClient) -> None:
        assert (await client.get("/pay")).status_code == 404

    ask(tmp_path, asking)


def test_every_first_version_is_a_release_without_fault() -> None:
    for spec in (STOREFRONT, ORDERS, PAYMENTS):
        release = release_of(spec.name, spec.first_version)
        assert not isinstance(release, str) and release.fault.name == "none"
