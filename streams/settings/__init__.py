"""The settings: what `hermes.toml` may say, how it is read, and what the processes make of it."""
