"""The usual words for a status, for formats that fix none: plain data, written as `reading.plain` writes words."""

from handrail.domain.alert import AlertStatus

_WORDS = {
    AlertStatus.FIRING: (
        "firing fired fire triggered trigger open opened reopened reopen active activated alerting alarm problem new "
        "created raised started detected reported investigating identified down failing failed unhealthy unresolved "
        "unacknowledged"
    ),
    AlertStatus.ACKNOWLEDGED: "acknowledged acknowledge acknowledgement ack acked in_progress monitoring",
    AlertStatus.RESOLVED: (
        "resolved resolve closed close cleared clear recovered recovery recover ended end ok okay normal inactive up "
        "healthy fixed green done completed complete finished expired deleted cancelled canceled"
    ),
}
USUAL_STATUSES = {word: status for status, words in _WORDS.items() for word in words.split()}
