"""From cells and plans to canonical records: text, corrections, pseudonyms, values, rules, accepted or not.

Input is one cohort's sheets with their plans; nothing is read or written here. The raw text of every record
stays beside it until the query list is made, and no longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import polars as pl

from pipeline import drugs
from pipeline.cohort import pseudonyms, schemas, validation, values
from pipeline.cohort.corrections import Ledger
from pipeline.cohort.mapping import CohortMap, RecordPlan, Source
from pipeline.quality.accounting import split

ADDRESS = {"table": pl.String(), "record": pl.Int64(), "sheet_key": pl.Int64(), "source_row": pl.Int64()}
SET_ASIDE = {"sheet_key": pl.Int64(), "source_row": pl.Int64(), "column": pl.String(), "rule": pl.String()}


@dataclass(frozen=True)
class Part:
    """The text of one record plan: `record`, `source_row` and one column a field; private."""

    sheet_key: int
    plan: RecordPlan
    text: pl.DataFrame


@dataclass(frozen=True)
class Result:
    """What became of one cohort's records.

    `faults` has table, record, column, rule and level; `address` says where each record stands;
    `set_aside` holds rows that never became records.
    """

    accepted: dict[str, pl.DataFrame]
    faults: pl.DataFrame
    address: pl.DataFrame
    set_aside: pl.DataFrame
    parts: tuple[Part, ...]
    crosswalk: pl.DataFrame
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
        set_aside = pl.concat([self.set_aside, rows.select(SET_ASIDE)])
        stopped = replace(
            self,
            accepted={table: schemas.empty(table) for table in schemas.TABLES},
            set_aside=set_aside,
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
            f"expected {validation.expected(rule, table, column)}" for table, column, rule in kinds.iter_rows()
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
    typed: dict[str, list[pl.DataFrame]] = {table: [] for table in schemas.TABLES}
    faults: list[pl.DataFrame] = [validation.no_faults()]
    lacking: dict[str, list[pl.DataFrame]] = {table: [] for table in schemas.TABLES}
    aside: list[pl.DataFrame] = [pl.DataFrame(schema=SET_ASIDE)]
    parts: list[Part] = []
    walks: list[pl.DataFrame] = []
    counts = dict.fromkeys(schemas.TABLES, 0)
    withdrawn_rows = 0
    for state in states:
        if state.plan.status in ("unmapped", "drift"):
            rule = "unmapped_sheet" if state.plan.status == "unmapped" else "column_drift"
            aside.append(_aside(state.key, state.data_rows, None, rule))
            continue
        body = state.sheet.cells.filter(pl.col("row").is_in(state.data_rows.implode()))
        rows_seen: list[pl.Series] = []
        for plan in state.plan.records:
            text = _text(body, plan)
            rows_seen.append(text["source_row"])
            text, corrected = ledger.apply(
                text,
                plan,
                file=state.delivery.name,
                sheet=state.sheet.name,
                number=state.sheet.number,
            )
            text, walk = _pseudonymise(text, plan, cohort, key)
            walks.append(walk)
            if withdrawn:
                is_gone = text["patient_id"].is_in(list(withdrawn)).fill_null(False)
                gone = text.filter(is_gone)
                withdrawn_rows += gone.height
                aside.append(_aside(state.key, gone["source_row"], "patient_id", "withdrawn_patient"))
                text = text.filter(~is_gone)
            start = counts[plan.table]
            text = text.with_columns(
                record=pl.int_range(start, start + text.height, dtype=pl.Int64, eager=True)
            )
            counts[plan.table] += text.height
            frame, found = _typed(text, plan, state.delivery.received_at.date())
            faults.append(found)
            if corrected.height:
                faults.append(
                    text.join(corrected, on="source_row", how="inner").select(
                        pl.lit(plan.table).alias("table"),
                        "record",
                        "column",
                        pl.lit("corrected").alias("rule"),
                    )
                )
            for name in plan.not_delivered:
                if name not in plan.sources:
                    lacking[plan.table].append(text.select("record", pl.lit(name).alias("column")))
            typed[plan.table].append(
                frame.with_columns(
                    pl.lit(cohort).alias("cohort"),
                    pl.lit(state.delivery.delivery_id).alias("source_file"),
                    pl.lit(state.delivery.sha256).alias("file_sha256"),
                    pl.lit(state.label).alias("source_sheet"),
                    pl.lit(None, dtype=pl.String).alias("warnings"),
                    pl.lit(is_invented).alias("is_invented"),
                    pl.lit(state.key, dtype=pl.Int64).alias("sheet_key"),
                )
            )
            parts.append(Part(state.key, plan, text))
        if rows_seen:
            state.record_rows = pl.concat(rows_seen).n_unique()
    frames = {table: _table(table, typed[table]) for table in schemas.TABLES}
    has_patients = any(
        record.table == "patients"
        for state in states
        if state.plan.status == "mapped"
        for record in state.plan.records
    )
    accepted, graded = _judge(frames, pl.concat(faults), lacking, cohort_map, has_patients=has_patients)
    if cohort_map.date_shift:
        accepted = {table: _shift(table, frame, cohort, key) for table, frame in accepted.items()}
    crosswalk = pl.concat(walks).unique(maintain_order=True) if walks else _no_walk()
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
        crosswalk=crosswalk.join(present, left_on="pseudonym", right_on="patient_id", how="semi"),
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


def _text(body: pl.DataFrame, plan: RecordPlan) -> pl.DataFrame:
    """`source_row` and the trimmed text of each field; cells that mean 'not known' are null."""
    picked: list[pl.Expr] = [pl.col("row").cast(pl.Int64).alias("source_row")]
    for name, source in plan.sources.items():
        if source.column is None:
            picked.append(pl.lit(source.constant, dtype=pl.String).alias(name))
        else:
            picked.append(values.cleaned(pl.col(f"c{source.column}"), source.missing).alias(name))
    text = body.select(picked)
    if plan.only_if_any:
        text = text.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in plan.only_if_any))
    return text


def _no_walk() -> pl.DataFrame:
    return pl.DataFrame(schema={"pseudonym": pl.String, "original_id": pl.String})


def _pseudonymise(
    text: pl.DataFrame, plan: RecordPlan, cohort: str, key: pseudonyms.Key
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Patient ids replaced by pseudonyms (the original stays as `_original`), and the crosswalk."""
    source = plan.sources["patient_id"]
    ids = pseudonyms.normalise(text["patient_id"])
    if source.prefix:
        ids = pl.select(pl.when(ids.is_not_null()).then(pl.lit(source.prefix) + ids))[ids.name or "literal"]
    distinct = ids.drop_nulls().unique(maintain_order=True)
    walk = pl.DataFrame({"pseudonym": key.pseudonyms(cohort, distinct), "original_id": distinct})
    replaced = (
        pl.DataFrame({"original_id": ids})
        .join(walk, on="original_id", how="left", maintain_order="left")["pseudonym"]
        .alias("patient_id")
    )
    return text.with_columns(text["patient_id"].alias("_original"), replaced), walk


