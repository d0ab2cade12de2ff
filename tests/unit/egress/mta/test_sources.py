"""Which address a mail leaves from."""

from hypothesis import given
from hypothesis import strategies as st

from egress.mta.sources import Source, preferred

SOURCES = (
    Source("a", "a.test", "192.0.2.1"),
    Source("b", "b.test", "192.0.2.2", 3),
    Source("c", "c.test", "2001:db8::1"),
)


@given(st.text(max_size=40))
def test_a_message_prefers_the_same_sources_in_whatever_order_they_are_listed(key: str) -> None:
    assert preferred(SOURCES, key) == preferred(SOURCES[::-1], key)
    assert set(preferred(SOURCES, key)) == set(SOURCES)


@given(st.text(max_size=40))
def test_a_source_that_goes_takes_only_its_own_messages_along(key: str) -> None:
    first = preferred(SOURCES, key)[0]
    rest = [source for source in SOURCES if source.name != "c"]
    assert preferred(rest, key)[0] == first or first.name == "c"


def test_messages_are_shared_out_by_weight() -> None:
    names = [preferred(SOURCES, f"msg-{number}")[0].name for number in range(5_000)]
    shares = {name: names.count(name) / len(names) for name in "abc"}
    assert 0.17 < shares["a"] < 0.23
    assert 0.57 < shares["b"] < 0.63
    assert [source.family for source in SOURCES] == [4, 4, 6]
