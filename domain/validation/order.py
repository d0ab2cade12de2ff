"""The layers in the order of judgement; layer 8, the audit entry, is the shell's: it judges nothing."""

from domain.validation import (
    l0_idempotency,
    l1_authentication,
    l2_tenant,
    l3_rate,
    l4_balance,
    l5_schema,
    l6_compliance,
    l7_content,
    l9_route,
)
from domain.validation.facts import Layer

LAYERS: tuple[tuple[int, str, Layer], ...] = (
    (0, "idempotency", l0_idempotency.check),
    (1, "authentication", l1_authentication.check),
    (2, "tenant", l2_tenant.check),
    (3, "rate", l3_rate.check),
    (4, "balance", l4_balance.check),
    (5, "schema", l5_schema.check),
    (6, "compliance", l6_compliance.check),
    (7, "content", l7_content.check),
    (9, "route", l9_route.check),
)
"""Number, name and check of each layer."""
