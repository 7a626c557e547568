"""Eligibility of registered trials: criteria text and registry fields → criteria, groups, constraints.

`parse` is the one entry. It is deterministic, works over distinct criteria, and says what it does not know: a
criterion without a constraint is `unparsed`, never dropped. What a constraint means for a patient is evaluated in dbt.

Rules, choices and limits: `docs/eligibility.md`.
"""

from __future__ import annotations

import hashlib
import threading
from functools import cache

import polars as pl

from pipeline import drugs
from pipeline.registry.eligibility import grammar, overrides, structured
from pipeline.registry.eligibility.grammar import MS_WORDS
from pipeline.registry.eligibility.rules_ms import GENERIC_THERAPY
from pipeline.registry.eligibility.segmentation import segment
from pipeline.registry.eligibility.workers import Workers

CRITERIA = {
    "nct_id": pl.String,
    "criterion_id": pl.String,
    "section": pl.String,
    "ordinal": pl.Int64,
    "part": pl.String,
    "text": pl.String,
    "char_start": pl.Int64,
    "char_end": pl.Int64,
    "group_id": pl.String,
    "parent_group_id": pl.String,
    "group_logic": pl.String,
    "group_minimum": pl.Int64,
    "group_depth": pl.Int64,
    "parse_status": pl.String,
    "is_subjective": pl.Boolean,
    "text_sha256": pl.String,
    "origin": pl.String,
    "constraint_count": pl.Int64,
}
CONSTRAINTS = {
    "nct_id": pl.String,
    "criterion_id": pl.String,
    "constraint_ordinal": pl.Int64,
    "kind": pl.String,
    "polarity": pl.String,
    "min_value": pl.Float64,
    "min_inclusive": pl.Boolean,
    "max_value": pl.Float64,
    "max_inclusive": pl.Boolean,
    "unit": pl.String,
    "measure": pl.String,
    "window_value": pl.Float64,
    "window_unit": pl.String,
    "window_near_value": pl.Float64,
    "window_near_unit": pl.String,
    "window_anchor": pl.String,
    "terms": pl.List(pl.String),
    "term_logic": pl.String,
    "exception_terms": pl.List(pl.String),
    "exceptions": pl.List(pl.String),
    "is_qualified": pl.Boolean,
    "any_of_group": pl.String,
    "all_of_group": pl.String,
    "on_therapy_value": pl.Float64,
    "on_therapy_unit": pl.String,
    "quote": pl.String,
    "char_start": pl.Int64,
    "char_end": pl.Int64,
    "rule_id": pl.String,
    "rule_version": pl.Int64,
    "origin": pl.String,
}
_INPUT = {
    "nct_id": pl.String,
    "eligibility_text": pl.String,
    "minimum_age_years": pl.Float64,
    "maximum_age_years": pl.Float64,
    "sex": pl.String,
}


