"""Criteria text to criteria: sections, bullets, wrapped lines, nesting, groups. What a criterion means is not decided here.

Everything is polars over lines; no loop over studies. The plans run in memory: a chunk is some thousand lines, and the
streaming engine takes longer to set one up than to run it. Registries print criteria in two shapes, both read here: markdown
with `*` and numbers (API v2) and text wrapped at 90 columns with hanging indents (the older dumps). Both keep their
structure in indentation, so the column in which the words begin is a line's level.
"""

from __future__ import annotations

import polars as pl

from pipeline.registry.eligibility.text import collapsed

_SYMBOLS = "*•·‣▪●◦○➢►■□❖✓–—−-"
# A bullet, a number, a letter, or several of them ("* 1\\. ").
BULLET = (
    rf"^\s*(?:(?:\\?[{_SYMBOLS}]|o)\s+|[-–—•·▪●]|[(\[]?\d{{1,2}}(?:\.\d{{1,2}}){{0,3}}\\?[.)\]]+\s+"
    r"|\(?\d{1,2}\\?[.)]|[(\[]?(?:[a-zA-Z]|[ivxIVX]{1,5})\\?[.)\]]\s+)+\s*"
)
_PREFIX = (
    r"key|main|major|general|core|principal|primary|specific|additional|other|selected|summary|list|of|the|study|trial|protocol"
    r"|patients?|subjects?|participants?|donors?|recipients?|clinic\w*|disease|ms|multiple sclerosis|part|phase|cohorts?|groups?"
    r"|arms?|stage|period|extension|open|label|healthy|volunteers?|controls?|caregivers?|children|adults?|for|and|in|sub-?study"
    r"|\d+(?:\.\d+)*|[a-d]|[ivx]{1,4}|[-–:,.()/#*&'’]|reasons?"
)
_HEADER = (
    rf"^(?:(?:{_PREFIX})\s*)*(?:criteria\s+(?:for|of)\s+)?(?:non-?\s?)?(?:in|ex)clusions?\b(?:\s*(?:and|/|&)\s*exclusions?)?\s*(?:criteri\w*)?"
    r"\s*(?:[-–(:,/]?\s*(?:for|of|in|at|part|phase|group|cohort|arm|period|main|key|related|\(|\[|include|are|to).{0,70})?\s*[:.*\]\)]*\s*$"
)
_HEADER_LOOSE = r"^(?:in|ex)clusions?\b[^.;]{0,60}:\**\s*$"
_ELIGIBILITY = rf"^(?:(?:{_PREFIX})\s*)*eligibility(?:\s*criteri\w*)?\s*[:.*]*\s*$"
_NOT_INCLUDED = r"^(?:(?:patients|subjects|participants)\s+)?(?:(?:are\s+)?not\s+(?:be\s+)?(?:included|eligible)|ineligib(?:le|ility)|excluded)\s*:\**\s*$"
_EXCLUDING_SENTENCE = r"(?:will|must|should|are|is|be)\s+(?:be\s+)?(?:not\s+(?:be\s+)?(?:eligible|enrolled|included|entered)|excluded|ineligible)"
# The last such sentence and what stands between it and the colon.
_EXCLUDING_INTRO = rf"(?s)^.*{_EXCLUDING_SENTENCE}\s*(?:from|for|in|if|to\s+(?:participate|enter|enrol\w*|take part))\b([^:]*):\s*$"
_NOTE = (
    r"^\W*(?:note\b|n/a\b|none\b\W*$|not applicable|(?:other|additional) (?:protocol|criteria|inclusion|exclusion)\S*"
    r"[^.]{0,60}(?:appl|may)|the above information|the information above|further (?:criteria|inclusion|exclusion)"
    r"|(?:there (?:may be )?)?(?:other|additional|more) .{0,40}criteria (?:may|will|also|could)? ?apply|minimum age\s*:|maximum age\s*:"
    r"|(?:sex|gender)\W*:|(?:accepts )?healthy volunteers\W*:|eligibility\s*$|please (?:contact|refer|see))"
)
# A line that opens a list: its children or followers are the conditions.
_INTRO = r"(?:[:：]\s*$|--\s*$|\bfollowing\b[^.;]{0,40}[.:]?\s*$|\b(?:listed|described|defined|outlined|specified|detailed) below[.:]?\s*$)"
_AT_LEAST = r"(?:at least|minimum of|≥|>=|\\>=)\s*"
_ANY = (
    rf"(?:{_AT_LEAST}(?:one|1)\b|\b(?:one|1) or more|\bany(?: one)?(?: or more)? of|\beither(?: of)?\b|\b(?:one|1) of|\bor more of"
    r"|\bany of|\bany (?:one|1)\b|following alternatives)"
)
_SOME = rf"(?:{_AT_LEAST}(two|three|four|five|2|3|4|5)|\b(two|three|four|five|2|3|4|5) (?:\(\d\) )?or more)\b[^:]{{0,60}}(?:of|following|criteria)"
_ALL = (
    r"\b(?:all(?: of)?|both(?: of)?|each of)\b[^:]{0,40}(?:following|criteria|these|conditions|requirements)?"
)
_EXAMPLES = r"(?:such as|e\.?g\.?,?|for example|including(?:,? but (?:is |are )?not limited to)?|examples? (?:include|of|are)[^:]{0,40}|may include)\s*:?\s*$"
_NEGATED_INTRO = (
    r"^\W*(?:no|not|none|absence of|free (?:of|from)|without|never|lack of)\b[^:]{0,80}(?:following|:\s*$)"
    r"|\b(?:must|should|may|can|do|will)\s+not\s*:\s*$|\b(?:must|should|may|will|can|do|does|have|has|is|are)\s+not\b[^:]{0,50}\b(?:any|one|either|none)\b[^:]{0,30}(?:following|:\s*$)"
    r"|\b(?:none of|without any of|free of any of|no history of any of|not (?:have|meet|fulfil\w*)) the following|\b(?:excluded|ineligible)\b[^:]{0,60}(?:following|:\s*$)"
)
_ENDS_OR = r"(?i)(?:[,;.]\s*|\s)(?:and/)?or\s*[;,.:]?\s*$"
_PART_NUMBER = r"\b((?:part|phase|cohort|group|arm|stage|period|step)\s*(?:\d+[a-d]?|[a-d]\b|[ivx]{1,3}\b))"
_PART_NAME = r"\b(donor|recipient|healthy (?:volunteer|control|subject|participant)|control|caregiver|clinic|extension|sub-?stud\w+|patient|child|adult|family|relative)s?\b"

