"""A folder or file of recorded studies as a registry source. Landing only: what the documents say is read later.

Files: API pages, single studies, arrays, lines (`.jsonl`), records in their history wrapper, each also
`.gz` or `.zst`, and pages of the markdown mirror. What lands is the uncompressed file, byte for byte.
"""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import zstandard

from pipeline.errors import BrokenDocument, RegistryError
from pipeline.landing import CHUNK, Landing
from pipeline.registry import forms, mirror, tables
from pipeline.registry.source import Progress, Pull, silent

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".md")
_COMPRESSED = (".gz", ".zst")
_FORMS_SAID = "Record API pages, single studies, arrays or .jsonl of studies (each also .gz or .zst), or mirror .md pages"


@dataclass(frozen=True)
class _File:
    path: Path
    name: str  # relative to the folder, with forward slashes

    @property
    def plain_name(self) -> str:
        return self.name.removesuffix(".gz").removesuffix(".zst")


class SnapshotSource:
    """Recorded studies below `path`, a folder or one file. Journal names are relative to the folder."""

    name = "snapshot"

    def __init__(self, path: Path):
        self.path = Path(path)

    def pull(self, landing: Landing, progress: Progress = silent) -> Pull:
        """Land what is new or changed, withdraw what is gone; a file that cannot be used is set aside.

        Of a file that was good before and cannot be read now, the last good version stays in force.

        Raises:
            RegistryError: the path does not exist, or holds nothing usable; landing is as it was.
        """
        files, passed_over = self._files()
        root = str((self.path if self.path.is_dir() else self.path.parent).resolve())
        before = {entry.name: entry for entry in landing.current(self.name)}
        set_aside: list[str] = []
        good: dict[str, tuple[str, int, str] | None] = {}  # None: unchanged
        for done, file in enumerate(files):
            progress("recorded studies", done, len(files))
            try:
                sha256, size, head = _digest(file)
                known = before.get(file.name)
                if known and known.sha256 == sha256 and "form" in known.details:
                    good[file.name] = None
                    continue
                form = forms.sniff(head, file.plain_name)
                if form is None:
                    raise BrokenDocument("is no study document")
                good[file.name] = (sha256, size, form)
            except BrokenDocument as error:
                set_aside.append(self._aside(file, str(error), before, root))
        for file, reason in self._unreadable([f for f in files if good.get(f.name)], good):
            del good[file.name]
            set_aside.append(self._aside(file, reason, before, root))
        progress("recorded studies", len(files), len(files))
        if not good:
            raise RegistryError(self._nothing(files, set_aside))

        is_unchanged = True
        for file in files:
            if found := good.get(file.name):
                sha256, size, form = found
                stored, _ = landing.put(_chunks(file))
                if stored != sha256:
                    set_aside.append(self._aside(file, "changed while it was read", before, root))
                    continue
                landing.record(
                    source=self.name, name=file.name, sha256=sha256, size=size, form=form, root=root
                )
                is_unchanged = False
        kept = {file.name for file in files}
        for name, entry in before.items():
            # A file that is there but broken keeps its last good version, unless that came from another folder.
            if name not in kept or (name not in good and entry.details.get("root") != root):
                landing.record(source=self.name, name=name, event="withdrawn")
                is_unchanged = False
        if passed_over:
            kinds = ", ".join(sorted(passed_over))
            set_aside.append(
                f"{self.path}: files of other kinds were passed over ({kinds}). {_FORMS_SAID} if they hold studies."
            )
        return Pull(
            source=self.name,
            documents=len(landing.current(self.name)),
            is_unchanged=is_unchanged,
            set_aside=tuple(set_aside),
        )

    def _files(self) -> tuple[list[_File], set[str]]:
        if self.path.is_file():
            return [_File(self.path, self.path.name)], set()
        if not self.path.is_dir():
            raise RegistryError(
                f"The registry folder {self.path} does not exist: set REGISTRY to a folder of recorded studies, or to live."
            )
        files, passed_over = [], set()
        for path in sorted(self.path.rglob("*")):
            relative = path.relative_to(self.path)
            if not path.is_file() or any(part.startswith(".") for part in relative.parts):
                continue
            file = _File(path, relative.as_posix())
            if file.plain_name.lower().endswith(_SUFFIXES) and path.name.lower() != "readme.md":
                files.append(file)
            elif path.name.lower() != "readme.md":
                passed_over.add(path.suffix or "no suffix")
        if not files:
            raise RegistryError(
                f"The registry folder {self.path} holds no recorded studies. {_FORMS_SAID}, and run again."
            )
        return files, passed_over

    def _unreadable(self, files: list[_File], found: dict) -> Iterator[tuple[_File, str]]:
        """Files that are not whole JSON, or hold no study with an NCT id; read in groups, then one by one."""
        pages = [file for file in files if found[file.name][2] == forms.MIRROR]
        for file in pages:
            if reason := _mirror_fault(file):
                yield file, reason
        documents = {
            index: (file, tables.Document(index, file.path, found[file.name][2], found[file.name][1]))
            for index, file in enumerate(files)
            if found[file.name][2] != forms.MIRROR
        }
        counts = tables.identified([document for _, document in documents.values()])
        for index, (file, _) in documents.items():
            if counts[index] is None:
                yield file, "is not whole JSON (truncated or damaged)"
            elif counts[index] == 0:
                yield file, "holds no study with an NCT id"

    def _aside(self, file: _File, reason: str, before: dict, root: str) -> str:
        entry = before.get(file.name)
        kept = " Its last good version stays in force." if entry and entry.details.get("root") == root else ""
        return f"{file.name}: {reason}; it was set aside.{kept} Record the file again or remove it."

    def _nothing(self, files: list[_File], set_aside: list[str]) -> str:
        if len(files) == 1:
            return set_aside[0].replace("it was set aside. ", "nothing was replaced. ")
        return f"None of the {len(files)} files of {self.path} could be used; nothing was replaced. The first: {set_aside[0]}"


def _open(file: _File) -> BinaryIO:
    suffix = file.path.suffix.lower()
    if suffix == ".gz":
        return gzip.open(file.path, "rb")
    if suffix == ".zst":
        return zstandard.open(file.path, "rb")
    return file.path.open("rb")


def _chunks(file: _File) -> Iterator[bytes]:
    try:
        with _open(file) as stream:
            while chunk := stream.read(CHUNK):
                yield chunk
    except (EOFError, gzip.BadGzipFile, zstandard.ZstdError) as error:
        raise BrokenDocument("cannot be decompressed (truncated or damaged)") from error
    except OSError as error:
        raise BrokenDocument(f"cannot be read ({error.strerror or 'damaged'})") from error


def _digest(file: _File) -> tuple[str, int, bytes]:
    digest, size, head = hashlib.sha256(), 0, io.BytesIO()
    for chunk in _chunks(file):
        digest.update(chunk)
        size += len(chunk)
        if head.tell() < forms.HEAD:
            head.write(chunk)
    return digest.hexdigest(), size, head.getvalue()[: forms.HEAD]


def _mirror_fault(file: _File) -> str | None:
    try:
        mirror.parse(b"".join(_chunks(file)).decode("utf-8"))
    except (BrokenDocument, UnicodeDecodeError) as error:
        return str(error) if isinstance(error, BrokenDocument) else "is not UTF-8 text"
    return None