class Readings:
    """What distinct criteria texts say, each read once. Studies share texts, and a load meets them batch by batch.

    Safe to use from several threads; a text that one of them reads makes the others wait for it. Many texts at once are
    read by several processes, which end with `close`, or with the block of a `with` statement.
    """

    # Rows of texts that are kept: some 100 MB. Beyond that the oldest go, and are read again where they come back.
    LIMIT = 400_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, str] = {}  # text → key
        self._parts: list[tuple[list[str], dict[str, pl.DataFrame]]] = []
        self._workers = Workers()

    def __enter__(self) -> Readings:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes, if there are any; what was read stays."""
        self._workers.close()

    def read(self, texts: pl.Series) -> dict[str, pl.DataFrame]:
        """Criteria and constraints of distinct texts.

        Args:
            texts: distinct, not null.

        Returns:
            `texts` (text, text_key); `criteria` and `criterion_constraints` as of a study that has no name and no
            registry fields, with `text_key`: identifiers lack the study's own in front.
        """
        wanted = texts.to_list()
        with self._lock:
            new = [text for text in wanted if text not in self._keys]
            if new:
                self._learn(new)
            keys = [self._keys[text] for text in wanted]
            parts = [tables for _, tables in self._parts]
            self._forget()
        found = {
            name: pl.concat([part[name] for part in parts]) if parts else empty
            for name, empty in _template_tables().items()
        }
        return found | {
            "texts": pl.DataFrame(
                {"eligibility_text": wanted, "text_key": keys},
                schema={"eligibility_text": pl.String, "text_key": pl.String},
            )
        }

    def _learn(self, new: list[str]) -> None:
        pairs = [(hashlib.sha256(text.encode()).hexdigest(), text) for text in new]
        # Where the chunks are cut depends on nothing but the texts, so the order of rows does not depend on the machine.
        read = self._workers.map(_templates, pairs)
        self._parts.append(
            (new, {name: pl.concat([part[name] for part in read]) for name in _template_tables()})
        )
        self._keys |= {text: key for key, text in pairs}

    def _forget(self) -> None:
        while len(self._parts) > 1 and sum(len(part["criteria"]) for _, part in self._parts) > self.LIMIT:
            for text in self._parts.pop(0)[0]:
                del self._keys[text]


def parse(
    studies: pl.DataFrame, overrides: pl.DataFrame | None = None, readings: Readings | None = None
) -> dict[str, pl.DataFrame]:
    """Criteria, constraints and conflicts of studies.

    Args:
        studies: one row a study: nct_id, eligibility_text (markdown, escaped or not), and where known minimum_age_years,
            maximum_age_years, sex (`ALL`, `FEMALE`, `MALE`). Absent columns count as unknown.
        overrides: rows of `dbt_project/seeds/trials/criterion_overrides.csv`.
        readings: texts that were read before; what is new is added.

    Returns:
        `criteria` (CRITERIA), `criterion_constraints` (CONSTRAINTS), `source_conflicts` (structured field against text) and
        `override_uses` (what became of each override). Spans are characters of the eligibility_text given, half-open.
    """
    if readings is None:
        with Readings() as own:
            return parse(studies, overrides, own)
    frame = studies.select(
        (
            pl.col(name).cast(kind, strict=False) if name in studies.columns else pl.lit(None, dtype=kind)
        ).alias(name)
        for name, kind in _INPUT.items()
    ).with_columns(pl.col("eligibility_text").fill_null(""))
    fields = structured.criteria(frame)
    read = readings.read(frame.get_column("eligibility_text").unique(maintain_order=True))
    printed = (
        frame.lazy()
        .select("nct_id", "eligibility_text")
        .join(read["texts"].lazy(), on="eligibility_text", how="left", maintain_order="left")
        .select("nct_id", "text_key")
    )
    criteria = _criteria(_of_studies(printed, read["criteria"]), fields)
    constraints = _constraints(_of_studies(printed, read["criterion_constraints"]), fields)
    criteria, constraints, uses = _override(criteria, constraints, overrides)
    if overrides is not None and "applied" in uses["status"]:
        criteria = _counted(criteria, constraints)
    return {
        "criteria": criteria,
        "criterion_constraints": constraints,
        "source_conflicts": structured.conflicts(frame, constraints, criteria),
        "override_uses": uses,
    }


def _counted(criteria: pl.DataFrame, constraints: pl.DataFrame) -> pl.DataFrame:
    counts = constraints.group_by("criterion_id").agg(constraint_count=pl.len().cast(pl.Int64))
    return (
        criteria.drop("constraint_count")
        .join(counts, on="criterion_id", how="left", maintain_order="left")
        .with_columns(pl.col("constraint_count").fill_null(0))
        .select(list(CRITERIA))
    )


def text_sha256(text: str) -> str:
    """Hash of a criterion's wording: case and white space do not count."""
    return hashlib.sha256(" ".join(text.lower().split()).encode()).hexdigest()


