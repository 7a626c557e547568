"""One hash over files, for all who must tell whether the code behind a result changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def of_files(project: Path, patterns: Iterable[str]) -> str:
    """SHA-256 over names and contents of the files below `project` that match one of the patterns."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in project.glob(pattern) if path.is_file()}):
        digest.update(path.relative_to(project).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
