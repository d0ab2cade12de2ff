"""Work in a process of its own, which shares nothing with this one: a function that answers, or a server that is stopped."""

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final, Generic, TypeVar

import uvloop

from streams.bench.result import BenchError
from streams.logs import configure

T = TypeVar("T")

START_S: Final = 30.0
STOP_S: Final = 30.0

Serve = Callable[..., Awaitable[Any]]
"""`serve(say, stopped, *arguments)`: says its port once it listens, and answers with a report when it is stopped."""


@dataclass(frozen=True, slots=True)
class Running(Generic[T]):
    """A function at work; `result` waits for its answer and ends the process."""

    name: str
    process: BaseProcess
    here: Connection

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid or 0

    def result(self, patience_s: float) -> T:
        """What it answered; BenchError with its own words when it raised one, or when it ended or took too long."""
        try:
            answer: T = _heard(self.name, self.here, patience_s)
        finally:
            self.end()
        return answer

    def end(self) -> None:
        """Have it gone."""
        self.process.kill()
        self.process.join()
        self.here.close()


def start(work: Callable[..., T], *arguments: object) -> Running[T]:
    """Let `work(*arguments)` begin; its arguments and its answer are copied."""
    return _start(_answer, work, arguments)


def apart(work: Callable[..., T], *arguments: object, patience_s: float) -> T:
    """The answer of `work(*arguments)`; BenchError."""
    running: Running[T] = start(work, *arguments)
    return running.result(patience_s)


@dataclass(slots=True)
class Server:
    """A server at work on a loopback port. `stop` lets it end and gives its report."""

    port: int
    pid: int
    _running: Running[Any]
    _report: Any = None
    _stopped: bool = False

    def stop(self) -> Any:
        """What it reported, the same however often it is asked."""
        if not self._stopped:
            self._stopped = True
            self._running.here.send(None)
            self._report = self._running.result(STOP_S)
        return self._report


@contextmanager
def serving(serve: Serve, *arguments: object) -> Iterator[Server]:
    """A server that runs while the block does."""
    running: Running[Any] = _start(_listen, serve, arguments)
    try:
        port: int = _heard(running.name, running.here, START_S)
        yield Server(port, running.pid, running)
    finally:
        running.end()


def _start(main: Callable[..., None], work: Callable[..., Any], arguments: tuple[object, ...]) -> Running[Any]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=main, args=(there, work, arguments), daemon=True)
    process.start()
    there.close()
    return Running(getattr(work, "__name__", str(work)), process, here)


def _heard(name: str, here: Connection, patience_s: float) -> Any:
    try:
        if not here.poll(patience_s):
            raise BenchError(f"{name} did not answer in {patience_s:g} s")
        error, answer = here.recv()
    except (EOFError, ConnectionError) as gone:
        raise BenchError(f"{name} failed") from gone
    if error:
        raise BenchError(error)
    return answer


def _answer(there: Connection, work: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    configure("bench", "warning")
    try:
        there.send(("", work(*arguments)))
    except BenchError as error:
        there.send((str(error), None))


def _listen(there: Connection, serve: Serve, arguments: tuple[object, ...]) -> None:
    async def run() -> Any:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(there.fileno(), stopped.set)  # a word, or the end of who asked
        try:
            return await serve(lambda port: there.send(("", port)), stopped, *arguments)
        finally:
            loop.remove_reader(there.fileno())

    _answer(there, uvloop.run, (run(),))
