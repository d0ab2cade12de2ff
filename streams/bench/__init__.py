"""`hermes bench`: what a hop, the SMPP codec and the whole path cost on this machine."""

from streams.bench.command import main

__all__ = ["main"]
