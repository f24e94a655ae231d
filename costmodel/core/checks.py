"""Checks of what a user gives: one sentence with the name, the value and the allowed range."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import UTC, date, datetime
from functools import cache
from math import inf
from typing import Any, dataclass_transform, get_type_hints

import numpy as np

from costmodel.core.errors import check, in_words
from costmodel.core.forms import FORMS, form_for, is_one_number, outside
from costmodel.core.glossary import limits, unit_of
from costmodel.core.nested import field_names
from costmodel.core.public import Record, fits, frozen, in_type
from costmodel.core.ranges import Doubt, Range, Usual, is_number, unmarked
from costmodel.core.recording import one_step
from costmodel.core.units import LARGEST, ROUNDING

PLAIN = (str, dict, list, float, int, Doubt)  # what stands by mistake where a record must
NO_NUMBERS = ("record", "flag", "date", "moment")  # units
YEARS = range(1900, 2201)  # of a day
HOUR = re.compile(r"T\d\d:\d\d(-\d\d:\d\d)?$")  # or the hours from one to another
LEAST_DIVISOR = 1e-6  # the least value of what divides something


@one_step  # a plan checks as often as the engine does, but in one step
def require(name: str, value: Any, low: float = 0, high: float = inf) -> None:
    """Check that a number, a Range or every element of an array lies in low..high.

    >>> require("share", 1.5, 0, 1)
    Traceback (most recent call last):
    ValueError: share is 1.5, allowed is between 0 and 1
    """
    allowed = _between(low, high)
    if not is_number(value) or getattr(value, "dtype", np.dtype(float)).kind not in "iuf":
        raise ValueError(f"{name} is {in_words(value)}, it must be a number or a Range, {allowed}")
    if np.size(value) == 0:
        raise ValueError(f"{name} is an empty array, it must be a number or a Range, {allowed}")
    if isinstance(value, Doubt):
        ends = value.low, value.high
    else:
        ends = (np.min(value), np.max(value)) if np.ndim(value) else (value, value)
    finite = ends[0] >= -LARGEST and ends[1] <= LARGEST
    if any(0 < abs(end) < 1 / LARGEST for end in ends):
        raise ValueError(f"{name} is {in_words(value)}, allowed is 0 or at least {1 / LARGEST:g}")
    if not (finite and low <= ends[0] and ends[1] <= high):
        shown = in_words(tuple(map(float, ends)) if np.ndim(value) else value)
        if isinstance(value, Doubt):
            shown = f"{ends[0]:g} to {ends[1]:g}"
        most = f", at most {LARGEST:g}" if high == inf else ""
        must = "allowed is" if finite else "it must be a finite number,"
        raise ValueError(f"{name} is {shown}, {must} {allowed}{'' if finite else most}")
    if isinstance(value, Range):
        _check_form(name, value, low, high)


def _check_form(name: str, doubt: Range, least: float, most: float) -> None:
    """Refuse a form whose draws can leave the limits of sign and of a share."""
    form, fits = FORMS[doubt.form], form_for(least, most)
    inside = form.least >= min(least, 0) and (most > 1 or form.most <= 1)
    if least < -1 or inside or doubt.low == doubt.high:
        return
    if doubt.form_was_guessed:
        label = f"Range({in_words(doubt.low)}, {in_words(doubt.high)})"
        raise ValueError(outside(label, FORMS[fits]))
    raise ValueError(
        f"{name} is a Range of the form {doubt.form!r}, whose draws leave what is allowed, "
        f"{least:g} to {most:g}; write form: {fits}, or leave it out"
    )


def one_number(name: str, value: Any, low: float = 0, high: float = inf) -> None:
    """Check that a value is one finite number in low..high, and neither a Range nor a list.

    >>> one_number("days", Range(1, 2))
    Traceback (most recent call last):
    ValueError: days is a Range, it must be one number, at least 0
    """
    tiny = is_one_number(value) and 0 < abs(value) < 1 / LARGEST
    check(
        is_one_number(value) and low <= value <= min(high, LARGEST) and not tiny,
        f"{name} is {in_words(value)}, it must be one number, {_between(low, high)}",
    )


def whole_number(name: str, value: Any, low: int, high: int) -> None:
    """Check that a value is a whole number in low..high.

    >>> whole_number("draws", 1.5, 1, 1_000_000)
    Traceback (most recent call last):
    ValueError: draws is 1.5, allowed is a whole number between 1 and 1000000
    """
    whole = hasattr(value, "__index__") and not isinstance(value, bool)  # also one of NumPy
    check(
        whole and low <= value <= high,
        f"{name} is {in_words(value)}, allowed is a whole number between {low} and {high}",
    )


def number_list(name: str, values: Any, low: float = 0, high: float = inf) -> np.ndarray:
    """A list of numbers in low..high as an array.

    >>> number_list("queries_per_day", [5, -1])
    Traceback (most recent call last):
    ValueError: queries_per_day is (-1.0, 5.0), allowed is at least 0
    """
    try:
        array = np.array([float(v) for v in np.atleast_1d(values) if not isinstance(v, str)])
    except (TypeError, ValueError):
        array = np.array([])
    check(
        len(array) == np.size(values) > 0,
        f"{name} is {in_words(values)}, it must be a list of numbers, at least one",
    )
    require(name, array, low, high)
    return array


def of_kind(name: str, value: object, *kinds: type) -> None:
    """Check that a value is a record of one of these classes.

    >>> of_kind("site", 5, Range)
    Traceback (most recent call last):
    ValueError: site is 5, it must be Range(...)
    """
    wanted = " or ".join(f"{kind.__name__}(...)" for kind in kinds)
    check(isinstance(value, kinds), f"{name} is {in_words(value)}, it must be {wanted}")


def validate(x: Any, optional: tuple[str, ...] = ()) -> None:
    """Check every field of a dataclass by its unit in the glossary.

    A field whose default is None, or which is in `optional`, may be None. A number must lie within
    the limits of its name, a flag is True or False, a date is a day or None, and a moment may add
    an hour to its day. A record is of the class that its field says, and texts are checked where
    they are used. A Range whose form was guessed from its ends is replaced by the Range that its
    unit asks for.
    """
    hints = _hints(type(x))  # type: ignore[arg-type]  # a class is hashable
    for name in field_names(x):
        given, label = getattr(x, name), f"{type(x).__name__}.{name}"
        unit = unit_of(label)
        value, hint = unmarked(given), hints.get(name, Any)
        may_be_none = name in optional or x.__dataclass_fields__[name].default is None
        if unit in ("", "text") or (value is None and may_be_none):
            continue
        if unit in NO_NUMBERS:
            if must := _must(unit, value, hint):
                raise ValueError(f"{label} is {in_words(value)}, {must}")
        elif isinstance(value, Mapping) and fits({}, hint):
            for part, share in value.items():
                require(f"{label} of {in_words(part)}", share, *limits(label))
        else:
            require(label, value, *limits(label))
            if isinstance(value, Range):
                value = value.for_unit(unit)
                marked = isinstance(given, Usual)
                object.__setattr__(x, name, replace(given, value=value) if marked else value)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def checked(cls: type[Record]) -> type[Record]:
    """Make a `frozen` dataclass whose fields are held to what `validate` says."""
    cls.__post_init__ = validate  # type: ignore[attr-defined]  # that of a dataclass
    return frozen(cls)


def _must(unit: str, value: Any, hint: Any) -> str:
    """What a value that is no number must be; "" where it is that."""
    if unit == "record":
        wrong = isinstance(value, PLAIN) and not fits(value, hint)
        return f"it must be {in_type(hint)}" if wrong else ""
    if unit == "flag":
        return "" if isinstance(value, bool) else "allowed are True and False"
    hour = "" if unit == "date" else ", also with an hour as '2027-03-31T12:00'"
    day = HOUR.sub("", value) if hour and isinstance(value, str) else value
    right = value is None or is_day(day)
    return "" if right else f"it must be a day such as '2027-03-31'{hour}, or None"


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """The types of the fields of a class; nothing where one is not known in its module."""
    try:
        return get_type_hints(kind)
    except NameError:
        return {}


def is_day(text: Any) -> bool:
    """Whether a text is a day of these centuries, written like 2027-03-31."""
    try:
        day = date.fromisoformat(text)
        return day.isoformat() == text and day.year in YEARS
    except (TypeError, ValueError):
        return False


def today() -> date:
    """Today in UTC, or the day that the environment variable COSTMODEL_TODAY names.

    Where nothing else is said, prices are of this day, and the first month is the one after it.
    """
    given = os.environ.get("COSTMODEL_TODAY")
    if given is None:
        return datetime.now(UTC).date()
    check(is_day(given), f"COSTMODEL_TODAY is {given!r}, it must be a day such as '2026-12-01'")
    return date.fromisoformat(given)


def _between(low: float, high: float) -> str:
    return f"at least {low:g}" if high == inf else f"between {low:g} and {high:g}"


def shares_of_one(name: str, shares: dict[str, Any] | None) -> None:
    """Check that shares by name are each 0 to 1 and together at most 1.

    >>> shares_of_one("shares", {"sales": 0.8, "legal": 0.3})
    Traceback (most recent call last):
    ValueError: shares add up to 1.1, allowed is at most 1
    """
    of_kind(name, shares or {}, dict)
    for team, share in (shares or {}).items():
        one_number(f"{name} of {team!r}", share, 0, 1)
    whole = sum((shares or {}).values())
    check(whole <= 1 + ROUNDING, f"{name} add up to {whole:g}, allowed is at most 1")


def floats(value: Any) -> Any:
    """A value as floats: an array, or what computes like one, as it is.

    >>> floats([1, 2])
    array([1., 2.])
    """
    if isinstance(value, Doubt):
        raise ValueError(f"{in_words(value)} stands for no number yet; use middle(...) of it")
    like_array = isinstance(value, np.lib.mixins.NDArrayOperatorsMixin)
    return value if like_array else np.asarray(value, float)
