"""The only road from options to numbers: the middle, draws, a grid; totals, bands, chances.

Read from top to bottom: simulate -> per_draw -> ledgers.batches -> the engine. An option that
cannot run in a row is NaN there."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, of_part
from costmodel.core import WHOLE, Infeasible, check, check_draws, middle, one_blas_thread
from costmodel.ledgers.batches import Grid, batches
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, Bills, at_middle

FEW = 64  # draws behind a curve or a map; its level comes from all draws of the study
SELDOM = 0.5  # of the draws: an option that runs in fewer has no expected cost there
MOSTLY = 0.9  # of the draws: an option that runs in fewer is not compared draw by draw
UNKNOWN = "quality unknown: not comparable; give quality=Measured(accepted, trials)"
SELDOM_RUNS = "does not fit in more than a tenth of the draws"
ROOM = 15_000_000  # draws x options of a study whose verdict takes 1 GB

BAND = {"p10": 10, "p50": 50, "p90": 90}  # percentiles of a table

PerDraw = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Simulated:
    """A study in numbers: the draws of the options that run at the middle of every Range.

    Of each option and draw: `usd`, the total; `worth`, its present value; `wrong` and
    `wrong_worth`, what of them is the cost of wrong answers; `requests`; `accepted`, the share of
    answers accepted, and `failed`, the others, counted at present values: NaN where the quality is
    not known. `base_case` is the total at the middle, and `why_not` says why the others do not run.
    """

    study: Study
    base_case: dict[str, float]
    why_not: dict[str, Infeasible]
    usd: PerDraw
    worth: PerDraw
    wrong: PerDraw
    wrong_worth: PerDraw
    requests: PerDraw
    accepted: PerDraw
    failed: PerDraw

    @property
    def middle(self) -> Bills:
        """The bills with every input at its middle."""
        return at_middle(self.study)


def simulate(study: Study) -> Simulated:
    """Every option of a study on its draws and, as one more row, at the middle.

    A study is simulated once.
    """
    return study.once("simulated", lambda: _simulated(study), _of_part)


def _of_part(found: Simulated, part: Study) -> Simulated:
    """The options of a part."""
    by_label = [getattr(found, x.name) for x in fields(found) if x.name != "study"]
    return Simulated(part, *(of_part(each, part) for each in by_label))


def _simulated(study: Study) -> Simulated:
    many = len(study.options)
    check(
        study.draws * many <= max(ROOM, WHOLE * many),
        f"draws is {study.draws:,} for {many} options, allowed are {max(ROOM // many, WHOLE):,} "
        "for so many, which take 1 GB of memory; ask for fewer draws or fewer options",
    )
    numbers = per_draw(study, NUMBERS, study.draws, and_middle=True)
    middles = {label: float(usd[-1]) for label, usd in numbers[0].items()}
    lost = [label for label, usd in middles.items() if np.isnan(usd)]
    why_not = at_middle(study.only(*lost)).why_not if lost else {}
    runs = [label for label in study.options if label not in why_not]
    drawn = [{label: found[label][:-1] for label in runs} for found in numbers]
    return Simulated(study, {label: middles[label] for label in runs}, why_not, *drawn)


def worth(bill: Bill, calendar: Calendar) -> Any:
    """The present value of a bill [USD]."""
    return bill.total(calendar, discounted=True)


def _paid_worth(bill: Bill, calendar: Calendar) -> Any:
    """The present value of what is paid in months 0..H [USD]."""
    return bill.paid(calendar) * calendar.discount


def failed(bill: Bill, calendar: Calendar) -> Any:
    """What answers that fail would cost at one US dollar each, at present values."""
    line = bill.failed
    if line is None:
        return np.nan
    return line.quantity * calendar.factor(line.schedule, line.trend, discounted=True)


NUMBERS = (
    Bill.total,
    worth,
    Bill.failures,
    lambda bill, calendar: bill.failures(calendar, discounted=True),
    lambda bill, calendar: bill.requests * calendar.requests,
    lambda bill, calendar: np.nan if bill.accepted is None else bill.accepted,
    failed,
)


def totals(
    study: Study, draws: int | None = None, grid: Grid = None, discounted: bool = False
) -> PerDraw:
    """USD over the horizon of each option, on the same draws (None: at the middle of every Range).

    `grid` maps inputs to values of equal length k: the result then has the shape (draws, k), or
    (k,) at the middle; without a grid (draws,), or () at the middle. `discounted` are present
    values.
    """
    return per_draw(study, (worth if discounted else Bill.total,), draws, grid)[0]


def expected(
    study: Study,
    grid: Grid,
    draws: int = FEW,
    discounted: bool = True,
    every: PerDraw | None = None,
) -> PerDraw:
    """Expected cost of each option at the points of a grid, shape (k,); NaN where it seldom runs.

    The mean of few draws, times the mean of all draws of the study over that of the few at the
    present point, so that both agree there. `every` are all draws, where somebody has them.
    """
    if every is None:
        found = simulate(study)
        every = found.worth if discounted else found.usd
    here = totals_now(study, draws, discounted)
    return levelled(totals(study, draws, grid, discounted), here, every)


def levelled(few: PerDraw, here: PerDraw, every: PerDraw) -> PerDraw:
    """The means of few draws, times that of every draw over that of the few at the present point.

    `here` are the few draws, and `every` all of them, at the present point.
    """
    means = {}
    for label, usd in few.items():
        some = mean(here[label])
        level = mean(every[label]) / some if label in every and some else 1.0
        means[label] = mean(usd) * level
    return means


def totals_now(study: Study, draws: int, discounted: bool = False) -> PerDraw:
    """The totals of few draws at the present point, asked once for each study."""
    few = ("totals of few draws", draws, discounted)
    return study.once(few, lambda: totals(study, draws, discounted=discounted), of_part)


def mean(usd: np.ndarray) -> Any:
    """The mean over the draws in which an option runs; NaN where it runs in too few of them."""
    runs = ~np.isnan(usd)
    share, total = runs.mean(axis=0), np.where(runs, usd, 0.0).mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(share >= SELDOM, total / share, np.nan)


def paths(study: Study, draws: int | None = None, discounted: bool = False) -> PerDraw:
    """USD of months 0..H of each option on the same draws, shape (draws, H + 1); None: one row."""
    number = _paid_worth if discounted else Bill.paid
    found = per_draw(study, (number,), draws, width=study.terms.months + 1)[0]
    return {label: np.atleast_2d(usd) for label, usd in found.items()}


@dataclass(frozen=True)
class _Numbers:
    """Numbers of each bill, and last where its option runs."""

    numbers: tuple[Callable[[Bill, Calendar], Any], ...]

    def __call__(self, calendar: Calendar, bills: dict[str, Bill]) -> dict[str, list[Any]]:
        return {
            label: [*(number(bill, calendar) for number in self.numbers), bill.fits]
            for label, bill in bills.items()
        }


@one_blas_thread
@np.errstate(all="ignore")  # what is no finite number is found below, and named
def per_draw(
    study: Study,
    numbers: Sequence[Callable[[Bill, Calendar], Any]],
    draws: int | None = None,
    grid: Grid = None,
    points: Mapping[str, np.ndarray] | None = None,
    width: int = 1,
    and_middle: bool = False,
) -> list[PerDraw]:
    """Several numbers of the same bills, each in the shape of `totals`, or `width` a row.

    `points` gives the uniforms of every key instead of a Latin hypercube. With `and_middle` the
    middle of every Range is one more draw, the last.
    """
    if draws is not None and points is None:
        check_draws(draws, study.seed)
    k = np.size(next(iter(grid.values()))) if grid else 1
    count = (draws or 1) + and_middle
    size = count * k, width
    kept = np.float64 if count <= WHOLE + 1 else np.float32  # of a million draws: half the memory
    out = [{label: np.full(size, np.nan, kept) for label in study.options} for _ in numbers]
    runs = {label: np.zeros((size[0], 1), bool) for label in study.options}
    for rows, made in batches(study, _Numbers(tuple(numbers)), draws, grid, points, and_middle):
        for label, values in made.items():
            for value, found in zip(values, (*out, runs), strict=True):
                found[label][rows] = value
    for label, fits in runs.items():
        if not fits.all():
            for found in out:
                found[label][~fits[:, 0]] = np.nan
    shape = [] if draws is None else [count]
    shape += [k] if grid else []
    shape += [width] if width > 1 else []
    return [{label: x.reshape(shape) for label, x in found.items()} for found in out]


# -- draws in numbers ------------------------------------------------------------------------------


def mean_where_it_runs(x: np.ndarray) -> Any:
    """The mean over the draws that are not NaN."""
    whole = x.mean()
    return np.nanmean(x) if np.isnan(whole) else whole


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
    costs = {label: np.asarray(x) for label, x in usd.items()}
    lowest = np.fmin.reduce([*costs.values()]) if costs else ()  # NaN where none runs: all tie
    least = {label: (x == lowest) | np.isnan(lowest) for label, x in costs.items()}
    ties = sum(x.astype(int) for x in least.values())
    return pd.Series({label: np.mean(x / ties) for label, x in least.items()}, dtype=float)


def that_run(usd: Mapping[str, np.ndarray]) -> tuple[PerDraw, np.ndarray]:
    """The options that run in MOSTLY of the draws, and the draws in which all of these run."""
    kept = {label: x for label, x in usd.items() if np.mean(~np.isnan(x)) >= MOSTLY}
    runs = ~np.isnan(sum(kept.values())) if kept else np.zeros(0, bool)
    return {label: x[runs] for label, x in kept.items()}, runs


def not_comparable(found: Simulated) -> dict[str, str]:
    """Why some options cannot be compared: those that do not run, or are of unknown quality."""
    left_out = {label: str(why) for label, why in found.why_not.items()}
    unknown = [label for label, share in found.accepted.items() if np.isnan(share).all()]
    return left_out | dict.fromkeys(unknown, UNKNOWN)


def worth_together(
    found: Simulated, labels: Iterable[str]
) -> tuple[PerDraw, np.ndarray, dict[str, str]]:
    """Present values of these options where all of them run, those draws, and who seldom runs."""
    worth = {label: found.worth[label] for label in labels}
    kept, runs = that_run(worth)
    return kept, runs, {label: SELDOM_RUNS for label in worth if label not in kept}


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
