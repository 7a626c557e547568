"""Work that Python's lock would keep on one core, on all of them: processes that end with the one that began them.

Nothing about criteria here. A text costs 2 ms of Python, so a first load of 50,000 studies is two minutes of it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

# Items from which processes pay: each takes about a second to begin.
ENOUGH = 2000
CHUNK = 1000


class Workers:
    """`map` over chunks of a sequence; here where it is short, else in processes that stay until `close`."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._is_broken = False

    def map(self, function: Callable[[list[Any]], Any], items: Sequence[Any]) -> Iterator[Any]:
        """What `function` gives for the items chunk by chunk, in their order.

        Where processes cannot be had (no memory, an interpreter fed from standard input) all is done here.
        """
        chunks = [list(items[start : start + CHUNK]) for start in range(0, len(items), CHUNK)]
        if len(items) < ENOUGH or self._is_broken:
            yield from map(function, chunks)
            return
        done = 0
        try:
            for result in self._processes().map(function, chunks):
                done += 1
                yield result
        except (BrokenProcessPool, OSError):
            self._is_broken = True
            yield from map(function, chunks[done:])

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _processes(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Not forked: polars and DuckDB hold threads and locks that a fork would copy half-way.
            self._pool = ProcessPoolExecutor(
                os.cpu_count() or 1, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
            )
        return self._pool


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when it ends
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
