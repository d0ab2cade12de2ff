"""The ready file: where everything is, which processes there are, and the tenants with their credentials."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.local.ports import HOST, read_ports
from streams.credentials import Credentials
from streams.roles.start import ROLES, announcement
from streams.settings.model import Settings
from streams.settings.resolve import SANDBOX_CARRIER_PORT, SANDBOX_MX_PORT


def book_path(state: Path, peer: str) -> Path:
    """The book of a simulated peer, `carrier` or `mx`: a JSON line for all that it took."""
    return state / "sandbox" / f"{peer}.jsonl"


def ready_document(
    settings: Settings, state: Path, bootstrap: str, dsn: str, processes: Mapping[str, int]
) -> dict[str, Any]:
    """What the ready file holds: addresses as `host:port`, process ids by name, tenants in the order of the settings."""
    ports = read_ports(state)
    said = {role: announcement(state, role) for role in ROLES}
    gateway = said["gateway"]
    metrics = {role: str(told["metrics"]) for role, told in said.items() if "metrics" in told}
    if "http" in gateway:
        metrics.setdefault("gateway", str(gateway["http"]))
    return {
        "http": gateway.get("http"),
        "smpp": gateway.get("smpp"),
        "smtp": gateway.get("smtp"),
        **{name: gateway[name] for name in ("smpp_tls", "smtp_tls") if name in gateway},
        "insight": said["insight"].get("insight"),
        "metrics": metrics.get("gateway"),
        "metrics_by_role": metrics,
        "kafka": bootstrap,
        "postgres": dsn,
        "state": str(state),
        "sandbox": {
            "carrier": f"{HOST}:{ports[SANDBOX_CARRIER_PORT]}",
            "mx": f"{HOST}:{ports[SANDBOX_MX_PORT]}",
            "carrier_book": str(book_path(state, "carrier")),
            "mx_book": str(book_path(state, "mx")),
        },
        "supervisor": os.getpid(),
        "processes": dict(processes),
        "tenants": Credentials.of(state).shown(settings),
    }
