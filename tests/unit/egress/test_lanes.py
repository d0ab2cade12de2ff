"""The promises of a lane: intent before send, outcome before event, nothing sent twice unseen, nothing committed too early."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from domain.cascade.events import AttemptFailed, AttemptSent
from domain.delivery import AttemptDue, Failed, Outcome, Sent, Unknown
from egress.book import Book, submit_key
from egress.group import Record
from egress.lanes import MAX_RESENDS, Lane, Lanes, OnUnknown
from schemas.catalogue import codec
from schemas.rows import DeadRecord, Submit
from schemas.topics import CASCADE, DEADLETTERS, SUBMITS
from tables.store import MemoryStore
from tests.fakes.fake_egress import FakeCarrier, FakePublisher, FakeReader
from tests.fakes.sms_attempts import sms

CODEC = codec()
TOPIC = "hermes.smpp.telia.v1"
PLACE = (TOPIC, 0)
SENT = Sent(("id-1",))
TURNS = 2_000
WAIT_S = 5.0


@dataclass(slots=True)
class Rig:
    """One lane over fakes; `now_ms` is its clock."""

    outcomes: list[Outcome] = field(default_factory=lambda: [SENT])
    on_unknown: OnUnknown = "resend"
    most: int = 1_000
    now_ms: int = 0
    store: MemoryStore = field(default_factory=MemoryStore)
    story: list[tuple[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    reader: FakeReader = field(default_factory=FakeReader)
    publisher: FakePublisher = field(init=False)
    carrier: FakeCarrier = field(init=False)
    lane: Lane = field(init=False)
    lanes: Lanes = field(init=False)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.publisher = FakePublisher(CODEC, self.story)
        self.carrier = FakeCarrier(self.story, self.outcomes)
        self.lane = Lane("telia", TOPIC, self.carrier, self.most, self.on_unknown)
        publisher: Any = self.publisher  # the lanes need no more of one than the fake has
        book = Book(self.store, CODEC)
        self.lanes = Lanes(self.reader, publisher, book, {TOPIC: self.lane}, lambda: self.now_ms, self._count)

    def put(self, *dues: AttemptDue, first_offset: int = 0) -> None:
        """One batch of attempts."""
        self.reader.put(*(
            Record(TOPIC, 0, first_offset + n, due.message_id.encode(), CODEC.encode(due)) for n, due in enumerate(dues)
        ))  # fmt: skip

    async def run(self, until: Callable[[], object] | None = None) -> None:
        """Work until the condition (else: until all is done), then stop."""
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(self.lanes.run(self.stop))
            for _ in range(TURNS):
                await asyncio.sleep(0)
                if until is not None and until():
                    break
            if self.carrier.hold is not None:
                self.carrier.hold.set()
            self.stop.set()

    def submits(self) -> list[Submit]:
        return self.publisher.on(SUBMITS)

    def _count(self, metric: str, amount: float = 1, **labels: str) -> None:
        self.counts[metric] += int(amount)


def due(message_id: str = "msg-1", **changes: Any) -> AttemptDue:
    return replace(sms(), message_id=message_id, carrier="telia", expires_at_ms=1_000, **changes)


async def test_the_intent_is_durable_before_the_carrier_and_the_outcome_before_the_event() -> None:
    rig = Rig()
    rig.put(due())
    await rig.run()
    assert [name for name, _ in rig.story] == [SUBMITS.name, "carrier", SUBMITS.name, CASCADE.name]
    intent, outcome = rig.submits()
    assert (intent.outcome, outcome.outcome, outcome.provider_ids) == ("", "sent", ("id-1",))
    (event,) = rig.publisher.on(CASCADE)
    assert isinstance(event, AttemptSent)
    assert (event.message_id, event.provider_ids, event.unknown) == ("msg-1", ("id-1",), False)
    assert rig.reader.committed == {PLACE: 1}


@pytest.mark.parametrize(("permanent", "outcome"), [(True, "refused"), (False, "failed")])
async def test_a_refusal_is_told_with_its_code_and_the_peers_wish(permanent: bool, outcome: str) -> None:
    rig = Rig([Failed(permanent, "88", "throttled", 700)])
    rig.put(due())
    await rig.run()
    (event,) = rig.publisher.on(CASCADE)
    assert isinstance(event, AttemptFailed)
    assert (event.permanent, event.code, event.retry_after_ms) == (permanent, "88", 700)
    assert rig.submits()[-1].outcome == outcome


async def test_an_attempt_that_comes_again_with_its_outcome_is_told_again_and_not_sent() -> None:
    first = Rig()
    first.put(due())
    await first.run()
    second = Rig(store=first.store)
    second.put(due())
    await second.run()
    assert second.story == [(CASCADE.name, first.publisher.on(CASCADE)[0])]
    assert second.reader.committed == {PLACE: 1}


async def test_an_attempt_that_comes_again_without_an_outcome_is_counted_and_sent_again() -> None:
    rig = interrupted(on_unknown="resend")
    rig.put(due())
    await rig.run()
    assert rig.counts["hermes_egress_unknown_total"] == 1
    assert [name for name, _ in rig.story] == ["carrier", SUBMITS.name, CASCADE.name]
    assert rig.publisher.on(CASCADE)[0].unknown is False


async def test_an_attempt_that_comes_again_without_an_outcome_waits_for_its_receipt_where_that_is_the_policy() -> None:
    rig = interrupted(on_unknown="wait")
    rig.put(due())
    await rig.run()
    assert rig.counts["hermes_egress_unknown_total"] == 1
    assert [name for name, _ in rig.story] == [SUBMITS.name, CASCADE.name]
    assert rig.publisher.on(CASCADE)[0].unknown is True


async def test_an_unknown_attempt_is_not_sent_again_after_its_time() -> None:
    rig = interrupted(on_unknown="resend", now_ms=1_000)
    rig.put(due())
    await rig.run()
    assert "carrier" not in [name for name, _ in rig.story]
    assert rig.publisher.on(CASCADE)[0].unknown is True


async def test_what_stays_unknown_is_sent_a_few_times_and_no_more() -> None:
    rig = Rig([Unknown("the line broke")])
    rig.put(due())
    await rig.run()
    assert [name for name, _ in rig.story].count("carrier") == 1 + MAX_RESENDS
    assert rig.counts["hermes_egress_unknown_total"] == 1 + MAX_RESENDS
    assert rig.submits()[-1].outcome == "unknown"


async def test_an_outcome_counts_as_told_when_its_event_is_durable() -> None:
    rig = Rig()
    rig.carrier.hold = asyncio.Event()
    rig.put(due())
    key = submit_key(due().message_id, due().attempt)
    assert rig.lanes.told(key)  # nothing is at work here

    await rig.run(until=lambda: rig.lane.at_work == 1 and not rig.lanes.told(key))
    assert rig.lanes.told(key)
    assert rig.publisher.on(CASCADE)


async def test_what_ends_in_one_turn_is_kept_together_and_then_told_together() -> None:
    rig = Rig()
    rig.carrier.hold = asyncio.Event()
    rig.put(due("a"), due("b"), due("c"))
    await rig.run(until=lambda: rig.lane.at_work == 3)
    after_the_carrier = [name for name, _ in rig.story][6:]
    assert after_the_carrier == [SUBMITS.name] * 3 + [CASCADE.name] * 3


async def test_an_attempt_that_is_read_again_while_it_is_under_way_is_sent_once_and_commits_both_places() -> None:
    rig = Rig()
    rig.carrier.hold = asyncio.Event()
    rig.put(due())
    rig.put(due(), first_offset=1)
    await rig.run(until=lambda: not rig.reader.batches)
    assert [name for name, _ in rig.story].count("carrier") == 1
    assert rig.counts["hermes_egress_unknown_total"] == 0
    assert rig.reader.committed == {PLACE: 2}


async def test_nothing_is_committed_beyond_an_attempt_that_is_under_way() -> None:
    rig = Rig()
    rig.carrier.hold = asyncio.Event()
    rig.put(due("a"), due("b"))
    await rig.run(until=lambda: rig.lane.at_work == 2 and not rig.reader.committed)
    assert rig.reader.committed == {PLACE: 2}  # only after both had ended


async def test_a_slow_lane_is_paused_when_it_is_full_and_resumed_when_half_of_it_is_done() -> None:
    rig = Rig(most=2)
    rig.carrier.hold = asyncio.Event()
    rig.put(due("a"), due("b"))
    rig.put(due("c"), first_offset=2)
    await rig.run(until=lambda: rig.reader.held)
    assert rig.reader.held == {TOPIC}
    assert len(rig.reader.batches) == 1

    again = Rig(most=2)
    again.carrier.hold = asyncio.Event()
    again.put(due("a"), due("b"))
    again.put(due("c"), first_offset=2)

    def relieved() -> bool:
        if again.reader.held and again.carrier.hold is not None:
            again.carrier.hold.set()
        return again.reader.committed.get(PLACE) == 3 or len(again.publisher.on(CASCADE)) == 3

    await again.run(until=relieved)
    assert [e.message_id for e in again.publisher.on(CASCADE)] == ["a", "b", "c"]


async def test_what_cannot_be_read_is_on_the_dead_letters_and_is_passed() -> None:
    rig = Rig()
    stray = CODEC.encode(AttemptFailed("m", 1, 0, "", True, "", ""))
    rig.reader.put(Record(TOPIC, 0, 0, b"k", b"nonsense"), Record(TOPIC, 0, 1, b"k", stray))
    rig.put(due(), first_offset=2)
    await rig.run()
    dead: list[DeadRecord] = rig.publisher.on(DEADLETTERS)
    assert [(d.topic, d.offset, d.value) for d in dead] == [(TOPIC, 0, b"nonsense"), (TOPIC, 1, stray)]
    assert rig.counts["hermes_deadletters_total"] == 2
    assert len(rig.publisher.on(CASCADE)) == 1
    assert rig.reader.committed == {PLACE: 3}


async def test_an_attempt_given_back_at_the_end_leaves_no_intent_and_is_not_committed() -> None:
    rig = Rig([Failed(False, "draining", "the carrier is being closed")])
    rig.carrier.hold = asyncio.Event()
    rig.put(due())
    await rig.run(until=lambda: rig.lane.at_work)
    assert rig.submits()[-1] is None
    assert rig.publisher.on(CASCADE) == []
    assert rig.reader.committed == {}
    next_one = Rig(store=rig.store)
    next_one.put(due())
    await next_one.run()
    assert next_one.counts["hermes_egress_unknown_total"] == 0


@pytest.mark.parametrize("code", ["4.3.2", "draining"])
async def test_a_peer_that_says_the_same_in_the_midst_of_work_has_failed_the_attempt(code: str) -> None:
    rig = Rig([Failed(False, code, "the host takes no mail now")])
    rig.put(due())
    await rig.run()
    (event,) = rig.publisher.on(CASCADE)
    assert isinstance(event, AttemptFailed)
    assert event.code == code
    assert rig.reader.committed == {PLACE: 1}


async def test_partitions_that_went_to_another_process_are_not_committed() -> None:
    rig = Rig()
    rig.carrier.hold = asyncio.Event()
    rig.put(due())

    def lost() -> bool:
        if rig.lane.at_work:
            rig.reader.lost.append(PLACE)
        return bool(rig.lane.at_work)

    await rig.run(until=lost)
    assert rig.reader.committed == {}


async def test_what_cannot_be_published_ends_the_process_with_nothing_committed() -> None:
    rig = Rig()
    rig.publisher.error = ConnectionError("no broker")
    rig.put(due())
    with pytest.raises(ExceptionGroup):
        await rig.run()
    assert "carrier" not in [name for name, _ in rig.story]
    assert rig.reader.committed == {}


def interrupted(on_unknown: OnUnknown, now_ms: int = 0) -> Rig:
    """A lane whose last process died between the intent and the outcome."""
    rig = Rig(on_unknown=on_unknown, now_ms=now_ms)
    intent = Submit("msg-1", due().attempt, "telia", "", (), 1, 1, 1, "t", 0)
    rig.lanes.book.save([intent], rig.lanes.book.encoded([intent]))
    return rig
