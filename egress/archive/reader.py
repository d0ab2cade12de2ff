"""Reads messages back from the archive, exactly as the pipeline last told them."""

from dataclasses import dataclass
from typing import Any

from domain.cascade.states import Cascade
from schemas.codec import Codec
from schemas.sql.pool import loan

MAX_ID = 200


@dataclass(frozen=True, slots=True)
class PostgresArchive:
    """Implements `domain.ports.Archive`; `pool` is asyncpg's."""

    pool: Any
    codec: Codec

    async def message(self, tenant_id: str, message_id: str) -> Cascade | None:
        """The last state of a message of this tenant; TransientError when PostgreSQL is away or slow."""
        if len(message_id) > MAX_ID or not message_id.isprintable():
            return None
        async with loan(self.pool) as connection:
            octets = await connection.fetchval(
                'select "cascade" from messages where tenant_id = $1 and message_id = $2', tenant_id, message_id
            )
        if octets is None:
            return None
        value = self.codec.decode(octets)
        if not isinstance(value, Cascade):
            raise TypeError(f"the archive holds a {type(value).__name__} where a Cascade belongs")
        return value
