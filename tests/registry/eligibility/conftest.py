"""One criterion in, its constraints out."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from pipeline.registry import eligibility

# Another line of the same invented text speaks of MS, as every MS protocol does.
MS_LINE = "Diagnosis of multiple sclerosis zzz"


@pytest.fixture
def read() -> Callable[..., list[dict]]:
    """`read("Inclusion", "EDSS 0 to 5.5")` gives the constraints of that one criterion."""

    def one(section: str, text: str, ms: bool = True) -> list[dict]:
        lines = f"{section} Criteria:\n\n* {text}\n" + (f"* {MS_LINE}\n" if ms else "")
        out = eligibility.parse(pl.DataFrame({"nct_id": ["NCT90000001"], "eligibility_text": [lines]}))
        rows = out["criterion_constraints"].to_dicts()
        for row in rows:
            quoted = lines[row["char_start"] : row["char_end"]]
            assert " ".join(quoted.split()) == row["quote"]
        return rows

    return one
