"""Prompt-cache economics: hit rate from arrivals and time to live, and when a cache pays.

Prices are relative to plain input: a read of 0.10 is 90 % off, a write of 1.25 a premium of a quarter. The rules of the
providers, with their dates, are facts of data/facts/caches.csv.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.core.public import public


@public
def hit_rate(arrivals_per_s: Any, ttl_s: Any) -> Any:
    """Share of requests that find the prefix still cached [share], when each read renews its time to live.

    P(next arrival within the TTL) = 1 - exp(-arrivals x TTL), Poisson arrivals [1/s] and TTL [s]. Not in it: bursts,
    several prefixes, caches of their own in every replica; `prefix_hit_rate` has them.

    >>> round(
    ...     float(hit_rate(50 / 36_000, 300)), 2
    ... )  # 50 queries a day over 10 busy hours, 5 minutes
    0.34
    """
    return -np.expm1(-np.asarray(arrivals_per_s, float) * ttl_s)


@public
def prefix_hit_rate(
    arrivals_per_s: Any,
    ttl_s: Any,
    burst: Any = 1.0,
    parallel: Any = 1.0,
    prefixes: Any = 1.0,
    replicas: Any = 1.0,
) -> Any:
    """Share of requests that read a cached prefix [share], for traffic that is not one even stream.

    1 - (parallel / burst) x exp(-arrivals x TTL / (burst x prefixes x replicas)): requests come in bursts of `burst`
    within one TTL, whose first `parallel` start together, so that none can read what another writes; the traffic is spread
    evenly over `prefixes` prompts and over `replicas` with caches of their own (1: shared). With ones it is `hit_rate`.
    One shared pool that hits 52.4 % would hit 9 % as eight isolated ones; 11.8 % were measured (PegaFlow). Not in it:
    prefixes of unequal use (they hit more), eviction before the TTL.

    >>> (
    ...     round(float(prefix_hit_rate(0.742 / 300, 300)), 3),
    ...     round(float(prefix_hit_rate(0.742 / 300, 300, replicas=8)), 3),
    ... )
    (0.524, 0.089)
    """
    alone = np.minimum(np.asarray(parallel, float) / burst, 1.0)
    return 1 - alone * np.exp(
        -np.asarray(arrivals_per_s, float) * ttl_s / (burst * prefixes * replicas)
    )


@public
def cached_price(hits: Any, write: Any, read: Any) -> Any:
    """Price of a prefix token over plain input [x]: hits x read + (1 - hits) x write; above 1 the cache loses money.

    Not in it: storage, where it is billed by the hour.

    >>> round(cached_price(0.04, 1.25, 0.10), 3)  # five queries a day: a fifth dearer than no cache
    1.204
    """
    return hits * read + (1 - hits) * write


@public
def break_even_hit_rate(write: Any, read: Any) -> Any:
    """Steady hit rate above which a cache costs less than plain input [share]; prices relative to plain input.

    h x read + (1 - h) x write = 1, so h = (write - 1) / (write - read); infinite, never, where a read saves nothing. Not in it: storage.

    >>> [round(float(break_even_hit_rate(write, 0.10)), 3) for write in (1.25, 2.0)]
    [0.217, 0.526]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(
            np.less(read, 1), np.divide(np.subtract(write, 1), np.subtract(write, read)), np.inf
        )[()]


@public
def break_even_reads(write: Any, read: Any) -> Any:
    """Reads that recover the premium of one write: (write - 1) / (1 - read); prices relative to plain input. Infinite, never,
    where a read saves nothing.

    Not in it: the part of the write that plain input would have cost too; `reads_of_a_write` counts it.

    >>> [round(float(break_even_reads(write, 0.10)), 2) for write in (1.25, 2.0)]
    [0.28, 1.11]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(
            np.less(read, 1), np.divide(np.subtract(write, 1), np.subtract(1, read)), np.inf
        )[()]


@public
def reads_of_a_write(write: Any, read: Any) -> Any:
    """Reads that recover a whole write, write / (1 - read): the other published reading, 1.39 (often quoted as 1.4).

    It asks too much, because without a cache the first request would have paid 1 as well (Tian Pan, "Prompt caching",
    2025-10-13, counts it so). Not in it: that 1.

    >>> round(reads_of_a_write(1.25, 0.10), 2)
    1.39
    """
    return write / (1 - read)
