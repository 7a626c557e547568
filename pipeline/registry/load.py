"""Landed study documents → one snapshot of `lake/registry`: which record wins, what is composed, what is set aside.

Reading a document is tables.py; what texts mean is eligibility, timeframes and outcome_kinds; what changed is
changes.py. No network, and no clock: every time comes from the journal, so that a rebuild gives equal rows.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from pandera.errors import SchemaErrors

from pipeline import lake
from pipeline.errors import BrokenDocument, RegistryError
from pipeline.landing import Entry, Landing
from pipeline.registry import conflicts, forms, mirror, outcome_kinds, schemas, tables, timeframes
from pipeline.registry.source import Progress, silent

# Uncompressed bytes that one worker reads at a time: a batch takes about three times this in memory.
BATCH_BYTES = 64 << 20


@dataclass(frozen=True)
class LoadReport:
    """What a load did. `rows`, `rejected`: per lake table; records are studies in documents.

    `problems`: one line each, for a person. `empty_fields`: promised fields without a single value, a failed check.
    """

    snapshot: str
    rows: dict[str, int]
    rejected: dict[str, int]
    records: int
    records_rejected: int
    superseded: int
    problems: tuple[str, ...] = ()
    empty_fields: tuple[str, ...] = ()


@dataclass
class _Batch:
    """One worker's share: documents, and what became of them."""

    number: int
    documents: list[tables.Document]
    is_mirror: bool = False
    records: pl.DataFrame = field(default_factory=pl.DataFrame)
    rejections: list[dict] = field(default_factory=list)
    unreadable: dict[int, str] = field(default_factory=dict)


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
    """
    entries = [entry for source in dict.fromkeys(sources) for entry in landing.current(source)]
    if not entries:
        raise RegistryError(
            f"No study documents are landed of {', '.join(sources) or 'any source'}: pull the registry first (remit pull)."
        )
    loader = _Loader(landing, entries, progress)
    lake.write_snapshot(lake_base, snapshot_id, loader.write)
    return loader.report(snapshot_id)


class _Loader:
    def __init__(self, landing: Landing, entries: list[Entry], progress: Progress):
        self.landing = landing
        self.entries = entries
        self.progress = progress
        self.forms = [entry.details.get("form") or self._sniff(entry) for entry in entries]
        self.rows: dict[str, int] = {}
        self.rejections: list[dict] = []
        self.problems: list[str] = []
        self.unreadable = {
            index: "is no study document" for index, form in enumerate(self.forms) if form is None
        }
        self.mirror_changes: list[dict] = []
        self.twins = self._twins()
        self.records = pl.DataFrame()

    def _twins(self) -> dict[int, int]:
        """Documents with the same bytes as another: read once, the newest journal entry stands for all."""
        last = {
            (entry.sha256, form): index
            for index, (entry, form) in enumerate(zip(self.entries, self.forms, strict=True))
        }
        return {
            index: last[entry.sha256, form]
            for index, (entry, form) in enumerate(zip(self.entries, self.forms, strict=True))
            if last[entry.sha256, form] != index
        }

    def _sniff(self, entry: Entry) -> str | None:
        with self.landing.open(entry.sha256) as stream:
            return forms.sniff(stream.read(forms.HEAD), entry.name)

    # -- writing ------------------------------------------------------------------------------------------

    def write(self, folder: Path) -> None:
        scratch = folder / ".mirror"
        batches = [*self._batches(), *self._mirror_batches(scratch)]
        for number, batch in enumerate(batches):
            batch.number = number
        done, total = 0, sum(document.size for batch in batches for document in batch.documents)
        workers = max(1, min(os.cpu_count() or 1, len(batches)))
        with ThreadPoolExecutor(workers) as pool:
            futures = {pool.submit(self._run, batch, folder): batch for batch in batches}
            try:
                for future in as_completed(futures):
                    future.result()
                    done += sum(document.size for document in futures[future].documents)
                    self.progress("study documents", done, total)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        shutil.rmtree(scratch, ignore_errors=True)
        self._settle(batches, folder)
        self._write_changes(folder)
        self._write_accounts(batches, folder)
        for table in schemas.LAKE_TABLES:
            if not any((folder / table).glob("*.parquet")):
                lake.write_table(folder, table, schemas.empty(table))
            self.rows[table] = pl.scan_parquet(folder / table / "*.parquet").select(pl.len()).collect().item()
        if not self.rows["studies"]:
            raise RegistryError(
                "No landed document holds a study that could be read; the lake was left as it was. "
                "Look at the messages of the pull, then pull again."
            )

    def _batches(self) -> list[_Batch]:
        batches: list[_Batch] = []
        size = BATCH_BYTES
        for index, (entry, form) in enumerate(zip(self.entries, self.forms, strict=True)):
            if form is None or form == forms.MIRROR or index in self.twins:
                continue
            if size + entry.bytes > BATCH_BYTES:
                batches.append(_Batch(0, []))
                size = 0
            size += entry.bytes
            batches[-1].documents.append(
                tables.Document(index, self.landing.blob(entry.sha256), form, entry.bytes)
            )
        return batches

    def _mirror_batches(self, scratch: Path) -> list[_Batch]:
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
            scratch.mkdir(exist_ok=True, mode=0o700)
            path = scratch / f"{index}.json"
            path.write_text(json.dumps(page.study, ensure_ascii=False), encoding="utf-8")
            documents.append(tables.Document(index, path, "unstructured/study", path.stat().st_size))
            nct_id = page.study["protocolSection"]["identificationModule"]["nctId"]
            self.mirror_changes += [{"nct_id": nct_id, "doc": index, **change} for change in page.changes]
            if page.not_understood:
                sections = ", ".join(dict.fromkeys(page.not_understood))
                self.problems.append(
                    f"{entry.name}: {len(page.not_understood)} lines were not understood (sections: {sections}). "
                    "Compare the page with docs/registry.md."
                )
        return [_Batch(0, documents, is_mirror=True)] if documents else []

    def _run(self, batch: _Batch, folder: Path) -> None:
        """Read one batch and write its part of every table."""
        reader = tables.Reader()
        try:
            records = _read(reader, batch)
            best = _best(self._ranked(records))
            batch.records = records.with_columns(is_best=pl.col("rec").is_in(best["rec"].implode()))
            reader.drop(batch.records.filter(~pl.col("is_best"))["rec"])
            frames = reader.tables()
        finally:
            reader.close()
        frames["studies"] = self._with_origin(frames["studies"], batch)
        frames = _composed(frames)
        accepted = _accept("studies", frames.pop("studies"), batch.rejections)
        lost = set(batch.records.filter("is_best")["nct_id"]) - set(accepted["nct_id"])
        if lost:
            frames = {
                name: frame.filter(~pl.col("nct_id").is_in(list(lost))) for name, frame in frames.items()
            }
            batch.records = batch.records.with_columns(
                nct_id=pl.when(pl.col("nct_id").is_in(list(lost))).then(None).otherwise("nct_id")
            )
        _write_part(folder, "studies", batch.number, accepted)
        for name, frame in frames.items():
            _write_part(folder, name, batch.number, _accept(name, frame, batch.rejections))

    def _ranked(self, records: pl.DataFrame) -> pl.DataFrame:
        """Records with what decides between versions of one study: its own dates, then the time of landing."""
        received = pl.DataFrame(
            {"doc": range(len(self.entries)), "received": [entry.time for entry in self.entries]},
            schema={"doc": pl.Int64, "received": pl.String},
        )
        return records.filter(pl.col("nct_id").is_not_null()).join(received, on="doc", how="left")

    def _with_origin(self, studies: pl.DataFrame, batch: _Batch) -> pl.DataFrame:
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
            studies.join(batch.records.select("rec", "doc"), on="rec", how="left", maintain_order="left")
            .join(origin, on="doc", how="left", maintain_order="left")
            .with_columns(is_current=pl.lit(True))
        )
        if (
            batch.is_mirror
        ):  # a page from a recorded folder too; and a mirror does not say whether results are posted
            studies = studies.with_columns(source=pl.lit("mirror"), has_results=pl.lit(None, pl.Boolean))
        return studies

    # -- between the batches ------------------------------------------------------------------------------

    def _settle(self, batches: list[_Batch], folder: Path) -> None:
        """Where two batches hold a study, keep the better version and take the other out of its part."""
        self.records = pl.concat(
            [
                batch.records.with_columns(batch=pl.lit(batch.number), is_mirror=pl.lit(batch.is_mirror))
                for batch in batches
            ]
            or [_no_records()]
        )
        mine = self._ranked(self.records.filter("is_best"))
        best = _best(mine)
        losers = mine.join(best.select("nct_id", "batch"), on=["nct_id", "batch"], how="anti")
        mirrored = losers.filter("is_mirror").join(
            best.filter(~pl.col("is_mirror")).select("nct_id", winner="batch"), on="nct_id"
        )
        if mirrored.height:
            self._write(
                folder,
                "source_conflicts",
                conflicts.between_sources(
                    _parts(folder, mirrored, "winner"), _parts(folder, mirrored, "batch")
                ),
            )
        for (number,), rows in losers.group_by("batch"):
            for table in schemas.TABLES:
                part = folder / table / _part(number)
                if part.exists() and table != "source_conflicts":
                    frame = pl.read_parquet(part)
                    frame = frame.filter(~pl.col("nct_id").is_in(rows["nct_id"].implode()))
                    part.unlink()
                    _write_part(folder, table, number, frame)
        self.records = self.records.join(
            best.select("nct_id", "batch", "rec", is_kept=pl.lit(True)),
            on=["nct_id", "batch", "rec"],
            how="left",
        )

    def _write_changes(self, folder: Path) -> None:
        kept = (
            set(self.records.filter(pl.col("is_kept") & pl.col("is_mirror"))["doc"])
            if self.records.height
            else set()
        )
        path = pl.col("field_path")
        changes = pl.DataFrame(
            [change for change in self.mirror_changes if change["doc"] in kept],
            schema={"nct_id": pl.String, "doc": pl.Int64, "field_path": pl.String, "change_kind": pl.String,
                    "seen_on": pl.String, "version": pl.String},
        )  # fmt: skip
        is_change = pl.col("change_kind") != "baseline"
        self._write(
            folder,
            "field_changes",
            changes.with_columns(
                seen_at=pl.col("seen_on").str.to_datetime("%Y-%m-%d", time_unit="us", strict=False),
                source=pl.lit("mirror"),
                is_primary_outcome_change=is_change & (path == "outcomes.primary"),
                is_eligibility_change=is_change & path.str.starts_with("eligibility."),
                is_enrollment_change=is_change & (path == "design.enrollmentCount"),
                is_completion_slip=pl.lit(False),  # the mirror does not say which way a date moved
                is_status_change=is_change & (path == "status.overallStatus"),
            ),
        )

    def _write_accounts(self, batches: list[_Batch], folder: Path) -> None:
        counts = self.records.group_by("doc").agg(
            records=pl.len(),
            accepted=pl.col("is_kept").sum(),
            rejected=pl.col("nct_id").is_null().sum(),
        )
        twins = pl.DataFrame(
            {"doc": list(self.twins.values()), "twin": list(self.twins)},
            schema={"doc": pl.Int64, "twin": pl.Int64},
        )
        counts = pl.concat(
            [
                counts,
                counts.join(twins, on="doc").select(
                    pl.col("twin").alias("doc"), "records", accepted=pl.lit(0, pl.UInt32), rejected="rejected"
                ),
            ],
            how="vertical_relaxed",
        )
        unreadable = {index: reason for batch in batches for index, reason in batch.unreadable.items()}
        unreadable |= self.unreadable
        self.problems += [
            f"{self.entries[index].name}: {reason}; none of it was read. Record it again or remove it."
            for index, reason in sorted(unreadable.items())
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
                    "problem": [unreadable.get(index) for index in range(len(self.entries))],
                },
                schema_overrides={"doc": pl.Int64, "received_at": pl.Datetime("us"), "problem": pl.String},
            )
            .join(counts, on="doc", how="left", maintain_order="left")
            .with_columns(pl.col("records", "accepted", "rejected").fill_null(0).cast(pl.Int64))
            .with_columns(superseded=pl.col("records") - pl.col("accepted") - pl.col("rejected"))
        )
        for batch in batches:
            self.rejections += batch.rejections
        self._write(folder, "documents", documents)
        rejections = pl.DataFrame(self.rejections, schema=schemas.lake_columns("rejections"))
        self._write(
            folder,
            "rejections",
            rejections.group_by("table_name", "column_name", "rule", maintain_order=True)
            .agg(pl.col("rows").sum(), pl.col("example_nct_id").min())
            .sort("table_name", "column_name", "rule"),
        )

    def _write(self, folder: Path, table: str, frame: pl.DataFrame) -> None:
        _write_part(folder, table, 0, _accept(table, frame, self.rejections))

    def report(self, snapshot_id: str) -> LoadReport:
        rejected: dict[str, int] = {}
        for rejection in self.rejections:
            rejected[rejection["table_name"]] = rejected.get(rejection["table_name"], 0) + rejection["rows"]
        kept = int(self.records["is_kept"].sum() or 0)
        without_id = int(self.records["nct_id"].null_count())
        return LoadReport(
            snapshot=snapshot_id,
            rows=self.rows,
            rejected=rejected,
            records=self.records.height,
            records_rejected=without_id,
            superseded=self.records.height - kept - without_id,
            problems=tuple(self.problems),
        )


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
        return reader.read(readable, lenient=True) if readable else reader.read([])


def _best(records: pl.DataFrame) -> pl.DataFrame:
    """The version of each study that stands: newest update, then newest version, then landed last."""
    worst_first = ["is_mirror"] if "is_mirror" in records.columns else []
    return records.sort(
        [*worst_first, "last_update", "version", "received", "rec"],
        descending=[False] * len(worst_first) + [True] * 4,
        nulls_last=True,
        maintain_order=True,
    ).unique("nct_id", keep="first", maintain_order=True)


def _parts(folder: Path, rows: pl.DataFrame, batch: str) -> dict[str, pl.DataFrame]:
    """What some batches wrote about some studies, table by table."""
    wanted = rows["nct_id"].implode()
    found = {}
    for table in conflicts.TABLES:
        parts = [folder / table / _part(number) for number in rows[batch].unique().sort()]
        frames = [
            pl.read_parquet(part).filter(pl.col("nct_id").is_in(wanted)) for part in parts if part.exists()
        ]
        found[table] = pl.concat(frames) if frames else schemas.empty(table)
    return found


def _no_records() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "rec": pl.Int64, "nct_id": pl.String, "last_update": pl.String, "version": pl.String,
            "doc": pl.Int64, "is_best": pl.Boolean, "batch": pl.Int32, "is_mirror": pl.Boolean,
        }
    )  # fmt: skip


def _composed(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables of a batch with what the other rules of the registry say about them."""
    measures = frames["outcome_measures"]
    outcomes = frames["outcomes"]
    posted = measures.select(
        "rec", "nct_id", outcome_type=pl.lit("posted"), ordinal="ordinal", measure="title",
        description="description", time_frame="time_frame",
    )  # fmt: skip
    same = [
        "rec",
        pl.col("measure").str.strip_chars().str.to_lowercase().str.replace_all(r"\s+", " ").alias("words"),
    ]
    registered = outcomes.select(
        *same, registered_outcome_type="outcome_type", registered_ordinal="ordinal"
    ).unique(["rec", "words"], keep="first", maintain_order=True)
    matched = posted.with_columns(same[1]).join(
        registered, on=["rec", "words"], how="left", maintain_order="left"
    )
    classified = outcome_kinds.classify(
        pl.concat([outcomes.select(posted.columns), posted]).with_columns(pl.col("measure").fill_null(""))
    )
    kinds = classified.select("rec", "outcome_type", "ordinal", "outcome_kind", "outcome_kind_words")
    posted_kinds = kinds.filter(pl.col("outcome_type") == "posted").drop("outcome_type")
    frames["outcome_measures"] = measures.join(posted_kinds, on=["rec", "ordinal"], how="left", maintain_order="left").join(
        matched.select("rec", "ordinal", "registered_outcome_type", "registered_ordinal"),
        on=["rec", "ordinal"], how="left", maintain_order="left",
    )  # fmt: skip
    only_posted = matched.filter(pl.col("registered_ordinal").is_null()).select(posted.columns)
    frames["outcomes"] = pl.concat([outcomes.select(posted.columns), only_posted]).join(
        kinds, on=["rec", "outcome_type", "ordinal"], how="left", maintain_order="left"
    )
    for name in ("outcome_results", "result_analyses"):
        frames[name] = frames[name].join(
            posted_kinds.select("rec", "outcome_kind", outcome_ordinal="ordinal"),
            on=["rec", "outcome_ordinal"], how="left", maintain_order="left",
        )  # fmt: skip
    frames["outcome_epochs"] = timeframes.parse(
        frames["outcomes"].select("nct_id", "outcome_type", "ordinal", "measure", "description", "time_frame")
    )
    return {
        name: frame.sort("rec", maintain_order=True) if "rec" in frame.columns else frame
        for name, frame in frames.items()
    }


