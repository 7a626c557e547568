"""Where long work reports how far it is. Silent until the command line shows a bar. No names, no values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, int, int | None], None]

_listeners: list[Listener] = []


def report(what: str, done: int = 0, total: int | None = None) -> None:
    """Tell whoever listens: `what` is a step's name, `done` of `total` units are finished."""
    for listener in _listeners:
        listener(what, done, total)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let `listener` hear of progress within the block."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
