"""What the clients of a campaign saw: the answers to each message, callbacks, receipts. The product's books are elsewhere."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from streams.crash.items import Item


@dataclass(slots=True)
class Told:
    """What was answered to one message, however often it was handed in: `refusals` are codes that no repetition mends."""

    item: Item
    ids: set[str] = field(default_factory=set)
    refusals: set[str] = field(default_factory=set)
    answers: int = 0
    cancelled: bool = False
    """Whether a cancellation was answered 200."""

    @property
    def answered(self) -> bool:
        """Whether it was accepted or refused."""
        return bool(self.ids or self.refusals)


@dataclass(slots=True)
class History:
    """Grows while the campaign runs."""

    told: dict[str, Told] = field(default_factory=dict)
    callbacks: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By message: how often each event came."""
    receipts: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By message: how often a receipt said each state, in SMPP's words."""
    repeats: int = 0
    """Requests that had to be repeated, for they had no answer, or one that asks for it."""

    def begin(self, item: Item) -> Told:
        """The message is being handed in from now on."""
        return self.told.setdefault(item.tag, Told(item))

    def accepted(self, item: Item, message_id: str) -> None:
        """An answer names the message."""
        told = self.begin(item)
        told.answers += 1
        told.ids.add(message_id)

    def refused(self, item: Item, code: str) -> None:
        """An answer refuses it for good."""
        told = self.begin(item)
        told.answers += 1
        told.refusals.add(code)

    @property
    def ids(self) -> dict[str, Told]:
        """All that was accepted, by message id."""
        return {message_id: told for told in self.told.values() for message_id in told.ids}

    @property
    def open(self) -> list[str]:
        """The tags without an answer."""
        return [tag for tag, told in self.told.items() if not told.answered]

    def unheard(self) -> int:
        """How many accepted messages lack their callback, or their receipt when they came by SMPP."""
        return sum(
            message_id not in self.callbacks or (told.item.way == "smpp" and message_id not in self.receipts)
            for message_id, told in self.ids.items()
        )
