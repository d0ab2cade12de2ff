"""Unit tests of ingress.smtp."""