_OPEN_END = (
    r"(?:\(\s*(?:e\.?g\.?|i\.?e\.?)?|\be\.g\.|\bi\.e\.|,"
    r"|\b(?:prior to|before|within|at|of|the|than|with|for|by|from|in|an?|(?:least|most|past|last|previous) [\w-]+))\s*$"
)

LEVELS = 4
COLUMNS = {
    "nct_id": pl.String,
    "section": pl.String,
    "ordinal": pl.Int64,
    "part": pl.String,
    "text": pl.String,
    "raw": pl.String,
    "char_start": pl.Int64,
    "char_end": pl.Int64,
    "row": pl.Int64,
    "parent": pl.Int64,
    "level": pl.Int64,
    "line_kind": pl.String,
    "group_row": pl.Int64,
    "group_logic": pl.String,
    "group_minimum": pl.Int64,
    "group_depth": pl.Int64,
    "parent_group_row": pl.Int64,
    "sense": pl.String,
    "context": pl.String,
}


def segment(studies: pl.DataFrame) -> pl.DataFrame:
    """One row a criterion.

    Args:
        studies: nct_id, eligibility_text.

    Returns:
        COLUMNS. `raw` is the criterion exactly as it stands in the text, `text` the same in one line; `row` numbers all
        rows; `parent` is the row that introduces it; `group_row` names the introducing row of its group (-1 for the
        section itself); `sense` is what its words state: a condition to have (`require`) or not to have (`forbid`);
        `context` the introducing words.
    """
    lines = _lines(studies)
    criteria = _criteria(lines)
    return _groups(criteria).select(list(COLUMNS)).cast(COLUMNS)


