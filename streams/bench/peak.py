"""Watches what processes hold while something happens to them."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import psutil

EVERY_S: Final = 0.2


@contextmanager
def peaks(processes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """The largest resident memory of each process with its children, in octets, by name; whole when the block is left."""
    found = dict.fromkeys(processes, 0)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(EVERY_S):
            for name, pid in processes.items():
                found[name] = max(found[name], _resident(pid))

    thread = threading.Thread(target=watch, name="peaks", daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def _resident(pid: int) -> int:
    """Zero for a process that has just gone: whoever uses it notices."""
    try:
        root = psutil.Process(pid)
        return sum(process.memory_info().rss for process in (root, *root.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0
