"""What is fuzzed: a function of octets that may only return, and what its inputs are made of."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any


class PropertyError(AssertionError):
    """A target's answer is not what it promises."""


@dataclass(frozen=True, slots=True)
class Target:
    """`run` takes one input, and catches the errors that the parser documents: whatever it raises is a finding."""

    name: str
    run: Callable[[bytes], Coroutine[Any, Any, None] | None]
    seeds: tuple[bytes, ...]
    tokens: tuple[bytes, ...] = ()
    generate: Callable[[Random], bytes] | None = None


def expect(condition: bool, what: str) -> None:
    """Raise PropertyError unless the condition holds."""
    if not condition:
        raise PropertyError(what)
