"""The one interface of everything that studies come from: the live registry, a recorded folder, a mirror."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from pipeline.landing import Landing


class Progress(Protocol):
    """Told about long work; a progress bar on the terminal, a log line in Dagster, nothing in tests."""

    def __call__(self, what: str, done: int, total: int | None) -> None: ...


def silent(what: str, done: int, total: int | None) -> None:
    """The progress of callers that show none."""


@dataclass(frozen=True)
class Pull:
    """What one pull did. The documents themselves are in landing; `landing.current(source)` names them.

    `documents` are pages or files in force, `studies` those in them that the source still has, where it knows.
    `version` is the source's own data timestamp where it has one; `reported_total` its own count of studies.
    `set_aside` says, file by file or page by page, what could not be used and what to do about it.
    """

    source: str
    version: str | None = None
    reported_total: int | None = None
    documents: int = 0
    studies: int | None = None
    is_unchanged: bool = False
    set_aside: tuple[str, ...] = field(default_factory=tuple)

    def said(self) -> str:
        """The pull in a few words: what is in force, of how many, of which data."""
        held = f"{self.documents:,} documents" if self.studies is None else f"{self.studies:,} studies"
        if self.reported_total is not None:
            held += f" of {self.reported_total:,} that the registry reports"
        news = "nothing new, " if self.is_unchanged else ""
        return f"{news}{held} in force" + (f", data of {self.version}" if self.version else "")


class RegistrySource(Protocol):
    """A source of study documents: `snapshot.SnapshotSource`, `client.LiveSource`, `mirror.MirrorSource`."""

    name: str  # "snapshot", "clinicaltrials.gov", "mirror": the journal's `source`

    def pull(self, landing: Landing, progress: Progress = silent) -> Pull:
        """Bring landing up to date: `received` for what is new or changed, `withdrawn` for what is gone.

        Raises:
            RegistryError: nothing usable came, or less than must be; landing then still holds the last good state.
        """
        ...
