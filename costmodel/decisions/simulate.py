"""The only road from options to numbers: at the middle of every doubt, on draws, and on the points of a grid.

Rows are evaluated in batches that stay in the processor's cache. An option that cannot run in a row is NaN there.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from costmodel.choices.study import Study
from costmodel.core.checks import require
from costmodel.core.draws import check_draws, middle, sample
from costmodel.core.errors import Infeasible, check
from costmodel.core.glossary import GLOSSARY, limits
from costmodel.core.nested import find_key, pin
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import AtMiddle, Bill, at_middle, evaluate

BATCH = 10_240  # rows evaluated at once: paths stay in the processor's cache, memory stays flat
MOSTLY = (
    0.9  # of the draws: an option that runs in fewer is not weighed against others draw by draw
)
UNKNOWN = "quality unknown: not comparable; give quality=Measured(accepted, trials)"

Grid = Mapping[str, Any] | None
PerDraw = dict[str, np.ndarray]


def totals(
    study: Study,
    draws: int | None = None,
    grid: Grid = None,
    points: Mapping[str, np.ndarray] | None = None,
) -> PerDraw:
    """USD over the horizon of each option, on the same draws (None: at the middle of every Range).

    `grid` maps inputs to values of equal length k: the result then has the shape (draws, k), or (k,) at the middle;
    without a grid (draws,), or () at the middle. `points` gives the uniforms of every key instead of a Latin hypercube.
    """
    return per_draw(study, (Bill.total,), draws, grid, points)[0]


def per_draw(
    study: Study,
    numbers: Sequence[Callable[[Bill, Calendar], Any]],
    draws: int | None = None,
    grid: Grid = None,
    points: Mapping[str, np.ndarray] | None = None,
) -> list[PerDraw]:
    """Several numbers of the same bills, each in the shape of `totals`."""
    if draws is not None and points is None:
        check_draws(draws, study.seed)
    k = np.size(next(iter(grid.values()))) if grid else 1
    out = [{label: np.full((draws or 1) * k, np.nan) for label in study.options} for _ in numbers]
    for rows, calendar, bills in batches(study, draws, grid, points):
        for label, bill in bills.items():
            for number, found in zip(numbers, out, strict=True):
                values = np.where(bill.fits, number(bill, calendar), np.nan)
                found[label][rows] = np.broadcast_to(values, (rows.stop - rows.start, 1))[:, 0]
    shape = (() if draws is None else (draws,)) + ((k,) if grid else ())
    return [{label: values.reshape(shape) for label, values in found.items()} for found in out]


def paths(study: Study, draws: int | None = None) -> PerDraw:
    """USD of months 0..H of each option on the same draws, shape (draws, H + 1); None: at the middle, one row."""
    if draws is not None:
        check_draws(draws, study.seed)
    out = {label: np.full((draws or 1, study.terms.months + 1), np.nan) for label in study.options}
    for rows, calendar, bills in batches(study, draws):
        for label, bill in bills.items():
            out[label][rows] = np.where(bill.fits, bill.paid(calendar), np.nan)
    return out


def batches(
    study: Study,
    draws: int | None = None,
    grid: Grid = None,
    points: Mapping[str, np.ndarray] | None = None,
) -> Iterator[tuple[slice, Calendar, dict[str, Bill]]]:
    """The bills of all options, a batch of rows at a time: (rows, calendar, {label: bill}); what cannot run has no bill.

    Rows are draws (None: one row, the middle of every Range), each with all points of the grid.
    """
    things: Any = study.inputs
    axes = {
        find_key(things, name): np.ravel(values).astype(float)
        for name, values in (grid or {}).items()
    }
    for key, values in axes.items():
        _check_axis(key, values)
    n, k = draws or 1, len(next(iter(axes.values()))) if axes else 1
    for start in range(0, n * k, BATCH):
        rows = slice(start, min(start + BATCH, n * k))
        flat = np.arange(rows.start, rows.stop)
        pinned = things
        for key, values in axes.items():
            pinned = pin(pinned, key, values[flat % k][:, None])
        drawn = partial(
            sample, n=n, seed=study.seed, rows=flat // k if axes else rows, points=points
        )
        options, work, terms = middle(pinned) if draws is None else drawn(pinned)
        calendar, bills = Calendar(work, terms), {}
        for label, option in zip(study.options, options, strict=True):
            with suppress(Infeasible):
                bills[label] = evaluate(option, work, terms)
        yield rows, calendar, bills


def _check_axis(key: str, values: np.ndarray) -> None:
    check(key != "Terms.months", "the horizon cannot be swept; ask once for each, with months=")
    discount = "discount_rate changes present values only, and totals are not discounted; compare npv at two rates"
    check(key != "Terms.discount_rate", discount)
    field = key.rsplit(".", 1)[-1]
    if field in GLOSSARY:
        require(key, values, *limits(field))


# -- draws in numbers ------------------------------------------------------------------------------------


def quantiles(x: np.ndarray, percents: Sequence[float]) -> np.ndarray:
    """Percentiles along the draws, of those in which an option runs; NaN where it runs in none."""
    if not np.isnan(x).any():
        return np.percentile(x, percents, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # "All-NaN slice": NaN is the answer
        return np.nanpercentile(x, percents, axis=0)


def p_cheapest(usd: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Share of the draws in which each option costs least; ties are split."""
    if not usd:
        return {}
    stack = np.vstack([np.where(np.isnan(x), np.inf, x) for x in usd.values()])
    least = stack == stack.min(axis=0)
    return dict(zip(usd, (least / least.sum(axis=0)).mean(axis=1).tolist(), strict=True))


def that_run(usd: Mapping[str, np.ndarray]) -> tuple[PerDraw, np.ndarray]:
    """The options that run in at least MOSTLY of the draws, and the draws in which all of these do."""
    kept = {label: x for label, x in usd.items() if np.mean(~np.isnan(x)) >= MOSTLY}
    runs = ~np.isnan(np.vstack(list(kept.values()))).any(axis=0) if kept else np.zeros(0, bool)
    return {label: x[runs] for label, x in kept.items()}, runs


# -- options that may be held against each other ---------------------------------------------------------


def quality_unknown(study: Study, known: AtMiddle | None = None) -> list[str]:
    """The options of which nobody knows how many wrong answers they give, where wrong answers cost something."""
    if not np.any(middle(study.work).usd_per_failure):
        return []
    known = known or at_middle(study)
    return [label for label in study.options if not known.quality_known(label)]


def comparable(study: Study) -> Study:
    """The study of the options that may be held against each other.

    Where wrong answers cost something, options of unknown quality are compared only among themselves.
    """
    unknown = quality_unknown(study)
    known = [label for label in study.options if label not in unknown]
    return study.only(*known) if unknown and known else study


def on_equal_terms(study: Study, known: AtMiddle | None = None) -> tuple[Study, str]:
    """The study in which two options meet, and what to say of it.

    Wrong answers cost nothing where the quality of one option is not known.
    """
    unknown = quality_unknown(study, known)
    if not unknown:
        return study, ""
    free = study.changed(work=replace(study.work, usd_per_failure=0.0))
    return (
        free,
        f"; without the cost of wrong answers, because the quality of {' and '.join(unknown)} is not known",
    )
