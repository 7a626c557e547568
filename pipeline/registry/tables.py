"""Study documents to typed tables, in an in-memory DuckDB that reads the landed bytes with a declared structure.

Input is landed documents, output one frame per lake table of schemas.py. SQL unnests, polars joins; no
Python per study. No network, no choice between sources and no writing here: that is load.py.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pyarrow
import zstandard

from pipeline.registry import schemas, structure
from pipeline.registry.schemas import REFERENCE, Column, Source, Table

# Enrolment that the registry shows where nobody said a number (issue: 99999999 is a placeholder).
PLACEHOLDERS = ("99999999", "9999999")

# A class of a posted measure that names a time (`Month 12`, `Baseline`) rather than a subgroup.
_TIME_POINT = (
    r"(?i)\b(baseline|screening|pre-?dose|post-?dose|end of (treatment|study)|enrol?lment|"
    r"(day|week|month|year|hour|minute|visit|cycle|period)s?\s*-?\s*\d+|\d+(\.\d+)?[\s-]*(day|week|month|year|hour|minute|hr|min|h|wk|mo)s?)\b"
)

# A number as sponsors post it: thousands commas, a comparator before it, a percent sign after it.
_NUMBER = r"[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?"
_COMPARATOR = "<=|>=|<|>|≤|≥|=|~"

# Each argument stands once where that can be: a macro is text, and columns lie deep in the structure. Nine of ten
# counts are plain digits: those cost no regular expression.
_MACROS = rf"""
create macro posted(x) as nullif(x, '');
create macro plain(x) as case when contains(x, '\')
    then regexp_replace(x, '\\([!-/:-@\[-`{{-~])', '\1', 'g') else nullif(x, '') end;
create macro number(x) as
    try_cast(replace(regexp_extract(x, '^\s*(?:{_COMPARATOR})?\s*({_NUMBER})\s*%?\s*$', 1), ',', '') as double);
create macro comparator(x) as nullif(replace(replace(
    regexp_extract(x, '^\s*({_COMPARATOR})\s*{_NUMBER}\s*%?\s*$', 1), '≤', '<='), '≥', '>='), '');
create macro whole(x) as case when length(x) < 16 and ltrim(x, '0123456789') = '' then try_cast(x as bigint) else
    try_cast(replace(regexp_extract(x, '^\s*([+-]?(?:\d{{1,15}}|\d{{1,3}}(?:,\d{{3}})+))(?:\.0*)?\s*$', 1), ',', '') as bigint) end;
create macro truth(x) as try_cast(x as boolean);
create macro first_day(x) as try_cast(left(x || '-01-01', 10) as date);
create macro day_of(x) as try_cast(left(x, 10) as date);
create macro last_possible_day(x) as case length(x) when 4 then try_cast(x || '-12-31' as date)
    when 7 then last_day(first_day(x)) else first_day(x) end;
create macro date_precision(x) as case when first_day(x) is not null
    then case length(x) when 4 then 'year' when 7 then 'month' else 'day' end end;
create macro age_in_years(x) as try_cast(regexp_extract(x, '^\s*(\d+(?:\.\d+)?)\s*[A-Za-z]+\s*$', 1) as double)
    * map {{'year': 1.0, 'month': 1 / 12.0, 'week': 7 / 365.25, 'day': 1 / 365.25, 'hour': 1 / 8766.0, 'minute': 1 / 525960.0}}[
        rtrim(lower(regexp_extract(x, '([A-Za-z]+)\s*$', 1)), 's')];
"""

_CASTS: dict[str, str] = {
    "text": "posted({0})",
    "prose": "plain({0})",
    "code": "posted({0})",
    "integer": "whole({0})",
    "number": "number({0})",
    "boolean": "truth({0})",
    "day": "day_of({0})",
    "age": "age_in_years({0})",
    "list": "{0}",
}

# Columns whose rule is more than the cast of their kind; {0} is the value at the column's path.
_RULES: dict[str, str] = {
    "phase": "nullif(array_to_string({0}, '/'), '')",
    "enrollment_count": "case when {0} not in ('" + "', '".join(PLACEHOLDERS) + "') then whole({0}) end",
    "is_enrollment_placeholder": "coalesce({0} in ('" + "', '".join(PLACEHOLDERS) + "'), false)",
    "has_results": "coalesce(truth({0}), has_results_section)",
    "value_comparator": "comparator({0})",
    "p_value_comparator": "comparator({0})",
}


# Kinds that have one right spelling; a posted number may also be NA or text, and stands raw beside its column.
_READ_OR_COUNTED = ("integer", "boolean", "day", "date", "age")
# No line of studies is longer.
LINE_BYTES = 64 << 20
# Names of the columns whose posted value could not be read, with commas; beside the columns of each table.
UNREAD = "_unread"


@dataclass(frozen=True)
class Document:
    """One landed document as the reader needs it. `form` is its container and content, see forms.py."""

    index: int
    path: Path
    form: str
    size: int


class UnreadableDocument(Exception):
    """DuckDB cannot read a document with the declared structure (internal: load.py falls back)."""


def connect(threads: int = 1) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that fetches no extension and paints no progress bar."""
    connection = duckdb.connect(config={"threads": str(threads), "autoinstall_known_extensions": "false"})
    connection.execute("set enable_progress_bar = false")
    return connection


class Reader:
    """One in-memory DuckDB with one thread, so that rows come out in the order of the documents.

    Two readers in two Python threads use two cores and stay deterministic.
    """

    def __init__(self, scratch: Path | None = None) -> None:
        self.connection = connect()
        self.scratch = scratch
        self.connection.execute(_MACROS)

    def close(self) -> None:
        self.connection.close()

    def read(self, documents: Sequence[Document], *, lenient: bool = False) -> pl.DataFrame:
        """Read documents into the temporary table `raw`, module by module, and say what is in it.

        Returns:
            One row per record: `rec` (place in `raw`), `doc` (index of its document), `nct_id` (null where it is
            no NCT id), `last_update` and `version` (text as posted).

        Raises:
            UnreadableDocument: a document is not JSON, or not of the declared structure.
        """
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            files = documents if lenient else _bundled(documents, Path(folder))
            records = self._take(_modules_sql(files, lenient))
        places = pl.DataFrame(
            {"path": [str(file.path) for file in files], "place": [file.index for file in files]},
            schema={"path": pl.String, "place": pl.Int64},
        )
        marked = pl.col("has_results").str.strip_prefix(_MARK).cast(pl.Int64, strict=False)
        is_mark = pl.col("has_results").str.starts_with(_MARK)
        records = records.join(places, on="path", how="left", maintain_order="left").with_columns(
            doc=pl.coalesce(pl.when(is_mark).then(marked).forward_fill().over("path"), "place")
        )
        marks = records.filter(is_mark)
        self.drop(marks["rec"])
        return records.filter(~is_mark.fill_null(False)).drop("path", "place", "has_results")

    def stream(
        self, document: Document, *, rows: int, lenient: bool = False
    ) -> Iterator[pyarrow.RecordBatch]:
        """The modules of a document too large for memory, some thousand records at a time; see `take`.

        Raises:
            UnreadableDocument: it is not JSON, or not of the declared structure; maybe only after some batches.
        """
        try:
            yield from self.connection.execute(_modules_sql([document], lenient)).to_arrow_reader(rows)
        except (
            duckdb.Error,
            OSError,
            pyarrow.ArrowException,
        ) as error:  # Arrow passes DuckDB's on as OSError
            raise UnreadableDocument(str(error)) from None

    def take(self, batch: pyarrow.RecordBatch, document: Document) -> pl.DataFrame:
        """As `read`, of records that another reader streamed from `document`."""
        self.connection.register("streamed", pyarrow.Table.from_batches([batch]))
        try:
            records = self._take("select * from streamed")
            return records.drop("path", "has_results").with_columns(doc=pl.lit(document.index, pl.Int64))
        finally:
            self.connection.unregister("streamed")

    def _take(self, sql: str) -> pl.DataFrame:
        self.connection.execute("drop table if exists raw")
        try:
            self.connection.execute(
                f"create temp table raw as select row_number() over () as rec, * from ({sql})"
            )
        except duckdb.Error as error:
            raise UnreadableDocument(str(error)) from None
        return self.connection.sql(
            """
            select
                rec, filename as path, "hasResults" as has_results,
                case when regexp_full_match(nct_id, 'NCT[0-9]{8}') then nct_id end as nct_id,
                "statusModule"."lastUpdatePostDateStruct"."date" as last_update,
                "miscInfoModule"."versionHolder" as version
            from raw order by rec
            """
        ).pl()

    def drop(self, records: Iterable[int]) -> None:
        """Take records out of `raw`: no NCT id, or a better version is elsewhere."""
        gone = pl.DataFrame({"rec": list(records)}, schema={"rec": pl.Int64})
        if gone.height:
            self.connection.register("gone", gone)
            self.connection.execute("delete from raw where rec in (select rec from gone)")
            self.connection.unregister("gone")

    def tables(self) -> dict[str, pl.DataFrame]:
        """All tables that come from the documents, without what the loader adds."""
        frames = {
            table.name: self.connection.sql(_table_sql(table)).pl()
            for table in (*schemas.PROTOCOL, *schemas.RESULTS)
        }
        return _joined(frames)


# DuckDB plans the whole structure anew for every file, 6 ms each: small documents are put together.
_BUNDLED_BYTES = 1 << 20
_BUNDLED_FROM = 8
# Says in a bundle which document follows; no study has it, for it stands where a boolean is declared.
_MARK = "#document "
_MARKED = {"study": "{0}", "page": '{{"studies": [{0}]}}', "history": '{{"study": {0}}}'}


def _bundled(documents: Sequence[Document], folder: Path) -> list[Document]:
    """The documents with small ones of one form put together in a file of `folder`, each after a mark."""
    files: list[Document] = []
    for form in dict.fromkeys(document.form for document in documents):
        container, _, content = form.partition("/")
        of_form = [document for document in documents if document.form == form]
        small = [document for document in of_form if document.size <= _BUNDLED_BYTES]
        if container == "array" or len(small) < _BUNDLED_FROM:  # arrays do not follow one another in a file
            files += of_form
            continue
        path = folder / f"{len(files)}.json"
        with path.open("wb") as bundle:
            for document in small:
                mark = json.dumps({"hasResults": f"{_MARK}{document.index}"})
                bundle.write(_MARKED[content].format(mark).encode() + b"\n")
                with (
                    zstandard.open(document.path, "rb")
                    if document.path.suffix == ".zst"
                    else document.path.open("rb") as raw
                ):
                    bundle.write(raw.read().removeprefix(b"\xef\xbb\xbf") + b"\n")
        # The largest object in it decides about buffers, not the whole file.
        files += [document for document in of_form if document.size > _BUNDLED_BYTES]
        files.append(Document(small[0].index, path, form, max(document.size for document in small) + 1024))
    return files


def _modules_sql(documents: Sequence[Document], lenient: bool) -> str:
    """SQL that gives each record as its modules, documents in the order of their forms."""
    parts = [
        _read_sql(form, [d for d in documents if d.form == form], lenient)
        for form in dict.fromkeys(d.form for d in documents)
    ] or [f"select '' as filename, null::{structure.duckdb_type()} as study where false"]
    modules = ", ".join(
        f'study."{section}"."{module}" as "{module}"' for module, section in structure.MODULES.items()
    )
    return f"""
        select
            filename,
            posted(study."protocolSection"."identificationModule"."nctId") as nct_id,
            study."hasResults" as "hasResults",
            study."resultsSection" is not null as has_results_section,
            {modules}
        from ({" union all ".join(parts)})
    """


def identified(documents: Sequence[Document]) -> dict[int, int | None]:
    """How many records with an NCT id each document holds; None where it is not whole JSON."""
    connection = connect(os.cpu_count() or 1)  # order does not matter here
    counts: dict[int, int | None] = {}
    try:
        for form in dict.fromkeys(document.form for document in documents):
            counts |= _identified(connection, [d for d in documents if d.form == form])
    finally:
        connection.close()
    return counts


# Only the id is wanted; but a key of the top level that is not declared makes DuckDB's reader five times slower.
_ID_ALONE = dict.fromkeys(structure.STUDY, structure.T) | {
    "protocolSection": {"identificationModule": {"nctId": structure.T}}
}


def _identified(connection: duckdb.DuckDBPyConnection, documents: list[Document]) -> dict[int, int | None]:
    try:
        found = connection.execute(
            f"""
            select
                filename,
                count(*) filter (
                    regexp_full_match(study."protocolSection"."identificationModule"."nctId", 'NCT[0-9]{{8}}')
                )
            from ({_read_sql(documents[0].form, documents, structure_=_ID_ALONE)})
            group by filename
            """
        ).fetchall()
    except duckdb.Error:
        if len(documents) == 1:
            return {documents[0].index: None}
        half = len(documents) // 2
        return _identified(connection, documents[:half]) | _identified(connection, documents[half:])
    counts = dict(found)
    return {document.index: counts.get(str(document.path), 0) for document in documents}


def _read_sql(
    form: str,
    documents: Sequence[Document],
    lenient: bool = False,
    structure_: dict = structure.STUDY,
) -> str:
    container, _, content = form.partition("/")
    files = _files(documents)
    study = structure.duckdb_type(structure_)
    options = _options(container, documents)
    if lenient:
        return f"select filename, json_transform(study, '{json.dumps(structure_)}') as study from ({objects_sql(documents)})"
    fields = {
        "page": {"studies": f"{study}[]", "nextPageToken": "VARCHAR", "totalCount": "VARCHAR"},
        "history": {"study": study, "history": "VARCHAR", "topics": "VARCHAR"},
    }.get(content) or {name: structure.duckdb_type(node) for name, node in structure_.items()}
    item = {"page": "unnest(studies)", "history": "study"}.get(content) or (
        "struct_pack(" + ", ".join(f'"{name}" := "{name}"' for name in structure_) + ")"
    )
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in fields.items())
    return f"select filename, {item} as study from read_json({files}, columns = {{{columns}}}, {options})"


