"""The record of a test's database, verified as production verifies it."""

from collections.abc import Iterable

from handrail.operations.shell import Shell
from handrail.record import note
from handrail.record.source import DatabaseSource
from handrail.record.verify import Report, verify

ORIGIN = "handrail/test"
SIGNER = note.Signer(ORIGIN, bytes(range(32)))


def verified(shell: Shell, exported: Iterable[str] = ()) -> Report:
    with shell.database.read() as connection:
        return verify(DatabaseSource(connection), SIGNER.verifier, exported, shell.seal_key)
