"""Nagios and Icinga: every type of notification, the macros' own names, and the script that sends."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from shutil import which
from typing import Any

import pytest

import handrail.plugins.integrations.nagios as home
from handrail.domain.alert import Occurrence, Severity, rung_of
from handrail.kernel.errors import Refused
from handrail.plugins.integrations.contract import Inbound
from handrail.plugins.integrations.nagios.parse import SEVERITIES, STATES, parse
from handrail.plugins.integrations.reading import severity_word

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SCRIPT = Path(home.__file__).parent / "send.sh"
SENT = {
    "type": "PROBLEM", "host": "pilot-db", "service": "replication", "state": "CRITICAL", "output": "lag 412 s",
    "timet": "1767602400", "problem_id": "71", "notes_url": "https://wiki.example/r", "author": "", "comment": "",
}  # fmt: skip
needs_curl = pytest.mark.skipif(which("curl") is None, reason="curl is not installed; the sender script needs it")


def read(**fields: Any) -> Occurrence:
    return parse(Inbound(json.dumps({**SENT, **fields}).encode()), NOW).occurrences[0]


def test_a_problem_of_a_service_reads_field_by_field() -> None:
    said = read(contact="x")
    assert (said.dedup_key, said.status, said.title) == ("pilot-db!replication", "firing", "replication")
    assert (said.severity_raw, said.service, said.resource) == ("CRITICAL", "replication", "pilot-db")
    assert (said.summary, said.link) == ("lag 412 s", "https://wiki.example/r")
    assert said.occurred_at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)
    assert said.labels == {"host": "pilot-db", "state": "CRITICAL", "problem_id": "71"}
    assert said.extra == {"contact": "x"}


@pytest.mark.parametrize(
    ("kind", "state", "status"),
    [
        ("PROBLEM", "WARNING", "firing"), ("RECOVERY", "OK", "resolved"),
        ("ACKNOWLEDGEMENT", "CRITICAL", "acknowledged"),
        ("FLAPPINGSTART", "OK", "firing"), ("FLAPPINGSTOP", "OK", "resolved"), ("FLAPPINGSTOP", "WARNING", "firing"),
        ("DOWNTIMESTART", "CRITICAL", "acknowledged"), ("DOWNTIMEEND", "CRITICAL", "firing"),
        ("DOWNTIMEEND", "OK", "resolved"), ("CUSTOM", "UNKNOWN", "firing"), ("Recovery", "OK", "resolved"),
    ],
)  # fmt: skip
def test_every_type_meets_the_same_service(kind: str, state: str, status: str) -> None:
    said = read(type=kind, state=state, problem_id="0")
    assert (said.dedup_key, said.status) == ("pilot-db!replication", status)


def test_a_host_is_an_alert_of_its_own() -> None:
    said = read(service=None, state="DOWN", output="no ping")
    assert (said.dedup_key, said.title, said.service) == ("pilot-db", "Host pilot-db is DOWN", None)
    assert rung_of(said) == Severity.CRITICAL


@pytest.mark.parametrize("shape", ["NAGIOS_{}", "ICINGA_{}", "NOTIFY_{}", "${}$", "{}"])
def test_the_macros_own_names_are_read_as_well(shape: str) -> None:
    macros = {
        "NOTIFICATIONTYPE": "RECOVERY", "HOSTNAME": "pilot-db", "SERVICEDESC": "replication", "SERVICESTATE": "OK",
        "HOSTSTATE": "UP", "SERVICEOUTPUT": "fine", "TIMET": 1767602400, "SERVICENOTESURL": "$SERVICENOTESURL$",
    }  # fmt: skip
    body = json.dumps({shape.format(name): value for name, value in macros.items()}).encode()
    [said] = parse(Inbound(body), NOW).occurrences
    assert (said.dedup_key, said.status, said.summary) == ("pilot-db!replication", "resolved", "fine")
    assert (said.occurred_at, said.link) == (datetime(2026, 1, 5, 8, 40, tzinfo=UTC), None)


def test_who_acknowledged_and_why_stands_in_the_summary() -> None:
    assert read(type="ACKNOWLEDGEMENT", author="mate", comment="on my way").summary == "lag 412 s\nmate: on my way"


@pytest.mark.parametrize(("word", "rung"), SEVERITIES.items())
def test_every_state_lands_on_its_rung(word: str, rung: Severity) -> None:
    assert severity_word(word.upper(), SEVERITIES).rung == rung
    assert STATES[word] == "firing"


def test_an_unknown_type_a_missing_host_and_another_senders_payload_are_refused_in_words() -> None:
    for fields, code in (
        ({"NOTIFICATIONTYPE": "PARTY"}, "alert_status_unknown"),
        ({"host": ""}, "alert_labels_missing"),
    ):
        with pytest.raises(Refused) as refused:
            read(**fields)
        assert refused.value.code == code
    with pytest.raises(Refused) as refused:
        parse(Inbound(b'{"host": "a", "service": "b", "state": "ok"}'), NOW)
    assert refused.value.code == "unexpected_format"


@contextmanager
def receiver(status: int, got: list[tuple[str, bytes]]) -> Iterator[str]:
    """A server that answers with the status and writes down the authorization and the body."""

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers["Authorization"], body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the test says what it saw."""

    server = HTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/in/nagios"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(url: str, token: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {"PATH": os.environ["PATH"], "HANDRAIL_URL": url, "HANDRAIL_TOKEN_FILE": str(token), "no_proxy": "*"}
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), *arguments], capture_output=True, text=True, env=settings, timeout=30
    )


