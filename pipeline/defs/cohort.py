"""Cohort assets: the inbox into landing and the reading into the lake."""

LOAD_CHECK = "every_cohort_loaded"
