"""`remit …`: the same work from a shell. Thin: each command calls one function and prints what it gave.

Dagster and dbt take seconds to import, so commands import what they need.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from pipeline import progress, settings
from pipeline.errors import RemitError, SettingsError
from pipeline.settings import Settings

app = typer.Typer(
    name="remit",
    help="Registered MS trials and a group's own patients in one warehouse.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(soft_wrap=True, highlight=False)
if not out.is_terminal:
    out = Console(soft_wrap=True, highlight=False, width=240)  # a file or a pipe has no width to fit
err = Console(stderr=True, soft_wrap=True, highlight=False)

Registry = Annotated[
    str | None,
    typer.Option("--registry", help='"live", or a folder or file of recorded studies.', show_default=False),
]
Cohorts = Annotated[
    str | None, typer.Option("--cohorts", help="Folder with one folder for each cohort.", show_default=False)
]


def main() -> None:
    """Entry point: an error that Remit raises on purpose is one line and exit code 1, never a traceback."""
    try:
        app()
    except RemitError as error:
        err.print(Text.assemble(("error: ", "bold red"), str(error)))
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("stopped")
        sys.exit(130)
    except Exception as error:
        sys.exit(_unexpected(error))


def _unexpected(error: Exception) -> int:
    import traceback

    try:
        from pipeline.defs.guard import write_private_error

        home = settings.load().layout.create()
        note = write_private_error(home, "cli", "".join(traceback.format_exception(error)))
        where = f"its text may hold patient values and stands in {note} below REMIT_HOME alone. Read it there"
    except Exception:
        where = "REMIT_HOME could not take its text. Check its rights and free space"
    err.print(
        Text.assemble(("error: ", "bold red"), f"unexpected {type(error).__name__}; {where} and run again.")
    )
    return 2


@contextmanager
def _bar() -> Iterator[None]:
    """A progress bar on a terminal, plain lines elsewhere."""
    if not out.is_terminal:
        seen: set[str] = set()

        def line(what: str, done: int, total: int | None) -> None:
            if what not in seen:
                seen.add(what)
                out.print(f"… {what}")

        with progress.listening(line):
            yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def update(what: str, done: int, total: int | None) -> None:
            bar.update(task, description=what, completed=done, total=total)

        with progress.listening(update):
            yield


@app.command()
def run(
    registry: Registry = None,
    cohorts: Cohorts = None,
    force: Annotated[bool, typer.Option("--force", help="Build even when nothing changed.")] = False,
) -> None:
    """Pull, read, build, check and publish: the nightly job, in this process."""
    chosen = settings.load(registry__source=registry, cohorts__source=cohorts)
    _require_sources(chosen)
    with _bar():
        from pipeline.defs import execute

        progress.report("starting Dagster")
        outcome = execute.run(chosen, force=force)
    _tell(chosen, outcome)


def _require_sources(chosen: Settings) -> None:
    """Fail before anything starts where a setting names what is not there."""
    path = chosen.registry_path
    if path is not None and not path.exists():
        raise SettingsError(
            f"the registry folder {chosen.registry.source} does not exist: give REGISTRY=live, or a folder of recorded studies."
        )
    if not chosen.cohorts_path.is_dir():
        raise SettingsError(
            f"the inbox {chosen.cohorts.source} does not exist: give COHORTS= a folder with one folder for each cohort."
        )


def _tell(chosen: Settings, outcome: Any) -> None:
    for text in outcome.warnings:
        err.print(Text.assemble(("warning: ", "yellow"), text))
    for text in outcome.errors:
        err.print(Text.assemble(("error: ", "bold red"), text))
    home = chosen.layout
    for text in outcome.summary:
        out.print(Text(text))
    if outcome.summary:
        out.print(f"what the clinic should look at: {_short(home.private / 'queries')}")
    if outcome.is_published:
        out.print(f"published release {outcome.release_id}")
        _first_table(home.marts)
        out.print(f"open it:  duckdb -readonly {_short(home.marts)}")
        out.print(f"report:   {_short(home.releases / outcome.release_id / 'report' / 'index.html')}")
    elif outcome.is_unchanged:
        out.print(f"nothing changed since release {outcome.release_id}: inputs, code and settings are equal")
    elif outcome.release_id:
        out.print(f"nothing published; release {outcome.release_id} stays")
    if outcome.errors:
        raise typer.Exit(1)


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _first_table(marts: Path) -> None:
    import duckdb

    with duckdb.connect(str(marts), read_only=True) as connection:
        relation = connection.sql(
            """
            select cohort, epoch, patients, relapses, round(person_years, 1) as person_years,
                round(arr_pooled_per_year, 2) as arr_pooled_per_year, round(ci95_low, 2) as ci95_low, round(ci95_high, 2) as ci95_high
            from outcomes.annualized_relapse_rates
            where grouping = 'all' and end_rule = 'last_contact' and epoch in ('pre_index_24m', 'post_index') and patients > 0
            order by cohort, epoch desc
            limit 10
            """
        )
        _print_table(relation.columns, relation.fetchall(), title="outcomes.annualized_relapse_rates")


def _print_table(columns: list[str], rows: list[tuple], title: str | None = None) -> None:
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(Text(name))
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    out.print(table)


@app.command()
def rebuild() -> None:
    """Delete lake and build file, build them again from landing, and prove that the result is equal."""
    import shutil

    from pipeline import lock
    from pipeline.release import catalog

    chosen = settings.load()
    home = chosen.layout.create()
    before = catalog.current(home)
    with _bar(), lock.hold(home.lock_file, "remit rebuild"):
        for folder in (home.lake, home.warehouse):
            shutil.rmtree(folder, ignore_errors=True)
        home.create()
        from pipeline.defs import execute

        outcome = execute.run(chosen, force=True)
    _tell(chosen, outcome)
    after = catalog.current(home)
    if before is None or after is None:
        return
    causes = ("inputs_hash", "code_hash", "settings_hash")
    if before.manifest["content_hash"] == after.manifest["content_hash"]:
        out.print("equal: every table has the content of the release before")
        return
    if any(before.manifest.get(cause) != after.manifest.get(cause) for cause in causes):
        out.print(
            "different, as inputs, code or settings changed since the release before; changes.json lists the tables"
        )
        return
    from pipeline.release.publish import differing

    old, new = before.manifest["tables"], after.manifest["tables"]
    suspects = sorted(name for name in old | new if old.get(name) != new.get(name))
    differ = differing(before.folder / catalog.MARTS, after.folder / catalog.MARTS, suspects)
    if differ:
        raise RemitError(
            f"{len(differ)} tables differ from the release before: {', '.join(differ[:5])}. Report this: it must not happen."
        )
    out.print(
        f"equal: every table has the content of the release before ({len(suspects)} up to the order in which "
        "floating point numbers were added)"
    )


@app.command()
def pull(registry: Registry = None) -> None:
    """Pull the registry into landing, without building."""
    from pipeline import lock
    from pipeline.landing import Landing
    from pipeline.registry.sources import pull_all

    chosen = settings.load(registry__source=registry)
    home = chosen.layout.create()
    with _bar(), lock.hold(home.lock_file, "remit pull"):
        pulled = pull_all(chosen, Landing(home.landing, "registry"), progress.report)
    for one in pulled.pulls:
        out.print(one.source + ": " + one.said())
    for problem in pulled.problems:
        err.print(Text.assemble(("error: " if pulled.is_failed else "warning: ", "yellow"), problem))
    if pulled.is_failed:
        raise typer.Exit(1)


@app.command()
def check(
    files: Annotated[
        list[Path],
        typer.Argument(help="A spreadsheet, several, or a cohort's folder; cohort.yaml there applies."),
    ],
) -> None:
    """Say what is wrong with spreadsheets, cell by cell, without loading them. Prints values to you alone."""
    from pipeline.cohort.queries import check_file

    found = check_file(*files, settings=settings.load().cohorts)
    for line in found.lines():
        out.print(Text(line))
    if not found.is_clean:
        raise typer.Exit(1)


@app.command("map")
def draft_map(
    files: Annotated[
        list[Path],
        typer.Argument(help="A spreadsheet with headers of its own, several, or a cohort's folder."),
    ],
    to: Annotated[Path | None, typer.Option("--to", help="Where to write the draft; a new file.")] = None,
) -> None:
    """Draft a cohort.yaml: which header is which field, how sure that is, and what a person must decide."""
    from pipeline.cohort.drafting import draft_map as draft

    drafted = draft(*files)
    if to is None:
        out.print(Text(drafted.text))
    elif to.exists():
        raise SettingsError(f"{to} exists already: give another name with --to, or remove it.")
    else:
        to.write_text(drafted.text, "utf-8")
        out.print(f"draft in {_short(to.resolve())}: correct it, then `remit check {files[0].name}`")
    for doubt in drafted.doubts:
        err.print(Text.assemble(("decide: ", "yellow"), doubt))


@app.command()
def template(
    file: Annotated[Path, typer.Argument(help="A new .xlsx file.")] = Path("remit-template.xlsx"),
) -> None:
    """Write an empty canonical workbook with drop-downs, a codebook and an example row."""
    from pipeline.cohort.template import write_template

    out.print(f"wrote {_short(write_template(file).resolve())}")


@app.command()
def explain(
    patient: Annotated[str, typer.Argument(help="Pseudonym of a patient.")],
    trial: Annotated[str, typer.Argument(help="NCT number.")],
) -> None:
    """Criterion by criterion: the sentence, the answer, the patient's value with its cell, what is missing."""
    from pipeline.release.access import open_marts
    from pipeline.release.explain import explain as explained

    with open_marts(_marts()) as connection:
        out.print(Text(explained(connection, patient.strip().upper(), trial.strip().upper())))