def _files(documents: Sequence[Document]) -> str:
    return "[" + ", ".join("'" + str(d.path).replace("'", "''") + "'" for d in documents) + "]"


def _options(container: str, documents: Sequence[Document]) -> str:
    # DuckDB allocates twice this for every file anew: with its default of 16 MB a small file costs 7 ms.
    largest = max((document.size + 1024 for document in documents), default=0)
    if container == "newline_delimited":  # a line is a study; the largest known has 2 MB
        largest = min(largest, LINE_BYTES)
    return f"format = '{container}', filename = true, maximum_object_size = {largest}"


def objects_sql(documents: Sequence[Document]) -> str:
    """SQL that gives `filename` and each study of documents of one form as untyped JSON; slow, and never choosy."""
    container, _, content = documents[0].form.partition("/")
    return (
        f"select filename, {_LENIENT[content]} as study "
        f"from read_json_objects({_files(documents)}, {_options(container, documents)})"
    )


_LENIENT = {
    "study": "json",
    "history": "json -> '$.study'",
    "page": "unnest(from_json(json -> '$.studies', '[\"JSON\"]'))",
}


def _path(path: str, level: int, aliases: Sequence[str]) -> str:
    """SQL of a dotted path as seen from level `level` of a chain (0: the table raw)."""
    head, *rest = path.split(".")
    if head in aliases and aliases.index(head) + 1 < level:
        return _carried(path)  # an outer level: its value was carried along
    if level > 0 and head not in aliases:
        return _carried(path)  # a value of the study itself
    sql = f'"{head}"'
    for name in rest:
        sql = f'({sql})."{name}"'
    return sql


