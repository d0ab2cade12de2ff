"""The roles: one file a process of Hermes, each with `run(context) -> exit status`."""
