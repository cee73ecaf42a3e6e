"""One sentence for each type of entry: what happened, as a person tells it. Who did it stands beside.

An unknown type is told by its own name, so that a newer record can be read by an older page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from handrail.domain.gate import Gate
from handrail.domain.message import Message
from handrail.domain.run import Run
from handrail.store.queries import EntryView
from handrail.web.presenters.names import Names, role_words

_STAGE_PASSED = "The stage is now {}."
_LONG_CHARS = 220


@dataclass(frozen=True)
class Told:
    """What sentences look up: nouns by id, so that an entry that names a task is told with its title."""

    names: Names
    runs: Mapping[str, Run] = field(default_factory=dict)
    gates: Mapping[str, Gate] = field(default_factory=dict)
    messages: Mapping[str, Message] = field(default_factory=dict)

    def task(self, entry: EntryView) -> str:
        run, task_id = self.runs.get(_id(entry)), str(entry.body.get("task_id", ""))
        task = run.tasks.get(task_id) if run else None
        return task.plan.title if task else task_id

    def gate(self, entry: EntryView) -> str:
        gate = self.gates.get(_id(entry))
        return gate.subject.title if gate else "the question"

    def audience(self, entry: EntryView) -> str:
        message = self.messages.get(_id(entry))
        return message.audience if message else "its audience"


Sentence = Callable[[EntryView, Mapping[str, Any], Told], str]


def sentence(entry: EntryView, told: Told) -> str:
    """`entry` in words. Text that was erased is said to be so."""
    make = SENTENCES.get(entry.type)
    said = {**entry.body, **(entry.personal or {})}
    if make is None:
        return f"{entry.type.replace('_', ' ').replace('.', ' ')}."
    try:
        words = make(entry, said, told)
    except (KeyError, TypeError, AttributeError):
        # An entry of another version may lack what the sentence is made of; its type still says what it is.
        words = f"{entry.type.replace('_', ' ').replace('.', ' ')}."
    return words + (" Its text was erased." if entry.erased else "")


def _id(entry: EntryView) -> str:
    return entry.stream.partition("/")[2]


def _quoted(said: Mapping[str, Any], name: str = "words") -> str:
    """A person's own words behind a colon, when there are any."""
    words = str(said.get(name) or "").strip()
    return f": {_short(words)}" if words else "."


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= _LONG_CHARS else one_line[: _LONG_CHARS - 1] + "…"


def _plural(count: int, one: str) -> str:
    return f"{count} {one if count == 1 else one + 's'}"


