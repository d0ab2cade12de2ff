"""What the scan of a body finds, and that it stays cheap on what an enemy sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.content.finding import POINTS, Assessment
from domain.content.score import GTUBE, MAX_FINDINGS, assess
from domain.delivery import Channel
from domain.message import Body

BOTH: frozenset[Channel] = frozenset({"email", "sms"})


def scan(text: str = "", html: str = "", subject: str = "", *phrases: str) -> Assessment:
    return assess(Body(text, html, subject), BOTH, phrases)


def rules(assessment: Assessment) -> set[str]:
    return {finding.rule for finding in assessment.findings}


@pytest.mark.parametrize(
    "body",
    [
        Body("Your order #1234 has shipped!", "<h1>Your order #1234 has shipped!</h1>", "Order Shipped"),
        Body("123456 is your code. Do not share it."),
        Body("Hej Åse, vi ses på mandag kl. 9. Møde på Nørrebro", subject="Møde"),
        Body("Ваш заказ отправлен: https://пример.рф/заказ"),
        Body(
            "See https://www.example.co.uk/a?b=c#d and https://münchen.de", '<a href="https://example.com/x">here</a>'
        ),
        Body("", '<a href="https://cdn.example.com/report.pdf">report.pdf</a>'),
        Body("", '<a href="https://track.example.com/1">www.example.com</a>'),
        Body("OTP 4711"),
    ],
)
def test_ordinary_messages_score_nothing(body: Body) -> None:
    assert assess(body, BOTH, ()) == Assessment(0.0, ())


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("ip_host", "Pay at http://203.0.113.7/login"),
        ("ip_host", "http://3405803783/x"),
        ("ip_host", "http://0xcb.0x00.0x71.0x07/x"),
        ("ip_host", "http://[2001:db8::1]/x"),
        ("lookalike_host", "https://xn--80ak6aa92e.com"),
        ("lookalike_host", "https://\u0440\u0430\u0443\u0440\u0430l.com"),
        ("userinfo_in_url", "https://bank.example@evil.example/"),
        ("odd_port", "https://example.com:8443/"),
        ("deep_host", "https://a.b.c.d.example.com/"),
        ("short_link", "Your parcel: bit.ly/3abcd"),
        ("short_link", "Your parcel: https://tinyurl.com/3abcd"),
        ("shouting", "CLICK HERE TO GET YOUR PRESENT TODAY"),
        ("many_exclamations", "Hi!!!"),
        ("money_phrase", "You've WON — claim your prize"),
        ("urgency_phrase", "Act  now"),
        ("credential_lure", "Please verify your\naccount"),
        ("credential_lure", "Please ver\u0456fy y\u043eur ac\u200bcount"),
        ("spam_test_string", f"x {GTUBE} y"),
    ],
)
def test_each_rule_finds_its_case_in_text(rule: str, text: str) -> None:
    assert rule in rules(scan(text))


@pytest.mark.parametrize(
    ("rule", "html"),
    [
        ("link_text_mismatch", '<a href="https://evil.example/x">https://bank.example</a>'),
        ("link_text_mismatch", "<A title='>' HREF=https://evil.example><b>www.bank</b>.example</A>"),
        ("link_text_mismatch", '<a href="http://evil.co.uk">bank.co.uk</a>'),
        ("active_url", '<a href="java&#x0000000073;cript:alert(1)">go</a>'),
        ("active_url", "<form action='data:text/html,x'>"),
        ("ip_host", '<a data-href="https://ok.example" href="http:\\\\203.0.113.7">go</a>'),
        ("credential_lure", "<p>con<b></b>firm your&nbsp;password</p>"),
    ],
)
def test_each_rule_finds_its_case_in_html(rule: str, html: str) -> None:
    assert rule in rules(scan(html=html))


def test_style_and_comments_are_not_what_a_reader_sees() -> None:
    assert scan(html="<style>ACT NOW</style><!-- act now --><p>Hello</p>").findings == ()


def test_a_rule_counts_once_and_each_url_is_named() -> None:
    assessment = scan("http://203.0.113.7/a http://203.0.113.8/b")
    assert assessment.score == POINTS["ip_host"]
    assert ["203.0.113.7" in f.detail or "203.0.113.8" in f.detail for f in assessment.findings] == [True, True]


def test_a_shortener_is_the_business_of_mail_readers_themselves() -> None:
    assert assess(Body("bit.ly/3abcd"), frozenset({"email"}), ()).findings == ()


@pytest.mark.parametrize("text", ["Buy VIAGRA today", "buy víagra", "v\u200biagra", "a vi\u0430gra pill"])
def test_a_prohibited_phrase_is_found_however_it_is_dressed(text: str) -> None:
    assert scan(text, "", "", "Viagra").is_blocked


def test_a_prohibited_phrase_is_whole_words_or_signs() -> None:
    assert not scan("the cassette", "", "", "ass").is_blocked
    assert scan("only $$$ today", "", "", "$$$").is_blocked
    assert not scan("anything", "", "", " ", "").is_blocked


def test_a_prohibited_phrase_is_told_first() -> None:
    assert scan("act now!!! casino", "", "", "casino").findings[0].rule == "blocked_phrase"


N = 65_536
HOSTILE = {
    "tags": "<" * N, "open tags": "<a " * N, "quotes": '<a "' * N, "mixed quotes": "<a \"'" * N, "hrefs": "<a href=" * N,
    "comments": "<!--" * N, "digits": "&#" + "9" * N, "zeros": "&#" + "0" * N, "marks": "a" + "\u0301\u0316" * N,
    "schemes": "http://" * N, "dots": "a." * N, "dashes": "-" * N, "spaces": "<a href" + " " * N, "wide": "\ufdfa" * N,
    "punycode": ("http://xn--" + "z" * 55 + ".com ") * 1_000, "anchors": '<a href="http://a.bc">d.ef</a>' * 4_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_scanned_in_bounded_work(name: str) -> None:
    text = HOSTILE[name]
    assert len(assess(Body(text, text, text), BOTH, ("casino",)).findings) <= MAX_FINDINGS


@given(st.text(), st.text(), st.text(), st.lists(st.text(), max_size=3).map(tuple))
def test_any_body_has_a_score(text: str, html: str, subject: str, phrases: tuple[str, ...]) -> None:
    assessment = assess(Body(text, html, subject), BOTH, phrases)
    assert assessment.score >= 0


@given(st.text("<>/a \"'=&#x;:.!-[]@\\hreftpw0\u0430", max_size=200))
def test_any_markup_has_a_score(html: str) -> None:
    assert assess(Body(html, html), BOTH, ()).score >= 0
