"""The same posts and questions to a real Alertmanager and to ours: fingerprints, order, filters and words agree."""

import json
import random
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from handrail.domain.alert import Alert, first
from handrail.kernel.errors import BadInput
from handrail.plugins.integrations.alertmanager import view
from handrail.plugins.integrations.alertmanager.parse import parse_v2
from handrail.plugins.integrations.contract import Inbound

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Alertmanager is installed; Debian: prometheus-alertmanager")

CONFIGURATION = "route: {receiver: handrail}\nreceivers: [{name: handrail}]\n"
QUERIES = [
    [], [("active", "false")], [("active", "TRUE")], [("receiver", "hand.*")], [("receiver", "hand")],
    [("receiver", "(")], [("filter", 'b="x"'), ("filter", "c!=x")],
    *([("filter", said)] for said in (
        'b="x"', "b!=x", 'b=~"x|a b"', 'b=~".*"', 'b=~".+"', 'b!~"x.*"', r'b="line\nbreak"', r'b="back\\slash"',
        r'b=q\"uote', "b=", 'b=""', 'b=" x"', "b=  x ", r'b=~"line.break"', 'b=~"ü.*"', r'b=~"\\w+"', "x", 'a="',
        'a=~"("', 'a=~"*"', 'a=~"[z-a]"', 'a=~"x{2,1}"', 'a="b"c"', '{a="b"}', 'a=~"(?=x)"', "",
    )),
]  # fmt: skip


def ask(url: str, body: bytes | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("alertmanager")
    (folder / "am.yml").write_text(CONFIGURATION)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        str(PROGRAM), f"--config.file={folder / 'am.yml'}", f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}/api/v2/alerts"
        try:
            wait_for(address)
            yield address
        finally:
            process.kill()


def wait_for(address: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            ask(address)
        except OSError:
            assert time.monotonic() < deadline, "Alertmanager did not start within 30 s"
            time.sleep(0.05)
        else:
            return


def posts(now: datetime) -> list[dict[str, Any]]:
    chance = random.Random(5)
    values = ["x", "ü€😀", "a b", 'q"uote', "back\\slash", "line\nbreak", "", "10", "<&>"]
    items: list[dict[str, Any]] = []
    for number in range(200):
        labels = {name: chance.choice(values) for name in chance.sample(["alertname", "b", "c", "_x", "Z9"], 3)}
        item: dict[str, Any] = {
            "labels": {**labels, "number": str(number)},
            "annotations": {"summary": chance.choice(values)},
            "startsAt": (now - timedelta(seconds=chance.randint(1, 999))).isoformat(),
        }
        if number % 2:
            item["generatorURL"] = "http://p.example/graph?a=b&c"
        if number % 5 == 0:
            item["endsAt"] = (now + timedelta(seconds=chance.choice([3600, -1, -3600]))).isoformat()
        items.append(item)
    # Names that are not of the old form are refused before 0.27 and taken since: only the empty one is refused by all.
    return [*items, {"labels": {}}, {"labels": {"": "x"}}, {"labels": {"a": "b"}, "annotations": {"": "y"}}]


def comparable(shown: dict[str, Any]) -> dict[str, Any]:
    status = {name: value for name, value in shown["status"].items() if name != "mutedBy"}
    kept = {name: value for name, value in shown.items() if name not in ("updatedAt", "endsAt")}
    return {**kept, "status": status}


def ours(alerts: list[Alert], query: list[tuple[str, str]]) -> tuple[int, Any]:
    try:
        return 200, [comparable(shown) for shown in view.listed(alerts, view.read_query(query))]
    except BadInput as refused:
        status, body = view.answer_text(refused.detail)
        return status, json.loads(body)


def theirs(address: str, query: list[tuple[str, str]]) -> tuple[int, Any]:
    status, body = ask(f"{address}?{urllib.parse.urlencode(query)}")
    said = json.loads(body)
    return status, [comparable(shown) for shown in said] if status == 200 else said


def test_posts_and_questions_are_answered_as_the_real_one_answers(real: str) -> None:
    now = datetime.now(UTC)
    body = json.dumps(posts(now)).encode()
    parsed = parse_v2(Inbound(body), now)
    alerts = [first("alr", "src", said, "", "token", now) for said in parsed.occurrences]

    assert ask(real, body) == view.answer_to_post(parsed.rejected)
    for query in QUERIES:
        assert ours(alerts, query) == theirs(real, query), query
