"""A sender's message as a line for who watches logs."""

from handrail.domain.log_line import LogLine
from handrail.kernel.limits import LIMITS


def log_lines(service: str, message: str, *, is_error: bool = False, is_alert: bool = False) -> tuple[LogLine, ...]:
    """The message's first line, or nothing where it is empty: what follows it (a stack trace) belongs to it and is no
    message of its own. NUL, which no database keeps, becomes a space."""
    said = message.lstrip().partition("\n")[0][: LIMITS.log_line_chars].replace("\0", " ").rstrip()
    return (LogLine(service, said, is_error, is_alert),) if said else ()
