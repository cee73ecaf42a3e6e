"""What leaves the process: only to checked addresses, within time and bytes, and every failure is one leaf."""

import datetime as dt
import gzip
import ipaddress
import socket
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.plugins.servers import refused_port, response, saying, serving

from handrail.kernel.limits import LIMITS
from handrail.plugins.outward import Outward, OutwardFailed

SMALL = replace(LIMITS, outward_answer_bytes=4096)
SHORT = replace(SMALL, outward_connect_seconds=1, outward_total_seconds=1)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def refusal(outward: Outward, url: str) -> OutwardFailed:
    with pytest.raises(OutwardFailed) as caught:
        outward.get(url)
    return caught.value


def test_an_allowed_place_is_called_and_its_answer_comes_back() -> None:
    with serving(saying(response(201, b'{"a":1}', "X-Kind: yes\r\n"))) as served:
        answer = Outward([served.place]).post_json(
            f"{served.url}/path?q=1", {"b": 2}, {"Idempotency-Key": "k"}, traceparent=TRACE
        )
    assert (answer.status, answer.headers["x-kind"], answer.json()) == (201, "yes", {"a": 1})
    head, _, body = served.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /path?q=1 HTTP/1.1")
    assert f"host: {served.place}".encode() in head.lower()
    assert b"idempotency-key: k" in head.lower()
    assert f"traceparent: {TRACE}".encode() in head.lower()
    assert body == b'{"b":2}'


def test_the_trace_going_on_is_passed_where_a_call_names_none() -> None:
    with serving(saying(response(200))) as served:
        Outward([served.place], traceparent=lambda: TRACE).get(served.url)
    assert f"traceparent: {TRACE}".encode() in served.requests[0].lower()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f000001", "017700000001", "127.1", "localhost", "[::ffff:127.0.0.1]", "[::1]",
     "0.0.0.0", "0"],  # noqa: S104
)  # fmt: skip
def test_n1_every_spelling_of_an_inner_address_is_refused_before_connecting(host: str) -> None:
    with serving(saying(response(200))) as served:
        failure = refusal(Outward(), f"http://{host}:{served.port}/")
        assert served.connections == 0
    assert failure.code == "address_not_allowed"
    assert "address not allowed" in failure.detail
    assert not failure.sent and not failure.retry


def test_n1_another_spelling_of_an_allowed_place_is_not_allowed() -> None:
    with serving(saying(response(200))) as served:
        assert refusal(Outward([served.place]), f"http://2130706433:{served.port}/").code == "address_not_allowed"
        assert refusal(Outward([served.place]), f"http://localhost:{served.port}/").code == "address_not_allowed"
        assert served.connections == 0


def test_n1_a_name_with_one_inner_address_among_public_ones_is_refused() -> None:
    outward = Outward(resolve=lambda *_: ["93.184.216.34", "10.0.0.1"])
    assert refusal(outward, "https://mixed.example/").code == "address_not_allowed"


def test_n1_a_name_is_looked_up_once_so_that_it_cannot_change_between_check_and_connection() -> None:
    asked = []

    def rebinding(host: str, port: int, seconds: float) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    with serving(saying(response(200, b"first"))) as served:
        answer = Outward([f"rebind.example:{served.port}"], resolve=rebinding).get(
            f"http://rebind.example:{served.port}/"
        )
    assert (answer.body, asked) == (b"first", ["rebind.example"])
    assert f"host: rebind.example:{served.port}".encode() in served.requests[0].lower()


def test_n1_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with serving(saying(response(200))) as secret:
        answers = saying(response(302, b"", f"location: {secret.url}/latest/meta-data\r\n"))
        with serving(answers) as served:
            answer = Outward([served.place, secret.place]).get(served.url)
        assert secret.connections == 0
    assert answer.status == 302


def test_plain_http_to_a_public_address_is_refused() -> None:
    failure = refusal(Outward(resolve=lambda *_: ["93.184.216.34"]), "http://public.example/")
    assert failure.code == "address_not_allowed"
    assert "use https" in failure.detail


@pytest.mark.parametrize(
    "url", ["ftp://host/", "file:///etc/passwd", "host", "", "https://", "https://u:p@host/", "\0"]
)
def test_a_url_that_cannot_be_called_is_refused_with_a_sentence(url: str) -> None:
    failure = refusal(Outward(), url)
    assert (failure.code, failure.retry) == ("outward_url", False)
    assert failure.detail.endswith(".")


def test_no_proxy_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(saying(response(200, b"proxy"))) as proxy, serving(saying(response(200, b"direct"))) as served:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert Outward([served.place]).get(served.url).body == b"direct"
        assert proxy.connections == 0


