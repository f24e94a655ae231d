"""Prompt-cache economics: hit rate from arrivals and time to live, and when a cache pays.

Prices are relative to plain input: a read of 0.10 is 90 % off, a write of 1.25 a premium of a
quarter. The rules of the providers, with their dates, are facts of data/facts/caches.csv. Every
argument is a number or an array of draws; they broadcast to the shape of the result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.core import floats, public


@public
def hit_rate(arrivals_per_s: Any, ttl_s: Any) -> Any:
    """Share of requests that find the prefix still cached, when each read renews its time to live.

    P(next arrival within the TTL) = 1 - exp(-arrivals x TTL), Poisson arrivals, which see time
    averages: it is also the share of time that the prefix is cached, or a replica awake. Not in it:
    bursts, several prefixes, caches of their own in every replica; `prefix_hit_rate` has them.

    Parameters
    ----------
    arrivals_per_s : number or array, at least 0 [1/s]
    ttl_s : number or array, at least 0 [s]
        Time to live.

    Returns
    -------
    number or array [share]

    Examples
    --------
    >>> round(float(hit_rate(50 / 36_000, 300)), 2)  # 50 queries in 10 busy hours, 5 minutes
    0.34
    """
    return -np.expm1(-floats(arrivals_per_s) * ttl_s)


@public
def prefix_hit_rate(
    arrivals_per_s: Any,
    ttl_s: Any,
    burst: Any = 1.0,
    parallel: Any = 1.0,
    prefixes: Any = 1.0,
    replicas: Any = 1.0,
) -> Any:
    """Share of requests that read a cached prefix, for traffic that is not one even stream.

    1 - (parallel / burst) x exp(-arrivals x TTL / (burst x prefixes x replicas)): requests come in
    bursts within one TTL, and those that start together cannot read the prefix that another one
    writes. One shared pool that hits 52.4 % would hit 9 % as eight isolated ones; 11.8 % were
    measured (PegaFlow). Not in it: prefixes of unequal use (they hit more), eviction before the
    TTL.

    Parameters
    ----------
    arrivals_per_s, ttl_s : number or array, at least 0 [1/s], [s]
    burst, parallel : number or array, at least 1
        Requests of a burst, and those of its first that start together.
    prefixes : number or array, at least 1
        Prompts over which the traffic is spread evenly.
    replicas : number or array, at least 1
        Caches of their own; 1 is one shared cache.

    Returns
    -------
    number or array [share]

    Examples
    --------
    >>> [round(float(prefix_hit_rate(0.742 / 300, 300, replicas=n)), 3) for n in (1, 8)]
    [0.524, 0.089]
    """
    alone = np.minimum(floats(parallel) / burst, 1.0)
    arrivals = floats(arrivals_per_s) / (burst * prefixes * replicas)
    return 1 - alone * np.exp(-arrivals * ttl_s)


@public
def cached_price(hits: Any, write: Any, read: Any) -> Any:
    """Price of a prefix token over plain input; above 1 the cache loses money.

    hits x read + (1 - hits) x write. Not in it: storage, where it is billed by the hour.

    Parameters
    ----------
    hits : share or array
        Requests that find the prefix cached.
    write, read : number or array, at least 0 [x]
        Price of a written and of a read token over plain input.

    Returns
    -------
    number or array [x]

    Examples
    --------
    >>> round(cached_price(0.04, 1.25, 0.10), 3)  # five queries a day: dearer than no cache
    1.204
    """
    return hits * read + (1 - hits) * write


@public
def break_even_hit_rate(write: Any, read: Any) -> Any:
    """Steady hit rate above which a cache costs less than plain input.

    h x read + (1 - h) x write = 1, so h = (write - 1) / (write - read): (write - 1) / (1 - read)
    reads of each write, 0.28 at 1.25 and 0.10. Not in it: storage.

    Parameters
    ----------
    write, read : number or array, at least 0 [x]
        Price of a written and of a read token over plain input.

    Returns
    -------
    number or array [share]
        Infinite, never, where a read saves nothing.

    Examples
    --------
    >>> [round(float(break_even_hit_rate(write, 0.10)), 3) for write in (1.25, 2.0)]
    [0.217, 0.526]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.divide(np.subtract(write, 1), np.subtract(write, read))
        return np.where(np.less(read, 1), rate, np.inf)[()]
