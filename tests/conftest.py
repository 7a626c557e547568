"""What all tests share: where the real data lies, and the rule for its absence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's top folder."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project; a test that asks for it skips where it is absent."""
    folder = PROJECT.parent / "shared"
    if not folder.is_dir():
        reason = "the folder ../shared with real data is not here"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("REMIT_")]:
        monkeypatch.delenv(variable)
