"""Sources that older programs stored are still read, and secrets of both kinds end by their ids."""

from datetime import UTC, datetime

import msgspec

from handrail.domain.source import (
    NOUN,
    RetireSecret,
    SetSigningSecret,
    Source,
    SourceAdded,
    SourceRemoved,
    SourceSecretMade,
    SourceSecretRetired,
    decide,
    evolve,
)
from handrail.kernel.errors import NotFound

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def test_a_source_stored_before_signing_secrets_is_read() -> None:
    old = '{"id":"src_1","name":"a","integration":"generic","added_at":"2026-01-05T09:00:00Z","secrets":["tok_1"]}'
    source = msgspec.json.decode(old, type=Source)
    assert (source.secrets, source.signing_secrets, source.confirmations) == (("tok_1",), (), ())


def test_the_events_of_older_programs_are_still_known_by_their_types() -> None:
    types = {event.TYPE: event for event in (SourceAdded, SourceSecretMade, SourceSecretRetired, SourceRemoved)}
    assert types.items() <= NOUN.by_type.items()
    made = msgspec.json.decode('{"secret_id":"tok_1","by":"usr_1","at":"2026-01-05T09:00:00Z"}', type=SourceSecretMade)
    assert evolve(Source("src_1", "a", "generic", AT), made).secrets == ("tok_1",)


def test_a_signing_secret_ends_by_its_id_and_a_token_stays() -> None:
    source = Source("src_1", "a", "generic", AT, ("tok_1",))
    for command in (SetSigningSecret("sec_1", True, "usr_1"), RetireSecret("sec_1", "usr_1")):
        decided = decide(source, command, AT)
        assert not isinstance(decided, NotFound)
        for event in decided:  # type: ignore[union-attr]
            source = evolve(source, event)
    assert (source.secrets, source.signing_secrets) == (("tok_1",), ())
    assert isinstance(decide(source, RetireSecret("sec_1", "usr_1"), AT), NotFound)
