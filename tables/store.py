"""The local store of one partition: octets by key, on RocksDB or in memory, with the place its changelogs were read to."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

from rocksdict import AccessType, Options, Rdict, WriteBatch, WriteOptions

_CHECKPOINT = b"\x00checkpoint"
_WRITE_BUFFER_OCTETS = 16 * 1024 * 1024

Write = tuple[bytes, bytes | None]
"""A key with its new value; None deletes."""


class Store(Protocol):
    """Rows of one partition. A write is applied whole or not at all."""

    def get(self, key: bytes) -> bytes | None:
        """The value of a key."""
        ...

    def write(self, writes: Sequence[Write]) -> None:
        """Apply all writes at once."""
        ...

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All pairs whose key begins with `prefix`, in key order."""
        ...

    def checkpoint(self) -> dict[str, int]:
        """Up to which offset each changelog topic has been applied."""
        ...

    def set_checkpoint(self, offsets: Mapping[str, int]) -> None:
        """Remember how far the changelogs have been applied."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...


class RocksStore:
    """A store on RocksDB. Its log outlives the process, so after kill -9 it goes on from the last write."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        options = Options(raw_mode=True)
        options.set_write_buffer_size(_WRITE_BUFFER_OCTETS)
        options.set_max_write_buffer_number(3)
        options.set_max_log_file_size(1024 * 1024)
        options.set_keep_log_file_num(2)
        self._db = Rdict(str(path), options=options, access_type=AccessType.read_write())
        self._write_options = WriteOptions()

    def get(self, key: bytes) -> bytes | None:
        """The value of a key."""
        value: bytes | None = self._db.get(key)
        return value

    def write(self, writes: Sequence[Write]) -> None:
        """Apply all writes at once."""
        batch = WriteBatch(raw_mode=True)
        for key, value in writes:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        self._db.write(batch, self._write_options)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All pairs whose key begins with `prefix`, in key order."""
        pairs = cast("Iterator[tuple[bytes, bytes]]", self._db.items(from_key=prefix))
        for key, value in pairs:
            if not key.startswith(prefix):
                return
            yield key, value

    def checkpoint(self) -> dict[str, int]:
        """Up to which offset each changelog topic has been applied."""
        stored = self.get(_CHECKPOINT)
        return json.loads(stored) if stored else {}

    def set_checkpoint(self, offsets: Mapping[str, int]) -> None:
        """Remember how far the changelogs have been applied."""
        self.write([(_CHECKPOINT, json.dumps(dict(offsets)).encode())])

    def close(self) -> None:
        """Release the store."""
        self._db.close()


class MemoryStore:
    """A store that lives as long as its process; `kept` shows what a disk would have kept."""

    def __init__(self) -> None:
        self._rows: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        """The value of a key."""
        return self._rows.get(key)

    def write(self, writes: Sequence[Write]) -> None:
        """Apply all writes at once."""
        for key, value in writes:
            if value is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = value

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All pairs whose key begins with `prefix`, in key order."""
        yield from sorted((k, v) for k, v in self._rows.items() if k.startswith(prefix))

    def checkpoint(self) -> dict[str, int]:
        """Up to which offset each changelog topic has been applied."""
        stored = self._rows.get(_CHECKPOINT)
        return json.loads(stored) if stored else {}

    def set_checkpoint(self, offsets: Mapping[str, int]) -> None:
        """Remember how far the changelogs have been applied."""
        self._rows[_CHECKPOINT] = json.dumps(dict(offsets)).encode()

    def close(self) -> None:
        """Nothing to release."""
