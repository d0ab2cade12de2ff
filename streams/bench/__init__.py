"""`hermes bench`: what a hop, the codec, mail, a carrier and the whole path cost on this machine, and how it grows and fails."""

from streams.bench.command import main

__all__ = ["main"]
