"""List prices that change on a known day: the price of each month over that of the card.

A month in which a price changes pays the mean of both prices, by days. Trends begin after the last
known change.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np

from costmodel.choices.schedule import Schedule
from costmodel.choices.terms import Terms
from costmodel.core import MONTHS_PER_YEAR
from costmodel.facts.prices import ApiPrice


def price_path(card: ApiPrice, field: str, prompt_tokens: Any, terms: Terms) -> Any:
    """Price of one class in months 0..H over that of the card: (H + 1,) or (n, H + 1)."""
    days = tuple(step.on for step in card.steps)
    factors = tuple(step.factor(field, prompt_tokens) for step in card.steps)
    if any(map(np.ndim, factors)):
        return _path(factors, days, terms)
    return _shared_path(tuple(map(float, factors)), days, terms.start, terms.months)


def stepped(when: Schedule, card: ApiPrice, price: Any, terms: Terms) -> Schedule:
    """A schedule at the prices of a path, with the trend after the last known change."""
    return replace(when, price=price, known=_known_months(card.steps[-1].on, terms))


def _path(factors: tuple[Any, ...], days: tuple[str, ...], terms: Terms) -> Any:
    since = _since(days, terms.start, terms.months)  # share of a month after each step
    changes = np.diff(np.stack(np.broadcast_arrays(1.0, *factors)), axis=0)
    return 1.0 + sum(change * share for change, share in zip(changes, since, strict=True))


@lru_cache(maxsize=512)
def _shared_path(
    factors: tuple[float, ...], days: tuple[str, ...], start: str, months: int
) -> np.ndarray:
    """One array for all lines with these factors, so that they share a factor of the calendar."""
    return _path(factors, days, Terms(start=start, months=months))


@lru_cache(maxsize=512)
def _since(days: tuple[str, ...], start: str, months: int) -> np.ndarray:
    """Share of each month 0..H that comes after each day, shape (days, H + 1)."""
    terms = Terms(start=start, months=months)
    first = np.array([terms.date_of(m).toordinal() for m in range(months + 2)])
    since = [date.fromisoformat(day).toordinal() for day in days]
    share = (first[1:] - np.array(since)[:, None]) / np.diff(first)
    share[:, 0] = 0.0  # month 0 is today
    return np.clip(share, 0.0, 1.0)


def _known_months(day: str, terms: Terms) -> int:
    """Months of the horizon that lie before the one with the last known change."""
    first, last = terms.date_of(1), date.fromisoformat(day)
    before = (last.year - first.year) * int(MONTHS_PER_YEAR) + last.month - first.month
    return min(max(before, 0), terms.months)
