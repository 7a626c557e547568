"""Remit: registered MS trials and a group's own patients in one warehouse.

`registry` and `cohort` read their sources and never import each other; they meet in dbt.
Only `defs` imports dagster; only `defs` and `cli` import `release`.
"""
