"""What may be committed while work ends out of order."""

from hypothesis import given
from hypothesis import strategies as st

from egress.offsets import Progress


def test_nothing_is_committable_beyond_the_oldest_record_at_work() -> None:
    progress = Progress()
    for offset in (10, 11, 12):
        progress.begin(offset)
    progress.end(12)
    progress.end(11)
    assert (progress.committable, progress.at_work) == (10, 1)
    progress.end(10)
    assert (progress.committable, progress.at_work) == (13, 0)


def test_a_gap_in_the_offsets_is_passed() -> None:
    progress = Progress()
    progress.begin(5)
    progress.begin(9)
    progress.end(5)
    assert progress.committable == 9


def test_an_end_that_comes_twice_is_one() -> None:
    progress = Progress()
    progress.begin(1)
    progress.end(1)
    progress.end(1)
    assert progress.committable == 2


@given(st.lists(st.integers(0, 100), unique=True, min_size=1).map(sorted), st.randoms(use_true_random=False))
def test_whatever_the_order_nothing_unfinished_is_ever_committed(offsets: list[int], chance: object) -> None:
    progress, left = Progress(), list(offsets)
    for offset in offsets:
        progress.begin(offset)
    ending = list(offsets)
    chance.shuffle(ending)  # type: ignore[attr-defined]  # Hypothesis' Random
    for offset in ending:
        progress.end(offset)
        left.remove(offset)
        assert progress.committable == min(left, default=offsets[-1] + 1)
