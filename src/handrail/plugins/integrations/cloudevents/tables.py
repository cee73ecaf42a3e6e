"""What words mean in events: plain data. The standard fixes none, so these are the words that producers use."""

from handrail.domain.alert import AlertStatus

_WORDS = {
    AlertStatus.FIRING: (
        "firing fired fire triggered trigger open opened reopened reopen active activated alerting alarm problem new "
        "created raised detected reported investigating identified down failing unhealthy unresolved unacknowledged"
    ),
    AlertStatus.ACKNOWLEDGED: "acknowledged acknowledge ack acked in_progress monitoring",
    AlertStatus.RESOLVED: (
        "resolved resolve closed close cleared clear recovered recovery recover ended end ok okay normal inactive up "
        "healthy fixed green done completed complete finished expired deleted cancelled canceled"
    ),
}
STATUSES = {word: status for status, words in _WORDS.items() for word in words.split()}
# In a type, only what is said of an alert after it began tells anything: “alert.new” and “alert” are one.
_AGAIN = ("reopened", "unresolved", "unacknowledged")
TYPE_STATUSES = {
    word: status for word, status in STATUSES.items() if status != AlertStatus.FIRING or word in _AGAIN
} | {"not": AlertStatus.FIRING}
# An alert goes by its own name within its source; names in the order in which they are asked.
IDENTITIES = (
    "dedup_key", "dedupKey", "alert_id", "alertId", "incident_id", "incidentId", "problem_id", "problemId",
    "fingerprint",
)  # fmt: skip
# What tells of the same change from its beginning to its end, where a producer sends an event for each.
CHANGE_IDENTITIES = ("change_key", "changeKey", "deployment_id", "deploymentId")
# “alerting-service.deployed” is a change of what is named after alerts, not an alert.
DELIVERED = frozenset({"deployed", "redeployed", "upgraded", "rolledback", "released"})
# What did not happen changed nothing.
FAILED = frozenset(
    {
        "failed", "failure", "fail", "error", "errored", "cancelled", "canceled", "cancel", "aborted", "rejected",
        "skipped", "timedout",
    }
)  # fmt: skip