def _carried(path: str) -> str:
    return '"' + path.replace(".", "__") + '"'


def _wanted(table: Table, source: Source) -> dict[str, tuple[str | None, Column]]:
    return {c.name: (source.set.get(c.name, c.path), c) for c in table.fields}


def _references(expression: str | None) -> list[str]:
    if expression is None:
        return []
    return REFERENCE.findall(expression) if expression.startswith("=") else [expression]


def _source_sql(table: Table, source: Source) -> str:
    aliases = [alias for alias, _ in source.levels]
    wanted = _wanted(table, source)
    used = {r for expression, _ in wanted.values() for r in _references(expression)}
    used |= set(REFERENCE.findall(source.where))
    from_ = "raw"
    depth = len(aliases)
    for level, (alias, path) in enumerate(source.levels, start=1):
        carried = []
        for reference in sorted(used):
            if reference.startswith("#"):
                if reference[1:] in aliases[: level - 1]:
                    carried.append(f'"{reference}"')
                continue
            head = reference.split(".")[0]
            if head == alias or head in aliases[level:]:
                continue
            carried.append(f"{_path(reference, level - 1, aliases)} as {_carried(reference)}")
        items = _path(path, level - 1, aliases)
        if alias in source.outer:
            items = f"(case when len({items}) > 0 then {items} else [null] end)"
        carried += [f'unnest({items}) as "{alias}"', f'generate_subscripts({items}, 1) as "#{alias}"']
        from_ = f"(select rec, nct_id, {', '.join(carried)} from {from_})"

    def at(reference: str) -> str:
        if reference.startswith("#"):
            return f'"{reference}"'
        return _path(reference, depth, aliases)

    selected = []
    for name, (expression, column) in wanted.items():
        if name == "nct_id":
            selected.append("nct_id")
        elif expression is None:
            continue
        elif expression.startswith("="):
            sql = REFERENCE.sub(lambda match: at(match.group(1)), expression[1:])
            selected.append(f'{sql} as "{name}"')
        elif expression.startswith("#"):
            selected.append(f'{at(expression)} as "{name}"')
        else:
            selected.append(_cast(column, at(expression)))
    extra = ", filename" if table.name == "studies" else ""
    if checked := [_unread(column, at(e)) for e, column in wanted.values() if _is_checked(column, e)]:
        extra += f", nullif(concat_ws(',', {', '.join(checked)}), '') as {UNREAD}"
    where = f" where {REFERENCE.sub(lambda match: at(match.group(1)), source.where)}" if source.where else ""
    return f"select rec, {', '.join(selected)}{extra} from {from_}{where}"


