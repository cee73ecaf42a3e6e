"""Policy: versioned rules that say what is automatic, what needs whom, and what is forbidden.

First match in the order written; what no rule names is forbidden.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from handrail.domain.people import Eligible, IncidentRole, Role
from handrail.kernel.errors import Fault

VerdictKind = Literal["auto", "approve", "forbid"]

SERVICE_OWNER = "$service_owner"
NOBODY = Eligible()
_KNOWN_ROLES = {str(role) for role in Role} | {str(role) for role in IncidentRole}
_CONDITIONS = {"act", "action", "risk", "tier", "severity", "audience"}
_RULE_KEYS = {"name", "when", "verdict", "approvers", "quorum", "escalate_to", "open_for_minutes"}


@dataclass(frozen=True)
class Rule:
    name: str
    when: dict[str, tuple[str, ...]]
    verdict: VerdictKind
    approvers: Eligible = NOBODY
    quorum: int = 1
    escalate_to: Eligible = NOBODY
    open_for_minutes: int = 30


@dataclass(frozen=True)
class Policy:
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Act:
    """A hypothetical or real act, as far as policy looks at it. `act`: action, message, readiness, document, severity.

    `service_owner` is the team that owns the service acted on.
    """

    act: str
    action: str = ""
    risk: str = ""
    tier: int = 3
    severity: str = ""
    audience: str = ""
    service_owner: str | None = None


@dataclass(frozen=True)
class Ruling:
    """A verdict with the rule that gave it, so that it can be explained."""

    verdict: VerdictKind
    rule: str
    approvers: Eligible = NOBODY
    quorum: int = 1
    escalate_to: Eligible = NOBODY
    open_for_minutes: int = 30


def judge(policy: Policy, act: Act) -> Ruling:
    """The first rule that matches decides; without one the act is forbidden."""
    for rule in policy.rules:
        if _matches(rule, act):
            return Ruling(
                verdict=rule.verdict, rule=rule.name, approvers=_resolve(rule.approvers, act), quorum=rule.quorum,
                escalate_to=_resolve(rule.escalate_to, act), open_for_minutes=rule.open_for_minutes,
            )  # fmt: skip
    return Ruling("forbid", "no rule matches")


def _matches(rule: Rule, act: Act) -> bool:
    facts = {
        "act": act.act, "action": act.action, "risk": act.risk, "tier": str(act.tier),
        "severity": act.severity, "audience": act.audience,
    }  # fmt: skip
    return all(any(fnmatchcase(facts[key], word) for word in words) for key, words in rule.when.items())


def _resolve(eligible: Eligible, act: Act) -> Eligible:
    teams = tuple(
        team for team in (act.service_owner if t == SERVICE_OWNER else t for t in eligible.teams) if team is not None
    )
    return Eligible(roles=eligible.roles, teams=teams, people=eligible.people)


def from_document(document: Any) -> tuple[Policy, list[Fault]]:
    """Read a policy document; returns every fault, each at its JSON pointer."""
    faults: list[Fault] = []
    if not isinstance(document, dict) or document.get("kind") != "policy":
        return Policy(()), [Fault("/kind", "A policy document starts with “kind: policy”.")]
    written = document.get("rules")
    if not isinstance(written, list) or not written:
        return Policy(()), [Fault("/rules", "A policy needs a list of rules; without one everything is forbidden.")]
    rules = []
    for position, item in enumerate(written):
        rule = _rule(item, f"/rules/{position}", faults)
        if rule:
            rules.append(rule)
    names = [rule.name for rule in rules]
    faults += [Fault("/rules", f"The rule name “{name}” stands twice.") for name in set(names) if names.count(name) > 1]
    return Policy(tuple(rules)), faults


def _rule(item: Any, where: str, faults: list[Fault]) -> Rule | None:
    before = len(faults)
    if not isinstance(item, dict):
        faults.append(Fault(where, "A rule is a mapping with name, when and verdict."))
        return None
    faults += [Fault(f"{where}/{key}", f"“{key}” is not known here.") for key in item if key not in _RULE_KEYS]
    name: Any = item.get("name")
    verdict: Any = item.get("verdict")
    if not isinstance(name, str) or not name:
        faults.append(Fault(f"{where}/name", "A rule needs a name, so that a verdict can be explained."))
    if verdict not in ("auto", "approve", "forbid"):
        faults.append(Fault(f"{where}/verdict", "Write auto, approve or forbid."))
    when = _conditions(item.get("when", {}), f"{where}/when", faults)
    approvers = _eligible(item.get("approvers"), f"{where}/approvers", faults)
    escalate_to = _eligible(item.get("escalate_to"), f"{where}/escalate_to", faults)
    if verdict == "approve" and approvers == NOBODY:
        faults.append(Fault(f"{where}/approvers", "Nobody could approve: name roles, teams or people."))
    quorum, minutes = item.get("quorum", 1), item.get("open_for_minutes", 30)
    if not isinstance(quorum, int) or isinstance(quorum, bool) or not 1 <= quorum <= 10:
        faults.append(Fault(f"{where}/quorum", "Write a whole number from 1 to 10."))
    if not isinstance(minutes, int) or isinstance(minutes, bool) or not 1 <= minutes <= 1440:
        faults.append(Fault(f"{where}/open_for_minutes", "Write whole minutes from 1 to 1440."))
    if len(faults) > before:
        return None
    return Rule(str(name), when, verdict, approvers, quorum, escalate_to, minutes)


def _conditions(written: Any, where: str, faults: list[Fault]) -> dict[str, tuple[str, ...]]:
    if not isinstance(written, dict):
        faults.append(Fault(where, "“when” is a mapping from a condition to a word or a list of words."))
        return {}
    for key in written:
        if key not in _CONDITIONS:
            faults.append(Fault(f"{where}/{key}", f"“{key}” is no condition; known: {', '.join(sorted(_CONDITIONS))}."))
    return {
        str(key): tuple(str(word) for word in (words if isinstance(words, list) else [words]))
        for key, words in written.items()
    }


def _eligible(written: Any, where: str, faults: list[Fault]) -> Eligible:
    if written is None:
        return NOBODY
    if not isinstance(written, dict) or set(written) - {"roles", "teams", "people"}:
        faults.append(Fault(where, "Name approvers by roles, teams or people, each a list."))
        return NOBODY
    parts: dict[str, tuple[str, ...]] = {}
    for key, names in written.items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            faults.append(Fault(f"{where}/{key}", "Write a list of names."))
            continue
        parts[key] = tuple(names)
    for role in parts.get("roles", ()):
        if role not in _KNOWN_ROLES or role == Role.MACHINE:
            faults.append(Fault(f"{where}/roles", f"“{role}” is not a role that may approve."))
    return Eligible(parts.get("roles", ()), parts.get("teams", ()), parts.get("people", ()))
