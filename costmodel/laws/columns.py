"""The arguments of a prediction, one value or one for each row, as columns of one length."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from costmodel.core import check, in_words

MOST = sys.float_info.max


class Allowed(NamedTuple):
    """The values that a numeric argument may have."""

    low: float
    high: float
    words: str
    whole: bool = False
    needed: bool = True  # else None and NaN are left to the prediction


Distinct = tuple[list[Any], np.ndarray]  # different values, and which one each row has


def read(
    where: str, given: Mapping[str, Any], numbers: Mapping[str, Allowed]
) -> tuple[dict[str, np.ndarray], dict[str, Distinct]]:
    """(columns of the numbers, distinct values of everything else); arrays broadcast.

    >>> numbers, rest = read("f", {"gpus": [1, 2], "gpu": "T4"}, {"gpus": Allowed(1, 9, "1 to 9")})
    >>> numbers["gpus"].tolist(), rest["gpu"][0], rest["gpu"][1].tolist()
    ([1.0, 2.0], ['T4'], [0, 0])
    """
    entries = {name: _entries(value) for name, value in given.items()}
    for name, values in entries.items():
        check(values.size, f"{where}: {name} is empty; give one value, or one for each row")
    try:
        shape = np.broadcast_shapes(*(values.shape for values in entries.values()))
    except ValueError:
        sizes = sorted({values.size for values in entries.values()} - {1})
        raise ValueError(
            f"{where}: arguments have lengths {sizes}; give one value or as many as the longest"
        ) from None

    def column(values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values, shape).reshape(-1)

    found, rest = {}, {}
    for name, values in entries.items():
        if name in numbers:
            found[name] = column(_number(f"{where}: {name}", values, numbers[name]))
        else:
            different, index = _distinct(values)
            rest[name] = different, column(index)
    return found, rest


def banded(**bands: Any) -> dict[str, Any]:
    """The low, mid and high end of each number, as columns."""
    ends = ("low", "mid", "high")
    return {
        f"{name}_{end}": x for name, xs in bands.items() for end, x in zip(ends, xs, strict=True)
    }


def refuse(bad: np.ndarray, name: str, values: np.ndarray, allowed: str) -> None:
    """ValueError with the first bad value, unless there is none."""
    check(not bad.any(), f"{name} is {values[bad][:1].sum():g}, allowed is {allowed}")


def _entries(value: Any) -> np.ndarray:
    """One or many entries as an array; a text, a record and None are one entry."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return np.atleast_1d(value if isinstance(value, np.ndarray) else list(value))
    entry = np.empty(1, object)
    entry[0] = value
    return entry


def _number(name: str, entries: np.ndarray, allowed: Allowed) -> np.ndarray:
    try:
        array = entries.astype(float)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} is {in_words(entries.flat[0])}, it must be a number such as 8e9, or one for "
            "each row; cm.uncertainty.sample(range, n) gives one row per draw"
        ) from None
    empty = np.isnan(array)
    check(not (allowed.needed and empty.any()), f"{name} is missing; give a number")
    bad = ~empty & ((array < allowed.low) | (array > allowed.high))
    refuse(bad | ~empty & allowed.whole & (array != np.round(array)), name, array, allowed.words)
    return array


def _distinct(entries: np.ndarray) -> Distinct:
    """The different entries, and which one each is; texts are compared, records are not."""
    flat = entries.ravel().astype(object)
    texts = entries.dtype.kind == "U"
    keys = flat if texts else np.array([x if isinstance(x, str) else id(x) for x in flat], object)
    which, _ = pd.factorize(keys)
    return flat[_firsts(which)].tolist(), which.reshape(entries.shape)


def rows_of_cases(places: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(first row of each different combination of columns of places, which one each row has).

    >>> rows_of_cases([np.array([0, 0, 1, 0]), np.array([1, 0, 1, 1])])
    (array([0, 1, 2]), array([0, 1, 2, 0]))
    """
    code = np.int64(0)
    for place in places:
        code = code * (place.max(initial=0) + 1) + place
    which, _ = pd.factorize(code)
    return _firsts(which), which


def _firsts(which: np.ndarray) -> np.ndarray:
    """Where each number comes first, of numbers that count from 0 as they come."""
    most = np.maximum.accumulate(which)
    return np.flatnonzero(np.diff(most, prepend=-1))