def _broken(text: pl.Expr) -> pl.Expr:
    """Line breaks where the registry ran lines together. Each replaces one character, so offsets stay."""
    return (
        text.str.replace_all("\r\n", " \n", literal=True)
        .str.replace_all("[\r\u2028\u2029\u0085]", "\n")
        .str.replace_all(
            r"([^\n]{24})[ \t]((?i:(?:key |main |major |patient )?(?:in|ex)clusion criteri(?:a|on)) ?(?:\([^)\n]{0,40}\) ?)?:)",
            "$1\n$2",
        )
        .str.replace_all(
            r"((?i:(?:in|ex)clusion criteri(?:a|on)) ?(?:\([^)\n]{0,40}\) ?)?:)[ \t]([ \t]*\S)", "$1\n$2"
        )
        # "… for 6 months. EXCLUSION: relapse within …"
        .str.replace_all(
            r"([.;)]) ((?:EXCLUSIONS?|Exclusions?|INCLUSIONS?|Inclusions?) ?:) ?(\S)", "$1\n$2 $3"
        )
        # "Inclusion: patients with …"
        .str.replace_all(r"(?m)^([\s*#_-]*(?i:(?:in|ex)clusions?)):[ \t]([ \t]*\S)", "$1:\n$2")
        .str.replace_all(
            r"(?m)^([\s*#_-]*(?i:(?:(?:key|main|major|patient|list of) )?(?:in|ex)clusion criteri(?:a|on))):([^\s:*])",
            "$1\n$2",
        )
        .str.replace_all(r"([.;:,)]) (\d{1,2}\\?[.)] ?[A-Z≥><])", "$1\n$2")
        .str.replace_all(r"(\S) ([•‣▪●◦·➢] )", "$1\n$2")
    )


def _numbered_through(text: pl.Expr) -> pl.Expr:
    """ "… by treatment 13) Subject has …": numbers of one run of criteria need no full stop between them."""

    def only(condition: pl.Expr) -> pl.Expr:
        # Few texts are of this kind; of the others the patterns see nothing.
        return pl.when(condition).then(text).otherwise(pl.lit(""))

    is_run = only(text.str.contains("4) ", literal=True)).str.contains(r"(?s)\b1\) .*\b2\) .*\b3\) .*\b4\) ")
    broken = only(is_run).str.replace_all(r"([A-Za-z\d]) (\d{1,2}\) [A-Z])", "$1\n$2")
    return pl.when(is_run).then(broken).otherwise(text)


