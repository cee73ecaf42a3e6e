"""Errors with stable codes, ids that sort, and secrets that stay out of text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.kernel import errors, secrets
from handrail.kernel.errors import Fault, HandrailError, Refused, TooMany, Unavailable
from handrail.kernel.ids import new_id


def leaves(root: type[HandrailError]) -> list[type[HandrailError]]:
    """Those of the tree itself: plugins draw leaves of their own below it."""
    below = [each for each in root.__subclasses__() if each.__module__ == errors.__name__]
    return [leaf for each in below for leaf in leaves(each)] or [root]


def test_every_leaf_has_a_code_of_its_own_a_status_and_a_title() -> None:
    found = leaves(HandrailError)
    codes = [leaf.default_code for leaf in found]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)
    assert {leaf.__name__: leaf.status for leaf in found} == {
        "BadInput": 400, "NotSignedIn": 401, "BadSignature": 401, "NotAllowed": 403, "NotFound": 404, "Conflict": 409,
        "Gone": 410, "Stale": 412, "TooLarge": 413, "Unprocessable": 422, "TooMany": 429, "Unavailable": 503,
        "BrokenInvariant": 500,
    }  # fmt: skip
    assert all(leaf.title for leaf in found)


def test_the_tree_at_the_top_of_the_file_is_the_tree() -> None:
    drawn = dict(re.findall(r"^\s+(\w+) +(\d{3})\b", errors.__doc__ or "", re.MULTILINE))
    assert drawn == {leaf.__name__: str(leaf.status) for leaf in leaves(HandrailError)}


def test_refusals_are_the_callers_and_trying_again_helps_only_where_said() -> None:
    assert all(400 <= leaf.status < 500 for leaf in leaves(Refused))
    assert {leaf.__name__ for leaf in leaves(HandrailError) if leaf.retry_helps} == {"TooMany", "Unavailable"}


def test_an_error_reads_as_its_sentence_and_keeps_its_faults() -> None:
    error = errors.Unprocessable("The policy has faults.", "document_faults", (Fault("/rules", "None."),))
    assert (str(error), error.code, error.faults[0].where) == ("The policy has faults.", "document_faults", "/rules")
    assert Unavailable("Away.").code == "unavailable"
    assert TooMany("Later.", retry_after=7).retry_after == 7


def test_ids_have_their_prefix_and_one_width() -> None:
    assert re.fullmatch(r"inc_[0-9a-hjkmnp-tv-z]{26}", new_id("inc"))


def test_ids_made_later_sort_later(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(1_700_000_000, 1_700_000_050))
    monkeypatch.setattr("handrail.kernel.ids.time.time", lambda: next(seconds))
    made = [new_id("alr") for _ in range(20)]
    assert made == sorted(made)


def test_ids_never_repeat() -> None:
    made = [new_id("alr") for _ in range(5000)]
    assert len(set(made)) == 5000


def test_a_token_is_found_by_its_hash_and_its_prefix() -> None:
    token = secrets.new_token()
    assert token.startswith("hrt_")
    assert len(token) >= 47
    assert secrets.token_hash(token) == secrets.token_hash(token) != secrets.token_hash(secrets.new_token())
    assert re.fullmatch(r"([0-9a-f]{6}-){3}[0-9a-f]{6}", secrets.new_password())
    assert secrets.equal("a", b"a") and not secrets.equal("a", "b") and secrets.equal("é", "é".encode())


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abc.def.ghi", "abc.def.ghi"),
        ("authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ('{"password": "hunter2", "user": "anna"}', "hunter2"),
        ("password=hunter2&next=/", "hunter2"),
        ("api_key: 0123456789abcdef", "0123456789abcdef"),
        ("API-KEY='0123456789abcdef'", "0123456789abcdef"),
        ("postgresql://handrail:s3cr3t@db.internal/handrail", "s3cr3t"),
        ("redis://:s3cr3t@cache:6379", "s3cr3t"),
        ("the token hrt_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG was used", "ijklmnopqrstuvwxyz"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, secret: str) -> None:
    assert secret not in secrets.redact(text)


def test_the_rest_of_the_text_stays_readable() -> None:
    assert secrets.redact("postgresql://handrail:s3cr3t@db/handrail") == "postgresql://handrail:…@db/handrail"
    assert secrets.redact("Deploy of payments 2.5.0 failed: 503") == "Deploy of payments 2.5.0 failed: 503"


@given(st.text(max_size=200))
def test_masking_twice_changes_nothing_more_and_never_fails(text: str) -> None:
    once = secrets.redact(text)
    assert secrets.redact(once) == once
