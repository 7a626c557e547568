"""From cells and plans to canonical records: text, corrections, pseudonyms, values, rules, accepted or not.

Input is one cohort's sheets with their plans; nothing is read or written here. The raw text of every record
stays beside it until the query list is made, and no longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from pipeline import drugs
from pipeline.cohort import pseudonyms, schemas, texts, validation, values
from pipeline.cohort.corrections import Ledger
from pipeline.cohort.mapping import CohortMap, RecordPlan, Source
from pipeline.errors import CohortError
from pipeline.quality.accounting import split

ADDRESS = {"table": pl.String(), "record": pl.Int64(), "sheet_key": pl.Int64(), "source_row": pl.Int64()}
SET_ASIDE = {"sheet_key": pl.Int64(), "source_row": pl.Int64(), "column": pl.String(), "rule": pl.String()}


@dataclass(frozen=True)
class Part:
    """The text of one record plan: `record`, `source_row` and one column a field; private."""

    state: Any  # load.SheetState
    plan: RecordPlan
    text: pl.DataFrame

    @property
    def sheet_key(self) -> int:
        return self.state.key


@dataclass(frozen=True)
class Result:
    """What became of one cohort's records.

    `faults` has table, record, column, rule and level; `address` says where each record stands;
    `set_aside` holds rows that never became records, `withheld` the texts that are not published (private).
    """

    accepted: dict[str, pl.DataFrame]
    faults: pl.DataFrame
    address: pl.DataFrame
    set_aside: pl.DataFrame
    parts: tuple[Part, ...]
    crosswalk: pl.DataFrame
    withheld: pl.DataFrame
    withdrawn_rows: int = 0
    is_stopped: bool = False
    rejected_counts_by_sheet: dict[int, int] = field(default_factory=dict)

    def stop(self, states: Sequence[Any]) -> Result:
        """The same cohort with nothing accepted: rows that were sound are rejected as `cohort_stopped`."""
        rejected = self._rejected_keys()
        rows = (
            pl.concat([self.address.select("sheet_key", "source_row"), rejected])
            .unique(maintain_order=True)
            .join(rejected, on=["sheet_key", "source_row"], how="anti", maintain_order="left")
            .with_columns(
                column=pl.lit(None, dtype=pl.String), rule=pl.lit("cohort_stopped", dtype=pl.String)
            )
        )
        set_aside = pl.concat([self.set_aside, rows.select(list(SET_ASIDE))])
        stopped = replace(
            self,
            accepted={table: schemas.empty(table) for table in schemas.TABLES},
            set_aside=set_aside,
            withheld=self.withheld.clear(),
            is_stopped=True,
        )
        return replace(stopped, rejected_counts_by_sheet=stopped._count())

    @property
    def rejected_by_rule(self) -> pl.DataFrame:
        """`table`, `rule` of every rejected record and rule."""
        errors = self.faults.filter(pl.col("level") == "error").select("table", "record", "rule").unique()
        sheets = self.set_aside.select(pl.lit("deliveries").alias("table"), "rule")
        return pl.concat([errors.select("table", "rule"), sheets])

    def rejected_rows(self, states: Sequence[Any], cohort: str) -> pl.DataFrame:
        """`rejected_rows` of the lake: one row a rejected row, column and rule, without values."""
        errors = (
            self.faults.filter(pl.col("level") == "error")
            .join(self.address, on=["table", "record"], how="left")
            .select("sheet_key", "source_row", "table", "column", "rule")
        )
        aside = self.set_aside.with_columns(table=pl.lit(None, dtype=pl.String))
        rows = pl.concat([errors, aside.select(errors.columns)]).unique(
            subset=["sheet_key", "source_row", "column", "rule"], keep="first", maintain_order=True
        )
        kinds = rows.select("table", "column", "rule").unique()
        messages = [
            f"expected {validation.expected(rule, table, column)}"
            for table, column, rule in kinds.iter_rows()
        ]
        kinds = kinds.with_columns(message=pl.Series(messages, dtype=pl.String))
        sheets = pl.DataFrame(
            [(state.key, state.delivery.delivery_id, state.label) for state in states],
            schema={"sheet_key": pl.Int64, "delivery_id": pl.String, "sheet": pl.String},
            orient="row",
        )
        return (
            rows.join(kinds, on=["table", "column", "rule"], how="left", nulls_equal=True)
            .join(sheets, on="sheet_key", how="left")
            .sort("sheet_key", "source_row", "column", "rule")
            .select(
                pl.lit(cohort).alias("cohort"),
                "delivery_id",
                "sheet",
                pl.col("source_row").alias("row_number"),
                pl.col("column").alias("column_name"),
                "rule",
                "message",
            )
        )

    def _rejected_keys(self) -> pl.DataFrame:
        keys = ["sheet_key", "source_row"]
        errors = self.faults.filter(pl.col("level") == "error").join(
            self.address, on=["table", "record"], how="inner"
        )
        return pl.concat([errors.select(keys), self.set_aside.select(keys)]).unique()

    def _count(self) -> dict[int, int]:
        return dict(self._rejected_keys().group_by("sheet_key").len().iter_rows())


def build(
    *,
    cohort: str,
    states: Sequence[Any],
    cohort_map: CohortMap,
    ledger: Ledger,
    key: pseudonyms.Key,
    withdrawn: frozenset[str] = frozenset(),
    is_invented: bool = False,
) -> Result:
    """Records of one cohort from its sheets (`load.SheetState`); fills in each state's `record_rows`.

    Rows of unmapped and drifted sheets are set aside whole. Raises nothing on bad data.
    """
    faults: list[pl.DataFrame] = [validation.no_faults()]
    lacking: dict[str, list[pl.DataFrame]] = {table: [] for table in schemas.TABLES}
    aside: list[pl.DataFrame] = [pl.DataFrame(schema=SET_ASIDE)]
    parts: list[Part] = []
    corrected: list[pl.DataFrame] = []
    for state in states:
        if state.plan.status in ("unmapped", "drift"):
            rule = "unmapped_sheet" if state.plan.status == "unmapped" else "column_drift"
            column = f"column {state.plan.unread}" if state.plan.unread else None
            aside.append(_aside(state.key, state.data_rows, column, rule))
            continue
        is_data = state.sheet.cells["row"].is_in(state.data_rows.implode())
        body, kinds = state.sheet.cells.filter(is_data), state.sheet.kinds.filter(is_data)
        rows_seen: list[pl.Series] = []
        for plan in state.plan.records:
            text = _text(body, kinds, plan)
            rows_seen.append(text["source_row"])
            text, changed = ledger.apply(
                text,
                plan,
                file=state.delivery.name,
                sheet=state.sheet.name,
                number=state.sheet.number,
            )
            parts.append(Part(state, plan, _retyped(text, changed) if changed.height else text))
            corrected.append(changed)
        if rows_seen:
            state.record_rows = pl.concat(rows_seen).n_unique()
    parts, crosswalk = _pseudonymised(parts, cohort, key)
    counts = dict.fromkeys(schemas.TABLES, 0)
    withdrawn_rows = 0
    for number, part in enumerate(parts):
        table, text = part.plan.table, part.text
        if withdrawn:
            is_gone = text["patient_id"].is_in(list(withdrawn)).fill_null(False)
            gone = text.filter(is_gone)
            withdrawn_rows += gone.height
            aside.append(_aside(part.state.key, gone["source_row"], "patient_id", "withdrawn_patient"))
            text = text.filter(~is_gone)
        first = counts[table]
        counts[table] += text.height
        record = pl.int_range(first, counts[table], dtype=pl.Int64, eager=True).alias("record")
        text = text.with_columns(record)
        parts[number] = replace(part, text=text)
        if corrected[number].height:
            changed = text.join(corrected[number], on="source_row", how="inner")
            faults.append(_as_faults(table, changed, "corrected"))
        for name in part.plan.not_delivered:
            if name not in part.plan.sources:
                lacking[table].append(text.select("record", pl.lit(name).alias("column")))
    frames, found = _frames(parts, cohort, is_invented=is_invented)
    publishing = texts.resolve(frames, parts, cohort_map, key, cohort)
    faults += [*found, *publishing.faults]
    has_patients = any(
        record.table == "patients"
        for state in states
        if state.plan.status == "mapped"
        for record in state.plan.records
    )
    accepted, graded = _judge(frames, pl.concat(faults), lacking, cohort_map, has_patients=has_patients)
    accepted["patients"] = _with_incomplete_tables(accepted["patients"], frames, graded)
    withheld = publishing.register(accepted)
    accepted = {table: publishing.apply(table, frame) for table, frame in accepted.items()}
    if cohort_map.date_shift:
        accepted = {table: pseudonyms.shift_dates(frame, key, cohort) for table, frame in accepted.items()}
    present = pl.concat([frame.select("patient_id") for frame in frames.values()]).unique()
    result = Result(
        accepted={
            table: frame.select(
                pl.col(name).cast(dtype) for name, dtype in schemas.lake_columns(table).items()
            )
            for table, frame in accepted.items()
        },
        faults=graded,
        address=pl.concat(
            [
                frame.select(pl.lit(table).alias("table"), "record", "sheet_key", "source_row").cast(ADDRESS)
                for table, frame in frames.items()
            ]
        ),
        set_aside=pl.concat(aside),
        parts=tuple(parts),
        crosswalk=crosswalk.join(present, on="patient_id", how="semi"),
        withheld=withheld,
        withdrawn_rows=withdrawn_rows,
    )
    return replace(result, rejected_counts_by_sheet=result._count())


def _aside(sheet_key: int, rows: pl.Series, column: str | None, rule: str) -> pl.DataFrame:
    return pl.DataFrame({"source_row": rows}).select(
        pl.lit(sheet_key, dtype=pl.Int64).alias("sheet_key"),
        pl.col("source_row").cast(pl.Int64),
        pl.lit(column, dtype=pl.String).alias("column"),
        pl.lit(rule, dtype=pl.String).alias("rule"),
    )


def _text(body: pl.DataFrame, kinds: pl.DataFrame, plan: RecordPlan) -> pl.DataFrame:
    """`source_row`, the text of each field, and `_kind_<field>`: what kind of cell it was."""
    picked: list[pl.Expr | pl.Series] = [pl.col("row").cast(pl.Int64).alias("source_row")]
    for name, source in plan.sources.items():
        if source.column is None:
            picked.append(pl.lit(source.constant, dtype=pl.String).alias(name))
        elif name == "patient_id":
            picked.append(values.cleaned(pl.col(f"c{source.column}"), source.missing).alias(name))
        else:
            picked.append(pl.col(f"c{source.column}").alias(name))
            picked.append(kinds[f"c{source.column}"].cast(pl.String).alias(f"_kind_{name}"))
    text = body.select(picked)
    if plan.only_if_any:
        # A cell that says "not known" holds no visit either.
        tests = [values.cleaned(pl.col(n), plan.sources[n].missing).is_not_null() for n in plan.only_if_any]
        text = text.filter(pl.any_horizontal(tests))
    return text


def _retyped(text: pl.DataFrame, corrected: pl.DataFrame) -> pl.DataFrame:
    """A corrected cell is typed text, whatever the spreadsheet held there."""
    changes = []
    for (column,), rows in corrected.partition_by("column", as_dict=True).items():
        if f"_kind_{column}" in text.columns:
            is_new = pl.col("source_row").is_in(rows["source_row"].implode())
            changes.append(pl.when(~is_new).then(pl.col(f"_kind_{column}")).alias(f"_kind_{column}"))
    return text.with_columns(changes)


def _pseudonymised(parts: list[Part], cohort: str, key: pseudonyms.Key) -> tuple[list[Part], pl.DataFrame]:
    """Patient ids replaced by pseudonyms (what was written stays as `_original`), and the crosswalk."""
    if not parts:
        return [], pl.DataFrame(schema={"patient_id": pl.String, "original_id": pl.String})
    written = pl.concat([part.text["patient_id"] for part in parts])
    prefixes = pl.concat(
        [
            pl.repeat(part.plan.sources["patient_id"].prefix, part.text.height, dtype=pl.String, eager=True)
            for part in parts
        ]
    )
    # The prefix belongs to the number, so the number is put in its normal form before.
    ids = pl.DataFrame({"written": prefixes + pseudonyms.normalise(written)})
    walk = key.pseudonyms(cohort, ids["written"])
    replaced = ids.join(walk, on="written", how="left", maintain_order="left")["patient_id"]
    result, start = [], 0
    for part in parts:
        height = part.text.height
        own = replaced.slice(start, height)
        text = part.text.with_columns(part.text["patient_id"].alias("_original"), own)
        result.append(replace(part, text=text))
        start += height
    return result, walk.select("patient_id", "original_id").unique(maintain_order=True)


@dataclass
class _Column:
    """Cells of one field from several parts that are read alike."""

    spec: schemas.Field
    options: values.Options
    places: list[tuple[int, str]] = field(default_factory=list)  # part, field
    texts: list[pl.Series] = field(default_factory=list)
    kinds: list[pl.Series] = field(default_factory=list)


# Fields whose cells may hold more than their number, and the columns that it belongs to where those are blank.
# A `<` before a concentration says that it lies below the limit of quantification.
_BESIDE: dict[tuple[str, str], tuple[str, ...]] = {
    ("laboratory", "value"): ("comparator", "unit"),
    ("treatments", "dose"): ("dose_unit",),
    ("pk_samples", "concentration"): ("comparator", "unit"),
}


def _frames(
    parts: list[Part], cohort: str, *, is_invented: bool
) -> tuple[dict[str, pl.DataFrame], list[pl.DataFrame]]:
    """Typed frames of all tables (lake columns, `record`, `sheet_key`) and the faults of reading.

    Cells that are read alike are read together: one pass over all dates of a thousand files costs little
    more than over those of one.
    """
    groups: dict[tuple, _Column] = {}
    for number, part in enumerate(parts):
        for spec in schemas.TABLES[part.plan.table]:
            if spec.kind == "id" or spec.name not in part.text.columns:
                continue
            options = _options(part, spec)
            is_date = spec.kind == "date"
            alike = (
                # An end may be "ongoing", no other date may.
                (spec.kind, spec.name == "end_date") if is_date else (part.plan.table, spec.name),
                options.today, options.date_order, options.decimal, tuple(options.codes.items()),
                tuple(options.missing), options.is_1904,
            )  # fmt: skip
            group = groups.setdefault(alike, _Column(spec, options))
            group.places.append((number, spec.name))
            group.texts.append(part.text[spec.name].alias("text"))
            kind = f"_kind_{spec.name}"
            blank = pl.repeat(None, part.text.height, dtype=pl.String, eager=True)
            group.kinds.append((part.text[kind] if kind in part.text.columns else blank).alias("kind"))
    read: list[dict[str, pl.Series]] = [{} for _ in parts]
    faults: list[pl.DataFrame] = []
    for group in groups.values():
        found = values.convert(pl.concat(group.texts), group.spec, group.options, pl.concat(group.kinds))
        start = 0
        for number, name in group.places:
            part = parts[number]
            height = part.text.height
            for column in found.columns:
                own = name + column.name.removeprefix(group.spec.name)
                read[number][own] = column.slice(start, height).alias(own)
            # `<0.1` and `5 mg/l` in one cell: what stands around the number has columns of its own.
            for own in _BESIDE.get((part.plan.table, name), ()):
                beside = found.comparator if own == "comparator" else found.unit
                if beside is not None:
                    read[number][f"_{own}"] = beside.slice(start, height).alias(f"_{own}")
            for rules in found.faults:
                if rules.null_count() < rules.len():
                    broken = pl.DataFrame({"record": part.text["record"], "rule": rules.slice(start, height)})
                    faults.append(_as_faults(part.plan.table, broken.drop_nulls("rule"), None, name))
            start += height
    tables: dict[str, list[pl.DataFrame]] = {table: [] for table in schemas.TABLES}
    for number, part in enumerate(parts):
        own = [part.text[name] for name in ("record", "source_row", "patient_id")]
        sheet = pl.repeat(part.state.key, part.text.height, dtype=pl.Int64, eager=True).alias("sheet_key")
        tables[part.plan.table].append(pl.DataFrame([*own, sheet, *read[number].values()]))
    lineage = pl.DataFrame(
        [
            (state.key, state.delivery.delivery_id, state.delivery.sha256, state.label)
            for state in {part.state.key: part.state for part in parts}.values()
        ],
        schema={"sheet_key": pl.Int64, "source_file": pl.String, "file_sha256": pl.String, "source_sheet": pl.String},
        orient="row",
    )  # fmt: skip
    frames = {}
    for table, found in tables.items():
        columns = {**schemas.lake_columns(table), "record": pl.Int64(), "sheet_key": pl.Int64()}
        if not found:
            frames[table] = pl.DataFrame(schema=columns)
            continue
        frame = pl.concat(found, how="diagonal_relaxed").join(
            lineage, on="sheet_key", how="left", maintain_order="left"
        )
        frame, more = _completed(table, frame, columns)
        faults += more
        frames[table] = frame.with_columns(
            pl.lit(cohort).alias("cohort"), pl.lit(is_invented).alias("is_invented")
        ).select(pl.col(name).cast(dtype) for name, dtype in columns.items())
    return frames, faults


def _completed(
    table: str, frame: pl.DataFrame, columns: dict[str, pl.DataType]
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Columns that were not delivered as nulls, and those that follow from others."""
    faults: list[pl.DataFrame] = []
    frame = frame.with_columns(
        pl.lit(None, dtype=dtype).alias(name) for name, dtype in columns.items() if name not in frame.columns
    )
    beside = [n for own in _BESIDE.values() for n in own if n in columns and f"_{n}" in frame.columns]
    frame = frame.with_columns(pl.col(name).fill_null(pl.col(f"_{name}")) for name in dict.fromkeys(beside))
    if table == "pk_samples" and "_comparator" in frame.columns:
        is_low = pl.col("_comparator").is_in(["<", "<="]).fill_null(False)
        limit = pl.when(is_low & (pl.col("concentration") > 0)).then("concentration")
        frame = frame.with_columns(
            pl.when(is_low).then(True).otherwise("is_below_quantification").alias("is_below_quantification"),
            pl.col("lower_limit").fill_null(limit),
        )
    if "drug_inn" in columns:
        matched = drugs.match(frame["drug"]).select(pl.col("name").alias("drug"), "inn", "match")
        frame = frame.join(matched, on="drug", how="left", maintain_order="left").with_columns(
            pl.col("inn").alias("drug_inn")
        )
        for kind, rule in (("none", "unknown_drug"), ("fuzzy", "drug_name_fuzzy")):
            faults.append(_as_faults(table, frame.filter(pl.col("match") == kind), rule, "drug"))
    return frame, faults


