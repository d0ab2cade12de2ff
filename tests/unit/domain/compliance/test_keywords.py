"""Keywords of recipients, however they are written; whatever says more is no keyword."""

import pytest

from domain.compliance.keywords import keyword_of


@pytest.mark.parametrize(
    "text",
    ["STOP", " stop ", "Stop!", "stop-all", "OPT  OUT", "Arrêt", "\uff33\uff34\uff2f\uff30", "afmeld.", "'STOP'"],
)
def test_a_wish_to_be_left_alone_is_heard_however_it_is_written(text: str) -> None:
    assert keyword_of(text) == "stop"


@pytest.mark.parametrize(
    ("text", "keyword"), [("Start", "start"), ("UNSTOP", "start"), ("Help?", "help"), ("info", "help")]
)
def test_other_keywords_are_told_from_it(text: str, keyword: str) -> None:
    assert keyword_of(text) == keyword


@pytest.mark.parametrize("text", ["", "please stop by at noon", "stopover", "x" * 10_000, "!!!", "do not stop"])
def test_a_text_that_says_more_is_no_keyword(text: str) -> None:
    assert keyword_of(text) is None
