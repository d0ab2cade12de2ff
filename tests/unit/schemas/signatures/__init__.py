"""Tests of the signatures of providers."""
