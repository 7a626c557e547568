"""dbt docs and the data dictionary as static pages."""

import shutil
from pathlib import Path

from dbt.cli.main import dbtRunner

from pipeline.defs.manifest import dbt_environment
from pipeline.errors import BuildError, ReleaseError
from pipeline.home import Home
from pipeline.release import catalog
from pipeline.settings import PROJECT


def write_site(home: Home, site: Path) -> list[Path]:
    """Write `site/dbt/index.html` and `site/dictionary/`; gives the pages.

    Raises:
        ReleaseError: there is no release whose dictionary could be taken.
        BuildError: dbt could not write its docs.
    """
    release = catalog.current(home)
    if release is None or not home.build_file.exists():
        raise ReleaseError("there is no release yet: `remit run` makes the first, then run this again.")
    target = home.warehouse / "docs"
    with dbt_environment(home):
        project = str(PROJECT / "dbt_project")
        result = dbtRunner().invoke(
            ["--quiet", "--log-level-file", "none", "docs", "generate", "--static", "--project-dir", project]
            + ["--profiles-dir", project, "--target-path", str(target)]
        )
    if not result.success:
        raise BuildError(f"dbt could not write its docs: {result.exception}. Run `remit run` first.")
    for folder in ("dbt", "dictionary"):
        shutil.rmtree(site / folder, ignore_errors=True)
    (site / "dbt").mkdir(parents=True)
    shutil.copy(target / "static_index.html", site / "dbt" / "index.html")
    shutil.copytree(release.folder / "dictionary", site / "dictionary", copy_function=shutil.copyfile)
    return [site / "dbt" / "index.html", site / "dictionary" / "index.html"]
