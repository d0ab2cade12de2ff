"""What makes a repeated message recognisable."""

from hypothesis import given
from hypothesis import strategies as st

from domain.validation.l0_idempotency import MAX_KEY_CHARS
from ingress.smtp.submitting import idempotency_key


def test_the_key_is_message_id_and_recipient() -> None:
    assert idempotency_key("<1@a.example>", "ann@b.example") == "<1@a.example> ann@b.example"
    assert idempotency_key("", "ann@b.example") == ""


@given(st.text(min_size=1, max_size=400), st.emails())
def test_any_message_id_makes_a_key_that_layer_0_takes(message_id: str, recipient: str) -> None:
    key = idempotency_key(message_id, recipient)
    assert 0 < len(key) <= MAX_KEY_CHARS
    assert key.isprintable()
    assert key == idempotency_key(message_id, recipient)
