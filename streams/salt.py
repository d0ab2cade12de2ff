"""The platform's key for recipient hashes: made once, kept under the state directory, never on a topic."""

import os
import secrets
from pathlib import Path

KEY_OCTETS = 32
FILE = "salt.key"


def salt_key(state: Path) -> bytes:
    """The key; made at the first call, by one process only."""
    path = state / FILE
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_bytes(secrets.token_bytes(KEY_OCTETS))
        try:
            os.link(draft, path)  # whoever links first has made it
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
