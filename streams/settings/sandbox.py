"""The settings without a file: simulated peers, and a demo tenant a tier."""

from typing import get_args

from domain.tenant import Tier
from streams.settings.model import EgressSettings, Settings
from streams.settings.tenants import TenantSettings

DEMO_BALANCE_MICROS = 5_000_000_000


def sandbox_settings() -> Settings:
    """Everything at its default; callbacks may go to one's own machine."""
    return Settings(egress=EgressSettings(webhooks_allow_private=True))


def demo_tenants() -> tuple[TenantSettings, ...]:
    """One tenant a tier."""
    return tuple(
        TenantSettings(
            name=f"Demo {tier.capitalize()}",
            tier=tier,
            from_domain=f"demo-{tier}.example",
            sender_id="Hermes",
            balance_micros=DEMO_BALANCE_MICROS,
        )
        for tier in get_args(Tier)
    )
