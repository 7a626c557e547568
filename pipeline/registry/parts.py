"""Documents that were read before: their rows, kept beside the snapshots under what they were read from.

A part holds what became of some documents that are read together: a Parquet file a table and what a load must know
of their records. Its key is a hash of the documents (source, content, form, time of landing) and of the code that
reads them, so a part is right for ever or never found. Snapshots hold hard links to its files. A group names the parts
of its documents: one, or several where a large document is streamed. No reading of documents here, no choice between
versions of a study.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

FOLDER = ".parts"
_RECORDS = "records"
_ACCOUNT = "account.json"


@dataclass(frozen=True)
class Group:
    """Documents that were read together: their identities, the keys of their parts, and their bytes."""

    documents: tuple[str, ...]
    parts: tuple[str, ...]
    size: int


class Parts:
    """The parts below a lake's folder, as far as `code` has read them."""

    def __init__(self, base: Path, code: str):
        self.folder = base / FOLDER
        self.code = code

    def groups(self) -> list[Group]:
        """Every whole group of this code, the largest first."""
        found = []
        for path in sorted(self.folder.glob("*.group.json")):
            try:
                told = json.loads(path.read_bytes())
                group = Group(tuple(told["documents"]), tuple(told["parts"]), told["size"])
            except (OSError, ValueError, KeyError):
                continue
            if told.get("code") == self.code and all(self._is_whole(key) for key in group.parts):
                found.append(group)
        return sorted(found, key=lambda group: (-group.size, group.documents))

    def key(self, documents: Sequence[str], number: int = 0) -> str:
        """The name of a part of these documents."""
        return hashlib.sha256("\x1f".join([self.code, str(number), *documents]).encode()).hexdigest()[:40]

    def save(self, key: str, frames: dict[str, pl.DataFrame], records: pl.DataFrame, account: dict) -> None:
        """Keep a part; it appears whole, by rename.

        Args:
            frames: tables with at least one row.
            records: one row a record of the documents.
            account: anything that JSON takes; comes back from `account`.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = self.folder / f".partial-{os.getpid()}-{key}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        for name, frame in {**frames, f".{_RECORDS}": records}.items():
            frame.write_parquet(partial / f"{name}.parquet", compression="zstd")
        sizes = {path.name: path.stat().st_size for path in partial.iterdir()}
        (partial / _ACCOUNT).write_text(json.dumps({"account": account, "sizes": sizes}), encoding="utf-8")
        target = self.folder / key
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)

    def link(self, key: str, place: Callable[[str], Path]) -> None:
        """Put the tables of a part where `place` says, without a copy where the file system can."""
        for path in (self.folder / key).glob("[!.]*.parquet"):
            target = place(path.stem)
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                os.link(path, target)
            except OSError:
                shutil.copyfile(path, target)

    def records(self, key: str) -> pl.DataFrame:
        """The records of a part, as saved."""
        return pl.read_parquet(self.folder / key / f".{_RECORDS}.parquet")

    def account(self, key: str) -> dict:
        """What was said of a part."""
        return json.loads((self.folder / key / _ACCOUNT).read_bytes())["account"]

    def complete(self, group: Group) -> None:
        """All parts of the group are kept: it may be used again."""
        path = self.folder / f"{self.key(group.documents)}.group.json"
        partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
        told = {"code": self.code, "documents": group.documents, "parts": group.parts, "size": group.size}
        partial.write_text(json.dumps(told), encoding="utf-8")
        partial.replace(path)

    def beside(self, name: str) -> Path:
        """Where something else lies that this code found out about documents and may find again."""
        return self.folder / f"{self.code[:40]}.{name}.parquet"

    def keep(self, groups: Iterable[Group]) -> None:
        """Remove every other group, every other part, and what killed loads left."""
        groups = list(groups)
        wanted = {key for group in groups for key in group.parts}
        wanted |= {f"{self.key(group.documents)}.group.json" for group in groups}
        for path in self.folder.iterdir():
            if path.name not in wanted and not path.name.startswith(self.code[:40]):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _is_whole(self, key: str) -> bool:
        """Whether the files have the sizes that they were written with; a machine that stopped may have cut one."""
        folder = self.folder / key
        try:
            sizes = json.loads((folder / _ACCOUNT).read_bytes())["sizes"]
            return all((folder / name).stat().st_size == size for name, size in sizes.items())
        except (OSError, ValueError, KeyError):
            return False
