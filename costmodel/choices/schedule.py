"""When something is bought: once, monthly, with demand, every few months, or along a path."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import ROUNDING, Number, check, floats, public

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
            due = np.floor(month / self.value + ROUNDING)
            return due - np.floor(np.maximum(month - 1, 0) / self.value + ROUNDING)
        return self.value


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
    return count, follows(when, occurrences(when, work, terms) * share)
