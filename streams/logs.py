"""Logs: one JSON object a line on standard error, the libraries' logs in the same form, secrets and people left out."""

import hashlib
import logging
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Literal

import orjson
import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

Level = Literal["debug", "info", "warning", "error"]

MAX_CHARACTERS = 2_000
MAX_TRACE_CHARACTERS = 8_000
MAX_DEPTH = 4
REMOVED = "[removed]"

REMOVED_KEYS = frozenset({"text", "html", "body", "subject", "payload", "cookie", "dsn", "short_message"})
REMOVED_PARTS = ("password", "passwd", "secret", "authorization", "api_key", "apikey", "token", "private_key")
HASHED_KEYS = frozenset({"recipient", "phone", "email", "address", "msisdn", "mailbox", "to"})
HASHED_ENDS = ("_recipient", "_phone", "_email", "_address", "_msisdn")

LIBRARY_LEVELS: Mapping[str, int] = {
    "aiohttp.access": logging.WARNING,
    "aiokafka": logging.WARNING,
    "asyncio": logging.WARNING,
    "asyncpg": logging.WARNING,
    "faust": logging.WARNING,
    "kafka": logging.WARNING,
    "mail": logging.WARNING,  # aiosmtpd; below, it logs what a client said
    "mode": logging.WARNING,
}
"""aiokafka, faust and mode are louder than they are worth below WARNING."""

_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")

within = bound_contextvars
"""`with within(trace_id=…, message_id=…, tenant_id=…):` puts the ids on every event of the block, libraries' included."""


def configure(role: str, level: Level = "info", out: BinaryIO | None = None, hash_key: bytes = b"") -> None:
    """Set the process's logging up: once, by the process's entry point.

    `role` is on every line. A level below `level` costs an empty call. `hash_key` keys the hashes of recipients; without
    one they can be compared within this process only.
    """
    file = out or sys.stderr.buffer
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        merge_contextvars,
        structlog.processors.add_log_level,
        _with_role(role),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        masker(hash_key or secrets.token_bytes(16)),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=orjson.dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(file),
        cache_logger_on_first_use=True,
    )
    handler = _Lines(file)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_dumps_text),
            ],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        )
    )
    root = logging.getLogger()
    for old in tuple(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(number)
    for name, least in LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(max(least, number))
    logging.captureWarnings(True)


def masker(hash_key: bytes) -> Processor:
    """A processor after which an event holds no secret, no content and no recipient, and no endless string."""

    def mask(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        for key, value in event.items():
            event[key] = _masked(key, value, hash_key, 0)
        return event

    return mask


def hashed(value: object, hash_key: bytes) -> str:
    """16 hex digits that stand for a recipient: keyed BLAKE2b, so numbers cannot be tried out without the key."""
    return hashlib.blake2b(str(value).encode(errors="replace"), digest_size=8, key=hash_key[:64]).hexdigest()


def _masked(key: str, value: Any, hash_key: bytes, depth: int) -> Any:
    name = key.lower().replace("-", "_") if isinstance(key, str) else ""
    if name in REMOVED_KEYS or any(part in name for part in REMOVED_PARTS):
        return REMOVED
    if name in HASHED_KEYS or name.endswith(HASHED_ENDS):
        return hashed(value, hash_key)
    if isinstance(value, str):
        limit = MAX_TRACE_CHARACTERS if name == "exception" else MAX_CHARACTERS
        short = value if len(value) <= limit else value[:limit] + "…"
        return _USERINFO.sub("", short) if "://" in short else short
    if isinstance(value, Mapping):
        return REMOVED if depth >= MAX_DEPTH else {k: _masked(k, v, hash_key, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return REMOVED if depth >= MAX_DEPTH else [_masked("", v, hash_key, depth + 1) for v in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _masked("", repr(value), hash_key, depth + 1)


def _with_role(role: str) -> Processor:
    def add(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["role"] = role
        return event

    return add


def _dumps_text(value: Any, default: Callable[[Any], Any] | None = None) -> str:
    return orjson.dumps(value, default=default).decode()


class _Lines(logging.Handler):
    """Writes a formatted record as one line of octets."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        self._file.write(self.format(record).encode(errors="replace") + b"\n")
        self._file.flush()
