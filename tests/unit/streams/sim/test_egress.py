"""The egress of the simulation does as the real one: done once, told again, unknown after a crash."""

import random

import pytest

from domain.cascade.events import AttemptFailed, AttemptSent, ReceiptArrived
from domain.delivery import AttemptDue
from schemas.topics import CASCADE, attempts_topic
from streams.sim.agenda import Agenda
from streams.sim.egress import Behaviour, Egress
from streams.sim.faults import Fault, Faults
from streams.sim.lane import CODEC

DUE = AttemptDue("msg-1", 1, "t1", 0, "sms", "telia", "+45", "A", "A", "", "hi", "", 0, 60_000, 1, 30, 10, "trace")
TOPIC = attempts_topic("sms", "telia").name


def egress(*kinds: Fault, behaviour: Behaviour = Behaviour(receipt=None)) -> Egress:  # noqa: B008 - frozen
    """One at which these faults always happen."""
    chance = random.Random(1)  # noqa: S311 - a seed must give the same run again
    made = Egress(lambda _: behaviour, Faults(chance, dict.fromkeys(kinds, 1.0)), Agenda())
    made.faults.broker.append(TOPIC, b"msg-1", CODEC.encode(DUE), 0)
    return made


def run(one: Egress, until_ms: int = 10_000) -> list[object]:
    """Let time pass; what it told."""
    one.step()
    while (at := one.agenda.next_ms()) is not None and at <= until_ms:
        one.faults.broker.now_ms = at
        one.agenda.run(at)
        one.step()
    return [CODEC.decode(octets) for octets in one.faults.broker.records(CASCADE.name)]


def test_an_attempt_that_comes_twice_is_submitted_once_and_told_twice() -> None:
    one = egress()
    run(one)
    one.faults.broker.append(TOPIC, b"msg-1", CODEC.encode(DUE), 0)
    told = run(one)
    assert [type(t) for t in told] == [AttemptSent, AttemptSent]
    assert told[0] == told[1]
    assert one.taken == {("msg-1", 1): 1}


@pytest.mark.parametrize(("resend", "times"), [((), 0), (("sent_twice",), 1)])
def test_an_attempt_with_an_intent_and_no_outcome_is_unknown_or_sent_again(
    resend: tuple[Fault, ...], times: int
) -> None:
    one = egress("egress_crash", *resend)
    told = run(one)[0]
    assert isinstance(told, AttemptSent)
    assert told.unknown is not bool(resend)
    assert one.taken.total() == one.resent.total() == times


def test_what_has_expired_is_not_handed_over() -> None:
    one = egress()
    one.faults.broker.now_ms = DUE.expires_at_ms
    (told,) = run(one)
    assert isinstance(told, AttemptFailed)
    assert (told.code, told.permanent, one.taken) == ("expired", False, {})


def test_a_receipt_waits_for_the_answer_and_is_nobodys_when_there_is_none() -> None:
    early = Behaviour(answer_after_ms=1_000, receipt_after_ms=-900)
    assert [type(t) for t in run(egress(behaviour=early))] == [AttemptSent, ReceiptArrived]
    never = egress(behaviour=Behaviour(answer_after_ms=5_000, receipt_after_ms=-4_900))
    assert [type(t) for t in run(never)] == [AttemptSent]
