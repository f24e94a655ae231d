"""Checks of what a user gave: one plain sentence with the field, the value and the allowed range."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from costmodel.core.errors import check
from costmodel.core.glossary import limits, unit_of
from costmodel.core.nested import _field_names
from costmodel.core.ranges import Doubt, Range

LEAST_DIVISOR = 1e-6  # the least value of what divides something


def require(name: str, value: Any, low: float = 0, high: float = np.inf) -> None:
    """Check that a number, Range or array lies in low..high; the error names the field, the value and the limits."""
    allowed = f"at least {low:g}" if high == np.inf else f"between {low:g} and {high:g}"
    number = isinstance(value, (*Doubt, int, float, np.number, np.ndarray)) and not isinstance(
        value, bool
    )
    if not number:  # no array is ever spelt out for nothing
        raise ValueError(f"{name} is {value!r}, it must be a number or a Range, {allowed}")
    check(
        np.size(value) > 0, f"{name} is an empty array, it must be a number or a Range, {allowed}"
    )
    ends = (
        (value.low, value.high)
        if isinstance(value, Doubt)
        else (float(np.min(value)), float(np.max(value)))
    )
    shown = value if np.ndim(value) == 0 else ends
    check(np.isfinite(ends).all(), f"{name} is {shown}, it must be a finite number, {allowed}")
    check(ends[0] >= low and ends[1] <= high, f"{name} is {shown}, allowed is {allowed}")


def plain(name: str, value: Any, low: float = 0, high: float = np.inf) -> None:
    """Check a value that must be one number, no Range and no array.

    >>> plain("days", Range(1, 2))
    Traceback (most recent call last):
    ValueError: days is a Range, it must be one number, at least 0
    """
    allowed = f"at least {low:g}" if high == np.inf else f"between {low:g} and {high:g}"
    one = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    check(
        one,
        f"{name} is {'a Range' if isinstance(value, Doubt) else repr(value)}, it must be one number, {allowed}",
    )
    require(name, value, low, high)


def listed(name: str, values: Any, low: float = 0, high: float = np.inf) -> np.ndarray:
    """A list of numbers as an array; the error names the list, what it holds and the limits.

    >>> listed("queries_per_day", [5, -1])
    Traceback (most recent call last):
    ValueError: queries_per_day is (-1.0, 5.0), allowed is at least 0
    """
    try:
        array = np.array([float(v) for v in np.atleast_1d(values) if not isinstance(v, str)])
        good = len(array) == np.size(values) > 0
    except (TypeError, ValueError):
        good = False
    check(good, f"{name} is {values!r}, it must be a list of numbers, at least one")
    require(name, array, low, high)
    return array


def validate(x: Any, optional: tuple[str, ...] = ()) -> None:
    """Check every field of a dataclass against what its unit in the glossary allows.

    Shares lie in 0..1, yearly changes above -1, log-odds anywhere, other numbers at 0 or above; flags are True or False, dates
    are days or None. Texts and records are checked where they are used.
    """
    for name in _field_names(x):
        value, label = getattr(x, name), f"{type(x).__name__}.{name}"
        unit = unit_of(name) or "text"
        if unit in ("text", "record") or (value is None and name in optional):
            continue
        if unit == "flag":
            check(isinstance(value, bool), f"{label} is {value!r}, allowed are True and False")
        elif unit == "date":
            check(
                value is None or is_day(value),
                f"{label} is {value!r}, it must be a day such as '2027-03-31', or None",
            )
        else:
            require(label, value, *limits(name))
            if isinstance(value, Range) and (fitting := value.fitting(unit)) is not value:
                object.__setattr__(x, name, fitting)


def is_day(value: Any) -> bool:
    """Whether a text is a day of the calendar, such as 2027-03-31."""
    try:
        return date.fromisoformat(value).isoformat() == value
    except (TypeError, ValueError):
        return False
