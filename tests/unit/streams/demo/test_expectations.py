"""What holds and what does not, and the sentence for it; the order of events with gaps that are allowed."""

from itertools import chain, product

from hypothesis import given
from hypothesis import strategies as st

from streams.demo.expectations import MAX_GOT_CHARS, Checks, Result, failures, follows

WORDS = st.lists(st.sampled_from(["a", "b", "a?", "b?"]), max_size=5)


def result(*checks: tuple[str, object, object]) -> Result:
    noted = Checks()
    for what, got, wanted in checks:
        noted.equal(what, got, wanted)
    return Result("it works", 5, tuple(noted.expectations), ())


def test_a_failed_expectation_is_one_sentence_with_what_was_seen_and_what_was_wanted() -> None:
    found = failures([result(("it is green", "red", "green"), ("it is round", True, True))])
    assert found == ["it works: expected that it is green, but got red instead of green."]


def test_a_result_is_ok_when_everything_held() -> None:
    assert result(("one is one", 1, 1)).ok
    assert not result(("one is one", 1, 1), ("one is two", 1, 2)).ok


def test_a_scenario_that_checked_nothing_is_not_ok_and_says_so() -> None:
    assert not result().ok
    assert failures([result()]) == ["it works: nothing was checked."]


def test_what_was_seen_is_cut_to_a_length_that_can_be_read() -> None:
    checks = Checks()
    checks.expect("it is short", False, "x" * 10_000)
    assert len(checks.expectations[0].got) == MAX_GOT_CHARS + 1


def test_events_follow_in_order_with_nothing_missing_but_what_may_be() -> None:
    wanted = ("accepted", "sent 1?", "receipt 1")
    assert follows(wanted, ["accepted", "sent 1", "receipt 1"])
    assert follows(wanted, ["accepted", "receipt 1"])
    assert not follows(wanted, ["accepted", "sent 1"])
    assert not follows(wanted, ["sent 1", "accepted", "receipt 1"])
    assert not follows(wanted, ["accepted", "receipt 1", "receipt 1"])


@given(WORDS, st.lists(st.sampled_from("ab"), max_size=5))
def test_events_follow_exactly_when_some_choice_of_the_optional_ones_is_what_came(
    wanted: list[str], got: list[str]
) -> None:
    choices = product(*[([one[0]], []) if one.endswith("?") else ([one],) for one in wanted])
    assert follows(wanted, got) == any(list(chain(*choice)) == got for choice in choices)
