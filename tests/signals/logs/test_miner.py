from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from handrail.kernel.limits import LIMITS
from handrail.signals.logs.miner import TemplateMiner

LINES = st.lists(st.text(max_size=60), max_size=40)


def texts(lines: list[str]) -> list[str]:
    miner = TemplateMiner()
    for line in lines:
        miner.add(line)
    miner.merge()
    return sorted(template.text for template in miner.templates() if template.lines)


def test_lines_that_differ_in_values_share_a_template() -> None:
    assert texts(["pump 17 at 10.1.2.3:8080 is hot", "pump 402 at 10.9.2.3:9090 is hot"]) == ["pump <*> at <*> is hot"]


def test_two_words_in_one_place_are_two_messages() -> None:
    assert texts(["link is up", "link is down"]) == ["link is down", "link is up"]


def test_many_words_in_one_place_are_a_parameter() -> None:
    names = ["otter", "heron", "stoat", "viper", "raven", "finch", "moose"]
    assert texts([f"loaded module {name} from cache" for name in names]) == ["loaded module <*> from cache"]


def test_a_first_word_tells_what_happened_however_many_there_are() -> None:
    verbs = ["starting", "stopping", "loading", "parking", "waking", "closing", "opening"]
    assert len(texts([f"{verb} the boiler" for verb in verbs])) == 7


def test_a_merged_group_is_known_by_one_id_and_counts_all_its_lines() -> None:
    miner = TemplateMiner()
    given = [miner.add(f"session closed for user {name}") for name in ("ann", "bob", "cem")]
    assert len(set(given)) == 3
    miner.merge()
    assert len({miner.group_of(group) for group in given}) == 1
    assert [template.lines for template in miner.templates()] == [3]


def test_a_line_after_the_merge_joins_the_merged_group() -> None:
    miner = TemplateMiner()
    given = [miner.add(f"session closed for user {name}") for name in ("ann", "bob")]
    miner.merge()
    given.append(miner.add("session closed for user dora"))
    miner.merge()
    assert len({miner.group_of(group) for group in given}) == 1


@given(LINES)
def test_no_line_crashes_it_and_every_line_has_a_template(lines: list[str]) -> None:
    miner = TemplateMiner()
    given = [miner.add(line) for line in lines]
    miner.merge()
    known = {template.group for template in miner.templates()}
    assert {miner.group_of(group) for group in given} <= known
    assert sum(template.lines for template in miner.templates()) == len(lines)


@given(LINES)
def test_equal_input_gives_equal_templates(lines: list[str]) -> None:
    assert texts(lines) == texts(lines)


def test_after_a_preposition_fewer_words_are_needed_for_a_parameter() -> None:
    assert texts([f"refused entry for {name} today" for name in ("ann", "bob", "cem", "dora")]) == [
        "refused entry for <*> today"
    ]


def test_states_in_capitals_are_different_messages() -> None:
    states = ["NEW", "READY", "RUNNING", "LOST", "DONE", "KILLED", "FAILED"]
    assert len(texts([f"task moved to {state} now" for state in states])) == 7


def test_names_that_differ_in_their_number_alone_are_a_parameter() -> None:
    assert texts(["carrier lost on eth0", "carrier lost on eth1"]) == ["carrier lost on <*>"]


def test_two_places_that_vary_together_are_two_parameters() -> None:
    names = ["otter", "heron", "stoat", "viper", "raven", "finch", "moose"]
    lines = [f"moved crate {one} beside crate {other} quickly" for one, other in zip(names, names[::-1], strict=True)]
    assert texts(lines) == ["moved crate <*> beside crate <*> quickly"]


def test_a_stream_of_ever_new_words_keeps_one_template() -> None:
    miner = TemplateMiner()
    for number in range(5_000):
        name = "".join(chr(97 + int(digit)) for digit in str(number))
        miner.add(f"opened door {name}q in the hall")
    miner.merge()
    assert [(template.text, template.lines) for template in miner.templates()] == [
        ("opened door <*> in the hall", 5_000)
    ]


def test_past_the_bound_on_templates_lines_share_one() -> None:
    miner = TemplateMiner(limits=replace(LIMITS, log_templates=3))
    given = [miner.add(word) for word in ("ant", "bee", "cat", "dog", "eel")]
    assert given[3] == given[4]
    assert [(template.text, template.lines) for template in miner.templates()][-1] == ("<*>", 2)
