"""Walking and rewriting nested frozen dataclasses, and the key under which a value of a field is drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from costmodel.core.errors import unknown
from costmodel.core.public import public
from costmodel.core.ranges import Doubt

# -- walking nested dataclasses ------------------------------------------------------------------------


def key_of(owner: Any, field: str, value: Any) -> str:
    """The key of a draw: the name of the Range, else that of the field's default, else `record.field` or `Class.field`.

    So what overrides a default stays paired with it: `Rag(top_k=Range(2, 4))` draws with every other `rag.top_k`.
    """
    name = value.name if isinstance(value, Doubt) else None
    return name or _default_key(owner, field) or f"{owner_of(owner)}.{field}"


def owner_of(x: Any) -> str:
    """The name under which the fields of x are cited: a record's id, else its class."""
    return getattr(x, "id", None) or type(x).__name__


def _default_key(owner: Any, field: str) -> str | None:
    return getattr(owner.__dataclass_fields__[field].default, "name", None)


def rewrite(
    x: Any,
    change: Callable[[str, Any], Any],
    memo: dict[int, Any] | None = None,
    doubts: bool = False,
) -> Any:
    """A copy of nested dataclasses, tuples and dicts with each leaf replaced by `change(key, value)`.

    Leaves are what is not itself a dataclass, tuple or dict; with `doubts`, only Ranges and evaluations. Untouched parts are
    shared, not copied, and an object that occurs twice is rewritten once.
    """
    memo = {} if memo is None else memo
    if id(x) in memo:
        return memo[id(x)]
    if isinstance(x, tuple):
        items = tuple(rewrite(i, change, memo, doubts) for i in x)
        made: Any = x if all(a is b for a, b in zip(items, x, strict=True)) else items
    elif isinstance(x, dict):
        made = {k: rewrite(v, change, memo, doubts) for k, v in x.items()}
    elif hasattr(x, "__dataclass_fields__") and not isinstance(x, Doubt):
        made = x if doubts and _certain(x) else _rewritten(x, change, memo, doubts)
    else:
        return x
    memo[id(x)] = made
    return made


def _certain(x: Any) -> bool:
    """Whether nothing in here is a doubt."""
    if isinstance(x, (tuple, dict)):
        return all(map(_certain, x.values() if isinstance(x, dict) else x))
    return not isinstance(x, Doubt) and (not hasattr(x, "__dataclass_fields__") or not _doubtful(x))


def _doubtful(x: Any) -> tuple[str, ...]:
    """The fields of a frozen dataclass in which a doubt is; it remembers them, so that what is certain is walked once."""
    known = x.__dict__.get("_doubtful")
    if known is None:
        known = tuple(name for name in _field_names(x) if not _certain(getattr(x, name)))
        object.__setattr__(x, "_doubtful", known)
    return known


def _rewritten(
    x: Any, change: Callable[[str, Any], Any], memo: dict[int, Any], doubts: bool
) -> Any:
    new = {}
    for name in _doubtful(x) if doubts else _field_names(x):
        old = getattr(x, name)
        if old is None or isinstance(old, (str, bool)):
            continue
        if isinstance(old, Doubt):
            value = change(key_of(x, name, old), old)
        elif isinstance(old, (tuple, dict)) or hasattr(old, "__dataclass_fields__"):
            value = rewrite(old, change, memo, doubts)
        else:
            value = old if doubts else change(key_of(x, name, old), old)
        if value is not old:
            new[name] = value
    if not new:
        return x
    twin = object.__new__(
        type(x)
    )  # not replace(): what __post_init__ checked still holds, and arrays must pass
    for name in _field_names(x):
        object.__setattr__(twin, name, new[name] if name in new else getattr(x, name))
    return twin


def _field_names(x: Any) -> tuple[str, ...]:
    return tuple(x.__dataclass_fields__)


def same(a: Any, b: Any) -> bool:
    """Structural equality of nested dataclasses that may hold arrays of draws."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, name), getattr(b, name)) for name in _field_names(a))
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else bool(a == b)


def walk(x: Any) -> Iterator[tuple[Any, str, Any]]:
    """Every (owner, field, number) inside nested dataclasses, tuples and dicts."""
    if isinstance(x, (tuple, list, dict)):
        for item in x.values() if isinstance(x, dict) else x:
            yield from walk(item)
    elif dataclasses.is_dataclass(x) and not isinstance(x, Doubt):
        for name in _field_names(x):
            value = getattr(x, name)
            if isinstance(value, (*Doubt, int, float, np.number, np.ndarray)) and not isinstance(
                value, bool
            ):
                yield x, name, value
            else:
                yield from walk(value)


def objects(x: Any) -> Iterator[Any]:
    """Every dataclass inside nested dataclasses, tuples and dicts, outermost first (Ranges are not counted)."""
    if isinstance(x, (tuple, list, dict)):
        for item in x.values() if isinstance(x, dict) else x:
            yield from objects(item)
    elif dataclasses.is_dataclass(x) and not isinstance(x, Doubt):
        yield x
        for name in _field_names(x):
            yield from objects(getattr(x, name))


def leaves(x: Any) -> Iterator[tuple[str, Any]]:
    """Every (key, number) inside nested dataclasses, each key once, in order of first sight."""
    seen: set[str] = set()
    for owner, name, value in walk(x):
        key = key_of(owner, name, value)
        if key not in seen:
            seen.add(key)
            yield key, value


def find_key(x: Any, name: str) -> str:
    """The key for `name`: a key itself, a `Class.field` or `record.field`, or a bare field name that is unambiguous."""
    keys: dict[str, set[str]] = {}
    for owner, field, value in walk(x):
        key = key_of(owner, field, value)
        for alias in (key, f"{owner_of(owner)}.{field}", field):
            keys.setdefault(alias, set()).add(key)
    found = keys.get(name, set())
    if name in found:
        return name
    if len(found) == 1:
        return next(iter(found))
    if found:
        raise ValueError(
            f"{name!r} could be {' or '.join(map(repr, sorted(found)))}; write one of them"
        )
    raise unknown("input", name, keys, where="these options and this workload")


@public
def pin(x: Any, key: str, value: Any) -> Any:
    """x with the leaf `key` set to `value`, wherever it occurs (a number, a Range, or an (n, 1) array)."""
    return rewrite(x, lambda k, old: value if k == key else old)
