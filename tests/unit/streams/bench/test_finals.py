"""The head of a status is read without the cascade behind it."""

from domain.cascade.commands import StatusChanged
from schemas.catalogue import codec
from streams.bench.finals import head_of, head_schema


def test_the_first_fields_of_a_status_are_those_that_were_written() -> None:
    status = StatusChanged("msg-1", "t-1", 3, "delivered", "", 1, True, "sms", 1_790_000_000_000, b"the whole cascade")

    head = head_of(codec().encode(status), head_schema())

    assert (head["message_id"], head["event"], head["final"]) == ("msg-1", "delivered", True)
    assert head["at_ms"] == status.at_ms
    assert "cascade" not in head
