"""What a checker says: a sentence, and the message that it is about."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that does not hold; `message_id` is empty when it is about no message."""

    sentence: str
    message_id: str = ""


class BrokenPromiseError(Exception):
    """A run broke a promise."""

    def __init__(self, broken: Broken) -> None:
        super().__init__(broken.sentence)
        self.broken = broken
