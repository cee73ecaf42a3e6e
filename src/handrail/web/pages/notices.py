"""What came of the last form, carried over the redirect in a cookie of one use, sealed with the session's own value."""

import base64
import binascii
import hashlib
import hmac
import json

from starlette.requests import Request
from starlette.responses import Response

from handrail.kernel.secrets import equal
from handrail.web.context import Context
from handrail.web.views import Notice

COOKIE = "handrail_notice"
_SECONDS = 60
_KINDS = ("done", "note", "refused")


def keep(response: Response, context: Context, csrf: str, notice: Notice) -> None:
    body = base64.urlsafe_b64encode(json.dumps([notice.kind, notice.text[:400]]).encode()).decode()
    response.set_cookie(
        COOKIE, f"{body}.{_seal(csrf, body)}", max_age=_SECONDS, path="/", httponly=True, samesite="lax",
        secure=context.secure_cookies,
    )  # fmt: skip


def read(request: Request, csrf: str) -> Notice | None:
    """The notice that waits, unless somebody else wrote it."""
    body, _, seal = request.cookies.get(COOKIE, "").partition(".")
    if not body or not equal(seal, _seal(csrf, body)):
        return None
    try:
        kind, text = json.loads(base64.urlsafe_b64decode(body))
    except (ValueError, binascii.Error):
        return None
    return Notice(kind, text) if kind in _KINDS and isinstance(text, str) else None


def forget(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")


def _seal(csrf: str, body: str) -> str:
    return hmac.new(csrf.encode(), f"notice {body}".encode(), hashlib.sha256).hexdigest()
