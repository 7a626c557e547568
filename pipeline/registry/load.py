"""Landed study documents → one snapshot of `lake/registry`: which record stands, what is set aside, what is missing.

Reading a document is tables.py, completing and checking a table compose.py, differences to the model drift.py,
what changed changes.py. No network, and no clock: every time comes from the journal, so that a rebuild gives
equal files.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import BoundedSemaphore

import duckdb
import polars as pl
import pyarrow

from pipeline import lake
from pipeline.errors import BrokenDocument, HomeError, RegistryError
from pipeline.landing import Entry, Landing
from pipeline.registry import (
    amendments,
    changes,
    compose,
    conflicts,
    drift,
    eligibility,
    forms,
    mirror,
    schemas,
    tables,
)
from pipeline.registry.eligibility import overrides as eligibility_overrides
from pipeline.registry.source import Progress, silent
from pipeline.settings import PROJECT

OVERRIDES = PROJECT / "dbt_project" / "seeds" / "trials" / "criterion_overrides.csv"

# Uncompressed bytes that one worker reads at a time; it takes about four times this in memory. Fixed costs
# of a batch (planning 26 queries, 35 schemas) are those of reading 40 MB, so small batches cost time.
BATCH_BYTES = 128 << 20
# A document larger than this is streamed, so many records at a time.
STREAMED_BYTES = 256 << 20
# Less than two full batches are cut in two, so that two cores have work; not by the number of cores, or
# another machine would write other files. Smaller ones cost more than they give: planning the queries and
# validating 35 tables takes 0.4 s whatever stands in them, as long as reading 40 MB.
SMALL_BATCH_BYTES = 24 << 20
STREAMED_RECORDS = 4096


@dataclass(frozen=True)
class LoadReport:
    """What a load did. `rows`, `rejected` (rows set aside): per lake table; records are studies in documents.

    `problems`: one line each, for a person. `empty_fields`: `table.column` that had values in the last snapshot
    of these studies and has none now, a failed check. `drift`: paths that nobody has decided about yet.
    """

    snapshot: str
    rows: dict[str, int]
    rejected: dict[str, int]
    records: int
    records_rejected: int
    superseded: int
    problems: tuple[str, ...] = ()
    empty_fields: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()


@dataclass
class _Batch:
    """Documents that are read together, or a part of a large one, and what became of their records."""

    name: str  # of its Parquet files; in the order of the documents
    documents: list[tables.Document]
    is_mirror: bool = False
    records: pl.DataFrame | None = None
    rejections: list[dict] = field(default_factory=list)
    unread: list[tuple[str, str, int, str]] = field(default_factory=list)
    unreadable: dict[int, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(document.size for document in self.documents)


def load(
    landing: Landing,
    lake_base: Path,
    *,
    sources: Sequence[str],
    snapshot_id: str,
    progress: Progress = silent,
) -> LoadReport:
    """Read every document in force of `sources` and make the result the current snapshot of the lake.

    Args:
        landing: the registry's landing area.
        lake_base: `lake/registry`.
        sources: names as in the journal: `snapshot` or `clinicaltrials.gov`, and `mirror`.
        snapshot_id: name of the snapshot's folder.

    Raises:
        RegistryError: nothing is landed, or no study could be read; the current snapshot stays.
        HomeError: the lake cannot be written.
    """
    entries = [entry for source in dict.fromkeys(sources) for entry in landing.current(source)]
    if not entries:
        raise RegistryError(
            f"No study documents are landed of {', '.join(sources) or 'any source'}: "
            "pull the registry first (remit pull)."
        )
    loader = _Loader(landing, entries, list(sources), lake_base, progress)
    try:
        lake.write_snapshot(lake_base, snapshot_id, loader.write)
    except OSError as error:
        raise HomeError(
            f"The registry's lake cannot be written ({error.strerror or 'disk full or damaged'}): "
            "free some space under REMIT_HOME and run again; the last snapshot stays."
        ) from error
    except (duckdb.Error, pl.exceptions.PolarsError) as error:
        raise RegistryError(
            "The landed study documents could not be made into tables; the last snapshot stays. "
            "Look for a full disk or memory, else report this as a fault of Remit."
        ) from error
    return loader.report(snapshot_id)


class _Loader:
    def __init__(
        self, landing: Landing, entries: list[Entry], sources: list[str], base: Path, progress: Progress
    ):
        self.landing = landing
        self.entries = entries
        self.sources = sources
        self.base = base
        self.progress = progress
        self.forms = [entry.details.get("form") or self._sniff(entry) for entry in entries]
        self.twins = self._twins()
        self.unreadable = {i: "is no study document" for i, form in enumerate(self.forms) if form is None}
        self.overrides = eligibility_overrides.read_seed(OVERRIDES)
        self.readings = eligibility.Readings()
        self.removed = set(changes.removed(landing)["nct_id"]) if sources != ["snapshot"] else set()
        self.mirror_changes: list[dict] = []
        self.records = pl.DataFrame()
        self.rejections: list[dict] = []
        self.problems: list[str] = []
        self.empty_fields: list[str] = []
        self.drift: list[str] = []
        self.rows: dict[str, int] = {}

    def _sniff(self, entry: Entry) -> str | None:
        with self.landing.open(entry.sha256) as stream:
            return forms.sniff(stream.read(forms.HEAD), entry.name)

    def _twins(self) -> dict[int, int]:
        """Documents with the same bytes as another are read once; the newest journal entry stands for all."""
        keys = [(entry.sha256, form) for entry, form in zip(self.entries, self.forms, strict=True)]
        last = {key: index for index, key in enumerate(keys)}
        return {index: last[key] for index, key in enumerate(keys) if last[key] != index}

    # -- the snapshot -------------------------------------------------------------------------------------

    def write(self, folder: Path) -> None:
        scratch = folder / ".scratch"
        scratch.mkdir(mode=0o700)
        documents = self._documents()
        pages = self._mirror_documents(scratch)
        batches = self._read_all(documents, pages, folder)
        shutil.rmtree(scratch)
        self._settle(batches, folder)
        if not (self.records.height and self.records["is_kept"].any()):
            raise RegistryError(
                "No landed document holds a study that could be read; the lake was left as it was. "
                "Look at the messages of the pull, then pull again."
            )
        self._write_changes(folder)
        self._write_accounts(batches, folder)
        self._write_drift(documents, batches, folder)
        for table in schemas.LAKE_TABLES:
            if not any((folder / table).glob("*.parquet")):
                lake.write_table(folder, table, schemas.empty(table))
            scan = pl.scan_parquet(folder / table / "*.parquet")
            self.rows[table] = scan.select(pl.len()).collect().item()

    def report(self, snapshot_id: str) -> LoadReport:
        rejected: dict[str, int] = {}
        for rejection in self.rejections:
            table = rejection["table_name"]
            rejected[table] = rejected.get(table, 0) + rejection["rows"]
        kept, without_id = int(self.records["is_kept"].sum() or 0), self.records["nct_id"].null_count()
        return LoadReport(
            snapshot=snapshot_id,
            rows=self.rows,
            rejected=rejected,
            records=self.records.height,
            records_rejected=without_id,
            superseded=self.records.height - kept - without_id,
            problems=tuple(self.problems),
            empty_fields=tuple(self.empty_fields),
            drift=tuple(self.drift),
        )

    # -- reading ------------------------------------------------------------------------------------------

    def _documents(self) -> list[tables.Document]:
        return [
            tables.Document(index, self.landing.blob(entry.sha256), form, entry.bytes)
            for index, (entry, form) in enumerate(zip(self.entries, self.forms, strict=True))
            if form not in (None, forms.MIRROR) and index not in self.twins
        ]

    def _mirror_documents(self, scratch: Path) -> list[tables.Document]:
        """Mirror pages as documents of the registry's own structure, in a scratch folder."""
        documents = []
        for index, (entry, form) in enumerate(zip(self.entries, self.forms, strict=True)):
            if form != forms.MIRROR or index in self.twins:
                continue
            try:
                page = mirror.parse(self.landing.read(entry.sha256).decode("utf-8", errors="replace"))
            except BrokenDocument as error:
                self.unreadable[index] = str(error)
                continue
            path = scratch / f"{index}.json"
            path.write_text(json.dumps(page.study, ensure_ascii=False), encoding="utf-8")
            documents.append(tables.Document(index, path, "unstructured/study", path.stat().st_size))
            nct_id = page.study["protocolSection"]["identificationModule"]["nctId"]
            self.mirror_changes += [{"nct_id": nct_id, "doc": index, **change} for change in page.changes]
            if page.not_understood:
                where = ", ".join(dict.fromkeys(page.not_understood))
                self.problems.append(
                    f"{entry.name}: {len(page.not_understood)} lines of the mirror page were not understood "
                    f"(sections: {where}). Compare the page with docs/registry.md."
                )
        return documents

    def _read_all(
        self, documents: list[tables.Document], pages: list[tables.Document], folder: Path
    ) -> list[_Batch]:
        """All batches, so many at a time as there are cores; each writes its own part of every table."""
        done, total = 0, sum(document.size for document in [*documents, *pages])
        workers = os.cpu_count() or 1
        # One more than workers may wait: a streamed document is not read faster than it is worked on.
        places = BoundedSemaphore(workers + 1)
        running: list[tuple[Future, _Batch]] = []
        batches: list[_Batch] = []

        def finish(keep: int) -> None:
            nonlocal done
            while len(running) > keep:
                future, batch = running.pop(0)
                future.result()
                done += batch.size
                self.progress("study documents", min(done, total), total)

        with ThreadPoolExecutor(workers) as pool:

            def start(batch: _Batch, streamed: pyarrow.RecordBatch | None = None) -> None:
                places.acquire()
                future = pool.submit(self._run, batch, folder, streamed)
                future.add_done_callback(lambda _: places.release())
                running.append((future, batch))
                batches.append(batch)
                finish(4 * workers)

            try:
                for batch in self._batches(documents, pages):
                    if batch.documents[0].size <= STREAMED_BYTES:
                        start(batch)
                        continue
                    for lenient in (False, True):
                        parts = len(batches)
                        try:
                            for part in self._streamed(batch.documents[0], lenient):
                                start(*part)
                            break
                        except tables.UnreadableDocument:
                            finish(0)
                            for void in batches[parts:]:
                                _remove_parts(folder, void.name)
                            del batches[parts:]
                            if lenient:
                                self.unreadable[batch.documents[0].index] = "cannot be read as JSON"
                finish(0)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return batches

    def _batches(self, documents: list[tables.Document], pages: list[tables.Document]) -> Iterator[_Batch]:
        """Documents in groups of about `BATCH_BYTES`, large ones alone, mirror pages last."""
        total = sum(document.size for document in documents)
        limit = min(BATCH_BYTES, max(SMALL_BATCH_BYTES, -(-total // 2)))
        for group, is_mirror in ((documents, False), (pages, True)):
            waiting: list[tables.Document] = []
            for document in group:
                if waiting and sum(d.size for d in waiting) + document.size > limit:
                    yield _Batch(f"{waiting[0].index:06d}", waiting, is_mirror)
                    waiting = []
                waiting.append(document)
            if waiting:
                name = f"{waiting[0].index:06d}"
                yield _Batch(f"mirror-{name}" if is_mirror else name, waiting, is_mirror)

    def _streamed(
        self, document: tables.Document, lenient: bool
    ) -> Iterator[tuple[_Batch, pyarrow.RecordBatch]]:
        reader = tables.Reader()
        try:
            stream = reader.stream(document, rows=STREAMED_RECORDS, lenient=lenient)
            for number, part in enumerate(stream):
                # Its share of the document's bytes is not known; progress moves when the document is through.
                whole = (
                    [document]
                    if number == 0
                    else [tables.Document(document.index, document.path, document.form, 0)]
                )
                yield _Batch(f"{document.index:06d}-{number:06d}", whole), part
        finally:
            reader.close()

    def _run(self, batch: _Batch, folder: Path, streamed: pyarrow.RecordBatch | None) -> None:
        """Read one batch and write its part of every table."""
        reader = tables.Reader(folder / ".scratch")
        try:
            records = (
                reader.take(streamed, batch.documents[0]) if streamed is not None else _read(reader, batch)
            )
            best = _best(self._ranked(records))
            records = records.with_columns(is_best=pl.col("rec").is_in(best["rec"].implode()))
            reader.drop(records.filter(~pl.col("is_best"))["rec"])
            frames = reader.tables()
        finally:
            reader.close()
        frames["studies"] = self._with_origin(frames["studies"], records, batch.is_mirror)
        frames = compose.composed(frames, self.overrides, self.readings)
        batch.unread = [row for name, frame in frames.items() for row in compose.unread(name, frame)]
        studies = compose.accepted("studies", frames.pop("studies"), batch.rejections)
        lost = records.filter("is_best").join(studies, on="nct_id", how="anti")["nct_id"]
        if lost.len():  # a study whose own row was set aside takes its other rows along
            frames = {
                name: frame.filter(~pl.col("nct_id").is_in(lost.implode())) for name, frame in frames.items()
            }
            records = records.with_columns(
                nct_id=pl.when(~pl.col("nct_id").is_in(lost.implode())).then("nct_id"),
                is_best=pl.col("is_best") & ~pl.col("nct_id").is_in(lost.implode()),
            )
        batch.records = records
        _write_part(folder, "studies", batch.name, studies)
        for name, frame in frames.items():
            _write_part(folder, name, batch.name, compose.accepted(name, frame, batch.rejections))

    def _ranked(self, records: pl.DataFrame) -> pl.DataFrame:
        """Records with the time of landing, which decides where a study's own dates do not."""
        received = pl.DataFrame(
            {"doc": range(len(self.entries)), "received": [entry.time for entry in self.entries]},
            schema={"doc": pl.Int64, "received": pl.String},
        )
        return records.filter(pl.col("nct_id").is_not_null()).join(
            received, on="doc", how="left", maintain_order="left"
        )

    def _with_origin(self, studies: pl.DataFrame, records: pl.DataFrame, is_mirror: bool) -> pl.DataFrame:
        origin = pl.DataFrame(
            {
                "doc": range(len(self.entries)),
                "source": [entry.source for entry in self.entries],
                "seen_at": [_utc(entry.time) for entry in self.entries],
                "document_sha256": [entry.sha256 for entry in self.entries],
            },
            schema={
                "doc": pl.Int64,
                "source": pl.String,
                "seen_at": pl.Datetime("us"),
                "document_sha256": pl.String,
            },
        )
        studies = (
            studies.join(records.select("rec", "doc"), on="rec", how="left", maintain_order="left")
            .join(origin, on="doc", how="left", maintain_order="left")
            .with_columns(is_current=~pl.col("nct_id").is_in(list(self.removed)))
        )
        if is_mirror:  # a page in a recorded folder too; and a page does not say whether results are posted
            studies = studies.with_columns(source=pl.lit("mirror"), has_results=pl.lit(None, pl.Boolean))
        return studies

    # -- between the batches ------------------------------------------------------------------------------

    def _settle(self, batches: list[_Batch], folder: Path) -> None:
        """Where two batches hold a study, keep the better version and take the other out of its parts."""
        self.records = pl.concat(
            [
                batch.records.with_columns(batch=pl.lit(batch.name), is_mirror=pl.lit(batch.is_mirror))
                for batch in batches
            ]
            or [_no_records()]
        )
        mine = self._ranked(self.records.filter("is_best"))
        best = _best(mine)
        losers = mine.join(best, on=["nct_id", "batch"], how="anti")
        mirrored = losers.filter("is_mirror").join(
            best.filter(~pl.col("is_mirror")).select("nct_id", winner="batch"), on="nct_id"
        )
        found = []
        if mirrored.height:
            found.append(
                conflicts.between_sources(
                    _parts(folder, mirrored, "winner"), _parts(folder, mirrored, "batch")
                )
            )
        for (name,), rows in losers.group_by("batch"):
            for table in schemas.TABLES:
                part = folder / table / _part(name)
                if part.exists():
                    frame = pl.read_parquet(part).filter(~pl.col("nct_id").is_in(rows["nct_id"].implode()))
                    part.unlink()
                    _write_part(folder, table, name, frame)
        if found:
            self._write(folder, "source_conflicts", pl.concat(found))
        self.records = self.records.join(
            best.select("nct_id", "batch", "rec", is_kept=pl.lit(True)),
            on=["nct_id", "batch", "rec"],
            how="left",
            maintain_order="left",
        )
        self._settle_overrides(folder)

    def _settle_overrides(self, folder: Path) -> None:
        """An override is unused when no batch has its study; each batch alone cannot know."""
        parts = sorted((folder / "override_uses").glob("*.parquet"))
        if not parts:
            return
        uses = pl.concat([pl.read_parquet(part) for part in parts]).unique(maintain_order=True)
        for part in parts:
            part.unlink()
        kept = self.records.filter("is_kept").select("nct_id").unique()
        used = uses.filter(pl.col("status") != "study_not_loaded")
        unused = uses.filter(pl.col("status") == "study_not_loaded").join(kept, on="nct_id", how="anti")
        self._write(
            folder, "override_uses", pl.concat([used, unused]).sort("nct_id", "criterion_id", "status")
        )

    def _write_changes(self, folder: Path) -> None:
        """The change feed: what versions of a study in landing tell, and the mirror's own feed of its pages."""
        kept = self.records.filter("is_kept")
        hashes = pl.DataFrame(
            {"doc": range(len(self.entries)), "sha256": [entry.sha256 for entry in self.entries]},
            schema={"doc": pl.Int64, "sha256": pl.String},
        )
        own = self.records.filter(pl.col("nct_id").is_not_null() & ~pl.col("is_mirror")).join(
            hashes, on="doc"
        )
        is_kept = pl.col("is_kept").fill_null(False)
        read, superseded = (own.filter(is_it).select("nct_id", "sha256") for is_it in (is_kept, ~is_kept))
        history = changes.history(self.landing, self.sources, read, superseded)
        feed = history.feed
        for table, frame in amendments.earlier(history, self.overrides, folder).items():
            self._write(folder, table, frame)
        path, is_change = pl.col("field_path"), pl.col("change_kind") != "baseline"
        pages = set(kept.filter("is_mirror")["doc"])
        mirrored = pl.DataFrame(
            [change for change in self.mirror_changes if change["doc"] in pages],
            schema={
                "nct_id": pl.String,
                "doc": pl.Int64,
                "field_path": pl.String,
                "change_kind": pl.String,
                "seen_on": pl.String,
                "version": pl.String,
            },
        ).with_columns(
            old_value=pl.lit(None, pl.String),
            new_value=pl.lit(None, pl.String),
            seen_at=pl.col("seen_on").str.to_datetime("%Y-%m-%d", time_unit="us", strict=False),
            source=pl.lit("mirror"),
            is_primary_outcome_change=is_change & (path == "outcomes.primary"),
            is_eligibility_change=is_change & path.str.starts_with("eligibility."),
            is_enrollment_change=is_change & (path == "design.enrollmentCount"),
            is_completion_slip=pl.lit(False),  # a page does not say which way a date moved
            is_status_change=is_change & (path == "status.overallStatus"),
        )
        self._write(
            folder, "field_changes", pl.concat([feed, mirrored.select(feed.columns)], how="vertical_relaxed")
        )

    # -- accounts -----------------------------------------------------------------------------------------

    def _write_accounts(self, batches: list[_Batch], folder: Path) -> None:
        counts = self.records.group_by("doc").agg(
            records=pl.len().cast(pl.Int64),
            accepted=pl.col("is_kept").sum().cast(pl.Int64),
            rejected=pl.col("nct_id").is_null().sum().cast(pl.Int64),
        )
        twins = pl.DataFrame(
            {"doc": list(self.twins.values()), "twin": list(self.twins)},
            schema={"doc": pl.Int64, "twin": pl.Int64},
        )
        repeated = counts.join(twins, on="doc").select(
            pl.col("twin").alias("doc"), "records", accepted=pl.lit(0, pl.Int64), rejected="rejected"
        )
        for batch in batches:
            self.unreadable |= batch.unreadable
            self.rejections += batch.rejections
        self.problems += [
            f"{self.entries[index].name}: {reason}; none of it was read. Record it again or remove it."
            for index, reason in sorted(self.unreadable.items())
        ]
        documents = (
            pl.DataFrame(
                {
                    "doc": range(len(self.entries)),
                    "source": [entry.source for entry in self.entries],
                    "name": [entry.name for entry in self.entries],
                    "document_sha256": [entry.sha256 for entry in self.entries],
                    "received_at": [_utc(entry.time) for entry in self.entries],
                    "size_bytes": [entry.bytes for entry in self.entries],
                    "form": [(form or "unknown").split("/")[-1] for form in self.forms],
                    "problem": [self.unreadable.get(index) for index in range(len(self.entries))],
                },
                schema_overrides={"doc": pl.Int64, "received_at": pl.Datetime("us"), "problem": pl.String},
            )
            .join(pl.concat([counts, repeated]), on="doc", how="left", maintain_order="left")
            .with_columns(pl.col("records", "accepted", "rejected").fill_null(0))
            .with_columns(superseded=pl.col("records") - pl.col("accepted") - pl.col("rejected"))
        )
        self._write(folder, "documents", documents)
        self._write(
            folder,
            "rejections",
            pl.DataFrame(self.rejections, schema=schemas.lake_columns("rejections"))
            .group_by("table_name", "column_name", "rule")
            .agg(pl.col("rows").sum(), pl.col("example_nct_id").min())
            .sort("table_name", "column_name", "rule"),
        )

    def _write_drift(self, documents: list[tables.Document], batches: list[_Batch], folder: Path) -> None:
        unreadable = set(self.unreadable)
        unknown = drift.unknown_paths([d for d in documents if d.index not in unreadable])
        gone = drift.gone_empty(self.base, folder)
        studies = self.records["is_kept"].sum() or 0
        unread = (
            pl.DataFrame(
                [
                    (table, column, schemas.record_paths(table)[column][0], count, example)
                    for batch in batches
                    for table, column, count, example in batch.unread
                ],
                schema=dict.fromkeys(("table", "column", "path"), pl.String)
                | {"occurrences": pl.Int64, "example_nct_id": pl.String},
                orient="row",
            )
            .group_by("table", "column", "path")
            .agg(pl.col("occurrences").sum(), pl.col("example_nct_id").min())
            .group_by("path")  # two columns may read one path
            .agg(pl.col("occurrences").max(), pl.col("example_nct_id").min())
            .with_columns(drift_kind=pl.lit("unread_value"), studies_sampled=pl.lit(studies))
        )
        empty = pl.DataFrame(
            {"path": [path for path, _ in gone], "occurrences": [count for _, count in gone]},
            schema={"path": pl.String, "occurrences": pl.Int64},
        ).with_columns(drift_kind=pl.lit("empty_everywhere"), studies_sampled=pl.lit(studies))
        found = pl.concat([unknown, unread, empty], how="diagonal_relaxed").sort("drift_kind", "path")
        self._write(folder, "schema_drift", found)
        self.empty_fields = [path for path, _ in gone]
        undecided = found.filter((pl.col("drift_kind") == "unknown_path") & pl.col("known_reason").is_null())
        self.drift = undecided["path"].to_list()

    def _write(self, folder: Path, table: str, frame: pl.DataFrame) -> None:
        _write_part(folder, table, "all", compose.accepted(table, frame, self.rejections))


def _read(reader: tables.Reader, batch: _Batch) -> pl.DataFrame:
    """Read a batch; documents that break the declared structure are read one by one, leniently, or given up."""
    try:
        return reader.read(batch.documents)
    except tables.UnreadableDocument:
        readable = []
        for document in batch.documents:
            try:
                reader.read([document], lenient=True)
                readable.append(document)
            except tables.UnreadableDocument:
                batch.unreadable[document.index] = "cannot be read as JSON"
        return reader.read(readable, lenient=True)


def _best(records: pl.DataFrame) -> pl.DataFrame:
    """The version of each study that stands: the registry's own, newest update, newest version, landed last."""
    worst_first = ["is_mirror"] if "is_mirror" in records.columns else []
    return records.sort(
        [*worst_first, "last_update", "version", "received", "rec"],
        descending=[False] * len(worst_first) + [True] * 4,
        nulls_last=True,
        maintain_order=True,
    ).unique("nct_id", keep="first", maintain_order=True)


def _no_records() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "rec": pl.Int64,
            "nct_id": pl.String,
            "last_update": pl.String,
            "version": pl.String,
            "doc": pl.Int64,
            "is_best": pl.Boolean,
            "batch": pl.String,
            "is_mirror": pl.Boolean,
        }
    )


def _parts(folder: Path, rows: pl.DataFrame, batch: str) -> dict[str, pl.DataFrame]:
    """What some batches wrote about some studies, table by table."""
    wanted = rows["nct_id"].implode()
    found = {}
    for table in conflicts.TABLES:
        parts = [folder / table / _part(name) for name in rows[batch].unique().sort()]
        frames = [
            pl.read_parquet(part).filter(pl.col("nct_id").is_in(wanted)) for part in parts if part.exists()
        ]
        found[table] = pl.concat(frames) if frames else schemas.empty(table)
    return found


def _write_part(folder: Path, table: str, name: str, frame: pl.DataFrame) -> None:
    if frame.height:
        target = folder / table
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        frame.write_parquet(target / _part(name), compression="zstd")


def _remove_parts(folder: Path, name: str) -> None:
    for part in folder.glob(f"*/{_part(name)}"):
        part.unlink()


def _part(name: str) -> str:
    return f"part-{name}.parquet"


def _utc(time: str) -> datetime:
    return datetime.fromisoformat(time).astimezone(UTC).replace(tzinfo=None)
