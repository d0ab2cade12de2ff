"""Tests of the bench's parts that need no broker."""
