"""Names and classes of command_status."""

from schemas.smpp.status import STATUS_NAMES, classify, status_name


def test_a_status_is_named_or_written_as_a_number() -> None:
    assert status_name(0x58) == "ESME_RTHROTTLED"
    assert status_name(0x0432) == "0x00000432"


def test_only_what_is_known_to_pass_is_not_permanent() -> None:
    classes = {classify(status) for status in (0x14, 0x58, 0x08, 0x64, 0x04, 0x05, 0x0D, 0x0E, 0x0F, 0x00)}
    assert classes == {"queue_full", "throttled", "temporary", "session", "credentials", "ok"}
    passing = {status for status in STATUS_NAMES if classify(status) != "permanent"}
    assert len(passing) == 10
    assert classify(0x0432) == "permanent"
