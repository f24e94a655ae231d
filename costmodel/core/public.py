"""What every public name does: an argument that it does not have is an error with the nearest name that it has."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import wraps
from typing import Any, TypeVar

from costmodel.core.errors import unknown

Thing = TypeVar("Thing", bound=Callable[..., Any])


def public(thing: Thing) -> Thing:
    """Mark a function or a class as public: its error for a misspelt argument names the nearest one.

    >>> @public
    ... def rent(gpu, hours=1): ...
    >>> rent("T4", hour=2)
    Traceback (most recent call last):
    TypeError: no argument 'hour' in rent(...); did you mean 'hours'?
    """
    if isinstance(thing, type):
        thing.__init__ = _checked(thing.__init__, thing.__name__)  # type: ignore[misc]
        return thing
    return _checked(thing, thing.__name__)


def _checked(call: Any, name: str) -> Any:
    @wraps(call)
    def checked(*args: Any, **named: Any) -> Any:
        try:
            return call(*args, **named)
        except TypeError as error:
            if wrong := misspelt(
                call, name, args, named
            ):  # it was this call, not something inside it
                raise wrong from None
            raise error

    return checked


def misspelt(
    call: Any, name: str, args: tuple[Any, ...], named: dict[str, Any], more: Iterable[str] = ()
) -> TypeError | None:
    """The error of a call whose arguments do not fit its signature (and the names in `more`), or None where they do."""
    asked = inspect.signature(call)
    try:
        asked.bind(*args, **{n: v for n, v in named.items() if n not in more})
        return None
    except TypeError as wrong:
        known = [
            n
            for n, p in asked.parameters.items()
            if n != "self" and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        ]
        known += more
        strange = next((n for n in named if n not in known), None)
        return TypeError(
            f"{name}: {wrong}"
            if strange is None
            else str(unknown("argument", strange, known, f"{name}(...)"))
        )


def absent(module: str, names: Iterable[str]) -> Callable[[str], Any]:
    """The `__getattr__` of a face: a name that is not there is an error with the nearest that is."""
    known = list(names)

    def __getattr__(name: str) -> Any:
        near = get_close_matches(name, known, n=2)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise AttributeError(f"module {module!r} has no attribute {name!r}{hint}")

    return __getattr__
