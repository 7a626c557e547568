"""Runs that are killed at any point, and readers beside them: yesterday's release stays, the next run heals."""

from __future__ import annotations

import os
import shutil
import signal
import threading

import dagster as dg
import duckdb
import pytest

from tests.support.installation import Installation

pytestmark = pytest.mark.long

# Seconds after the start; a run of the samples takes about a minute on two cores.
POINTS = (1, 3, 6, 9, 12, 16, 20, 25, 30, 36, 42, 48, 54)


def kill_after(installation: Installation, seconds: float, *arguments: str) -> bool:
    """Start a run, kill its whole process with SIGKILL after some seconds; whether it was still running."""
    process = installation.start("run", *arguments)
    try:
        process.communicate(timeout=seconds)
    except Exception:
        os.kill(process.pid, signal.SIGKILL)  # the run alone: what it started must die by itself
        process.communicate()
        return True
    return False


def statuses(installation: Installation) -> set[dg.DagsterRunStatus]:
    with dg.DagsterInstance.from_config(str(installation.home / "dagster")) as instance:
        return {run.status for run in instance.get_runs()}


def test_a_first_start_killed_at_many_points_heals(tmp_path):
    for point in POINTS:
        installation = Installation(tmp_path / f"first-{point}")
        if kill_after(installation, point) and installation.marts.exists():
            assert installation.value("select count(*) from registry.studies") > 0
        assert "published release" in (text := installation.remit("run")) or "nothing changed" in text
        assert statuses(installation) <= {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}
        shutil.rmtree(installation.home)


def test_a_killed_night_leaves_yesterday_s_release(tmp_path):
    installation = Installation(tmp_path)
    installation.remit("run")
    yesterday = installation.marts.readlink()
    for point in POINTS:
        was_running = kill_after(installation, point, "--force")
        count = installation.value("select count(*) from registry.studies")
        assert count > 0
        if was_running:
            continue
        yesterday = installation.marts.readlink()
    assert yesterday
    installation.remit("run", "--force")
    assert statuses(installation) <= {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}
    assert not list((installation.home / "releases").glob(".partial-*"))


def test_two_runs_at_once_do_not_hurt_each_other(tmp_path):
    installation = Installation(tmp_path)
    both = [installation.start("run") for _ in range(2)]
    texts = [process.communicate()[0] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1]
    assert any("another run holds this REMIT_HOME" in text for text in texts)
    assert any("published release" in text for text in texts)


def test_readers_never_fail_and_never_see_a_mixture(tmp_path):
    installation = Installation(tmp_path)
    installation.remit("run")
    seen, failures, stop = set(), [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                with duckdb.connect(str(installation.marts.resolve()), read_only=True) as connection:
                    release = connection.sql(
                        "select release_id from quality.releases where is_this_release"
                    ).fetchall()
                    studies = connection.sql("select count(*) from registry.studies").fetchone()[0]
                    verdicts = connection.sql(
                        "select count(distinct nct_id) from trials.patient_eligibility"
                    ).fetchone()[0]
                seen.add((release[0][0], studies, verdicts))
            except Exception as error:
                failures.append(repr(error))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(2):
        installation.remit("run", "--force")
    stop.set()
    reader.join()
    assert failures == []
    assert len({release for release, _, _ in seen}) == len(seen) >= 2
