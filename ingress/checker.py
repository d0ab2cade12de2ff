"""Proves secrets against bcrypt hashes, off the event loop, seldom, and so that a stranger cannot burn the cores."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, TypeVar, get_args

import bcrypt

from domain.errors import TransientError
from ingress.bucket import Bucket
from ingress.credentials import MAX_SECRET_OCTETS
from ingress.expiring import Expiring
from ingress.times import monotonic_ms

ROUNDS = 10
"""The cost of new hashes: 58 ms of CPU a check."""
THREADS = 2
MAX_WAITING = 64
"""Checks that may wait for a thread; one more is told to come again."""
CHECK_TIMEOUT_MS = 5_000
PROVED_TTL_MS = 300_000
REFUSED_TTL_MS = 10_000
TRUSTED_TTL_MS = 24 * 3600 * 1000
MAX_REMEMBERED = 20_000
"""Entries of each memory."""
PRETENDED_PER_S = 4
"""Checks a second that are made for names that do not exist, so that the answer takes as long as for others."""
LOOKUPS_PER_S = 200
"""Names a second of one kind that nobody here has heard of and that are looked up all the same."""
GUESSES_PER_S, GUESSES_AT_ONCE = 0.5, 5
"""Secrets for one name that are checked when they turn out wrong; the rest is refused unchecked."""
RETRY_AFTER_MS = 1_000


@dataclass(frozen=True, slots=True)
class Stored:
    """A credential as the database has it: the bcrypt hash, and the key that it stands for."""

    secret_hash: str
    key_id: str


T = TypeVar("T")
Kind = Literal["key", "smpp", "smtp"]
Find = Callable[[], Awaitable[Stored | None]]


class SecretChecker:
    """Remembers what it proved by BLAKE2b (RFC 7693) under a key that this process alone has; secrets are not kept."""

    def __init__(self, now_ms: Callable[[], int] = monotonic_ms, rounds: int = ROUNDS) -> None:
        self._now_ms = now_ms
        self._rounds = rounds
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="bcrypt")
        self._fingerprint_key = secrets.token_bytes(32)
        self._dummy = bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt(rounds))
        self._proved: Expiring[bytes, str] = Expiring(MAX_REMEMBERED, PROVED_TTL_MS, now_ms)
        self._refused: Expiring[bytes, bool] = Expiring(MAX_REMEMBERED, REFUSED_TTL_MS, now_ms)
        self._trusted: Expiring[bytes, bool] = Expiring(MAX_REMEMBERED, TRUSTED_TTL_MS, now_ms)
        self._absent: Expiring[str, bool] = Expiring(MAX_REMEMBERED, REFUSED_TTL_MS, now_ms)
        self._guesses: Expiring[str, Bucket] = Expiring(MAX_REMEMBERED, PROVED_TTL_MS, now_ms)
        # one bucket a kind: a flood over one protocol does not shut out the others
        self._lookups = {kind: Bucket(LOOKUPS_PER_S, LOOKUPS_PER_S, now_ms) for kind in get_args(Kind)}
        self._pretended = Bucket(PRETENDED_PER_S, PRETENDED_PER_S, now_ms)
        self._pretending = asyncio.Semaphore(1)
        self._waiting = 0
        self._running: dict[bytes, asyncio.Task[str | None]] = {}

    async def key_id(self, kind: Kind, name: str, secret: str, find: Find, *, known: bool) -> str | None:
        """The key behind `name` when `secret` is its secret, else None.

        Args:
            kind: which credentials `name` is one of.
            name: the key's id or the user, encodable as UTF-8.
            secret: as the client sent it.
            find: reads the stored credential of `name`; None for none.
            known: whether the name is known to exist, so that a flood of made-up names does not get in its way.

        Raises:
            TransientError: too many checks are waiting, or the database is away.
        """
        octets = _octets(secret)
        if octets is None:
            return None
        place = f"{kind}/{name}"
        print_of = blake2b(place.encode() + b"\0" + octets, key=self._fingerprint_key, digest_size=32).digest()
        proved = self._proved.get(print_of)
        if proved is not None:
            return proved
        if self._refused.get(print_of):
            return None
        running = self._running.get(print_of)
        if running is None:
            running = asyncio.create_task(self._prove(print_of, kind, place, octets, find, known))
            self._running[print_of] = running
            running.add_done_callback(lambda task: self._done(print_of, task))
        return await asyncio.shield(running)

    async def hash(self, secret: str) -> str:
        """A new bcrypt hash; ValueError for a secret that is too long."""
        octets = _octets(secret)
        if octets is None:
            raise ValueError(f"a secret has 1 to {MAX_SECRET_OCTETS} octets, none of them NUL")
        return (await self._in_thread(lambda: bcrypt.hashpw(octets, bcrypt.gensalt(self._rounds)))).decode("ascii")

    async def matches(self, secret: str, secret_hash: str) -> bool:
        """Whether the hash is of this secret: one check, nothing remembered."""
        octets = _octets(secret)
        return octets is not None and await self._check(octets, secret_hash.encode())

    async def close(self) -> None:
        """No check runs any more."""
        for task in tuple(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _done(self, print_of: bytes, task: "asyncio.Task[str | None]") -> None:
        del self._running[print_of]
        if not task.cancelled():
            task.exception()  # whoever waited has it; when nobody waits any more, nobody needs it

    async def _prove(
        self, print_of: bytes, kind: Kind, place: str, octets: bytes, find: Find, known: bool
    ) -> str | None:
        trusted = self._trusted.get(print_of) is not None
        if not (known or trusted) and (self._absent.get(place) or not self._lookups[kind].take()):
            await self._pretend(octets)
            return None
        guesses = self._guesses_at(place)
        if not guesses.take() and not trusted:
            return None
        try:
            stored = await find()
            right = stored is not None and await self._check(octets, stored.secret_hash.encode())
        except TransientError:
            guesses.give_back()  # nothing was found out
            raise
        if stored is not None and right:
            guesses.give_back()
            self._proved.put(print_of, stored.key_id)
            self._trusted.put(print_of, True)
            return stored.key_id
        if stored is None:
            self._absent.put(place, True)
            await self._pretend(octets)
        self._refused.put(print_of, True)
        return None

    def _guesses_at(self, place: str) -> Bucket:
        bucket = self._guesses.get(place)
        if bucket is None:
            bucket = Bucket(GUESSES_PER_S, GUESSES_AT_ONCE, self._now_ms)
            self._guesses.put(place, bucket)
        return bucket

    async def _pretend(self, octets: bytes) -> None:
        if self._pretending.locked() or not self._pretended.take():
            return
        async with self._pretending:
            await self._check(octets, self._dummy)

    async def _check(self, octets: bytes, secret_hash: bytes) -> bool:
        return await self._in_thread(lambda: bcrypt.checkpw(octets, secret_hash))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise TransientError("too many secrets are being checked", RETRY_AFTER_MS)
        self._waiting += 1
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_MS / 1000):
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except TimeoutError as error:
            raise TransientError("a secret could not be checked in time", RETRY_AFTER_MS) from error
        finally:
            self._waiting -= 1


def _octets(secret: str) -> bytes | None:
    """What bcrypt is to see; None for what cannot be anybody's secret."""
    try:
        octets = secret.encode()
    except UnicodeEncodeError:
        return None
    return octets if 0 < len(octets) <= MAX_SECRET_OCTETS and b"\0" not in octets else None
