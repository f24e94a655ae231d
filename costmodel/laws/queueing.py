"""Fleets: how a load varies, how many replicas it needs, and what spills over or starts cold.

A load is counted in replicas kept busy (arrivals per second x seconds of a replica per request); a
replica has `slots`, the sequences that it decodes at once, so a fleet is a queue with replicas x
slots servers. Every argument is a number or an array of draws; they broadcast to the shape of the
result.

Not in it: failures that hit several replicas at once, requests that give up, routing that is not
even.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from costmodel.core import SECONDS_PER_MINUTE, public, whole_number

LEVELS = 8  # of a load-duration curve: equal shares of the active hours
MOST_LEVELS = 8_784  # the hours of a year
ROUNDING = 1e-9  # a load that is whole but for rounding needs no replica more
FLAT = 1e-9  # least excess of the peak over the mean, so that a flat load has a limit


# -- the load --------------------------------------------------------------------------------------


def load_at(share: Any, peak_to_average: Any) -> Any:
    """Load over its mean at the busiest `share` of the active hours [x].

    P (1 - share)^(P - 1), with P = peak / mean: the one curve of this family with mean 1, peak P
    and an end at 0; P = 1 is flat, P = 2 a straight line.

    >>> [float(load_at(x, 2.5)) for x in (0.0, 1.0)], float(load_at(0.3, 1.0))
    ([2.5, 0.0], 1.0)
    """
    return peak_to_average * (1 - np.asarray(share, float)) ** (peak_to_average - 1)


@public
def duration_curve(peak_to_average: Any, levels: int = LEVELS) -> list[Any]:
    """Load over its mean in each of `levels` equal shares of the active hours, busiest first.

    Integral of `load_at` between x0 and x1: ((1 - x0)^P - (1 - x1)^P) x levels. Not in it: how long
    a peak lasts at once.

    Parameters
    ----------
    peak_to_average : number or array, at least 1
        P, the busiest load over the mean of the active hours.
    levels : int
        How many shares of the hours, 1 to 8,784.

    Returns
    -------
    list of number or array
        One load for each share, each of the shape of P; they average 1.

    Examples
    --------
    >>> [round(float(level), 2) for level in duration_curve(2.5, 4)]
    [2.05, 1.24, 0.58, 0.12]
    """
    whole_number("duration_curve: levels", levels, 1, MOST_LEVELS)
    ends = 1 - np.arange(levels + 1) / levels
    return [
        levels * (start**peak_to_average - end**peak_to_average) for start, end in pairwise(ends)
    ]


def share_above(cover: Any, peak_to_average: Any) -> Any:
    """Share of all requests beyond `cover` of the peak load: a fleet below its peak hands them on.

    Integral of `load_at` - cover x P over the hours where it is positive: 1 - c^(P/(P-1)) - c P (1
    - c^(1/(P-1))).

    >>> [round(float(share_above(c, 2.5)), 3) for c in (1.0, 0.5, 0.0)]
    [0.0, 0.222, 1.0]
    >>> round(float(share_above(0.4, 1.0)), 3)  # a flat load
    0.6
    """
    c, excess = np.clip(cover, 0.0, 1.0), np.maximum(peak_to_average - 1, FLAT)
    late = c ** (1 / excess)  # 1 - the share of hours above
    return 1 - late**peak_to_average - c * peak_to_average * (1 - late)


# -- replicas --------------------------------------------------------------------------------------


@public
def wait_chance(servers: Any, load: Any) -> Any:
    """Chance that a request finds all servers busy and waits: Erlang C.

    B = a^c e^-a / c! / P(Poisson(a) <= c), C = B / (1 - a/c (1 - B)); 1 where the load exceeds the
    servers; continuous in c (A. K. Erlang 1917; Cooper, "Introduction to Queueing Theory", section
    3.6). Not in it: requests that give up.

    Parameters
    ----------
    servers : number or array above 0
        c, requests that are served at once.
    load : number or array, at least 0
        a, servers kept busy on average: arrivals per second x seconds of a request.

    Returns
    -------
    number or array
        Share of requests that wait, 0 to 1.

    Examples
    --------
    >>> round(float(wait_chance(10, 8)), 3)  # Erlang's tables
    0.409
    """
    from scipy.special import gammaincc, gammaln

    c, a = np.asarray(servers, float), np.asarray(load, float)
    least = np.maximum(a, FLAT)
    blocked = np.exp(c * np.log(least) - a - gammaln(c + 1)) / gammaincc(c + 1, least)
    busy = np.minimum(a / c, 1.0)
    return 1.0 * np.where(a < c, blocked / (1 - busy * (1 - blocked)), 1.0)


def wait_at_limit(calls_per_min: Any, most: Any) -> Any:
    """Mean wait of the calls that wait [s] at a limit of `most` calls in any minute.

    60 / (2 (most - load)): a call holds a place under the limit for a minute, so that a limit is a
    queue of `most` servers. `wait_chance` has the share that waits; the wait is half that of Erlang
    C, because all times are alike. Not in it: bursts beyond chance, and retries that come early.

    >>> float(wait_at_limit(90.0, 100.0)), round(float(wait_chance(100.0, 90.0)), 2)
    (3.0, 0.22)
    """
    return SECONDS_PER_MINUTE / (2 * np.maximum(most - calls_per_min, FLAT))


@cache
def _staffing() -> tuple[np.ndarray, np.ndarray]:
    """(chance to wait, margin of square-root staffing); Halfin and Whitt 1981, equation 1.2."""
    from scipy.special import ndtr

    beta = np.linspace(4.0, 0.0, 801)
    density = np.exp(-(beta**2) / 2) / np.sqrt(2 * np.pi)
    return 1 / (1 + beta * ndtr(beta) / density), beta


def staffing_margin(wait_share: Any) -> Any:
    """Margin of square-root staffing for a share of requests that may wait.

    b of servers = load + b sqrt(load). With 5 % the 95th percentile of the wait is 0 (Halfin and
    Whitt, Operations Research 29, 1981).

    >>> round(float(staffing_margin(0.05)), 2)
    1.74
    >>> round(float(wait_chance(800 + 1.74 * 800**0.5, 800)), 2)
    0.05
    """
    return np.interp(wait_share, *_staffing())


@public
def replicas_needed(
    load: Any, slots: Any, load_max: Any, margin: Any, burstiness: Any, least: Any
) -> Any:
    """Whole replicas for a load: (L + margin sqrt(L z / slots)) / load_max, rounded up.

    A bursty stream of load a on c servers waits like a smooth one of a/z on c/z (Hayward's
    approximation; Fredericks 1980, Bell System Technical Journal 59). Not in it: spare replicas and
    replicas that start.

    Parameters
    ----------
    load : number or array, at least 0
        L, replicas kept busy on average.
    slots : number or array, at least 1
        Sequences that a replica decodes at once.
    load_max : share or array, above 0
        Most of a replica that may be busy.
    margin : number or array
        b of square-root staffing, 1.74 where 5 % of the requests may wait.
    burstiness : number or array above 0
        z, the variance of arrivals over that of a Poisson stream.
    least : whole number or array
        Replicas that always run.

    Returns
    -------
    number or array
        Replicas, whole.

    Examples
    --------
    >>> (
    ...     float(replicas_needed(1.8, 64, 0.85, 1.74, 1.0, 1)),
    ...     float(replicas_needed(1.8, 64, 1, 0, 1, 1)),
    ... )
    (3.0, 2.0)
    """
    wanted = (load + margin * np.sqrt(load * burstiness / slots)) / load_max
    return np.maximum(np.ceil(wanted - ROUNDING), least)


def with_losses(hours: Any, interrupted: Any) -> Any:
    """Hours to rent for `hours` of service when a share of them is lost: hours / (1 - share).

    >>> round(with_losses(730.0, 0.05), 1)
    768.4
    """
    return hours / (1 - interrupted)
