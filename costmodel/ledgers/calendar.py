"""The one place where time meets money: schedules, price trends and discounting become factors.

Month 0 is today; months 1..H are paid at their end. A price of class c in month m is today's price
x (1 + trend_c)^(m/12), where known steps come before every trend; a cost of month m is discounted
by (1 + rate)^(-m/12).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from costmodel.choices.schedule import Schedule, Staged, Stages, summed_up
from costmodel.choices.terms import STEADY, Terms
from costmodel.choices.workload import Workload
from costmodel.core import MONTHS_PER_YEAR
from costmodel.laws.money import compounded


class Calendar:
    """Factors that turn `quantity x usd_per_unit` into a total, shared by all lines."""

    def __init__(self, work: Workload, terms: Terms) -> None:
        self.months, self.trends = terms.months, terms.trends
        self.demand = work.demand(terms.months, terms.start)
        years = np.arange(terms.months + 1) / MONTHS_PER_YEAR
        self.discount = (1.0 + terms.discount_rate) ** -years
        self._prices: dict[str, np.ndarray] = {STEADY: np.ones(terms.months + 1)}
        # what was made once, with what was made from: so no other array can take its id
        self._factors: dict[tuple, tuple[Schedule, tuple[Any, Any]]] = {}
        self._every: dict[int, tuple[Any, np.ndarray]] = {}
        self._stepped: dict[tuple, tuple[Any, np.ndarray]] = {}
        self._sums: dict[tuple, tuple[Any, ...]] = {}

    def prices(self, trend: str) -> np.ndarray:
        """Price of class `trend` in months 0..H relative to today, shape (H + 1,) or (n, H + 1)."""
        if trend not in self._prices:
            self._prices[trend] = compounded(getattr(self.trends, trend), self.months)
        return self._prices[trend]

    def path(self, schedule: Schedule, trend: str) -> np.ndarray:
        """Occurrences x relative price in months 0..H."""
        return self.weights(schedule) * self.prices_of(schedule, trend)

    def weights(self, schedule: Schedule) -> np.ndarray:
        """Occurrences in months 0..H, made once for intervals that are drawn."""
        value = schedule.value
        if schedule.kind != "every" or not np.ndim(value):
            return schedule.weights(self.months, self.demand)
        if id(value) not in self._every:
            self._every[id(value)] = value, schedule.weights(self.months, self.demand)
        return self._every[id(value)][1]

    def prices_of(self, schedule: Schedule, trend: str) -> np.ndarray:
        """Price in months 0..H relative to today, by its trend and by the steps of the schedule."""
        price, known = schedule.price, schedule.known
        key = id(price), known, trend
        if key not in self._stepped:
            prices = self.prices(trend)
            if known:
                prices = prices[..., np.maximum(np.arange(self.months + 1) - known, 0)]
            if price is not None:
                prices = prices * (price.by_month if isinstance(price, Stages) else price)
            self._stepped[key] = price, prices
        return self._stepped[key][1]

    def factor(self, schedule: Schedule, trend: str, discounted: bool = False) -> Any:
        """Sum over months of occurrences x relative price (x discount): one number, or (n, 1)."""
        return self.factors(schedule, trend)[discounted]

    def factors(self, schedule: Schedule, trend: str) -> tuple[Any, Any]:
        """The factor without and with discounting; schedules that are alike share one object."""
        value, price = schedule.value, schedule.price
        key = self.key(schedule, trend)
        if key not in self._factors:  # the schedule is kept, so that no other array can take its id
            if isinstance(value, Staged):
                times = value.times, self.prices_of(schedule, trend)
                pair = tuple(map(value.share.sum, self._so_far(*times)))
            elif isinstance(price, Stages):
                plain = replace(schedule, price=None)
                times = self.weights(schedule), self.prices_of(plain, trend)
                pair = tuple(map(price.sum, self._so_far(*times)))
            else:
                pair = self._weighted(self.weights(schedule), self.prices_of(schedule, trend))
            usd, worth = (x[:, None] if np.ndim(x) else x for x in pair)
            self._factors[key] = schedule, (usd, worth)
        return self._factors[key][1]

    @staticmethod
    def key(schedule: Schedule, trend: str) -> tuple:
        """What lines share that are bought in the same months at the same relative prices."""
        value, price = schedule.value, schedule.price
        when = id(value) if np.ndim(value) else value
        return schedule.kind, when, id(price), schedule.known, trend

    def _so_far(self, times: np.ndarray, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Occurrences x price added up before each month, without and with discounting."""
        key = id(times), id(prices)
        if key not in self._sums:
            sums = summed_up(times, prices, self.discount)
            self._sums[key] = times, prices, sums
        return self._sums[key][2]

    def _weighted(self, weights: np.ndarray, prices: np.ndarray) -> tuple[Any, Any]:
        if weights.ndim == prices.ndim == 2:
            product = _product(weights, prices)
            return product.sum(axis=1), product @ self.discount
        if weights.ndim == 1:
            return prices @ weights, prices @ (weights * self.discount)
        return weights @ prices, weights @ (prices * self.discount)

    @property
    def requests(self) -> Any:
        """Months' worth of month-1 requests over the horizon."""
        total = self.demand.sum(axis=-1)
        return total[:, None] if np.ndim(total) else total


def _product(weights: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """Weights x prices; months come first in memory, because others add them up by month."""
    if weights.ndim == prices.ndim == 1:
        return weights * prices
    times, usd = (x.T if x.ndim == 2 else x[:, None] for x in (weights, prices))
    return (times * usd).T
