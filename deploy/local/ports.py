"""Free TCP ports on 127.0.0.1, remembered so that a restarted stack is found where it was.

Ports are taken below the kernel's ephemeral range. Inside it, a client that retries a dead server can be given the
server's own port as its source, connect to itself and keep the server from coming back.
"""

import errno
import json
import secrets
import socket
from pathlib import Path

from deploy.local.errors import PortTakenError

HOST = "127.0.0.1"
LOWEST_PORT = 20_000
DEFAULT_EPHEMERAL_LOW = 32_768
ATTEMPTS = 64
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port(remembered: int | None) -> int:
    """Give `remembered` if nobody listens on it, else another free port of 127.0.0.1.

    Raises:
        PortTakenError: no free port was found in `ATTEMPTS` tries.
    """
    if remembered is not None and is_free(remembered):
        return remembered
    high = max(_ephemeral_low(), LOWEST_PORT + 1_000)
    for _ in range(ATTEMPTS):
        port = LOWEST_PORT + secrets.randbelow(high - LOWEST_PORT)
        if is_free(port):
            return port
    raise PortTakenError(f"no free port between {LOWEST_PORT} and {high} on {HOST} after {ATTEMPTS} tries")


def is_free(port: int) -> bool:
    """Say whether a server could bind `port` on 127.0.0.1 now (a connection in TIME_WAIT does not count)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def is_listening(port: int, timeout_ms: int = 500) -> bool:
    """Say whether something accepts connections on `port` of 127.0.0.1."""
    try:
        with socket.create_connection((HOST, port), timeout_ms / 1000):
            return True
    except OSError:  # refused, reset or too slow all mean: not yet
        return False


def assign(state_dir: Path, name: str, fixed: int | None = None) -> int:
    """Choose the port of the server `name` and write it to `<state_dir>/ports.json`.

    A `fixed` port is taken as it is; else the remembered one when it is free, else a new one.

    Raises:
        PortTakenError: `fixed` belongs to another process, or no port is free.
    """
    book = state_dir / "ports.json"
    ports = read_ports(state_dir)
    if fixed is None:
        chosen = free_port(ports.get(name))
        while any(chosen == port for other, port in ports.items() if other != name):
            chosen = free_port(None)
    elif is_free(fixed):
        chosen = fixed
    else:
        raise PortTakenError(f"port {fixed} on {HOST}, asked for {name}, belongs to another process")
    if ports.get(name) != chosen:
        fresh = book.with_suffix(".new")
        fresh.write_text(json.dumps({**ports, name: chosen}, indent=2) + "\n", encoding="utf-8")
        fresh.replace(book)
    return chosen


def read_ports(state_dir: Path) -> dict[str, int]:
    """Give the remembered ports by name; an absent or damaged file is an empty memory, for ports are only a comfort."""
    try:
        found = json.loads((state_dir / "ports.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): port for name, port in found.items() if isinstance(port, int) and 0 < port < 2**16}


def _ephemeral_low() -> int:
    try:
        return int(_RANGE_FILE.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return DEFAULT_EPHEMERAL_LOW
