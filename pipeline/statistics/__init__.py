"""Statistics that SQL lacks, on numpy and scipy: frames in, frames out. statsmodels and lifelines check them in the tests."""

from pipeline.statistics.run import run, tables, write_empty

__all__ = ["run", "tables", "write_empty"]
