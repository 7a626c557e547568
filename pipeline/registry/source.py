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

    `version` is the source's own data timestamp where it has one; `reported_total` its own count.
    `set_aside` says, file by file or page by page, what could not be used and what to do about it.
    """

    source: str
    version: str | None = None
    reported_total: int | None = None
    documents: int = 0
    is_unchanged: bool = False
    set_aside: tuple[str, ...] = field(default_factory=tuple)


class RegistrySource(Protocol):
    """A source of study documents: `snapshot.SnapshotSource`, `client.LiveSource`, `mirror.MirrorSource`."""

    name: str  # "snapshot", "clinicaltrials.gov", "mirror": the journal's `source`

    def pull(self, landing: Landing, progress: Progress = silent) -> Pull:
        """Bring landing up to date: `received` for what is new or changed, `withdrawn` for what is gone.

        Raises:
            RegistryError: nothing usable came, or less than must be; landing then still holds the last good state.
        """
        ...
