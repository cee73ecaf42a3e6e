"""Form-encoded requests: some senders offer only that, and curl names JSON a form unless it is told otherwise."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from handrail.kernel.errors import Refused
from handrail.kernel.limits import LIMITS
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.registry import integration

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
FORM = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}


def send(name: str, body: bytes | str) -> Parsed:
    return integration(name).parse(Inbound(body.encode() if isinstance(body, str) else body, FORM), NOW)


def test_datadogs_payload_encoded_as_a_form_is_read_as_its_json_would_be() -> None:
    fields = {
        "alert_id": "7", "alert_scope": "host:a", "alert_transition": "Recovered", "title": "[Recovered] Überlast & Co",
        "tags": "service:pay,host:a", "date": "1767600000000", "org": '{"id": "5", "name": "Harbour"}',
    }  # fmt: skip
    [said] = send("datadog", urlencode(fields)).occurrences
    assert (said.dedup_key, said.status, said.title) == ("5|7|host:a", "resolved", "Überlast & Co")
    assert said.service == "pay"


def test_a_notification_posted_with_curls_fields_is_read() -> None:
    [said] = send("nagios", "type=PROBLEM&host=db-1&service=Disk+%2F&state=CRITICAL&timet=1767600000\n").occurrences
    assert (said.dedup_key, said.severity_raw) == ("db-1!Disk /", "CRITICAL")


def test_json_that_curl_calls_a_form_is_json() -> None:
    assert send("generic", '\n{"title": "a=b&c"}').occurrences[0].title == "a=b&c"
    assert send("generic", b'\xef\xbb\xbf[{"title": "x"}]').occurrences[0].title == "x"


def test_one_field_that_holds_json_is_that_json() -> None:
    assert send("generic", urlencode({"payload": '{"title": "x", "status": "ok"}'})).occurrences[0].status == "resolved"


def test_a_name_that_comes_twice_is_a_list_and_an_empty_value_is_kept() -> None:
    [said] = send("generic", "&title=x&team=a&team=b&team=c&note=&\n").occurrences
    assert said.extra == {"team": ["a", "b", "c"], "note": ""}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json_invalid"),
        (b"no form", "json_invalid"),
        (b"title=%ff", "json_encoding"),
        (b"title=\xff", "json_encoding"),
        (b"title=%00", "json_string"),
        (b"&".join(b"a%d=1" % at for at in range(LIMITS.inbound_json_keys + 1)), "json_invalid"),
        (urlencode({"payload": '{"a":1,"a":2}'}).encode(), "json_duplicate_key"),
    ],
    ids=["empty", "words", "latin-1", "raw bytes", "nul", "too many fields", "equal keys"],
)
def test_a_form_that_cannot_be_read_is_refused_in_words(body: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        send("generic", body)
    assert (refused.value.code, refused.value.status) == (code, 400)
