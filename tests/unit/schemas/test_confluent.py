"""Where a registry is, from its URL; what is wrong with one is said without its password."""

import pytest

from domain.errors import ConfigError
from schemas.confluent import ConfluentRegistry, Place

PASSWORD = "hush-hush"


def test_a_url_has_its_parts_and_defaults() -> None:
    assert Place.parse("http://registry:8081/") == Place(False, "registry", 8081, "")
    assert Place.parse("https://registry.example/a/b/") == Place(True, "registry.example", 443, "/a/b")
    assert str(Place.parse("http://[::1]/x")) == "http://[::1]:80/x"


def test_a_password_is_percent_decoded_and_never_shown() -> None:
    place = Place.parse("https://ann:p%40ss%3A@registry.example")

    assert place.authorization == "Basic YW5uOnBAc3M6"
    for shown in (str(place), repr(place), repr(ConfluentRegistry(place))):
        assert "YW5u" not in shown
        assert "ann" not in shown


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "localhost:8081", "[::1]:8081"])
def test_a_password_may_go_to_this_machine_in_clear(host: str) -> None:
    assert Place.parse(f"http://ann:{PASSWORD}@{host}").authorization


@pytest.mark.parametrize(
    "url",
    [
        f"http://ann:{PASSWORD}@registry.example",
        f"ftp://ann:{PASSWORD}@registry.example",
        f"https://ann:{PASSWORD}@",
        f"https://ann:{PASSWORD}@registry.example:port",
        f"https://ann:{PASSWORD}@registry.example/?a=b",
        f"https://ann:{PASSWORD}@registry.example/#a",
        f"https://ann:{PASSWORD}@registry.example/a b",
        f"https://ann:{PASSWORD}@registry.example/ä",
        f"ann:{PASSWORD}@registry.example",
    ],
)
def test_a_wrong_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Place.parse(url)

    assert PASSWORD not in str(refused.value)