@needs_curl
def test_the_script_sends_what_the_parser_reads_whatever_the_plugin_wrote(tmp_path: Path) -> None:
    token, got = tmp_path / "token", list[tuple[str, bytes]]()
    token.write_text("tok-1\n")
    output = 'disk "C:\\" is full;\tsee\nline 2 – 98 % $(touch x) `id` é'
    with receiver(202, got) as url:
        done = run(url, token, "type=PROBLEM", "host=pilot-db", "service=disk", "state=CRITICAL", f"output={output}")
    assert (done.returncode, done.stderr) == (0, "")
    [(authorization, body)] = got
    assert authorization == "Bearer tok-1"
    [said] = parse(Inbound(body), NOW).occurrences
    assert (said.dedup_key, said.summary) == ("pilot-db!disk", output)


@needs_curl
def test_the_script_says_that_it_was_not_taken_and_never_tells_the_token(tmp_path: Path) -> None:
    token, got = tmp_path / "token", list[tuple[str, bytes]]()
    token.write_text("tok-1")
    with receiver(401, got) as url:
        done = run(url, token, "type=PROBLEM", "host=a", "state=DOWN")
    assert done.returncode == 1
    assert "401" in done.stderr
    assert "tok-1" not in done.stdout + done.stderr


def test_the_script_refuses_to_be_called_wrongly(tmp_path: Path) -> None:
    token = tmp_path / "token"
    assert run("http://127.0.0.1:9", token, "host=a").returncode == 2
    token.write_text("tok-1")
    assert run("http://127.0.0.1:9", token).returncode == 2
    assert run("http://127.0.0.1:9", token, "nonsense").returncode == 2


def test_a_downtime_of_what_works_opens_no_alert() -> None:
    assert read(type="DOWNTIMESTART", state="OK").status == "resolved"
    assert read(type="DOWNTIMESTART", state="CRITICAL").status == "acknowledged"


def test_the_numbers_of_a_hosts_states_are_those_of_hosts() -> None:
    down, beyond = read(service=None, state=1), read(service=None, state="2")
    assert (down.title, rung_of(down)) == ("Host pilot-db is DOWN", Severity.CRITICAL)
    assert (beyond.title, rung_of(beyond)) == ("Host pilot-db is UNREACHABLE", Severity.HIGH)
    assert read(service=None, state="0", type="FLAPPINGSTOP").status == "resolved"
