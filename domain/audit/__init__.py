"""The append-only, hash-chained record of what was asked of Hermes."""
