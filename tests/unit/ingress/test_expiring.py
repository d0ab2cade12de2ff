"""The bounded memory and the token bucket, by a clock of their own."""

from ingress.bucket import Bucket
from ingress.expiring import Expiring


class Clock:
    """Milliseconds that move when told to."""

    now = 0

    def __call__(self) -> int:
        return self.now


def test_a_value_is_forgotten_after_its_time() -> None:
    clock = Clock()
    memory: Expiring[str, int] = Expiring(10, 100, clock)
    memory.put("a", 1)
    clock.now = 99
    assert memory.get("a") == 1
    clock.now = 100
    assert memory.get("a") is None
    assert len(memory) == 0


def test_a_full_memory_forgets_the_oldest_and_a_repeat_makes_young() -> None:
    memory: Expiring[str, int] = Expiring(2, 100, Clock())
    memory.put("a", 1)
    memory.put("b", 2)
    memory.put("a", 3)
    memory.put("c", 4)
    assert [memory.get(k) for k in "abc"] == [3, None, 4]
    assert len(memory) == 2


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    bucket = Bucket(2, 3, clock)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.now = 500
    assert [bucket.take() for _ in range(2)] == [True, False]
    clock.now = 100_000
    assert sum(bucket.take() for _ in range(10)) == 3


def test_a_token_given_back_can_be_taken_again_and_none_is_made_up() -> None:
    bucket = Bucket(1, 1, Clock())
    bucket.give_back()
    assert [bucket.take(), bucket.take()] == [True, False]
    bucket.give_back()
    assert bucket.take()


def test_a_bucket_gives_what_it_has_of_many_and_says_how_long_the_next_takes() -> None:
    clock = Clock()
    bucket = Bucket(4, 5, clock)
    assert [bucket.take_some(3), bucket.take_some(9), bucket.take_some(1)] == [3, 2, 0]
    assert bucket.wait_ms() == 250
    clock.now = 250
    assert bucket.take_some(9) == 1
    bucket.give_back(9)
    assert bucket.wait_ms() == 0
    assert bucket.take_some(9) == 5
