"""Helpers of the tests. Not tests."""
