"""Work that Python's lock would keep on one core, on all of them: processes that end with the one that began them.

Nothing about criteria here. A distinct text costs a millisecond of Python, so a first load of 50,000 studies is most of a
minute of it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import polars as pl

# Items from which processes pay: one takes about a second to begin, and a thousand texts can be read in that.
ENOUGH = 3000
# Large enough for polars, which takes some 30 ms for a chunk of whatever size (it keeps 32 compiled patterns, segmentation
# has more), and small enough that no core waits long for the last one.
CHUNK = 500


class Workers:
    """`map` over chunks of a sequence: here where it is short, else here and in processes that stay until `close`."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._is_broken = False

    def map(self, function: Callable[[list[Any]], Any], items: Sequence[Any]) -> list[Any]:
        """What `function` gives for the items chunk by chunk, in their order.

        Where processes cannot be had (no memory, an interpreter fed from standard input) all is done here.
        """
        chunks = [list(items[start : start + CHUNK]) for start in range(0, len(items), CHUNK)]
        sent: dict[int, Future] = {}
        if len(items) >= ENOUGH:
            here = self._shared_out(function, chunks, sent)
        else:
            here = {place: function(chunk) for place, chunk in enumerate(chunks)}
        for place, future in sent.items():
            try:
                here[place] = future.result()
            except (BrokenProcessPool, OSError):
                self._is_broken = True
                here[place] = function(chunks[place])
        return [here[place] for place in range(len(chunks))]

    def _shared_out(
        self, function: Callable[[list[Any]], Any], chunks: list[list[Any]], sent: dict[int, Future]
    ) -> dict[int, Any]:
        """What was done here; what the processes do stands in `sent`. They take from the end, this one from the start."""
        left = deque(range(len(chunks)))
        guard = threading.RLock()

        def send(_: Future | None = None) -> None:
            with guard:
                if self._is_broken or not left:
                    return
                place = left.pop()
                try:
                    sent[place] = self._processes().submit(function, chunks[place])
                except (BrokenProcessPool, OSError):
                    self._is_broken = True
                    left.append(place)
                    return
            # Whoever is done gets the next, while this thread is at a chunk of its own.
            sent[place].add_done_callback(send)

        for _ in range(_others()):
            send()
        here: dict[int, Any] = {}
        while True:
            with guard:
                if not left:
                    return here
                place = left.popleft()
            here[place] = function(chunks[place])

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _processes(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Not forked: polars and DuckDB hold threads and locks that a fork would copy half-way.
            self._pool = ProcessPoolExecutor(
                _others(), mp_context=multiprocessing.get_context("spawn"), initializer=_begin
            )
            # Each has one core, and polars makes its threads when it is imported: the variable has to be there before.
            os.putenv("POLARS_MAX_THREADS", "1")
            try:
                self._pool.submit(int)  # begins them all
            finally:
                os.putenv("POLARS_MAX_THREADS", str(pl.thread_pool_size()))
        return self._pool


def _others() -> int:
    """Processes beside this one: a core each."""
    return max(1, (os.cpu_count() or 1) - 1)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when it ends
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
