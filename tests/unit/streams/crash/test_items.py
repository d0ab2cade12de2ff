"""The messages of a campaign: all kinds and ways, each with keys of its own."""

from typing import Any, get_args

from streams.crash.items import BATCH, KINDS, WAYS, Kind, Way, item, probe

ROWS = 2_000
ITEMS = [item("x", number) for number in range(ROWS)]


def test_every_way_and_every_kind_comes() -> None:
    assert {one.way for one in ITEMS} == set(get_args(Way))
    assert {one.kind for one in ITEMS} == set(get_args(Kind)) - {"probe"}
    assert {(one.way, one.kind) for one in ITEMS} == {(way, kind) for way, kinds in KINDS.items() for kind in kinds}


def test_no_two_messages_share_a_tag_or_a_mailbox() -> None:
    assert len({one.tag for one in ITEMS}) == len({one.mailbox for one in ITEMS}) == ROWS


def test_a_batch_is_of_one_tenant() -> None:
    for first in range(0, ROWS - len(WAYS), len(WAYS)):
        batch = [one for one in ITEMS[first : first + len(WAYS)] if one.way == "batch"]
        assert len(batch) == BATCH
        assert len({one.tenant for one in batch}) == 1


def test_both_tenants_send_over_rest_and_the_poor_one_only_what_is_refused() -> None:
    assert {one.tenant for one in ITEMS if one.way in ("single", "batch")} == {0, 1, 2}
    assert {one.kind for one in ITEMS if one.tenant == 2} == {"poor"}


def channels(body: dict[str, Any]) -> list[str]:
    return [step["channel"] for step in body["routing"]["channels"]]


def test_the_body_has_the_tag_as_text_key_and_reference_and_every_step_a_time_out() -> None:
    for one in ITEMS:
        body = one.body
        assert body["body"]["text"].startswith(one.tag)
        assert body["idempotency_key"] == body["reference"] == one.tag
        assert all(step["timeout"] for step in body["routing"]["channels"])


def test_the_steps_follow_from_the_kind() -> None:
    steps = {one.kind: channels(one.body) for one in ITEMS}
    assert (steps["fallback"], steps["bounce"], steps["mail"], steps["good"]) == (
        ["sms", "email"], ["email", "sms"], ["email"], ["sms"],
    )  # fmt: skip


def test_a_probe_goes_the_way_that_was_broken() -> None:
    assert channels(probe("x", 1, by_mail=False).body) == ["sms"]
    assert channels(probe("x", 1, by_mail=True).body) == ["email"]
