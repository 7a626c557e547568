"""One writer per home, freed by the kernel when its process dies."""

import signal
import subprocess
import sys

import pytest

from pipeline import lock
from pipeline.errors import HomeBusy

HOLD = "import sys, time, pathlib\nfrom pipeline import lock\nwith lock.hold(pathlib.Path(sys.argv[1]), 'a test'):\n print('held', flush=True)\n sys.stdin.read()"


@pytest.fixture
def holder(tmp_path, project):
    file = tmp_path / "run.lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=project,
    )
    assert process.stdout.readline() == "held\n"
    yield file, process
    process.kill()
    process.communicate()


def test_a_second_process_is_told_who_holds_it(holder):
    file, process = holder
    with pytest.raises(HomeBusy, match=f"a test, process {process.pid}"), lock.hold(file, "me"):
        pass


def test_death_frees_it(holder):
    file, process = holder
    process.send_signal(signal.SIGKILL)
    process.wait()
    with lock.hold(file, "me") as is_first:
        assert is_first


def test_the_same_process_may_take_it_again(tmp_path):
    with (
        lock.hold(tmp_path / "run.lock", "outer") as outer,
        lock.hold(tmp_path / "run.lock", "inner") as inner,
    ):
        assert (outer, inner) == (True, False)
    with lock.hold(tmp_path / "run.lock", "again") as again:
        assert again
