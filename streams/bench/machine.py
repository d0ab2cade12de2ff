"""Which machine measured, and how busy it was at the start: without it a number means nothing."""

import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and what runs on it."""

    processor: str
    cores: int
    memory_octets: int
    system: str
    python: str
    hermes: str
    load_average: float

    @classmethod
    def now(cls) -> "Machine":
        """This machine, with the load average of its last minute."""
        return cls(
            _processor(),
            psutil.cpu_count() or 0,
            psutil.virtual_memory().total,
            platform.platform(),
            platform.python_version(),
            version("hermes-delivery"),
            os.getloadavg()[0],
        )

    def document(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        busy = "" if self.load_average < self.cores / 4 else "  (busy: the numbers are worse than they could be)"
        return (
            f"Hermes {self.hermes}, Python {self.python}, {self.system}\n{self.processor}, {self.cores} cores,"
            f" {self.memory_octets / 2**30:.0f} GiB, load average {self.load_average:.2f}{busy}"
        )


def _processor() -> str:
    """The name of the processor where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
