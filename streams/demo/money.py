"""At the end the money adds up: what messages cost, what the accounts say, and what the ledger in PostgreSQL sums to."""

from typing import Any, Final

from egress.archive.ledger import LedgerCheck
from streams.demo.api import Api
from streams.demo.expectations import Checks
from streams.demo.patience import wait_for
from streams.demo.world import MAIN, SLOW, SMALL, World

PARTS: Final = ("available", "reserved", "spent", "granted")


async def balance(api: Api) -> dict[str, int]:
    """The account of a tenant in millionths: available, reserved, spent, granted; empty when the API does not tell."""
    answer = await api.call("GET", "/v1/tenants/me")
    told: dict[str, Any] = answer.body.get("balance", {})
    return {part: int(told[f"{part}_micros"]) for part in PARTS if f"{part}_micros" in told}


async def money(world: World, checks: Checks) -> None:
    """Check each tenant that has an account."""
    for name in (MAIN, SLOW, SMALL):
        account, ledger = await _settled(world, name)
        spent = account.get("spent", 0) - world.before.get(name, {}).get("spent", 0)
        checks.equal(f"{name} spent what its messages cost", spent, world.charged[name])
        checks.equal(f"nothing of {name} is reserved any more", account.get("reserved"), 0)
        total = sum(account.get(part, 0) for part in PARTS[:3])
        checks.equal(f"available, reserved and spent of {name} are what was granted", total, account.get("granted"))
        checks.expect(f"the ledger of {name} is complete and sound", ledger is not None and ledger.sound, ledger)
        checks.equal(f"the ledger of {name} sums to the account", sums(ledger), account)


async def _settled(world: World, name: str) -> tuple[dict[str, int], LedgerCheck | None]:
    """Account and ledger once they agree, or as they are after a while."""
    tenant_id = str(world.tenant(name)["tenant_id"])

    async def both() -> tuple[dict[str, int], LedgerCheck | None]:
        return await balance(world.apis[name]), await world.evidence.ledger(tenant_id)

    return await wait_for(
        both, lambda now: bool(now[0]) and not now[0].get("reserved") and sums(now[1]) == now[0], world.patience_ms
    )


def sums(ledger: LedgerCheck | None) -> dict[str, int]:
    """The sums of the entries, as an account."""
    if ledger is None:
        return {}
    return dict(
        zip(
            PARTS,
            (ledger.available_micros, ledger.reserved_micros, ledger.spent_micros, ledger.granted_micros),
            strict=True,
        )
    )
