"""Accepted and rejected rows, counts-only checks, deliveries. No value of a patient leaves here."""
