"""Patients' spreadsheets: read cells, map, pseudonymise, type, validate. No Dagster here."""
