"""Which registry sources a run has, and pulling all of them: one that fails stops alone.

A recorded folder that cannot be used is a wrong setting and stops the run. A registry or mirror that does
not answer leaves its last good documents in force; without any it stops the run too.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import RegistryError
from pipeline.landing import Landing
from pipeline.registry.client import LiveSource
from pipeline.registry.mirror import MirrorSource
from pipeline.registry.snapshot import SnapshotSource
from pipeline.registry.source import Progress, Pull, RegistrySource, silent
from pipeline.settings import Settings


@dataclass(frozen=True)
class Pulled:
    """All pulls of a run. `is_failed`: a source failed as a whole and its last good documents stand in."""

    pulls: tuple[Pull, ...]
    problems: tuple[str, ...]
    is_failed: bool


def sources(settings: Settings) -> list[RegistrySource]:
    """The sources that the settings name: the recorded folder or the live registry, then the mirror."""
    path = settings.registry_path
    found: list[RegistrySource] = [SnapshotSource(path) if path else LiveSource(settings.registry)]
    if settings.registry.mirror_url:
        found.append(MirrorSource(settings.registry.mirror_url, settings.registry))
    return found


def pull_all(settings: Settings, landing: Landing, progress: Progress = silent) -> Pulled:
    """Pull every source.

    Raises:
        RegistryError: a source failed and nothing of it is in force from before.
    """
    pulls, problems, is_failed = [], [], False
    for source in sources(settings):
        try:
            pull = source.pull(landing, progress)
        except RegistryError as error:
            if source.name == "snapshot" or not landing.current(source.name):
                raise
            problems.append(f"{source.name}: {error} Its last good documents stay in force.")
            is_failed = True
        else:
            pulls.append(pull)
            problems += pull.set_aside
    return Pulled(tuple(pulls), tuple(problems), is_failed)
