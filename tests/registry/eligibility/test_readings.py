"""Each distinct text is read once, here or in processes, with one answer."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import polars as pl
import pytest

from pipeline.registry import eligibility
from pipeline.registry.eligibility import workers

TEXT = "Inclusion Criteria:\n\n* Age {0} to 55 years\n* EDSS 0 to 5.{1}\n* At least {1} of:\n  * Relapse within {0} months\n  * MS for {1} years\n\nExclusion Criteria:\n\n* Pregnancy\n* Natalizumab within {1} months"


def studies(numbers: range) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "nct_id": [f"NCT9{n:07d}" for n in numbers],
            "eligibility_text": [TEXT.format(18 + n % 7, n % 5) for n in numbers],
            "minimum_age_years": [18.0 if n % 2 else None for n in numbers],
        }
    )


def assert_same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    for name, frame in one.items():
        assert frame.equals(other[name]), name


def test_studies_that_share_a_text_read_as_each_alone() -> None:
    together = eligibility.parse(studies(range(70)))
    alone = [eligibility.parse(studies(range(n, n + 1))) for n in range(70)]
    assert together["criterion_constraints"].height > 70
    for name in ("criteria", "criterion_constraints"):
        key = ["nct_id", "criterion_id"] + (["constraint_ordinal"] if name != "criteria" else [])
        assert together[name].sort(key).equals(pl.concat([one[name] for one in alone]).sort(key)), name


def test_a_text_is_read_once_over_all_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    read = eligibility._templates
    monkeypatch.setattr(
        eligibility, "_templates", lambda pairs: seen.extend(text for _, text in pairs) or read(pairs)
    )
    with eligibility.Readings() as readings:
        first = eligibility.parse(studies(range(50)), None, readings)
        second = eligibility.parse(studies(range(30, 90)), None, readings)
    assert len(seen) == len(set(seen)) == 35
    assert_same(first, eligibility.parse(studies(range(50))))
    assert_same(second, eligibility.parse(studies(range(30, 90))))


def test_what_was_forgotten_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eligibility.Readings, "LIMIT", 1)
    with eligibility.Readings() as readings:
        for numbers in (range(5), range(5, 12), range(3, 8)):
            assert_same(
                eligibility.parse(studies(numbers), None, readings), eligibility.parse(studies(numbers))
            )


def test_processes_answer_as_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    here = eligibility.parse(studies(range(70)))
    monkeypatch.setattr(workers, "ENOUGH", 1)
    monkeypatch.setattr(workers, "CHUNK", 10)
    with eligibility.Readings() as readings:
        assert_same(eligibility.parse(studies(range(70)), None, readings), here)
        assert readings._workers._pool is not None
    assert readings._workers._pool is None


def test_without_processes_all_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    here = eligibility.parse(studies(range(30)))
    monkeypatch.setattr(workers, "ENOUGH", 1)

    def refused(self: workers.Workers) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(workers.Workers, "_processes", refused)
    assert_same(eligibility.parse(studies(range(30))), here)


ORPHANS = """
import os, sys
from pipeline.registry.eligibility.workers import Workers
from pipeline.registry.eligibility import workers
workers.ENOUGH = workers.CHUNK = 1
if __name__ == "__main__":
    found = Workers()
    list(found.map(len, "ab"))
    print(*(process.pid for process in found._pool._processes.values()), flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux")
def test_processes_end_with_a_killed_parent(tmp_path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(ORPHANS)
    parent = subprocess.Popen(
        [sys.executable, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert pids
    watched = [os.pidfd_open(pid) for pid in pids]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    for descriptor in watched:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        assert poll.poll(60_000), "a worker outlived its parent"
        os.close(descriptor)
    parent.stdin.close()
    parent.stdout.close()
