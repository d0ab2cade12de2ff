"""Files of the state directory that only their owner reads: written whole or not at all."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from domain.errors import ConfigError

MAX_FILE_OCTETS = 16 * 1024 * 1024


def write_private(path: Path, octets: bytes) -> None:
    """The file at `path` holds `octets`, mode 0600; a reader sees the old ones or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """The file holds the JSON object."""
    write_private(path, json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file, empty when there is no file; ConfigError when it is something else."""
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(MAX_FILE_OCTETS))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read ({type(error).__name__}): mend it or move it away") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{path} holds no JSON object: mend it or move it away")
    return value
