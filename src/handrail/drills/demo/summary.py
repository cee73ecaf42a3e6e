"""What came of it, for people as a score and for programs as `summary.json`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from handrail import __version__
from handrail.drills.demo.auditing import Auditing
from handrail.drills.demo.journal import Outcome
from handrail.drills.demo.telling import Score
from handrail.kernel.clock import to_text

_TIMES = (
    ("detect_seconds", "To detect", "first symptom to candidate"),
    ("declare_seconds", "To declare", "candidate to declaration"),
    ("mitigate_seconds", "To mitigate", "first symptom to rollback"),
    ("recover_seconds", "To recover", "first symptom to a quiet signal"),
)
_PEOPLE = (
    ("incident.declared", "declared"),
    ("incident.role_given", "roles given"),
    ("run.started", "plans chosen"),
    ("task.claimed", "tasks taken"),
    ("task.done", "tasks done"),
    ("message.edited", "messages edited"),
    ("gate.voted", "decisions at gates"),
    ("incident.closed", "closed"),
    ("review.accepted", "reviews accepted"),
)
_MACHINES = (
    ("finding.made", "causes named"),
    ("proposal.made", "actions proposed"),
    ("action.finished", "approved actions carried out"),
    ("check.finished", "recoveries checked by signal"),
    ("message.delivered", "messages delivered"),
    ("incident.half_done", "halves of stages completed"),
)


@dataclass(frozen=True)
class Result:
    """Everything that is known at the end, whether the story held or not."""

    database: str
    address: str
    data_dir: Path
    started_at: datetime
    seconds: float
    outcomes: Sequence[Outcome]
    outcome: Mapping[str, Any] | None = None
    alerts: int = 0
    audit: Auditing | None = None
    export_kept: bool = True

    @property
    def ok(self) -> bool:
        """The story is whole only with the record checked at its end."""
        return all(one.ok for one in self.outcomes) and self.audit is not None and self.audit.verified


def score(result: Result) -> Score:
    assert result.outcome is not None and result.audit is not None
    times, acts = result.outcome["times"], result.outcome["acts"]
    return Score(
        times=(
            *((f"{label} ({span})", _seconds(times[key])) for key, label, span in _TIMES),
            ("Bad release to recovered service", _seconds(_between(result.outcomes, "release", "recover"))),
        ),
        people=_counted(acts.get("person", {}), _PEOPLE),
        machines=(("alerts taken in and grouped", result.alerts), *_counted(acts.get("machine", {}), _MACHINES)),
        record=(
            ("entries", str(result.audit.size)),
            ("root", result.audit.root[:24] + "…"),
            ("checked", "offline by verify.py, key kept from before"),
            ("export", str(result.audit.export) if result.export_kept else "not kept; --out DIR keeps it"),
        ),
    )


def write(path: Path, result: Result) -> None:
    """`summary.json`; it is there whole or not at all."""
    content = {
        "ok": result.ok,
        "version": __version__,
        "database": result.database,
        "address": result.address,
        "data_dir": str(result.data_dir),
        "started_at": to_text(result.started_at),
        "seconds": round(result.seconds, 3),
        "steps": [one.as_json() for one in result.outcomes],
        "times": dict(result.outcome["times"]) if result.outcome else {},
        "acts": dict(result.outcome["acts"]) if result.outcome else {},
        "record": result.audit.as_json() if result.audit else None,
    }
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


def _counted(counts: Mapping[str, int], words: Sequence[tuple[str, str]]) -> tuple[tuple[str, int], ...]:
    return tuple((label, counts[kind]) for kind, label in words if counts.get(kind))


def _between(outcomes: Sequence[Outcome], first: str, second: str) -> float | None:
    at = {one.step.name: one.at for one in outcomes}
    return (at[second] - at[first]).total_seconds() if first in at and second in at else None


def _seconds(value: float | None) -> str:
    return "not reached" if value is None else f"{value:.1f} s"
