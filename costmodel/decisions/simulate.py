"""The only road from options to numbers: the middle, draws, a grid; totals, bands, P(cheapest).

Read from top to bottom: simulate -> per_draw -> batches -> the engine. Rows are evaluated in
batches that stay in the processor's cache. An option that cannot run in a row is NaN there."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study
from costmodel.core import (
    GLOSSARY,
    check,
    check_draws,
    find_key,
    limits,
    middle,
    pin,
    require,
    sample,
)
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, Bills, at_middle, evaluate_all

BATCH = 10_240  # rows evaluated at once: paths stay in the processor's cache, memory stays flat
MOSTLY = 0.9  # of the draws: an option that runs in fewer is not compared draw by draw
UNKNOWN = "quality unknown: not comparable; give quality=Measured(accepted, trials)"

BAND = {"p10": 10, "p50": 50, "p90": 90}  # percentiles of a table

Grid = Mapping[str, Any] | None
PerDraw = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Simulated:
    """A study in numbers: its bills at the middle, and the draws of the options that run there.

    `usd` has the total of each draw, `wrong` what of it is the cost of wrong answers.
    """

    middle: Bills
    usd: PerDraw
    wrong: PerDraw


def simulate(study: Study) -> Simulated:
    """Every option of a study at the middle and on its draws."""
    found = at_middle(study)
    if not found.bills:
        return Simulated(found, {}, {})
    numbers = Bill.total, Bill.failures
    return Simulated(found, *per_draw(study.only(*found.bills), numbers, study.draws))


def totals(study: Study, draws: int | None = None, grid: Grid = None) -> PerDraw:
    """USD over the horizon of each option, on the same draws (None: at the middle of every Range).

    `grid` maps inputs to values of equal length k: the result then has the shape (draws, k), or
    (k,) at the middle; without a grid (draws,), or () at the middle.
    """
    return per_draw(study, (Bill.total,), draws, grid)[0]


def paths(study: Study, draws: int | None = None) -> PerDraw:
    """USD of months 0..H of each option on the same draws, shape (draws, H + 1); None: one row."""
    found = per_draw(study, (Bill.paid,), draws, width=study.terms.months + 1)[0]
    return {label: np.atleast_2d(usd) for label, usd in found.items()}


def per_draw(
    study: Study,
    numbers: Sequence[Callable[[Bill, Calendar], Any]],
    draws: int | None = None,
    grid: Grid = None,
    points: Mapping[str, np.ndarray] | None = None,
    width: int = 1,
) -> list[PerDraw]:
    """Several numbers of the same bills, each in the shape of `totals`, or `width` a row.

    `points` gives the uniforms of every key instead of a Latin hypercube.
    """
    if draws is not None and points is None:
        check_draws(draws, study.seed)
    k = np.size(next(iter(grid.values()))) if grid else 1
    size = (draws or 1) * k, width
    out = [{label: np.full(size, np.nan) for label in study.options} for _ in numbers]
    for rows, calendar, bills in batches(study, draws, grid, points):
        for label, bill in bills.items():
            for number, found in zip(numbers, out, strict=True):
                found[label][rows] = np.where(bill.fits, number(bill, calendar), np.nan)
    shape = [] if draws is None else [draws]
    shape += [k] if grid else []
    shape += [width] if width > 1 else []
    return [{label: x.reshape(shape) for label, x in found.items()} for found in out]


def batches(
    study: Study,
    draws: int | None = None,
    grid: Grid = None,
    points: Mapping[str, np.ndarray] | None = None,
) -> Iterator[tuple[slice, Calendar, dict[str, Bill]]]:
    """The bills of all options that can run, a batch of rows at a time: (rows, calendar, bills).

    Rows are draws (None: one row, the middle of every Range), each with all points of the grid.
    """
    things: Any = (study.options, study.work, study.terms)
    axes = {find_key(things, name): np.ravel(x).astype(float) for name, x in (grid or {}).items()}
    for key, values in axes.items():
        _check_axis(key, values)
    n, k = draws or 1, len(next(iter(axes.values()), [None]))
    for start in range(0, n * k, BATCH):
        rows = slice(start, min(start + BATCH, n * k))
        row = np.arange(rows.start, rows.stop)
        pinned = things
        for key, values in axes.items():
            pinned = pin(pinned, key, values[row % k][:, None])
        if draws is None:
            made = evaluate_all(*middle(pinned))
        else:  # a slice of draws is a view, an index a copy
            drawn = sample(pinned, n, study.seed, row // k if axes else rows, points)
            made = evaluate_all(*drawn)
        yield rows, made.calendar, made.bills


def _check_axis(key: str, values: np.ndarray) -> None:
    check(key != "Terms.months", "the horizon cannot be swept; ask once for each, with months=")
    check(
        key != "Terms.discount_rate",
        "discount_rate changes present values only, and totals are not discounted; "
        "compare npv at two rates",
    )
    field = key.rsplit(".", 1)[-1]
    if field in GLOSSARY:
        require(key, values, *limits(field))


# -- draws in numbers ------------------------------------------------------------------------------


def quantiles(x: np.ndarray, percents: Sequence[float]) -> np.ndarray:
    """Percentiles over the draws in which an option runs; NaN where it runs in none."""
    if not np.isnan(x).any():
        return np.percentile(x, percents, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # "All-NaN slice": NaN is the answer
        return np.nanpercentile(x, percents, axis=0)


def band(x: np.ndarray) -> dict[str, Any]:
    """The percentiles of BAND, by the name of their column."""
    return dict(zip(BAND, quantiles(x, [*BAND.values()]), strict=True))


def p_cheapest(usd: Any) -> pd.Series:
    """Share of the draws in which each option costs least; ties are split."""
    costs = pd.DataFrame(usd).fillna(np.inf)
    least = costs.eq(costs.min(axis=1), axis=0)
    return least.div(least.sum(axis=1), axis=0).mean().astype(float)


def that_run(usd: Mapping[str, np.ndarray]) -> tuple[PerDraw, np.ndarray]:
    """The options that run in MOSTLY of the draws, and the draws in which all of these run."""
    kept = {label: x for label, x in usd.items() if np.mean(~np.isnan(x)) >= MOSTLY}
    runs = ~np.isnan(sum(kept.values())) if kept else np.zeros(0, bool)
    return {label: x[runs] for label, x in kept.items()}, runs


# -- options that may be compared ------------------------------------------------------------------


def quality_unknown(study: Study, known: Bills | None = None) -> list[str]:
    """The options of unknown quality, where wrong answers cost something.

    `known` are the bills at the middle, where somebody has them.
    """
    if not np.any(middle(study.work).usd_per_failure):
        return []
    bills = (known or at_middle(study)).bills
    return [label for label in study.options if label in bills and bills[label].accepted is None]


def comparable(study: Study) -> Study:
    """The study of the options that may be compared.

    Where wrong answers cost something, options of unknown quality are left out beside known ones.
    """
    unknown = quality_unknown(study)
    known = [label for label in study.options if label not in unknown]
    return study.only(*known) if unknown and known else study


def on_equal_terms(study: Study, known: Bills | None = None) -> tuple[Study, str]:
    """The study in which two options meet, and a remark on it that ends a sentence.

    Wrong answers cost nothing where the quality of one option is not known.
    """
    unknown = " and ".join(quality_unknown(study, known))
    if not unknown:
        return study, ""
    remark = "; without the cost of wrong answers, because the quality of {} is not known"
    free = study.changed(work=replace(study.work, usd_per_failure=0.0))
    return free, remark.format(unknown)
