"""Landed study documents → one snapshot of `lake/registry`: which record stands, what is set aside, what is missing.

Reading a document is tables.py, completing and checking a table compose.py, what was read before parts.py,
differences to the model drift.py, what changed changes.py. No network, and no clock: every time comes from the journal, so that a rebuild gives
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

from pipeline import digest, lake
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
    parts,
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
# validating all tables takes 0.4 s whatever stands in them, as long as reading 40 MB.
SMALL_BATCH_BYTES = 24 << 20
STREAMED_RECORDS = 4096
# Nightly pulls land small documents one by one. When more than so many of their parts stand side by side, these
# are read again, together.
SMALL_PARTS = 8
# The files that decide what a document becomes.
READING_CODE = (
    "pipeline/registry/**/*.py",
    "pipeline/drugs.py",
    "dbt_project/seeds/**/*",
    "requirements.lock",
)


@dataclass(frozen=True)
class LoadReport:
    """What a load did. `rows`, `rejected` (rows set aside): per lake table; records are studies in documents.

    `problems`: one line each, for a person. `empty_fields`: `table.column` that had values in the last snapshot
    of these studies and has none now, a failed check. `drift`: paths that nobody has decided about yet.
    `documents_reused`: of `documents` those whose rows stood from an earlier load.
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
    documents: int = 0
    documents_reused: int = 0


@dataclass
class _Batch:
    """Documents that are read together, or a part of a large one, and what became of their records."""

    name: str  # of its Parquet files; in the order of the documents
    key: str  # of its part
    documents: list[tables.Document]
    is_mirror: bool = False
    is_streamed: bool = False
    size: int = 0
    records: pl.DataFrame | None = None
    rejections: pl.DataFrame | None = None
    unread: pl.DataFrame | None = None
    unreadable: dict[int, str] = field(default_factory=dict)  # place among the documents → why


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
        with loader.readings:
            lake.write_snapshot(lake_base, snapshot_id, loader.write)
    except OSError as error:
        raise HomeError(
            f"The registry's lake cannot be written ({error.strerror or 'disk full or damaged'}): "
            "free some space under REMIT_HOME and run again; the last snapshot stays."
        ) from error
    except (duckdb.Error, pl.exceptions.PolarsError) as error:
        raise RegistryError(
            "The landed study documents could not be made into tables; the last snapshot stays. "
            "Look for a full disk or memory, then run `remit rebuild`; if that fails too, report it as a fault of Remit."
        ) from error
    loader.parts.keep(loader.groups)
    return loader.report(snapshot_id)


