"""Keeps patient values out of what Dagster stores: every step of ours fails with a message that we wrote.

An exception of another library may quote a cell. Its text goes to `private/errors/` alone; Dagster's event
log and the terminal get the name of its class and where to look.
"""

import errno
import functools
import inspect
import os
import traceback
from collections.abc import Callable
from typing import Any

import dagster as dg

from pipeline.errors import RegistryUnreachable, RemitError
from pipeline.home import Home

FULL_DISK = "Free some space under REMIT_HOME and run again; the last release stays."


def guarded(home: Home, step: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate the body of a step (function or generator) so that only safe failures leave it."""

    def decorate(body: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isgeneratorfunction(body):

            @functools.wraps(body)
            def generator(*args: Any, **kwargs: Any) -> Any:
                failure = None
                try:
                    yield from body(*args, **kwargs)
                except Exception as error:
                    failure = _failure(home, step, error)
                if failure is not None:  # raised here, so that it carries no context
                    raise failure

            return generator

        @functools.wraps(body)
        def function(*args: Any, **kwargs: Any) -> Any:
            failure = result = None
            try:
                result = body(*args, **kwargs)
            except Exception as error:
                failure = _failure(home, step, error)
            if failure is not None:
                raise failure
            return result

        return function

    return decorate


def _failure(home: Home, step: str, error: Exception) -> Exception:
    if isinstance(error, RemitError):
        return dg.Failure(str(error), allow_retries=isinstance(error, RegistryUnreachable))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return dg.Failure(f"{step}: the disk is full. {FULL_DISK}", allow_retries=False)
    try:
        note = write_private_error(home, step, "".join(traceback.format_exception(error)))
    except OSError:
        return dg.Failure(
            f"{step} failed with {type(error).__name__}, and private/ cannot be written. {FULL_DISK}",
            allow_retries=False,
        )
    return dg.Failure(
        f"{step} failed with {type(error).__name__}: its text may hold patient values and stands in {note} alone. "
        "Read it there, correct the cause and run again.",
        allow_retries=False,
    )


def write_private_error(home: Home, step: str, text: str) -> str:
    """Keep an error's full text under private/errors/ (0600); gives the file's place below the home."""
    folder = home.private / "errors"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{step.replace('/', '-').replace(' ', '-')}-{os.getpid()}-{os.urandom(3).hex()}.txt"
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return f"private/errors/{name}"