def _read(studies: pl.DataFrame, found: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rules over distinct texts, joined back to every study that prints them."""
    is_ms = studies.select(
        "nct_id",
        is_ms=pl.concat_str(pl.lit(" "), pl.col("eligibility_text").fill_null(""), pl.lit(" "))
        .str.to_lowercase()
        .str.replace_all(r"[^\S ]", " ")
        .str.contains_any(list(MS_WORDS)),
    )
    found = found.join(is_ms, on="nct_id", how="left", maintain_order="left")
    identity = ["raw", "sense", "context", "is_ms"]
    keys = (
        found.filter(pl.col("line_kind") != "note")
        .select(identity)
        .unique(maintain_order=True)
        .with_row_index("key")
    )
    keys = keys.with_columns(pl.col("key").cast(pl.Int64))
    constraints, status = grammar.read(keys)
    hashes = (
        found.select("text")
        .unique()
        .with_columns(text_sha256=pl.col("text").map_elements(text_sha256, return_dtype=pl.String))
    )
    found = (
        found.join(keys, on=identity, how="left", maintain_order="left")
        .join(status, on="key", how="left", maintain_order="left")
        .join(hashes, on="text", how="left", maintain_order="left")
        .join(
            constraints.group_by("key").agg(constraint_count=pl.len().cast(pl.Int64)),
            on="key",
            how="left",
            maintain_order="left",
        )
    )
    return found, constraints


def _templates(pairs: list[tuple[str, str]]) -> dict[str, pl.DataFrame]:
    """Criteria and constraints of distinct texts, see `Readings.read`.

    Args:
        pairs: key and text.
    """
    # Short numbers of one length stand for studies while the texts are read: their keys are long, and in every identifier.
    length = 8
    numbers = [f"{number:0{length}}" for number in range(len(pairs))]
    keys = pl.lit(pl.Series([key for key, _ in pairs], dtype=pl.String))
    frame = pl.DataFrame(
        {"nct_id": numbers, "eligibility_text": [text for _, text in pairs]},
        schema={"nct_id": pl.String, "eligibility_text": pl.String},
    )
    found, constraints = _read(frame, segment(frame))
    criteria = _numbered(found)
    constraints = _same_therapy(_placed(constraints, criteria), criteria)
    constraints = _not_what_is_asked_for(constraints, criteria)
    # "group-NCT…" names a criterion, "NCT…-i" a section.
    rest = pl.when(pl.col("group_id").str.starts_with("group-")).then(length + 6).otherwise(length)
    above = pl.when(pl.col("parent_group_id").str.starts_with("group-")).then(length + 6).otherwise(length)
    return {
        "criteria": criteria.select(
            text_key=keys.gather(pl.col("nct_id").cast(pl.UInt32)),
            **{name: pl.col(name) for name in CRITERIA if name != "nct_id"}
            | {
                "criterion_id": pl.col("criterion_id").str.slice(length),
                "group_id": _prefix("group_id") + pl.col("group_id").str.slice(rest),
                "parent_group_id": _prefix("parent_group_id") + pl.col("parent_group_id").str.slice(above),
            },
        ),
        "criterion_constraints": constraints.select(
            text_key=keys.gather(pl.col("nct_id").cast(pl.UInt32)),
            **{name: pl.col(name) for name in CONSTRAINTS if name != "nct_id"}
            | {"criterion_id": pl.col("criterion_id").str.slice(length)},
        ),
    }


def _prefix(name: str) -> pl.Expr:
    return pl.when(pl.col(name).str.starts_with("group-")).then(pl.lit("group-")).otherwise(pl.lit(""))


@cache
def _template_tables() -> dict[str, pl.DataFrame]:
    return {
        name: pl.DataFrame(
            schema={"text_key": pl.String} | {c: kind for c, kind in columns.items() if c != "nct_id"}
        )
        for name, columns in (("criteria", CRITERIA), ("criterion_constraints", CONSTRAINTS))
    }


def _of_studies(printed: pl.LazyFrame, templates: pl.DataFrame) -> pl.DataFrame:
    """Rows of texts for every study that prints them, identifiers with the study's own in front."""
    own = {"criterion_id": pl.col("nct_id") + pl.col("criterion_id")}
    for name in ("group_id", "parent_group_id"):
        if name in templates.columns:
            own[name] = (
                pl.when(pl.col(name).str.starts_with("group-"))
                .then(pl.lit("group-") + pl.col("nct_id") + pl.col(name).str.slice(6))
                .otherwise(pl.col("nct_id") + pl.col(name))
            )
    return (
        printed.join(templates.lazy(), on="text_key", how="inner", maintain_order="left_right")
        .drop("text_key")
        .with_columns(**own)
        .collect()
    )


def _numbered(found: pl.DataFrame) -> pl.DataFrame:
    """Criteria of CRITERIA and their `key`, in the order of the text."""
    repeated = pl.int_range(1, pl.len() + 1).over("nct_id", "section", "text_sha256")
    base = (
        pl.col("nct_id")
        + "-"
        + pl.col("section").str.slice(0, 1)
        + "-"
        + pl.col("text_sha256").str.slice(0, 10)
    )
    found = found.with_columns(
        criterion_id=pl.when(repeated == 1).then(base).otherwise(base + "-" + repeated.cast(pl.String)),
        section_group=pl.concat_str(
            pl.col("nct_id"), pl.lit("-"), pl.col("section").str.slice(0, 1),
            pl.when(pl.col("part") != "").then(pl.lit("-") + pl.col("part").str.replace_all(r"\W+", "-")).otherwise(pl.lit("")),
        ),
    )  # fmt: skip
    names = found.select("row", opener_id=pl.lit("group-") + pl.col("criterion_id"))
    return (
        found.join(names, left_on="group_row", right_on="row", how="left", maintain_order="left")
        .join(
            names.rename({"opener_id": "outer_id"}),
            left_on="parent_group_row",
            right_on="row",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            group_id=pl.coalesce("opener_id", "section_group"),
            parent_group_id=pl.when(pl.col("group_row") >= 0).then(pl.coalesce("outer_id", "section_group")),
            constraint_count=pl.col("constraint_count").fill_null(0),
        )
        .with_columns(
            parse_status=pl.when(pl.col("line_kind") == "note")
            .then(pl.lit("note"))
            .when((pl.col("line_kind") != "item") & (pl.col("constraint_count") == 0))
            .then(pl.lit("header"))
            .when(pl.col("constraint_count") == 0)
            .then(pl.lit("unparsed"))
            .when(pl.col("has_residue"))
            .then(pl.lit("partial"))
            .otherwise(pl.lit("parsed")),
            is_subjective=pl.col("is_subjective").fill_null(False),
            origin=pl.lit("text"),
        )
        .sort("row")
        .with_columns(ordinal=pl.int_range(1, pl.len() + 1).over("nct_id"))
        .select(*CRITERIA, "key")
        .cast({**CRITERIA, "key": pl.Int64})
    )


def _placed(constraints: pl.DataFrame, criteria: pl.DataFrame) -> pl.DataFrame:
    """Constraints of distinct criteria at every criterion that has the text."""
    parsed = (
        criteria.filter(pl.col("key").is_not_null())
        .select("nct_id", "criterion_id", "key", start="char_start")
        .join(constraints, on="key", how="inner", maintain_order="left_right")
        .with_columns(
            char_start=pl.col("start") + pl.col("relative_start"),
            char_end=pl.col("start") + pl.col("relative_end"),
            origin=pl.lit("grammar"),
        )
    )
    return _typed(parsed)


def _criteria(printed: pl.DataFrame, fields: pl.DataFrame) -> pl.DataFrame:
    """What studies print and their registry fields, these first, numbered through."""
    own = fields.with_columns(
        section=pl.lit("inclusion"), part=pl.lit(""), char_start=pl.lit(None), char_end=pl.lit(None),
        group_id=pl.col("nct_id") + "-i", parent_group_id=pl.lit(None), group_logic=pl.lit("all"), group_minimum=pl.lit(None),
        group_depth=pl.lit(0), parse_status=pl.lit("parsed"), is_subjective=pl.lit(False), origin=pl.lit("structured"),
        constraint_count=pl.lit(1), ordinal=pl.lit(0),
    )  # fmt: skip
    hashes = own.select(pl.col("text").unique(maintain_order=True)).with_columns(
        text_sha256=pl.col("text").map_elements(text_sha256, return_dtype=pl.String)
    )
    own = own.join(hashes, on="text", how="left", maintain_order="left").select(list(CRITERIA)).cast(CRITERIA)
    counts = own.group_by("nct_id").agg(before=pl.len().cast(pl.Int64))
    later = printed.join(counts, on="nct_id", how="left", maintain_order="left").with_columns(
        ordinal=pl.col("ordinal") + pl.col("before").fill_null(0)
    )
    own = own.with_columns(ordinal=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("nct_id"))
    studies = (
        pl.concat([printed.select("nct_id"), own.select("nct_id")])
        .unique(maintain_order=True)
        .with_row_index("study")
    )
    return (
        pl.concat([own, later.select(list(CRITERIA))])
        .join(studies, on="nct_id", how="left", maintain_order="left")
        .sort("study", "ordinal")
        .drop("study")
    )


def _constraints(printed: pl.DataFrame, fields: pl.DataFrame) -> pl.DataFrame:
    """What studies print and their registry fields, these first."""
    empty = pl.lit([], dtype=pl.List(pl.String))
    own = fields.select(
        "nct_id", "criterion_id", "kind", "terms", constraint_ordinal=pl.lit(1), polarity=pl.lit("require"),
        min_value=pl.col("minimum"), min_inclusive=pl.when(pl.col("minimum").is_not_null()).then(True),
        max_value=pl.col("maximum"), max_inclusive=pl.when(pl.col("maximum").is_not_null()).then(True),
        unit=pl.when(pl.col("kind") == "age_range").then(pl.lit("years")), term_logic=pl.lit("any"), exception_terms=empty,
        exceptions=empty, is_qualified=pl.lit(False), quote=pl.col("text"),
        rule_id=pl.lit("registry.") + pl.col("kind"), rule_version=pl.lit(1), origin=pl.lit("structured"),
    )  # fmt: skip
    return pl.concat([_typed(own), _typed(printed)])


def _same_therapy(constraints: pl.DataFrame, criteria: pl.DataFrame) -> pl.DataFrame:
    """ "A relapse while on therapy" without a name means the therapy that the study asked for just before."""
    place = criteria.select("criterion_id", "ordinal", "section")
    ordered = (
        constraints.with_row_index("place")
        .join(place, on="criterion_id", how="left", maintain_order="left")
        .sort("ordinal", "constraint_ordinal")
    )
    unnamed = (
        (pl.col("kind") == "relapse_on_therapy")
        & (pl.col("terms").list.join(";") == GENERIC_THERAPY)
        & ~pl.col("quote").str.to_lowercase().str.contains(r"disease.modifying|dmts?\b|dmds?\b")
    )
    asked = (
        ordered.filter(pl.col("kind") == "prior_therapy_required", pl.col("section") == "inclusion")
        .select("nct_id", "ordinal", named="terms")
        .sort("ordinal")
    )
    found = (
        ordered.filter(unnamed)
        .select("place", "nct_id", "ordinal")
        .sort("ordinal")
        .join_asof(asked, on="ordinal", by="nct_id", strategy="backward", check_sortedness=False)
        .filter(pl.col("named").is_not_null())
        .select("place", "named")
    )
    return (
        constraints.with_row_index("place")
        .join(found, on="place", how="left", maintain_order="left")
        .with_columns(terms=pl.coalesce("named", "terms"))
        .drop("place", "named")
    )


def _not_what_is_asked_for(constraints: pl.DataFrame, criteria: pl.DataFrame) -> pl.DataFrame:
    """ "No immunosuppressants" does not mean the drug that the same study asks its patients to be on.

    Whether fingolimod, natalizumab or a fumarate is an immunosuppressant is a matter of usage: protocols that ask for
    them up to screening exclude "immunosuppressants" and mean others. Classes that are clear stay as they are.
    """
    asked = (
        constraints.join(criteria.select("criterion_id", "section"), on="criterion_id", how="left")
        .filter(
            pl.col("kind") == "prior_therapy_required",
            pl.col("polarity") == "require",
            pl.col("section") == "inclusion",
            pl.col("window_value").is_not_null(),
            pl.col("window_anchor").is_not_null() & (pl.col("window_anchor") != "ever"),
        )
        .select("nct_id", drug="terms")
        .explode("drug")
        .filter(pl.col("drug").is_in(drugs.drugs()["inn"].implode()))
        .unique(maintain_order=True)
        .group_by("nct_id", maintain_order=True)
        .agg(asked="drug")
    )
    is_absence = (
        pl.col("kind").is_in(("washout", "prior_therapy_forbidden", "concomitant_therapy_forbidden"))
        & pl.col("min_value").is_null()
        & pl.col("max_value").is_null()
    )
    others = pl.col("asked").list.set_difference("terms").list.set_difference("exception_terms")
    return (
        constraints.join(asked, on="nct_id", how="left", maintain_order="left")
        .with_columns(
            exception_terms=pl.when(
                is_absence, pl.col("terms").list.contains("immunosuppressant"), pl.col("asked").is_not_null()
            )
            .then(pl.concat_list("exception_terms", others))
            .otherwise("exception_terms")
        )
        .drop("asked")
    )


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        (pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, dtype=kind)).alias(name)
        for name, kind in CONSTRAINTS.items()
    )


