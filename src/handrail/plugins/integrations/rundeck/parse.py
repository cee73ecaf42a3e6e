"""Reads Rundeck's webhook notification: how a job's run ended."""

from datetime import datetime
from typing import Any

from handrail.domain.alert import Severity
from handrail.plugins.integrations.batch import other_sender
from handrail.plugins.integrations.contract import Inbound, Parsed
from handrail.plugins.integrations.fields import extra_of, key_text, mapping, read_body, words
from handrail.plugins.integrations.reading import (
    FIRING,
    NO_WORD,
    RESOLVED,
    first_link,
    first_moment,
    first_words,
    missing,
    occurrence,
    plain,
    severity_word,
    status_in,
)

EXPECTED = "Rundeck's JSON notification (an object with “trigger”, “executionId” and “execution”)"

STATUSES = {
    "failed": FIRING, "failure": FIRING, "aborted": FIRING, "timedout": FIRING, "timed_out": FIRING,
    "failed_with_retry": FIRING, "missed": FIRING, "incomplete": FIRING, "avgduration": FIRING,
    "succeeded": RESOLVED, "success": RESOLVED,
}  # fmt: skip
SILENT = frozenset({"running", "start", "scheduled", "queued"})
SEVERITIES = {
    "failed": Severity.HIGH, "failure": Severity.HIGH, "timedout": Severity.HIGH, "timed_out": Severity.HIGH,
    "missed": Severity.HIGH, "incomplete": Severity.MEDIUM, "aborted": Severity.MEDIUM,
    "failed_with_retry": Severity.LOW, "avgduration": Severity.LOW,
}  # fmt: skip
_KNOWN = frozenset({"trigger", "status", "executionId", "execution"})


def parse(inbound: Inbound, now: datetime) -> Parsed:
    """How a run ended; one that has only started, or waits, changes nothing. Run and trigger are the delivery id."""
    body = read_body(inbound)
    if type(body) is not dict or type(body.get("execution")) is not dict or not {"trigger", "status"} & body.keys():
        raise other_sender(body, EXPECTED)
    run = body["execution"]
    job, number = mapping(run.get("job")), first_words(body.get("executionId"), run.get("id"))
    said = _said(body.get("status"), run.get("status"), body.get("trigger"))
    trigger, address = plain(body.get("trigger")), first_link(run.get("href"), run.get("permalink"))
    # Runs are numbered by each server anew: the address of a run names both.
    replay = key_text(f"{address or number}/{trigger}") if number and trigger else None
    if trigger == "avgduration":
        said = trigger
    elif plain(said) in SILENT:
        return Parsed(replay_id=replay)
    status = status_in(STATUSES, said, "status")
    project, name = first_words(run.get("project"), job.get("project")), words(job.get("name"))
    known_by = first_words(job.get("id"), job.get("uuid"), f"{words(job.get('group'))}/{name}" if name else "", number)
    if not known_by:
        raise missing("“executionId” and no job", "alert_labels_missing")
    started, ended = (
        first_moment(mapping(run.get(field)).get("unixtime"), mapping(run.get(field)).get("date"), run.get(field))
        for field in ("date-started", "date-ended")
    )
    unread = {} if started or "date-started" not in run else {"date-started": words(run["date-started"])}
    about = extra_of(run, frozenset({"job", "href", "permalink", "project", "status", "date-started", "date-ended"}))
    return Parsed(
        occurrences=(
            occurrence(
                body,
                key=f"{project}/{known_by}",
                status=status,
                title=name or words(run.get("description")) or f"Rundeck run {number}",
                severity=severity_word(said, SEVERITIES) if status == FIRING else NO_WORD,
                service=project,
                summary=first_words(run.get("description"), job.get("description")),
                labels={
                    "execution": number, "job_group": words(job.get("group")), "user": words(run.get("user")),
                    "status": said,
                },
                occurred_at=ended or (None if trigger == "avgduration" else started),
                starts_at=started if status == FIRING and trigger != "avgduration" else None,
                ends_at=ended or started,
                address=first_link(run.get("permalink"), run.get("href"), job.get("permalink"), job.get("href")),
                extra={**extra_of(body, _KNOWN), **unread, **({"execution": about} if about else {})},
            ),
        ),
        replay_id=replay,
    )  # fmt: skip


def _said(*told: Any) -> str:
    """The first word that is known: where a job ends with a status of its own, the trigger tells what it means."""
    known = STATUSES.keys() | SILENT
    return next((words(said) for said in told if plain(said) in known), first_words(*told))
