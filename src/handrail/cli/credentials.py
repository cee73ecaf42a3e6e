"""Where to call and as whom: from the environment, else from what `handrail login` stored for its owner alone.

The file holds one token per address, so that a token never goes to another server than the one that gave it.
"""

import json
import os
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path

from handrail.cli.trouble import DENIED, USAGE, Trouble

DEFAULT_URL = "http://127.0.0.1:8400"


@dataclass(frozen=True)
class Kept:
    """A token, and the id under which it can be revoked."""

    token: str
    id: str


@dataclass(frozen=True)
class Stored:
    """`url` is the address of the last sign-in; `tokens` are by address."""

    url: str = ""
    tokens: dict[str, Kept] = field(default_factory=dict)


def credentials_file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "handrail" / "credentials"


def server_url() -> str:
    """HANDRAIL_URL, else the address of the last sign-in, else this machine."""
    return (os.environ.get("HANDRAIL_URL") or _stored_url() or DEFAULT_URL).rstrip("/")


def _stored_url() -> str:
    # A file that may not be read must not keep the commands that need no sign-in from working.
    try:
        return load().url
    except Trouble:
        return ""


def token_for(url: str) -> str | None:
    """HANDRAIL_TOKEN, else what HANDRAIL_TOKEN_FILE holds, else what is stored for this address."""
    if token := os.environ.get("HANDRAIL_TOKEN", "").strip():
        return token
    if path := os.environ.get("HANDRAIL_TOKEN_FILE", ""):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise Trouble(
                f"The token file {path} cannot be read: {error.strerror}.", USAGE, "Correct HANDRAIL_TOKEN_FILE."
            ) from None
    kept = load().tokens.get(url)
    return kept.token if kept else None


def load() -> Stored:
    file = credentials_file()
    try:
        mode = file.stat().st_mode
        content = json.loads(file.read_text())
        tokens = {url: Kept(str(kept["token"]), str(kept["id"])) for url, kept in content["tokens"].items()}
        stored = Stored(str(content["url"]), tokens)
    except FileNotFoundError:
        return Stored()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Trouble(
            f"The credentials in {file} cannot be read.", USAGE, f"Remove {file} and run `handrail login`."
        ) from None
    if stat.S_IMODE(mode) & 0o077:
        raise Trouble(f"Others may read your token in {file}.", DENIED, f"Run `chmod 600 {file}` first.")
    return stored


def store(url: str, kept: Kept) -> None:
    """Keep a token for its owner alone, and make this the address that commands call."""
    _write(Stored(url, {**load().tokens, url: kept}))


def forget(url: str) -> bool:
    """Remove the token of an address; tells whether there was one."""
    known = load()
    _write(Stored(known.url, {name: kept for name, kept in known.tokens.items() if name != url}))
    return url in known.tokens


def _write(stored: Stored) -> None:
    file = credentials_file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(file, json.dumps(asdict(stored), indent=2) + "\n")


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone may read, from its first byte on; it is there whole or not at all."""
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        os.fchmod(out.fileno(), 0o600)
        out.write(text)
    partial.replace(file)
