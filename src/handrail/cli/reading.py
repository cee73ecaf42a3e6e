"""Files that a command is given: read whole, as UTF-8, with one sentence where that cannot be."""

import sys
from pathlib import Path

from handrail.cli.trouble import NOT_FOUND, USAGE, Trouble


def read_text(name: str) -> str:
    """The text of a file; - is stdin."""
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Trouble(f"There is no file {name}.", NOT_FOUND, "Give another one.") from None
    except UnicodeDecodeError:
        raise Trouble(f"{name} is not UTF-8.", USAGE, "Save it as UTF-8.") from None
    except OSError as error:
        raise Trouble(f"{name} cannot be read: {error.strerror}.", USAGE, "Give another file.") from None


def read_bytes(name: str) -> bytes:
    """The bytes of a file; - is stdin."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except FileNotFoundError:
        raise Trouble(f"There is no file {name}.", NOT_FOUND, "Give another one.") from None
    except OSError as error:
        raise Trouble(f"{name} cannot be read: {error.strerror}.", USAGE, "Give another file.") from None


def read_secret(name: str) -> str:
    """A secret of one line from a file or stdin."""
    secret = read_text(name).strip("\n")
    if not secret or "\n" in secret:
        raise Trouble(f"{name} does not hold one line with the secret.", USAGE, "Write it alone into the file.")
    return secret