@app.command()
def identify(pseudonym: Annotated[str, typer.Argument(help="Pseudonym of a patient.")]) -> None:
    """The clinic's own id behind a pseudonym. Who asked, and when, is written to private/ first."""
    from pipeline.cohort import pseudonyms

    found = pseudonyms.identify(settings.load().layout.private, pseudonym)
    _print_table(found.columns, found.rows())


@app.command()
def withdraw(
    cohort: Annotated[str, typer.Argument(help="Name of the cohort.")],
    patient: Annotated[str, typer.Argument(help="The clinic's own id of the patient.")],
) -> None:
    """Erase a patient from landing, lake and kept releases, and journal the act."""
    from pipeline import lock
    from pipeline.cohort import pseudonyms
    from pipeline.cohort.withdrawal import withdraw as erase
    from pipeline.landing import Landing
    from pipeline.release import withdrawal

    chosen = settings.load()
    home = chosen.layout.create()
    given = chosen.pseudonym_key.get_secret_value() if chosen.pseudonym_key else None
    with _bar(), lock.hold(home.lock_file, "remit withdraw"):
        done = erase(
            Landing(home.landing, "cohort"),
            home.lake / "cohort",
            home.private,
            chosen.cohorts,
            key=pseudonyms.load_key(home.private, given),
            cohort=cohort,
            patient=patient,
            is_invented=chosen.is_sample_cohort,
            clean_releases=lambda name, pseudonym: withdrawal.erase(home, name, pseudonym),
        )
        # The build file still has the rows until the next run makes it anew.
        home.build_file.unlink(missing_ok=True)
    for line in done.lines():
        out.print(Text(line))