def _declared(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    suggested = said.get("suggested_severity")
    how = "" if not suggested else ", as suggested" if suggested == said["severity"] else f" instead of {suggested}"
    return f"Declared INC-{said['number']} as {said['severity']}{how}{_quoted(said, 'title')}"


def _finding(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    return f"{_short(said['claim'])} Confidence {said['confidence']} of 100."


def _vote(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    verb = "Approved" if said["vote"] == "approve" else "Rejected"
    return f"{verb} “{told.gate(entry)}”{_quoted(said)}"


def _overdue(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    return f"Overdue: {told.task(entry)}. Told {told.names.owner(said['told'])}."


def _blocked(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    return f"{told.task(entry)}: {said['why']}"


def _action_finished(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    how = "Carried out" if said["status"] == "done" else "Failed"
    probed = " Found so after a crash, by asking." if said.get("found_by_probe") else ""
    return f"{how}: {told.task(entry)}. {said['detail']}{probed}"


def _authorised(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    authority = said["authority"]
    by = "its gate" if authority["kind"] == "gate" else "the policy"
    return f"Authorised by {by} ({authority['rule']}): {told.task(entry)}."


def _check(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    return f"{'Check passed' if said['passed'] else 'Check failed'}: {said['detail']}"


def _resolved(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    choices = {"happened": "It did happen", "did_not": "It did not happen", "look_again": "Look again"}
    return f"{choices[said['choice']]}: {told.task(entry)}{_quoted(said)}"


def _delivery_failed(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    after = "It is tried again." if said.get("retry_at") else "It is given up."
    return f"Message to {told.audience(entry)} not delivered over {said['channel']}: {_short(said['why'])} {after}"


def _candidate(verb: str) -> Sentence:
    def make(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
        services = ", ".join(said["services"]) or "no named service"
        suggestion = f"{said['suggested_severity']} is suggested: {said['severity_reason']}"
        return f"{_plural(len(said['members']), 'alert')} of {services} {verb}. {suggestion}"

    return make


def _taken(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    where = "to another candidate" if said["into"] else "out of the candidate"
    return f"{_plural(len(said['alert_ids']), 'alert')} moved {where}; {said['left']['count']} left{_quoted(said)}"


def _put(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    how = "came in by merging another candidate" if said["all_of_it"] else "put in"
    services = ", ".join(said["whole"]["services"]) or "no named service"
    return f"{_plural(said['count'], 'alert')} {how}; {said['whole']['count']} now, of {services}{_quoted(said)}"


def _corrected(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    if not said["apart_from"] and not said["together_with"]:
        return f"{_plural(len(said['alone']), 'alert')} kept out of every candidate for a day."
    how = "apart and together" if said["apart_from"] and said["together_with"] else ""
    how = how or ("apart" if said["apart_from"] else "together")
    return f"Later alerts of {_plural(len(said['kinds']), 'kind')} are kept {how} as a person put them."


_KNOWN_BY = {"verified": "its signature", "token": "its token", "unsigned": "its network alone"}


def _change(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    by = f" by {said['author']}" if said.get("author") else ""
    before = f" (before: {said['previous_version']})" if said.get("previous_version") else ""
    what = " ".join(filter(None, [said.get("service"), said.get("version")])) or said["title"]
    known = f" The source {said['source']} was known by {_KNOWN_BY[said['verdict']]}." if said.get("verdict") else ""
    return f"{str(said['kind']).capitalize()} of {what}{before}{by}.{known}"


def _role(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    return f"{told.names.of(said['account_id'])} is {role_words(said['role'])}."


def _severities(said: Mapping[str, Any]) -> str:
    mapping = said["mapping"]
    words = ", ".join(f"“{_short(word)}” is {rung}" for word, rung in sorted(mapping["words"].items()))
    label = f"; the word is taken from the label {_short(mapping['label'])}" if mapping["label"] else ""
    return f"A source's severities are read so: {words or 'as its format has them'}{label}."


def _password(entry: EntryView, said: Mapping[str, Any], told: Told) -> str:
    kind = "One-time password" if said["one_time"] else "Password"
    return f"{kind} set for {told.names.of(_id(entry))}."


_SILENCES = {"silence": "Silenced", "maintenance": "Planned maintenance for", "shelve": "Shelved"}


def _simple(text: str) -> Sentence:
    return lambda entry, said, told: text


def _about_task(text: str, words: str = "") -> Sentence:
    """A sentence about a task, with a person's words where the entry holds some under `words`."""
    return lambda entry, said, told: f"{text}: {told.task(entry)}{_after(said, words)}"


def _after(said: Mapping[str, Any], words: str) -> str:
    text = str(said.get(words) or "").strip() if words else ""
    return f". {_short(text)}" if text else "."


def _about_message(text: str) -> Sentence:
    return lambda entry, said, told: text.format(**{**said, "audience": told.audience(entry)})


SENTENCES: dict[str, Sentence] = {
    "incident.declared": _declared,
    "incident.role_given": _role,
    "incident.severity_changed": lambda e, s, t: f"Severity changed to {s['severity']}{_quoted(s)}",
    "incident.half_done": lambda e, s, t: f"{s['stage'].capitalize()}, {s['half']} half done: {s['what']}.",
    "incident.stage_reached": lambda e, s, t: _STAGE_PASSED.format(s["stage"]),
    "incident.note_added": lambda e, s, t: f"Note{_quoted(s)}",
    "incident.services_added": lambda e, s, t: f"Also affected: {', '.join(s['services'])}.",
    "incident.readiness_asked": _simple("Asked for readiness to be signed off."),
    "incident.mitigated": _simple("Mitigated: the action has taken effect."),
    "incident.recovered": _simple("Recovered: the signal is healthy again."),
    "incident.closed": _simple("Closed the incident."),
    "gate.opened": lambda e, s, t: f"Put to approval: {s['subject']['title']}.",
    "gate.voted": _vote,
    "gate.satisfied": lambda e, s, t: f"Consent reached: {t.gate(e)}.",
    "gate.rejected": lambda e, s, t: f"Rejected: {t.gate(e)}.",
    "gate.escalated": lambda e, s, t: f"Nobody decided in time, so more people may now: {t.gate(e)}.",
    "gate.expired": lambda e, s, t: f"Expired with no decision: {t.gate(e)}.",
    "gate.withdrawn": lambda e, s, t: f"Taken back: {t.gate(e)}{_quoted(s)}",
    "gate.voided": lambda e, s, t: f"Void: {t.gate(e)}. {s['why']}",
    "run.started": lambda e, s, t: f"Started the run {s['runbook'].replace('-', ' ')}.",
    "run.finished": _simple("Every task of the run is done."),
    "run.cancelled": lambda e, s, t: f"Cancelled the run{_quoted(s)}",
    "task.opened": _about_task("Task opened"),
    "task.claimed": _about_task("Task taken"),
    "task.blocked": _blocked,
    "task.done": _about_task("Task done", "result"),
    "task.skipped": _about_task("Task skipped", "words"),
    "task.failed": _about_task("Task failed", "why"),
    "task.overdue": _overdue,
    "task.message_drafted": _about_task("Message drafted for"),
    "action.authorised": _authorised,
    "action.started": _about_task("Being carried out"),
    "action.finished": _action_finished,
    "action.outcome_unknown": lambda e, s, t: f"Nobody can tell whether it happened: {t.task(e)}. {s['detail']}",
    "action.unknown_resolved": _resolved,
    "check.started": _about_task("Watching the signal"),
    "check.finished": _check,
    "message.drafted": _about_message("Drafted a message to {audience}."),
    "message.edited": _about_message("Edited the message to {audience}."),
    "message.submitted": _about_message("Put the message to {audience} to approval."),
    "message.approved": _about_message("Message to {audience} may be sent."),
    "message.rejected": _about_message("Message to {audience} was not approved."),
    "message.sending": _about_message("Sending the message to {audience} over {channel}."),
    "message.delivered": _about_message("Message to {audience} delivered over {channel}."),
    "message.delivery_failed": _delivery_failed,
    "finding.made": _finding,
    "finding.superseded": _simple("An earlier finding was replaced by a newer one."),
    "proposal.made": lambda e, s, t: f"Proposed: {_short(str(s['preview'].get('summary') or s['action']))}",
    "proposal.chosen": _simple("Chose the proposal."),
    "proposal.declined": lambda e, s, t: f"Declined the proposal{_quoted(s)}",
    "review.drafted": _simple("Wrote the review's draft from the record."),
    "review.edited": lambda e, s, t: f"Wrote the review's part “{s['section']}”.",
    "review.accepted": _simple("Accepted the review."),
    "candidate.opened": _candidate("look like one incident"),
    "candidate.grown": _candidate("joined"),
    "candidate.declared": _simple("The candidate was declared an incident."),
    "candidate.alerts_taken": _taken,
    "candidate.alerts_put": _put,
    "candidate.merged": lambda e, s, t: f"Merged the candidate into another{_quoted(s)}",
    "correction.made": _corrected,
    "correction.ended": _simple("A correction teaches nothing any more."),
    "candidate.dismissed": lambda e, s, t: f"Dismissed the candidate{_quoted(s)}",
    "account.created": lambda e, s, t: f"Account made, {', '.join(s['roles'])}{_quoted(s, 'name')}",
    "account.roles_set": lambda e, s, t: f"Roles set to {', '.join(s['roles'])} for {t.names.of(_id(e))}.",
    "account.deactivated": lambda e, s, t: f"Closed the account of {t.names.of(_id(e))}.",
    "account.password_set": _password,
    "account.token_made": lambda e, s, t: f"Token “{s['name']}” made for {t.names.of(_id(e))}.",
    "account.token_revoked": lambda e, s, t: f"Token revoked for {t.names.of(_id(e))}.",
    "account.signed_in": lambda e, s, t: f"{t.names.of(_id(e))} signed in.",
    "source.added": lambda e, s, t: f"Source {s['name']} added ({s['integration'].replace('_', ' ')}).",
    "source.secret_made": _simple("A source got a token."),
    "source.secret_retired": _simple("A source's token was retired."),
    "source.removed": _simple("A source was removed."),
    "source.signing_secret_set": lambda e, s, t: (
        f"A source got a signing secret, {'given by a person' if s['given'] else 'made here'}."
    ),
    "source.confirmation_asked": lambda e, s, t: f"A sender asks to be confirmed for {_short(str(s['topic']))}.",
    "source.confirmation_answered": lambda e, s, t: (
        "Agreed that a sender is called back." if s["agreed"] else "Dismissed what a sender asked to have confirmed."
    ),
    "source.confirmation_called": lambda e, s, t: (
        f"The sender {'was' if s['confirmed'] else 'could not be'} confirmed{_quoted(s, 'detail')}"
    ),
    "source.severities_set": lambda e, s, t: _severities(s),
    "source.rate_set": lambda e, s, t: (
        f"A source may send {s['alerts_per_second']} alerts a second."
        if s["alerts_per_second"]
        else "A source may send as many alerts a second as any other."
    ),
    "source.heartbeat_set": lambda e, s, t: (
        f"Silence of a source for {s['every_seconds']} s is an alert from now on."
        if s["every_seconds"]
        else "Silence of a source is nothing any more."
    ),
    "source.pull_set": lambda e, s, t: (
        f"Metrics are pulled from {_short(str(s['pull']['url']))} every {s['pull']['every_seconds']} s, "
        f"{'one query' if len(s['pull']['queries']) == 1 else str(len(s['pull']['queries'])) + ' queries'}."
    ),
    "source.pull_ended": _simple("Metrics of a source are pulled no more."),
    "silence.added": lambda e, s, t: (
        f"{_SILENCES[s['what']]} alerts where "
        + " and ".join(f"{one['field']}{one['how']}{one['value']}" for one in s["matchers"])
        + f", until {s['ends_at']}{_quoted(s, 'reason')}"
    ),
    "silence.began": _simple("A silence is in force."),
    "silence.ended": lambda e, s, t: "A silence was ended." if s["by"] else "A silence came to its end.",
    "silence.released": lambda e, s, t: f"{_plural(s['alerts'], 'alert')} that a silence held back placed anew.",
    "quarantine.retried": lambda e, s, t: (
        f"Read a kept payload of {s['source']} again: {_plural(s['accepted'], 'occurrence')} accepted."
    ),
    "document.proposed": lambda e, s, t: f"Proposed version {s['version']} of {s['kind']} {s['name']}.",
    "document.adopted": lambda e, s, t: f"Version {s['version']} of {s['kind']} {s['name']} is in force.",
    "document.declined": lambda e, s, t: f"Version {s['version']} was not adopted.",
    "change.reported": _change,
    "alerts.received": lambda e, s, t: f"Received {_plural(s['count'], 'occurrence')} of alerts, under one root.",
    "record.erased": lambda e, s, t: f"Erased the personal text of entry {s['index']}{_quoted(s)}",
    "record.exported": lambda e, s, t: f"Exported the record up to entry {s['size'] - 1}.",
    "investigation.asked": _simple("Asked the analyst to look again."),
}  # fmt: skip
