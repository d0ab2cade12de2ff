"""Which addresses and URLs a callback may go to."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress.webhooks.guard import GuardedResolver, RefusedAddressError, check_url, is_public

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "168.63.129.16", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
    "2001:db8::1", "2001::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b:1::1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1", "100::1",
    "::127.0.0.1", "not an address", "", "127.1", "0x7f.1", "2130706433",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "100.63.0.1", "100.128.0.1", "198.17.0.1",
    "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_local_and_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_or_multicast_is_public(ip: object) -> None:
    address = ip_address(str(ip))
    if address.is_private or address.is_multicast or address.is_loopback or address.is_link_local:
        inner = getattr(address, "ipv4_mapped", None)
        assert inner is not None or not is_public(str(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "//example.com/", "https://", "https:///x", "https://user@example.com/",
        "https://:pw@example.com/", "https://example.com:0/", "https://example.com:99999/", "https://127.0.0.1/",
        "https://[::1]/", "https://[::ffff:10.0.0.1]:8443/", "https://[fe80::1%25eth0]/", "https://169.254.169.254/latest",
        "https://[bad/", "https://exämple.com/", "https://example.com/\r\nX: y", "https://example.com/" + "x" * 2_048,
    ],
)  # fmt: skip
def test_a_url_that_a_callback_may_not_go_to_is_refused(url: str) -> None:
    with pytest.raises(RefusedAddressError):
        check_url(url, allow_private=False)


@pytest.mark.parametrize(
    "url", ["https://example.com", "https://example.com:8443/a?b=c", "https://8.8.8.8/", "HTTPS://A.b/"]
)
def test_an_https_url_to_the_internet_is_allowed(url: str) -> None:
    check_url(url, allow_private=False)


def test_on_ones_own_machine_http_and_loopback_are_allowed_when_asked_for() -> None:
    check_url("http://127.0.0.1:8000/hook", allow_private=True)
    with pytest.raises(RefusedAddressError):
        check_url("http://user@127.0.0.1/", allow_private=True)


@pytest.mark.parametrize("name", ["localhost", "127.1", "2130706433", "0x7f000001"])
async def test_a_name_for_a_private_address_is_refused_by_the_resolver(name: str) -> None:
    guarded, open_to_all = GuardedResolver(allow_private=False), GuardedResolver(allow_private=True)
    with pytest.raises(RefusedAddressError):
        await guarded.resolve(name, 443)
    assert {r["host"] for r in await open_to_all.resolve(name, 443)} <= {"127.0.0.1", "::1"}
    await guarded.close()
    await open_to_all.close()