def _typed(text: pl.DataFrame, plan: RecordPlan, today: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lake value columns of a part, with `record`, `source_row`, and the faults of reading its text."""
    columns: list[pl.Series] = [text["record"], text["source_row"], text["patient_id"]]
    faults: list[pl.DataFrame] = []
    for spec in schemas.TABLES[plan.table]:
        if spec.kind == "id":
            continue
        given = text[spec.name] if spec.name in text.columns else None
        if given is None:
            given = pl.Series(spec.name, [None] * text.height, dtype=pl.String)
        found = values.convert(given, spec, _options(plan.sources.get(spec.name), today))
        for fault in found.faults:
            faults.append(
                text["record"]
                .to_frame()
                .with_columns(rule=fault)
                .filter(pl.col("rule").is_not_null())
                .select(
                    pl.lit(plan.table).alias("table"), "record", pl.lit(spec.name).alias("column"), "rule"
                )
            )
        columns += found.columns
    frame = pl.DataFrame(columns)
    if "drug_inn" in schemas.lake_columns(plan.table):
        matched = drugs.match(frame["drug"])
        frame = frame.join(
            matched.select(pl.col("name").alias("drug"), pl.col("inn").alias("drug_inn"), "match"),
            on="drug",
            how="left",
            maintain_order="left",
        )
        for kind, rule in (("none", "unknown_drug"), ("fuzzy", "drug_name_fuzzy")):
            faults.append(
                frame.filter(pl.col("match") == kind).select(
                    pl.lit(plan.table).alias("table"),
                    "record",
                    pl.lit("drug").alias("column"),
                    pl.lit(rule).alias("rule"),
                )
            )
        frame = frame.drop("match")
    found = pl.concat([f.select(validation.FAULTS).cast(validation.FAULTS) for f in faults]) if faults else validation.no_faults()
    return frame, found


def _options(source: Source | None, today: date) -> values.Options:
    if source is None:
        return values.Options(today=today)
    return values.Options(
        today=today, date_order=source.date_order, decimal=source.decimal, codes=dict(source.codes)
    )


def _table(table: str, typed: list[pl.DataFrame]) -> pl.DataFrame:
    columns = {
        **schemas.lake_columns(table),
        "record": pl.Int64(),
        "sheet_key": pl.Int64(),
    }
    if not typed:
        return pl.DataFrame(schema=columns)
    return pl.concat([frame.select(pl.col(n).cast(t) for n, t in columns.items()) for frame in typed])


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
            single = single.join(first, on=["record", "column"], how="anti")
            first = pl.concat([first, single])
            sound = frame
            if table != "patients":
                sound = frame.join(_errors(first, levels), on="record", how="anti", maintain_order="left")
            first = pl.concat([first, validation.check_rows(table, sound, thresholds)])
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
            [*found[table], across.filter(pl.col("table") == table), overlaps.filter(pl.col("table") == table)]
        )
        every.append(of_table)
        accepted[table], _ = split(frame, of_table, levels)
    if not has_patients:
        accepted["patients"] = validation.derive_patients(accepted)
    graded = (
        pl.concat(every)
        .unique(maintain_order=True)
        .with_columns(
            level=pl.col("rule").replace_strict(levels, default="error", return_dtype=pl.String)
        )
        .filter(pl.col("level") != "off")
    )
    return accepted, graded


def _errors(faults: pl.DataFrame, levels: dict[str, str]) -> pl.DataFrame:
    hard = [rule for rule, level in levels.items() if level == "error"]
    return faults.filter(pl.col("rule").is_in(hard)).select("record").unique()


def _shift(table: str, frame: pl.DataFrame, cohort: str, key: pseudonyms.Key) -> pl.DataFrame:
    """All dates of a patient moved by that patient's secret number of days; texts follow the dates."""
    if not frame.height:
        return frame
    ids = frame["patient_id"].unique()
    days = pl.DataFrame({"patient_id": ids, "_days": key.date_shifts(cohort, ids)})
    shifted = frame.join(days, on="patient_id", how="left", maintain_order="left")
    by = pl.duration(days=pl.col("_days"))
    changes: list[pl.Expr] = []
    for spec in schemas.TABLES[table]:
        if spec.kind == "date":
            for end in ("earliest", "latest"):
                changes.append((pl.col(f"{spec.name}_{end}") + by).cast(pl.Date).alias(f"{spec.name}_{end}"))
            text = (pl.col(f"{spec.name}_earliest") + by).cast(pl.Date).dt.to_string("%Y-%m-%d")
            changes.append(
                pl.when(pl.col(f"{spec.name}_text").is_not_null()).then(text).alias(f"{spec.name}_text")
            )
        elif spec.kind == "timestamp":
            changes.append((pl.col(spec.name) + by).alias(spec.name))
    return shifted.with_columns(changes).drop("_days")
