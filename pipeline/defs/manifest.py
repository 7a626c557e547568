"""dbt's manifest for Dagster: parsed when the dbt project changed, else taken as it lies. And dbt's environment."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from dbt.cli.main import dbtRunner

from pipeline.errors import BuildError
from pipeline.home import Home
from pipeline.settings import PROJECT

PARSED = ("dbt_project.yml", "profiles.yml", "models/**/*", "macros/**/*", "seeds/**/*", "tests/**/*")


@contextlib.contextmanager
def dbt_environment(home: Home) -> Iterator[None]:
    """The variables that profiles and sources read, set for the block."""
    ours = {
        "REMIT_LAKE": str(home.lake),
        "REMIT_BUILD_FILE": str(home.build_file),
        "DBT_LOG_PATH": str(home.warehouse / "logs"),
    }
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def ensure_manifest(home: Home) -> Path:
    """The manifest of the dbt project as it is now, below `warehouse/manifest/`.

    Raises:
        BuildError: dbt cannot parse the project.
    """
    project = PROJECT / "dbt_project"
    digest = hashlib.sha256(str(home.lake).encode())
    for path in sorted({path for pattern in PARSED for path in project.glob(pattern) if path.is_file()}):
        digest.update(path.relative_to(project).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    folder = home.warehouse / "manifest" / digest.hexdigest()[:16]
    manifest = folder / "manifest.json"
    if manifest.exists():
        return manifest
    target = folder.with_name(f".parse-{os.getpid()}")
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    with dbt_environment(home):
        result = dbtRunner().invoke(
            ["--quiet", "--log-level-file", "none", "parse", "--no-partial-parse"]
            + ["--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(target)]
        )
    if not result.success:
        shutil.rmtree(target)
        raise BuildError(
            f"dbt cannot parse the project: {result.exception}. Correct that file in dbt_project/."
        )
    for old in folder.parent.glob("[!.]*"):
        shutil.rmtree(old, ignore_errors=True)
    try:
        target.rename(folder)
    except OSError:  # another process was quicker with the same manifest
        shutil.rmtree(target, ignore_errors=True)
    return manifest


def give_parsed(manifest: Path, target: Path) -> None:
    """Let a dbt run into `target` start from this parse: reading the project anew takes seconds in each step."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    parsed = manifest.with_name("partial_parse.msgpack")
    if parsed.exists():
        shutil.copyfile(parsed, target / parsed.name)
