"""The arguments of MAIL and RCPT."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress.smtp.paths import Path, PathError, forward_path, reverse_path


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        ("FROM:<a@b.example>", Path("a@b.example")),
        ("from: <A@B.Example> size=10 body=8bitmime", Path("A@b.example", {"SIZE": "10", "BODY": "8bitmime"})),
        ("FROM:<>", Path("")),
        ('FROM:<"a b>"@b.example>', Path('"a b>"@b.example')),
        ("FROM:<@x,@y:a@b.example>", Path("a@b.example")),
        ("FROM:<ü@bücher.example> SMTPUTF8", Path("ü@xn--bcher-kva.example", {"SMTPUTF8": ""})),
        ("FROM:<a@[192.0.2.1]>", Path("a@[192.0.2.1]")),
        ("FROM:<a@b.example> AUTH=<>", Path("a@b.example", {"AUTH": "<>"})),
    ],
)
def test_a_path_and_its_parameters_are_read(argument: str, path: Path) -> None:
    assert reverse_path(argument) == path


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("FROM:a@b.example", "501 5.5.4"),
        ("FROM:<a@b.example>SIZE=1", "501 5.5.4"),
        ("FROM:<a@b.example", "501 5.5.4"),
        ("FROM:<a@b.example> =x", "501 5.5.4"),
        ("FROM:<a..b@b.example>", "553 5.1.3"),
        ("FROM:<a@-b.example>", "553 5.1.2"),
        ("FROM:<a@xn--\xff>", "553 5.6.7"),
        ("FROM:<" + "a" * 65 + "@b.example>", "553 5.1.3"),
        ("FROM:<a@[1]x>", "553 5.1.3"),
        ("FROM:<a@b.example> XFOO", "555 5.5.4"),
        ("FROM:<a@b.example> BODY=BINARYMIME", "501 5.5.4"),
        ("FROM:<ü@☃.☃☃> SMTPUTF8", "553 5.1.2"),
    ],
)
def test_what_is_no_path_is_refused(argument: str, reply: str) -> None:
    with pytest.raises(PathError) as refused:
        reverse_path(argument)
    assert refused.value.reply.startswith(reply)


def test_the_postmaster_needs_no_domain_and_nobody_else_may_be_missing() -> None:
    assert forward_path("TO:<Postmaster>", utf8=False, hostname="mx.test").address == "Postmaster@mx.test"
    with pytest.raises(PathError, match=r"501 5\.1\.3"):
        forward_path("TO:<>", utf8=False, hostname="mx.test")
    with pytest.raises(PathError, match=r"555 5\.5\.4 NOTIFY"):
        forward_path("TO:<a@b.example> NOTIFY=NEVER", utf8=False, hostname="mx.test")


@given(st.text(max_size=1_100), st.sampled_from(["", "FROM:<", 'FROM:<"', "FROM:<@a", "FROM:<a@b> "]))
def test_any_argument_is_answered_at_once(argument: str, prefix: str) -> None:
    began = time.process_time()
    with contextlib.suppress(PathError):
        path = reverse_path(prefix + argument)
        assert "\r" not in path.address + "".join(path.parameters.values())
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize("piece", ['"', "\\", '\\"', "@a,", "a.", "<", ">", " A=1", "@", "xn--"])
def test_long_arguments_are_answered_at_once(piece: str) -> None:
    for prefix in ("FROM:<", 'FROM:<"', "FROM:<@", "FROM:<a@b.example> "):
        began = time.process_time()
        with contextlib.suppress(PathError):
            reverse_path(prefix + piece * (12_000 // len(piece)))
        assert time.process_time() - began < 0.1
