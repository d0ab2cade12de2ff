"""What pydantic found wrong, as field errors with dotted paths and a small set of stable codes."""

from typing import Final

from pydantic import ValidationError

from domain.errors import FieldError

MAX_FIELD_ERRORS = 100
MAX_PATH_CHARS = 200
MAX_PYDANTIC_ERRORS = 1_000

_CODES: Final[dict[str, str]] = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "literal_error": "not_allowed",
    "string_pattern_mismatch": "bad_format",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
}
_MESSAGES: Final[dict[str, str]] = {"missing": "is required", "extra_forbidden": "is not a field of this object"}


def field_errors(error: ValidationError) -> tuple[FieldError, ...]:
    """Every error of `error`, at most MAX_FIELD_ERRORS of them; what the client wrote is not repeated in a message."""
    count = error.error_count()
    if count > MAX_PYDANTIC_ERRORS:
        return (FieldError("", "too_many_errors", f"{count} fields are wrong"),)
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return tuple(
        FieldError(_path(one["loc"]), _code(one["type"]), _message(one["type"], one["msg"]))
        for one in found[:MAX_FIELD_ERRORS]
    )


def _path(loc: tuple[int | str, ...]) -> str:
    """`to.email`; the marker that pydantic puts behind a bad key of a dictionary is left out."""
    return ".".join(str(part) for part in loc if part != "[key]")[:MAX_PATH_CHARS]


def _message(kind: str, text: str) -> str:
    """`must be a valid string`: the sentence is about the field at the path."""
    return _MESSAGES.get(kind) or text.replace("Input should", "must", 1).replace(" should ", " must ", 1)


def _code(kind: str) -> str:
    known = _CODES.get(kind)
    if known:
        return known
    return "wrong_type" if kind.endswith("_type") else kind
