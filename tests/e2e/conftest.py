"""One run of the samples, shared by the end-to-end tests; a test that changes things works on a copy."""

from __future__ import annotations

import pytest

from tests.support.installation import Installation


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Installation:
    """An installation after `remit run` with the shipped samples. Read it only."""
    installation = Installation(tmp_path_factory.mktemp("sample"))
    installation.first_output = installation.remit("run")
    return installation


@pytest.fixture
def own_sample(sample, tmp_path) -> Installation:
    """A copy of the sample installation that a test may change."""
    return Installation(tmp_path).copy_of(sample)
