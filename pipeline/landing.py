"""Landing: what came in, untouched, by hash and compressed, and the journal of what happened to it.

The journal is append-only JSON lines and the one source of times: everything behind landing can be
deleted and rebuilt from it with an equal result. What is current is the last event of each file.
No parsing here.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

import zstandard

from pipeline.errors import HomeError

Event = Literal["received", "withdrawn", "pull_started", "page", "pull_failed", "pull_completed", "erased"]
CHUNK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """One line of the journal. `name` is the file's own name and private on the cohort side."""

    time: str
    area: str  # "registry" or "cohort"
    source: str  # "clinicaltrials.gov", "snapshot", "mirror", or the cohort's name
    name: str
    sha256: str
    bytes: int
    event: Event
    details: dict[str, Any] = field(default_factory=dict)


class Landing:
    """The landing area of one side (`registry` or `cohort`) below `landing/`."""

    def __init__(self, root: Path, area: Literal["registry", "cohort"]):
        self.area = area
        self.root = root / area
        self.blobs = self.root / "blobs"
        self.journal = self.root / "journal.jsonl"

    def blob(self, sha256: str) -> Path:
        """Where the zstd-compressed bytes with this hash lie (`….zst`)."""
        return self.blobs / sha256[:2] / f"{sha256}.zst"

    def open(self, sha256: str) -> BinaryIO:
        """The original bytes with this hash, as a stream."""
        return zstandard.open(self.blob(sha256), "rb")

    def read(self, sha256: str) -> bytes:
        """The original bytes with this hash."""
        with self.open(sha256) as stream:
            return stream.read()

    def put(self, content: bytes | Path | Iterable[bytes]) -> tuple[str, int]:
        """Store bytes, a file or a stream of chunks; give sha256 and size. Twice the same is stored once.

        The blob appears by rename after fsync, so a killed run leaves no half blob under a good name.
        """
        self.blobs.mkdir(parents=True, exist_ok=True, mode=0o700)
        digest, size = hashlib.sha256(), 0
        partial = self.blobs / f".partial-{os.getpid()}-{os.urandom(4).hex()}"
        try:
            with open(partial, "wb", opener=_private) as raw:
                with zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False) as out:
                    for chunk in _chunks(content):
                        digest.update(chunk)
                        size += len(chunk)
                        out.write(chunk)
                raw.flush()
                os.fsync(raw.fileno())
            target = self.blob(digest.hexdigest())
            target.parent.mkdir(exist_ok=True, mode=0o700)
            if not target.exists():
                partial.replace(target)
        except OSError as error:
            raise HomeError(
                f"cannot write to landing ({error.strerror}): free some space under REMIT_HOME and run again."
            ) from error
        finally:
            partial.unlink(missing_ok=True)
        return digest.hexdigest(), size

    def record(
        self,
        *,
        source: str,
        name: str,
        sha256: str = "",
        size: int = 0,
        event: Event = "received",
        at: datetime | None = None,
        **details: Any,
    ) -> Entry:
        """Append one event to the journal, durably."""
        entry = Entry(
            time=(at or datetime.now(UTC)).isoformat(timespec="microseconds"),
            area=self.area,
            source=source,
            name=name,
            sha256=sha256,
            bytes=size,
            event=event,
            details=details,
        )
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with open(self.journal, "a+b", opener=_private) as out:
                # A run killed while it wrote leaves a line without its end: start a new one.
                if out.tell() and _last_byte(out) != b"\n":
                    out.write(b"\n")
                out.write(json.dumps(asdict(entry), ensure_ascii=False, sort_keys=True).encode() + b"\n")
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise HomeError(
                f"cannot write the journal ({error.strerror}): free some space under REMIT_HOME and run again."
            ) from error
        return entry

    def entries(self) -> Iterator[Entry]:
        """Every whole line of the journal, oldest first; a line torn by a killed run is passed over."""
        if not self.journal.exists():
            return
        with self.journal.open("rb") as lines:
            for line in lines:
                try:
                    yield Entry(**json.loads(line))
                except (ValueError, TypeError):
                    continue

    def current(self, source: str | None = None) -> list[Entry]:
        """The files that are in force: the last event of each (source, name) where that is `received`."""
        last: dict[tuple[str, str], Entry] = {}
        for entry in self.entries():
            if entry.event in ("received", "withdrawn", "erased") and source in (None, entry.source):
                last[(entry.source, entry.name)] = entry
        return [entry for entry in last.values() if entry.event == "received"]


def _last_byte(file: BinaryIO) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _chunks(content: bytes | Path | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
    elif isinstance(content, Path):
        with content.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    else:
        yield from content
