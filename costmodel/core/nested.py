"""Nested frozen dataclasses: walking them, rewriting them, and the key of each number inside.

The key of a number is the name of its Range, else the name that the default of its field has, else
`record.field` for a fact and `Class.field` for everything else. One key means one quantity: it is
drawn once, and a change of it holds wherever it occurs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from costmodel.core.errors import unknown
from costmodel.core.public import public
from costmodel.core.ranges import Doubt, Measured, Usual, is_number, unmarked
from costmodel.core.recording import Recorded

NO_NUMBERS = (str, bool, type(None))

Found = TypeVar("Found")


def field_names(x: Any) -> tuple[str, ...]:
    """The names of the fields of a dataclass."""
    return tuple(x.__dataclass_fields__)


def is_nest(x: Any) -> bool:
    """Whether something is a dataclass that may hold others: no Range and no evaluation."""
    return hasattr(x, "__dataclass_fields__") and not isinstance(x, (*Doubt, Usual))


# -- keys ------------------------------------------------------------------------------------------


def not_none(**values: Any) -> dict[str, Any]:
    """Those values that are not None, by name."""
    return {name: value for name, value in values.items() if value is not None}


def owner_of(x: Any) -> str:
    """The name under which the fields of x are cited: the id of a record, else the class."""
    return getattr(x, "id", None) or type(x).__name__


def key_of(owner: Any, field: str, value: Any) -> str:
    """The key of a number.

    What overrides a default stays paired with it: `Rag(top_k=Range(2, 4))` draws with every
    `rag.top_k`. An evaluation of a serving is one of its model.
    """
    name = value.name if isinstance(value, Doubt) else None
    default = unmarked(owner.__dataclass_fields__[field].default)
    judged = getattr(owner, "model", owner) if isinstance(value, Measured) else owner
    return name or getattr(default, "name", None) or f"{owner_of(judged)}.{field}"


def find_key(x: Any, name: str) -> str:
    """The key that a name means: itself, `Class.field`, `record.field`, or a field of one owner."""
    return find_keys(x, [name])[0]


def find_keys(x: Any, names: Iterable[str]) -> list[str]:
    """The keys that some names mean, as by `find_key`."""
    tables = [_keys_by_name(nest) for nest in outermost(x)]

    def key_for(name: str) -> str:
        found = set().union(*(keys.get(name, ()) for keys in tables))
        if name in found:
            return name
        if not found:
            known = dict.fromkeys(each for keys in tables for each in keys)
            raise unknown("input", name, known, where="these options and this workload")
        if len(found) > 1:
            several = " or ".join(map(repr, sorted(found)))
            raise ValueError(f"{name!r} could be {several}; write one of them")
        return min(found)

    return [key_for(name) for name in names]


def has_key(x: Any, key: str) -> bool:
    """Whether a number with this key is inside x."""
    return any(key in _keys_by_name(nest).get(key, ()) for nest in outermost(x))


def kept(x: Any, name: str, find: Callable[[Any], Found]) -> Found:
    """`find(x)` of a frozen dataclass, which keeps it under a name once found."""
    if name not in x.__dict__:
        object.__setattr__(x, name, find(x))
    return x.__dict__[name]


def _keys_by_name(x: Any) -> dict[str, set[str]]:
    """The keys inside a frozen dataclass by each name that means them."""
    return kept(x, "_keys", _find_keys_by_name)


def _find_keys_by_name(x: Any) -> dict[str, set[str]]:
    keys: dict[str, set[str]] = {}
    for owner, field, value in walk(x):
        key = key_of(owner, field, value)
        for alias in (key, f"{owner_of(owner)}.{field}", field):
            keys.setdefault(alias, set()).add(key)
    return keys


# -- walking ---------------------------------------------------------------------------------------


def walk(x: Any) -> Iterator[tuple[Any, str, Any]]:
    """Every (owner, field, number) inside nested dataclasses, tuples, lists and dicts."""
    if is_nest(x):
        for name in field_names(x):
            value = unmarked(getattr(x, name))
            if is_number(value):
                yield x, name, value
            else:
                yield from walk(value)
    else:
        for item in _items(x):
            yield from walk(item)


def outermost(x: Any) -> Iterator[Any]:
    """The dataclasses inside tuples, lists and dicts, or x itself."""
    if is_nest(x):
        yield x
    else:
        for item in _items(x):
            yield from outermost(item)


def leaves(x: Any) -> dict[str, Any]:
    """Every number by its key, in order of first sight."""
    found: dict[str, Any] = {}
    for owner, name, value in walk(x):
        found.setdefault(key_of(owner, name, value), value)
    return found


def objects(x: Any) -> Iterator[Any]:
    """Every dataclass inside nested dataclasses, tuples, lists and dicts, the outermost first."""
    if is_nest(x):
        yield x
        x = tuple(getattr(x, name) for name in field_names(x))
    for item in _items(x):
        yield from objects(item)


def _items(x: Any) -> Iterable[Any]:
    """The items of a collection, and none of anything else."""
    if isinstance(x, dict):
        return x.values()
    return x if isinstance(x, (tuple, list)) else ()


def same(a: Any, b: Any) -> bool:
    """Whether two nested dataclasses are equal; they may hold arrays of draws."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (np.ndarray, Recorded)):
        return np.array_equal(a, b)
    if hasattr(a, "__dataclass_fields__"):
        return all(same(getattr(a, name), getattr(b, name)) for name in field_names(a))
    return bool(a == b)


