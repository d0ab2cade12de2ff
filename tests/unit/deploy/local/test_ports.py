"""Ports are free, remembered, and never shared between two servers."""

import socket
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.errors import PortTakenError


def test_a_remembered_port_that_is_free_is_given_again() -> None:
    port = ports.free_port(None)
    assert ports.free_port(port) == port


def test_a_remembered_port_that_is_taken_is_replaced() -> None:
    with socket.create_server((ports.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert ports.free_port(port) != port


def test_a_chosen_port_lies_below_the_ephemeral_range() -> None:
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    assert all(ports.LOWEST_PORT <= ports.free_port(None) < low for _ in range(20))


def test_assigned_ports_are_written_down_and_differ(tmp_path: Path) -> None:
    kafka, postgres = ports.assign(tmp_path, "kafka"), ports.assign(tmp_path, "postgres")
    assert kafka != postgres
    assert ports.read_ports(tmp_path) == {"kafka": kafka, "postgres": postgres}
    assert ports.assign(tmp_path, "kafka") == kafka


def test_a_fixed_port_wins_over_the_remembered_one_and_is_refused_when_taken(tmp_path: Path) -> None:
    ports.assign(tmp_path, "kafka")
    wanted = ports.free_port(None)
    assert ports.assign(tmp_path, "kafka", wanted) == wanted
    with socket.create_server((ports.HOST, 0)) as taken, pytest.raises(PortTakenError, match="another process"):
        ports.assign(tmp_path, "kafka", taken.getsockname()[1])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kafka": "no", "postgres": 70000}', "\xff"])
def test_a_damaged_memory_of_ports_is_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "ports.json").write_bytes(text.encode("latin-1"))
    assert ports.read_ports(tmp_path) == {}
