"""Sobol indices: which share of the variance each doubt explains, alone and with all its interactions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core.checks import whole_number
from costmodel.core.draws import DRAWS_MAX, SEED_MAX, doubts, driver_key
from costmodel.core.errors import check
from costmodel.core.public import public
from costmodel.decisions.simulate import totals

POINTS = 1024
LEVEL = 0.90
RESAMPLES = 200


@analysis
def sobol(
    study: Study, label: str | None = None, against: str | None = None, points: int = POINTS
) -> pd.DataFrame:
    """Share of the variance of an option's total that each doubt explains; with `against`, of the difference to that option.

    Columns: input, first, first_low, first_high (alone), total, total_low, total_high (with all its interactions; the ends hold 90 %
    of a bootstrap), largest total first. Doubts that a driver moves are split into the driver ("driver name") and what is their own.
    Each doubt has its own range: what cannot run in a draw is an error. Source: scipy.stats.sobol_indices (Saltelli et al. 2010),
    `points` a power of two.
    """
    labels = (study.label(label),) if against is None else study.pair(label, against)
    study = study.only(*labels)
    found = doubts(study.inputs)
    keys = [key for key in dict.fromkeys([*found, *map(driver_key, found.values())]) if key]
    check(keys, "sobol: no input of this option is a Range")

    def usd(u: np.ndarray) -> np.ndarray:
        given = {key: column[:, None] for key, column in zip(keys, u.T, strict=True)}
        drawn = totals(study, len(u), points=given)
        return drawn[labels[0]] - drawn[labels[1]] if against is not None else drawn[labels[0]]

    return sobol_indices(usd, keys, points, study.seed)


@public
def sobol_indices(
    function: Callable[[np.ndarray], np.ndarray],
    names: list[str],
    points: int = POINTS,
    seed: int = 0,
) -> pd.DataFrame:
    """Sobol indices of any function of uniforms: (n, d) in 0..1 -> (n,). Columns as `sobol`.

    >>> additive = sobol_indices(
    ...     lambda u: 3 * u[:, 0] + u[:, 1], ["a", "b"]
    ... )  # 9 / 10 and 1 / 10 of the variance
    >>> [round(float(x), 2) for x in additive["first"]]
    [0.9, 0.1]
    """
    from scipy.stats import sobol_indices as indices
    from scipy.stats import uniform

    check(names, "sobol_indices: names is empty, it must name each column of the function")
    whole_number("seed", seed, 0, SEED_MAX)
    whole_number("points", points, 2, DRAWS_MAX)
    check(
        points & (points - 1) == 0, f"points is {points}, it must be a power of two, such as 1024"
    )

    def asked(x: np.ndarray) -> np.ndarray:
        y = np.asarray(function(np.clip(x.T, 1e-9, 1 - 1e-9)), float)
        check(
            y.shape == (x.shape[1],),
            f"sobol_indices: the function returns the shape {y.shape}, it must be one number a row, ({x.shape[1]},)",
        )
        check(
            np.isfinite(y).all(),
            "an option cannot run in some of the draws, so its variance is not known; narrow the Range that stops it",
        )
        return y[None, :]

    found = indices(
        func=asked, n=points, dists=[uniform()] * len(names), rng=np.random.default_rng(seed)
    )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # an input that changes nothing has no spread: its ends are filled in below
        spread = found.bootstrap(confidence_level=LEVEL, n_resamples=RESAMPLES)
    table: dict[str, Any] = {"input": names}
    for column, value, band in (
        ("first", found.first_order, spread.first_order),
        ("total", found.total_order, spread.total_order),
    ):
        low, high = band.confidence_interval
        value = np.ravel(value)
        ends = (np.where(np.isnan(np.ravel(end)), value, np.ravel(end)) for end in (low, high))
        table |= dict(zip((column, f"{column}_low", f"{column}_high"), (value, *ends), strict=True))
    return pd.DataFrame(table).sort_values("total", ascending=False, ignore_index=True)
