"""What the simulated peers say that they took: the carrier's book by text, the mail host's by recipient."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

MAX_BOOK_OCTETS = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Books:
    """The two files; a file that is not there yet is empty."""

    carrier: Path
    mx: Path

    def texts(self) -> Counter[str]:
        """How often the carrier accepted each text."""
        return _column(self.carrier, "text")

    def mailboxes(self) -> Counter[str]:
        """How often the mail host accepted a mail for each mailbox."""
        return _column(self.mx, "recipient")


def _column(path: Path, name: str) -> Counter[str]:
    """The values of one field, counted; a last line that is still being written is left for the next reading."""
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_BOOK_OCTETS)
    except FileNotFoundError:
        return Counter()
    whole = octets[: octets.rfind(b"\n") + 1]
    return Counter(str(json.loads(line).get(name, "")) for line in whole.splitlines())
