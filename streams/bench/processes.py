"""What processes have used: CPU time with that of their children, living and gone, and memory with shared pages once."""

from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from streams.bench.result import BenchError


@dataclass(frozen=True, slots=True)
class Usage:
    """A process and its children: user and system time since they began, and PSS (memory, shared pages divided)."""

    cpu_s: float
    memory_octets: int


def usages(processes: Mapping[str, int]) -> dict[str, Usage]:
    """The usage of each process by its name; BenchError when one has ended."""
    return {name: usage(name, pid) for name, pid in processes.items()}


def usage(name: str, pid: int) -> Usage:
    """The usage of one process; BenchError when it has ended."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
        total = _of(root)
    except psutil.NoSuchProcess as error:
        raise BenchError(f"{name} (process {pid}) has ended") from error
    for child in family[1:]:
        try:
            more = _of(child)
        except psutil.NoSuchProcess:  # between the two calls: its time is that of its parent's children by now
            continue
        total = Usage(total.cpu_s + more.cpu_s, total.memory_octets + more.memory_octets)
    return total


def _of(process: psutil.Process) -> Usage:
    times = process.cpu_times()
    cpu_s = times.user + times.system + times.children_user + times.children_system
    try:
        memory = process.memory_full_info().pss
    except psutil.AccessDenied:  # another user's
        memory = process.memory_info().rss
    return Usage(cpu_s, memory)
