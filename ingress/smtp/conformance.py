"""Runs the reader of messages over published end-of-data sequences: none of them may smuggle a second message."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final, cast

from ingress.smtp.channel import Channel, EndError
from ingress.smtp.reading import ContentError, check_octets
from ingress.smtp.room import Room
from ingress.smtp.settings import SmtpServerSettings

FILE: Final = "smtp_smuggling.json"
MAX_MESSAGE: Final = 100_000
_MARK: Final = b"<SEQ>"


def run(folder: Path) -> list[tuple[str, str, bool, str]]:
    """Suite, sequence in hexadecimal, passed, and what was let through; empty without the file."""
    path = folder / FILE
    if not path.exists():
        return []
    cases: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    template = bytes.fromhex(cases["template_hex"])
    return [
        ("smtp_smuggling", sequence, *asyncio.run(_judge(template.replace(_MARK, bytes.fromhex(sequence)))))
        for sequence in cases["end_of_data_sequences_hex"]
    ]


async def _judge(sent: bytes) -> tuple[bool, str]:
    reader = asyncio.StreamReader()
    reader.feed_data(sent)
    reader.feed_eof()
    channel = Channel(reader, cast(asyncio.StreamWriter, None), write_ms=0)  # nothing is written
    try:
        raw = await channel.message(MAX_MESSAGE, Room(MAX_MESSAGE))
    except EndError:
        return True, ""
    if isinstance(raw, str):
        return True, ""
    try:
        check_octets(raw, SmtpServerSettings())
    except ContentError:
        return not await _has_more(channel), ""
    return False, f"{len(raw)} octets were taken"


async def _has_more(channel: Channel) -> bool:
    """Whether anything stands behind the message, which would be taken for commands."""
    try:
        return bool(await channel.line(wait_ms=1_000))
    except EndError:
        return False