# -- rewriting -------------------------------------------------------------------------------------


def rewrite(
    x: Any, change: Callable[[str, Any], Any], doubts_only: bool = False, marks_too: bool = False
) -> Any:
    """A copy of nested dataclasses, tuples and dicts with `change(key, number)` for each number.

    With `doubts_only` the change is asked for Ranges and evaluations alone, otherwise for every
    value that is no text, flag, None, dataclass, tuple or dict. The mark of a usual number stays
    on, as it must where a doubt becomes a draw of it; with `marks_too` the change gets the number
    in its mark, and what it returns takes the place of both. What does not change is shared with
    x, not copied, and an object that occurs twice is rewritten once.
    """
    done: dict[int, Any] = {}

    def visit(x: Any) -> Any:
        if id(x) in done:
            return done[id(x)]
        if isinstance(x, tuple):
            items = tuple(map(visit, x))
            made: Any = x if all(a is b for a, b in zip(items, x, strict=True)) else items
        elif isinstance(x, dict):
            made = {key: visit(value) for key, value in x.items()}
        elif is_nest(x):
            made = visit_fields(x)
        else:
            return x
        done[id(x)] = made
        return made

    def visit_fields(x: Any) -> Any:
        new = {}
        for name in _doubtful(x) if doubts_only else field_names(x):
            given = getattr(x, name)
            old = unmarked(given)
            if isinstance(old, (tuple, dict)) or is_nest(old):
                value = visit(old)
            elif isinstance(old, Doubt) or not (doubts_only or isinstance(old, NO_NUMBERS)):
                held = given if marks_too else old
                value = change(key_of(x, name, old), held)
                if value is not held:
                    new[name] = value if held is given else replace(given, value=value)
                continue
            else:
                continue
            if value is not old:
                new[name] = value
        return unchecked(x, **new) if new else x

    return visit(x)


@public
def pin(x: Any, key: str, value: Any) -> Any:
    """x with one number set wherever it occurs, as if somebody had given it.

    So the tier of the workload does not scale it, as it scales what is usual.

    Parameters
    ----------
    x : dataclass, tuple or dict
        Options, a workload, terms, or a tuple of them.
    key : str
        The key of the number, such as "Workload.requests_per_month" or "rag.top_k".
    value : float, Range or array of the shape (draws, 1)
        What to put there.

    Returns
    -------
    The same structure; what does not change is shared with x.

    Examples
    --------
    >>> from dataclasses import make_dataclass
    >>> Fee = make_dataclass("Fee", ["usd"], frozen=True)
    >>> pin((Fee(3), Fee(4)), "Fee.usd", 5)
    (Fee(usd=5), Fee(usd=5))
    """
    return rewrite(x, lambda k, held: value if k == key else held, marks_too=True)


def held_at(x: Any, key: str, value: Any) -> Any:
    """x with one number at a value of its own doubt, such as an end of it.

    What is usual stays so: the tier of the workload scales it, as it scales the draws.
    """
    return rewrite(x, lambda k, old: value if k == key else old)


def unchecked(x: Any, **new: Any) -> Any:
    """A copy of a frozen dataclass without its checks: they held before, and arrays must pass."""
    twin, given = object.__new__(type(x)), x.__dict__
    fields = {name: given[name] for name in x.__dataclass_fields__ if name in given}
    twin.__dict__.update(fields, **new)
    return twin


def _doubtful(x: Any) -> tuple[str, ...]:
    """The names of the fields that hold a doubt."""
    return kept(x, "_doubtful", _find_doubtful)


def _find_doubtful(x: Any) -> tuple[str, ...]:
    return tuple(name for name in field_names(x) if _holds_doubt(getattr(x, name)))


def _holds_doubt(x: Any) -> bool:
    if is_nest(x):
        return bool(_doubtful(x))
    x = unmarked(x)
    return isinstance(x, Doubt) or any(map(_holds_doubt, _items(x)))
