"""Insight: the Faust application that adds up what came and ended, by tenant and minute, and answers for it over HTTP."""
