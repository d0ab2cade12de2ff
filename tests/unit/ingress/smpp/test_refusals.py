"""The command_status of each refusal."""

from typing import get_args

import pytest

from domain.errors import Code, FieldError
from domain.verdict import Reject
from ingress.smpp.ids import client_id, message_id_of
from ingress.smpp.refusals import not_text, status_of
from ingress.smpp.states import takes
from schemas.smpp import commands as c
from schemas.smpp import status as s


@pytest.mark.parametrize("code", get_args(Code))
def test_every_code_has_a_status_that_is_no_success(code: Code) -> None:
    assert status_of(Reject(1, code, ""), vendor=False) in s.STATUS_NAMES.keys() - {s.ESME_ROK}
    vendor = status_of(Reject(1, code, ""), vendor=True)
    assert vendor in s.STATUS_NAMES or 0x400 <= vendor <= 0x4FF


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("to.phone", s.ESME_RINVDSTADR),
        ("sender", s.ESME_RINVSRCADR),
        ("body.text", s.ESME_RINVMSGLEN),
        ("send_at", s.ESME_RINVSCHED),
        ("routing.channels.0.timeout", s.ESME_RINVEXPIRY),
        ("idempotency_key", s.ESME_RINVOPTPARAMVAL),
        ("metadata.smpp", s.ESME_RINVOPTPARAMVAL),
        ("reference", s.ESME_RSUBMITFAIL),
    ],
)
def test_a_field_that_does_not_validate_is_named_by_the_status(path: str, status: int) -> None:
    reject = Reject(5, "validation_failed", "", (FieldError(path, "x", "x"), FieldError("to", "x", "x")))
    wanted = s.ESME_RINVDSTADR if path == "reference" else status
    assert status_of(reject, vendor=True) == wanted


def test_content_that_is_no_text_has_a_vendors_code_where_it_is_asked_for() -> None:
    assert (not_text(vendor=False), not_text(vendor=True)) == (s.ESME_RSUBMITFAIL, 0x400)


def test_an_id_goes_to_the_client_and_back_with_its_part_and_in_any_case() -> None:
    message_id = "msg-01890a5d-ac96-774b-bcce-b302099a8057"
    assert client_id(message_id) == "01890a5dac96774bbcceb302099a8057"
    assert client_id(message_id, 255) == "01890a5dac96774bbcceb302099a8057ff"
    for named in (client_id(message_id), client_id(message_id, 3), client_id(message_id).upper()):
        assert message_id_of(named) == message_id
    for foreign in ("", "1", "msg-1", "g" * 32, client_id(message_id) + "0"):
        assert message_id_of(foreign) is None


def test_states_take_what_table_2_1_says() -> None:
    sending = (c.SUBMIT_SM, c.SUBMIT_MULTI, c.QUERY_SM, c.CANCEL_SM, c.REPLACE_SM)
    for command in sending:
        assert [takes(state, command) for state in ("tx", "trx", "rx", "open", "unbinding")] == [
            True, True, False, False, False,
        ]  # fmt: skip
    assert takes("rx", c.DATA_SM)
    assert not takes("trx", c.DELIVER_SM)
