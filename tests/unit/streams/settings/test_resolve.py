"""What the processes make of the settings: carriers, pools, routes, tenants, topics, ports."""

import json
import socket
from pathlib import Path

import pytest

from deploy.local.errors import PortTakenError
from domain.errors import ConfigError
from streams.settings.load import load, parse
from streams.settings.model import GatewaySettings, InsightSettings, Settings
from streams.settings.ports import assign_ports, assign_ports_of, ports_of
from streams.settings.resolve import (
    mail_pools,
    public_url,
    routes,
    smpp_carriers,
    tenant,
    tenant_settings,
    topics,
)

REAL = """
[[carriers]]
name = "telia"
host = "smsc.example"
system_id = "hermes"
password = "secret"
[[routes]]
prefix = "+45"
carrier = "telia"
price_micros = 30000
cost_micros = 12000
currency = "DKK"
[mta]
hostname = "mta1.example.net"
[[tenants]]
name = "Acme"
tier = "business"
currency = "DKK"
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "ports.json").write_text(json.dumps({"sandbox-carrier": 2001, "sandbox-mx": 2002, "http": 2003}))
    return tmp_path


def real() -> Settings:
    return parse(REAL.encode(), "hermes.toml", Path())


def test_without_a_file_all_ways_lead_to_the_simulated_peers(state: Path) -> None:
    settings = load(None)

    carriers, pools = smpp_carriers(settings, state), mail_pools(settings, state)

    assert [(c.name, c.host, c.port) for c in carriers] == [("sandbox", "127.0.0.1", 2001)]
    assert {name: dict(pool.mx_overrides) for name, pool in pools.items()} == {
        "default": {"*": "127.0.0.1:2002"},
        "sandbox": {"*": "127.0.0.1:2002"},
    }
    assert [(r.channel, r.prefix, r.carrier, r.test) for r in routes(settings)] == [
        ("sms", "", "sandbox", False),
        ("email", "", "default", False),
        ("sms", "", "sandbox", True),
        ("email", "", "sandbox", True),
    ]
    assert [t.tier for t in tenant_settings(settings)] == ["starter", "business", "enterprise"]


def test_with_a_file_live_keys_reach_its_peers_and_test_keys_the_simulated_ones(state: Path) -> None:
    settings = real()

    assert [c.name for c in smpp_carriers(settings, state)] == ["telia", "sandbox"]
    pools = mail_pools(settings, state)
    assert pools["default"].mx_overrides == {}
    assert pools["sandbox"].mx_overrides == {"*": "127.0.0.1:2002"}
    live = [r for r in routes(settings) if not r.test]
    assert [(r.channel, r.prefix, r.carrier, r.price_micros, r.currency) for r in live] == [
        ("sms", "+45", "telia", 30_000, "DKK"),
        ("email", "", "default", 1_000, "EUR"),
    ]
    assert {(r.channel, r.carrier, r.price_micros) for r in routes(settings) if r.test} == {
        ("sms", "sandbox", 0),
        ("email", "sandbox", 0),
    }
    names = {topic.name for topic in topics(settings)}
    assert {
        "hermes.smpp.telia.v1",
        "hermes.smpp.sandbox.v1",
        "hermes.mta.default.v1",
        "hermes.mta.sandbox.v1",
    } <= names


def test_the_mail_settings_reach_the_pool(state: Path) -> None:
    text = """
