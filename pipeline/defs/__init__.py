"""Dagster, thin: what pure code does becomes assets, checks, a job, a schedule and a sensor. No rule lives here."""
