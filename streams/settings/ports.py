"""The ports of a machine by name: those that the settings name, else the default where it is free, else a remembered one."""

import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from deploy.local import ports
from egress.mta.config import host_and_port
from streams.settings.model import Settings
from streams.settings.resolve import SANDBOX_CARRIER_PORT, SANDBOX_MX_PORT
from streams.settings.rules import SMTP_PORT

LEAVE_WITHIN_MS = 3_000
"""How long a port may still belong to the processes of a start that was killed just now."""
LEAVE_POLL_S = 0.05
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_PLACES = {
    "http": ("gateway", "http_port"),
    "smpp": ("gateway", "smpp_port"),
    "smtp": ("gateway", "smtp_port"),
    "smpp-tls": ("gateway", "smpp_tls_port"),
    "smtp-tls": ("gateway", "smtp_tls_port"),
    "insight": ("insight", "port"),
    "pipeline-metrics": ("pipeline", "metrics_port"),
    "egress-metrics": ("egress", "metrics_port"),
    "archive-metrics": ("archive", "metrics_port"),
}


def ports_of(settings: Settings, state: Path) -> Mapping[str, int]:
    """The port of each name: as it was assigned in this state, else as the settings have it (0: any free one)."""
    assigned = ports.read_ports(state)
    return {name: assigned.get(name, _wanted(settings, name)[0]) for name in _PLACES}


def assign_ports(settings: Settings, state: Path, leave_within_ms: int = LEAVE_WITHIN_MS) -> None:
    """Every port that roles and simulated peers listen on is chosen and remembered in `ports.json`.

    Raises:
        PortTakenError: a port that the settings name belongs to another process.
    """
    for role in dict.fromkeys(table for table, _ in _PLACES.values()):
        assign_ports_of(role, settings, state, leave_within_ms)
    for name in (SANDBOX_CARRIER_PORT, SANDBOX_MX_PORT):
        _assign_free(state, name, 0, leave_within_ms)


def assign_ports_of(role: str, settings: Settings, state: Path, leave_within_ms: int = 0) -> None:
    """The same for one role that does not run: what another process took from it meanwhile is replaced.

    Raises:
        PortTakenError: see `assign_ports`.
    """
    peers = _ports_of_peers(settings)
    for name, (table, _) in _PLACES.items():
        if table != role:
            continue
        port, is_named = _wanted(settings, name)
        if port and is_named:
            _wait_until_free(port, leave_within_ms)
            ports.assign(state, name, port)
        else:
            _assign_free(state, name, 0 if port in peers else port, leave_within_ms)


def _wanted(settings: Settings, name: str) -> tuple[int, bool]:
    """The port that the settings have for `name`, and whether the file names it."""
    table, key = _PLACES[name]
    model: BaseModel = getattr(settings, table)
    port: int = getattr(model, key)
    return port, key in model.model_fields_set


def _ports_of_peers(settings: Settings) -> set[int]:
    """The ports of this machine on which the file expects carriers and mail hosts, whether they listen yet or not."""
    mx = [host_and_port(target, SMTP_PORT) for target in (settings.mta.mx.values() if settings.mta is not None else ())]
    return {port for host, port in [*((c.host, c.port) for c in settings.carriers), *mx] if host in LOOPBACK}


def _assign_free(state: Path, name: str, preferred: int, leave_within_ms: int) -> None:
    """The remembered port, or the preferred one, or any."""
    remembered = ports.read_ports(state).get(name)
    if remembered is not None:
        _wait_until_free(remembered, leave_within_ms)
    elif preferred and ports.is_free(preferred):
        ports.assign(state, name, preferred)
        return
    ports.assign(state, name)


def _wait_until_free(port: int, within_ms: int) -> None:
    deadline = time.monotonic() + within_ms / 1000
    while not ports.is_free(port) and time.monotonic() < deadline:
        time.sleep(LEAVE_POLL_S)