@app.command()
def releases() -> None:
    """The releases that are kept; `*` marks the one that analysts open."""
    from pipeline.release import catalog

    found = catalog.releases(settings.load().layout)
    if not found:
        out.print("no release yet: `remit run` makes the first")
        return
    rows = []
    for release in found:
        tables = release.manifest["tables"]
        rows.append(
            (
                "*" if release.is_current else "",
                release.release_id,
                release.manifest["created_at"],
                tables.get("registry.studies", {}).get("rows"),
                tables.get("cohort.patients", {}).get("rows"),
                sum(table["rows"] for table in tables.values()),
            )
        )
    _print_table(["", "release", "published (UTC)", "studies", "patients", "rows"], rows)


@app.command()
def rollback(
    release_id: Annotated[str, typer.Argument(help="Id of a kept release, or its beginning.")],
) -> None:
    """Let analysts open an earlier release again."""
    from pipeline import lock
    from pipeline.release import catalog

    home = settings.load().layout.create()
    with lock.hold(home.lock_file, "remit rollback"):
        release = catalog.find(home, release_id)
        catalog.point_to(home, release.release_id)
    out.print(f"marts.duckdb is release {release.release_id}; the next run with changes publishes a new one")


@app.command()
def export(
    format: Annotated[str, typer.Option("--format", help="parquet, csv or xlsx.")] = "parquet",
    to: Annotated[Path, typer.Option("--to", help="Folder to write to.")] = Path("export"),
) -> None:
    """Copy the current release's tables out as Parquet, CSV or one workbook for each schema."""
    from pipeline.release.export import export as write

    files = write(_marts(), format, to)
    out.print(f"{len(files)} files in {_short(to.resolve())}")


