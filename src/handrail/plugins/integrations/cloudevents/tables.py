"""What words mean in events: plain data. The standard fixes none, so these are the words that producers use."""

from handrail.domain.alert import AlertStatus
from handrail.plugins.integrations.usual import USUAL_STATUSES

STATUSES = USUAL_STATUSES
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