[mta]
hostname = "mta1.example.net"
return_path_domain = "rp.example.net"
return_path_secret = "0123456789abcdef"
messages_per_s = 7
retry_first = "5m"
dane = true
[[mta.sources]]
name = "out1"
address = "192.0.2.1"
hostname = "out1.example.net"
weight = 2
[[mta.providers]]
name = "big"
mx_suffixes = ["Big.example"]
connections = 3
per_minute = 60
"""
    pool = mail_pools(parse(text.encode(), "hermes.toml", Path()), state)["default"]

    assert [(s.name, s.address, s.ehlo, s.weight) for s in pool.own_sources] == [
        ("out1", "192.0.2.1", "out1.example.net", 2)
    ]
    assert [(p.name, p.suffixes, p.limits.connections, p.limits.per_minute) for p in pool.providers] == [
        ("big", (".big.example",), 3, 60)
    ]
    assert (pool.return_path_domain, pool.return_path_secret) == ("rp.example.net", b"0123456789abcdef")
    assert (pool.messages_per_s, pool.retry.first_ms, pool.dane, pool.mta_sts) == (7, 300_000, True, True)


def test_mail_settings_that_cannot_work_are_a_configuration_error(state: Path) -> None:
    for line in ('return_path_domain = "rp.example.net"', 'hostname = "not a host"'):
        text = "[mta]\n" + ("" if "hostname" in line else 'hostname = "mta1.example.net"\n') + line
        with pytest.raises(ConfigError, match="mta"):
            mail_pools(parse(text.encode(), "hermes.toml", Path()), state)


def test_a_file_without_mail_has_no_mail_route_and_no_default_pool(state: Path) -> None:
    settings = parse(b'[[routes]]\ncarrier = "sandbox"\nprice_micros = 1\n', "hermes.toml", Path())

    assert list(mail_pools(settings, state)) == ["sandbox"]
    assert not [r for r in routes(settings) if r.channel == "email" and not r.test]


def test_a_tenant_without_a_rate_has_that_of_its_tier() -> None:
    found = tenant(real().tenants[0])

    assert (found.name, found.rate_per_s, found.currency) == ("Acme", 1_000, "DKK")


def test_route_ids_are_unique_and_stay_the_same() -> None:
    ids = [r.route_id for r in routes(real())]

    assert len(set(ids)) == len(ids)
    assert ids == [r.route_id for r in routes(real())]


def test_the_simulated_peers_must_have_been_given_ports(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="hermes up"):
        smpp_carriers(load(None), tmp_path)


def test_the_public_url_is_the_settings_or_the_listening_address(state: Path) -> None:
    assert public_url(load(None), state) == "http://127.0.0.1:2003"
    fixed = Settings(gateway=GatewaySettings(public_url="https://api.example/"))
    assert public_url(fixed, state) == "https://api.example"


def test_ports_are_remembered_and_every_name_gets_one(tmp_path: Path) -> None:
    settings = parse(b"[gateway]\nhttp_port = 0\nsmpp_port = 0\nsmtp_port = 0\n", "hermes.toml", Path())

    assign_ports(settings, tmp_path)
    first = dict(ports_of(settings, tmp_path))
    assign_ports(settings, tmp_path)

    assert dict(ports_of(settings, tmp_path)) == first
    assert all(first.values())
    assert len(set(first.values())) == len(first)


def test_a_default_port_that_is_taken_is_replaced_and_a_named_one_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        preferred = Settings(gateway=GatewaySettings.model_construct(set(), http_port=taken, smpp_port=0, smtp_port=0))
        (tmp_path / "a").mkdir()
        assign_ports(preferred, tmp_path / "a")
        assert ports_of(preferred, tmp_path / "a")["http"] != taken

        named = Settings(gateway=GatewaySettings(http_port=taken, smpp_port=0, smtp_port=0))
        (tmp_path / "b").mkdir()
        with pytest.raises(PortTakenError):
            assign_ports(named, tmp_path / "b", leave_within_ms=0)


def test_a_default_port_is_left_to_a_carrier_that_the_file_expects_there(tmp_path: Path) -> None:
    settings = parse(REAL.replace("smsc.example", "127.0.0.1").encode(), "hermes.toml", Path())

    assign_ports(settings, tmp_path)

    assert ports_of(settings, tmp_path)["smpp"] != settings.carriers[0].port == 2775


def test_a_port_that_another_process_took_meanwhile_is_replaced_before_a_role_starts(tmp_path: Path) -> None:
    settings = Settings(insight=InsightSettings.model_construct(set(), port=0))
    assign_ports_of("insight", settings, tmp_path)
    before = ports_of(settings, tmp_path)["insight"]

    with socket.create_server(("127.0.0.1", before)):
        assign_ports_of("insight", settings, tmp_path)

    assert ports_of(settings, tmp_path)["insight"] != before


def test_a_tenants_numbers_are_kept_as_they_are_written() -> None:
    text = REAL + 'numbers = ["+4512345678", "1245", "1300 NEWS"]\n'

    found = tenant(parse(text.encode(), "hermes.toml", Path()).tenants[0])

    assert found.numbers == ("+4512345678", "1245", "1300 NEWS")
    assert tenant(real().tenants[0]).numbers == ()


@pytest.mark.parametrize(
    "number", ["12", "+45", "4512345678901", "1245  NEWS", "1245 7", "1245 TWO WORDS", "NEWS", "+0123456"]
)
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(ConfigError, match="numbers"):
        parse(f'{REAL}numbers = ["{number}"]\n'.encode(), "hermes.toml", Path())


def test_mail_from_outside_is_taken_only_when_the_settings_say_so() -> None:
    assert not real().gateway.smtp_inbound
    assert parse(b"[gateway]\nsmtp_inbound = true\n", "hermes.toml", Path()).gateway.smtp_inbound
