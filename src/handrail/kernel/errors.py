"""The one error tree. Each leaf has a stable code, an HTTP status, and says whether trying again can help.

HandrailError
  Refused           the caller asked for something that may not be
    BadInput        400  the input cannot be read; `faults` lists each fault
    NotSignedIn     401  nobody is known
    BadSignature    401  an inbound payload could not be attributed to its source
    NotAllowed      403  somebody is known, and the permission named is missing
    NotFound        404
    Conflict        409  the state does not allow it now
    Gone            410  it expired
    Stale           412  somebody else changed it first
    TooLarge        413
    Unprocessable   422  readable, and not acceptable
    TooMany         429  come back after `retry_after` seconds
  Unavailable       503  a dependency is away; trying again helps
  BrokenInvariant   500  what must hold does not; the duty stops
"""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Fault:
    """One fault of an input: where (JSON pointer or `line:column`) and what."""

    where: str
    what: str


@dataclass
class HandrailError(Exception):
    """Root. `detail` is the sentence for people: what happened, why, what to do next."""

    detail: str
    code: str = ""
    faults: tuple[Fault, ...] = field(default=())

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"
    default_code: ClassVar[str] = "internal"
    retry_helps: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self.code = self.code or self.default_code
        super().__init__(self.detail)

    def __str__(self) -> str:
        return self.detail


class Refused(HandrailError):
    """The caller asked for something that may not be."""


class BadInput(Refused):
    status = 400
    title = "The input cannot be read"
    default_code = "bad_input"


class NotSignedIn(Refused):
    status = 401
    title = "Sign in first"
    default_code = "not_signed_in"


class BadSignature(Refused):
    status = 401
    title = "The sender could not be verified"
    default_code = "bad_signature"


class NotAllowed(Refused):
    status = 403
    title = "Not allowed"
    default_code = "not_allowed"


class NotFound(Refused):
    status = 404
    title = "Not found"
    default_code = "not_found"


class Conflict(Refused):
    status = 409
    title = "The state does not allow this"
    default_code = "conflict"


class Gone(Refused):
    status = 410
    title = "It has expired"
    default_code = "expired"


class Stale(Refused):
    status = 412
    title = "Somebody else changed it first"
    default_code = "stale"


class TooLarge(Refused):
    status = 413
    title = "Too large"
    default_code = "too_large"


class Unprocessable(Refused):
    status = 422
    title = "Not acceptable"
    default_code = "unprocessable"


@dataclass
class TooMany(Refused):
    retry_after: int = 1

    status: ClassVar[int] = 429
    title: ClassVar[str] = "Too many requests"
    default_code: ClassVar[str] = "too_many"
    retry_helps: ClassVar[bool] = True


class Unavailable(HandrailError):
    status = 503
    title = "Something Handrail needs is away"
    default_code = "unavailable"
    retry_helps = True


class BrokenInvariant(HandrailError):
    title = "An invariant does not hold"
    default_code = "broken_invariant"
