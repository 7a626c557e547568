"""A failing step with a patient value in its exception leaves that value in private/ alone."""

import errno

import dagster as dg
import polars as pl
import pytest

from pipeline.defs.guard import guarded
from pipeline.defs.resources import RunLock, end_killed_runs, prepare_instance
from pipeline.errors import CohortError, RegistryUnreachable
from pipeline.home import Home

VALUE = "Q7-SECRET-4711"


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").create()


def run(home, error):
    @dg.asset
    @guarded(home, "lake/cohort")
    def step(context: dg.AssetExecutionContext):
        if isinstance(error, str):
            pl.Series([error]).cast(pl.Int64)  # polars quotes the value
        raise error

    with prepare_instance(home) as instance:
        result = dg.materialize([step], instance=instance, raise_on_error=False)
        [failure] = [event for event in result.all_events if event.is_step_failure]
        return failure.step_failure_data


def test_a_value_in_a_library_s_exception_stays_in_private(home, capfd):
    data = run(home, VALUE)
    assert "InvalidOperationError" in data.user_failure_data.description
    written = {
        path.relative_to(home.root).parts[0]
        for path in home.root.rglob("*")
        if path.is_file() and VALUE.encode() in path.read_bytes()
    }
    assert written == {"private"}
    [note] = (home.private / "errors").iterdir()
    assert note.stat().st_mode & 0o777 == 0o600
    shown = capfd.readouterr()
    assert VALUE not in shown.out + shown.err


@pytest.mark.parametrize("error", [CohortError("do this."), RegistryUnreachable("do that.")])
def test_an_error_of_ours_is_shown_as_it_is(home, error):
    data = run(home, error)
    assert data.user_failure_data.description == str(error)
    assert data.error.cause is None
    assert not list((home.private).glob("errors/*"))


def test_only_a_registry_that_does_not_answer_is_tried_again(home):
    may_retry = {}
    for error in (CohortError("do this."), RegistryUnreachable("do that."), ValueError(VALUE)):

        @guarded(home, "step")
        def body(error=error):
            raise error

        with pytest.raises(dg.Failure) as raised:
            body()
        may_retry[type(error).__name__] = raised.value.allow_retries
    assert may_retry == {"CohortError": False, "RegistryUnreachable": True, "ValueError": False}


def test_a_full_disk_is_said_plainly(home):
    data = run(home, OSError(errno.ENOSPC, "No space left on device", "/somewhere/private"))
    assert "the disk is full" in data.user_failure_data.description
    assert "somewhere" not in data.user_failure_data.description


def test_the_next_run_ends_what_a_killed_one_left(home):
    with prepare_instance(home) as instance:
        left = [
            instance.create_run_for_job(dg.job(name="nightly")(lambda: None), status=status)
            for status in (
                dg.DagsterRunStatus.STARTED,
                dg.DagsterRunStatus.NOT_STARTED,
                dg.DagsterRunStatus.SUCCESS,
            )
        ]
        assert end_killed_runs(instance) == 2
        assert [instance.get_run_by_id(run.run_id).status for run in left] == [
            dg.DagsterRunStatus.FAILURE,
            dg.DagsterRunStatus.FAILURE,
            dg.DagsterRunStatus.SUCCESS,
        ]


def test_a_run_holds_the_lock_of_its_home(home):
    @dg.asset
    def step(run_lock: RunLock) -> None:
        assert "Dagster run" in home.lock_file.read_text()

    with prepare_instance(home) as instance:
        result = dg.materialize(
            [step], instance=instance, resources={"run_lock": RunLock(lock_file=str(home.lock_file))}
        )
    assert result.success
