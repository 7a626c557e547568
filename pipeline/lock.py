"""One writer per home: a kernel lock on `run.lock`, held for a whole run and freed by death.

Within one process the lock can be taken again (the command line holds it around the Dagster run that
takes it too). Nothing here knows what a run does.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import HomeBusy, HomeError

_held: dict[Path, int] = {}  # this process: lock file → how often it was taken


@contextmanager
def hold(lock_file: Path, what: str) -> Iterator[bool]:
    """Hold the lock; yields whether this call was the first of this process to take it.

    Raises:
        HomeBusy: another process holds it; the message says which and since when.
    """
    lock_file = lock_file.resolve()
    if _held.get(lock_file):
        _held[lock_file] += 1
        try:
            yield False
        finally:
            _held[lock_file] -= 1
        return
    try:
        descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise HomeError(
            f"cannot open the run lock ({error.strerror}): check REMIT_HOME and its rights."
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeBusy(
                f"another run holds this REMIT_HOME ({_holder(descriptor)}): "
                "wait until it ends, or end that process, and run again."
            ) from None
        note = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds"), "what": what}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(note).encode(), 0)
        _held[lock_file] = 1
        try:
            yield True
        finally:
            del _held[lock_file]
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    try:
        note = json.loads(os.pread(descriptor, 4096, 0))
        return f"{note['what']}, process {note['pid']}, since {note['since']}"
    except (ValueError, KeyError, TypeError):
        return "its name is not written yet"
