"""Call a sender that asked to be confirmed, after a person agreed. Calling twice confirms once."""

from collections.abc import Mapping
from dataclasses import dataclass

from handrail.domain.source import is_sns_address
from handrail.operations import sources
from handrail.operations.shell import HANDRAIL, Shell
from handrail.plugins.outward import Outward, OutwardFailed


@dataclass(frozen=True)
class Confirm:
    shell: Shell
    outward: Outward

    def __call__(self, arguments: Mapping[str, str]) -> None:
        source_id, confirmation_id = arguments["source_id"], arguments["confirmation_id"]
        found = self.shell.transact(
            HANDRAIL, lambda tx: sources.agreed_confirmation(tx, source_id, confirmation_id), "engine"
        )
        if found is None:
            return
        confirmed, detail = self._call(found.url)
        self.shell.transact(
            HANDRAIL,
            lambda tx: sources.report_confirmation(tx, source_id, confirmation_id, confirmed, detail),
            "engine",
        )

    def _call(self, url: str) -> tuple[bool, str]:
        # Checked again at the moment of the call: what was agreed to may have been erased since.
        if not is_sns_address(url):
            return False, "The address is not one that may be called."
        try:
            answer = self.outward.get(url)
        except OutwardFailed as failure:
            return False, failure.detail
        if answer.status != 200:
            return False, f"The sender answered with {answer.status}; let it ask again."
        return True, "The sender is confirmed."
