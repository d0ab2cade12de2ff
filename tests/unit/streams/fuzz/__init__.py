"""Unit tests of streams.fuzz."""
