"""What is bought: lines with a price, and traffic that a serving will price.

Techniques make both in `buys`, servings make lines of traffic in `price`, and the engine collects
them.

A Line keeps `quantity x usd_per_unit` apart from its schedule, so the total of a line is one
product per draw and never a cube of draws x months. Whatever calls a model is Traffic, never
dollars: the serving prices it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from string import Formatter
from typing import Any

import numpy as np

from costmodel.choices.effort import effort_said
from costmodel.choices.requests import Call, Request, by_prompt
from costmodel.choices.schedule import Schedule, monthly, once
from costmodel.choices.terms import STEADY, TRENDS, Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    ROUNDING,
    WORKING_HOURS_PER_MONTH,
    WORKING_HOURS_PER_WEEK,
    Number,
    frozen,
    is_nest,
    owner_of,
    public,
    unknown,
)

PHASES = (
    "data",
    "build",
    "experiments",
    "training",
    "evaluation",
    "release",
    "serving",
    "retrieval",
    "monitoring",
    "maintenance",
    "migration",
    "compliance",
    "failures",
    "retirement",
)
PRICE_TRENDS = (*TRENDS, STEADY)
ONCE = 1.0, ""  # a factor and its formula
Cites = tuple[str, ...]  # inputs behind a line, each as "owner.field"


# -- what ------------------------------------------------------------------------------------------


@frozen
class Line:
    """One purchase: `quantity` units at `usd_per_unit`, each time the schedule comes round.

    Parameters
    ----------
    item, phase, unit : str
        What is bought, in which phase of the life, counted in what.
    quantity, usd_per_unit : number
        Of one occurrence, at today's price.
    schedule : Schedule
        When it is bought.
    trend : {"api", "gpu", "labour", "service", "none"}
        The class of prices that it follows.
    treatment : {"opex", "capex"}
        Whether it is expensed, or an asset that is written off.
    basis : str
        The formula in words. The ledger fills in the number and the source of each {field} in it.
    cites : tuple of str
        Further fields behind the line, as "owner.field".
    life_months : number, month, optional
        Of an asset with a life of its own, such as a server. None: it ends with its model.
    fits : bool or array
        Whether a rate limit lets the calls through, for each draw.

    Raises
    ------
    CatalogError
        For an unknown phase or trend.

    Examples
    --------
    >>> import costmodel as cm
    >>> disk = cm.ledgers.Line("disk", "retrieval", 50, "GB", 0.1, cm.ledgers.monthly())
    >>> disk.usd
    5.0
    """

    item: str
    phase: str
    quantity: Number
    unit: str
    usd_per_unit: Number
    schedule: Schedule
    trend: str = "service"
    treatment: str = "opex"
    basis: str = ""
    cites: Cites = ()
    life_months: Number | None = None
    fits: Any = True

    def __post_init__(self) -> None:
        # thousands of lines are made: no message is written for nothing
        if self.phase not in PHASES:
            raise unknown("phase", self.phase, PHASES, where=f"the line {self.item!r}")
        if self.trend not in PRICE_TRENDS:
            raise unknown("trend", self.trend, PRICE_TRENDS, where=f"the line {self.item!r}")

    @property
    def usd(self) -> Any:
        """What one purchase costs at today's price [USD]."""
        return self.quantity * self.usd_per_unit


def cite(owner: Any, *fields: str) -> Cites:
    """The cited inputs of a line: "owner.field", the owner a record's id or a class name."""
    return tuple(f"{owner_of(owner)}.{field}" for field in fields)


@public
def labour(
    item: str,
    hours: Number,
    person: Any,
    schedule: Schedule,
    phase: str,
    basis: str = "hours x hourly rate",
    cites: Cites = (),
    treatment: str = "opex",
) -> Line:
    """Hours of a person.

    Parameters
    ----------
    item, phase, basis, cites, treatment
        As in a Line.
    hours : number, hour
        Of one occurrence.
    person : Person
        A record with `usd_per_hour`, fully loaded.
    schedule : Schedule
        When they are paid.

    Returns
    -------
    Line
        In hours, at the rate of the person, which follows the price of labour.

    Examples
    --------
    >>> import costmodel as cm
    >>> when = cm.ledgers.every(12)
    >>> audit = cm.ledgers.labour(
    ...     "audit", 16, cm.facts.person("engineer"), when, phase="compliance"
    ... )
    >>> audit.quantity, audit.unit, audit.trend
    (16, 'hour', 'labour')
    """
    return Line(
        item,
        phase,
        hours,
        "hour",
        person.usd_per_hour,
        schedule,
        "labour",
        treatment,
        basis,
        (*cites, *cite(person, "usd_per_hour")),
    )


def setup(
    item: str,
    technique: Any,
    work: Workload,
    person: Any,
    phase: str = "build",
    times: tuple[Number, str] = ONCE,
    treatment: str = "opex",
) -> Line:
    """Weeks of a person up front (`technique.build_weeks`), times a number with its formula."""
    weeks, words, cites = effort_said(technique, "build_weeks", work)
    hours = weeks * WORKING_HOURS_PER_WEEK * times[0]
    basis = f"{words} engineer-weeks x 40 h{times[1]} x {{usd_per_hour}}/h"
    return labour(item, hours, person, once(), phase, basis, cites, treatment)


