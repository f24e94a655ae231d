"""The terms of a comparison: start, horizon, discount, price trends, currency; and the people who are paid."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np

from costmodel.core.checks import require
from costmodel.core.errors import check
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.words import Currency
from costmodel.facts import catalog

TRENDS = ("api", "gpu", "labour", "service")
STEADY = "none"  # the trend of what has no price of its own


# -- the terms of the calculation ----------------------------------------------------------------------


@public
@dataclass(frozen=True)
class Trends:
    """Yearly change of prices by class [share/year]. The middle keeps today's list prices for what is bought by the
    token or the GPU-hour; that "the same quality gets cheaper" is another number and is not in it."""

    api: Number = Range(
        -0.40,
        0.15,
        mid=0.0,
        form="change",
        why="assumption: a tier's list price stays, falls, or rises (Opus -70 %, GPT flagship +60 % in 13 to 15 months)",
    )
    gpu: Number = catalog.practice("gpu.gpu_trend")
    labour: Number = catalog.practice("labor.labor_trend")
    service: Number = Range(
        -0.05, 0.08, mid=0.0, form="change", why="assumption: list prices of stores and tools"
    )

    def __post_init__(self) -> None:
        for name in TRENDS:
            require(f"Trends.{name}", getattr(self, name), low=-1)


@public
@dataclass(frozen=True)
class People:
    """Fully loaded hourly rates [USD/hour], from the catalogue; replace them by your own."""

    engineer: catalog.Person = field(default_factory=lambda: catalog.person("engineer"))
    analyst: catalog.Person = field(default_factory=lambda: catalog.person("analyst"))
    expert: catalog.Person = field(default_factory=lambda: catalog.person("expert"))
    annotator: catalog.Person = field(default_factory=lambda: catalog.person("annotator"))


@public
@dataclass(frozen=True)
class Terms:
    """The terms of a calculation: first month, horizon, discounting, price trends, price date, currency, people.

    `start` is the first day of the first paid month (default: the month after `on`). `on` freezes API prices at a
    date; None leaves each option at the date it was made with.
    """

    start: str | None = None
    months: int = 36
    discount_rate: float = 0.10
    on: str | None = None
    currency: str = "USD"
    trends: Trends = field(default_factory=Trends)
    people: People = field(default_factory=People)

    def __post_init__(self) -> None:
        whole = isinstance(self.months, (int, np.integer)) and not isinstance(self.months, bool)
        check(
            whole and 1 <= self.months <= 120,
            f"months is {self.months!r}, allowed is a whole number between 1 and 120",
        )
        require("discount_rate", self.discount_rate, low=-0.5, high=1)
        on = _day("on", self.on) if self.on else date.today()
        if self.start is None:
            first = date(on.year + on.month // 12, on.month % 12 + 1, 1)
            object.__setattr__(self, "start", first.isoformat())
        _day("start", self.start)
        Currency.parse(self.currency)

    @property
    def money(self) -> Currency:
        """The currency that reports show; the ledger itself is in US dollars."""
        return Currency.parse(self.currency)

    def date_of(self, month: int) -> date:
        """First day of month m; month 0 is the month before the first paid one."""
        first = date.fromisoformat(self.start)  # type: ignore[arg-type]
        index = first.year * 12 + first.month - 1 + month - 1
        return date(index // 12, index % 12 + 1, 1)


def _day(name: str, day: Any) -> date:
    """A date, or text like 2027-01-31 or 2027-01-31T14:00."""
    text = day.isoformat() if isinstance(day, date) else str(day)
    check(
        re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?", text),
        f"{name} is {day!r}, it must be a date like '2027-01-31'",
    )
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise ValueError(f"{name} is {day!r}, it must be a date like '2027-01-31'") from None
