"""The cascade: one state machine a message, from its first step to its one final state."""
