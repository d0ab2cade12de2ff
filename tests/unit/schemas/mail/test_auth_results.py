"""Authentication-Results: written on one's own word, and nobody else's in one's name."""

from schemas.mail.auth_results import without_forged, written
from schemas.mail.dkim_verify import Signature
from schemas.mail.dmarc import Dmarc
from schemas.mail.spf import Spf


def test_the_field_says_what_was_found() -> None:
    signatures = (Signature("pass", "a.example", "s1", "@a.example", "rsa-sha256"), Signature("permerror"))
    found = written("mx.test", Spf("pass", "a.example"), "smtp.mailfrom", signatures, Dmarc("pass", "a.example"))
    assert found == (
        b"Authentication-Results: mx.test;\r\n spf=pass smtp.mailfrom=a.example;\r\n"
        b" dkim=pass header.d=a.example header.s=s1 header.a=rsa-sha256;\r\n dkim=permerror;\r\n"
        b" dmarc=pass header.from=a.example\r\n"
    )


def test_a_strangers_text_ends_no_line() -> None:
    found = written("mx.test", Spf("fail", "a\r\nX: y; b"), "smtp.helo", (), Dmarc("none", ""))
    assert b"smtp.helo=a__X__y__b;" in found
    assert b"header.from=unknown\r\n" in found


def test_only_fields_in_our_name_are_removed() -> None:
    others = b"X-Authentication-Results: mx.test; spf=pass\r\nAuthentication-Results: other.test; spf=pass\r\n"
    forged = (
        b"Authentication-Results: mx.test; spf=pass\r\nauthentication-results : (a) MX.Test\r\n\t1;\r\n dkim=pass\r\n"
    )
    body = b"\r\nAuthentication-Results: mx.test; spf=pass\r\n"
    assert without_forged(forged + others + body, "mx.test") == others + body
    assert without_forged(others + forged + body, "mx.test") == others + body
