"""submit_sm, from its checks to the verdict: what is wrong by itself, the whole of a long message, receipts, the desk."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from domain.errors import TransientError
from domain.message import Submission
from domain.ports import ConfigView, Desk
from domain.verdict import Verdict
from ingress.addresses import Phone
from ingress.smpp import refusals
from ingress.smpp.caller import Caller
from ingress.smpp.content import Content, content_of
from ingress.smpp.ids import PREFIX, client_id
from ingress.smpp.joining import Joiner, Outcome, Part, Whole
from ingress.smpp.numbers import destination_of, sender_of
from ingress.smpp.receipt_store import Kind, ReceiptKey, ReceiptWanted
from ingress.smpp.recent import Recent
from ingress.smpp.registrar import Registrar
from ingress.smpp.request import fingerprint_of, idempotency_key_of, request_of, times_of
from ingress.smpp.settings import SmppServerSettings
from schemas.smpp import status as s
from schemas.smpp import submit_check
from schemas.smpp.pdu import ShortMessage
from schemas.smpp.receipt import QUOTED_CHARACTERS

FAILURE_ONLY: Final = 2
INTERMEDIATE: Final = 0x10
"""Bits of registered_delivery (5.2.17)."""
NOT_IN_TIME: Final = "the pipeline did not answer in time"


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that can be sent; `part` is the one that completed it, zero for a message of one part."""

    parts: tuple[Part, ...]
    part: int = 0
    whole: Whole | None = None


