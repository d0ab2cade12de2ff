"""`hermes fuzz`: hostile input for every parser of a stranger's octets, from a seed, with limits on time and memory."""

from streams.fuzz.command import main

__all__ = ["main"]