def _override(
    criteria: pl.DataFrame, constraints: pl.DataFrame, given: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    if given is None or given.is_empty():
        return criteria, constraints, pl.DataFrame(schema=overrides.USES)
    judged = overrides.judge(overrides.normalised(given), criteria)
    applied = judged.filter(pl.col("status") == "applied")
    uses = judged.select(list(overrides.USES)).cast(overrides.USES)
    if applied.is_empty():
        return criteria, constraints, uses
    rows = applied.filter(pl.col("kind").is_not_null() & (pl.col("kind") != "none")).join(
        criteria.select("criterion_id", "text", "char_start", "char_end"),
        on="criterion_id",
        how="left",
        maintain_order="left",
    )

    def split(name: str) -> pl.Expr:
        return (
            pl.when(pl.col(name).is_null())
            .then(pl.lit([], dtype=pl.List(pl.String)))
            .otherwise(pl.col(name).str.split(";"))
            .alias(name)
        )

    rows = rows.with_columns(
        split("terms"), split("exception_terms"),
        exceptions=pl.lit([], dtype=pl.List(pl.String)), is_qualified=pl.lit(False), quote=pl.col("text"),
        rule_id=pl.lit("override"), rule_version=pl.lit(1), origin=pl.lit("override"),
        term_logic=pl.col("term_logic").fill_null("any"),
        constraint_ordinal=pl.int_range(1, pl.len() + 1).over("criterion_id"),
    )  # fmt: skip
    kept = constraints.join(
        applied.select("criterion_id").unique(), on="criterion_id", how="anti", maintain_order="left"
    )
    criteria = (
        criteria.join(
            applied.select("criterion_id").unique().with_columns(is_overridden=pl.lit(True)),
            on="criterion_id",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            parse_status=pl.when(pl.col("is_overridden").fill_null(False))
            .then(pl.lit("parsed"))
            .otherwise(pl.col("parse_status"))
        )
        .drop("is_overridden")
    )
    return criteria, pl.concat([kept, _typed(rows)]), uses
