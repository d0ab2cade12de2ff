"""State, timeline and cancellation of a message."""

from ingress.http.shapes import MessageState, Timeline
from tests.unit.ingress.http.gateway import MESSAGE_ID, READER, SENDER, URL, Gateway, a_cascade

ONE = f"/v1/messages/{MESSAGE_ID}"


def with_live() -> Gateway:
    """A gateway whose live table has the message."""
    gateway = Gateway()
    gateway.desk.cascades[MESSAGE_ID] = a_cascade()
    return gateway


async def test_the_state_has_the_fields_of_the_contract() -> None:
    async with with_live().open() as gateway:
        response = await gateway.ask("GET", ONE, READER)
        state = MessageState.model_validate(await response.json(), strict=True)
    assert response.status == 200
    assert (state.status.state, state.status.channel, state.current_step) == ("waiting_confirmation", "sms", 1)
    assert state.status.deadline == "2026-02-10T12:01:00.000Z"
    first, second = state.attempts
    assert (first.error, first.status.code, first.adapter_id) == ("no such user", "550", "mta-1")
    assert (second.provider_message_id, second.segments, second.price.amount_micros) == ("id-1", 2, 90_000)
    assert second.price.currency == "EUR"
    assert (state.reserved.amount_micros, state.price.amount_micros, state.reference) == (90_000, 0, "order-1")
    assert state.rule.steps[0].timeout == "1m"
    assert state.links["cancel"] == f"{URL}{ONE}/cancel"
    assert "user@example.com" not in await response.text()


async def test_a_scheduled_and_a_final_state_are_told_as_such() -> None:
    gateway = Gateway()
    async with gateway.open():
        gateway.desk.cascades[MESSAGE_ID] = a_cascade(state="scheduled", wake="start", attempts=(), step=0)
        scheduled = MessageState.model_validate(await (await gateway.ask("GET", ONE)).json())
        gateway.desk.cascades[MESSAGE_ID] = a_cascade(
            state="delivered", wake="retire", confirmed_by=2, charged_micros=90_000
        )
        final = MessageState.model_validate(await (await gateway.ask("GET", ONE)).json())
    assert scheduled.status.next_at == "2026-02-10T12:01:00.000Z"
    assert (final.status.deadline, final.status.next_at, final.confirmed_by) == (None, None, 2)
    assert (final.price.amount_micros, final.reserved.amount_micros) == (90_000, 0)


async def test_the_timeline_names_the_channel_of_each_attempt() -> None:
    async with with_live().open() as gateway:
        timeline = Timeline.model_validate(await (await gateway.ask("GET", f"{ONE}/events", READER)).json())
    assert [(e.event, e.attempt, e.channel) for e in timeline.events] == [
        ("accepted", None, None),
        ("attempting", 2, "sms"),
    ]


async def test_the_archive_knows_what_the_live_table_has_let_go() -> None:
    gateway = Gateway()
    gateway.archive.cascades[MESSAGE_ID] = a_cascade(state="delivered", confirmed_by=2)
    async with gateway.open():
        state = await gateway.ask("GET", ONE)
        events = await gateway.ask("GET", f"{ONE}/events")
    assert (state.status, events.status) == (200, 200)


async def test_an_unknown_foreign_or_malformed_id_is_404() -> None:
    gateway = with_live()
    gateway.archive.cascades["msg-archived"] = a_cascade(message_id="msg-archived")
    async with gateway.open():
        for path in ("msg-unknown", "17", "msg-%00", "msg-" + "a" * 65):
            assert (await gateway.ask("GET", f"/v1/messages/{path}")).status == 404
        for path in (ONE, f"{ONE}/events", "/v1/messages/msg-archived"):
            assert (await gateway.ask("GET", path, "hk_live_other")).status == 404
        assert (await gateway.ask("POST", f"{ONE}/cancel", "hk_live_other")).status == 404


async def test_cancelling_answers_the_state_and_too_late_says_why() -> None:
    gateway = with_live()
    async with gateway.open():
        done = await gateway.ask("POST", f"{ONE}/cancel", SENDER)
        gateway.desk.cancel_answer = (False, "attempt 2 is with carrier-1")
        late = await gateway.ask("POST", f"{ONE}/cancel", SENDER)
        problem = await late.json()
    assert done.status == 200
    MessageState.model_validate(await done.json())
    assert (late.status, problem["code"]) == (409, "conflict")
    assert problem["reason"] == "attempt 2 is with carrier-1"
    MessageState.model_validate(problem["state"])


async def test_cancelling_what_is_archived_is_too_late_unless_it_was_cancelled() -> None:
    gateway = Gateway()
    async with gateway.open():
        gateway.archive.cascades[MESSAGE_ID] = a_cascade(state="delivered")
        late = await gateway.ask("POST", f"{ONE}/cancel")
        gateway.archive.cascades[MESSAGE_ID] = a_cascade(state="cancelled")
        again = await gateway.ask("POST", f"{ONE}/cancel")
        gateway.archive.cascades.clear()
        unknown = await gateway.ask("POST", f"{ONE}/cancel")
    assert [r.status for r in (late, again, unknown)] == [409, 200, 404]
