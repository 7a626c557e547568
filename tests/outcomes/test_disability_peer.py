"""Differential runs against pymsprog on invented cohorts of odd timing (make test-long).

The peer lives in an environment of its own (numpy < 2): `uv venv peer --python 3.11`, `uv pip install
--python peer/bin/python 'pymsprog==1.0.7' 'numpy<2' 'pandas<3'`, and PYMSPROG_PYTHON names that Python.
"""

import os

import polars as pl
import pytest

from pipeline.errors import BuildError
from tests.support import disability_peers as peers

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def peer():
    python = os.environ.get("PYMSPROG_PYTHON")
    if not python:
        pytest.skip("PYMSPROG_PYTHON does not name the peer's Python")
    return python


@pytest.mark.parametrize("name", peers.PEER_OPTIONS)
@pytest.mark.parametrize("seed", [11, 12])
def test_awkward_cohort(peer, tmp_path, name, seed):
    visits, relapses = peers.awkward_cohort(400, seed)
    answers, _ = peers.run_peer(peer, tmp_path, visits, relapses, peers.PEER_OPTIONS[name])
    events = peers.ours(visits, relapses, peers.definitions()[name])
    if "failed" in answers.columns:
        failed = answers.filter(pl.col("failed").is_not_null())["id"].to_list()
        assert len(failed) < 20
        answers = answers.filter(~pl.col("id").is_in(failed))
        events = events.filter(~pl.col("patient_id").is_in(failed))
    expected, found, different = peers.differences(answers, events)
    assert expected > 20
    assert (found, different) == (expected, {})


class TestFaultsOfThePeer:
    """What domain.md says we must not share: the peer does it, and ours does not."""

    DEFAULT = "msprog_default"

    def answers(self, peer, tmp_path, visits, relapses, options=None):
        return peers.run_peer(
            peer, tmp_path, visits, relapses, options or peers.PEER_OPTIONS[self.DEFAULT], each=False
        )[0]

    def visits(self, *rows):
        return pl.DataFrame(
            rows, schema={"id": pl.String, "date": pl.String, "EDSS": pl.Float64}, orient="row"
        ).with_columns(pl.col("date").str.to_date())

    def relapses(self, *rows):
        return pl.DataFrame(rows, schema={"id": pl.String, "date": pl.String}, orient="row").with_columns(
            pl.col("date").str.to_date()
        )

    def test_it_drops_relapses_long_before_the_first_visit(self, peer, tmp_path):
        visits = self.visits(("A", "2020-01-01", 2), ("A", "2020-01-20", 3), ("A", "2020-06-01", 3))
        relapses = self.relapses(("A", "2019-11-15"), ("B", "2020-01-01"))
        assert self.answers(peer, tmp_path, visits, relapses)["CDW_type"].to_list() == ["PIRA"]
        events = peers.ours(visits, relapses, peers.definitions()[self.DEFAULT])
        assert events["worsening_type"].to_list() == ["RAW"]

    def test_its_answer_to_a_conflict_of_one_day_depends_on_the_order(self, peer, tmp_path):
        rows = [
            ("A", "2020-01-01", 2),
            ("A", "2020-04-01", 3),
            ("A", "2020-04-01", 2),
            ("A", "2020-09-01", 3),
        ]
        relapses = self.relapses(("B", "2020-01-01"))
        first = self.visits(*rows)
        other = self.visits(rows[0], rows[2], rows[1], rows[3])
        one = self.answers(peer, tmp_path / "1", first, relapses)["nevent"].to_list()
        two = self.answers(peer, tmp_path / "2", other, relapses)["nevent"].to_list()
        assert one != two
        default = peers.definitions()[self.DEFAULT]
        assert peers.ours(first, relapses, default).equals(peers.ours(other, relapses, default))

    def test_it_takes_an_edss_that_does_not_exist(self, peer, tmp_path):
        visits = self.visits(("A", "2020-01-01", 2.3), ("A", "2020-06-01", 3.3), ("A", "2020-12-01", 3.3))
        assert self.answers(peer, tmp_path, visits, self.relapses(("B", "2020-01-01")))[
            "nevent"
        ].to_list() == ["1"]
        # Ours never reaches the search: reading rejects 2.3, and the search refuses it.
        with pytest.raises(BuildError, match="half points"):
            peers.ours(visits, self.relapses(), peers.definitions()[self.DEFAULT])

    def test_it_counts_one_sustained_worsening_again_and_again(self, peer, tmp_path):
        visits = self.visits(*[("A", f"20{year}-0{month}-01", 2 if year == 20 and month == 1 else 4)
                               for year in (20, 21) for month in (1, 5, 9)])  # fmt: skip
        options = peers.PEER_OPTIONS["msprog_multiple_fixed"]
        answers = self.answers(peer, tmp_path, visits, self.relapses(("B", "2020-01-01")), options)
        events = peers.ours(visits, self.relapses(), peers.definitions()["msprog_multiple_fixed"])
        assert answers.height == events.height == 2
        assert events["is_recount"].to_list() == [False, True]

    def test_it_raises_where_a_fixed_reference_skips_an_event(self, peer, tmp_path):
        visits = self.visits(
            ("A", "2020-01-01", 2), ("A", "2020-04-01", 3), ("A", "2020-07-15", 3), ("A", "2020-08-20", 2)
        )
        relapses = self.relapses(("A", "2020-04-01"))
        answers, _ = peers.run_peer(
            peer, tmp_path, visits, relapses, peers.PEER_OPTIONS["pira_kappos2020_msprog"]
        )
        assert answers["failed"].to_list() == ["ValueError"]
        assert peers.ours(visits, relapses, peers.definitions()["pira_kappos2020_msprog"]).is_empty()
