"""Costs of your own: whatever a project pays that no other technique prices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from costmodel.choices.options import Case
from costmodel.choices.purchases import PHASES, PRICE_TRENDS, Line, Purchases, cite, labour
from costmodel.choices.running import paid_as, requests_served
from costmodel.choices.schedule import Schedule, monthly, once, path, with_demand
from costmodel.choices.techniques.lookup import Id, find_records
from costmodel.choices.terms import STEADY
from costmodel.core import (
    MONTHS_PER_YEAR,
    Number,
    Range,
    check,
    check_known,
    frozen,
    validate,
    whole_number,
)
from costmodel.facts import catalog

PER = ("once", "month", "year", "request")
TREATMENTS = ("opex", "capex")
LAST_MONTH = 120  # of the longest horizon


@frozen
class Cost:
    """A cost of your own, in dollars or in hours of a person: once, or per month, year or request.

    Equation: usd x persons, or hours x hourly rate x persons, each time it comes round. It belongs
    to the options whose techniques name it; give it to all if it does not tell them apart.

    Parameters
    ----------
    item : str
        What it is, as the ledger shows it, such as "penetration test".
    usd : number or Range, at least 0, or None
        The price of one occurrence [USD].
    hours : number or Range, at least 0, or None
        Hours of a person instead of a price, of one occurrence.
    role : id or record
        Who works these hours: a person of the catalogue, such as "engineer" or "counsel".
    per : {"once", "month", "year", "request"}
        How often it is paid.
    persons : number or Range, at least 0
        Persons for each of whom it is paid, such as the users of a tool [count].
    month : int, or None
        The month in which it is paid, or first paid: 0 is up front. None is up front for what is
        paid once, and month 1 for the rest.
    phase, treatment : str
        The phase of the life, and "opex" or "capex".
    trend : {"none", "service", "labour", "gpu", "api"}
        The class of prices that it follows; "none" stays what you say. Hours follow the pay.

    Raises
    ------
    CatalogError
        When the phase, the trend, the treatment, the role or `per` is not known.
    ValueError
        When neither or both of usd and hours are given, or a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(
    ...     cm.Api("gpt-6-luna"),
    ...     cm.Cost("penetration test", usd=12_000, month=3, phase="compliance"),
    ...     cm.Cost("seat of a tool", usd=30, per="month", persons=20),
    ... )
    >>> book = cm.ledger(option, cm.Workload(10_000, input_tokens=500), months=3)
    >>> book[book.month == 3].set_index("item").usd[
    ...     ["penetration test", "seat of a tool"]
    ... ].to_list()
    [12000.0, 600.0]
    """

    item: str
    usd: Number | None = None
    hours: Number | None = None
    role: catalog.Person | Id = "engineer"
    per: str = "once"
    persons: Number = 1
    month: int | None = None
    phase: str = "build"
    treatment: str = "opex"
    trend: str = STEADY

    def __post_init__(self) -> None:
        check(
            isinstance(self.item, str) and self.item,
            f"Cost.item is {self.item!r}, it must say what is paid, such as 'penetration test'",
        )
        where = f"the cost {self.item!r}"
        check(
            (self.usd is None) != (self.hours is None),
            f"{where} needs usd=, its price, or hours= of a person; give one of the two",
        )
        check_known("per", self.per, PER, where)
        check_known("phase", self.phase, PHASES, where)
        check_known("trend", self.trend, PRICE_TRENDS, where)
        check_known("treatment", self.treatment, TREATMENTS, where)
        if self.month is not None:
            check(self.per != "request", f"{where} is paid per request; leave month out")
            whole_number(f"the month of {where}", self.month, 0, LAST_MONTH)
        find_records(self, role=catalog.person)
        validate(self)
        for name in ("usd", "hours", "persons"):  # two costs are two doubts
            value = getattr(self, name)
            if isinstance(value, Range) and value.name is None:
                object.__setattr__(self, name, replace(value, name=f"{self.item}.{name}"))

    @property
    def id(self) -> str:
        """The name under which its numbers are cited."""
        return self.item

    def _when(self, months: int) -> Schedule:
        if self.per == "request":
            return with_demand()
        if self.per == "once":
            return once(self.month or 0)
        first = 1 if self.month is None else self.month
        if self.per == "month":
            return monthly(first)
        since = np.arange(months + 1) - first
        return path((since >= 0) & (since % MONTHS_PER_YEAR == 0))

    def buys(self, case: Case) -> Purchases:
        each: Any = self.persons * (requests_served(case) if self.per == "request" else 1)
        when, times = self._when(case.terms.months), "" if self.per == "once" else f" a {self.per}"
        persons = " x {persons} persons" if np.any(self.persons != 1) else ""
        if self.usd is None:
            basis = f"{{hours}} h{times}{persons} x {{usd_per_hour}}/h"
            yield labour(
                self.item,
                self.hours * each,
                paid_as(self.role, case),
                when,
                self.phase,
                basis,
                cite(self, "hours", "persons"),
                self.treatment,
            )
            return
        yield Line(
            self.item,
            self.phase,
            each,
            "request" if self.per == "request" else "piece",
            self.usd,
            when,
            self.trend,
            self.treatment,
            f"{{usd}}{times}{persons}",
            cite(self, "usd", "persons"),
        )
