"""Statistics that SQL lacks, on scipy, statsmodels and lifelines: frames in, frames out."""

from pipeline.statistics.run import run, tables, write_empty

__all__ = ["run", "tables", "write_empty"]
