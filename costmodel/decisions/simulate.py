"""The road from options to numbers: totals per draw, in batches that stay in the processor's cache."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from costmodel.choices.options import Mix, Option
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.checks import limits, require
from costmodel.core.draws import counted, middle, sample
from costmodel.core.errors import Infeasible, check
from costmodel.core.nested import find_key, pin
from costmodel.core.units import GLOSSARY
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, Options, evaluate

CHUNK = 10_240  # rows evaluated at once: paths stay in the processor's cache, memory stays flat
MOSTLY = 0.9  # of the draws: an option that cannot run in more than the rest is not weighed against others draw by draw
UNKNOWN = "quality unknown: not comparable; give quality=Measured(accepted, trials)"


def chunks(options: Options, work: Workload, terms: Terms, draws: int | None = None, seed: int = 0, grid: Mapping[str, Any] | None = None,
           points: Mapping[str, np.ndarray] | None = None) -> Iterator[tuple[slice, Calendar, dict[str, Bill]]]:  # fmt: skip
    """The bills of all options, some rows at a time: (rows, calendar, {label: bill}); what cannot run has no bill.

    Rows are draws (None: one row, the middle of every Range), each with all points of `grid`, {input: values of equal length}.
    `points` gives the uniforms of every key instead of a Latin hypercube.
    """
    keys = {find_key((tuple(options.values()), work, terms), name): np.ravel(values).astype(float) for name, values in (grid or {}).items()}
    check("Terms.months" not in keys, "the horizon cannot be swept; ask once for each, with months=")
    check("Terms.discount_rate" not in keys, "discount_rate changes present values only, and totals are not discounted; compare npv at two rates")
    for key, values in keys.items():
        if (field := key.rsplit(".", 1)[-1]) in GLOSSARY:
            require(key, values, *limits(field))
    n, k = draws or 1, len(next(iter(keys.values()))) if keys else 1
    for start in range(0, n * k, CHUNK):
        rows = slice(start, min(start + CHUNK, n * k))
        flat = np.arange(rows.start, rows.stop)
        things: Any = (tuple(options.values()), work, terms)
        for key, values in keys.items():
            things = pin(things, key, values[flat % k][:, None])
        numbers = middle if draws is None else partial(sample, n=n, seed=seed, rows=flat // k if keys else rows, points=points)
        chosen, month_work, month_terms = numbers(things)
        calendar, bills = Calendar(month_work, month_terms), {}
        for label, option in zip(options, chosen, strict=True):
            with suppress(Infeasible):
                bills[label] = evaluate(option, month_work, month_terms)
        yield rows, calendar, bills


def totals(options: Options, work: Workload, terms: Terms, draws: int | None = None, seed: int = 0, grid: Mapping[str, Any] | None = None,
           points: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:  # fmt: skip
    """USD over the horizon of each option, on the same draws (None: at the middle of every Range).

    `grid` maps keys of inputs to values of equal length k: the result is then of the shape (draws, k), or (k,) at the
    middle; without a grid (draws,), or () at the middle. Infeasible options and points are NaN.
    """
    return gather((Bill.total,), options, work, terms, draws, seed, grid, points)[0]


def gather(numbers: Sequence[Callable[[Bill, Calendar], Any]], options: Options, work: Workload, terms: Terms, draws: int | None = None,
           seed: int = 0, grid: Mapping[str, Any] | None = None, points: Mapping[str, np.ndarray] | None = None) -> list[dict[str, np.ndarray]]:  # fmt: skip
    """Several numbers of the same bills, each as `totals` has the total."""
    if draws is not None and points is None:
        counted(draws, seed)
    k = np.size(next(iter(grid.values()))) if grid else 1
    out = [{label: np.full((draws or 1) * k, np.nan) for label in options} for _ in numbers]
    for rows, calendar, bills in chunks(options, work, terms, draws, seed, grid, points):
        for label, bill in bills.items():
            for number, found in zip(numbers, out, strict=True):
                values = np.where(bill.fits, number(bill, calendar), np.nan)
                found[label][rows] = np.broadcast_to(values, (rows.stop - rows.start, 1))[:, 0]
    shape = (() if draws is None else (draws,)) + ((k,) if grid else ())
    return [{label: values.reshape(shape) for label, values in found.items()} for found in out]


def failures(bill: Bill, calendar: Calendar) -> Any:
    """The part of a total that is the cost of wrong answers."""
    return bill.total(calendar, phase="failures")


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


def quality_unknown(option: Option | Mix, work: Workload, terms: Terms) -> bool:
    """Whether wrong answers cost something and nobody knows how many this option gives."""
    option, work, terms = middle((option, work, terms))
    try:
        return bool(np.any(work.usd_per_failure)) and evaluate(option, work, terms).accepted is None
    except Infeasible:
        return False


def comparable(options: Mapping[str, Any], work: Workload, terms: Terms) -> dict[str, Any]:
    """The options that may be held against each other: where wrong answers cost something, those of unknown quality only among themselves."""
    known = {label: option for label, option in options.items() if not quality_unknown(option, work, terms)}
    return known or dict(options)


def levelled(options: Mapping[str, Any], work: Workload, terms: Terms) -> tuple[Workload, str]:
    """The workload in which two options meet, and what to say of it: wrong answers cost nothing where one quality is not known."""
    unknown = [label for label, option in options.items() if quality_unknown(option, work, terms)]
    if not unknown:
        return work, ""
    return replace(work, usd_per_failure=0.0), f"; without the cost of wrong answers, because the quality of {' and '.join(unknown)} is not known"


def running(usd: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The options that run in at least MOSTLY of the draws, and the draws in which all of these do."""
    kept = {label: x for label, x in usd.items() if np.mean(~np.isnan(x)) >= MOSTLY}
    runs = ~np.isnan(np.vstack(list(kept.values()))).any(axis=0) if kept else np.zeros(0, bool)
    return {label: x[runs] for label, x in kept.items()}, runs


def paths(options: Options, work: Workload, terms: Terms, draws: int | None = None, seed: int = 0) -> dict[str, np.ndarray]:
    """USD of months 0..H of each option on the same draws, shape (draws, H + 1); None: at the middle, one row."""
    out = {label: np.full((draws or 1, terms.months + 1), np.nan) for label in options}
    for rows, calendar, bills in chunks(options, work, terms, draws, seed):
        for label, bill in bills.items():
            out[label][rows] = np.where(bill.fits, paid(bill, calendar), np.nan)
    return out


def paid(bill: Bill, calendar: Calendar) -> Any:
    """USD of months 0..H of one bill, shape (H + 1,) or (n, H + 1)."""
    months = [line.quantity * line.usd_per_unit * calendar.path(line.schedule, line.trend) for line in bill.lines]
    return sum(months, np.zeros(calendar.months + 1))
