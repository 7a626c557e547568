"""Registered trials: pull, read, classify, compare versions. No Dagster here."""
