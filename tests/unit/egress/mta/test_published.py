"""A key signs only when its public half is what the domain publishes."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ed25519

from egress.mta.dkim import DkimKey
from egress.mta.lookup import DnsError
from egress.mta.published import Published, check_published
from tests.unit.egress.mta.keys import ed25519_pem, rsa_pem

RSA = DkimKey.parse("acme.test", "s1", rsa_pem())
ED = DkimKey.parse("acme.test", "s2", ed25519_pem())


@dataclass
class FakeTexts:
    """TXT records by name; None for a look-up that fails."""

    records: dict[str, tuple[bytes, ...] | None]

    async def txt(self, name: str) -> tuple[bytes, ...]:
        found = self.records.get(name, ())
        if found is None:
            raise DnsError("Timeout")
        return found


async def checked(key: DkimKey, *texts: bytes) -> Published:
    resolver = FakeTexts({f"{key.selector}._domainkey.acme.test": texts})
    return await check_published(key.domain, key.selector, key.private.public_key(), resolver)


async def test_a_key_that_is_published_is_good() -> None:
    assert await checked(RSA, RSA.record().encode()) == Published(True)
    assert await checked(ED, ED.record().encode()) == Published(True)


async def test_another_key_none_several_revoked_and_testing_are_not() -> None:
    other = DkimKey("acme.test", "s2", ed25519.Ed25519PrivateKey.generate())
    for texts in (
        (),
        (other.record().encode(),),
        (RSA.record().encode(),),
        (ED.record().encode(), ED.record().encode()),
        (b"v=DKIM1; k=ed25519; p=",),
        (b"v=DKIM1; k=ed25519; p=junk",),
        (ED.record().replace("; p=", "; t=y; p=").encode(),),
        (b"v=spf1 -all",),
    ):
        found = await checked(ED, *texts)
        assert not found.good, texts
        assert found.reason
        assert not found.for_now


async def test_silence_of_dns_is_for_now() -> None:
    resolver = FakeTexts({"s1._domainkey.acme.test": None})
    found = await check_published("acme.test", "s1", RSA.private.public_key(), resolver)
    assert (found.good, found.for_now) == (False, True)
