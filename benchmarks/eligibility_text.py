"""Speed of reading criteria text: studies a second.

    python -m benchmarks.eligibility_text [FOLDER] [--studies N]

FOLDER holds study documents (default: the invented trials of examples/registry). Three figures, because a registry repeats
itself: `repeated` draws the folder's texts again and again under new ids, so that every text is known but the first time;
`edited` makes one line of every text different from all others, so that every text is new and most sentences are known;
`distinct` makes every single line different from every other, the worst that can come. From 3,000 new texts on they are
read by a process for each core. Each figure stands by the clock of all cores and per second of processor time: on a
machine that does other work the second is the one to compare.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import polars as pl

from benchmarks import cpu_seconds
from pipeline.registry import eligibility
from pipeline.registry.eligibility import grammar

PROJECT = Path(__file__).resolve().parents[1]


def documents(folder: Path) -> list[str]:
    """Criteria texts of all study documents below a folder."""
    texts: dict[str, str] = {}
    for path in sorted(p for p in folder.rglob("*.json*") if p.is_file()):
        content = path.read_text(encoding="utf-8", errors="replace")
        try:
            found = json.loads(content)
            found = found if isinstance(found, list) else found.get("studies", [found])
        except ValueError:
            found = [json.loads(line) for line in content.splitlines() if line.startswith("{")]
        for document in found:
            protocol = document.get("protocolSection") or {}
            text = (protocol.get("eligibilityModule") or {}).get("eligibilityCriteria")
            if text:
                texts[(protocol.get("identificationModule") or {}).get("nctId", str(len(texts)))] = text
    return list(texts.values())


def _frame(texts: list[str], count: int, changed: str = "") -> pl.DataFrame:
    """Studies that print the texts in turn; `changed` lines ("", "one" of each text or "all") get a number of their own."""
    repeated = [texts[i % len(texts)] for i in range(count)]
    frame = pl.DataFrame({"eligibility_text": repeated}).with_row_index("serial")
    if changed:
        # A serial number behind the last word of a line.
        is_changed = pl.col("line").str.contains(r"\w{4}")
        if changed == "one":
            is_changed &= is_changed.cum_sum().over("serial") == 2  # the first is the heading
        frame = (
            frame.with_columns(line=pl.col("eligibility_text").str.split("\n"))
            .explode("line")
            .with_row_index("number")
            .with_columns(
                pl.when(is_changed)
                .then(pl.col("line") + " ref" + pl.col("number").cast(pl.String))
                .otherwise(pl.col("line"))
                .alias("line")
            )
            .group_by("serial", maintain_order=True)
            .agg(eligibility_text=pl.col("line").str.join("\n"))
        )
    return frame.select(
        nct_id=pl.lit("NCT") + (90000000 + pl.col("serial")).cast(pl.String),
        eligibility_text="eligibility_text",
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=PROJECT / "examples" / "registry")
    parser.add_argument("--studies", type=int, default=5000)
    arguments = parser.parse_args()
    texts = documents(arguments.folder)
    if not texts:
        raise SystemExit(
            f"{arguments.folder}: no study document with criteria; name a folder that holds some."
        )
    eligibility.parse(_frame(texts, 2))
    for name, changed in (("repeated", ""), ("edited", "one"), ("distinct", "all")):
        frame = _frame(texts, arguments.studies, changed)
        grammar.forget()
        start, used = time.perf_counter(), cpu_seconds()
        out = eligibility.parse(frame)
        seconds, used = time.perf_counter() - start, cpu_seconds() - used
        print(
            f"{name}: {len(frame):,} studies, {len(out['criteria']):,} criteria, {len(out['criterion_constraints']):,} constraints"
            f" in {seconds:.2f} s = {len(frame) / seconds:,.0f} studies/s by the clock of {os.cpu_count()} cores,"
            f" {len(frame) / used:,.0f} per CPU second"
        )


if __name__ == "__main__":
    main()
