"""How a long analysis is given up: who started it says in between whether it is still wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Stopped(Exception):
    """Nobody waits for the result any more."""


_wanted: ContextVar[Callable[[], bool]] = ContextVar("wanted", default=lambda: True)


@contextmanager
def while_wanted(wanted: Callable[[], bool]) -> Iterator[None]:
    """What runs inside stops with `Stopped` once `wanted()` is False."""
    token = _wanted.set(wanted)
    try:
        yield
    finally:
        _wanted.reset(token)


def go_on() -> None:
    """Stop here if the result is not wanted any more.

    >>> with while_wanted(lambda: False):
    ...     go_on()
    Traceback (most recent call last):
    costmodel.core.stopping.Stopped
    """
    if not _wanted.get()():
        raise Stopped
