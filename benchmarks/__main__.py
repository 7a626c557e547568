"""Every benchmark in its short form: `python -m benchmarks`. One alone, with its options: `python -m benchmarks.NAME --help`."""

from __future__ import annotations

import importlib
import pkgutil

import benchmarks


def main() -> None:
    """Run `main()` of every module of this folder that has one."""
    for module in sorted(found.name for found in pkgutil.iter_modules(benchmarks.__path__)):
        if module.startswith("_"):
            continue
        benchmark = getattr(importlib.import_module(f"benchmarks.{module}"), "main", None)
        if benchmark is not None:
            print(f"\n== {module}", flush=True)
            benchmark()


if __name__ == "__main__":
    main()
