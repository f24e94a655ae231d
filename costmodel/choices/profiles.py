"""When requests arrive: profiles of a week as the two numbers that a workload has, active hours and peak over mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from costmodel.core.errors import check, unknown
from costmodel.core.public import public
from costmodel.core.ranges import Range
from costmodel.core.units import HOURS_PER_DAY, HOURS_PER_MONTH
from costmodel.laws.queueing import load_at

QUIET = 0.05  # an hour below this share of the busiest one is not active
WEEK = 168
WHY = "assumption: {}; measure yours with profile(hourly=...)"


# name: (hours with traffic in a month, busiest hour over the mean of those)
PROFILES: dict[str, tuple[float, Any]] = {
    "office": (
        220.0,
        Range(
            1.4,
            2.5,
            mid=1.8,
            name="Workload.peak_to_average",
            why=WHY.format("22 working days of 10 hours, two humps"),
        ),
    ),
    "consumer": (
        HOURS_PER_MONTH,
        Range(
            1.7,
            3.0,
            mid=2.2,
            name="Workload.peak_to_average",
            why=WHY.format("one time zone, evenings and weekends busiest"),
        ),
    ),
    "global": (
        HOURS_PER_MONTH,
        Range(
            1.2,
            1.8,
            mid=1.4,
            name="Workload.peak_to_average",
            why=WHY.format("users around the world"),
        ),
    ),
    "campaign": (
        HOURS_PER_MONTH,
        Range(
            4.0,
            12.0,
            mid=6.0,
            name="Workload.peak_to_average",
            why=WHY.format("quiet weeks and a few days of many times the mean"),
        ),
    ),
    "steady": (HOURS_PER_MONTH, 1.0),
}


@public
def profile(name: str | None = None, hourly: Iterable[float] | None = None) -> dict[str, Any]:
    """`active_hours_per_month` and `peak_to_average` of a workload, by the name of a profile or from your own counts per hour.

    `hourly` is one day (24 numbers), one week (168) or any whole number of days, in any unit. The
    load in between follows the curve of `fleet.load_at`.

    >>> profile("steady")
    {'active_hours_per_month': 730.0, 'peak_to_average': 1.0}
    >>> profile(hourly=[0] * 8 + [50, 100, 150, 100] + [0] * 12)
    {'active_hours_per_month': 121.66666666666667, 'peak_to_average': 1.5}
    """
    check(
        (name is None) != (hourly is None),
        f"profile: give a name ({', '.join(PROFILES)}) or hourly=, and not both",
    )
    if name is not None:
        if name not in PROFILES:
            raise unknown("traffic profile", name, PROFILES)
        active, peak = PROFILES[name]
        return {"active_hours_per_month": active, "peak_to_average": peak}
    counts = np.asarray(list(hourly or ()), float)
    whole = counts.size >= HOURS_PER_DAY and counts.size % HOURS_PER_DAY == 0
    check(
        whole and np.isfinite(counts).all() and (counts >= 0).all() and counts.max() > 0,
        f"profile: hourly has {counts.size} numbers, allowed are 24, 168 or other whole days of counts of 0 or more, not all 0",
    )
    busy = counts[counts > QUIET * counts.max()]
    return {
        "active_hours_per_month": HOURS_PER_MONTH * busy.size / counts.size,
        "peak_to_average": float(counts.max() / busy.mean()),
    }


def hours_of_day(
    active_hours_per_month: float, peak_to_average: float, days_per_month: float | None = None
) -> np.ndarray:
    """Load of each hour of a working day over the mean of its active hours, busiest in the middle: the curve of a workload as a day.

    Half of each level lies before the busiest hour, half after it; hours without traffic are 0.

    >>> hours_of_day(220, 2.0, days_per_month=22).round(1).tolist()[7:17]
    [0.1, 0.5, 0.9, 1.3, 1.7, 1.9, 1.5, 1.1, 0.7, 0.3]
    """
    days = HOURS_PER_MONTH / HOURS_PER_DAY if days_per_month is None else days_per_month
    open_hours = min(active_hours_per_month / days, HOURS_PER_DAY)
    order = np.argsort(
        np.abs(np.arange(int(HOURS_PER_DAY)) - HOURS_PER_DAY / 2 + 0.25), kind="stable"
    )
    share = (np.arange(int(HOURS_PER_DAY)) + 0.5) / open_hours
    load = np.zeros(int(HOURS_PER_DAY))
    load[order] = np.where(share < 1, load_at(np.minimum(share, 1.0), peak_to_average), 0.0)
    return load
