"""Statistics that SQL lacks, on scipy, statsmodels and lifelines: frames in, frames out."""
