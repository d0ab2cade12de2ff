"""`hermes demo`: start a fresh stack, send messages of every kind, check what became of each, and show it."""

from streams.demo.command import main

__all__ = ["main"]
