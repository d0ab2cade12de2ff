"""Credentials: kept once made, private on the disk, shown in the order of the settings."""

from pathlib import Path

import pytest

from domain.errors import ConfigError
from domain.tenant import ApiKey
from ingress.seed_values import Planted
from streams.credentials import Credentials, credentials_of, seed_of
from streams.settings.identity import login_name, tenant_id
from streams.settings.load import load, parse
from streams.settings.model import Settings
from streams.settings.resolve import tenant_settings


def planted(settings: Settings) -> Planted:
    """What planting would answer."""
    keys: dict[tuple[str, str], ApiKey] = {}
    logins, endpoints = {}, {}
    for one in tenant_settings(settings):
        who = tenant_id(one.name)
        for name in ("live", "test"):
            keys[who, name] = ApiKey(f"{name}{who[:4]}", who, name, ("send",), name == "test")
        for protocol in ("smpp", "smtp"):
            logins[protocol, login_name(one.name)] = f"{protocol} of {one.name}"
        if one.webhook_url:
            endpoints[who, "default"] = "whsec_1"
    return Planted(keys, {k: f"hk_{v.key_id}" for k, v in keys.items()}, logins, endpoints)


def test_what_was_made_is_passed_in_again_at_the_next_start(tmp_path: Path) -> None:
    settings = load(None)
    kept = Credentials.of(tmp_path)
    kept.keep(credentials_of(tenant_settings(settings), planted(settings)))

    seed = seed_of(settings, kept.read())

    starter = tenant_id("Demo Starter")
    assert [k.secret for k in seed.keys if k.tenant_id == starter] == [f"hk_live{starter[:4]}", f"hk_test{starter[:4]}"]
    assert [(w.protocol, w.user, w.secret) for w in seed.logins if w.tenant_id == starter] == [
        ("smpp", "demo-starter", "smpp of Demo Starter"),
        ("smtp", "demo-starter", "smtp of Demo Starter"),
    ]


def test_a_first_start_passes_no_secret() -> None:
    seed = seed_of(load(None), {})

    assert not [k for k in seed.keys if k.secret]
    assert [t.name for t in seed.tenants] == ["Demo Starter", "Demo Business", "Demo Enterprise"]
    assert {k.test for k in seed.keys} == {False, True}


def test_the_file_is_private_and_keeps_tenants_that_are_not_named_any_more(tmp_path: Path) -> None:
    kept = Credentials.of(tmp_path)
    demo = load(None)
    kept.keep(credentials_of(tenant_settings(demo), planted(demo)))
    other = parse(b'[[tenants]]\nname = "Acme"\nwebhook_url = "https://acme.example/hook"\n', "hermes.toml", Path())
    kept.keep(credentials_of(tenant_settings(other), planted(other)))

    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert len(kept.read()) == 4
    assert [one["name"] for one in kept.shown(other)] == ["Acme"]
    assert kept.shown(other)[0]["webhook"] == {"url": "https://acme.example/hook", "secret": "whsec_1"}
    assert [path.name for path in tmp_path.iterdir()] == ["credentials.json"]


def test_a_damaged_file_is_an_error_and_is_not_replaced(tmp_path: Path) -> None:
    kept = Credentials.of(tmp_path)
    kept.path.write_text('{"half')

    with pytest.raises(ConfigError, match="mend it or move it away"):
        kept.read()
    assert kept.path.read_text() == '{"half'
