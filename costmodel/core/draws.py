"""Draws by key: the same doubt has the same draws everywhere, so differences of options are paired.

The key of a doubt gives uniforms, the Range its quantile. `middle` and `sample` replace every doubt inside nested
dataclasses before any equation runs, so that equations see only floats and arrays. Draws lie on the first axis and
months on the last: a drawn parameter has the shape (n, 1).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from zlib import crc32

import numpy as np

from costmodel.core.errors import check, whole
from costmodel.core.nested import find_key, key_of, rewrite, walk
from costmodel.core.public import public
from costmodel.core.ranges import Doubt, Measured, Range

DRAWS_MAX = 1_000_000  # more would not fit the memory of a laptop, and no percentile needs them
SEED_MAX = 2**32 - 1
BLOCK = 16_384  # draws turned into values at once, so that they stay in the processor's cache


# -- replacing doubts by numbers -----------------------------------------------------------------------


@public
def middle(x: Any) -> Any:
    """x with every Range replaced by its median.

    >>> middle((Range(50, 150, mid=100), 3))
    (100, 3)
    """
    if isinstance(x, Doubt):
        return x.mid
    if isinstance(x, tuple):
        return tuple(middle(i) for i in x)
    return rewrite(x, lambda key, value: value.mid, doubts=True)


@public
def sample(
    x: Any,
    n: int,
    seed: int = 0,
    rows: Any = slice(None),
    points: Mapping[str, np.ndarray] | None = None,
) -> Any:
    """x with every Range replaced by n paired draws of the shape (n, 1); `rows` (a slice or indices) takes some.

    `points` gives the uniforms of all keys (and "driver <name>") instead: a design that somebody else has made.
    """

    if points is None:
        check_draws(n, seed)
    taken: dict[
        tuple[str, Any], Any
    ] = {}  # one array per doubt, so that what is shared can be recognised

    def draw(key: str, value: Any) -> Any:
        if value.low == value.high:
            return value.mid
        if (key, value) not in taken:
            own = draw_key(key, value)
            if points is None:
                taken[key, value] = draws(own, value, n, seed)[rows]
            else:
                u = points[own][rows]
                driven = (
                    value.quantile(followed(points[driver_key(value)][rows], u, value.loading))
                    if is_driven(value)
                    else value.quantile(u)
                )
                taken[key, value] = np.asarray(driven)
        return taken[key, value]

    return rewrite(x, draw, doubts=True)


def draw_key(key: str, value: Any) -> str:
    """The key of the uniforms of a doubt: two evaluations err apart, one errs the same everywhere."""
    return (
        f"{key} {value.accepted:g}/{value.trials:g}"
        if isinstance(value, Measured) and value.name is None
        else key
    )


def is_driven(value: Any) -> bool:
    return isinstance(value, Range) and value.driver is not None and value.loading != 0


def driver_key(value: Any) -> str:
    return f"driver {value.driver}"


def doubts(x: Any) -> dict[str, Range | Measured]:
    """Every doubt inside nested dataclasses by the key of its uniforms, each once, in order of first sight."""
    found: dict[str, Range | Measured] = {}
    for owner, name, value in walk(x):
        if isinstance(value, Doubt) and value.low < value.high:
            found.setdefault(draw_key(key_of(owner, name, value), value), value)
    return found


@public
def drive(x: Any, driver: str, loadings: Mapping[str, float]) -> Any:
    """x with doubts that a named driver moves together: {input: loading}, each loading -1 to 1.

    Correlation enters the draws in no other way. A doubt keeps its own range; its rank follows the driver's, and with a loading of 0 it stays as it is.
    Errors: `CatalogError` for an input that is not there, `ValueError` for one that is no Range.

    >>> from costmodel.choices.terms import Trends
    ... from costmodel.core.draws import middle, sample
    >>> both = sample(drive(Trends(), "economy", {"Trends.api": 0.9, "Trends.gpu": 0.9}), 2_000)
    >>> bool(np.corrcoef(both.api.ravel(), both.gpu.ravel())[0, 1] > 0.7)
    True
    """
    check(
        isinstance(loadings, Mapping),
        f"drive: loadings is {loadings!r}, it must be {{input: loading}}",
    )
    found = {find_key(x, name): loading for name, loading in loadings.items()}

    def moved(key: str, value: Any) -> Any:
        if key not in found:
            return value
        check(isinstance(value, Range), f"{key} is {value!r}; only a Range can follow a driver")
        return (
            dataclasses.replace(value, driver=driver, loading=found[key]) if found[key] else value
        )

    return rewrite(x, moved)


@lru_cache(maxsize=512)
def draws(key: str, doubt: Range | Measured, n: int, seed: int) -> np.ndarray:
    """n draws of one doubt, shape (n, 1): a Latin hypercube whose order is seeded by the key.

    >>> a, b = draws("price", Range(1, 3), 1000, 0), draws("price", Range(1, 3), 1000, 0)
    >>> bool((100 * a > 90 * b).all())
    True
    """
    order = strata(key, n, seed)
    if isinstance(doubt, Range) and is_driven(doubt):
        mixed = followed(
            uniforms(driver_key(doubt), n, seed), uniforms(key, n, seed), doubt.loading
        )
        order = np.argsort(np.argsort(mixed[:, 0]))  # ranks: one draw in each stratum again
    values = np.empty((n, 1))
    for start in range(0, n, BLOCK):
        block = slice(start, start + BLOCK)
        values[block, 0] = (
            doubt.at_z(_normals(n)[order[block]])
            if isinstance(doubt, Range)
            else doubt.quantile((order[block] + 0.5) / n)
        )
    values.flags.writeable = False
    return values


def followed(driver: np.ndarray, own: np.ndarray, loading: float) -> np.ndarray:
    """Uniforms that follow a driver: Phi(loading x z(driver) + sqrt(1 - loading^2) x z(own)), a normal copula."""
    from scipy.special import ndtr, ndtri

    return ndtr(loading * ndtri(driver) + np.sqrt(1 - loading**2) * ndtri(own))


def check_draws(draws: int, seed: int) -> None:
    """Check the number of draws and the seed, before anything of that size is made."""
    whole("draws", draws, 1, DRAWS_MAX)
    whole("seed", seed, 0, SEED_MAX)


@lru_cache(maxsize=32)
def strata(key: str, n: int, seed: int) -> np.ndarray:
    """Which of n equal strata each draw of a key falls into, shape (n,): an order seeded by the key."""
    return np.random.default_rng([seed, crc32(key.encode())]).permutation(n)


@lru_cache(maxsize=4)
def _normals(n: int) -> np.ndarray:
    """Standard normal quantiles of the middles of n equal strata, in order."""
    from scipy.special import ndtri

    return ndtri((np.arange(n) + 0.5) / n)


def uniforms(key: str, n: int, seed: int) -> np.ndarray:
    """The uniforms of a key in 0..1, shape (n, 1): the middle of each of n equal strata once, in an order of its own."""
    return ((strata(key, n, seed) + 0.5) / n)[:, None]