def _is_checked(column: Column, expression: str | None) -> bool:
    """Whether a value of the column may be posted and not be read: then it is counted, for `schema_drift`."""
    return (
        column.kind in _READ_OR_COUNTED
        and column.name not in _RULES
        and expression is not None
        and not expression.startswith(("=", "#"))
    )


def _unread(column: Column, value: str) -> str:
    parsed = f"first_day({value})" if column.kind == "date" else _CASTS[column.kind].format(value)
    # A registry that writes N/A says that there is none.
    return f"case when {parsed} is null and posted({value}) is not null and {value} <> 'N/A' then '{column.name}' end"


def _cast(column: Column, value: str) -> str:
    if column.kind == "date":
        return (
            f'first_day({value}) as "{column.name}_earliest", last_possible_day({value}) as "{column.name}_latest", '
            f'date_precision({value}) as "{column.name}_precision", posted({value}) as "{column.name}_text"'
        )
    rule = _RULES.get(column.name, _CASTS[column.kind])
    return f'{rule.format(value)} as "{column.name}"'


def _table_sql(table: Table) -> str:
    parts = [_source_sql(table, source) for source in table.sources]
    if len(parts) == 1:
        return parts[0]
    return " union all by name ".join(f"({part})" for part in parts)


def _joined(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Titles of groups and counts of participants beside the values that they belong to."""
    groups = frames["result_groups"]
    titles = groups.select("rec", "module", "measure_ordinal", "group_id", arm_title="title").unique(
        subset=["rec", "module", "measure_ordinal", "group_id"], keep="first", maintain_order=True
    )

    def titled(frame: pl.DataFrame, module: str, on: dict[str, str]) -> pl.DataFrame:
        wanted = titles.filter(pl.col("module") == module).select(
            "rec", "group_id", *on.values(), "arm_title"
        )
        return frame.join(
            wanted,
            left_on=["rec", "group_id", *on],
            right_on=["rec", "group_id", *on.values()],
            how="left",
            maintain_order="left",
        )

    outcome = titled(frames["outcome_results"], "outcome", {"outcome_ordinal": "measure_ordinal"})
    outcome = outcome.with_columns(
        time_point=pl.when(pl.col("class_title").str.contains(_TIME_POINT))
        .then(pl.col("class_title"))
        .otherwise(pl.col("time_point"))
    )
    denominators = frames["result_denominators"]
    frames["outcome_results"] = _with_counts(
        outcome, denominators, "outcome", "outcome_ordinal", frames["outcome_measures"]
    )
    frames["baseline_measures"] = _with_counts(
        titled(frames["baseline_measures"], "baseline", {}), denominators, "baseline", "measure_ordinal", None
    )
    frames["participant_flow"] = titled(frames["participant_flow"], "flow", {})
    frames["adverse_events"] = titled(frames["adverse_events"], "adverse_event", {})
    return frames


def _with_counts(
    frame: pl.DataFrame,
    denominators: pl.DataFrame,
    module: str,
    measure: str,
    measures: pl.DataFrame | None,
) -> pl.DataFrame:
    """`participants` and other units analysed: the class's own count, else the measure's, else the table's."""
    counts = denominators.filter(pl.col("module") == module)
    is_participants = pl.col("units").str.to_lowercase().str.strip_chars() == "participants"
    keys = {
        "class": ({measure: "measure_ordinal", "class_ordinal": "class_ordinal"}),
        "measure": ({measure: "measure_ordinal"}),
        "table": {},
    }
    wanted: dict[str, list[pl.Expr]] = {"participants": [], "units_analyzed": [], "units_analyzed_count": []}
    for scope, on in keys.items():
        scoped = counts.filter(pl.col("scope") == scope)
        for kind, rows in (("p", scoped.filter(is_participants)), ("u", scoped.filter(~is_participants))):
            rows = rows.select(
                "rec",
                "group_id",
                *on.values(),
                pl.col("participants").alias(f"{kind}_{scope}"),
                pl.col("units").alias(f"{kind}_{scope}_units"),
            ).unique(subset=["rec", "group_id", *on.values()], keep="first", maintain_order=True)
            frame = frame.join(
                rows,
                left_on=["rec", "group_id", *on],
                right_on=["rec", "group_id", *on.values()],
                how="left",
                maintain_order="left",
            )
        wanted["participants"].append(pl.col(f"p_{scope}"))
        wanted["units_analyzed"].append(pl.col(f"u_{scope}_units"))
        wanted["units_analyzed_count"].append(pl.col(f"u_{scope}"))
    return frame.with_columns(
        **{name: pl.coalesce(expressions) for name, expressions in wanted.items()}
    ).drop([f"{kind}_{scope}{suffix}" for scope in keys for kind in "pu" for suffix in ("", "_units")])
