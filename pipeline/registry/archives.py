"""Archives of recorded studies (`.zip`, `.tar`, also compressed), unpacked part by part. No landing here.

The whole registry is offered as one archive of single-study files. Hundreds of thousands of files would be as
many blobs, so single studies are put together, untouched and one after the other, into parts of some megabytes;
everything else in an archive becomes a part of its own.
"""

from __future__ import annotations

import json
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import BrokenDocument
from pipeline.registry import forms

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
PART_BYTES = 64 << 20
# No study is larger; an archive that unpacks to more is damaged or meant ill.
MEMBER_BYTES = 1 << 30
_SINGLE = "unstructured/study"
_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError)
_MARK = b"\xef\xbb\xbf"


@dataclass
class Part:
    """Some members of an archive as one document. `faults`: members that were left out, and why."""

    form: str
    members: list[tuple[str, bytes]]
    faults: list[tuple[str, str]] = field(default_factory=list)

    @property
    def content(self) -> bytes:
        return b"\n".join(content for _, content in self.members)

    def without_broken(self) -> Part:
        """The part without the members that are not whole JSON: for a part that cannot be read as it is."""
        whole, faults = [], list(self.faults)
        for name, content in self.members:
            if _is_whole(content, self.form):
                whole.append((name, content))
            else:
                faults.append((name, "is not whole JSON (truncated or damaged)"))
        return Part(self.form, whole, faults)


def parts(path: Path) -> Iterator[Part]:
    """Read an archive from beginning to end, holding one part at a time in memory.

    Raises:
        BrokenDocument: it cannot be unpacked (damaged, encrypted, or a member larger than `MEMBER_BYTES`).
    """
    part = Part(_SINGLE, [])
    size = 0
    for name, content in _members(path):
        form = forms.sniff(content[: forms.HEAD], name)
        if form is None:
            part.faults.append((name, "is no study document"))
        elif form != _SINGLE:
            yield Part(form, [(name, content)])
        else:
            part.members.append((name, content.removeprefix(_MARK)))
            size += len(content)
        if size >= PART_BYTES:
            yield part
            part, size = Part(_SINGLE, []), 0
    if part.members or part.faults:
        yield part


def _is_whole(content: bytes, form: str) -> bool:
    try:
        text = content.decode("utf-8-sig")
        if form == _SINGLE:
            _whole_objects(text)
        else:
            for document in text.splitlines() if form.startswith("newline") else [text]:
                if document.strip():
                    json.loads(document)
    except ValueError:
        return False
    return True


def _whole_objects(text: str) -> None:
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        _, place = decoder.raw_decode(text, place)
        while place < len(text) and text[place].isspace():
            place += 1


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if path.name.lower().endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    if _is_wanted(member.filename) and not member.is_dir():
                        _refuse_huge(member.file_size)
                        yield member.filename, archive.read(member)
        else:
            with tarfile.open(path, mode="r|*") as archive:
                for member in archive:
                    archive.members.clear()  # kept for a look back that a stream does not have: 0.6 GB for the registry
                    if _is_wanted(member.name) and member.isfile():
                        _refuse_huge(member.size)
                        yield member.name, archive.extractfile(member).read()
    except _DAMAGED as error:
        raise BrokenDocument("cannot be unpacked (truncated, damaged or encrypted)") from error


def _is_wanted(name: str) -> bool:
    parts_of_name = name.split("/")
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in parts_of_name)
    return not is_hidden and name.lower().endswith((".json", ".jsonl", ".ndjson", ".md"))


def _refuse_huge(size: int) -> None:
    if size > MEMBER_BYTES:
        raise BrokenDocument(f"unpacks to a file of {size >> 20} MB, larger than any study")
