"""Draws by key: one doubt has the same draws everywhere, so that differences of options are paired.

`middle` and `sample` replace every doubt inside nested dataclasses before any equation runs. The
key of a doubt and the seed give n probabilities, a Latin hypercube; the doubt gives the value at
each of them. So adding an option changes the draws of no other. Draws lie on the first axis and
months on the last: a drawn number has the shape (n, 1).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from zlib import crc32

import numpy as np

from costmodel.core.checks import whole_number
from costmodel.core.errors import check
from costmodel.core.nested import find_keys, key_of, rewrite, walk
from costmodel.core.public import public
from costmodel.core.ranges import Doubt, Measured, Range

DRAWS_MAX = 1_000_000  # more would not fit the memory of a laptop, and no percentile needs them
SEED_MAX = 2**32 - 1
WHOLE = 2**17  # draws up to which a key is one hypercube, kept whole; beyond, its blocks are made
BLOCK = 2**13  # when their rows are asked for, so that memory stays flat
ENOUGH = 20_000  # draws for what needs all of them at once, such as a regression


# -- replacing doubts by numbers -------------------------------------------------------------------


@public
def middle(x: Any) -> Any:
    """x with every doubt replaced by its median.

    Parameters
    ----------
    x : dataclass, tuple, dict, Range or Measured
        Anything that may hold a Range or an evaluation.

    Returns
    -------
    The same structure with floats; what holds no doubt is shared with x.

    Examples
    --------
    >>> middle((Range(50, 150, mid=100), 3))
    (100, 3)
    """
    if isinstance(x, Doubt):
        return x.mid
    if isinstance(x, tuple):
        return tuple(middle(i) for i in x)
    return rewrite(x, lambda key, doubt: doubt.mid, doubts_only=True)


@public
def sample(
    x: Any,
    n: int,
    seed: int = 0,
    rows: Any = slice(None),
    points: Mapping[str, np.ndarray] | None = None,
) -> Any:
    """x with every doubt inside its dataclasses replaced by an array of draws.

    Parameters
    ----------
    x : dataclass, tuple or dict
        Options, a workload, terms, or a tuple of them.
    n : int
        Number of draws, 1 to 1,000,000.
    seed : int
        Seed of the draws, from 0.
    rows : slice or array of int
        Which of the draws to return.
    points : {key: array of the shape (n, 1)}, optional
        The probabilities of some or all keys, and of "driver <name>", as a design of somebody else;
        other keys are drawn by the seed.

    Returns
    -------
    The same structure with an array of the shape (rows, 1) for each doubt.

    Raises
    ------
    ValueError
        Where n or the seed is no whole number in its bounds.

    Examples
    --------
    >>> from dataclasses import make_dataclass
    >>> Fee = make_dataclass("Fee", ["usd"], frozen=True)
    >>> first, second = sample((Fee(Range(1, 3)), Fee(Range(1, 3))), 1_000)
    >>> first.usd.shape, bool((100 * first.usd > 90 * second.usd).all())
    ((1000, 1), True)
    """
    if points is None:
        check_draws(n, seed)
    drawn: dict[tuple[str, Any], Any] = {}  # one array a doubt: what is shared can be recognised

    def draw(key: str, doubt: Any) -> Any:
        if doubt.low == doubt.high:
            return doubt.mid
        if (key, doubt) not in drawn:
            drawn[key, doubt] = draw_rows(key, doubt, n, seed, rows, points)
        return drawn[key, doubt]

    return rewrite(x, draw, doubts_only=True)


def draw_rows(
    key: str,
    doubt: Range | Measured,
    n: int,
    seed: int,
    rows: Any = slice(None),
    points: Mapping[str, np.ndarray] | None = None,
    fixed: Mapping[str, np.ndarray] | None = None,
    and_middle: bool = False,
) -> np.ndarray:
    """Some of the draws of one doubt, shape (rows, 1), as `sample` puts them in its place.

    `fixed` are values of some inputs in place of their draws, NaN where the draw stays; with
    `and_middle` one more row, the last, holds the median.
    """
    own, given = draw_key(key, doubt), points or {}
    if n <= WHOLE and not {own, driver_key(doubt)} & given.keys():
        every = values_and_middle(own, doubt, n, seed)
        if and_middle and not fixed and isinstance(rows, slice) and rows.stop == n:
            return every[rows.start :]  # a view
        values = every[:n][rows]
    else:
        chances = probabilities(lambda k: given_or_drawn(given, k, n, seed, rows), own, doubt)
        values = np.asarray(doubt.quantile(chances))
    if fixed and key in fixed:
        values = np.where(np.isnan(fixed[key]), values, fixed[key])
    return np.append(values, [[doubt.mid]], axis=0) if and_middle else values


@public
def drive(x: Any, driver: str, loadings: Mapping[str, float]) -> Any:
    """x with doubts that a named driver moves together: the only way in which draws correlate.

    A doubt keeps its own range; its rank follows the rank of the driver.

    Parameters
    ----------
    x : dataclass, tuple or dict
        Options, a workload, terms, or a tuple of them.
    driver : str
        A name of your own, such as "economy".
    loadings : {input: float}
        How strongly each input follows, -1 to 1; with 0 it stays as it is.

    Returns
    -------
    The same structure with Ranges that have a driver.

    Raises
    ------
    CatalogError
        Where an input is not in x.
    ValueError
        Where an input is no Range.

    Examples
    --------
    >>> from dataclasses import make_dataclass
    >>> Prices = make_dataclass("Prices", ["api", "gpu"], frozen=True)
    >>> prices = Prices(Range(1, 3), Range(2, 5))
    >>> both = sample(drive(prices, "economy", {"Prices.api": 0.9, "Prices.gpu": 0.9}), 2_000)
    >>> bool(np.corrcoef(both.api.ravel(), both.gpu.ravel())[0, 1] > 0.7)
    True
    """
    check(
        isinstance(loadings, Mapping),
        f"drive: loadings is {loadings!r}, it must be {{input: loading}}",
    )
    by_key = dict(zip(find_keys(x, loadings), loadings.values(), strict=True))

    def moved(key: str, value: Any) -> Any:
        if key not in by_key:
            return value
        check(isinstance(value, Range), f"{key} is {value!r}; only a Range can follow a driver")
        if not by_key[key]:
            return value
        return dataclasses.replace(value, driver=driver, loading=by_key[key])

    return rewrite(x, moved)


def check_draws(draws: int, seed: int) -> None:
    """Check the number of draws and the seed, before anything of that size is made."""
    whole_number("draws", draws, 1, DRAWS_MAX)
    whole_number("seed", seed, 0, SEED_MAX)


# -- the doubts of something and their keys --------------------------------------------------------


def doubts(x: Any) -> dict[str, Range | Measured]:
    """Every doubt inside nested dataclasses by the key of its draws, in order of first sight."""
    found: dict[str, Range | Measured] = {}
    for owner, name, value in walk(x):
        if isinstance(value, Doubt) and value.low < value.high:
            found.setdefault(draw_key(key_of(owner, name, value), value), value)
    return found


def draw_key(key: str, doubt: Range | Measured) -> str:
    """The key of the draws of a doubt: evaluations with other counts have draws of their own."""
    if isinstance(doubt, Measured) and doubt.name is None:
        return f"{key} {doubt.accepted:g}/{doubt.trials:g}"
    return key


def driver_key(doubt: Range | Measured) -> str | None:
    """The key of the driver that moves this doubt, or None."""
    return f"driver {doubt.driver}" if doubt.loading else None


# -- from a key to draws ---------------------------------------------------------------------------


def draw_values(key: str, doubt: Range | Measured, n: int, seed: int) -> np.ndarray:
    """The n draws of one doubt, shape (n, 1), one in each of n strata of equal probability.

    >>> a, b = (
    ...     draw_values("price", Range(1, 3), 1000, 0),
    ...     draw_values("price", Range(1, 3), 1000, 0),
    ... )
    >>> bool((100 * a > 90 * b).all())
    True
    """
    return values_and_middle(key, doubt, n, seed)[:n]


@lru_cache(maxsize=512)
def values_and_middle(key: str, doubt: Range | Measured, n: int, seed: int) -> np.ndarray:
    """The n draws of one doubt and, as one more row, its median."""
    order = strata(key, n, seed)
    if driver_key(doubt):
        mixed = probabilities(lambda k: uniforms(k, n, seed), key, doubt)
        order = np.empty(n, np.intp)
        order[np.argsort(mixed[:, 0])] = np.arange(n)  # ranks: one draw in each stratum again
    values = np.empty(n + 1)
    if isinstance(doubt, Range):  # most of them, whose quantiles are looked up
        values[:n] = doubt.at_z(_normals(n))[order]
    else:
        values[:n] = doubt.quantile((order + 0.5) / n)
    values[n] = doubt.mid
    values.flags.writeable = False
    return values[:, None]


def probabilities(of: Callable[[str], np.ndarray], key: str, doubt: Any) -> np.ndarray:
    """The probabilities of a doubt: its own, or mixed with those of its driver in a normal copula.

    Phi(loading x z(driver) + sqrt(1 - loading^2) x z(own))
    """
    driver = driver_key(doubt)
    if driver is None:
        return of(key)
    from scipy.special import ndtr, ndtri

    loading = doubt.loading
    return ndtr(loading * ndtri(of(driver)) + np.sqrt(1 - loading**2) * ndtri(of(key)))


def given_or_drawn(
    points: Mapping[str, np.ndarray], key: str, n: int, seed: int, rows: Any = slice(None)
) -> np.ndarray:
    """The probabilities of a key in some of n draws: as given, or those of its draws."""
    return points[key][rows] if key in points else uniforms(key, n, seed, rows)


def uniforms(key: str, n: int, seed: int, rows: Any = slice(None)) -> np.ndarray:
    """The probabilities of a key in some of n draws, shape (rows, 1).

    They are the middles of n equal strata, each once. Of more than WHOLE draws each block is a
    hypercube of its own, whose draws lie at one place of their strata, and no other block has that
    place: so all blocks together are a hypercube too.

    >>> u = uniforms("price", 200_000, 0)
    >>> bool(np.array_equal(uniforms("price", 200_000, 0, slice(9_000, 9_900)), u[9_000:9_900]))
    True
    >>> int(np.bincount((u[:, 0] * 100).astype(int)).max())
    2000
    """
    if n <= WHOLE:
        return ((strata(key, n, seed)[rows] + 0.5) / n)[:, None]
    blocks = -(-n // BLOCK)
    size, row = -(-n // blocks), np.arange(n)[rows]
    place = strata(key, blocks, seed)
    u = np.empty(len(row))
    for block in range(row.min() // size, row.max() // size + 1):
        here = row // size == block
        rng = np.random.default_rng([seed, crc32(key.encode()), block])
        u[here] = rng.permutation(size)[row[here] - block * size] + (place[block] + 0.5) / blocks
    return (u / size)[:, None]


@lru_cache(maxsize=32)
def strata(key: str, n: int, seed: int) -> np.ndarray:
    """The stratum, of n, of each draw of a key, shape (n,): an order seeded by the key."""
    return np.random.default_rng([seed, crc32(key.encode())]).permutation(n)


@lru_cache(maxsize=4)
def _normals(n: int) -> np.ndarray:
    """Standard normal quantiles of the middles of n equal strata, in order."""
    from scipy.special import ndtri

    return ndtri((np.arange(n) + 0.5) / n)
