"""Runs the scenarios, those of one phase at the same time, and makes of whatever breaks in one a failed expectation."""

import asyncio
import secrets
from pathlib import Path
from typing import Final

import aiohttp
from asyncpg import PostgresError
from confluent_kafka import KafkaException
from smpplib import exceptions as smpp

from domain.errors import TransientError
from streams.demo.api import Client
from streams.demo.books import Books
from streams.demo.evidence import StackEvidence
from streams.demo.expectations import Checks, Result
from streams.demo.money import balance
from streams.demo.scenarios import Scenario, phases
from streams.demo.screen import Screen
from streams.demo.stack import Stack
from streams.demo.world import MAIN, SLOW, SMALL, World

SCENARIO_TIMEOUT_S: Final = 120.0
MAX_CONNECTIONS: Final = 40

BREAKS: Final = (
    aiohttp.ClientError, TimeoutError, OSError, KafkaException, PostgresError, TransientError,
    smpp.PDUError, smpp.ConnectionError, smpp.UnknownCommandError, LookupError, ValueError,
)  # fmt: skip
"""How a scenario can break: somebody does not answer, refuses, or answers in another shape than is documented."""


async def perform(stack: Stack, screen: Screen) -> list[Result]:
    """The results of all scenarios, in the order of the table."""
    document = stack.document
    wanted = phases(document)
    screen.begin([scenario.name for phase in wanted for scenario in phase])
    results: list[Result] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS)) as session:
        world = await _world(stack, session)
        for phase in wanted:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(run(world, scenario, screen)) for scenario in phase]
            results += [task.result() for task in running]
    return results


async def run(world: World, scenario: Scenario, screen: Screen) -> Result:
    """The result of one scenario; it never raises what is in BREAKS."""
    checks = Checks()
    loop = asyncio.get_running_loop()
    began = loop.time()
    screen.began(scenario.name)
    try:
        async with asyncio.timeout(SCENARIO_TIMEOUT_S):
            await scenario.run(world, checks)
    except* BREAKS as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        checks.expect("it runs to its end", False, f"{type(first).__name__}: {first}")
    took_ms = round((loop.time() - began) * 1000)
    result = Result(scenario.name, took_ms, tuple(checks.expectations), tuple(checks.timeline))
    screen.finished(result)
    return result


async def _world(stack: Stack, session: aiohttp.ClientSession) -> World:
    document = stack.document
    base = f"http://{document['http']}"
    apis = {tenant["name"]: Client(session, base, tenant["api_key"]) for tenant in document["tenants"]}
    sandbox = document["sandbox"]
    return World(
        run=secrets.token_hex(4),
        document=document,
        apis=apis,
        books=Books(Path(sandbox["carrier_book"]), Path(sandbox["mx_book"])),
        evidence=StackEvidence(session, document["kafka"], document["postgres"], document["metrics_by_role"]),
        machine=stack,
        before={name: await balance(apis[name]) for name in (MAIN, SLOW, SMALL)},
    )