def _ends_in_colon(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars_end().str.ends_with(":")


def _split_inline(text: pl.Expr) -> pl.Expr:
    """Texts printed as one line with " - " or " * " before each criterion."""
    dashes = text.str.replace_all(r"[ \t]([-*–] [A-Z≥><\d])", "\n$1")
    # Headers may have got lines of their own already; "18 - 55" is no bullet then.
    words = text.str.replace_all(r"[ \t]([-*–] [A-Z])", "\n$1")
    lines = text.str.count_matches("\n")
    return (
        pl.when(lines < 3)
        .then(dashes)
        .when((lines < 8) & (text.str.count_matches(r"\S[ \t][-*–] [A-Z]") >= 4))
        .then(words)
        .otherwise(text)
    )


def _lines(studies: pl.DataFrame) -> pl.DataFrame:
    return (
        studies.lazy()
        .select("nct_id", source=pl.col("eligibility_text").fill_null(""))
        .with_row_index("study")
        .with_columns(source=_broken(pl.col("source")))
        .with_columns(source=_numbered_through(pl.col("source")))
        .with_columns(source=_split_inline(pl.col("source")))
        .with_columns(line=pl.col("source").str.split("\n"))
        .drop("source")
        .explode("line")
        .with_columns(
            length=pl.col("line").str.len_chars().cast(pl.Int64),
            body=pl.col("line").str.strip_chars(),
        )
        .with_columns(
            offset=(pl.col("length") + 1).cum_sum().over("study") - pl.col("length") - 1,
            # "3.0 ≤ EDSS" begins with a number, "3.Age" with a bullet.
            bullet=pl.col("line")
            .str.extract(f"({BULLET})", 1)
            .fill_null("")
            .pipe(
                lambda bullet: (
                    pl.when(pl.col("line").str.strip_prefix(bullet).str.contains(r"^\d"))
                    .then(bullet.str.replace(r"\d+\\?\.$", "").str.replace(r"^\s+$", ""))
                    .otherwise(bullet)
                )
            ),
            is_blank=pl.col("body").is_in(["", "```", "\\-", "-", "*"]),
        )
        .with_columns(
            is_wrapped=((pl.col("length").max() <= 112) & (pl.col("length").max() >= 70)).over("study"),
            leading=(pl.col("length") - pl.col("line").str.strip_chars_start().str.len_chars()).cast(
                pl.Int64
            ),
        )
        .with_columns(
            # Wrapped text aligns the words ("9." and "10." end in one column), markdown aligns the bullets.
            indent=pl.when((pl.col("bullet") != "") & pl.col("is_wrapped"))
            .then(pl.col("bullet").str.len_chars().cast(pl.Int64))
            .otherwise(pl.col("leading") + (pl.col("bullet") != "").cast(pl.Int64)),
            plain=pl.when(pl.col("bullet") != "")
            .then(pl.col("line").str.strip_prefix(pl.col("bullet")))
            .otherwise(pl.col("body"))
            .str.to_lowercase()
            .str.strip_chars(" #*_\t"),
        )
        .with_columns(
            is_header=(pl.col("plain").str.len_chars() < 110)
            & (
                pl.col("plain").str.contains(_HEADER)
                | pl.col("plain").str.contains(_HEADER_LOOSE)
                | pl.col("plain").str.contains(_ELIGIBILITY)
                | pl.col("plain").str.contains(_NOT_INCLUDED)
            ),
            # Up to 80 letters before the colon: counted apart, a pattern that counts them takes as long as all others.
            is_excluding_intro=pl.when((pl.col("bullet") == "") & _ends_in_colon(pl.col("plain")))
            .then(pl.col("plain"))
            .otherwise(pl.lit(""))
            .str.extract(_EXCLUDING_INTRO, 1)
            .str.len_chars()
            .fill_null(81)
            <= 80,
            # "… function (e.g." and a blank line before the examples: the sentence goes on.
            is_open=pl.when(~pl.col("is_blank"))
            .then(pl.col("body").str.contains(_OPEN_END))
            .forward_fill()
            .shift(1)
            .over("study")
            .fill_null(False)
            & pl.col("body").str.contains(r"^[a-z\[(\d]"),
        )
        # "… at least one month before", a blank line, "inclusion)": no header.
        .with_columns(is_header=pl.col("is_header") & ~pl.col("is_open"))
        .with_columns(
            section=pl.when(
                pl.col("is_header")
                & pl.col("plain").str.contains(
                    r"exclu|ineligib|non-?\s?inclusion|not\s+(?:be\s+)?(?:included|eligible)"
                )
                & ~pl.col("plain").str.replace_all(r"non-?\s?inclusion", "").str.contains("inclusion")
            )
            .then(pl.lit("exclusion"))
            .when(pl.col("is_header") & pl.col("plain").str.contains("inclusion"))
            .then(pl.lit("inclusion"))
            .when(pl.col("is_header"))
            .then(pl.lit("inclusion"))
            .when(pl.col("is_excluding_intro"))
            .then(pl.lit("exclusion")),
            part=pl.when(pl.col("is_header")).then(
                pl.coalesce(
                    pl.col("plain").str.extract(_PART_NUMBER, 1).str.replace_all(r"\s+", " "),
                    pl.when(
                        ~pl.col("plain").str.contains(
                            r"^(?:patients?|subjects?|participants?)['’]? (?:in|ex)clusion"
                        )
                    )
                    .then(pl.col("plain").str.extract(_PART_NAME, 1))
                    .otherwise(pl.col("plain").str.extract(r"^(patient)s?\b", 1)),
                    pl.lit(""),
                )
            ),
        )
        .with_columns(
            previous_blank=pl.col("is_blank").shift(1, fill_value=True).over("study"),
            previous_header=pl.col("is_header").shift(1, fill_value=False).over("study"),
            previous_length=pl.col("length").shift(1, fill_value=0).over("study"),
            previous_end=pl.col("body").shift(1, fill_value="").over("study").str.slice(-1),
            # Words that begin below the words of the bullet above, behind a full line: the line was broken by hand.
            hangs=(pl.col("leading") >= 2)
            & (pl.col("length").shift(1, fill_value=0).over("study") >= 60)
            & (
                pl.col("leading")
                == pl.when(pl.col("bullet") != "")
                .then(pl.col("bullet").str.len_chars().cast(pl.Int64))
                .forward_fill()
                .over("study")
            ).fill_null(False),
        )
        .with_columns(
            is_start=~pl.col("is_blank")
            & (
                (pl.col("bullet") != "")
                | pl.col("is_header")
                | (pl.col("previous_blank") & ~pl.col("is_open"))
                | pl.col("previous_header")
                | ~(
                    (pl.col("is_wrapped") & (pl.col("previous_length") >= 60))
                    | pl.col("body").str.contains(r"^[a-z(,;&]")
                    | pl.col("hangs")
                    | pl.col("is_open")
                    | (pl.col("is_wrapped") & pl.col("previous_end").is_in([",", "-", "("]))
                )
            )
        )
        .with_columns(criterion=pl.col("is_start").cast(pl.Int64).cum_sum().over("study"))
        .collect(engine="in-memory")
    )


def _criteria(lines: pl.DataFrame) -> pl.DataFrame:
    grouped = (
        lines.lazy()
        .group_by("study", "criterion", maintain_order=True)
        .agg(
            pl.col("nct_id").first(),
            pl.col("bullet").first(),
            pl.col("indent").first(),
            pl.col("offset").first(),
            pl.col("is_header").first(),
            pl.col("is_excluding_intro").first(),
            pl.col("section").first(),
            pl.col("part").first(),
            joined=pl.col("line").str.join("\n"),
        )
        .with_columns(after_bullet=pl.col("joined").str.strip_prefix(pl.col("bullet")))
        .with_columns(trimmed=pl.col("after_bullet").str.strip_chars_start())
        .with_columns(
            char_start=pl.col("offset")
            + (pl.col("joined").str.len_chars() - pl.col("trimmed").str.len_chars()).cast(pl.Int64),
            # A section number that belongs to the header on the next line ("… the study) 4.2").
            raw=pl.when(pl.col("is_header").shift(-1).over("study").fill_null(False))
            .then(pl.col("trimmed").str.replace(r"([^><≥≤=]\)|[.;\]])\s+\d+\.\d+\s*$", "$1"))
            .otherwise(pl.col("trimmed"))
            .str.strip_chars_end(),
        )
        .with_columns(
            char_end=pl.col("char_start") + pl.col("raw").str.len_chars().cast(pl.Int64),
            text=collapsed(pl.col("raw")),
            block=pl.col("section").is_not_null().cast(pl.Int64).cum_sum().over("study"),
        )
        .with_columns(
            section=pl.col("section").forward_fill().over("study").fill_null("inclusion"),
            part=pl.col("part").forward_fill().over("study").fill_null(""),
            lower=pl.col("text").str.to_lowercase(),
        )
        .filter(pl.col("raw") != "", pl.col("text").str.contains(r"\w"))
        .with_columns(is_note=pl.col("lower").str.contains(_NOTE) & (pl.col("text").str.len_chars() < 400))
        .collect(engine="in-memory")
    )
    return grouped


def _groups(criteria: pl.DataFrame) -> pl.DataFrame:
    intro = (
        criteria.lazy()
        .filter(~pl.col("is_header"))
        .with_row_index("row")
        .with_columns(pl.col("row").cast(pl.Int64))
        .with_columns(
            is_intro=pl.col("lower").str.contains(_INTRO) & ~pl.col("is_note"),
            # "1. Prior treatment with:", and "a. …" on the same column below it: letters under numbers are nested.
            indent=pl.col("indent")
            + (
                pl.col("bullet").str.contains(r"^\s*\(?[a-h]\\?[.)]\s")
                & pl.col("bullet").str.contains(r"^\s*\(?\d+\\?[.)]").first().over("study", "block")
            ).cast(pl.Int64),
        )
        .with_columns(
            level=pl.min_horizontal(
                pl.col("indent").rank("dense").over("study", "block").cast(pl.Int64) - 1, LEVELS - 1
            ),
            ends_or=pl.col("text").str.contains(_ENDS_OR),
        )
        .with_columns(
            [
                pl.when(pl.col("level") == k)
                .then(pl.col("row"))
                .forward_fill()
                .over("study", "block")
                .alias(f"last_{k}")
                for k in range(LEVELS - 1)
            ]
        )
        .with_columns(
            parent=pl.max_horizontal(
                [pl.when(pl.col("level") > k).then(pl.col(f"last_{k}")) for k in range(LEVELS - 1)]
            )
        )
        .with_columns(
            next_is_child=pl.col("parent").shift(-1).over("study", "block") == pl.col("row"),
            # What an introduction says of its list is asked of introductions alone: few lines are any.
            introduction=pl.when(pl.col("is_intro")).then(pl.col("lower")).otherwise(pl.lit("")),
        )
        .with_columns(
            is_any=pl.col("introduction").str.contains(_ANY),
            is_all=pl.col("introduction").str.contains(_ALL),
            is_example=pl.col("introduction").str.contains(_EXAMPLES),
            negates=pl.col("introduction").str.contains(_NEGATED_INTRO),
            some=pl.coalesce(
                pl.col("introduction").str.extract(_SOME, 1), pl.col("introduction").str.extract(_SOME, 2)
            ).replace_strict(
                {"two": 2, "three": 3, "four": 4, "five": 5, "2": 2, "3": 3, "4": 4, "5": 5},
                default=None,
                return_dtype=pl.Int64,
            ),
        )
        .with_columns(pl.col("next_is_child").fill_null(False))
        # A list printed on the level of its introduction: it goes on while its items end in "or" or ";".
        .with_columns(
            is_flat=pl.col("is_intro")
            & ~pl.col("next_is_child")
            & (pl.col("is_any") | pl.col("ends_or").shift(-1, fill_value=False).over("study", "block"))
            & (pl.col("section") == "inclusion"),
            stops=(~(pl.col("ends_or") | pl.col("text").str.contains(r"[;,]\s*$"))).cast(pl.Int64),
        )
        .with_columns(
            flat_intro=pl.when(pl.col("is_flat"))
            .then(pl.col("row"))
            .forward_fill()
            .over("study", "block")
            .shift(1)
            .over("study", "block"),
            stops_before=pl.col("stops").cum_sum().over("study", "block") - pl.col("stops"),
        )
        .with_columns(
            stops_at_intro=pl.when(pl.col("is_flat"))
            .then(pl.col("stops_before") + pl.col("stops"))
            .forward_fill()
            .over("study", "block")
            .shift(1)
            .over("study", "block")
        )
        .with_columns(
            parent=pl.when(
                pl.col("flat_intro").is_not_null()
                & (pl.col("stops_before") == pl.col("stops_at_intro"))
                & ~pl.col("is_note")
            )
            .then(pl.col("flat_intro"))
            .otherwise(pl.col("parent"))
        )
        .collect(engine="in-memory")
    )
    return _tree(intro)


def _tree(rows: pl.DataFrame) -> pl.DataFrame:
    """Group of every row: that of the nearest introducing ancestor, else the section's."""
    children = (
        rows.filter(pl.col("parent").is_not_null())
        .group_by("parent")
        .agg(children=pl.len(), child_or=(pl.col("ends_or").any()), has_intro_child=pl.col("is_intro").any())
    )
    rows = rows.join(
        children, left_on="row", right_on="parent", how="left", maintain_order="left"
    ).with_columns(opens=pl.col("is_intro") & pl.col("children").is_not_null())
    up = rows.select(parent="row", up_opens="opens", up_parent="parent")
    rows = rows.with_columns(group_row=pl.col("parent"))
    for _ in range(LEVELS):
        # A parent that opens no list hands its own group down.
        rows = (
            rows.join(up, left_on="group_row", right_on="parent", how="left", maintain_order="left")
            .with_columns(
                group_row=pl.when(pl.col("group_row").is_null() | pl.col("up_opens").fill_null(False))
                .then(pl.col("group_row"))
                .otherwise(pl.col("up_parent"))
            )
            .drop("up_opens", "up_parent")
        )
    openers = rows.select(
        opener="row",
        opener_group="group_row",
        opener_text="text",
        opener_negates=pl.col("negates") & (pl.col("section") == "inclusion"),
        opener_logic=pl.when(pl.col("section") == "exclusion")
        .then(pl.when(pl.col("is_all") & ~pl.col("is_any")).then(pl.lit("any")).otherwise(pl.lit("all")))
        .when(pl.col("negates"))
        .then(pl.lit("all"))
        .when(
            pl.col("is_any")
            | pl.col("some").is_not_null()
            | (pl.col("child_or").fill_null(False) & ~pl.col("is_all"))
        )
        .then(pl.lit("any"))
        .otherwise(pl.lit("all")),
        opener_minimum=pl.when(pl.col("section") == "exclusion")
        .then(pl.when(pl.col("some").is_not_null()).then(pl.col("children") - pl.col("some") + 1))
        .otherwise(pl.col("some")),
        opener_example=pl.col("is_example") & (pl.col("section") == "inclusion") & ~pl.col("negates"),
    ).with_columns(
        opener_logic=pl.when(pl.col("opener_minimum").is_not_null())
        .then(pl.lit("any"))
        .otherwise(pl.col("opener_logic"))
    )
    rows = rows.join(openers, left_on="group_row", right_on="opener", how="left", maintain_order="left")
    above = rows.select("row", "group_row")
    rows = rows.with_columns(
        group_depth=pl.col("group_row").is_not_null().cast(pl.Int64), step=pl.col("opener_group")
    )
    for _ in range(LEVELS):
        rows = (
            rows.with_columns(group_depth=pl.col("group_depth") + pl.col("step").is_not_null().cast(pl.Int64))
            .join(
                above.rename({"group_row": "next_step"}),
                left_on="step",
                right_on="row",
                how="left",
                maintain_order="left",
            )
            .with_columns(step=pl.col("next_step"))
            .drop("next_step")
        )
    return rows.with_columns(
        line_kind=pl.when(pl.col("is_note") | pl.col("opener_example").fill_null(False))
        .then(pl.lit("note"))
        .when(pl.col("opens"))
        .then(pl.lit("intro"))
        .when(pl.col("is_intro") & (pl.col("text").str.len_chars() < 90))
        .then(pl.lit("heading"))
        .otherwise(pl.lit("item")),
        group_logic=pl.coalesce(pl.col("opener_logic"), pl.lit("all")),
        group_minimum=pl.col("opener_minimum"),
        parent_group_row=pl.when(pl.col("group_row").is_not_null()).then(
            pl.col("opener_group").fill_null(-1)
        ),
        group_row=pl.col("group_row").fill_null(-1),
        ordinal=pl.int_range(1, pl.len() + 1).over("study"),
        sense=pl.when((pl.col("section") == "exclusion") | pl.col("opener_negates").fill_null(False))
        .then(pl.lit("forbid"))
        .otherwise(pl.lit("require")),
        context=pl.col("opener_text").fill_null(""),
    )
