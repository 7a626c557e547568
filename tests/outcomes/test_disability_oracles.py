"""Event for event against msprog's own answers (../shared/cohorts/oracles/msprog)."""

import polars as pl
import pytest

from tests.support import disability_peers as peers


@pytest.fixture(scope="module")
def definitions():
    return peers.definitions()


@pytest.fixture(scope="module")
def toy(shared):
    file = shared / "cohorts/inbox/msprog_toy/msprog_toydata.xlsx"
    return pl.read_excel(file, sheet_id=1), pl.read_excel(file, sheet_id=2)


@pytest.mark.parametrize("name", peers.TOY_ORACLES)
def test_toy_configuration(shared, toy, definitions, name):
    answers = peers.read_answers(shared / f"cohorts/oracles/msprog/R_toy_{name}_results.csv")
    events = peers.ours(*toy, definitions[peers.TOY_ORACLES[name]])
    expected, found, different = peers.differences(answers, events)
    assert expected > 0
    assert (found, different) == (expected, {})


def test_thousand_invented_patients(shared, definitions):
    folder = shared / "cohorts/oracles/msprog"
    visits = pl.read_csv(folder / "synth_1000_visits.csv", try_parse_dates=True)
    relapses = pl.read_csv(folder / "synth_1000_relapses.csv", try_parse_dates=True)
    answers = peers.read_answers(folder / "R_synth_1000_multi_results.csv")
    events = peers.ours(visits, relapses, definitions["msprog_multiple_roving_12_24w"])
    expected, found, different = peers.differences(answers, events)
    assert (expected, found, different) == (697, 697, {})
