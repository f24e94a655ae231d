"""The terms of a calculation: start, horizon, discount, price trends, currency, people."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import field
from datetime import date, datetime
from typing import Any

from costmodel.core import (
    Currency,
    Number,
    Range,
    assumed,
    checked,
    frozen,
    in_words,
    is_day,
    of_kind,
    require,
    today,
    whole_number,
)
from costmodel.facts import catalog

TRENDS = ("api", "gpu", "labour", "service")
MONTHS_MAX = 120
STEADY = "none"  # the trend of what has no price of its own


@checked
class Trends:
    """Yearly change of prices by class [share/year].

    The middle keeps today's list prices for what is bought by the token or the GPU-hour. That the
    same quality gets cheaper with newer models is another number, and is not in it.

    Parameters
    ----------
    api, gpu, labour, service : number, share/year, at least -1
        Tokens of an API, GPU-hours, hourly rates of people, list prices of stores and tools.

    Raises
    ------
    ValueError
        When a price falls by more than all of it.

    Examples
    --------
    >>> import costmodel as cm
    >>> terms = cm.Terms(trends=cm.choices.Trends(api=-0.2, gpu=0, labour=0.03, service=0))
    >>> terms.trends.api, cm.choices.Trends().api.mid
    (-0.2, 0.0)
    """

    api: Number = Range(
        -0.40,
        0.15,
        mid=0.0,
        form="change",
        why="assumption: a tier's list price stays, falls, or rises "
        "(Opus -70 %, GPT flagship +60 % in 13 to 15 months)",
    )
    gpu: Number = catalog.practice("gpu.gpu_trend")
    labour: Number = catalog.practice("labor.labor_trend")
    service: Number = assumed(-0.05, 0.0, 0.08, "list prices of stores and tools", form="change")


def _person(name: str) -> Any:
    return field(default_factory=lambda: catalog.person(name))


@frozen
class People:
    """Fully loaded hourly rates [USD/hour]: records of the catalogue, or your own.

    Parameters
    ----------
    engineer, analyst, expert, annotator : Person
        Who builds and keeps, who analyses, who knows the subject, and who labels.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import costmodel as cm
    >>> engineer = replace(cm.facts.person("engineer"), usd_per_hour=95)
    >>> terms = cm.Terms(people=cm.choices.People(engineer=engineer))
    >>> terms.people.engineer.usd_per_hour
    95
    """

    engineer: catalog.Person = _person("engineer")
    analyst: catalog.Person = _person("analyst")
    expert: catalog.Person = _person("expert")
    annotator: catalog.Person = _person("annotator")


@checked
class SpendCommitment:
    """A contract with a seller of tokens: a discount for a yearly spend, a fee for what is short.

    The discount is off all that is bought there by the token or the unit; what is short of the
    commitment at the end of a year, after the discount, is paid. A part of a year counts in part.

    Parameters
    ----------
    provider : str
        The seller, as in `Api.provider`: "openai", "google", "aws" ...
    usd_per_year : number, USD/year
        What you commit to spend.
    discount : number, share
        What you get off the list price, or off a price of yours.
    shortfall_fee : number, share
        Part of what is missing that is paid; some contracts carry a rest over.

    Examples
    --------
    >>> import costmodel as cm
    >>> committed = cm.choices.SpendCommitment("openai", usd_per_year=12_000, discount=0.1)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> work = cm.Workload(100_000, input_tokens=2_000, output_tokens=0)  # 500 USD a month
    >>> book = cm.ledger(option, work, terms=cm.Terms(months=12, spend=committed), base_case=True)
    >>> book.groupby("item")["usd"].sum().round().to_dict()  # doctest: +NORMALIZE_WHITESPACE
    {'discount of the spend commitment': -600.0, 'production: fresh input': 6000.0,
     'shortfall of the spend commitment': 6600.0}
    """

    provider: str
    usd_per_year: Number
    discount: Number = 0.0
    shortfall_fee: Number = 1.0


@frozen
class Terms:
    """The terms of a calculation, the same for all options that are compared.

    Parameters
    ----------
    start : str, optional
        First day of the first paid month; None is the month after `on`, or after today.
    months : int, 1 to 120
        Horizon.
    discount_rate : number, share/year, -0.5 to 1
    on : str, optional
        Date at which the API prices of all options are frozen. None leaves each option at its own.
    currency : str
        "USD", or another code with its rate and date, such as "EUR 0.92 2026-11-01".
    vat, vat_recovered : number, share
        Value added tax on all that is bought, pay left out, and the part of it that comes back: 1
        for most companies, 0 for hospitals, banks and authorities.
    spend : SpendCommitment, optional
        A commitment to spend so much at one seller of tokens.
    trends : Trends
        Yearly change of prices.
    people : People
        Hourly rates.

    Raises
    ------
    ValueError
        When a date, the horizon, the rate or the currency is not allowed.

    Examples
    --------
    >>> import costmodel as cm
    >>> terms = cm.Terms(on="2026-12-15", months=24)
    >>> terms.start, str(terms.date_of(2))
    ('2027-01-01', '2027-02-01')
    """

    # -- time
    start: str | None = None
    months: int = 36
    # -- money
    discount_rate: float = 0.10
    on: str | None = None
    currency: str = "USD"
    vat: Number = 0.0
    vat_recovered: Number = 0.0
    spend: SpendCommitment | None = None
    # -- rates
    trends: Trends = field(default_factory=Trends)
    people: People = field(default_factory=People)

    def __post_init__(self) -> None:
        whole_number("months", self.months, 1, MONTHS_MAX)
        require("discount_rate", self.discount_rate, low=-0.5, high=1)
        on = _day("on", self.on) if self.on else today()
        if self.start is None:
            object.__setattr__(self, "start", _first_of(on.year * 12 + on.month).isoformat())
        _day("start", self.start)
        Currency.parse(self.currency)
        for name in ("vat", "vat_recovered"):
            require(name, getattr(self, name), high=1)
        of_kind("trends", self.trends, Trends)
        of_kind("people", self.people, People)
        if self.spend is not None:
            of_kind("spend", self.spend, SpendCommitment)

    @property
    def money(self) -> Currency:
        """The currency that reports show; the ledger itself is in US dollars."""
        return Currency.parse(self.currency)

    def date_of(self, month: int) -> date:
        """First day of month m; month 0 is the month before the first paid one."""
        first = date.fromisoformat(str(self.start))
        return _first_of(first.year * 12 + first.month - 2 + month)


def _first_of(index: int) -> date:
    """First day of a month, counted from January of the year 0."""
    return date(index // 12, index % 12 + 1, 1)


def _day(name: str, day: Any) -> date:
    """A date, or text like 2027-01-31 or 2027-01-31T14:00."""
    text = day.isoformat() if isinstance(day, date) else str(day)
    written = re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?", text)
    with suppress(ValueError):
        if written and is_day(text[:10]):
            return datetime.fromisoformat(text).date()
    raise ValueError(f"{name} is {in_words(day)}, it must be a date like '2027-01-31'")
