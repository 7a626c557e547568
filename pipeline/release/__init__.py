"""Publishing: copy the marts, verify, rename, keep, roll back, describe. Imported by `defs` and `cli` alone."""
