"""Between which values an input is looked at, and where a number changes its sign along it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from costmodel.choices.effort import counted, over
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.servings.people import KEEPING
from costmodel.choices.study import Study
from costmodel.core import (
    WORKING_HOURS_PER_MONTH,
    Doubt,
    Usual,
    check,
    find_key,
    key_of,
    leaves,
    limits,
    middle,
    objects,
    require,
    unit_of,
    walk,
)
from costmodel.ledgers.engine import at_middle

FACTOR = 1000.0  # a break-even is looked for between a thousandth and a thousand times the present
NEAR_FACTOR, NEAR_POINTS = 30.0, 61  # goals and sweeps look nearer
EDGE = 1e-4  # shares are looked at from here to one less this


def counted_now(study: Study) -> dict[str, Any]:
    """Every number by its key, as it counts now beside values that are given in its place.

    A value on an axis counts as it is given; so what is usual is shown as tier and volume scale it.
    """
    found = leaves(study.inputs)
    scaled: dict[str, Any] = {}
    for label, option in study.options.items():
        for owner, name, value in walk(option):
            if isinstance(getattr(owner, name), Usual):
                key = key_of(owner, name, value)
                if key not in scaled:
                    here = counted(owner, name, study.work, objects(option))
                    is_team = isinstance(owner, Hosted) and name == "upkeep_fte"
                    scaled[key] = _team(study, label, here) if is_team else here
    return found | scaled


def _team(study: Study, label: str, few: Any) -> Any:
    """The engineers whom the GPUs of an option keep busy: from those of a few GPUs on they grow
    with the fleet, and those that are given do not."""
    found, months = at_middle(study), study.terms.months
    hours = sum(
        float(np.sum(line.quantity * line.schedule.weights(months, found.calendar.demand)))
        for line in (found.bills[label].lines if label in found.bills else ())
        if line.item == KEEPING
    )
    many = hours / (months * WORKING_HOURS_PER_MONTH)
    if not many:
        return few
    return over(few, lambda x: x * many / middle(few))


def present(value: Any) -> float:
    """The number that an input has now: a doubt is at its middle."""
    return float(value.mid if isinstance(value, Doubt) else value)


def spacing(low: float) -> Callable[..., np.ndarray]:
    """How points are spread: by equal factors above 0, else by equal steps."""
    return np.geomspace if low > 0 else np.linspace


def product(axes: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Every combination of the values of some inputs, as a grid of `simulate`."""
    grids = np.meshgrid(*axes.values(), indexing="ij")
    return dict(zip(axes, map(np.ravel, grids), strict=True))


def search_limits(
    study: Study,
    over: str,
    low: float | None = None,
    high: float | None = None,
    factor: float = FACTOR,
) -> tuple[float, float]:
    """Between which values a break-even is looked for.

    What is asked for, else the present value over and times a factor, or 0 to 1 for a share.
    """
    now = present(counted_now(study)[find_key(study.inputs, over)])
    field = over.rsplit(".", 1)[-1]
    least, most = limits(field)
    for name, given in (("low", low), ("high", high)):
        if given is not None:
            require(f"breakeven over {over!r}: {name}", given, least, most)
    share = unit_of(field) in ("share", "share/month")
    start, end = (least, most) if share else _around(now, factor, least, most)
    low, high = start if low is None else low, end if high is None else high
    check(low < high, f"breakeven over {over!r}: low {low:g} must be below high {high:g}")
    return low, high


def goal_limits(key: str, value: Any) -> tuple[float, float]:
    """Between which values of an input a goal is looked for."""
    field, now = key.rsplit(".", 1)[-1], present(value)
    least, most = limits(field)
    unit = unit_of(field) or "share"  # a key with a name of its own, such as accepted.large
    if isinstance(value, Doubt):
        if getattr(value, "form", "share") == "share" and unit.startswith("share"):
            return max(least, EDGE), min(most, 1 - EDGE)
        if value.low <= 0:  # three times as wide
            return max(least, 2 * value.low - value.high), min(most, 2 * value.high - value.low)
    if np.isfinite(most) and least >= 0:
        return least, most
    return _around(now, NEAR_FACTOR, least, most)


def _around(now: float, factor: float, least: float, most: float) -> tuple[float, float]:
    start, end = sorted((now / factor, now * factor)) if now else (0.0, 1.0)
    return max(least, start), min(most, end)


def sign_changes(gap: np.ndarray) -> np.ndarray:
    """Indices i where the sign of gap changes between i and i + 1.

    A zero counts with what follows, so that a touch is no change.

    >>> sign_changes(np.array([1.0, 2.0, -1.0, 0.0, -1.0])).tolist()
    [1]
    """
    sign, last = np.sign(gap), len(gap) - 1
    nonzero = np.where(sign != 0, np.arange(len(gap)), last)
    sign = sign[np.minimum.accumulate(nonzero[::-1])[::-1]]
    return np.flatnonzero(sign[:-1] * sign[1:] < 0)


def root(axis: np.ndarray, gap: np.ndarray, i: int) -> float:
    """Where a gap is 0 between the points i and i + 1 of an axis, on a straight line.

    >>> root(np.array([1.0, 2.0, 4.0]), np.array([3.0, 1.0, -1.0]), 1)
    3.0
    """
    return float(axis[i] + gap[i] / (gap[i] - gap[i + 1]) * (axis[i + 1] - axis[i]))
