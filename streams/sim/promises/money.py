"""Promises about money: every account adds up, each reservation is resolved once, and the price is the one of the plan."""

from collections.abc import Iterator

from domain.billing.money import LedgerEntry, is_sound
from schemas.topics import LEDGER
from streams.sim.promises.broken import Broken
from streams.sim.promises.seen import Seen


def accounts(seen: Seen) -> Iterator[Broken]:
    """Each account is sound, has what was granted, and is the sum of its entries, which are numbered without a gap."""
    entries = _entries(seen)
    for tenant_id, granted in seen.world.granted.items():
        account, own = seen.world.account(tenant_id), [e for e in entries.values() if e.tenant_id == tenant_id]
        if not is_sound(account) or account.granted_micros != granted:
            yield Broken(f"the account of {tenant_id} does not add up to {granted}: {account}")
        if account.reserved_micros:
            yield Broken(f"{account.reserved_micros} are still reserved on the account of {tenant_id}")
        for what, kept, total in (
            ("available", account.available_micros, sum(e.available_micros for e in own)),
            ("reserved", account.reserved_micros, sum(e.reserved_micros for e in own)),
            ("spent", account.spent_micros, sum(e.spent_micros for e in own)),
        ):
            if kept != total:
                yield Broken(f"{kept} is {what} on the account of {tenant_id} and its entries come to {total}")
        for reserves, last in ((True, account.reserve_seq), (False, account.seq)):
            numbers = sorted(e.seq for e in own if (e.kind == "reserve") is reserves)
            if numbers != list(range(1, last + 1)):
                yield Broken(f"the entries of {tenant_id} are numbered {numbers} and the account counts {last}")


def ledger(seen: Seen) -> Iterator[Broken]:
    """An entry's id is one movement, and each message has one reservation and one resolution of all of it."""
    told: dict[str, LedgerEntry] = {}
    for entry in seen.world.read(LEDGER):
        if told.setdefault(entry.entry_id, entry) != entry:
            yield Broken(f"the entry {entry.entry_id} is two movements", entry.message_id)
    by_message: dict[str, list[LedgerEntry]] = {}
    for entry in told.values():
        if entry.message_id:
            by_message.setdefault(entry.message_id, []).append(entry)
    for message_id, own in by_message.items():
        kinds = sorted("reserve" if e.kind == "reserve" else "resolve" for e in own)
        left_micros = sum(e.reserved_micros for e in own)
        if kinds != ["reserve", "resolve"] or left_micros:
            yield Broken(f"its movements are {[(e.kind, e.reserved_micros) for e in own]}", message_id)


def charges(seen: Seen) -> Iterator[Broken]:
    """A message costs what the attempt costs that reached its recipient, and nothing when none did and that is the deal."""
    entries, found = _entries(seen), seen.replays
    for message_id in seen.accepted:
        entry, last = entries.get(f"resolve:{message_id}"), found[message_id].last
        spent = entry.spent_micros if entry else 0
        if not last.is_final:
            continue
        if spent != last.charged_micros or spent > last.reserved_micros:
            yield Broken(f"{spent} was spent for it and it says {last.charged_micros}", message_id)
        if last.state == "delivered" and not spent:
            yield Broken("it was delivered for nothing", message_id)
        if last.state != "delivered" and last.plan.charge_on == "delivered" and spent:
            yield Broken(f"it is {last.state} and cost {spent}", message_id)


def _entries(seen: Seen) -> dict[str, LedgerEntry]:
    return {entry.entry_id: entry for entry in seen.world.read(LEDGER)}
