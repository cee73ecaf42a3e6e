from handrail.signals.logs.compare import compare

USUAL = [f"served request {at} in {at % 7} ms" for at in range(50)] + ["cache warmed", ""]


def test_messages_are_counted_the_most_frequent_first() -> None:
    found = compare(USUAL)
    assert (found.lines, found.usual_lines, found.stopped) == (51, 0, ())
    assert [(one.template, one.count) for one in found.messages] == [
        ("served request <*> in <*> ms", 50), ("cache warmed", 1),
    ]  # fmt: skip
    assert found.messages[0].sample == "served request 0 in 0 ms"


def test_what_is_new_comes_first_and_what_stopped_is_apart() -> None:
    found = compare(["served request 7 in 1 ms"] * 9 + ["disk 3 failed\n"], USUAL)
    assert [(one.template, one.count, one.usual) for one in found.messages] == [
        ("disk <*> failed", 1, 0), ("served request <*> in <*> ms", 9, 50),
    ]  # fmt: skip
    assert found.messages[0].is_of_errors and not found.messages[1].is_of_errors
    assert [(one.template, one.usual) for one in found.stopped] == [("cache warmed", 1)]


def test_words_that_turn_out_to_be_values_are_one_message_in_both_logs() -> None:
    names = ["anna", "bert", "carl", "dora", "emil", "fred", "gina", "hans"]
    found = compare(
        [f"opened the door for {name}" for name in names[4:]], [f"opened the door for {n}" for n in names[:4]]
    )
    assert [(one.count, one.usual) for one in found.messages] == [(4, 4)]


def test_no_lines_are_no_messages() -> None:
    assert compare([]).messages == ()