@app.command()
def sql(query: Annotated[str, typer.Argument(help="One query on the current release.")]) -> None:
    """Ask the current release. Read-only: no file can be read or written from here."""
    import duckdb

    from pipeline.release.access import open_marts

    with open_marts(_marts()) as connection:
        try:
            relation = connection.sql(query)
            if relation is None:
                return
            _print_table(relation.columns, relation.fetchmany(1000))
        except duckdb.Error as error:
            # The person asked this database themselves; they may see what it says of their query.
            raise RemitError(
                f'{str(error).splitlines()[0]}. Correct the query; `remit sql "show all tables"` lists tables.'
            ) from None


@app.command()
def doctor() -> None:
    """Look at settings, home, lock, releases and last checks, and say what to do."""
    from pipeline.release.doctor import examine

    is_well = True
    for finding in examine(settings.load()):
        mark = {"ok": ("ok    ", "green"), "note": ("note  ", "yellow"), "wrong": ("wrong ", "bold red")}[
            finding.level
        ]
        out.print(Text.assemble(mark, finding.text))
        is_well &= finding.level != "wrong"
    if not is_well:
        raise typer.Exit(1)


@app.command()
def ui(port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1.")] = 3000) -> None:
    """Dagster's page and daemon on 127.0.0.1, with schedule and sensor on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise SettingsError(
                f"port {port} is in use: end what listens there, or choose another with PORT=3001."
            ) from None
    chosen = settings.load()
    home = chosen.layout.create()
    from pipeline import lock
    from pipeline.defs.manifest import ensure_manifest
    from pipeline.defs.resources import prepare_instance

    if not (home.dagster / "dagster.yaml").exists():
        with lock.hold(home.lock_file, "remit ui"):
            prepare_instance(home).dispose()
    ensure_manifest(home)
    out.print(f"Dagster: http://127.0.0.1:{port} (Ctrl-C ends it)")
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["PYTHONWARNINGS"] = (
        "ignore"  # of the libraries that Dagster loads; nothing a user could act on
    )
    dagster = Path(sys.executable).with_name("dagster")
    os.chdir(settings.PROJECT)
    arguments = ["dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port), "--log-level", "warning"]
    os.execv(dagster, [str(dagster), *arguments])


@app.command()
def report() -> None:
    """Where the current release's report is."""
    out.print(str(_release_folder() / "report" / "index.html"))


@app.command()
def docs() -> None:
    """dbt docs and the data dictionary as static pages below site/."""
    from pipeline.defs.docs import write_site

    for page in write_site(settings.load().layout, settings.PROJECT / "site"):
        out.print(_short(page))


def _release_folder() -> Path:
    from pipeline.release import catalog

    release = catalog.current(settings.load().layout)
    if release is None:
        raise RemitError("there is no release yet: `remit run` makes the first.")
    return release.folder


def _marts() -> Path:
    return _release_folder() / "marts.duckdb"
