"""Signatures of providers: a callback is taken for theirs when it verifies, a request of ours carries theirs."""