def _accept(table: str, frame: pl.DataFrame, rejections: list[dict]) -> pl.DataFrame:
    """The rows of `frame` that meet the table's schema, in lake columns; the others are counted and left out."""
    wanted = schemas.lake_columns(table)
    frame = frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in wanted.items()
    )
    try:
        schemas.schema(table).validate(frame, lazy=True)
        return frame
    except SchemaErrors as error:
        cases = error.failure_cases
    if cases["index"].null_count():
        raise RegistryError(
            f"The table {table} does not have the columns that its schema declares: report this as a fault of Remit."
        ) from None
    rows = cases["index"].cast(pl.UInt32).unique().sort()
    for (column, rule), part in cases.group_by("column", "check", maintain_order=True):
        numbers = part["index"].unique()
        example = frame[int(numbers.min())]["nct_id"][0] if "nct_id" in frame.columns else None
        rejections.append(
            {
                "table_name": table, "column_name": column, "rule": _RULES.get(name := str(rule).split("(")[0], name),
                "rows": len(numbers), "example_nct_id": example,
            }
        )  # fmt: skip
    return frame.with_row_index("_row").filter(~pl.col("_row").is_in(rows.implode())).drop("_row")


# pandera's names of its checks, and ours.
_RULES = {
    "greater_than_or_equal_to": "minimum",
    "less_than_or_equal_to": "maximum",
    "isin": "codes",
    "str_matches": "nct_id",
    "not_nullable": "not_null",
}


def _write_part(folder: Path, table: str, number: int, frame: pl.DataFrame) -> None:
    if frame.height:
        target = folder / table
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        frame.write_parquet(target / _part(number), compression="zstd")


def _part(number: int) -> str:
    return f"part-{number:05d}.parquet"


def _utc(time: str) -> datetime:
    return datetime.fromisoformat(time).astimezone(UTC).replace(tzinfo=None)
