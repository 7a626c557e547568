"""What the API itself says its records are made of (`/studies/metadata`), kept beside the pulls and compared.

A field that the registry renames would otherwise be noticed only when a column goes empty. What the records
really hold, against our own model, is drift.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pipeline.landing import Landing

# Not a source of documents: what lands under this name is read by nobody but this module.
SOURCE = "clinicaltrials.gov/metadata"
NAME = "studies-metadata.json"
_SHOWN = 5


@dataclass(frozen=True)
class Difference:
    """Paths of the records' fields that are new, gone, or of another type since the last pull."""

    new: tuple[str, ...]
    gone: tuple[str, ...]
    retyped: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.new or self.gone or self.retyped)

    def __str__(self) -> str:
        said = [
            f"{len(paths)} {word} ({', '.join(paths[:_SHOWN])}{' …' if len(paths) > _SHOWN else ''})"
            for word, paths in (("new", self.new), ("gone", self.gone), ("of another type", self.retyped))
            if paths
        ]
        return "the registry changed the fields of its records: " + "; ".join(said)


def fields(metadata: list[dict[str, Any]]) -> dict[str, str]:
    """Path → type of every field that the metadata describes, branches included; paths as in the records.

    Raises:
        ValueError: the content is not the API's list of fields.
    """
    found: dict[str, str] = {}

    def walk(nodes: Any, above: str) -> None:
        if not isinstance(nodes, list):
            raise ValueError("not a list of fields")
        for node in nodes:
            if not isinstance(node, dict) or not isinstance(node.get("name"), str):
                raise ValueError("not a field")
            path = f"{above}.{node['name']}" if above else node["name"]
            found[path] = str(node.get("type", ""))
            if node.get("children"):
                walk(node["children"], path)

    walk(metadata, "")
    return found


def compare(before: dict[str, str], now: dict[str, str]) -> Difference:
    """What differs between two states of `fields`; below a branch that is new or gone only the branch is named."""

    def topmost(paths: set[str]) -> tuple[str, ...]:
        return tuple(sorted(path for path in paths if path.rpartition(".")[0] not in paths))

    return Difference(
        topmost(now.keys() - before.keys()),
        topmost(before.keys() - now.keys()),
        tuple(sorted(path for path in before.keys() & now.keys() if before[path] != now[path])),
    )


def keep(landing: Landing, content: bytes, at: Any) -> Difference | None:
    """Land the metadata if it is new, and say what differs from what was landed before.

    Returns:
        The difference; None where there was nothing before or nothing differs.

    Raises:
        ValueError: the content is not the API's list of fields.
    """
    now = fields(json.loads(content))
    last = next(iter(landing.current(SOURCE)), None)
    sha256, size = landing.put(content)
    if last is not None and last.sha256 == sha256:
        return None
    landing.record(source=SOURCE, name=NAME, sha256=sha256, size=size, at=at)
    if last is None or not landing.blob(last.sha256).exists():
        return None
    return compare(fields(json.loads(landing.read(last.sha256))), now) or None
