"""How senders sign: each scheme with a published or hand-made example, and every way of not fitting."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from handrail.kernel.errors import BadSignature
from handrail.plugins.integrations import signatures

GITHUB_SECRET = "It's a Secret to Everybody"  # GitHub's own example
GITHUB_BODY = b"Hello, World!"
GITHUB_SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the specification's own example
WEBHOOK_BODY = b'{"test": 2432232314}'
WEBHOOK_AT = datetime.fromtimestamp(1614265330, UTC)
WEBHOOK_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))


def _hex(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _refused(check: Callable[[], None]) -> None:
    with pytest.raises(BadSignature):
        check()


def test_githubs_published_example_fits_in_either_case_of_hex() -> None:
    signatures.hmac_hex(GITHUB_BODY, GITHUB_SIGNATURE, [GITHUB_SECRET])
    signatures.hmac_hex(GITHUB_BODY, "sha256=" + GITHUB_SIGNATURE[7:].upper(), [GITHUB_SECRET])


@pytest.mark.parametrize(
    ("body", "header", "secrets"),
    [
        (GITHUB_BODY, None, [GITHUB_SECRET]),
        (GITHUB_BODY, "", [GITHUB_SECRET]),
        (GITHUB_BODY, "sha256=", [GITHUB_SECRET]),
        (GITHUB_BODY, GITHUB_SIGNATURE[:-1], [GITHUB_SECRET]),
        (GITHUB_BODY, GITHUB_SIGNATURE[7:], [GITHUB_SECRET]),
        (GITHUB_BODY, "sha1=" + GITHUB_SIGNATURE[7:], [GITHUB_SECRET]),
        (GITHUB_BODY, "sha256=é" + GITHUB_SIGNATURE[8:], [GITHUB_SECRET]),
        (GITHUB_BODY + b" ", GITHUB_SIGNATURE, [GITHUB_SECRET]),
        (GITHUB_BODY, GITHUB_SIGNATURE, ["another secret"]),
        (GITHUB_BODY, GITHUB_SIGNATURE, []),
        (GITHUB_BODY, "sha256=" + _hex("", GITHUB_BODY), [""]),
    ],
)
def test_i10_bad_missing_truncated_and_foreign_signatures_are_refused(
    body: bytes, header: str | None, secrets: list[str]
) -> None:
    _refused(lambda: signatures.hmac_hex(body, header, secrets))


def test_i12_either_of_two_live_secrets_fits_and_a_retired_one_does_not() -> None:
    for secret in ("old-secret", "new-secret"):
        signatures.hmac_hex(b"{}", "sha256=" + _hex(secret, b"{}"), ["old-secret", "new-secret"])
    _refused(lambda: signatures.hmac_hex(b"{}", "sha256=" + _hex("old-secret", b"{}"), ["new-secret"]))


def test_i12_one_fitting_signature_of_several_is_enough_and_other_versions_are_passed_over() -> None:
    good = _hex("new-secret", b"{}")
    signatures.hmac_hex_any(b"{}", f"v1={'0' * 64}, v1={good}", ["new-secret"])
    _refused(lambda: signatures.hmac_hex_any(b"{}", f"v2={good}", ["new-secret"]))
    _refused(lambda: signatures.hmac_hex_any(b"{}", ",".join(["v1=" + "0" * 64] * 16 + [f"v1={good}"]), ["new-secret"]))


def test_slacks_form_binds_the_time_stamp() -> None:
    good = "v0=" + _hex("slack-secret", f"v0:{STAMP}:".encode() + b"a=1")
    signatures.timestamped_hmac_hex(b"a=1", good, STAMP, ["slack-secret"], NOW)
    later = str(int(STAMP) + 1)
    _refused(lambda: signatures.timestamped_hmac_hex(b"a=1", good, later, ["slack-secret"], NOW))


def test_grafanas_form_has_a_bare_hex_signature() -> None:
    good = _hex("grafana-secret", f"{STAMP}:".encode() + b"{}")
    signatures.timestamped_hmac_hex(b"{}", good, STAMP, ["grafana-secret"], NOW, lead="{timestamp}:", prefix="")


def test_stripes_form_takes_any_v1_and_one_time_only() -> None:
    good = _hex("stripe-secret", f"{STAMP}.".encode() + b"{}")
    signatures.stripe_hmac_hex(b"{}", f"t={STAMP},v1={'0' * 64},v1={good},v0=x", ["stripe-secret"], NOW)
    _refused(lambda: signatures.stripe_hmac_hex(b"{}", f"t={STAMP},t={STAMP},v1={good}", ["stripe-secret"], NOW))
    _refused(lambda: signatures.stripe_hmac_hex(b"{}", f"v1={good}", ["stripe-secret"], NOW))


@pytest.mark.parametrize("off", [timedelta(seconds=301), timedelta(seconds=-301), timedelta(minutes=10)])
def test_i11_a_time_stamp_more_than_five_minutes_off_is_refused_both_ways(off: timedelta) -> None:
    good = "v0=" + _hex("slack-secret", f"v0:{STAMP}:".encode())
    signatures.timestamped_hmac_hex(b"", good, STAMP, ["slack-secret"], NOW + off / abs(off) * timedelta(seconds=300))
    _refused(lambda: signatures.timestamped_hmac_hex(b"", good, STAMP, ["slack-secret"], NOW + off))
    headers = _webhook_headers(WEBHOOK_SIGNATURE)
    _refused(lambda: signatures.standard_webhooks(headers, WEBHOOK_BODY, [WEBHOOK_SECRET], WEBHOOK_AT + off))


@pytest.mark.parametrize("stamp", [None, "", "-1", "1e9", " 1", "١", "9" * 13, "nan"])
def test_a_time_stamp_that_is_no_number_of_seconds_is_refused(stamp: str | None) -> None:
    good = "v0=" + _hex("slack-secret", f"v0:{stamp}:".encode())
    _refused(lambda: signatures.timestamped_hmac_hex(b"", good, stamp, ["slack-secret"], NOW))


def _webhook_headers(signature: str) -> dict[str, str]:
    return {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": signature,
    }


def test_the_published_standard_webhook_fits_also_among_others_and_without_the_prefix_of_its_secret() -> None:
    headers = _webhook_headers(f"v1,AAAA v2,BBBB {WEBHOOK_SIGNATURE}")
    signatures.standard_webhooks(headers, WEBHOOK_BODY, ["whsec_b3RoZXI=", WEBHOOK_SECRET], WEBHOOK_AT)
    signatures.standard_webhooks(headers, WEBHOOK_BODY, [WEBHOOK_SECRET.removeprefix("whsec_")], WEBHOOK_AT)


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_standard_webhook_without_one_of_its_headers_is_refused(header: str) -> None:
    headers = _webhook_headers(WEBHOOK_SIGNATURE)
    del headers[header]
    _refused(lambda: signatures.standard_webhooks(headers, WEBHOOK_BODY, [WEBHOOK_SECRET], WEBHOOK_AT))


@pytest.mark.parametrize("secret", ["whsec_", "whsec_!!!", "whpk_", "whpk_AAAA", ""])
def test_a_secret_that_cannot_be_one_fits_nothing(secret: str) -> None:
    empty = base64.b64encode(hmac.digest(b"", b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{}", "sha256")).decode()
    headers = _webhook_headers(f"v1,{empty} v1a,{empty}")
    _refused(lambda: signatures.standard_webhooks(headers, b"{}", [secret], WEBHOOK_AT))


def test_an_ed25519_webhook_fits_its_public_key_and_no_other_body() -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    secret = "whpk_" + base64.b64encode(raw).decode()
    signed = private.sign(b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{}")
    headers = _webhook_headers("v1a," + base64.b64encode(signed).decode())
    signatures.standard_webhooks(headers, b"{}", [secret], WEBHOOK_AT)
    _refused(lambda: signatures.standard_webhooks(headers, b"[]", [secret], WEBHOOK_AT))
    as_v1 = _webhook_headers("v1," + base64.b64encode(signed).decode())
    _refused(lambda: signatures.standard_webhooks(as_v1, b"{}", [secret], WEBHOOK_AT))


def test_a_plain_secret_is_equal_or_refused() -> None:
    signatures.equal_token("gitlab-secret", ["older", "gitlab-secret"])
    for said in (None, "", "gitlab", "gitlab-secret "):
        _refused(lambda said=said: signatures.equal_token(said, ["gitlab-secret", ""]))  # type: ignore[misc]


CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abcd.pem"


@pytest.fixture(scope="module")
def sns_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _notification(key: rsa.RSAPrivateKey, version: str = "2", **changed: Any) -> dict[str, Any]:
    message = {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
        "Subject": "ALARM",
        "Message": "cpu is high",
        "Timestamp": "2026-03-04T11:59:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
    } | changed
    fields = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    signed = "".join(f"{name}\n{message[name]}\n" for name in fields if name in message).encode()
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303  what Amazon's version 1 uses
    message["Signature"] = base64.b64encode(key.sign(signed, padding.PKCS1v15(), algorithm)).decode()
    return message


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_versions_of_sns_signatures_fit_and_a_changed_message_does_not(
    sns_key: rsa.RSAPrivateKey, version: str
) -> None:
    message, certificates = _notification(sns_key, version), {CERTIFICATE_URL: _certificate(sns_key)}
    signatures.sns(message, certificates, NOW)
    _refused(lambda: signatures.sns(message | {"Message": "all is well"}, certificates, NOW))
    _refused(lambda: signatures.sns(message | {"SignatureVersion": "3"}, certificates, NOW))
    _refused(lambda: signatures.sns(message | {"Type": "Other"}, certificates, NOW))
    _refused(lambda: signatures.sns(message | {"Signature": None}, certificates, NOW))


def test_an_sns_message_without_its_certificate_or_out_of_time_is_refused(sns_key: rsa.RSAPrivateKey) -> None:
    message, certificates = _notification(sns_key), {CERTIFICATE_URL: _certificate(sns_key)}
    _refused(lambda: signatures.sns(message, {}, NOW))
    _refused(lambda: signatures.sns(message, {CERTIFICATE_URL: b"no certificate"}, NOW))
    _refused(lambda: signatures.sns(message, certificates, NOW + timedelta(hours=1)))
    _refused(lambda: signatures.sns(message, certificates, NOW - timedelta(hours=2)))
    late = _notification(sns_key, Timestamp="2026-03-09T12:00:00Z")
    _refused(lambda: signatures.sns(late, certificates, NOW + timedelta(days=5)))


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abcd.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123abcd.pem",
        "https://sns.eu-west-1.evil.amazonaws.com/SimpleNotificationService-0123abcd.pem",
        "https://evil@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abcd.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0123abcd.pem",
        "https://sns.eu-west-1.amazonaws.com/?Action=Echo&x=SimpleNotificationService-0123abcd.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abcd.pem?x",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abcd.pem\n",
        "https://sns.s3.eu-west-1.amazonaws.com/SimpleNotificationService-0123abcd.pem",
    ],
)
def test_a_certificate_from_elsewhere_is_never_asked_for_nor_trusted(sns_key: rsa.RSAPrivateKey, url: str) -> None:
    message = _notification(sns_key, SigningCertURL=url)
    assert signatures.sns_certificate_url(message) is None
    _refused(lambda: signatures.sns(message, {url: _certificate(sns_key)}, NOW))


def test_amazons_addresses_are_told_from_look_alikes() -> None:
    assert signatures.is_sns_address("https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription&Token=x")
    for url in (
        "http://169.254.169.254/latest/meta-data",
        "https://sns.eu-west-1.amazonaws.com@169.254.169.254/",
        "https://SNS.eu-west-1.amazonaws.com.evil.example/",
        "https://sns.eu-west-1.amazonaws.com",
        "https://sns.eu-west-1.amazonaws.com/\r\nHost: x",
    ):
        assert not signatures.is_sns_address(url)


ANY_TEXT = st.text(st.characters(), max_size=40)  # half surrogate pairs as well
NAMES = st.sampled_from(
    ["Type", "MessageId", "Message", "Timestamp", "TopicArn", "SignatureVersion", "Signature", "SigningCertURL",
     "webhook-id", "webhook-timestamp", "webhook-signature"]
)  # fmt: skip
VALUES = ANY_TEXT | st.sampled_from(
    ["Notification", "1", "2", CERTIFICATE_URL, STAMP, "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
     "v1,AA", "2026-03-04T12:00:00Z", "v1a,AAAA", "AAAA"]
)  # fmt: skip


@given(st.dictionaries(NAMES, VALUES), st.binary(max_size=30), st.lists(ANY_TEXT, max_size=3), ANY_TEXT, ANY_TEXT)
def test_whatever_comes_is_refused_and_nothing_else_happens(
    said: dict[str, str], body: bytes, secrets: list[str], first: str, second: str
) -> None:
    for check in (
        lambda: signatures.hmac_hex(body, first, secrets),
        lambda: signatures.hmac_hex_any(body, "v1=" + first, secrets),
        lambda: signatures.timestamped_hmac_hex(body, first, second, secrets, NOW),
        lambda: signatures.timestamped_hmac_hex(body, "v0=" + first, STAMP, secrets, NOW),
        lambda: signatures.stripe_hmac_hex(body, f"t={STAMP},v1={first}", secrets, NOW),
        lambda: signatures.standard_webhooks(said, body, secrets, NOW),
        lambda: signatures.equal_token("x" + first, [item for item in secrets if item != "x" + first]),
        lambda: signatures.sns(said, {CERTIFICATE_URL: body}, NOW),
    ):
        _refused(check)
