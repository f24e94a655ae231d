"""From an option to its bill: option -> cases -> purchases -> lines -> Bill. Read from top to bottom.

What calls a model is pooled by serving and priced by that serving; everything else is a line as it stands. Equal things are
bought once, and this is the only place that decides it: equal techniques in `purchases`, equal servings in `pooled`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.choices.options import Case, Mix, Option
from costmodel.choices.purchases import Line, Traffic, lines_of, purchases_of
from costmodel.choices.schedule import with_demand
from costmodel.choices.servings.capacity import Capacity
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.study import Study
from costmodel.choices.terms import STEADY, Terms
from costmodel.choices.workload import Workload
from costmodel.core.draws import middle
from costmodel.core.errors import Infeasible
from costmodel.core.nested import same
from costmodel.core.public import public
from costmodel.ledgers.calendar import Calendar

Cases = list[tuple[Option, Case, Any]]
Purchase = tuple[Any, Line | Traffic]  # the serving that prices it, and what is bought


@public
def evaluate(option: Option | Mix, work: Workload, terms: Terms) -> Bill:
    """The bill of an option whose Ranges are already numbers, or arrays of draws.

    Parameters
    ----------
    option, work, terms
        After `middle` or `sample`: every doubt is a number or an array of the shape (n, 1).

    Returns
    -------
    Bill
        Its lines, the share of answers accepted, the requests of month 1, and where its calls fit their servings.

    Raises
    ------
    Infeasible
        When a call fits its serving at no price; in an array of draws `Bill.fits` marks the draws instead.
    """
    parts = cases(option, work, terms)
    bought = list(purchases(parts))
    lines = [purchase for _, purchase in bought if isinstance(purchase, Line)]
    fits: Any = True
    for serving, purchase in bought:
        if isinstance(purchase, Traffic):
            fits = fits & _fits(serving, purchase)
    for serving, traffic in pooled(bought):
        lines += lines_of(serving, traffic, work, terms)
    share = accepted(parts)
    if share is not None and np.any(work.usd_per_failure):
        lines.append(_wrong_answers(work, share))
    return Bill(lines, share, work.requests_per_month, fits)


def cases(option: Option | Mix, work: Workload, terms: Terms) -> Cases:
    """Every part of an option with its finished case and the share of requests that it answers."""
    return [(part, part.case(work, terms, sees), answers) for part, sees, answers in option.parts()]


def purchases(parts: Cases) -> Iterator[Purchase]:
    """Everything an option buys: first the calls of production, then what its techniques buy.

    Equal techniques of a Mix are bought once, for the requests that all their parts see together; a technique that
    changes its serving (a tune) is bought once per serving.
    """
    for _, case, _ in parts:
        for call in case.request.calls:
            count = case.requests_per_month * call.per_request
            yield case.serving, Traffic("production", call, count, with_demand(), "serving")
    bought: list[tuple[Any, Case]] = []
    for part, case, _ in parts:
        before = len(bought)  # what the parts before this one bought
        for technique in (t for t in part.techniques if hasattr(t, "buys")):
            shared = (i for i in range(before) if _bought_together(technique, case, *bought[i]))
            if (i := next(shared, None)) is None:
                bought.append((technique, case))
                continue
            other, earlier = bought[i]
            requests = earlier.requests_per_month + case.requests_per_month
            bought[i] = (
                other,
                replace(earlier, requests_per_month=requests, together=(*earlier.together, case)),
            )
    for technique, case in bought:
        for purchase in purchases_of(technique, case):
            yield getattr(purchase, "by", None) or case.serving, purchase


def _bought_together(technique: Any, case: Case, other: Any, earlier: Case) -> bool:
    """Whether a technique is bought together with an equal one of another part of the same Mix."""
    return same(technique, other) and (
        not hasattr(technique, "adapt") or same(case.serving, earlier.serving)
    )


def pooled(bought: Iterable[Purchase]) -> list[tuple[Any, list[Traffic]]]:
    """The traffic of each serving, equal servings together, in order of first sight."""
    pools: list[tuple[Any, list[Traffic]]] = []
    for serving, purchase in bought:
        if isinstance(purchase, Traffic):
            traffic = next((calls for other, calls in pools if same(serving, other)), None)
            if traffic is None:
                pools.append((serving, [purchase]))
            else:
                traffic.append(purchase)
    return pools


def _fits(serving: Any, traffic: Traffic) -> Any:
    """Where a call fits its serving: a single number that does not is Infeasible, draws and grid points are marked."""
    fits: Any = True
    for over, reason in serving.limits(traffic.call):
        if np.ndim(over) == 0 and over > 0:
            where = "" if traffic.item == "production" else f"{traffic.item}: "
            raise Infeasible(where + reason.format(over=over))
        fits = fits & (over <= 0)
    return fits


def accepted(parts: Cases) -> Any:
    """Share of all answers that is accepted, or None when it is unknown for a part."""
    total: Any = 0.0
    for part, case, answers in parts:
        share = part.accepted(case)
        if share is None:
            return None
        total = total + answers * share
    return total


def _wrong_answers(work: Workload, share: Any) -> Line:
    return Line(
        "answers that fail",
        "failures",
        work.requests_per_month * (1 - share),
        "answer",
        work.usd_per_failure,
        with_demand(),
        STEADY,
        basis="requests a month x (1 - share accepted) x {usd_per_failure}",
        cites=("Workload.usd_per_failure", "Workload.requests_per_month"),
    )


@dataclass(frozen=True)
class Bill:
    """An option evaluated on numbers.

    `lines` are what it buys; `accepted` is the share of answers accepted, None where it is not known; `requests` are those
    of month 1; `fits` says where its calls fit the window and the memory of their servings.
    """

    lines: list[Line]
    accepted: Any
    requests: Any
    fits: Any

    def total(
        self,
        calendar: Calendar,
        discounted: bool = False,
        phase: str | None = None,
        without: str | None = None,
    ) -> Any:
        """USD over the horizon, of all lines, of those of one phase, or of all but those of one."""
        chosen = (
            line for line in self.lines if phase in (None, line.phase) and line.phase != without
        )
        return sum(
            (line.usd * calendar.factor(line.schedule, line.trend, discounted) for line in chosen),
            0.0,
        )

    def failures(self, calendar: Calendar) -> Any:
        """USD over the horizon that is the cost of wrong answers."""
        return self.total(calendar, phase="failures")

    def paid(self, calendar: Calendar) -> Any:
        """USD of months 0..H, shape (H + 1,) or (n, H + 1)."""
        months = [line.usd * calendar.path(line.schedule, line.trend) for line in self.lines]
        return sum(months, np.zeros(calendar.months + 1))


@dataclass(frozen=True)
class AtMiddle:
    """A study with every doubt at its middle: the calendar, the bill of each option that runs, why the others do not."""

    calendar: Calendar
    bills: dict[str, Bill]
    why_not: dict[str, Infeasible]

    def quality_known(self, label: str) -> bool:
        """Whether the share of accepted answers is known, or does not matter because the option cannot run."""
        return label not in self.bills or self.bills[label].accepted is not None


def at_middle(study: Study) -> AtMiddle:
    """Every option of a study with every doubt at its middle."""
    work, terms = middle((study.work, study.terms))
    bills, why_not = {}, {}
    for label, option in study.options.items():
        try:
            bills[label] = evaluate(middle(option), work, terms)
        except Infeasible as reason:
            why_not[label] = reason
    return AtMiddle(Calendar(work, terms), bills, why_not)


def fleets(
    option: Any, work: Workload, terms: Terms
) -> list[tuple[Hosted, list[Traffic], Capacity]]:
    """Every own serving of an option whose Ranges are numbers, with its pooled traffic and its capacity."""
    pools = [
        (s, traffic)
        for s, traffic in pooled(purchases(cases(option, work, terms)))
        if isinstance(s, Hosted)
    ]
    made = [
        (s, traffic, s.capacity(s.uses(traffic, work, terms), work, terms)) for s, traffic in pools
    ]
    return [(s, traffic, c) for s, traffic, c in made if np.any(np.asarray(c.replicas) > 0)]