def _as_faults(table: str, rows: pl.DataFrame, rule: str | None, column: str | None = None) -> pl.DataFrame:
    """Faults of `rows` (`record`, and `rule` and `column` where they are not given)."""
    return rows.select(
        pl.lit(table).alias("table"),
        pl.col("record").cast(pl.Int64),
        pl.col("column") if column is None else pl.lit(column).alias("column"),
        pl.col("rule") if rule is None else pl.lit(rule).alias("rule"),
    )


def _options(part: Part, spec: schemas.Field) -> values.Options:
    source: Source = part.plan.sources[spec.name]
    return values.Options(
        # A date after the day of delivery is a slip; the clock of this machine is not asked.
        today=part.state.delivery.received_at.date(),
        date_order=source.date_order,
        decimal=source.decimal or part.state.book.decimal,
        codes=dict(source.codes),
        missing=source.missing,
        is_1904=part.state.book.is_1904,
        keeps_comparator="comparator" in _BESIDE.get((part.plan.table, spec.name), ()),
    )


def _judge(
    frames: dict[str, pl.DataFrame],
    reading: pl.DataFrame,
    lacking: dict[str, list[pl.DataFrame]],
    cohort_map: CohortMap,
    *,
    has_patients: bool,
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Accepted frames and graded faults (table, record, column, rule, level)."""
    levels = {rule: validation.level(rule, cohort_map.rules) for rule in validation.RULES}
    own = cohort_map.thresholds
    thresholds = validation.Thresholds(own.edss_jump_points, own.treatment_overlap_days)
    found: dict[str, list[pl.DataFrame]] = {}
    for table, frame in frames.items():
        first = reading.filter(pl.col("table") == table)
        if frame.height:
            absent = pl.concat(lacking[table]) if lacking[table] else None
            single = validation.check_table(table, frame, absent)
            # A cell that could not be read is one fault, not also an empty one.
            unread = first.filter(~pl.col("rule").is_in(["corrected", *validation.KEPT]))
            single = single.join(unread, on=["record", "column"], how="anti")
            first = pl.concat([first, single])
            sound = frame
            if table != "patients":
                sound = frame.join(_errors(first, levels), on="record", how="anti", maintain_order="left")
            ends = validation.check_ends(table, frame)
            first = pl.concat([first, ends, validation.check_rows(table, sound, thresholds)])
        found[table] = [first]
    accepted_patients, _ = split(frames["patients"], pl.concat(found["patients"]), levels)
    across = validation.check_patients(frames, accepted_patients, has_patients=has_patients)
    exclusive = drugs.drugs().filter(pl.col("is_dmt"))["inn"].to_list()
    treatments = frames["treatments"]
    overlaps = validation.check_overlaps(treatments, exclusive, thresholds.treatment_overlap_days)
    accepted: dict[str, pl.DataFrame] = {}
    every: list[pl.DataFrame] = []
    for table, frame in frames.items():
        of_table = pl.concat(
            [
                *found[table],
                across.filter(pl.col("table") == table),
                overlaps.filter(pl.col("table") == table),
            ]
        )
        every.append(of_table)
        accepted[table], _ = split(frame, of_table, levels)
        _assert_sound(table, accepted[table], lacking[table], levels)
    if not has_patients:
        accepted["patients"] = validation.derive_patients(accepted)
    graded = (
        pl.concat(every)
        .unique(maintain_order=True)
        .with_columns(level=pl.col("rule").replace_strict(levels, default="error", return_dtype=pl.String))
        .filter(pl.col("level") != "off")
    )
    return accepted, graded


def _with_incomplete_tables(
    patients: pl.DataFrame, frames: dict[str, pl.DataFrame], faults: pl.DataFrame
) -> pl.DataFrame:
    """`patients` with the tables of which a row of theirs was rejected: that row may be what is looked for.

    A row that repeats another takes nothing away.
    """
    errors = faults.filter(pl.col("level") == "error", pl.col("rule") != "duplicate_row")
    keys = [
        frame.select("patient_id", "record", pl.lit(table).alias("table"))
        for table, frame in frames.items()
        if table != "patients"
    ]
    lost = (
        pl.concat(keys)
        .join(errors.select("table", "record"), on=["table", "record"], how="semi")
        .select("patient_id", "table")
        .unique()
        .sort("patient_id", "table")
        .group_by("patient_id", maintain_order=True)
        .agg(pl.col("table").str.join(",").alias("incomplete_tables"))
    )
    return patients.drop("incomplete_tables").join(lost, on="patient_id", how="left", maintain_order="left")


def _assert_sound(
    table: str, accepted: pl.DataFrame, lacking: list[pl.DataFrame], levels: dict[str, str]
) -> None:
    """The last gate before the lake: what was accepted passes the schema, whatever happened on the way."""
    if not accepted.height:
        return
    left = validation.check_table(table, accepted, pl.concat(lacking) if lacking else None)
    broken = left.join(accepted.select("record"), on="record", how="semi")
    if _errors(broken, levels).height:
        raise CohortError(
            f"internal: records of {table} that break their schema were about to be accepted. "
            "Please report this with the version of Remit."
        )


def _errors(faults: pl.DataFrame, levels: dict[str, str]) -> pl.DataFrame:
    hard = [rule for rule, level in levels.items() if level == "error"]
    return faults.filter(pl.col("rule").is_in(hard)).select("record").unique()