def upkeep(
    item: str,
    technique: Any,
    work: Workload,
    person: Any,
    phase: str = "maintenance",
    times: tuple[Number, str] = ONCE,
) -> Line:
    """A steady share of a person (`technique.upkeep_fte` of full time), every month."""
    fte, words, cites = effort_said(technique, "upkeep_fte", work)
    hours = fte * WORKING_HOURS_PER_MONTH * times[0]
    basis = f"{words} of an engineer x working hours of a month{times[1]} x {{usd_per_hour}}/h"
    return labour(item, hours, person, monthly(), phase, basis, cites)


@frozen
class Traffic:
    """Model calls to be priced by a serving: `count` calls each time the schedule comes round.

    Parameters
    ----------
    item, phase, basis, cites
        As in a Line.
    call : Call
        What is sent and answered.
    count : number
        Calls of one occurrence.
    schedule : Schedule
        When they are made.
    by : Api, Hosted, ..., optional
        Another serving (a judge, a teacher, an extractor); None is the option's own.
    in_a_row : number, optional
        Requests that are sent back to back, as in a run of a golden set: what they have in common
        is written to a prompt cache once, and read by the others. None: they come one by one.

    Examples
    --------
    >>> import costmodel as cm
    >>> call = cm.ledgers.Call((cm.ledgers.Segment("answer to judge", 400),), output_tokens=20)
    >>> judge = cm.Api("gpt-6-luna", on="2026-11-01")
    >>> weekly = cm.ledgers.Traffic(
    ...     "judge", call, 500, cm.ledgers.monthly(), "monitoring", by=judge
    ... )
    >>> weekly.follows_demand
    False
    """

    item: str
    call: Call
    count: Number
    schedule: Schedule
    phase: str
    by: Any = None
    basis: str = ""
    cites: Cites = ()
    in_a_row: Number | None = None

    @property
    def follows_demand(self) -> bool:
        """Whether the calls come with the requests: what production is."""
        return self.schedule.kind == "with_demand"

    def line(
        self,
        name: str,
        quantity: Number,
        unit: str,
        usd: Number,
        schedule: Schedule | None = None,
        trend: str = "api",
        basis: str = "",
        cites: Cites = (),
    ) -> Line:
        """A part of its price, as a serving asks it."""
        item, when = f"{self.item}: {name}", schedule or self.schedule
        return Line(item, self.phase, quantity, unit, usd, when, trend, basis=basis, cites=cites)


Lines = Iterator[Line]
Purchases = Iterator[Line | Traffic]


def by_length(t: Traffic, starts: Sequence[float]) -> Iterator[Traffic]:
    """Traffic apart by ranges of prompt lengths, which `starts` begin; all of it finds the same
    prefixes in a cache.
    """
    if t.call.growth is None and t.call.lengths is None:
        yield t
        return
    for above, share, call in by_prompt(t.call, starts):
        item = f"{t.item}, prompts above {above:,.0f} tokens" if above else t.item
        if call.cache is not None and t.in_a_row is None:
            fewer = call.cache.prefixes * np.maximum(share, ROUNDING)
            call = replace(call, cache=replace(call.cache, prefixes=fewer))
        yield replace(t, item=item, call=call, count=t.count * share)


def every_call(
    item: str,
    request: Request,
    count: Number,
    schedule: Schedule,
    phase: str,
    by: Any = None,
    basis: str = "",
    cites: Cites = (),
    in_a_row: Number | None = None,
) -> Purchases:
    """Every call of a request, bought `count` times."""
    for call in request.calls:
        number = count * call.per_request
        yield Traffic(item, call, number, schedule, phase, by, basis, cites, in_a_row)


# -- where its numbers come from -------------------------------------------------------------------


def purchases_of(technique: Any, case: Any) -> Purchases:
    """What a technique buys."""
    records = [value for value in vars(technique).values() if hasattr(value, "sources")]
    return _cited(technique.buys(case), technique, *records, case.work.corpus, case.work)


def lines_of(serving: Any, traffic: list[Traffic], work: Workload, terms: Terms) -> Purchases:
    """What a serving asks for its traffic."""
    parts = [value for value in vars(serving).values() if is_nest(value)]
    return _cited(serving.price(traffic, work, terms), serving, *parts, work)


def _cited(purchases: Purchases, *owners: Any) -> Purchases:
    """Purchases with each {name} of a basis cited as "owner.field".

    A name, in the basis or in `cites`, is a field of the first owner that has it: the technique or
    the serving, one of its records, the workload, its corpus. A field of anything else is cited by
    who buys, with `cite`.
    """
    named = tuple((owner_of(owner), type(owner)) for owner in owners)
    for purchase in purchases:
        # not replace(): nobody else has seen it, and thousands are made
        object.__setattr__(purchase, "cites", _keys(purchase.basis, purchase.cites, named))
        yield purchase


@lru_cache(maxsize=4_096)
def _keys(basis: str, cites: Cites, owners: tuple[tuple[str, type], ...]) -> Cites:
    """Every name in a basis and in `cites` as "owner.field"; what is so already stays."""
    given = {key.rpartition(".")[2] for key in cites if "." in key}
    names = dict.fromkeys((*(name for _, name, _, _ in Formatter().parse(basis) if name), *cites))
    keys = []
    for name in names:
        if "." in name:
            keys.append(name)
        elif name not in given:
            owns = (n for n, kind in owners if name in getattr(kind, "__dataclass_fields__", ()))
            if (owner := next(owns, None)) is None:
                raise ValueError(
                    f"the formula of {owners[0][0]} names {{{name}}}, which is no field of it; "
                    "name the owner with cites=cite(...)"
                )
            keys.append(f"{owner}.{name}")
    return tuple(keys)
