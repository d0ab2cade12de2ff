"""A meter that counts nothing: what the simulation gives the engine."""


class NoMeter:
    """Implements `streams.engine.Meter`."""

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """Nothing."""

    def observe(self, metric: str, value: float, **labels: str) -> None:
        """Nothing."""

    def set(self, metric: str, value: float, **labels: str) -> None:
        """Nothing."""