def test_n2_an_endless_body_is_cut_at_the_bound() -> None:
    def speak(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 X\r\n\r\n")
        while True:
            connection.sendall(b"x" * 1024)

    with serving(speak) as served:
        failure = refusal(Outward([served.place], SMALL), served.url)
    assert (failure.code, failure.sent) == ("answer_too_large", True)


def test_n2_a_body_of_just_the_bound_is_read_and_one_byte_more_is_not() -> None:
    with serving(saying(response(200, b"x" * 4096), response(200, b"x" * 4097))) as served:
        outward = Outward([served.place], SMALL)
        assert len(outward.get(served.url).body) == 4096
        assert refusal(outward, served.url).code == "answer_too_large"


def test_n2_a_gzip_bomb_is_cut_at_the_bound() -> None:
    bomb = gzip.compress(b"\0" * 3_000_000)
    assert len(bomb) < 4096
    with serving(saying(response(200, bomb, "content-encoding: gzip\r\n"))) as served:
        assert refusal(Outward([served.place], SMALL), served.url).code == "answer_too_large"


def test_n2_a_small_gzip_body_is_unpacked_and_a_broken_one_is_not() -> None:
    packed = gzip.compress(b"hello")
    answers = saying(
        response(200, packed, "content-encoding: gzip\r\n"),
        response(200, packed[:-4], "content-encoding: gzip\r\n"),
        response(200, b"no gzip", "content-encoding: gzip\r\n"),
        response(200, b"??", "content-encoding: br\r\n"),
    )
    with serving(answers) as served:
        outward = Outward([served.place])
        assert outward.get(served.url).body == b"hello"
        assert [refusal(outward, served.url).code for _ in range(3)] == [
            "connection_broken", "answer_unreadable", "answer_unreadable",
        ]  # fmt: skip


def test_n2_huge_headers_are_cut() -> None:
    def speak(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 X\r\n")
        while True:
            connection.sendall(b"x-pad: " + b"y" * 1000 + b"\r\n")

    with serving(speak) as served:
        failure = refusal(Outward([served.place]), served.url)
    assert failure.sent and failure.code in ("connection_broken", "answer_too_large")


def test_n2_a_body_that_drips_ends_with_the_deadline() -> None:
    def speak(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 X\r\ncontent-length: 999\r\n\r\n")
        connection.settimeout(0.05)
        while True:
            connection.sendall(b"x")
            try:
                if connection.recv(1) == b"":
                    return
            except TimeoutError:
                continue

    with serving(speak) as served:
        failure = refusal(Outward([served.place], SHORT), served.url)
    assert (failure.code, failure.sent) == ("timed_out", True)


def test_n2_silence_after_the_request_is_a_timeout_that_may_have_been_heard() -> None:
    def speak(connection: socket.socket, _: bytes) -> None:
        connection.recv(1)

    with serving(speak) as served:
        failure = refusal(Outward([served.place], SHORT), served.url)
    assert (failure.code, failure.sent, failure.retry) == ("timed_out", True, True)


def test_a_refused_connection_says_that_nothing_left() -> None:
    port = refused_port()
    failure = refusal(Outward([f"127.0.0.1:{port}"]), f"http://127.0.0.1:{port}/")
    assert (failure.code, failure.sent) == ("not_reached", False)


def test_a_connection_that_ends_without_an_answer_may_have_been_heard() -> None:
    with serving(lambda *_: None) as served:
        failure = refusal(Outward([served.place]), served.url)
    assert (failure.code, failure.sent) == ("connection_broken", True)


def test_a_name_server_that_hangs_or_knows_nothing_is_a_failure_with_a_sentence() -> None:
    def hangs(*_: object) -> list[str]:
        raise TimeoutError

    def knows_nothing(*_: object) -> list[str]:
        raise socket.gaierror

    assert refusal(Outward(resolve=hangs), "https://a.example/").code == "timed_out"
    assert refusal(Outward(resolve=knows_nothing), "https://a.example/").code == "name_unknown"


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "naïve"])
def test_a_header_that_http_does_not_carry_is_refused_before_anything_leaves(value: str) -> None:
    with serving(saying(response(200))) as served:
        with pytest.raises(OutwardFailed) as caught:
            Outward([served.place]).get(served.url, {"x-key": value})
        assert served.requests in ([], [b""])
    assert (caught.value.code, caught.value.sent) == ("outward_url", False)


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for `name`, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


def test_https_keeps_the_name_in_sni_and_host_while_the_socket_goes_to_the_checked_address(tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "deploys.example")
    names: list[str | None] = []
    server.sni_callback = lambda _, name, __: names.append(name)
    with serving(saying(response(200, b"ok")), server) as served:
        place = f"deploys.example:{served.port}"
        outward = Outward([place], tls=client, resolve=lambda *_: [str(ipaddress.ip_address("127.0.0.1"))])
        assert outward.get(f"https://{place}/").body == b"ok"
    assert names == ["deploys.example"]
    assert f"host: {place}".encode() in served.requests[0].lower()


def test_a_certificate_for_another_name_is_not_accepted_and_nothing_leaves(tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "other.example")
    with serving(saying(response(200, b"ok")), server) as served:
        place = f"deploys.example:{served.port}"
        failure = refusal(Outward([place], tls=client, resolve=lambda *_: ["127.0.0.1"]), f"https://{place}/")
        assert served.requests in ([], [b""])
    assert (failure.code, failure.sent) == ("not_reached", False)
    assert "certificate" in failure.detail


def test_the_next_address_of_a_name_is_tried_when_the_first_refuses() -> None:
    with serving(saying(response(200, b"second"))) as served:
        place = f"two.example:{served.port}"
        outward = Outward([place], resolve=lambda *_: ["127.0.0.2", "127.0.0.1"])
        assert outward.get(f"http://{place}/").body == b"second"
