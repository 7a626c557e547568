"""A folder or file of recorded studies as a registry source. Landing only: what the documents say is read later.

Files: API pages, single studies, arrays, lines (`.jsonl`), records in their history wrapper, each also
`.gz` or `.zst`, pages of the markdown mirror, and archives of all these. What lands is the uncompressed file,
byte for byte; of an archive its members, many single studies together.
"""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from pipeline.errors import BrokenDocument, RegistryError
from pipeline.landing import CHUNK, Entry, Landing
from pipeline.registry import archives, forms, mirror, tables
from pipeline.registry.source import Progress, Pull, silent

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".md")
# Between an archive's name and the number of a part in the journal.
ARCHIVE_MARK = "!"
_FORMS_SAID = (
    "Record API pages, single studies, arrays or .jsonl of studies (each also .gz or .zst), a .zip or .tar of them, "
    "or mirror .md pages"
)


@dataclass(frozen=True)
class _File:
    path: Path
    name: str  # relative to the folder, with forward slashes

    @property
    def plain_name(self) -> str:
        return self.name if self.is_archive else self.name.removesuffix(".gz").removesuffix(".zst")

    @property
    def is_archive(self) -> bool:
        return self.name.lower().endswith(archives.SUFFIXES)


@dataclass(frozen=True)
class _Found:
    """A usable document: what landing's journal says of it, and whether it says so already."""

    sha256: str
    size: int
    form: str
    is_new: bool = True
    is_landed: bool = False
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Fault:
    file: _File
    reason: str


