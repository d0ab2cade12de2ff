"""Runs one target over its inputs, and finds what it should not do: raise, take long, take memory, never end."""

import asyncio
import gc
import inspect
import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from streams.fuzz.mutate import input_of
from streams.fuzz.target import Target

CLOCK_EVERY: Final = 64
MAX_WHAT_CHARS: Final = 200
_KIBIBYTE: Final = 1_024


@dataclass(frozen=True, slots=True)
class Limits:
    """What an input may cost. `growth` and `total_growth` are octets of memory beyond what the process ever held.

    After so many `findings` a target is left alone for this turn.
    """

    cpu_ms: float = 100
    hang_cpu_s: float = 5.0
    growth: int = 64 * 1024 * 1024
    total_growth: int = 512 * 1024 * 1024
    findings: int = 10


USUAL: Final = Limits()


class HangError(BaseException):
    """The target is still busy when it should long be done: no parser may catch this."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An input and what it did; `trace` ends with where."""

    target: str
    number: int
    octets: bytes
    what: str
    trace: str = ""

    @property
    def fault(self) -> str:
        """What two findings of one fault have in common: the kind, and where it was raised."""
        lines = [line for line in self.trace.splitlines() if line.lstrip().startswith("File ")]
        return "\n".join([self.what if "PropertyError" in self.what else self.what.partition(":")[0], *lines[-2:]])


@dataclass(slots=True)
class Score:
    """How one target did. Memory is what the process has ever held, when the target was done."""

    target: str
    inputs: int = 0
    seconds: float = 0.0
    slowest_ms: float = 0.0
    slowest_number: int = 0
    peak_octets: int = 0
    findings: list[Finding] = field(default_factory=list)


def fuzz(
    target: Target, seed: int, inputs: int, until_s: float, known: set[str], *, first: int = 0, limits: Limits = USUAL
) -> Score:
    """The score of inputs number `first` and on, as many as `inputs` or until that time of the monotonic clock.

    A fault that is `known` is no finding; one that is found becomes known.
    """
    score, began_s, held = Score(target.name), time.monotonic(), peak_octets()
    first_held = held
    with _bench(target, limits) as bench:
        for number in range(first, first + inputs):
            if number % CLOCK_EVERY == 0 and time.monotonic() >= until_s:
                break
            octets = input_of(target, seed, number)
            spent_ms, what, trace = bench.tried(octets)
            score.inputs += 1
            if spent_ms > score.slowest_ms:
                score.slowest_ms, score.slowest_number = spent_ms, number
            before, held = held, peak_octets()
            if not what and held - before > limits.growth:
                what = f"memory: {(held - before) // _KIBIBYTE} KiB more"
            if not what and held - first_held > limits.total_growth:
                what, first_held = "memory: it grows and grows", held
            finding = Finding(target.name, number, octets, what, trace)
            if what and finding.fault not in known:
                known.add(finding.fault)
                score.findings.append(finding)
                if len(score.findings) >= limits.findings:
                    break
    score.seconds, score.peak_octets = time.monotonic() - began_s, peak_octets()
    return score


def replay(target: Target, octets: bytes, limits: Limits = USUAL) -> Finding | None:
    """What this input does, None for nothing."""
    with _bench(target, limits) as bench:
        _, what, trace = bench.tried(octets)
    return Finding(target.name, 0, octets, what, trace) if what else None


def peak_octets() -> int:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIBIBYTE


@dataclass(frozen=True, slots=True)
class _Bench:
    """Where inputs are tried: `call` gives one to the target, `alarm` rings after so many seconds of CPU, never for zero."""

    call: Callable[[bytes], None]
    alarm: Callable[[float], None]
    limits: Limits

    def tried(self, octets: bytes) -> tuple[float, str, str]:
        """Milliseconds of CPU, what is wrong (empty for nothing), and the trace of what was raised."""
        spent_ms, what, trace = self._once(octets)
        if not what and spent_ms > self.limits.cpu_ms:
            gc.collect()  # it may have been the collector's time, or a table made at first use
            spent_ms, what, trace = self._once(octets)
            if not what and spent_ms > self.limits.cpu_ms:
                what = f"slow: {spent_ms:.0f} ms of CPU"
        return spent_ms, what, trace

    def _once(self, octets: bytes) -> tuple[float, str, str]:
        what = trace = ""
        began_ns = time.process_time_ns()
        self.alarm(self.limits.hang_cpu_s)
        try:
            self.call(octets)
        except HangError:
            what, trace = f"hang: more than {self.limits.hang_cpu_s:.1f} s of CPU", traceback.format_exc()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            what, trace = f"{type(error).__name__}: {error}"[:MAX_WHAT_CHARS], traceback.format_exc()
        finally:
            self.alarm(0)
        return (time.process_time_ns() - began_ns) / 1e6, what, trace


@contextmanager
def _bench(target: Target, limits: Limits) -> Iterator[_Bench]:
    with ExitStack() as stack:
        alarm = stack.enter_context(_watched())
        runner = stack.enter_context(asyncio.Runner()) if inspect.iscoroutinefunction(target.run) else None

        def call(octets: bytes) -> None:
            work = target.run(octets)
            if runner is not None and work is not None:
                runner.get_loop().run_until_complete(work)

        yield _Bench(call, alarm, limits)


@contextmanager
def _watched() -> Iterator[Callable[[float], None]]:
    """An alarm on the CPU time of the process, which only the main thread can set; elsewhere there is none."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda _seconds: None
        return

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGPROF, ring)
    try:
        yield _ring_after
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _ring_after(cpu_s: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
