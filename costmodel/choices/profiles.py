"""When requests arrive: a week as two numbers of a workload, active hours and peak over mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from costmodel.core import HOURS_PER_DAY, HOURS_PER_MONTH, assumed, check, check_known, public
from costmodel.laws.queueing import load_at

LEAST_ACTIVE = 0.05  # an hour with less than this share of the busiest one is not active

# name: (hours with traffic in a month, (low, mid, high) of the busiest hour over their mean, why)
PROFILES = {
    "office": (220.0, (1.4, 1.8, 2.5), "22 working days of 10 hours, two humps"),
    "consumer": (HOURS_PER_MONTH, (1.7, 2.2, 3.0), "one time zone, evenings and weekends busiest"),
    "global": (HOURS_PER_MONTH, (1.2, 1.4, 1.8), "users around the world"),
    "campaign": (
        HOURS_PER_MONTH,
        (4.0, 6.0, 12.0),
        "quiet weeks and a few days of many times the mean",
    ),
    "steady": (HOURS_PER_MONTH, None, ""),
}


@public
def profile(name: str | None = None, hourly: Iterable[float] | None = None) -> dict[str, Any]:
    """When requests arrive, by the name of a profile or from your own counts per hour.

    The load in between follows the curve of `load_at`: P (1 - share)^(P - 1).

    Parameters
    ----------
    name : {"office", "consumer", "global", "campaign", "steady"}, optional
    hourly : iterable of float, optional
        Counts of one day (24 numbers), one week (168) or any whole number of days, in any unit.

    Returns
    -------
    dict
        `active_hours_per_month` [hour/month] and `peak_to_average` [x], fields of a Workload.

    Raises
    ------
    ValueError
        Without name and counts, with both, for an unknown name, and for counts of no whole days.

    Examples
    --------
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
        check_known("traffic profile", name, PROFILES)
        active, ends, why = PROFILES[name]
        peak: Any = 1.0
        if ends:
            why = f"{why}; measure yours with profile(hourly=...)"
            peak = assumed(*ends, why, name="Workload.peak_to_average")
        return {"active_hours_per_month": active, "peak_to_average": peak}
    counts = np.asarray(list(hourly or ()), float)
    whole = counts.size >= HOURS_PER_DAY and counts.size % HOURS_PER_DAY == 0
    check(
        whole and np.isfinite(counts).all() and (counts >= 0).all() and counts.max() > 0,
        f"profile: hourly has {counts.size} numbers, allowed are 24, 168 or other whole days "
        "of counts of 0 or more, not all 0",
    )
    busy = counts[counts > LEAST_ACTIVE * counts.max()]
    return {
        "active_hours_per_month": HOURS_PER_MONTH * busy.size / counts.size,
        "peak_to_average": float(counts.max() / busy.mean()),
    }


def hours_of_day(
    active_hours_per_month: float, peak_to_average: float, days_per_month: float
) -> np.ndarray:
    """Load of each hour of a working day over the mean of its active hours, busiest in the middle.

    Half of each level lies before the busiest hour, half after it; hours without traffic are 0.

    >>> hours_of_day(220, 2.0, days_per_month=22).round(1).tolist()[7:17]
    [0.1, 0.5, 0.9, 1.3, 1.7, 1.9, 1.5, 1.1, 0.7, 0.3]
    """
    open_hours = min(active_hours_per_month / days_per_month, HOURS_PER_DAY)
    rank = np.arange(int(HOURS_PER_DAY))  # of an hour: 0 is the busiest
    share = (rank + 0.5) / open_hours
    load = np.where(share < 1, load_at(np.minimum(share, 1.0), peak_to_average), 0.0)
    hours = np.argsort(np.abs(rank - HOURS_PER_DAY / 2 + 0.25), kind="stable")  # busiest first
    return load[np.argsort(hours)]
