"""What earlier incidents teach: which kinds of alerts came together, how often, and how long that is believed."""

from datetime import UTC, datetime, timedelta

from handrail.domain.alert import Alert, AlertStatus, Occurrence, first
from handrail.domain.candidate import KindSeen
from handrail.domain.kind import Kind, kind_of, template
from handrail.kernel.limits import LIMITS
from handrail.signals.learned import Companion, Past, learn

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
QUEUE, LOGIN, DISK = Kind("prom", "mail", "QueueFull"), Kind("prom", "wiki", "LoginFails"), Kind("prom", "nas", "Disk")


def alert(title: str, **labels: str) -> Alert:
    said = Occurrence(title, AlertStatus.FIRING, title, "critical", "payments", labels=labels)
    return first(f"alr_{title}", "plain", said, "", "token", NOW)


def incident(days_ago: float, *kinds: Kind, minutes_between: float = 1) -> Past:
    opened_at = NOW - timedelta(days=days_ago)
    seen = (KindSeen(kind, opened_at + timedelta(minutes=minutes_between * n)) for n, kind in enumerate(kinds))
    return Past(opened_at, tuple(seen))


def test_kinds_that_came_together_in_most_incidents_are_companions() -> None:
    past = [incident(day, QUEUE, LOGIN) for day in range(4)] + [incident(1, QUEUE)]
    companion = learn(past, NOW).of(LOGIN)[QUEUE]
    assert (companion.together, companion.either) == (4, 5)
    assert companion.words == "in 4 of 5 earlier incidents both came together"
    assert learn(past, NOW).of(QUEUE) == {LOGIN: companion}


def test_twice_is_not_enough_and_rarely_is_not_either() -> None:
    assert learn([incident(day, QUEUE, LOGIN) for day in range(2)], NOW).companions == {}
    rare = [incident(1, QUEUE, LOGIN) for _ in range(3)] + [incident(1, QUEUE) for _ in range(4)]
    assert learn(rare, NOW).companions == {}


def test_kinds_of_one_service_or_far_apart_in_time_are_no_companions() -> None:
    other = Kind("prom", "mail", "Slow")
    assert learn([incident(1, QUEUE, other) for _ in range(5)], NOW).companions == {}
    late = [incident(1, QUEUE, LOGIN, minutes_between=11) for _ in range(5)]
    assert learn(late, NOW).companions == {}


def test_what_was_learned_fades_and_is_forgotten() -> None:
    def companion(days_ago: float) -> Companion | None:
        past = [incident(days_ago + day, QUEUE, LOGIN) for day in range(3)] + [incident(1, QUEUE)]
        return learn(past, NOW).of(QUEUE).get(LOGIN)

    young, old = companion(0), companion(25)
    assert young is not None and old is not None
    assert (young.points, old.points) == (21, 18)
    assert companion(60) is None


def test_the_order_in_which_incidents_are_read_does_not_matter() -> None:
    past = [incident(day, QUEUE, LOGIN, DISK) for day in range(5)]
    assert learn(past, NOW) == learn(list(reversed(past)), NOW)


def test_what_is_remembered_stays_within_its_bounds() -> None:
    many = tuple(Kind("prom", f"s{n}", "Down") for n in range(100))
    found = learn([incident(1, *many, minutes_between=0) for _ in range(200)], NOW)
    assert len(found.companions) == LIMITS.learned_kinds


def test_a_kind_is_the_rule_by_its_name_or_by_its_title_without_what_varies() -> None:
    assert template("Disk 97.5 % full on web-17 (deadbeef01)") == "Disk # % full on web-# (#)"
    one, other = alert("CPU 97 % on web-1"), alert("CPU 99 % on web-2")
    assert kind_of(one) == kind_of(other) == Kind("plain", "payments", "CPU # % on web-#")
    named = alert("CPU 97 %", alertname="HighCpu")
    assert (kind_of(named).name, kind_of(named).words) == ("HighCpu", "“HighCpu” on payments")
