"""SPF: results, limits, and macros."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.mail.spf import Spf, check_host
from schemas.mail.spf_record import RecordError, parse_record
from tests.unit.schemas.mail.zone import Records, Zone

IP = "192.0.2.1"


async def ask(records: dict[tuple[str, str], Records], sender: str = "a@d.example", ip: str = IP) -> Spf:
    """Check `ip` for `sender`."""
    return await check_host(Zone(records), ip, sender, "helo.example")


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 -all", "fail"),
        ("v=spf1 ip4:192.0.2.0/24 -all", "pass"),
        ("v=spf1 ip4:192.0.3.0/24 ~all", "softfail"),
        ("v=spf1 ip6:2001:db8::/32 ?all", "neutral"),
        ("v=spf1", "neutral"),
        ("v=spf10 -all", "none"),
        ("v=spf1 a:host.d.example -all", "pass"),
        ("v=spf1 mx -all", "pass"),
        ("v=spf1 exists:%{ir}.%{v}.ok.example -all", "pass"),
        ("v=spf1 ptr -all", "pass"),
        ("v=spf1 include:inner.example -all", "pass"),
        ("v=spf1 redirect=inner.example", "pass"),
        ("v=spf1 redirect=nothing.example", "permerror"),
        ("v=spf1 include:nothing.example -all", "permerror"),
        ("v=spf1 include:down.example -all", "temperror"),
        ("v=spf1 foo:bar -all", "permerror"),
        ("v=spf1 ip4:192.0.2.999 -all", "permerror"),
        ("v=spf1 a/33 -all", "permerror"),
        ("v=spf1 unknown=thing ip4:192.0.2.1", "pass"),
        ("v=spf1 include:loop.example", "permerror"),
        ("v=spf1 a:v1.example a:v2.example a:v3.example ip4:192.0.2.1", "permerror"),
    ],
)
async def test_the_result_is_that_of_the_first_mechanism_that_matches(record: str, result: str) -> None:
    found = await ask({
        ("d.example", "TXT"): ("other", record),
        ("host.d.example", "A"): (IP,),
        ("d.example", "MX"): ("host.d.example",),
        ("1.2.0.192.in-addr.ok.example", "A"): ("127.0.0.2",),
        ("1.2.0.192.in-addr.arpa", "PTR"): ("host.d.example",),
        ("inner.example", "TXT"): ("v=spf1 ip4:192.0.2.1 -all",),
        ("down.example", "TXT"): None,
        ("loop.example", "TXT"): ("v=spf1 include:loop.example",),
    })  # fmt: skip
    assert found.result == result


async def test_the_explanation_is_the_domains_own() -> None:
    found = await ask({
        ("d.example", "TXT"): ("v=spf1 -all exp=why.example",),
        ("why.example", "TXT"): ("%{i} is not %{o}'s, %{S}",),
    })  # fmt: skip
    assert found == Spf("fail", "d.example", "192.0.2.1 is not d.example's, a%40d.example")


async def test_without_a_sender_the_name_in_helo_is_asked() -> None:
    assert (await ask({("helo.example", "TXT"): ("v=spf1 -all",)}, sender="")).domain == "helo.example"


async def test_an_ipv4_address_in_ipv6_form_is_one() -> None:
    records: dict[tuple[str, str], Records] = {("d.example", "TXT"): ("v=spf1 ip4:192.0.2.1 -all",)}
    assert (await ask(records, ip="::ffff:192.0.2.1")).result == "pass"


async def test_no_more_than_ten_terms_are_looked_up() -> None:
    names = [f"a{n}.example" for n in range(11)]
    records: dict[tuple[str, str], Records] = {(name, "A"): ("10.0.0.1",) for name in names}
    records["d.example", "TXT"] = ("v=spf1 " + " ".join(f"a:{name}" for name in names) + " ip4:192.0.2.1",)
    zone = Zone(records)
    assert (await check_host(zone, IP, "a@d.example", "h")).result == "permerror"
    assert len(zone.asked) == 11


@given(st.binary(max_size=300))
def test_any_record_is_read_or_refused(record: bytes) -> None:
    began = time.perf_counter()
    with contextlib.suppress(RecordError):
        parse_record(b"v=spf1 " + record)
    assert time.perf_counter() - began < 0.1


@pytest.mark.parametrize(
    "piece", [b"%{", b"%{s", b"a:" + b"a." * 50, b"exists:%{ir}", b"-a.-", b"ip6:" + b":" * 45, b"//"]
)
def test_long_records_are_read_at_once(piece: bytes) -> None:
    began = time.perf_counter()
    with contextlib.suppress(RecordError):
        parse_record(b"v=spf1 " + piece * (16_000 // len(piece)))
    assert time.perf_counter() - began < 0.1
