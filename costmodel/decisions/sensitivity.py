"""Sobol indices: the share of the variance that each doubt explains, alone and with others."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core import (
    DRAWS_MAX,
    SEED_MAX,
    check,
    doubts,
    driver_key,
    in_words,
    public,
    whole_number,
)
from costmodel.decisions.simulate import per_draw
from costmodel.ledgers.engine import Bill

POINTS = 1024
NAMES_MAX = 1_000
LEVEL = 0.90
RESAMPLES = 200


@analysis
def sobol(
    study: Study, label: str | None = None, against: str | None = None, points: int = POINTS
) -> pd.DataFrame:
    """Share of the variance of an option's total that each doubt explains.

    Doubts that a driver moves are split into the driver ("driver name") and what is their own.

    Parameters
    ----------
    study : Study, or options with a workload
        Where the options stand.
    label : str, optional
        The option; without one, the only option.
    against : str, optional
        With it, the variance of the difference to this option.
    points : int
        Size of the design, a power of two.

    Returns
    -------
    DataFrame
        `input`, `first`, `first_low` and `first_high` (alone), `total`, `total_low` and
        `total_high` (with all its interactions) [share of the variance], largest total first. The
        ends hold 90 % of a bootstrap.

    Raises
    ------
    ValueError
        No input is a Range, an option cannot run in a draw, or `points` is no power of two.

    References
    ----------
    Saltelli et al. 2010, by scipy.stats.sobol_indices.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> list(sobol(study.only("Prompt"), points=2).columns)[:4]
    ['input', 'first', 'first_low', 'first_high']
    """
    labels = [study.label(label)] if against is None else [*study.pair(label, against)]
    study = study.only(*labels)
    found = doubts(study.inputs)
    keys = [key for key in dict.fromkeys([*found, *map(driver_key, found.values())]) if key]
    check(keys, "sobol: no input of this option is a Range")

    def usd(u: np.ndarray) -> np.ndarray:
        given = {key: column[:, None] for key, column in zip(keys, u.T, strict=True)}
        first, *second = per_draw(study, (Bill.total,), len(u), points=given)[0].values()
        return first - second[0] if second else first

    return sobol_indices(usd, keys, points, study.seed)


@public
def sobol_indices(
    function: Callable[[np.ndarray], np.ndarray],
    names: Sequence[str],
    points: int = POINTS,
    seed: int = 0,
) -> pd.DataFrame:
    """Sobol indices of any function of uniforms.

    Parameters
    ----------
    function : callable
        Uniforms of the shape (n, d), in 0 to 1 -> (n,).
    names : sequence of str
        One for each of the d columns.
    points : int
        Size of the design, a power of two.
    seed : int
        What makes it repeatable.

    Returns
    -------
    DataFrame
        The columns of `sobol`.

    Raises
    ------
    ValueError
        Without names, with `points` no power of two, or where the function is not finite.

    Examples
    --------
    >>> additive = sobol_indices(lambda u: 3 * u[:, 0] + u[:, 1], ["a", "b"])
    >>> [round(float(x), 2) for x in additive["first"]]  # 9 / 10 and 1 / 10 of the variance
    [0.9, 0.1]
    """
    from scipy.stats import sobol_indices as indices
    from scipy.stats import uniform

    listed = not isinstance(names, str) and 0 < len(names) <= NAMES_MAX
    check(
        listed,
        f"sobol_indices: names is {in_words(names)}, it must name each column of the function, "
        f"1 to {NAMES_MAX} of them",
    )
    whole_number("seed", seed, 0, SEED_MAX)
    whole_number("points", points, 2, DRAWS_MAX)
    check(
        points & (points - 1) == 0, f"points is {points}, it must be a power of two, such as 1024"
    )

    def rows(x: np.ndarray) -> np.ndarray:
        y = np.asarray(function(np.clip(x.T, 1e-9, 1 - 1e-9)), float)
        check(
            y.shape == (x.shape[1],),
            f"sobol_indices: the function returns the shape {y.shape}, it must be "
            f"one number a row, ({x.shape[1]},)",
        )
        check(
            np.isfinite(y).all(),
            "an option cannot run in some of the draws, so its variance is not known; narrow the "
            "Range that stops it",
        )
        return y[None, :]

    found = indices(
        func=rows, n=points, dists=[uniform()] * len(names), rng=np.random.default_rng(seed)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an input that changes nothing has no spread
        spread = found.bootstrap(confidence_level=LEVEL, n_resamples=RESAMPLES)
    table = pd.DataFrame({"input": names})
    for column in ("first", "total"):
        table[column] = np.ravel(getattr(found, f"{column}_order"))
        interval = getattr(spread, f"{column}_order").confidence_interval
        for end in ("low", "high"):
            bound = pd.Series(np.ravel(getattr(interval, end)))
            table[f"{column}_{end}"] = bound.fillna(table[column])
    return table.sort_values("total", ascending=False, ignore_index=True)
