"""When something is bought: once, monthly, with demand, every few months, or along a path.

What a change of model moves has few values over the horizon, one for each model: `Stages` keeps
these, so that nothing is computed for each draw and month.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import add
from typing import Any

import numpy as np

from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import ROUNDING, Number, check, floats, one_step, public

STANDING = ("with_demand", "monthly")  # kinds of schedules that size or fill a capacity


@dataclass(frozen=True, eq=False)
class Schedule:
    """When a line is paid. Month 0 is today (up front); months 1..H are paid at their end.

    `price` is that of months 0..H over today's, where it steps beside every trend; in the first
    `known` months it is known, and the trend begins after them."""

    kind: str
    value: Any = None
    price: Any = None
    known: int = 0

    def weights(self, months: int, demand: np.ndarray) -> np.ndarray:
        """Occurrences in months 0..H, shape (H + 1,) or (n, H + 1)."""
        month = np.arange(months + 1)
        if self.kind == "once":
            return (month == self.value).astype(float)
        if self.kind == "monthly":
            return (month >= self.value).astype(float)
        if self.kind == "with_demand":
            return demand
        if self.kind == "every":
            return _events(self.value, months)
        if self.kind == "staged":
            return self.value.times * self.value.share.by_month
        return self.value

    def due(self, count: int, months: int, demand: np.ndarray) -> np.ndarray:
        """The months of the first occurrences, shape (count,) or (n, count); H + 1 is never."""
        which = np.arange(1, count + 1)
        if self.kind == "every":
            return np.minimum(np.ceil(which * self.value - ROUNDING), months + 1).astype(np.intp)
        so_far = np.cumsum(self.weights(months, demand), axis=-1)
        return (so_far[..., None, :] < which[:, None]).sum(-1)


@dataclass(frozen=True, eq=False)
class Moves:
    """When an option moves to its next models: the `starts` of each, by month, and the horizon."""

    starts: np.ndarray  # shape (successors,) or (n, successors); H + 1 is never
    months: int

    @cached_property
    def model(self) -> np.ndarray:
        """Which model runs in months 0..H: 0 is the first, 1 its successor ..."""
        return (np.arange(self.months + 1) >= self.starts[..., None]).sum(-2)

    @cached_property
    def edges(self) -> np.ndarray:
        """The months between which each model runs, on the last axis."""
        first = np.zeros_like(self.starts[..., :1])
        return np.concatenate([first, self.starts, first + self.months + 1], axis=-1)

    def by_model(self, so_far: np.ndarray) -> np.ndarray:
        """Weights by model, on the last axis, from the weights `summed_up`; made once."""
        memo = self.__dict__.setdefault("_by_model", {})
        if id(so_far) not in memo:  # the sums are kept, so that no other array can take their id
            memo[id(so_far)] = so_far, np.diff(at_months(so_far, self.edges), axis=-1)
        return memo[id(so_far)][1]


@dataclass(frozen=True, eq=False)
class Stages:
    """A quantity that only a change of model moves: `values` by model, on the last axis."""

    values: Any
    moves: Moves

    @property
    def by_month(self) -> np.ndarray:
        """The quantity in months 0..H, shape (H + 1,) or (n, H + 1)."""
        if self.values.ndim == 1:
            return self.values[self.moves.model]
        return at_months(self.values, self.moves.model)

    def sum(self, so_far: np.ndarray) -> Any:
        """The sum over months of weights x quantity, from the weights `summed_up`."""
        return _product_sum(self.moves.by_model(so_far), self.values)


@one_step
def summed_up(times: np.ndarray, prices: np.ndarray, discount: np.ndarray) -> Any:
    """Times x prices of months 0..H added up before each month, as they are and discounted.

    Each of the shape (H + 2,) or (n, H + 2).
    """
    if times.ndim == prices.ndim == 1:
        paid = times * prices
        return tuple(np.append(0.0, np.cumsum(x)) for x in (paid, paid * discount))
    n = max(len(x) for x in (times, prices) if x.ndim == 2)
    # months come first in memory: each is added for all draws at once
    plain, worth = so_far = np.empty((2, len(discount) + 1, n))
    so_far[:, 0] = 0.0
    paid = np.empty(n)
    for m, (often, usd, now) in enumerate(zip(times.T, prices.T, discount, strict=True)):
        np.multiply(often, usd, out=paid)
        np.add(plain[m], paid, out=plain[m + 1])
        paid *= now
        np.add(worth[m], paid, out=worth[m + 1])
    return tuple(x.T for x in so_far)


@one_step
def _events(interval: Any, months: int) -> np.ndarray:
    """How often something comes round in months 0..H, shape (H + 1,) or (n, H + 1)."""
    month = np.arange(months + 1)
    if np.ndim(interval) == 0:
        return np.diff(np.floor(month / interval + ROUNDING), axis=-1, prepend=0.0)
    step = np.ravel(interval)
    due, events = step.copy(), np.empty((months + 1, step.size))
    for m, now in enumerate(events):  # months first: each is computed for all draws at once
        np.less_equal(due, m + ROUNDING, out=now, casting="unsafe")
        due += now * step
    often = np.flatnonzero(step < 1)  # several in a month
    if often.size:
        so_far = np.floor(month[:, None] / step[often] + ROUNDING)
        events[:, often] = np.diff(so_far, axis=0, prepend=0.0)
    return events.T


@one_step
def at_months(path: np.ndarray, months: np.ndarray) -> np.ndarray:
    """The values of a path (.., H + 1) in given months (.., k), row by row."""
    if path.ndim == 1 or months.ndim == 1:
        return path[..., months]
    n = len(path)  # months come first in memory, because each is computed for all draws at once
    return path.T.ravel().take(months.T * n + np.arange(n)).T


@one_step
def _product_sum(weights: np.ndarray, values: np.ndarray) -> Any:
    """The sum over the last axis, which is short, of weights x values."""
    products = (weights[..., i] * values[..., i] for i in range(values.shape[-1]))
    return reduce(add, products)


@dataclass(frozen=True, eq=False)
class Staged:
    """Occurrences in months 0..H, times a share that a change of model moves."""

    times: np.ndarray
    share: Stages


def staged(rule: Callable[..., Any], *quantities: Any) -> Any:
    """What a rule makes of quantities of which some are Stages.

    By model where all change with the same moves, otherwise by month.
    """
    changing = [x for x in quantities if isinstance(x, Stages)]
    if not changing:
        return rule(*quantities)
    moves = changing[0].moves
    if all(x.moves is moves if isinstance(x, Stages) else steady(x) for x in quantities):
        return Stages(rule(*(getattr(x, "values", x) for x in quantities)), moves)
    return rule(*(getattr(x, "by_month", x) for x in quantities))


@public
def once(month: int = 0) -> Schedule:
    """Paid once.

    Parameters
    ----------
    month : int
        0 is up front.

    Returns
    -------
    Schedule
        One occurrence, in that month.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.ledgers.once(2).weights(4, None).tolist()
    [0.0, 0.0, 1.0, 0.0, 0.0]
    """
    return Schedule("once", month)


@public
def monthly(start: int = 1) -> Schedule:
    """Paid every month.

    Parameters
    ----------
    start : int
        The first month in which it is paid.

    Returns
    -------
    Schedule
        One occurrence in every month from then on.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.ledgers.monthly(start=3).weights(4, None).tolist()
    [0.0, 0.0, 0.0, 1.0, 1.0]
    """
    return Schedule("monthly", start)


@public
def with_demand() -> Schedule:
    """Paid per request: it follows the growth and the ramp of the workload.

    Returns
    -------
    Schedule
        The demand of the month over that at the start.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1_000, input_tokens=900, output_tokens=250, growth_per_year=1.0)
    >>> cm.ledgers.with_demand().weights(12, work.demand(12)).round(2).tolist()[:3]
    [0.0, 1.0, 1.06]
    """
    return Schedule("with_demand")


@public
def every(months: Number) -> Schedule:
    """Paid in months k, 2k, 3k ...

    Parameters
    ----------
    months : number, month, above 0
        The interval k; a fraction falls into the month in which it is due.

    Returns
    -------
    Schedule
        One occurrence in each of these months.

    Raises
    ------
    ValueError
        When the interval is not above 0.

    Examples
    --------
    >>> every(4.5).weights(9, None).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    """
    check(np.all(floats(months) > 0), "every(months): the interval must be above 0 months")
    return Schedule("every", months)


@public
def path(values: np.ndarray) -> Schedule:
    """A multiple of your own for each month.

    Parameters
    ----------
    values : array
        Occurrences in months 0..H, shape (H + 1,), or (n, H + 1) for n draws.

    Returns
    -------
    Schedule
        These occurrences.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.ledgers.path([0, 1, 1, 3]).weights(3, None).tolist()
    [0.0, 1.0, 1.0, 3.0]
    """
    return Schedule("path", floats(values))


def follows(when: Schedule, values: Any) -> Schedule:
    """A path of its own, at the prices of another schedule."""
    return replace(path(values), price=when.price, known=when.known)


def steady(quantity: Any) -> bool:
    """Whether a quantity is the same in every month: a number, or draws (n, 1)."""
    return not isinstance(quantity, Stages) and _steady(quantity)


def _steady(quantity: Any) -> bool:
    return np.ndim(quantity) == 0 or np.shape(quantity)[-1] == 1


def by_month(quantity: Any) -> tuple[Any, Schedule]:
    """(quantity, schedule) of what runs from month 1 on: steady, or along a path."""
    if steady(quantity):
        return quantity, monthly()
    return 1.0, path(quantity * (np.arange(np.shape(quantity)[-1]) > 0))


def occurrences(when: Schedule, work: Workload, terms: Terms) -> np.ndarray:
    """How often something comes round in months 0..H of these terms."""
    return when.weights(terms.months, work.demand(terms.months, terms.start))


def level_of(when: Schedule, work: Workload, terms: Terms) -> Any:
    """Occurrences in a month: one number where all months are alike, else a path over 0..H."""
    if when.kind == "monthly" or (when.kind == "with_demand" and work.flat):
        return 1.0
    weights = occurrences(when, work, terms)
    if work.flat and when.kind == "path":
        return weights[-1] if weights.ndim == 1 else weights[:, -1:]
    return weights


def scaled(
    count: Any, when: Schedule, share: Any, work: Workload, terms: Terms
) -> tuple[Any, Schedule]:
    """(count, schedule) of a share of the calls; a share that changes moves into the schedule."""
    if steady(share):
        return count * share, when
    times = occurrences(when, work, terms)
    if isinstance(share, Stages):
        return count, replace(when, kind="staged", value=Staged(times, share))
    return count, follows(when, times * share)
