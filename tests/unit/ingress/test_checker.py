"""Proving secrets: what is remembered, what is refused unchecked, how little a stranger can burn."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import bcrypt
import pytest

from domain.errors import TransientError
from ingress.checker import (
    GUESSES_AT_ONCE,
    LOOKUPS_PER_S,
    MAX_WAITING,
    PROVED_TTL_MS,
    REFUSED_TTL_MS,
    Kind,
    SecretChecker,
    Stored,
)

RIGHT = Stored(bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode(), "key-1")


@dataclass
class World:
    """A clock, and a database that counts how often it is asked."""

    now: int = 0
    rows: dict[str, Stored] = field(default_factory=lambda: {"a": RIGHT})
    asked: int = 0
    error: Exception | None = None


@dataclass
class Given:
    world: World
    checker: SecretChecker

    async def prove(self, name: str, secret: str, *, known: bool = False, kind: Kind = "key") -> str | None:
        async def find() -> Stored | None:
            self.world.asked += 1
            if self.world.error:
                raise self.world.error
            return self.world.rows.get(name)

        return await self.checker.key_id(kind, name, secret, find, known=known)


@pytest.fixture
async def case() -> AsyncIterator[Given]:
    world = World()
    checker = SecretChecker(lambda: world.now, rounds=4)
    yield Given(world, checker)
    await checker.close()


async def test_a_right_secret_is_proved_once_and_remembered_for_five_minutes(case: Given) -> None:
    assert await case.prove("a", "right") == "key-1"
    case.world.now = PROVED_TTL_MS - 1
    assert await case.prove("a", "right") == "key-1"
    assert case.world.asked == 1
    case.world.now = PROVED_TTL_MS
    assert await case.prove("a", "right") == "key-1"
    assert case.world.asked == 2


async def test_a_wrong_secret_is_remembered_for_ten_seconds(case: Given) -> None:
    assert await case.prove("a", "wrong") is None
    assert await case.prove("a", "wrong") is None
    assert case.world.asked == 1
    case.world.now = REFUSED_TTL_MS
    assert await case.prove("a", "wrong") is None
    assert case.world.asked == 2


async def test_the_same_secret_at_once_is_checked_once(case: Given) -> None:
    assert await asyncio.gather(*(case.prove("a", "right") for _ in range(50))) == ["key-1"] * 50
    assert case.world.asked == 1


async def test_a_caller_that_leaves_does_not_take_the_others_along(case: Given) -> None:
    first, second = asyncio.create_task(case.prove("a", "right")), asyncio.create_task(case.prove("a", "right"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "key-1"


async def test_what_is_proved_for_one_name_proves_nothing_for_another(case: Given) -> None:
    case.world.rows["b"] = Stored(bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode(), "key-2")
    assert await case.prove("a", "right") == "key-1"
    assert await case.prove("b", "right") is None


@pytest.mark.parametrize("secret", ["", "x" * 73, "æ" * 37, "nul\0", "\ud800"])
async def test_what_bcrypt_would_cut_or_misread_is_refused_unasked(case: Given, secret: str) -> None:
    assert await case.prove("a", secret) is None
    assert case.world.asked == 0
    with pytest.raises(ValueError, match="octets"):
        await case.checker.hash(secret)


async def test_guesses_at_one_name_run_out_and_come_back_slowly(case: Given) -> None:
    for n in range(GUESSES_AT_ONCE):
        assert await case.prove("a", f"guess{n}") is None
    assert await case.prove("a", "right") is None
    case.world.now = 2_000
    assert await case.prove("a", "right") == "key-1"


async def test_guessing_does_not_shut_out_a_secret_that_was_proved_before(case: Given) -> None:
    assert await case.prove("a", "right") == "key-1"
    case.world.now = PROVED_TTL_MS
    for n in range(GUESSES_AT_ONCE + 1):
        await case.prove("a", f"guess{n}")
    assert await case.prove("a", "right") == "key-1"


async def test_a_flood_of_made_up_names_reaches_the_database_so_often_and_no_more(case: Given) -> None:
    answers = await asyncio.gather(*(case.prove(f"made-up-{n}", "x") for n in range(LOOKUPS_PER_S + 50)))
    assert set(answers) == {None}
    assert case.world.asked == LOOKUPS_PER_S
    assert await case.prove("a", "right", known=True) == "key-1"


async def test_an_absent_name_is_not_looked_up_for_each_secret(case: Given) -> None:
    assert [await case.prove("nobody", f"s{n}") for n in range(20)] == [None] * 20
    assert case.world.asked == 1


async def test_more_checks_than_may_wait_are_told_to_come_again(case: Given) -> None:
    names = [f"n{n}" for n in range(MAX_WAITING + 30)]
    case.world.rows |= dict.fromkeys(names, RIGHT)
    answers = await asyncio.gather(*(case.prove(n, "right") for n in names), return_exceptions=True)
    assert answers.count("key-1") == MAX_WAITING
    assert sum(isinstance(a, TransientError) for a in answers) == 30


async def test_a_database_that_is_away_is_a_transient_error_for_all_who_wait_and_no_guess(case: Given) -> None:
    case.world.error = TransientError("away", 1)
    for _ in range(GUESSES_AT_ONCE + 1):
        answers = await asyncio.gather(*(case.prove("a", "right") for _ in range(3)), return_exceptions=True)
        assert all(isinstance(a, TransientError) for a in answers)
    case.world.error = None
    assert await case.prove("a", "right") == "key-1"


async def test_a_hash_matches_its_secret_alone(case: Given) -> None:
    made = await case.checker.hash("s3cret")
    assert await case.checker.matches("s3cret", made)
    assert not await case.checker.matches("S3cret", made)
    assert not await case.checker.matches("s" * 73, made)


async def test_a_flood_over_one_protocol_does_not_shut_out_another(case: Given) -> None:
    await asyncio.gather(*(case.prove(f"made-up-{n}", "x") for n in range(LOOKUPS_PER_S + 1)))
    assert await case.prove("a", "right") is None
    assert await case.prove("a", "right", kind="smpp") == "key-1"


async def test_guesses_at_a_known_name_do_not_reach_the_database_once_they_ran_out(case: Given) -> None:
    for n in range(GUESSES_AT_ONCE + 20):
        await case.prove("a", f"guess{n}", known=True)
    assert case.world.asked == GUESSES_AT_ONCE