@dataclass(frozen=True, slots=True)
class Waits:
    """Part `part` of a long message waits for the others."""

    outcome: "asyncio.Future[Outcome]"
    part: int


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
    joiner: Joiner
    registrar: Registrar
    recent: Recent
    clock: Callable[[], int]
    new_id: Callable[[], str]

    def take(self, caller: Caller, message: ShortMessage, *, may_wait: bool) -> Ready | Waits | Outcome:
        """Judge a submit_sm by itself and put it to the other parts of its message, if it has any."""
        part = self._judge(caller, message)
        if isinstance(part, int):
            return Outcome(part)
        place = part.content.place
        if place is None:
            return Ready((part,))
        if not may_wait:
            return Outcome(s.ESME_RMSGQFUL, detail="too many parts wait on this session")
        joined = self.joiner.add(caller.tenant_id, part, place)
        match joined:
            case Whole():
                return Ready(joined.parts, place.seq, joined)
            case Outcome():
                return joined
        return Waits(joined, place.seq)

    async def send(self, caller: Caller, ready: Ready) -> Outcome:
        """Hand a message over; all its parts learn the outcome."""
        outcome = Outcome(s.ESME_RSYSERR, detail=NOT_IN_TIME)
        try:
            job = self._job(caller, ready.parts)
            outcome = Outcome(job) if isinstance(job, int) else (await self.hand_over(caller, [job]))[0]
        finally:
            if ready.whole is not None:
                self.joiner.settle(ready.whole, outcome)
        return outcome

    async def send_multi(self, caller: Caller, messages: Sequence[ShortMessage]) -> list[Outcome]:
        """Hand over one message for each destination of a submit_multi, all receipts under the first one's id."""
        found: list[Job | int] = []
        first_id = ""
        for message in messages:
            part = self._judge(caller, message)
            job = part if isinstance(part, int) else self._job(caller, (part,), first_id)
            if isinstance(job, Job):
                first_id = first_id or client_id(job.submission.message_id)
            found.append(job)
        outcomes = iter(await self.hand_over(caller, [job for job in found if isinstance(job, Job)]))
        return [next(outcomes) if isinstance(job, Job) else Outcome(job) for job in found]

    async def hand_over(self, caller: Caller, jobs: Sequence[Job]) -> list[Outcome]:
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
            if verdict.reject is not None or verdict.message_id != job.submission.message_id:
                self.registrar.forget(job.receipts)
            outcomes.append(_outcome(verdict, caller))
            if verdict.reject is None and not verdict.replayed:
                await self._replace(caller, job.message, verdict.message_id)
        return outcomes

    def _judge(self, caller: Caller, message: ShortMessage) -> Part | int:
        """The part, or the status of what is wrong with it by itself."""
        now_ms = self.clock()
        status = submit_check.check(message, datetime.fromtimestamp(now_ms / 1000, UTC))
        if status != s.ESME_ROK:
            return status
        for found in (_phone(message, caller), _sender(message), times_of(message, now_ms)):
            if isinstance(found, int):
                return found
        key = idempotency_key_of(message, caller.profile)
        if isinstance(key, int):
            return key
        content = content_of(message, caller.profile)
        if content is None:
            return refusals.not_text(vendor=caller.profile.vendor_statuses)
        return Part(message, content)

    def _job(self, caller: Caller, parts: tuple[Part, ...], receipt_id: str = "") -> Job | int:
        """The submission of a message; its first part says everything but the text."""
        now_ms, message = self.clock(), parts[0].message
        phone, sender, times = _phone(message, caller), _sender(message), times_of(message, now_ms)
        key = idempotency_key_of(message, caller.profile)
        if isinstance(phone, int) or isinstance(sender, int) or isinstance(times, int) or isinstance(key, int):
            return s.ESME_RINVSCHED  # only a time can have passed since the part was judged
        contents: list[Content] = [part.content for part in parts]
        request = request_of(message, contents, phone, sender, times, caller)
        new_id = self.new_id()
        submission = Submission(
            message_id=f"{PREFIX}{new_id}",
            tenant_id=caller.tenant_id,
            key_id=caller.key.key_id,
            kind="send",
            protocol="smpp",
            slot=self.desk.slot,
            idempotency_key=key if not receipt_id or not key else f"{key}/{message.destination_addr}",
            fingerprint=fingerprint_of(message, request.body.text),
            received_at_ms=now_ms,
            config_version=self.config.version,
            trace_id=new_id.replace("-", ""),
            request=request,
        )
        until_ms = max(now_ms, times.send_at_ms) + times.duration_ms + self.settings.keep_receipts_ms
        receipts = tuple(
            receipt
            for number, part in enumerate(parts, 1)
            for receipt in _receipts(
                part.message, submission, caller, number if len(parts) > 1 else 0, receipt_id, until_ms
            )
        )
        return Job(submission, message, receipts)

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
    if reject is None:
        return Outcome(s.ESME_ROK, verdict.message_id)
    status = refusals.status_of(reject, vendor=caller.profile.vendor_statuses)
    return Outcome(status, detail=f"{reject.code}: {reject.message}")


def _phone(message: ShortMessage, caller: Caller) -> Phone | int:
    return destination_of(message.dest_addr_ton, message.dest_addr_npi, message.destination_addr, caller.profile)


def _sender(message: ShortMessage) -> str | int:
    return sender_of(message.source_addr_ton, message.source_addr_npi, message.source_addr)


def _receipts(
    message: ShortMessage, submission: Submission, caller: Caller, part: int, receipt_id: str, expires_at_ms: int
) -> list[ReceiptWanted]:
    """What registered_delivery asks for; a receipt of a part carries the id that the part was answered with."""
    wanted = message.registered_delivery
    kinds: list[Kind] = []
    if wanted & 0x03:
        kinds.append("final")
    if wanted & INTERMEDIATE:
        kinds.append("intermediate")
    text = submission.request.body.text if submission.request is not None else ""
    return [
        ReceiptWanted(
            ReceiptKey(caller.tenant_id, submission.message_id, part, kind),
            receipt_id or client_id(submission.message_id, part),
            caller.system_id,
            message.source_addr_ton,
            message.source_addr_npi,
            message.source_addr,
            message.dest_addr_ton,
            message.dest_addr_npi,
            message.destination_addr,
            wanted & 0x03 == FAILURE_ONLY,
            text[:QUOTED_CHARACTERS],
            submission.received_at_ms,
            expires_at_ms,
        )
        for kind in kinds
    ]
