"""Unit tests of schemas.mail."""
