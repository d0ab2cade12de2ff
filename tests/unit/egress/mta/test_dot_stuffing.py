"""What DATA carries: one message, whatever is in it."""

from hypothesis import example, given
from hypothesis import strategies as st

from egress.mta.smtp import dot_stuffed


def unstuffed(wire: bytes) -> bytes:
    """What a correct server reads."""
    lines = wire.removesuffix(b".\r\n").split(b"\r\n")
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"..", b"a", b"\x00", b"RSET"]), max_size=20).map(b"".join)
)
@example(b"a\r\n.\r\nMAIL FROM:<x@y.test>\r\n")
@example(b"a\n.\nMAIL FROM:<x@y.test>\n")
@example(b"a\r.\rMAIL FROM:<x@y.test>\r")
def test_the_end_of_data_comes_once_and_last(message: bytes) -> None:
    wire = dot_stuffed(message)

    assert (b"\r\n" + wire).count(b"\r\n.\r\n") == 1
    assert wire.endswith(b".\r\n")
    assert b"\r" not in wire.replace(b"\r\n", b"")
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert unstuffed(wire) == message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n") + (
        b"" if not message or message[-1:] in b"\r\n" else b"\r\n"
    )
