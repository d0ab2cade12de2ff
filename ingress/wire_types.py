"""The strings of the API as types: each is checked while the body is read, and arrives as the value it stands for."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from ingress.addresses import MAX_EMAIL_CHARS, MAX_PHONE_CHARS, normalise_email, parse_phone
from ingress.times import (
    DURATION_PATTERN,
    TIME_OF_DAY_PATTERN,
    format_duration,
    is_timezone,
    parse_duration,
    parse_rfc3339,
    parse_time_of_day,
)

RECIPIENT_ZONE = "recipient"
"""The name that stands for the zone of the recipient's number."""

NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise PydanticCustomError("wrong_type", "Input should be a string")


def duration(lowest_ms: int, highest_ms: int) -> tuple[BeforeValidator, WithJsonSchema]:
    """What makes an `int` of milliseconds out of a duration string between two bounds; unpack it into `Annotated`."""
    span = f"between {format_duration(lowest_ms)} and {format_duration(highest_ms)}"

    def read(value: object) -> int:
        duration_ms = parse_duration(_text(value))
        if duration_ms is None:
            raise PydanticCustomError("bad_format", "Input should be a duration such as 500ms, 30s, 5m or 24h")
        if not lowest_ms <= duration_ms <= highest_ms:
            raise PydanticCustomError("out_of_range", "Input should be {span}", {"span": span})
        return duration_ms

    schema = {"type": "string", "pattern": DURATION_PATTERN, "description": f"A duration {span}.", "examples": ["30s"]}
    return BeforeValidator(read), WithJsonSchema(schema)


def _moment(value: object) -> int:
    at_ms = parse_rfc3339(_text(value))
    if at_ms is None:
        raise PydanticCustomError("bad_format", "Input should be an RFC 3339 date-time with an offset")
    return at_ms


def _time_of_day(value: object) -> int:
    minute = parse_time_of_day(_text(value))
    if minute is None:
        raise PydanticCustomError("bad_format", "Input should be a time of day such as 09:00")
    return minute


def _phone(value: str) -> str:
    phone = parse_phone(value)
    if phone is None:
        raise PydanticCustomError("bad_phone", "Input should be a phone number in E.164 form, such as +4520123456")
    return phone.e164


def _email(value: str) -> str:
    email = normalise_email(value)
    if email is None:
        raise PydanticCustomError("bad_email", "Input should be a mailbox such as name@example.com")
    return email


def _zone(value: str) -> str:
    if value != RECIPIENT_ZONE and not is_timezone(value):
        raise PydanticCustomError("bad_timezone", "Input should be an IANA time zone or 'recipient'")
    return value


def _schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


def _string(check: Callable[[str], str], longest: int, example: str) -> tuple[object, ...]:
    return Field(max_length=longest, examples=[example]), AfterValidator(check)


Moment = Annotated[
    int,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-02-10T12:00:00+01:00"]}),
]
TimeOfDay = Annotated[int, BeforeValidator(_time_of_day), _schema(TIME_OF_DAY_PATTERN, "09:00")]
PhoneText = Annotated[str, *_string(_phone, MAX_PHONE_CHARS, "+4520123456")]
EmailText = Annotated[str, *_string(_email, MAX_EMAIL_CHARS, "name@example.com")]
Timezone = Annotated[str, *_string(_zone, 64, "Europe/Copenhagen")]
ShortLine = Annotated[str, StringConstraints(max_length=255, pattern=NO_CONTROLS)]
Line = Annotated[str, StringConstraints(max_length=998, pattern=NO_CONTROLS)]
