"""Signed checkpoints: our own round trip, the published example, and everything that must be refused."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.kernel.errors import BadInput, BadSignature, HandrailError
from handrail.record import note, verifier

ROOT = bytes(range(32))
SIGNER = note.Signer("handrail/test", b"\x07" * 32)
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_example_verifies() -> None:
    signed = verifier.check_signature(PUBLISHED_NOTE, verifier.read_key(PUBLISHED_KEY))
    assert signed.startswith("If you think cryptography")


def test_a_checkpoint_has_the_written_form() -> None:
    lines = note.sign(SIGNER, 42, ROOT).split("\n")

    assert lines[:4] == ["handrail/test", "42", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert lines[4].startswith("— handrail/test ")
    assert lines[5:] == [""]


def test_what_was_signed_opens_with_the_key_read_from_its_text() -> None:
    key = note.Verifier.from_text(SIGNER.verifier.vkey + "\n")
    assert note.open(note.sign(SIGNER, 42, ROOT), key) == note.Checkpoint("handrail/test", 42, ROOT)


def test_a_witness_signature_is_passed_over() -> None:
    text = note.sign(SIGNER, 42, ROOT) + "— witness.example/w1 " + base64.b64encode(b"x" * 76).decode() + "\n"
    assert note.open(text, SIGNER.verifier).size == 42


def test_a_line_after_the_root_is_covered_by_the_signature() -> None:
    text = note.sign(SIGNER, 42, ROOT).replace("\n\n", "\nextra\n\n")
    with pytest.raises(BadSignature):
        note.open(text, SIGNER.verifier)


def test_another_key_with_the_same_name_is_not_trusted() -> None:
    other = note.Signer("handrail/test", b"\x08" * 32)
    with pytest.raises(BadSignature):
        note.open(note.sign(other, 42, ROOT), SIGNER.verifier)


def test_a_signer_signs_for_its_own_log_only() -> None:
    with pytest.raises(BadInput):
        SIGNER.sign("handrail/other", 1, ROOT)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("\n42\n", "\n43\n"),
        lambda text: text.replace("\n42\n", "\n042\n"),
        lambda text: text.replace("\n42\n", "\n-1\n"),
        lambda text: text.replace("handrail/test\n", "handrail/else\n", 1),
        lambda text: text.replace("— ", "- "),
        lambda text: text.replace("\n\n", "\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n",
        lambda text: text[:-3] + "=\n",
        lambda text: text + "— nonsense\n",
        lambda text: text + text.split("\n\n")[1] * 200,
        lambda text: text.split("\n\n")[0] + "\n\n",
        lambda text: "",
    ],
)
def test_a_spoilt_checkpoint_is_refused(spoil: Callable[[str], str]) -> None:
    with pytest.raises((BadInput, BadSignature)):
        note.open(spoil(note.sign(SIGNER, 42, ROOT)), SIGNER.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        "a b+00000000+AAAA",
        "x+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "x+y+!",
        "x+00000000+AQ==",
    ],
)
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        note.Verifier.from_text(text)


@given(st.text(max_size=200))
def test_any_text_is_refused_as_checkpoint_and_as_key(text: str) -> None:
    with pytest.raises(HandrailError):
        note.open(text, SIGNER.verifier)
    with pytest.raises(HandrailError):
        note.Verifier.from_text(text)


@pytest.mark.parametrize("name", ["", "with space", "with+plus", "with\nbreak"])
def test_a_name_that_would_break_the_form_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        note.Signer(name, b"\x07" * 32)


def test_a_checkpoints_log_splits_into_its_notes_however_it_was_written() -> None:
    notes = [note.sign(SIGNER, size, ROOT) for size in (1, 2, 3)]

    assert note.split(note.join(notes)) == notes
    assert note.split("".join(f"{each}---\n" for each in notes)) == notes
    assert note.split("".join(f"---\n{each}" for each in notes)) == notes
    assert note.split("") == []
