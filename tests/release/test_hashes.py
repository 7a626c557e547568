"""What makes a release another one, and what does not."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from pipeline.landing import Landing
from pipeline.release import hashes
from pipeline.settings import Settings


def settings(**registry: object) -> Settings:
    return Settings.model_validate({"registry": registry})


@pytest.mark.parametrize("name", hashes.POLITENESS)
def test_how_the_registry_is_asked_changes_no_number(name: str) -> None:
    default = settings().registry.model_dump()[name]
    other = "curl" if isinstance(default, str) else default / 2 if isinstance(default, float) else default - 1
    assert hashes.settings_hash(settings(**{name: other})) == hashes.settings_hash(settings())


@pytest.mark.parametrize("name", ["condition", "term", "source", "url", "mirror_url"])
def test_what_is_asked_for_does(name: str) -> None:
    assert hashes.settings_hash(settings(**{name: "other"})) != hashes.settings_hash(settings())


def test_a_pull_that_brought_nothing_names_no_new_snapshot(tmp_path: Path) -> None:
    landing = Landing(tmp_path, "registry")
    landing.record(source="snapshot", name="a.json", sha256="a" * 64, at=datetime(2026, 1, 1))
    before = hashes.snapshot_id(landing, "README.md")
    landing.record(source="snapshot", name="q", event="pull_completed", at=datetime(2026, 1, 2))
    assert hashes.snapshot_id(landing, "README.md") == before
    landing.record(source="snapshot", name="b.json", sha256="a" * 64, at=datetime(2026, 1, 3))
    assert hashes.snapshot_id(landing, "README.md") != before