def reading_code() -> str:
    """A hash of all that decides what a document becomes, but the document."""
    return digest.of_files(PROJECT, READING_CODE) + digest.of_files(OVERRIDES.parent, [OVERRIDES.name])


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
        self.parts = parts.Parts(base, reading_code())
        self.groups: list[parts.Group] = []
        self.removed = set(changes.removed(landing)["nct_id"]) if sources != ["snapshot"] else set()
        self.mirror_changes: list[dict] = []
        self.records = pl.DataFrame()
        self.rejections: list[pl.DataFrame] = []  # of tables that the loader composes
        self.reused = 0
        self.problems: list[str] = []
        self.empty_fields: list[str] = []
        self.drift: list[str] = []
        self.rows: dict[str, int] = {}
        self.rejected: dict[str, int] = {}

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
        batches, unknown = self._read_all(documents, pages, folder)
        shutil.rmtree(scratch)
        self._settle(batches, folder)
        if not (self.records.height and self.records["is_kept"].any()):
            raise RegistryError(
                "No landed document holds a study that could be read; the lake was left as it was. "
                "Look at the messages of the pull, then pull again."
            )
        self._write_changes(folder)
        self._write_accounts(batches, folder)
        self._write_drift(unknown, batches, folder)
        for table in schemas.LAKE_TABLES:
            if not any((folder / table).glob("*.parquet")):
                lake.write_table(folder, table, schemas.empty(table))
            scan = pl.scan_parquet(folder / table / "*.parquet")
            self.rows[table] = scan.select(pl.len()).collect().item()

    def report(self, snapshot_id: str) -> LoadReport:
        kept, without = int(self.records["is_kept"].sum() or 0), int(self.records["is_rejected"].sum() or 0)
        return LoadReport(
            snapshot=snapshot_id,
            rows=self.rows,
            rejected=self.rejected,
            records=self.records.height,
            records_rejected=without,
            superseded=self.records.height - kept - without,
            documents=len(self.entries),
            documents_reused=self.reused,
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

    def _identity(self, document: tables.Document) -> str:
        """All that a document's rows come from; its name is no part of it."""
        entry, form = self.entries[document.index], self.forms[document.index]
        return "|".join((entry.source, entry.time, str(form), entry.sha256))

    def _read_all(
        self, documents: list[tables.Document], pages: list[tables.Document], folder: Path
    ) -> tuple[list[_Batch], pl.DataFrame]:
        """All batches, so many at a time as there are cores, and unknown paths of a sample of the documents."""
        done, total = 0, sum(document.size for document in [*documents, *pages])
        workers = os.cpu_count() or 1
        # One more than workers may wait: a streamed document is not read faster than it is worked on.
        places = BoundedSemaphore(workers + 1)
        running: list[tuple[Future, _Batch]] = []
        batches: list[_Batch] = []
        for batch in self._reused(documents, pages):
            self._take(batch, folder)
            batches.append(batch)
            done += batch.size
        known = {document.index for batch in batches for document in batch.documents}
        self.reused = len(known)
        documents = [document for document in documents if document.index not in known]
        pages = [document for document in pages if document.index not in known]

        def finish(keep: int) -> None:
            nonlocal done
            while len(running) > keep:
                future, batch = running.pop(0)
                future.result()
                if not batch.is_streamed:
                    self._complete([batch])
                done += batch.size
                self.progress("study documents", min(done, total), total)

        with ThreadPoolExecutor(workers) as pool:
            sample = pool.submit(drift.unknown_paths, self._documents())

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
                        first = len(batches)
                        try:
                            for part in self._streamed(batch.documents[0], lenient):
                                start(*part)
                            finish(0)
                            self._complete(batches[first:])
                            break
                        except tables.UnreadableDocument:
                            finish(0)
                            for void in batches[first:]:
                                _remove_parts(folder, void.name)
                            del batches[first:]
                            if lenient:
                                self.unreadable[batch.documents[0].index] = "cannot be read as JSON"
                finish(0)
                return sorted(batches, key=lambda batch: batch.name), sample.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _reused(self, documents: list[tables.Document], pages: list[tables.Document]) -> list[_Batch]:
        """Batches of earlier loads whose documents all stand unchanged."""
        waiting = {self._identity(document): document for document in [*documents, *pages]}
        mirrored = {document.index for document in pages}
        found: list[parts.Group] = []
        for group in self.parts.groups():
            if all(identity in waiting for identity in group.documents):
                found.append(group)
                for identity in group.documents:
                    del waiting[identity]
        small = [group for group in found if group.size < SMALL_BATCH_BYTES]
        if len(small) > SMALL_PARTS:
            found = [group for group in found if group.size >= SMALL_BATCH_BYTES]
        self.groups += found
        places = {self._identity(document): document for document in [*documents, *pages]}
        return [
            self._batch(
                [places[identity] for identity in group.documents], mirrored, number, key, len(group.parts)
            )
            for group in found
            for number, key in enumerate(group.parts)
        ]

    def _batch(
        self,
        documents: list[tables.Document],
        mirrored: set[int],
        number: int = 0,
        key: str | None = None,
        parts_in_all: int = 1,
    ) -> _Batch:
        first, is_mirror = documents[0].index, documents[0].index in mirrored
        is_streamed = parts_in_all > 1
        name = f"{first:06d}-{number:06d}" if is_streamed else f"{first:06d}"
        return _Batch(
            f"mirror-{name}" if is_mirror else name,
            key or self.parts.key([self._identity(document) for document in documents], number),
            documents,
            is_mirror,
            is_streamed,
            # What share of a streamed document a part is, is not known; progress moves with the first.
            0 if number else sum(document.size for document in documents),
        )

    def _batches(self, documents: list[tables.Document], pages: list[tables.Document]) -> Iterator[_Batch]:
        """Documents in groups of about `BATCH_BYTES`, large ones alone, mirror pages last."""
        mirrored = {document.index for document in pages}
        for group in (documents, pages):
            total = sum(document.size for document in group if document.size <= STREAMED_BYTES)
            wanted = max(-(-total // BATCH_BYTES), min(2, total // SMALL_BATCH_BYTES), 1)
            limit = -(-total // wanted)
            waiting: list[tables.Document] = []
            size = before = 0
            for document in group:
                if document.size > STREAMED_BYTES:
                    yield self._batch([document], mirrored)
                    continue
                # Where its middle falls decides, so that groups come out even.
                if waiting and (before + document.size / 2 > limit or size + document.size > 2 * BATCH_BYTES):
                    yield self._batch(waiting, mirrored)
                    before, size, waiting = before - limit, 0, []
                waiting.append(document)
                before, size = before + document.size, size + document.size
            if waiting:
                yield self._batch(waiting, mirrored)

    def _streamed(
        self, document: tables.Document, lenient: bool
    ) -> Iterator[tuple[_Batch, pyarrow.RecordBatch]]:
        reader = tables.Reader()
        try:
            stream = reader.stream(document, rows=STREAMED_RECORDS, lenient=lenient)
            for number, part in enumerate(stream):
                yield self._batch([document], set(), number, parts_in_all=2), part
        finally:
            reader.close()

    def _complete(self, batches: list[_Batch]) -> None:
        """The documents of these batches, all of them or all parts of one, are read: a later load may use them."""
        if not batches:
            return
        documents = batches[0].documents
        group = parts.Group(
            tuple(self._identity(document) for document in documents),
            tuple(batch.key for batch in batches),
            sum(document.size for document in documents),
        )
        self.parts.complete(group)
        self.groups.append(group)

    def _run(self, batch: _Batch, folder: Path, streamed: pyarrow.RecordBatch | None) -> None:
        """Read one batch, keep it as a part, and take its part of every table into the snapshot."""
        lost: dict[int, pl.DataFrame] = {}  # record whose own row breaks its schema → what it broke
        while True:
            reader = tables.Reader(folder / ".scratch")
            try:
                records = (
                    reader.take(streamed, batch.documents[0])
                    if streamed is not None
                    else _read(reader, batch)
                )
                ranked = self._ranked(records.filter(~pl.col("rec").is_in(list(lost))))
                records = records.with_columns(
                    is_best=pl.col("rec").is_in(_best(ranked)["rec"].implode()),
                    is_lost=pl.col("rec").is_in(list(lost)),
                )
                reader.drop(records.filter(~pl.col("is_best"))["rec"])
                frames = reader.tables()
            finally:
                reader.close()
            frames["studies"] = self._with_origin(frames["studies"], records, batch.is_mirror)
            frames = compose.composed(frames, self.overrides, self.readings)
            best = records.filter("is_best").select("rec", "nct_id")
            unread = compose.unread(frames)
            rejections: list[pl.DataFrame] = []
            studies = compose.accepted("studies", frames.pop("studies"), rejections)
            gone = best.join(studies, on="nct_id", how="anti")
            older = records.filter(~(pl.col("is_best") | pl.col("is_lost"))).join(
                gone, on="nct_id", how="semi"
            )
            for rec, nct_id in gone.iter_rows():
                lost[rec] = pl.concat(rejections).filter(pl.col("nct_id") == nct_id)
            if older.is_empty():
                break
            # An older version of such a study is at hand: it stands in.
            batch.unreadable.clear()
        if gone.height:  # a study whose own row was set aside takes its other rows along
            away = pl.col("nct_id").is_in(gone["nct_id"].implode())
            frames = {name: frame.filter(~away) for name, frame in frames.items()}
            unread = unread.filter(~away)
            records = records.with_columns(
                is_best=pl.col("is_best") & ~pl.col("rec").is_in(list(lost)),
                is_lost=pl.col("rec").is_in(list(lost)),
            )
        accepted = {"studies": studies} | {
            name: compose.accepted(name, frame, rejections) for name, frame in frames.items()
        }
        kept = records.filter("is_best").select("rec", "nct_id")
        counted = [
            pl.concat(rejections or [pl.DataFrame(schema=compose.REJECTIONS)]).join(
                kept, on="nct_id", how="inner", maintain_order="left"
            ),
            *(broken.with_columns(rec=pl.lit(rec, pl.Int64)) for rec, broken in lost.items()),
        ]
        places = {document.index: place for place, document in enumerate(batch.documents)}
        self.parts.save(
            batch.key,
            {name: frame for name, frame in accepted.items() if frame.height},
            records.with_columns(place=pl.col("doc").replace_strict(places, return_dtype=pl.Int64)).drop(
                "doc"
            ),
            {
                "rejections": pl.concat(counted).rows(),
                "unread": unread.rows(),
                "unreadable": [[places[doc], why] for doc, why in batch.unreadable.items()],
            },
        )
        self._take(batch, folder)

    def _take(self, batch: _Batch, folder: Path) -> None:
        """What is kept of a batch, into the snapshot."""
        self.parts.link(batch.key, lambda table: folder / table / _part(batch.name))
        index = pl.DataFrame(
            {"place": range(len(batch.documents)), "doc": [document.index for document in batch.documents]},
            schema={"place": pl.Int64, "doc": pl.Int64},
        )
        batch.records = (
            self.parts.records(batch.key)
            .join(index, on="place", how="left", maintain_order="left")
            .drop("place")
        )
        account = self.parts.account(batch.key)
        batch.rejections = pl.DataFrame(
            account["rejections"], schema=compose.REJECTIONS | {"rec": pl.Int64}, orient="row"
        )
        batch.unread = pl.DataFrame(account["unread"], schema=compose.UNREAD, orient="row")
        batch.unreadable = {batch.documents[place].index: why for place, why in account["unreadable"]}

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
            # Until the end: a study leaves the registry without its document being read again.
            .with_columns(is_current=pl.lit(True))
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
        self._settle_records(best)
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
        gone = best.filter(pl.col("nct_id").is_in(list(self.removed))).select("nct_id", "batch")
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            changed = pl.concat([losers.select("batch"), gone.select("batch")])["batch"].unique().sort()
            for done in [
                pool.submit(
                    _correct,
                    folder,
                    name,
                    losers.filter(pl.col("batch") == name)["nct_id"],
                    gone.filter(pl.col("batch") == name)["nct_id"],
                )
                for name in changed
            ]:
                done.result()
        if found:
            self._write(folder, "source_conflicts", pl.concat(found))
        self._settle_overrides(folder)

    def _settle_records(self, best: pl.DataFrame) -> None:
        """Of each record: does it stand (`is_kept`), or is it set aside (`is_rejected`)? The others are superseded.

        A version whose own row breaks the schema is set aside where it would have stood, and else superseded.
        """
        keys = ["nct_id", "batch", "rec"]
        place = {"place": pl.int_range(pl.len())}
        order = _ranked_first(
            self._ranked(self.records.filter(pl.col("is_best") | pl.col("is_lost")))
        ).with_columns(**place)
        standing = order.join(best, on=keys, how="semi").select("nct_id", standing="place")
        set_aside = (
            order.filter("is_lost")
            .join(standing, on="nct_id", how="left")
            .filter(pl.col("standing").is_null() | (pl.col("place") < pl.col("standing")))
        )
        self.records = (
            self.records.join(
                best.select(*keys, is_kept=pl.lit(True)), on=keys, how="left", maintain_order="left"
            )
            .join(
                set_aside.select(*keys, is_rejected=pl.lit(True)), on=keys, how="left", maintain_order="left"
            )
            .with_columns(pl.col("is_rejected") | pl.col("nct_id").is_null())
            .with_columns(pl.col("is_rejected", "is_kept").fill_null(False))
        )

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
        history = changes.history(self.landing, self.sources, read, superseded, self.parts.beside)
        feed = history.feed
        for table, frame in amendments.earlier(history, self.overrides, folder, self.readings).items():
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
            rejected=pl.col("is_rejected").sum().cast(pl.Int64),
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
        counted = self.records.filter(pl.col("is_kept") | pl.col("is_rejected")).select("rec", "batch")
        rejections = (
            pl.concat([batch.rejections.with_columns(batch=pl.lit(batch.name)) for batch in batches])
            .join(counted, on=["rec", "batch"], how="semi")
            .select(list(compose.REJECTIONS))
        )
        found = (
            pl.concat([rejections, *self.rejections])
            .group_by("table_name", "column_name", "rule")
            .agg(pl.col("rows").sum(), example_nct_id=pl.col("nct_id").min())
            .sort("table_name", "column_name", "rule")
        )
        self.rejected = dict(found.group_by("table_name").agg(pl.col("rows").sum()).iter_rows())
        self._write(folder, "rejections", found)

    def _write_drift(self, unknown: pl.DataFrame, batches: list[_Batch], folder: Path) -> None:
        gone = drift.gone_empty(self.base, folder)
        studies = self.records["is_kept"].sum() or 0
        unread = pl.concat([batch.unread.with_columns(batch=pl.lit(batch.name)) for batch in batches]).join(
            self.records.filter("is_kept").select("nct_id", "batch"), on=["nct_id", "batch"], how="semi"
        )
        paths = pl.DataFrame(
            [
                (table, column, schemas.record_paths(table)[column][0])
                for table, column in unread.select("table", "column").unique().iter_rows()
            ],
            schema=dict.fromkeys(("table", "column", "path"), pl.String),
            orient="row",
        )
        unread = (
            unread.rename({"nct_id": "example_nct_id"})
            .join(paths, on=["table", "column"])
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
    return _ranked_first(records).unique("nct_id", keep="first", maintain_order=True)


def _ranked_first(records: pl.DataFrame) -> pl.DataFrame:
    worst_first = ["is_mirror"] if "is_mirror" in records.columns else []
    return records.sort(
        [*worst_first, "last_update", "version", "received", "rec"],
        descending=[False] * len(worst_first) + [True] * 4,
        nulls_last=True,
        maintain_order=True,
    )


def _correct(folder: Path, name: str, superseded: pl.Series, gone: pl.Series) -> None:
    """The parts of a batch without the studies that stand better elsewhere, and with `is_current` as it is."""
    for table in schemas.TABLES:
        path = folder / table / _part(name)
        if not path.exists():
            continue
        frame = pl.read_parquet(path, memory_map=False)
        height = frame.height
        if superseded.len():
            frame = frame.filter(~pl.col("nct_id").is_in(superseded.implode()))
        if table == "studies" and gone.len():
            frame = frame.with_columns(is_current=~pl.col("nct_id").is_in(gone.implode()))
        elif frame.height == height:
            continue
        path.unlink()  # never in place: the file may be a part's too
        _write_part(folder, table, name, frame)


def _no_records() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "rec": pl.Int64,
            "nct_id": pl.String,
            "last_update": pl.String,
            "version": pl.String,
            "doc": pl.Int64,
            "is_best": pl.Boolean,
            "is_lost": pl.Boolean,
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
