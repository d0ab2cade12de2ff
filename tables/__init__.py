"""The memory: typed, keyed state with a changelog."""
