"""Errors that say what is wrong, where, and what to write instead."""

import math
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class CatalogError(ValueError):
    """A name, unit, class or key that the data does not know, or a row of the data that is wrong."""


class Infeasible(ValueError):
    """An option that cannot run as asked; the message is the reason, and `compare` keeps it as `why_not`."""


class Unpriced(CatalogError, Infeasible):
    """A token class that an option needs and the price list does not have: the option cannot run, the others can."""


def unknown(
    kind: str, name: object, names: Iterable[str], where: str = "the catalogue"
) -> CatalogError:
    """The error for a name that is not there, with the nearest names that are.

    >>> str(unknown("GPU", "H100-SMX", ["H100-SXM", "T4"]))
    "no GPU 'H100-SMX' in the catalogue; did you mean 'H100-SXM'?"
    """
    names = sorted({str(n) for n in names})
    folded = {n.lower(): n for n in names}
    wanted = str(name).lower()
    stem = sorted((n for n in folded if len(n) > 2 and wanted.startswith(n)), key=len)[-1:]
    close = [get_close_matches(wanted, folded, n=3, cutoff=cutoff) for cutoff in (0.85, 0.5)]
    near = [folded[n] for n in dict.fromkeys([*close[0], *stem, *close[1]])][:3]
    near += [n for n in names if str(name).lower() in n.lower() and n not in near][: 3 - len(near)]
    if near:
        hint = "did you mean " + " or ".join(f"'{n}'" for n in near) + "?"
    else:
        hint = "known: " + ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return CatalogError(f"no {kind} {str(name)!r} in {where}; {hint}")


def check(ok: object, message: str) -> None:
    """Raise `ValueError(message)` unless ok; messages name the field, the value and the allowed range."""
    if not ok:
        raise ValueError(message)


def short(x: Any) -> str:
    """What a wrong argument is, in a few words."""
    long = hasattr(x, "__dataclass_fields__") or (
        isinstance(x, (dict, list, tuple)) and len(repr(x)) > 80
    )
    return (
        f"the class {x.__name__}"
        if isinstance(x, type)
        else f"a {type(x).__name__}"
        if long
        else repr(x)
    )


def of_kind(name: str, value: object, *kinds: type) -> None:
    """Check that a value is a record of one of these classes.

    >>> of_kind("site", 5, Exception)
    Traceback (most recent call last):
    ValueError: site is 5, it must be Exception(...)
    """
    if not isinstance(value, kinds):
        raise ValueError(
            f"{name} is {short(value)}, it must be {' or '.join(f'{kind.__name__}(...)' for kind in kinds)}"
        )


def whole(name: str, value: object, low: int, high: int) -> None:
    """Check that a value is a whole number in low..high.

    >>> whole("draws", 1.5, 1, 1_000_000)
    Traceback (most recent call last):
    ValueError: draws is 1.5, allowed is a whole number between 1 and 1000000
    """
    number = hasattr(value, "__index__") and not isinstance(
        value, bool
    )  # an int of Python or of NumPy
    check(
        number and low <= value <= high,
        f"{name} is {value!r}, allowed is a whole number between {low} and {high}",
    )  # type: ignore[operator]


def one_number(name: str, value: object, low: float, high: float = math.inf) -> None:
    """Check that a value is one finite number in low..high, and neither a Range nor a list.

    >>> one_number("fte", [1, 2], 0)
    Traceback (most recent call last):
    ValueError: fte is [1, 2], it must be one number, at least 0
    """
    allowed = f"at least {low:g}" if high == math.inf else f"between {low:g} and {high:g}"
    fine = (
        hasattr(value, "__float__")
        and not isinstance(value, bool)
        and getattr(value, "ndim", 0) == 0
    )
    check(
        fine and math.isfinite(value) and low <= value <= high,
        f"{name} is {short(value)}, it must be one number, {allowed}",
    )  # type: ignore[arg-type, operator]
