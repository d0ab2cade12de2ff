"""Insight: the Faust application that counts what happens to messages, by minute, and answers for it over HTTP."""
