"""One message becomes one submission for each recipient, and their verdicts one reply."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.cascade.rule import DEFAULT_MAX_DURATION_MS, CascadeRule, Step
from domain.errors import FieldError, TransientError
from domain.message import Recipient, SendRequest, Submission
from domain.tenant import ApiKey
from domain.verdict import Verdict
from ingress.normalise import fingerprint_of
from ingress.smtp.reading import Content, ContentError, read_content
from ingress.smtp.replies import BUSY, is_temporary, line, lines, refusal
from ingress.smtp.services import Services
from ingress.smtp.settings import SmtpServerSettings

MAX_KEY_CHARS: Final = 255
LARGE_OCTETS: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Submitter:
    """Hands messages over for tenants that have authenticated."""

    services: Services
    settings: SmtpServerSettings

    async def submit(self, key: ApiKey, recipients: Sequence[str], raw: bytes) -> str:
        """The reply to a message: a 250 says that every message it names is durable.

        When all recipients are refused, or any of them for now, the reply refuses the whole: a client that repeats it meets
        the same Message-ID, and whoever was accepted before is not sent to twice. When some are refused for good, the reply
        is a 250 that tells them.
        """
        try:
            # a large one takes too long to keep all other sessions waiting
            large = len(raw) > LARGE_OCTETS
            content = (
                await asyncio.to_thread(read_content, raw, self.settings) if large else read_content(raw, self.settings)
            )
        except ContentError as error:
            return line(error.reply)
        submissions = self._submissions(key, recipients, content)
        try:
            async with asyncio.timeout(self.settings.answer_ms / 1_000):
                verdicts = await self.services.desk.submit(submissions)
        except (TransientError, TimeoutError):
            return BUSY
        return _reply(recipients, verdicts, content)

    def _submissions(self, key: ApiKey, recipients: Sequence[str], content: Content) -> list[Submission]:
        services = self.services
        now_ms = services.clock()
        rule = services.config.rule(key.tenant_id, content.rule_id) if content.rule_id else None
        errors: tuple[FieldError, ...] = ()
        if content.rule_id and rule is None:
            errors = (FieldError("X-Hermes-Rule", "unknown_rule", "must be the id of one of your cascade rules"),)
        digest = _digest(content)
        trace_id = services.new_id().replace("-", "")
        return [
            Submission(
                message_id=f"msg-{services.new_id()}",
                tenant_id=key.tenant_id,
                key_id=key.key_id,
                kind="send",
                protocol="smtp",
                slot=services.desk.slot,
                idempotency_key=idempotency_key(content.message_id, recipient),
                fingerprint=hashlib.sha256(digest + recipient.encode()).digest(),
                received_at_ms=now_ms,
                config_version=services.config.version,
                trace_id=trace_id,
                request=None if errors else _request(recipient, content, rule),
                errors=errors,
            )
            for recipient in recipients
        ]


def idempotency_key(message_id: str, recipient: str) -> str:
    """What makes a repetition recognisable: Message-ID and recipient, their SHA-256 when they do not fit a key.

    Empty without a Message-ID: such a message is new each time.
    """
    if not message_id:
        return ""
    written = f"{message_id} {recipient}"
    if len(written) <= MAX_KEY_CHARS and written.isprintable():
        return written
    return "sha256:" + hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()


def _request(recipient: str, content: Content, rule: CascadeRule | None) -> SendRequest:
    return SendRequest(
        to=Recipient("email", email=recipient),
        body=content.body,
        steps=rule.steps if rule else (Step("email"),),
        confirmation=rule.confirmation if rule else "delivered",
        max_duration_ms=rule.max_duration_ms if rule else DEFAULT_MAX_DURATION_MS,
        rule_id=content.rule_id,
        metadata=content.metadata,
        reference=content.reference,
        sender=content.sender,
    )


def _digest(content: Content) -> bytes:
    """What two messages share that say the same: not the Received and Date fields, which a repetition may change."""
    body = content.body
    said = [body.text, body.html, body.subject, content.sender, content.reference, content.metadata, content.rule_id]
    return fingerprint_of(said)


def _reply(recipients: Sequence[str], verdicts: Sequence[Verdict], content: Content) -> str:
    told = [
        (to, v.message_id, refusal(v.reject) if v.reject else "") for to, v in zip(recipients, verdicts, strict=True)
    ]
    refused = [reply for _, _, reply in told if reply]
    for_now = [reply for reply in refused if is_temporary(reply)]
    if for_now or len(refused) == len(told):
        return (for_now or refused)[0]
    note = f" ({content.left_out} inline parts left out)" if content.left_out else ""
    if len(told) == 1:
        return line(f"250 2.0.0 Ok: queued as {told[0][1]}{note}")
    rest = [f"<{to}> refused: {reply}" if reply else f"<{to}> queued as {message_id}" for to, message_id, reply in told]
    return lines(f"250 2.0.0 Ok: {len(told) - len(refused)} of {len(told)} queued{note}", rest)
