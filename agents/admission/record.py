"""Layer 8, audit: what was asked is chained to what was asked before, before it is done."""

from dataclasses import dataclass

from agents.admission.admitting import Admitting
from agents.admission.edges import ROUTE
from agents.context import Context
from domain.audit.chain import chain, recipient_hash
from domain.message import Recipient
from tables.catalogue import CHAINS


@dataclass(frozen=True, slots=True)
class Record:
    """Prepares the audit entry; it becomes part of the chain with the answer."""

    salt_key: bytes

    def handle(self, value: Admitting, ctx: Context) -> None:
        """Chain the submission; it never refuses."""
        submission, request = value.submission, value.submission.request
        if request is not None and value.plan is not None:
            value.audit = chain(
                ctx.get(CHAINS, submission.tenant_id),
                submission.tenant_id,
                submission.message_id,
                recipient_hash(self.salt_key, submission.tenant_id, address_of(request.to)),
                tuple(s.step.channel for s in value.plan.steps),
                submission.key_id,
                submission.received_at_ms,
            )
        ctx.emit(ROUTE, submission.tenant_id, value)


def address_of(to: Recipient) -> str:
    """The address that names a recipient in hashes: the first that it has."""
    return to.email or to.phone or to.device_token or to.user_id
