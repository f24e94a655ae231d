"""From an option to its bill: option -> case -> purchases -> lines -> Bill.

Read from top to bottom. What calls a model is pooled by serving and priced by that serving; everything else is a line as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.choices.options import Case, Mix, Option
from costmodel.choices.purchases import Line, Traffic
from costmodel.choices.schedule import with_demand
from costmodel.choices.servings.hosted import Capacity, Hosted
from costmodel.choices.terms import STEADY, Terms
from costmodel.choices.workload import Workload
from costmodel.core.errors import Infeasible, short, unknown
from costmodel.core.nested import same
from costmodel.core.public import public
from costmodel.ledgers.calendar import Calendar

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Bill:
    """An option evaluated on numbers: its lines, the share of answers accepted (None: not known), its requests of
    month 1, and where its calls fit the window and the memory of their servings."""

    lines: list[Line]
    accepted: Any
    requests: Any
    fits: Any

    def total(self, calendar: Calendar, discounted: bool = False, phase: str | None = None, without: str | None = None) -> Any:
        """USD over the horizon, of all lines, of one phase, or of all but one."""
        return sum(
            (
                line.quantity * line.usd_per_unit * calendar.factor(line.schedule, line.trend, discounted)
                for line in self.lines
                if (phase is None or line.phase == phase) and line.phase != without
            ),
            0.0,
        )


@public
def evaluate(option: Option | Mix, work: Workload, terms: Terms) -> Bill:
    """The bill of an option whose Ranges are already numbers: pool what calls a model, let each serving price its pool."""
    resolved = cases(option, work, terms)
    fits: Any = True
    lines: list[Line] = []
    pools: list[tuple[Any, list]] = []
    for serving, bought in purchases(resolved):
        if isinstance(bought, Line):
            lines.append(bought)
            continue
        fits = fits & fit(serving, bought)
        for other, traffic in pools:
            if same(serving, other):
                traffic.append(bought)
                break
        else:
            pools.append((serving, [bought]))
    for serving, traffic in pools:
        lines += serving.price(traffic, work, terms)
    share = accepted(resolved)
    if share is not None and np.any(work.usd_per_failure):
        lines.append(Line("answers that fail", "failures", work.requests_per_month * (1 - share), "answer", work.usd_per_failure,
                          with_demand(), STEADY, basis="requests a month x (1 - share accepted) x {usd_per_failure}",
                          cites=("Workload.usd_per_failure", "Workload.requests_per_month")))  # fmt: skip
    return Bill(lines, share, work.requests_per_month, fits)


def fit(serving: Any, traffic: Traffic) -> Any:
    """Where a call fits its serving: a single number that does not is Infeasible, draws and grid points are marked."""
    fits: Any = True
    for over, reason in serving.limits(traffic.call):
        if np.ndim(over) == 0 and over > 0:
            where = "" if traffic.item == "production" else f"{traffic.item}: "
            raise Infeasible(where + reason.format(over=over))
        fits = fits & (over <= 0)
    return fits


def settle(options: Options | Option | Mix, terms: Terms | None, **changes: Any) -> tuple[dict[str, Any], Terms]:
    """Options as a dict and the terms with shorthand applied; API prices move to `on` when it is given."""
    if not isinstance(options, Mapping):
        options = {"option": options}
    for label, option in options.items():
        if not isinstance(option, (Option, Mix)):
            raise ValueError(f"option {label!r} is {short(option)}, it must be an Option or a Mix")
    if terms is not None and not isinstance(terms, Terms):
        raise ValueError(f"terms is {short(terms)}, it must be Terms(...) or None")
    given = {k: v for k, v in changes.items() if v is not None}
    if terms is None:
        terms = Terms(**given)
    elif given:
        if "on" in given and "start" not in given and terms.start == Terms(on=terms.on).start:  # nobody chose it
            given["start"] = None
        terms = replace(terms, **given)
    if terms.on is not None:
        options = {label: option.at(terms.on) for label, option in options.items()}
    return dict(options), terms


@public
def pick(options: Mapping[str, Any], label: str, where: str = "the options") -> Any:
    """The option with this label. Errors: `CatalogError` names the nearest labels.

    >>> pick({"RAG": 1}, "RAGG")
    Traceback (most recent call last):
    costmodel.core.errors.CatalogError: no option 'RAGG' in the options; did you mean 'RAG'?
    """
    if label not in options:
        raise unknown("option", label, options, where)
    return options[label]


def fleets(option: Any, work: Workload, terms: Terms) -> list[tuple[Hosted, list[Traffic], Capacity]]:
    """Every own serving of an option whose Ranges are numbers, with its pooled traffic and its capacity."""
    pools: list[tuple[Hosted, list[Traffic]]] = []
    for serving, bought in purchases(cases(option, work, terms)):
        if not isinstance(bought, Traffic) or not isinstance(serving, Hosted):
            continue
        for other, traffic in pools:
            if same(serving, other):
                traffic.append(bought)
                break
        else:
            pools.append((serving, [bought]))
    made = [(s, traffic, s.capacity(s.uses(traffic, work, terms), work, terms)) for s, traffic in pools]
    return [(s, traffic, c) for s, traffic, c in made if np.any(np.asarray(c.replicas) > 0)]


Cases = list[tuple[Option, Case, Any]]


def cases(option: Option | Mix, work: Workload, terms: Terms) -> Cases:
    """Every part of an option with its finished case and the share of requests that it answers."""
    return [(part, part.case(work, terms, sees), answers) for part, sees, answers in option.parts()]


def accepted(resolved: Cases) -> Any:
    """Share of all answers that is accepted, or None when it is unknown for a part."""
    total: Any = 0.0
    for part, case, answers in resolved:
        share = part.accepted(case)
        if share is None:
            return None
        total = total + answers * share
    return total


def purchases(resolved: Cases) -> Iterator[tuple[Any, Line | Traffic]]:
    """Everything an option buys, as (serving that prices it, purchase).

    Equal techniques of a Mix are bought once, for the requests that all their parts see together; a technique that
    changes its serving (a tune) is bought once per serving.
    """
    for _, case, _ in resolved:
        for call in case.request.calls:
            count = case.requests_per_month * call.per_request
            yield case.serving, Traffic("production", call, count, with_demand(), "serving")
    bought: list[tuple[Any, Case]] = []
    for part, case, _ in resolved:
        others = len(bought)  # what parts before this one bought
        for technique in (t for t in part.techniques if hasattr(t, "buys")):
            for i, (other, earlier) in enumerate(bought[:others]):
                if same(technique, other) and (not hasattr(technique, "adapt") or same(case.serving, earlier.serving)):
                    more = earlier.requests_per_month + case.requests_per_month
                    bought[i] = (other, replace(earlier, requests_per_month=more, together=(*earlier.together, case)))
                    break
            else:
                bought.append((technique, case))
    for technique, case in bought:
        for purchase in technique.buys(case):
            yield getattr(purchase, "by", None) or case.serving, purchase
