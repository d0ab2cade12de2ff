"""What the SMPP server counts."""

from typing import Protocol


class SmppMeter(Protocol):
    """Called for each thing that is counted; labels are bounded: names of commands and numbers of statuses."""

    def sessions(self, bound: int, unbound: int) -> None:
        """How many sessions there are now."""
        ...

    def bind(self, status: int) -> None:
        """A bind was answered."""
        ...

    def answered(self, command_id: int, status: int, seconds: float) -> None:
        """A request that may send or ask was answered."""
        ...

    def receipt(self, result: str) -> None:
        """A deliver_sm was `taken`, `refused`, `put_off`, `overdue` or `lost`."""
        ...

    def fault(self, what: str) -> None:
        """A peer did what it should not; `what` is one of a fixed set of words."""
        ...


class SilentMeter:
    """Counts nothing."""

    def sessions(self, bound: int, unbound: int) -> None:
        """Nothing."""

    def bind(self, status: int) -> None:
        """Nothing."""

    def answered(self, command_id: int, status: int, seconds: float) -> None:
        """Nothing."""

    def receipt(self, result: str) -> None:
        """Nothing."""

    def fault(self, what: str) -> None:
        """Nothing."""
