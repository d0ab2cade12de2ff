"""submit_sm, from its checks to the verdict: what is wrong by itself, receipts made durable, the desk."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from domain.errors import TransientError
from domain.message import Submission
from domain.ports import ConfigView, Desk
from domain.verdict import Verdict
from ingress.addresses import Phone
from ingress.smpp import refusals
from ingress.smpp.caller import Caller
from ingress.smpp.ids import PREFIX, client_id
from ingress.smpp.numbers import destination_of, sender_of
from ingress.smpp.receipt_store import ReceiptWanted
from ingress.smpp.recent import Recent
from ingress.smpp.registrar import Registrar
from ingress.smpp.request import fingerprint_of, idempotency_key_of, request_of, times_of
from ingress.smpp.settings import SmppServerSettings
from ingress.smpp.wishes import receipts_of
from schemas.smpp import status as s
from schemas.smpp import submit_check
from schemas.smpp.content import Content, content_of
from schemas.smpp.pdu import ShortMessage

NOT_IN_TIME: Final = "the pipeline did not answer in time"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is answered: a status, our message id if the desk gave one, its part, and a sentence that says why not."""

    status: int
    message_id: str = ""
    detail: str = ""
    part: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A message or a part of one that is right by itself, and by whom it came."""

    message: ShortMessage
    content: Content
    system_id: str


@dataclass(frozen=True, slots=True)
class Job:
    """A submission, the message that it came from, and the receipts that were asked for."""

    submission: Submission
    message: ShortMessage
    receipts: tuple[ReceiptWanted, ...]


@dataclass(frozen=True, slots=True)
class Submitter:
    """Turns messages into submissions and verdicts into statuses. `clock` is ms since 1970, `new_id` gives UUIDs."""

    settings: SmppServerSettings
    desk: Desk
    config: ConfigView
    registrar: Registrar
    recent: Recent
    clock: Callable[[], int]
    new_id: Callable[[], str]

    def judge(self, caller: Caller, message: ShortMessage) -> Part | int:
        """The message, or the status of what is wrong with it by itself."""
        status = submit_check.check(message, datetime.fromtimestamp(self.clock() / 1000, UTC))
        if status != s.ESME_ROK:
            return status
        for found in (_phone(message, caller), _sender(message), times_of(message, self.clock())):
            if isinstance(found, int):
                return found
        key = idempotency_key_of(message, caller.profile)
        if isinstance(key, int):
            return key
        content = content_of(message, caller.profile.default_alphabet, packed=caller.profile.packed)
        if content is None:
            return refusals.not_text(vendor=caller.profile.vendor_statuses)
        return Part(message, content, caller.system_id)

    async def send(self, caller: Caller, parts: Sequence[Part], message_id: str = "") -> Outcome:
        """Hand over a message, whole.

        `message_id` is the one that its parts were answered with already: what becomes of their receipts when the message
        is refused is the caller's to say then.
        """
        job = self._job(caller, parts, message_id)
        if isinstance(job, int):
            return Outcome(job)
        return (await self._hand_over(caller, [job], forget=not message_id))[0]

    async def send_multi(self, caller: Caller, messages: Sequence[ShortMessage]) -> list[Outcome]:
        """Hand over one message for each destination of a submit_multi, all receipts under the first one's id."""
        found: list[Job | int] = []
        first_id = ""
        for message in messages:
            part = self.judge(caller, message)
            if isinstance(part, Part) and part.content.place is not None:
                part = s.ESME_RINVESMCLASS  # a part of a long message goes to one destination
            job = part if isinstance(part, int) else self._job(caller, (part,), receipt_id=first_id)
            if isinstance(job, Job):
                first_id = first_id or client_id(job.submission.message_id)
            found.append(job)
        outcomes = iter(await self._hand_over(caller, [job for job in found if isinstance(job, Job)]))
        return [next(outcomes) if isinstance(job, Job) else Outcome(job) for job in found]

    async def _hand_over(self, caller: Caller, jobs: Sequence[Job], *, forget: bool = True) -> list[Outcome]:
        """The outcomes in order. Nothing is accepted before its receipts are durable, and the desk has said so."""
        if not jobs:
            return []
        try:
            async with asyncio.timeout(self.settings.answer_timeout_ms / 1000):
                await self.registrar.add([receipt for job in jobs for receipt in job.receipts])
                verdicts = await self.desk.submit([job.submission for job in jobs])
        except (TransientError, TimeoutError):
            return [Outcome(s.ESME_RSYSERR, detail=NOT_IN_TIME)] * len(jobs)
        outcomes = []
        for job, verdict in zip(jobs, verdicts, strict=True):
            if forget and (verdict.reject is not None or verdict.message_id != job.submission.message_id):
                self.registrar.forget(job.receipts)
            outcomes.append(_outcome(verdict, caller))
            if verdict.reject is None and not verdict.replayed:
                await self._replace(caller, job.message, verdict.message_id)
        return outcomes

    def _job(self, caller: Caller, parts: Sequence[Part], message_id: str = "", *, receipt_id: str = "") -> Job | int:
        """The submission of a message; its first part says everything but the text."""
        now_ms, message = self.clock(), parts[0].message
        phone, sender, times = _phone(message, caller), _sender(message), times_of(message, now_ms)
        key = idempotency_key_of(message, caller.profile)
        if isinstance(phone, int) or isinstance(sender, int) or isinstance(times, int) or isinstance(key, int):
            return s.ESME_RINVEXPIRY  # only the time of a message can have run out since its first part was judged
        request = request_of(message, [part.content for part in parts], phone, sender, times, caller)
        message_id = message_id or f"{PREFIX}{self.new_id()}"
        submission = Submission(
            message_id=message_id,
            tenant_id=caller.tenant_id,
            key_id=caller.key.key_id,
            kind="send",
            protocol="smpp",
            slot=self.desk.slot,
            idempotency_key=f"{key}/{message.destination_addr}" if receipt_id and key else key,
            fingerprint=fingerprint_of(message, request.body.text),
            received_at_ms=now_ms,
            config_version=self.config.version,
            trace_id=client_id(message_id),
            request=request,
        )
        until_ms = max(now_ms, times.send_at_ms) + times.duration_ms + self.settings.keep_receipts_ms
        wanted: list[ReceiptWanted] = []
        for number, part in enumerate(parts, 1):
            named = (caller.tenant_id, message_id, number if len(parts) > 1 else 0)
            wanted += receipts_of(part.message, named, part.system_id, request.body.text, now_ms, until_ms, receipt_id)
        return Job(submission, message, tuple(wanted))

    async def _replace(self, caller: Caller, message: ShortMessage, message_id: str) -> None:
        """Cancel the message that an accepted one replaces (5.2.18); one that is under way already stays."""
        pair = (caller.tenant_id, message.source_addr, message.destination_addr)
        before = self.recent.newest(pair, message.service_type) if message.replace_if_present_flag else None
        self.recent.add(pair, message.service_type, message_id)
        if before is None:
            return
        try:
            async with asyncio.timeout(self.settings.answer_timeout_ms / 1000):
                await self.desk.cancel(caller.tenant_id, before)
        except (TransientError, TimeoutError):
            return  # the new message is accepted: that is what the client must be told


def _outcome(verdict: Verdict, caller: Caller) -> Outcome:
    reject = verdict.reject
    accepted = Outcome(s.ESME_ROK, verdict.message_id)
    if reject is None:
        return accepted
    status = refusals.status_of(reject, vendor=caller.profile.vendor_statuses)
    return replace(accepted, status=status, detail=f"{reject.code}: {reject.message}")


def _phone(message: ShortMessage, caller: Caller) -> Phone | int:
    return destination_of(message.dest_addr_ton, message.dest_addr_npi, message.destination_addr, caller.profile)


def _sender(message: ShortMessage) -> str | int:
    return sender_of(message.source_addr_ton, message.source_addr_npi, message.source_addr)
