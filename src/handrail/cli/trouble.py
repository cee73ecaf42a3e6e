"""What ends a command before its time: one sentence on what, one on why, the next command, and the exit code."""

from dataclasses import dataclass, field
from typing import Any

OK, FAILED, USAGE, NOT_FOUND, DENIED, CONFLICT = range(6)


@dataclass
class Trouble(Exception):
    """`what` is the sentence for people, `faults` one line per fault of the input, `next_step` what to do now."""

    what: str
    exit_code: int = FAILED
    next_step: str = ""
    code: str = ""
    faults: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        super().__init__(self.what)

    def as_json(self) -> dict[str, object]:
        return {
            "error": {
                "code": self.code or "failed",
                "detail": self.what,
                "errors": list(self.faults),
                "next": self.next_step,
                "exit": self.exit_code,
            }
        }


def exit_code_of(status: int) -> int:
    """The exit code for an HTTP status that is no success."""
    if status in (401, 403):
        return DENIED
    if status == 404:
        return NOT_FOUND
    if status in (409, 410, 412, 428):
        return CONFLICT
    return USAGE if status in (400, 413, 415, 422) else FAILED


class DryRun(Exception):
    """A write that was only to be shown: `request` is what would have been sent."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__("dry run")
        self.request = request
