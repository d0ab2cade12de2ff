"""Which carrier takes an attempt, and why the others did not."""