class SnapshotSource:
    """Recorded studies below `path`, a folder or one file. Journal names are relative to the folder."""

    name = "snapshot"

    def __init__(self, path: Path):
        self.path = Path(path)

    def pull(self, landing: Landing, progress: Progress = silent) -> Pull:
        """Land what is new or changed, withdraw what is gone; a file that cannot be used is set aside.

        Of a file that was good before and cannot be read now, the last good version stays in force.

        Raises:
            RegistryError: the path does not exist, or holds nothing usable; the journal is as it was.
        """
        files, passed_over = self._files()
        root = str((self.path if self.path.is_dir() else self.path.parent).resolve())
        before = {entry.name: entry for entry in landing.current(self.name)}
        set_aside: list[str] = []
        found: dict[str, _Found] = {}
        for done, file in enumerate(files):
            progress("recorded studies", done, len(files))
            try:
                if file.is_archive:
                    parts, faults = self._archive(file, landing, before)
                    found |= parts
                    set_aside += [self._aside(fault.file, fault.reason, before, root) for fault in faults]
                else:
                    found[file.name] = self._document(file, before)
            except BrokenDocument as error:
                set_aside.append(self._aside(file, str(error), before, root))
        new = [(file, found[file.name]) for file in files if file.name in found and found[file.name].is_new]
        for file, reason in _unreadable(new):
            del found[file.name]
            set_aside.append(self._aside(file, reason, before, root))
        if not found:
            raise RegistryError(self._nothing(files, set_aside))

        for file, document in new:
            if file.name not in found or document.is_landed:
                continue
            stored, _ = landing.put(_chunks(file))
            if stored != document.sha256:
                del found[file.name]
                set_aside.append(self._aside(file, "changed while it was read", before, root))
        is_unchanged = True
        for name, document in found.items():
            if document.is_new:
                landing.record(
                    source=self.name, name=name, sha256=document.sha256, size=document.size,
                    form=document.form, root=root, **document.details,
                )  # fmt: skip
                is_unchanged = False
        there = {file.name for file in files}
        for name, entry in before.items():
            # What is there but broken keeps its last good version, unless that came from another folder.
            is_there = name.split(ARCHIVE_MARK)[0] in there
            replaced = any(other.startswith(name.split(ARCHIVE_MARK)[0] + ARCHIVE_MARK) for other in found)
            if name not in found and (not is_there or replaced or entry.details.get("root") != root):
                landing.record(source=self.name, name=name, event="withdrawn")
                is_unchanged = False
        # The end of a pull that changed something: the change feed counts versions by it. A killed pull wrote none.
        if not is_unchanged or _is_open(landing, self.name):
            landing.record(source=self.name, name=self.path.name, event="pull_completed", root=root)
        progress("recorded studies", len(files), len(files))
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

    def _document(self, file: _File, before: dict[str, Entry]) -> _Found:
        sha256, size, head = _digest(file)
        known = before.get(file.name)
        if known and known.sha256 == sha256 and "form" in known.details:
            return _Found(sha256, size, known.details["form"], is_new=False)
        form = forms.sniff(head, file.plain_name)
        if form is None:
            raise BrokenDocument("is no study document")
        return _Found(sha256, size, form)

    def _archive(
        self, file: _File, landing: Landing, before: dict[str, Entry]
    ) -> tuple[dict[str, _Found], list[_Fault]]:
        """The members of an archive, landed in parts; unpacked only when the archive changed."""
        sha256, _, _ = _digest(file)
        known = {
            name: entry
            for name, entry in before.items()
            if name.startswith(file.name + ARCHIVE_MARK) and entry.details.get("archive") == sha256
        }
        if known:
            return {
                name: _Found(entry.sha256, entry.bytes, entry.details["form"], is_new=False)
                for name, entry in known.items()
            }, []
        found, faults = {}, []
        for number, part in enumerate(archives.parts(file.path)):
            stored, size = landing.put(part.content)
            if part.form != forms.MIRROR:
                document = tables.Document(0, landing.blob(stored), part.form, size)
                if part.members and tables.identified([document])[0] is None:
                    part = part.without_broken()
                    stored, size = landing.put(part.content)
            faults += [_Fault(_File(file.path, f"{file.name}/{name}"), why) for name, why in part.faults]
            if part.members:
                found[f"{file.name}{ARCHIVE_MARK}part-{number:05d}"] = _Found(
                    stored,
                    size,
                    part.form,
                    is_landed=True,
                    details={"archive": sha256, "members": len(part.members)},
                )
        if not found:
            raise BrokenDocument("holds no study document")
        return found, faults

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
            if (
                file.is_archive or file.plain_name.lower().endswith(_SUFFIXES)
            ) and path.name.lower() != "readme.md":
                files.append(file)
            elif path.name.lower() != "readme.md":
                passed_over.add(path.suffix or "no suffix")
        if not files:
            raise RegistryError(
                f"The registry folder {self.path} holds no recorded studies. {_FORMS_SAID}, and run again."
            )
        return files, passed_over

    def _aside(self, file: _File, reason: str, before: dict[str, Entry], root: str) -> str:
        entry = before.get(file.name) or before.get(f"{file.name}{ARCHIVE_MARK}part-00000")
        kept = " Its last good version stays in force." if entry and entry.details.get("root") == root else ""
        return f"{file.name}: {reason}; it was set aside.{kept} Record the file again or remove it."

    def _nothing(self, files: list[_File], set_aside: list[str]) -> str:
        if len(files) == 1:
            return set_aside[0].replace("it was set aside. ", "nothing was replaced. ")
        return f"None of the {len(files)} files of {self.path} could be used; nothing was replaced. The first: {set_aside[0]}"


def _is_open(landing: Landing, source: str) -> bool:
    """Whether documents came or went since the last pull that ended."""
    last = None
    for entry in landing.entries():
        if entry.source == source and entry.event != "erased":
            last = entry.event
    return last in ("received", "withdrawn")


def _open(file: _File) -> BinaryIO:
    suffix = "" if file.is_archive else file.path.suffix.lower()
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


def _unreadable(new: list[tuple[_File, _Found]]) -> Iterator[tuple[_File, str]]:
    """Files that are not whole, or hold no study with an NCT id; read in groups, then one by one."""
    for file, document in new:
        if document.form == forms.MIRROR and (reason := _mirror_fault(file)):
            yield file, reason
    documents = {
        index: (file, tables.Document(index, file.path, document.form, document.size))
        for index, (file, document) in enumerate(new)
        if document.form != forms.MIRROR
    }
    counts = tables.identified([document for _, document in documents.values()])
    for index, (file, _) in documents.items():
        if counts[index] is None:
            yield file, "is not whole JSON (truncated or damaged)"
        elif counts[index] == 0:
            yield file, "holds no study with an NCT id"


def _mirror_fault(file: _File) -> str | None:
    try:
        mirror.parse(b"".join(_chunks(file)).decode("utf-8"))
    except (BrokenDocument, UnicodeDecodeError) as error:
        return str(error) if isinstance(error, BrokenDocument) else "is not UTF-8 text"
    return None
