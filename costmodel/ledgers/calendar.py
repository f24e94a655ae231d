"""The one place where time meets money: schedules, price trends and discounting become factors.

Month 0 is today, months 1..H are paid at their end. A price of class c in month m is today's price x (1 + trend_c)^(m/12),
a cost of month m is discounted by (1 + rate)^(-m/12).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.choices.schedule import Schedule
from costmodel.choices.terms import STEADY, Terms
from costmodel.choices.workload import Workload
from costmodel.core.errors import in_words
from costmodel.core.units import MONTHS_PER_YEAR, ROUNDING

# -- time meets money ----------------------------------------------------------------------------------


class Calendar:
    """Factors that turn `quantity x usd_per_unit` into a total over the horizon, shared by all lines."""

    def __init__(self, work: Workload, terms: Terms) -> None:
        if not isinstance(work, Workload):
            raise ValueError(f"the workload is {in_words(work)}, it must be a Workload(...)")
        self.months = terms.months
        self.demand = work.demand(terms.months)
        self.discount = (1.0 + terms.discount_rate) ** (
            -np.arange(terms.months + 1) / MONTHS_PER_YEAR
        )
        self.trends = terms.trends
        self._prices: dict[str, np.ndarray] = {}
        self._factors: dict[tuple, Any] = {}

    def prices(self, trend: str) -> np.ndarray:
        """Price of class `trend` in months 0..H relative to today, shape (H + 1,) or (n, H + 1)."""
        if trend not in self._prices and trend == STEADY:
            self._prices[trend] = np.ones(self.months + 1)
        if trend not in self._prices:
            step = (1.0 + np.asarray(getattr(self.trends, trend), float)) ** (1 / MONTHS_PER_YEAR)
            powers = np.empty(
                (self.months + 1, step.size)
            )  # months first: each row follows from the one before
            powers[0] = 1.0
            for m in range(1, self.months + 1):
                powers[m] = powers[m - 1] * step.ravel()
            self._prices[trend] = powers[:, 0] if step.ndim == 0 else powers.T
        return self._prices[trend]

    def path(self, schedule: Schedule, trend: str) -> np.ndarray:
        """Occurrences x relative price in months 0..H."""
        return schedule.weights(self.months, self.demand) * self.prices(trend)

    def factor(self, schedule: Schedule, trend: str, discounted: bool = False) -> Any:
        """Sum over months of occurrences x relative price (x discount): a number, or draws of the shape (n, 1)."""
        when = (
            schedule.kind,
            id(schedule.value) if isinstance(schedule.value, np.ndarray) else schedule.value,
        )
        key = (*when, trend, discounted)
        if key not in self._factors:  # the schedule is kept, so that no other array can take its id
            self._factors[key] = (
                self._factor(schedule, self.prices(trend), self.discount if discounted else None),
                schedule,
            )
        return self._factors[key][0]

    def _factor(self, schedule: Schedule, prices: np.ndarray, discount: Any) -> Any:
        if schedule.kind == "every" and np.ndim(schedule.value):
            return self._events(schedule.value, prices if discount is None else prices * discount)
        weights = schedule.weights(self.months, self.demand)
        weights = weights if discount is None else weights * discount
        if weights.ndim == 1 or prices.ndim == 1:
            value = prices @ weights if weights.ndim == 1 else weights @ prices
        else:
            value = np.einsum("nm,nm->n", weights, prices)
        return value if np.ndim(value) == 0 else value[:, None]

    def _events(self, interval: np.ndarray, prices: np.ndarray) -> np.ndarray:
        """Sum of prices at months k, 2k, 3k ... of every draw: looked up one event after the other, without a cube."""
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
        return total if np.ndim(total) == 0 else total[:, None]
