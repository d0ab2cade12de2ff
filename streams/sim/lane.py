"""The lane that is simulated: its tenants, keys and routes, what a client asks for, and the moment at which it all begins."""

from dataclasses import replace
from typing import Final

from domain.cascade.rule import Step
from domain.message import Body, Recipient, SendRequest
from domain.tenant import ApiKey, Route, Tenant
from schemas.catalogue import codec
from tables.config import ConfigValue

START_MS: Final = 1_790_000_000_000
"""2026-09-21T14:13:20Z, a Monday."""

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

CODEC: Final = codec()

TENANT: Final = Tenant(
    "t-acme", "Acme", "business", "active", rate_per_s=10_000, from_domain="acme.example", sender_id="Acme"
)
KEY: Final = ApiKey("k-1", TENANT.tenant_id, "main", ("send", "read"))
GRANTED_MICROS: Final = 1_000_000_000

SMALL: Final = replace(TENANT, tenant_id="t-small", name="Small", rate_per_s=3, charge_on="sent", has_webhook=True)
"""A tenant with little money and a low rate, which pays for sending and wants callbacks."""
SMALL_KEY: Final = ApiKey("k-2", SMALL.tenant_id, "main", ("send",))
SMALL_GRANTED_MICROS: Final = 100_000

TELIA: Final = Route("r-dk", "sms", "+45", "telia", 30_000, 12_000)
MAIL: Final = Route("r-mail", "email", "", "default", 1_000, 100)
SECOND: Final = Route("r-dk-2", "sms", "+45", "tdc", 40_000, 9_000, path="aggregator")
"""A second way to the same numbers: dearer to the tenant, tried when the first was."""

SETTING: Final[tuple[ConfigValue, ...]] = (TENANT, KEY, TELIA, MAIL)
"""The configuration of a plain lane."""


def request(*steps: Step) -> SendRequest:
    """What a client asks for when it says nothing else but the steps."""
    return SendRequest(
        Recipient("multi", email="ann@customer.example", phone="+4520123456"),
        Body("Your parcel is here", subject="Parcel"), steps or (Step("sms", MINUTE_MS),), "delivered", DAY_MS,
    )  # fmt: skip
