"""What a model is compared with: people, seats of a product, or going on as today.

Each is a serving, so a baseline is an Option like any other: it meets the same workload and draws,
and its wrong answers cost the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from costmodel.choices.purchases import Line, Lines, Traffic, cite
from costmodel.choices.requests import Call, Limits
from costmodel.choices.schedule import monthly
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import MINUTES_PER_HOUR, Number, assumed, frozen, of_kind, validate
from costmodel.facts import catalog

ANYBODY = "employee"  # the person of a Staff without a role


@dataclass(frozen=True)
class _Baseline:
    """What all of them share: no model, no window, no price list."""

    def __post_init__(self) -> None:
        validate(self, optional=("accepted",))

    @property
    def window(self) -> None:
        """No limit of tokens."""

    def limits(self, call: Call) -> Limits:
        """Nothing stops a call."""
        return iter(())


OCCUPANCY = assumed(0.6, 0.75, 0.85, "paid time that is spent on requests")
REDONE = assumed(0.85, 0.94, 0.98, "people get some answers wrong too; measure yours")


@frozen
class Staff(_Baseline):
    """People answer each request: minutes x their hourly rate, whatever the tokens.

    Equation: requests x minutes_per_request / 60 / occupancy x usd_per_hour. Not in it: hiring.

    Parameters
    ----------
    minutes_per_request : number, min
        What a request takes of the person who answers.
    usd_per_hour : number, USD/hour, optional
        Your own rate, fully loaded; None is that of the role.
    role : str or Person
        Who answers: a person of the catalogue, such as "support_agent", "clerk", "engineer" or
        "lawyer". Without one it may be anybody, and the rate is as wide as that.
    occupancy : number, share, optional
        Paid time that is spent on requests. None is an assumption beside the rate of a role, and 1
        beside your own rate.
    accepted : number, share, optional

    Raises
    ------
    CatalogError
        When the role is not known; the nearest names are said.
    ValueError
        When a field is outside its range.

    Examples
    --------
    3,200 tickets x 9 min x $32/h = $15,360 in the first month:

    >>> import costmodel as cm
    >>> option = cm.Option(cm.finance.Staff(9, usd_per_hour=32))
    >>> terms = cm.Terms(months=1, trends=cm.choices.Trends(labour=0))
    >>> round(cm.ledger(option, cm.Workload(3_200, input_tokens=1), terms).usd.sum())
    15360
    >>> cm.finance.Staff(9, role="lawyer").role.usd_per_hour.mid
    112.1
    """

    minutes_per_request: Number
    usd_per_hour: Number | None = None  # None: the rate of the role
    role: catalog.Person | str | None = ANYBODY
    occupancy: Number | None = None
    accepted: Number | None = REDONE

    def __post_init__(self) -> None:
        role = ANYBODY if self.role is None else self.role
        role = catalog.person(role) if isinstance(role, str) else role
        of_kind("Staff.role", role, catalog.Person)
        object.__setattr__(self, "role", role)
        if self.occupancy is None:
            busy = OCCUPANCY if self.usd_per_hour is None else 1.0
            object.__setattr__(self, "occupancy", busy)
        super().__post_init__()

    def price(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Lines:
        """The hours of people for every call."""
        paid: Any = self.role if self.usd_per_hour is None else self
        for t in traffic:
            hours = t.count * self.minutes_per_request / MINUTES_PER_HOUR / self.occupancy
            basis = "requests x {minutes_per_request} min / {occupancy} busy x {usd_per_hour}/h"
            cites, usd = cite(paid, "usd_per_hour"), paid.usd_per_hour
            yield t.line("people", hours, "hour", usd, trend="labour", basis=basis, cites=cites)


@frozen
class Seats(_Baseline):
    """Seats of a product that is bought: users x price of a seat a month, however much they ask.

    Equation: seats x usd_per_seat_month, every month. Not in it: seats that the growth of the
    workload would add.

    Parameters
    ----------
    seats : number
    usd_per_seat_month : number, USD/month
    accepted : number, share, optional

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    20 seats x $30 = $600 a month:

    >>> import costmodel as cm
    >>> option = cm.Option(cm.finance.Seats(20, 30.0))
    >>> terms = cm.Terms(months=2, trends=cm.choices.Trends(service=0))
    >>> cm.ledger(option, cm.Workload(3_200, input_tokens=1), terms).usd.round().to_list()
    [600.0, 600.0]
    """

    seats: Number
    usd_per_seat_month: Number
    accepted: Number | None = None

    def price(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Lines:
        """The same bill every month."""
        yield Line(
            "seats",
            "serving",
            self.seats,
            "seat-month",
            self.usd_per_seat_month,
            monthly(),
            "service",
            basis="{seats} seats x {usd_per_seat_month} a month",
        )


@frozen
class Today(_Baseline):
    """Go on as today: a known bill a month. 0 is doing nothing, with the wrong answers it leaves.

    Parameters
    ----------
    usd_per_month_today : number, USD/month
    accepted : number, share, optional
        Requests that are served well today: 0 where nobody answers.

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.finance.Today(5_000.0, accepted=0.9))
    >>> terms = cm.Terms(months=12, trends=cm.choices.Trends(labour=0))
    >>> float(cm.ledger(option, cm.Workload(3_200, input_tokens=1), terms).usd.sum())
    60000.0
    """

    usd_per_month_today: Number
    accepted: Number | None = None

    def price(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Lines:
        """The same bill every month."""
        yield Line(
            "as today",
            "serving",
            1.0,
            "month",
            self.usd_per_month_today,
            monthly(),
            "labour",
            basis="{usd_per_month_today} a month, as today",
        )
