"""Reading a settings file: every problem at once, the nearest name for an unknown key, no secret in a message."""

from pathlib import Path

import pytest

from domain.errors import ConfigError
from streams.settings.load import load, parse
from streams.settings.model import Settings

FULL = """
[[carriers]]
name = "telia"
host = "127.0.0.1"
port = 2775
system_id = "hermes"
password = "secret"
binds = 2
window = 50
tps = 500

[[routes]]
prefix = "+45"
carrier = "telia"
price_micros = 30000
cost_micros = 12000
currency = "DKK"

[mta]
hostname = "mta1.example.net"
mx = { "example.org" = "127.0.0.1:2526" }
dkim = [{ domain = "tenant.example", selector = "s1", private_key_file = "s1.pem" }]

[[tenants]]
name = "Acme"
tier = "starter"
from_domain = "tenant.example"
sender_id = "Acme"
balance_micros = 5_000_000_000
currency = "DKK"
rate_per_s = 5000
quiet_hours = { start = "21:00", end = "08:00" }

[pipeline]
keep_final = "90m"
"""


def read(text: str, folder: Path = Path()) -> Settings:
    return parse(text.encode(), "hermes.toml", folder)


def problems(text: str, folder: Path = Path()) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text, folder)
    return str(caught.value).splitlines()


def test_a_full_file_is_read_with_its_files_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "s1.pem").touch()
    (tmp_path / "hermes.toml").write_text(FULL)

    settings = load(tmp_path / "hermes.toml")

    assert settings.mta is not None
    assert settings.mta.dkim[0].private_key_file == tmp_path / "s1.pem"
    assert settings.carriers[0].window == 50
    assert settings.pipeline.keep_final == 90 * 60_000
    quiet = settings.tenants[0].quiet_hours
    assert quiet is not None
    assert (quiet.start, quiet.end, quiet.defer) == (21 * 60, 8 * 60, True)
    assert not settings.simulated


def test_without_a_file_everything_is_simulated() -> None:
    settings = load(None)

    assert settings.simulated
    assert settings.egress.webhooks_allow_private


def test_an_unknown_key_is_refused_with_the_nearest_name() -> None:
    found = problems('[[carriers]]\nname = "a"\nhots = "h"\nhost = "h"\nsystem_id = "s"\npassword = "p"\n')

    assert found == ["hermes.toml: carriers.0.hots is not a key; did you mean host?"]


def test_an_unknown_table_and_a_key_in_a_nested_one_are_refused_too() -> None:
    found = problems('[gatway]\n[[tenants]]\nname = "A"\nquiet_hours = { strat = "21:00", end = "08:00" }\n')

    assert "hermes.toml: gatway is not a key; did you mean gateway?" in found
    assert "hermes.toml: tenants.0.quiet_hours.strat is not a key; did you mean start?" in found


def test_a_key_that_is_like_no_other_gets_the_list_of_a_short_table() -> None:
    assert problems("[insight]\nzzz = 1\n") == ["hermes.toml: insight.zzz is not a key; there is port"]


def test_every_error_is_said_at_once_and_no_value_is_repeated() -> None:
    found = problems(
        '[[carriers]]\nname = "Bad Name"\nhost = "h"\nport = 70000\nsystem_id = "s"\n'
        'password = ["hunter2"]\n[[routes]]\nprefix = "45"\ncarrier = "a"\n[pipeline]\nkeep_final = "soon"\n'
    )

    assert [line.split(":")[1].strip().split(" ")[0] for line in found] == [
        "pipeline.keep_final",
        "carriers.0.name",
        "carriers.0.port",
        "carriers.0.password",
        "routes.0.prefix",
        "routes.0.price_micros",
    ]
    assert "hunter2" not in "\n".join(found)


def test_names_that_refer_to_nothing_or_come_twice_are_refused() -> None:
    carrier = '[[carriers]]\nname = "telia"\nhost = "h"\nsystem_id = "s"\npassword = "p"\n'
    route = '[[routes]]\ncarrier = "{}"\nprice_micros = 1\n'
    tenant = '[[tenants]]\nname = "{}"\n'
    found = problems(
        carrier
        + carrier
        + route.format("telja")
        + tenant.format("Acme")
        + tenant.format("Acme")
        + tenant.format("ACME")
    )

    assert found == [
        "hermes.toml: carriers.1: has the name of carriers.0",
        "hermes.toml: routes.0.carrier: there is no carrier called telja, only telia, sandbox",
        "hermes.toml: tenants.1: has the name of tenants.0",
        "hermes.toml: tenants: two names give the same SMPP system_id; make their first letters and digits different",
    ]


def test_the_simulated_carriers_name_is_reserved_and_routes_may_lead_to_it() -> None:
    carrier = '[[carriers]]\nname = "sandbox"\nhost = "h"\nsystem_id = "s"\npassword = "p"\n'

    assert "carriers.0.name" in problems(carrier)[0]
    assert read('[[routes]]\ncarrier = "sandbox"\nprice_micros = 1\n').routes


def test_a_missing_key_file_and_a_bad_mail_host_are_said(tmp_path: Path) -> None:
    key = 'dkim = [{ domain = "d.example", selector = "s", private_key_file = "none.pem" }]\n'

    assert "there is no file" in problems(f'[mta]\nhostname = "m.example"\n{key}', tmp_path)[0]
    assert "mta.mx.example.org" in problems('[mta]\nhostname = "m.example"\nmx = { "example.org" = "no host" }\n')[0]


def test_what_is_no_toml_or_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    assert problems("[gateway\n")[0].startswith("hermes.toml: is no TOML:")
    with pytest.raises(ConfigError, match=r"cannot be read: No such file"):
        load(tmp_path / "absent.toml")


def test_a_password_is_not_shown() -> None:
    carrier = '[[carriers]]\nname = "a"\nhost = "h"\nsystem_id = "s"\npassword = "hunter2"\n'

    settings = read(carrier + '[[routes]]\ncarrier = "a"\nprice_micros = 1\n')

    assert "hunter2" not in repr(settings)
    assert settings.carriers[0].password.get_secret_value() == "hunter2"
