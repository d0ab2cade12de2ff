"""Configuration as PostgreSQL keeps it: values as JSON, and keys as columns."""

from typing import Any

from pydantic import TypeAdapter

from domain.cascade.rule import CascadeRule
from domain.tenant import ApiKey, Route, Tenant

TENANTS: TypeAdapter[Tenant] = TypeAdapter(Tenant)
RULES: TypeAdapter[CascadeRule] = TypeAdapter(CascadeRule)
ROUTES: TypeAdapter[Route] = TypeAdapter(Route)


def json_of(adapter: TypeAdapter[Any], value: Tenant | CascadeRule | Route) -> str:
    """The JSON text of a value; a field that a later version adds takes its default when it is read."""
    return adapter.dump_json(value).decode()


def key_of(row: Any) -> ApiKey:
    """The key in a row of `api_keys`."""
    return ApiKey(
        key_id=row["key_id"],
        tenant_id=row["tenant_id"],
        label=row["label"],
        scopes=tuple(row["scopes"]),
        test=row["test"],
        rate_per_s=row["rate_per_s"],
        expires_at_ms=row["expires_at_ms"],
        revoked=row["revoked"],
    )


def is_storable(*texts: str) -> bool:
    """Whether PostgreSQL takes these as text: no NUL, no lone surrogate."""
    return all("\0" not in text and text.encode(errors="replace") == text.encode(errors="ignore") for text in texts)
