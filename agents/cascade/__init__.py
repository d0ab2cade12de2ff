"""The cascade at work: follow what happens to a message, route its attempts, announce its states."""
