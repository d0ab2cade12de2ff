"""Money: reservations are settled or released and credit is granted, each once, and the account is told who asks."""

from dataclasses import dataclass

from agents.context import Context
from domain.billing.money import (
    Account,
    AccountAsked,
    AccountTold,
    Grant,
    Resolution,
    Settle,
    apply,
    grant_entry,
    settle_entry,
)
from domain.evolve import evolve
from schemas.topics import DAY_MS, LEDGER, VERDICTS
from tables.catalogue import ACCOUNTS, RESOLUTIONS

KEEP_RESOLUTIONS_MS = 7 * DAY_MS
"""A resolution is repeated only when a pipeline process died over it, so within minutes."""

MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class KeepAccount:
    """The one writer of a tenant's account, together with layer 4 in the same partition."""

    def handle(self, value: Settle | Grant | AccountAsked, ctx: Context) -> None:
        """Apply a movement that is new, repeat one that this record made before, ignore any other repetition."""
        account = ctx.get(ACCOUNTS, value.tenant_id) or Account(value.tenant_id)
        if isinstance(value, AccountAsked):
            ctx.emit(VERDICTS, value.ask_id, AccountTold(value.ask_id, account), partition=value.slot)
            return
        entry = settle_entry(account, value) if isinstance(value, Settle) else grant_entry(account, value)
        known = ctx.get(RESOLUTIONS, entry.entry_id)
        if known is not None and known.offset != ctx.offset:
            return
        if known is not None:
            entry = known.entry
        else:
            ctx.put(RESOLUTIONS, entry.entry_id, Resolution(entry, ctx.offset, value.at_ms + KEEP_RESOLUTIONS_MS))
        if account.billing_offset < ctx.offset:
            account = evolve(apply(account, entry), billing_offset=ctx.offset)
            ctx.put(ACCOUNTS, value.tenant_id, account)
            ctx.gauge("hermes_billing_balance_remaining", account.available_micros / MICROS, tenant=value.tenant_id)
        ctx.emit(LEDGER, value.tenant_id, entry)
        if entry.kind == "settle":
            ctx.count("hermes_billing_messages_metered_total", tenant=value.tenant_id, channel=entry.channel)
