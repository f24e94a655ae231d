"""Names that help: a misspelt argument or attribute is an error with the nearest right name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import wraps
from typing import Any, TypeVar, dataclass_transform

from costmodel.core.errors import unknown

Thing = TypeVar("Thing", bound=Callable[..., Any])
Record = TypeVar("Record")


def public(thing: Thing) -> Thing:
    """Mark a function or class as public: the error for a misspelt argument names the nearest one.

    >>> @public
    ... def rent(gpu, hours=1): ...
    >>> rent("T4", hour=2)
    Traceback (most recent call last):
    TypeError: no argument 'hour' in rent(...); did you mean 'hours'?
    """
    if isinstance(thing, type):
        thing.__init__ = _helpful(thing.__init__, thing.__name__)  # type: ignore[misc]  # wrapped
        return thing
    return _helpful(thing, thing.__name__)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[Record]) -> type[Record]:
    """Make a public dataclass that never changes; `dataclasses.replace` makes another."""
    return public(dataclass(frozen=True)(cls))


def _helpful(call: Any, name: str) -> Any:
    @wraps(call)
    def helpful(*args: Any, **named: Any) -> Any:
        try:
            return call(*args, **named)
        except TypeError:
            if wrong := misspelt(call, name, args, named):  # this call, not one inside it
                raise wrong from None
            raise

    return helpful


def misspelt(
    call: Any, name: str, args: tuple[Any, ...], named: dict[str, Any]
) -> TypeError | None:
    """The error of a call whose arguments do not fit its signature, or None where they do."""
    signature = inspect.signature(call)
    try:
        signature.bind(*args, **named)
        return None
    except TypeError as wrong:
        by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        known = [n for n, p in signature.parameters.items() if p.kind in by_name and n != "self"]
        strange = next((n for n in named if n not in known), None)
        if strange is None:
            return TypeError(f"{name}: {wrong}")
        return TypeError(str(unknown("argument", strange, known, f"{name}(...)")))


def absent(module: str, names: list[str]) -> Callable[[str], Any]:
    """The `__getattr__` of a face: the error for a name that is not there names the nearest one."""

    def __getattr__(name: str) -> Any:
        near = get_close_matches(name, names, n=2)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise AttributeError(f"module {module!r} has no attribute {name!r}{hint}")

    return __getattr__
