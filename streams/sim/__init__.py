"""`hermes sim`: the whole lane in virtual time, with everything going wrong that may, from a seed; and what must hold then."""

from streams.sim.command import main

__all__ = ["main"]
