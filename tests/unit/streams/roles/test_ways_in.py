"""Return paths lead back to the attempts that they were made for."""

from pydantic import SecretStr

from egress.mta import verp
from streams.roles.ways_in import return_paths
from streams.settings.mail import MtaSettings

ID = "msg-0198d0a5-3c1f-7b5e-9f43-1d1b6c6e8a10"
SECRET = "sixteen letters!"
MTA = MtaSettings(
    hostname="mta.example", return_path_domain="Back.example", return_path_secret=SecretStr(SECRET), mta_sts=False
)


def test_a_return_path_names_its_attempt_in_any_case() -> None:
    named = return_paths(MTA)
    address = f"{verp.LOCAL_PREFIX}{verp.encode(ID, 3, SECRET.encode())}@back.example"
    assert named(address) == named(address.upper()) == (ID, 3)


def test_other_addresses_name_none() -> None:
    named = return_paths(MTA)
    token = verp.encode(ID, 3, SECRET.encode())
    forged = verp.encode(ID, 3, b"another secret!!")
    for address in (
        f"b-{token}@other.example",
        f"{token}@back.example",
        f"b-{forged}@back.example",
        "b-@back.example",
        "",
    ):
        assert named(address) is None


def test_without_return_paths_in_the_settings_there_are_none() -> None:
    address = f"b-{verp.encode(ID, 3, SECRET.encode())}@"
    assert return_paths(None)(address) is None
    assert return_paths(MtaSettings(hostname="mta.example"))(address) is None
