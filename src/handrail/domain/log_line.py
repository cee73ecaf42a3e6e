"""One line of a service's log, as telemetry brings it in and the finder of log findings reads it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogLine:
    """`text` is what was logged: hostile, and cut to its bound by who reads it. `service` is empty where none is named.

    `is_error`: its sender gave it the weight of an error or more. `is_alert`: its source makes an alert of it already,
    so that nobody has to be told again that it is new.
    """

    service: str
    text: str
    is_error: bool = False
    is_alert: bool = False
