"""From an option to its bill: option -> cases -> purchases -> lines -> Bill.

Read from top to bottom. Calls of a model are pooled by serving and priced by that serving; every
other purchase is a line as it stands. Equal things are bought once, and only this file decides it:
equal techniques in `_bought`, equal servings in `pooled`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from costmodel.choices.mixes import Mix
from costmodel.choices.options import Case, Option
from costmodel.choices.purchases import Line, Traffic, lines_of, purchases_of
from costmodel.choices.quality.answering import (
    Cases,
    accepted_by_month,
    before_people,
    cases,
    over_the_horizon,
)
from costmodel.choices.schedule import Schedule, Stages, scaled, staged, with_demand
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.capacity import Capacity
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.servings.waiting import too_late
from costmodel.choices.study import Study, of_part
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import Infeasible, check, middle, public, same, unchecked
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.settlement import committed, paid_by_month, settlement

Purchase = tuple[Any, Line | Traffic]  # the serving that prices it, and what is bought


@dataclass(frozen=True)
class Bills:
    """A study on numbers: the calendar, the bill of each option that runs, why the others do
    not."""

    calendar: Calendar
    bills: dict[str, Bill]
    why_not: dict[str, Infeasible]


def at_middle(study: Study) -> Bills:
    """Every option of a study with every doubt at its middle; found once."""
    return study.once("at middle", lambda: _at_middle(study), _some_bills)


@np.errstate(all="ignore")  # what is no finite number is refused by the bill
def _at_middle(study: Study) -> Bills:
    return evaluate_all(*middle((study.options, study.work, study.terms)))


def _some_bills(found: Bills, part: Study) -> Bills:
    """The bills of the options of a part."""
    return Bills(found.calendar, of_part(found.bills, part), of_part(found.why_not, part))


def evaluate_all(options: dict[str, Any], work: Workload, terms: Terms) -> Bills:
    """The bills of options whose Ranges are already numbers, or arrays of draws."""
    bills, why_not = {}, {}
    for label, option in options.items():
        try:
            bills[label] = evaluate(option, work, terms)
        except Infeasible as reason:
            why_not[label] = reason
    return Bills(Calendar(work, terms), bills, why_not)


@public
def evaluate(option: Option | Mix, work: Workload, terms: Terms) -> Bill:
    """The bill of an option whose Ranges are already numbers, or arrays of draws.

    Parameters
    ----------
    option : Option or Mix
        What is bought, after `middle` or `sample`: every doubt is a number or an array of the shape
        (n, 1).
    work : Workload
        What arrives, after the same.
    terms : Terms
        Start, horizon, discounting and price trends, after the same.

    Returns
    -------
    Bill
        `lines`, the share of answers `accepted` [share], the `requests` of a month, and where its
        calls fit their servings.

    Raises
    ------
    Infeasible
        A call fits its serving at no price. In an array of draws `Bill.fits` marks the draws
        instead.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> bill = evaluate(*middle((option, work, cm.Terms())))
    >>> [line.item for line in bill.lines], bill.requests
    (['production: fresh input', 'production: output'], 100000.0)
    """
    parts = cases(option, work, terms)
    bought = list(purchases(parts))
    fits = _fits(bought) & _in_time(parts)
    lines: list[Any] = [purchase for _, purchase in bought if isinstance(purchase, Line)]
    covered: list[Line] = []
    for serving, traffic in pooled(bought):
        priced = list(_at_successors(lines_of(serving, traffic, work, terms), serving, parts))
        lines += priced
        for line in priced:
            fits = fits & line.fits
        covered += priced if committed(terms, serving) else ()
    lines += _redone(parts)
    if terms.spend is not None or np.any(terms.vat):
        lines += settlement(lines, covered, work, terms)
    share = accepted_by_month(option, parts)
    failed = None if share is None else _wrong_answers(work, terms, share)
    if failed and np.any(work.usd_per_failure):
        lines.append(failed)
    accepted = over_the_horizon(share, work, terms)
    check(
        accepted is None or np.all(np.isfinite(accepted) | np.logical_not(fits)),
        "the share of accepted answers is no finite number; bring log-odds, growth and ramp of "
        "this option and its workload closer to usual values",
    )
    return Bill(lines, accepted, work.requests_per_month, fits, failed)


def purchases(parts: Cases) -> Iterator[Purchase]:
    """Everything an option buys: first the calls of production, then what its techniques buy."""
    for _, case, _ in parts:
        for call in case.request.calls:
            count = case.requests_per_month * call.per_request
            yield case.serving, Traffic("production", call, count, with_demand(), "serving")
    for technique, case in _bought(parts):
        for purchase in purchases_of(technique, case):
            yield getattr(purchase, "by", None) or case.serving, purchase


def _bought(parts: Cases) -> list[tuple[Any, Case]]:
    """Each technique that buys something, with the case that it buys for.

    Equal techniques of a Mix are bought once, for the requests that all their parts see together. A
    technique that changes its serving (a tune) is bought once per serving."""
    bought: list[tuple[Any, Case]] = []
    for part, case, _ in parts:
        earlier_parts = len(bought)
        for technique in (t for t in part.techniques if hasattr(t, "buys")):
            for i, (other, earlier) in enumerate(bought[:earlier_parts]):
                one_serving = not hasattr(other, "adapt") or same(case.serving, earlier.serving)
                if same(technique, other) and one_serving:
                    requests = earlier.requests_per_month + case.requests_per_month
                    together = (*earlier.together, case)
                    shared = replace(earlier, requests_per_month=requests, together=together)
                    bought[i] = other, shared
                    break
            else:
                bought.append((technique, case))
    return bought


def pooled(bought: Iterable[Purchase]) -> list[tuple[Any, list[Traffic]]]:
    """The traffic of each serving, equal servings together, in order of first sight."""
    pools: list[tuple[Any, list[Traffic]]] = []
    for serving, purchase in bought:
        if isinstance(purchase, Traffic):
            for other, traffic in pools:
                if same(serving, other):
                    traffic.append(purchase)
                    break
            else:
                pools.append((serving, [purchase]))
    return pools


def _fits(bought: Iterable[Purchase]) -> Any:
    """Whether all calls fit their servings, for each draw and grid point.

    A single number that does not fit raises Infeasible.
    """
    fits: Any = True
    for serving, traffic in bought:
        for over, reason in serving.limits(traffic.call) if isinstance(traffic, Traffic) else ():
            if np.ndim(over) == 0 and over > 0:
                where = "" if traffic.item == "production" else f"{traffic.item}: "
                raise Infeasible(where + reason.format(over=over))
            fits = fits & (over <= 0)
    return fits


def _in_time(parts: Cases) -> Any:
    """Whether the need of the workload is met, for each draw and grid point.

    A single number that does not meet it raises Infeasible.
    """
    found = too_late([case for _, case, _ in parts])
    if found is None:
        return True
    over, reason = found
    if np.ndim(over) == 0 and over > 0:
        raise Infeasible(reason)
    return over <= 0


def _at_successors(lines: Iterable[Any], serving: Any, parts: Cases) -> Iterator[Line]:
    """Lines of an API at the token prices of the models that an option moves to.

    A model ends for all who call it: as a judge, in batches, at a discount."""
    movers = (
        (technique, case)
        for _, case, _ in parts
        for technique in case.techniques
        if hasattr(technique, "price_path")
        and isinstance(serving, Api)
        and serving.model.id == getattr(getattr(case.serving, "model", None), "id", None)
    )
    mover: Any = next(movers, None)
    path = mover and mover[0].price_path(mover[1])
    if mover is None or np.all(path.moves.starts > path.moves.months):
        yield from lines
        return
    words, added = mover[0].price_words(mover[1])
    paths: dict[int, Any] = {}  # lines with one list price share one path, and so one factor
    for line in lines:
        if line.trend == "api":
            when = line.schedule
            if id(when.price) not in paths:
                paths[id(when.price)] = _with_moves(when, path)
            price, known = paths[id(when.price)]
            when = unchecked(when, price=price, known=known)
            cites = (*line.cites, *added)
            line = unchecked(line, schedule=when, basis=line.basis + words, cites=cites)
        yield line


def _with_moves(when: Schedule, path: Stages) -> tuple[Any, int]:
    """(price path, known months) of a list price with the prices of successors.

    Known steps of a list price hold until the first move; the successor's price is over the last of
    them, and trends go on from there.
    """
    if when.price is None:
        return path, when.known
    last = np.maximum(path.moves.starts[..., :1] - 1, 0)  # month before the first move
    months = np.minimum(np.arange(path.moves.months + 1), last)
    listed, months = np.broadcast_arrays(when.price, months)
    held = np.take_along_axis(listed, months, -1)
    return held * path.by_month, min(when.known, int(last.max()))


def _redone(parts: Cases) -> Iterator[Line]:
    """What people answer anew: it depends on how many answers of the model are wrong."""
    for part, case, answers in parts:
        for technique in part.techniques:
            if hasattr(technique, "redo"):
                yield technique.redo(case, answers, before_people(part, case))


def _wrong_answers(work: Workload, terms: Terms, share: Any) -> Line:
    wrong = staged(lambda accepted: 1 - accepted, share)
    failed, when = scaled(work.requests_per_month, with_demand(), wrong, work, terms)
    return Line(
        "answers that fail",
        "failures",
        failed,
        "answer",
        work.usd_per_failure,
        when,
        "labour",  # somebody repairs it
        basis="requests a month x (1 - share accepted) x {usd_per_failure}, which rises with pay",
        cites=("Workload.usd_per_failure", "Workload.requests_per_month"),
    )


@dataclass(frozen=True)
class Bill:
    """An option evaluated on numbers.

    `lines` are what it buys; `accepted` is the share of answers accepted, None where it is not
    known, and the mean over the horizon, weighted by demand, where models are replaced; `requests`
    are those of an ordinary month at the start; `fits` says where its calls fit the window and the
    memory of their servings; `failed` are the answers that are not accepted, also where they cost
    nothing."""

    lines: list[Line]
    accepted: Any
    requests: Any
    fits: Any
    failed: Line | None = None
    _sums: dict[bool, tuple[Any, Any]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def total(self, calendar: Calendar, discounted: bool = False) -> Any:
        """USD over the horizon, as it is paid or its present value."""
        return self.to_pay(calendar, discounted) + self.failures(calendar, discounted)

    def to_pay(self, calendar: Calendar, discounted: bool = False) -> Any:
        """The part of the total that somebody sends an invoice for."""
        return self._summed(calendar)[False][discounted]

    def failures(self, calendar: Calendar, discounted: bool = False) -> Any:
        """The part of the total that is the cost of wrong answers."""
        return self._summed(calendar)[True][discounted]

    def of_phase(self, phase: str) -> Bill:
        """The bill of the lines of one phase."""
        return replace(self, lines=[line for line in self.lines if line.phase == phase])

    def _summed(self, calendar: Calendar) -> dict[bool, tuple[Any, Any]]:
        """USD over the horizon and its present value, of wrong answers and of the rest; made once.

        Lines that are bought in the same months at the same prices are added before they are
        multiplied by the factor of these months.
        """
        if not self._sums:
            alike: dict[tuple[bool, int], tuple[Any, Any]] = {}
            for line in self.lines:
                factors = calendar.factors(line.schedule, line.trend)
                key = line.phase == "failures", id(factors)
                alike[key] = factors, alike.get(key, (None, 0.0))[1] + line.usd
            self._sums.update({False: (0.0, 0.0), True: (0.0, 0.0)})
            for (wrong, _), ((paid, now), usd) in alike.items():
                plain, worth = self._sums[wrong]
                self._sums[wrong] = plain + usd * paid, worth + usd * now
            whole = self._sums[False][1] + self._sums[True][1]
            if not np.all(np.isfinite(whole) | np.logical_not(self.fits)):
                self._sums.clear()
                raise self._no_number(calendar)
        return self._sums

    def _no_number(self, calendar: Calendar) -> ValueError:
        """The error of a total that is no finite number: the first such line, and its inputs."""
        for line in self.lines:
            usd = line.usd * calendar.factor(line.schedule, line.trend, discounted=True)
            lost = ~np.isfinite(usd) & self.fits
            if np.any(lost):
                break
        where = "" if np.ndim(usd) == 0 else f" in {100 * np.mean(lost):.2g} % of the draws"
        return ValueError(
            f"the cost of {line.item!r} is no finite number{where}; bring the inputs behind it "
            f"closer to usual values: {', '.join((*line.cites[:6], 'demand and price trends'))}"
        )

    def paid(self, calendar: Calendar) -> Any:
        """USD of months 0..H, shape (H + 1,) or (n, H + 1)."""
        return paid_by_month(self.lines, calendar)


def fleets(
    option: Any, work: Workload, terms: Terms
) -> list[tuple[Hosted, list[Traffic], Capacity]]:
    """Every own serving of an option on numbers, with its pooled traffic and its capacity."""
    found = []
    for serving, traffic in pooled(purchases(cases(option, work, terms))):
        if isinstance(serving, Hosted):
            capacity = serving.capacity(serving.uses(traffic, work, terms), work, terms)
            if np.any(capacity.replicas > 0):
                found.append((serving, traffic, capacity))
    return found
