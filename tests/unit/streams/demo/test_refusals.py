"""The refusals: one a layer, and what is said when a layer answers something else."""

from collections.abc import Mapping
from pathlib import Path

from streams.demo.api import Answer, Json
from streams.demo.expectations import Checks
from streams.demo.refusals import REFUSALS, refuse
from tests.unit.streams.demo.scripted import world_of


def test_there_is_one_refusal_of_each_layer_from_0_to_7() -> None:
    assert [one.layer for one in REFUSALS] == list(range(8))


async def test_a_refusal_as_expected_meets_every_expectation(tmp_path: Path) -> None:
    poor = REFUSALS[4]
    answer = Answer(402, {"code": "insufficient_balance", "balance": 20_000, "required": 30_000})
    checks = Checks()
    await refuse(world_of(tmp_path, lambda *_: answer), checks, poor)
    assert [one.what for one in checks.expectations if not one.ok] == []


async def test_a_message_that_is_taken_instead_of_refused_fails(tmp_path: Path) -> None:
    checks = Checks()
    await refuse(world_of(tmp_path, lambda *_: Answer(202, {"message_id": "msg-1"})), checks, REFUSALS[7])
    assert [one.what for one in checks.expectations if not one.ok] == [
        "the answer is 422",
        "its code is content_violation",
        "it says violations",
        "it names no message",
    ]


async def test_the_revoked_key_is_made_revoked_and_then_used(tmp_path: Path) -> None:
    used: list[str] = []

    def handle(method: str, path: str, body: Json | None, headers: Mapping[str, str]) -> Answer:
        if path == "/v1/tenants/api-keys":
            return Answer(201, {"key_id": "k1", "secret": "its secret"})
        used.append(f"{method} {path} {headers.get('Authorization', '')}".strip())
        return Answer(401, {"code": "unauthorized"})

    checks = Checks()
    await refuse(world_of(tmp_path, handle), checks, REFUSALS[1])
    assert used == ["DELETE /v1/tenants/api-keys/k1", "POST /v1/messages/send Bearer its secret"]
    assert all(one.ok for one in checks.expectations)
