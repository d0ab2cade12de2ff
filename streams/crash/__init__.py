"""`hermes crash`: kill every process at random under load, then check that nothing was lost, doubled or charged twice."""

from streams.crash.command import main

__all__ = ["main"]
