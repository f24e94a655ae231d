"""Prompt-cache economics: hit rate from arrivals, and when a cache pays.

First version: Poisson arrivals of one prefix on one shared cache. Not in it: bursts, parallel cold starts, several
prefixes, replicas with caches of their own, storage fees.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def hit_rate(arrivals_per_s: Any, ttl_s: Any) -> Any:
    """Share of requests that find the prefix still cached [share], when each read renews its time to live.

    P(next arrival within the TTL) = 1 - exp(-arrivals x TTL), Poisson arrivals [1/s] and TTL [s].

    >>> round(float(hit_rate(50 / 36_000, 300)), 2)     # 50 queries a day over 10 busy hours, 5 minutes
    0.34
    """
    return -np.expm1(-np.asarray(arrivals_per_s, float) * ttl_s)


def break_even_hit_rate(write: float, read: float) -> float:
    """Steady hit rate above which a cache costs less than plain input [share]; prices relative to plain input.

    h x read + (1 - h) x write = 1, so h = (write - 1) / (write - read).

    >>> round(break_even_hit_rate(1.25, 0.10), 3), round(break_even_hit_rate(2.0, 0.10), 3)
    (0.217, 0.526)
    """
    return (write - 1) / (write - read)


def break_even_reads(write: float, read: float) -> float:
    """Reads that recover the premium of one write: (write - 1) / (1 - read); prices relative to plain input.

    The other published reading, 1.25 / 0.90 = 1.39, recovers the whole write although plain input would have cost 1.

    >>> round(break_even_reads(1.25, 0.10), 2), round(break_even_reads(2.0, 0.10), 2)
    (0.28, 1.11)
    """
    return (write - 1) / (1 - read)
