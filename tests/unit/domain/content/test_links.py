"""Links and where they lead."""

import pytest

from domain.content.links import MAX_LINKS, Link, Place, place_of, read_html, text_links


def test_urls_in_text_end_before_the_punctuation_of_their_sentence() -> None:
    found = text_links("See https://a.example/x, (http://b.example/y) or www.c.example.", "body.text")
    assert [link.url for link in found] == ["https://a.example/x", "http://b.example/y", "www.c.example"]


def test_an_anchor_has_its_target_and_its_visible_words() -> None:
    text, links = read_html(
        "<p>Hi<br>you</p><a class=x href='https://a.example/?a=1&amp;b=2'>go <b>on</b></a>", "body.html"
    )
    assert text.split() == ["Hi", "you", "go", "on"]
    assert links == (Link("https://a.example/?a=1&b=2", "body.html", "go on"),)


def test_of_very_many_links_the_first_are_read() -> None:
    assert len(read_html("<a href=x>y</a>" * 1_000, "body.html")[1]) == MAX_LINKS


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://Example.com/x", Place("https", "example.com", "", "")),
        ("http://u:p@h.example:81?q", Place("http", "h.example", "81", "u:p")),
        ("http:\\\\h.example\\x", Place("http", "h.example", "", "")),
        ("//h.example/x", Place("", "h.example", "", "")),
        ("www.h.example", Place("", "www.h.example", "", "")),
        ("http://[::1]:80/", Place("http", "[::1]", "80", "")),
        ("java\nscript:x", Place("javascript", "", "", "")),
        ("mailto:a@b.example", Place("mailto", "", "", "")),
        ("/relative", Place("", "", "", "")),
        ("http://", Place("http", "", "", "")),
        ("", Place("", "", "", "")),
    ],
)
def test_a_url_is_read_as_leniently_as_browsers_do(url: str, place: Place) -> None:
    assert place_of(url) == place
