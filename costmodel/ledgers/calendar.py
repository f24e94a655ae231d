"""The one place where time meets money: schedules, price trends and discounting become factors.

Month 0 is today; months 1..H are paid at their end. A price of class c in month m is today's price
x (1 + trend_c)^(m/12), where known steps come before every trend; a cost of month m is discounted
by (1 + rate)^(-m/12).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.choices.schedule import Schedule
from costmodel.choices.terms import STEADY, Terms
from costmodel.choices.workload import Workload
from costmodel.core import MONTHS_PER_YEAR, ROUNDING


class Calendar:
    """Factors that turn `quantity x usd_per_unit` into a total, shared by all lines."""

    def __init__(self, work: Workload, terms: Terms) -> None:
        self.months, self.trends = terms.months, terms.trends
        self.demand = work.demand(terms.months, terms.start)
        years = np.arange(terms.months + 1) / MONTHS_PER_YEAR
        self.discount = (1.0 + terms.discount_rate) ** -years
        self._prices: dict[str, np.ndarray] = {STEADY: np.ones(terms.months + 1)}
        self._factors: dict[tuple, tuple[Schedule, Any]] = {}

    def prices(self, trend: str) -> np.ndarray:
        """Price of class `trend` in months 0..H relative to today, shape (H + 1,) or (n, H + 1)."""
        if trend not in self._prices:
            step = (1.0 + np.asarray(getattr(self.trends, trend), float)) ** (1 / MONTHS_PER_YEAR)
            powers = np.ones((self.months + 1, step.size))  # months first: one multiplication each
            for m in range(self.months):
                powers[m + 1] = powers[m] * step.ravel()
            self._prices[trend] = powers.T if step.ndim else powers[:, 0]
        return self._prices[trend]

    def path(self, schedule: Schedule, trend: str) -> np.ndarray:
        """Occurrences x relative price in months 0..H."""
        return schedule.weights(self.months, self.demand) * self.prices_of(schedule, trend)

    def prices_of(self, schedule: Schedule, trend: str) -> np.ndarray:
        """Price in months 0..H relative to today, by its trend and by the steps of the schedule."""
        prices = self.prices(trend)
        if np.any(schedule.known):
            since = np.maximum(np.arange(self.months + 1) - schedule.known, 0)
            prices = prices[..., since] if since.ndim == 1 else _each(prices, since)
        return prices if schedule.price is None else prices * schedule.price

    def factor(self, schedule: Schedule, trend: str, discounted: bool = False) -> Any:
        """Sum over months of occurrences x relative price (x discount): one number, or (n, 1)."""
        value = schedule.value
        when = id(value) if isinstance(value, np.ndarray) else value
        known = schedule.known if np.ndim(schedule.known) == 0 else id(schedule.known)
        key = (schedule.kind, when, id(schedule.price), known, trend, discounted)
        if key not in self._factors:  # the schedule is kept, so that no other array can take its id
            prices = self.prices_of(schedule, trend)
            self._factors[key] = schedule, self._factor(schedule, prices, discounted)
        return self._factors[key][1]

    def _factor(self, schedule: Schedule, prices: np.ndarray, discounted: bool) -> Any:
        if schedule.kind == "every" and np.ndim(schedule.value):
            return self._events(schedule.value, prices * self.discount if discounted else prices)
        weights = schedule.weights(self.months, self.demand)
        if discounted:
            weights = weights * self.discount
        if weights.ndim == prices.ndim == 2:
            value = np.einsum("nm,nm->n", weights, prices)
        else:
            value = prices @ weights if weights.ndim == 1 else weights @ prices
        return value[:, None] if np.ndim(value) else value

    def _events(self, interval: np.ndarray, prices: np.ndarray) -> np.ndarray:
        """Sum of prices at months k, 2k, 3k ... of every draw, one event after the other."""
        total = np.zeros(interval.size)
        rows, step, i = np.arange(interval.size), interval.ravel(), 0
        while rows.size:  # only the draws in which another event is due
            i += 1
            month = np.ceil(i * step - ROUNDING).astype(int)
            due = month <= self.months
            rows, step, month = rows[due], step[due], month[due]
            total[rows] += prices[rows, month] if prices.ndim == 2 else prices[month]
        return total.reshape(interval.shape)

    @property
    def requests(self) -> Any:
        """Months' worth of month-1 requests over the horizon."""
        total = self.demand.sum(axis=-1)
        return total[:, None] if np.ndim(total) else total


def _each(prices: np.ndarray, months: np.ndarray) -> np.ndarray:
    """The prices of other months in every draw."""
    shape = np.broadcast_shapes(prices.shape, months.shape)
    return np.take_along_axis(np.broadcast_to(prices, shape), np.broadcast_to(months, shape), -1)
