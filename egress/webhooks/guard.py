"""Keeps callbacks out of private networks: a URL a tenant chose may lead to the public internet and nowhere else.

Names are resolved here, all their addresses are judged, and the connection is made to an address that was judged: a name
that resolves otherwise a moment later gains nothing.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

MAX_URL = 2_048
MAX_ADDRESSES = 16
RESOLVE_TIMEOUT_MS = 5_000
RESOLVER_THREADS = 64

# IANA IPv4 Special-Purpose Address Registry (RFC 6890 and later), multicast, and the metadata address of Azure.
_REFUSED_V4 = tuple(
    IPv4Network(n)
    for n in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
    )
)  # fmt: skip
# Only global unicast is allowed at all (RFC 4291 section 2.4); these parts of it are not.
_GLOBAL_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    IPv6Network(n)
    for n in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)  # fmt: skip
_NAT64 = IPv6Network("64:ff9b::/96")


class RefusedAddressError(OSError):
    """The URL or an address behind it is not allowed; the message says why without naming the address."""


def is_public(address: str) -> bool:
    """Whether an IP address in text is on the public internet; an IPv4 address inside an IPv6 one is judged itself."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        inner = _inner(ip)
        if inner is None:
            return ip in _GLOBAL_V6 and not any(ip in network for network in _REFUSED_V6)
        ip = inner
    return not any(ip in network for network in _REFUSED_V4)


def check_url(url: str, *, allow_private: bool) -> None:
    """RefusedAddressError unless a callback may be posted to `url`; names are judged later, by the resolver.

    `allow_private` also allows http.
    """
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable():
        raise RefusedAddressError("the URL is too long, or not ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RefusedAddressError("the URL cannot be read") from error
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise RefusedAddressError("the URL is not https")
    if not parts.hostname or port == 0 or parts.username is not None or parts.password is not None:
        raise RefusedAddressError("the URL needs a host, and no user in it")
    if _is_literal(parts.hostname) and not allow_private and not is_public(parts.hostname):
        raise RefusedAddressError("the address is not public")


class GuardedResolver(AbstractResolver):
    """Resolves names for aiohttp and refuses a name when any address of it is not public."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        # threads of its own: names that are slow to resolve must not hold up anything else
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolve")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses to connect to; OSError when there are none, or one that is refused."""
        async with asyncio.timeout(RESOLVE_TIMEOUT_MS / 1000):
            found = await asyncio.get_running_loop().run_in_executor(
                self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
            )
        results = []
        for kind, _, protocol, _, where in found[:MAX_ADDRESSES]:
            address = str(where[0])
            if not self._allow_private and not is_public(address):
                raise RefusedAddressError("the name leads to an address that is not public")
            results.append(
                ResolveResult(
                    hostname=host, host=address, port=port, family=kind, proto=protocol, flags=socket.AI_NUMERICHOST
                )
            )
        return results

    async def close(self) -> None:
        """No name is resolved any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _inner(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped or NAT64 (RFC 6052); 6to4 is refused whole (RFC 7526)."""
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _NAT64:
        return IPv4Address(ip.packed[12:])
    return None
