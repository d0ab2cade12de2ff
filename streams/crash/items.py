"""The messages of a campaign: which one is handed in by which way, how its peers will treat it, how it may end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from streams.demo.world import DELIVERED, LATE, MAIL_DOMAIN, NO_RECEIPT, THROTTLED, UNDELIVERABLE

Json = dict[str, Any]
Way = Literal["single", "batch", "smpp", "smtp"]
Kind = Literal[
    "good", "late", "silent", "fallback", "bounce", "bad", "throttled", "mail", "full", "greylisted", "bounced", "twice",
    "scheduled", "cancel", "reused", "no number", "phrase", "poor", "probe",
]  # fmt: skip

BATCH: Final = 10
WAYS: Final[tuple[Way, ...]] = (*(("single",) * 16), *(("batch",) * BATCH), *(("smpp",) * 12), *(("smtp",) * 6))
"""The ways of so many messages in a row."""
KINDS: Final[Mapping[Way, tuple[Kind, ...]]] = {
    "single": (
        "good", "twice", "fallback", "late", "bounce", "scheduled", "good", "bad", "mail", "cancel", "throttled", "twice",
        "silent", "greylisted", "reused", "full", "no number", "phrase", "poor", "good", "fallback", "late", "mail", "good",
    ),
    "batch": ("good", "fallback", "mail", "good", "late", "bad", "no number"),
    "smpp": ("good", "twice", "late", "good", "bad", "silent"),
    "smtp": ("mail", "twice", "bounced", "greylisted"),
}  # fmt: skip
REFUSED: Final[frozenset[Kind]] = frozenset({"no number", "phrase", "poor"})
DELIVERED_END: Final = frozenset({"delivered"})
NOBODY_REACHED: Final = frozenset({"exhausted", "expired"})
ANY_END: Final = DELIVERED_END | NOBODY_REACHED | {"cancelled"}
ENDS: Final[Mapping[Kind, frozenset[str]]] = {
    "silent": NOBODY_REACHED, "bad": NOBODY_REACHED, "bounced": NOBODY_REACHED, "full": NOBODY_REACHED,
    "scheduled": frozenset({"cancelled"}), "cancel": ANY_END,
}  # fmt: skip
"""How a message ends when nothing is broken; what is not named is delivered."""
PHONES: Final[Mapping[Kind, str]] = {
    "late": LATE, "silent": NO_RECEIPT, "fallback": NO_RECEIPT, "bad": UNDELIVERABLE, "throttled": THROTTLED,
    "bounce": DELIVERED, "no number": "+45",
}  # fmt: skip
LOCALS: Final[Mapping[Kind, str]] = {
    "bounce": "bounced", "bounced": "bounced", "full": "full", "greylisted": "slow",
}  # fmt: skip
SHORT, LONG = "2s", "15s"
SMPP_VALIDITY: Final = "000000000020000R"
"""Twenty seconds (SMPP 3.4 section 7.1.1.2)."""
LONGEST_WAIT_MS: Final = 60_000
"""The longest that any of them waits for a receipt: mails handed in by SMTP have the default of a step."""


@dataclass(frozen=True, slots=True)
class Item:
    """One message: `tag` is its text, its key, its reference and part of its mailbox; `tenant` counts from 0."""

    tag: str
    number: int
    way: Way
    kind: Kind
    tenant: int

    @property
    def phone(self) -> str:
        """The number that an SMS of it goes to."""
        return PHONES.get(self.kind, f"+4520{self.number % 1_000_000:06}")

    @property
    def mailbox(self) -> str:
        """The mailbox that a mail of it goes to; no other message has it."""
        return f"{LOCALS.get(self.kind, 'delivered')}+{self.tag}@{MAIL_DOMAIN}"

    @property
    def ends(self) -> frozenset[str]:
        """The states that it may end in when nothing is broken meanwhile."""
        return ENDS.get(self.kind, DELIVERED_END)

    @property
    def refused(self) -> bool:
        """Whether it must not be accepted."""
        return self.kind in REFUSED

    @property
    def body(self) -> Json:
        """The request over REST."""
        text = f"{self.tag} guaranteed lottery win" if self.kind == "phrase" else self.tag
        return {
            "to": {"type": "multi", "phone": self.phone, "email": self.mailbox},
            "body": {"text": text, "subject": self.tag},
            "routing": {"type": "channels", "channels": self._steps()},
            "idempotency_key": self.tag,
            "reference": self.tag,
        }

    def _steps(self) -> list[Json]:
        sms, mail = {"channel": "sms", "timeout": LONG}, {"channel": "email", "timeout": LONG}
        hurried = {"channel": "sms", "timeout": SHORT, "max_retries": 0}
        match self.kind:
            case "silent":
                return [hurried]
            case "fallback":
                return [hurried, mail]
            case "bounce":
                return [mail, sms]
            case "mail" | "full" | "greylisted" | "bounced":
                return [mail]
        return [sms]


def item(run: str, number: int) -> Item:
    """Message `number` of a run."""
    way = WAYS[number % len(WAYS)]
    turn = number // len(WAYS) + number % len(WAYS)
    kind = KINDS[way][turn % len(KINDS[way])]
    tenant = 2 if kind == "poor" else number // BATCH % 2 if way in ("single", "batch") else 0
    if way == "batch":  # one tenant's key hands in the whole of it
        tenant = number // len(WAYS) % 2
    return Item(f"crash-{run}-{number:06}", number, way, kind, tenant)


def probe(run: str, number: int, *, by_mail: bool) -> Item:
    """What shows that the product works again."""
    base = Item(f"crash-{run}-probe-{number:05}", number, "single", "probe", 0)
    return Item(base.tag, number, "single", "mail", 0) if by_mail else base
