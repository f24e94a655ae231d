"""Per outcome: what an accepted answer, a user and a seat cost, with retries, people and wrong
answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core import (
    Infeasible,
    Number,
    check,
    middle,
    pin,
    public,
    require,
    sample,
    whole_number,
)
from costmodel.decisions.simulate import UNKNOWN, quantiles
from costmodel.laws.agents import per_resolved, resolve, tail
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, at_middle, evaluate

RETRIES_MAX = 1_000
LEAST = 1e-9  # users and requests divide the bill, so they are above 0
LEAST_SHARE, LEAST_SEAT = 1e-6, 0.01
FOLLOWS_USE = ("serving", "retrieval", "monitoring", "failures")  # all else is shared by heads
PERCENTILES = (0.50, 0.80, 0.90, 0.95, 0.99)


def per_request(bill: Bill, calendar: Calendar) -> Any:
    """USD of one request over the horizon, without wrong answers; fixed costs are spread.

    NaN in the draws in which a call does not fit its serving.
    """
    requests = bill.requests * calendar.requests
    check(np.all(requests > 0), f"the workload brings no requests in {calendar.months} months")
    return np.where(bill.fits, bill.to_pay(calendar) / requests, np.nan)


def share_accepted(bill: Bill, calendar: Calendar) -> Any:
    """The share of answers that is accepted; NaN where nobody knows it."""
    return np.nan if bill.accepted is None else bill.accepted


# -- an answer -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Handling:
    """What is done about answers that fail; the cost of a wrong one is the workload's where it is
    None.
    """

    retries: int
    detected: Number
    usd_per_escalation: Number
    usd_per_wrong: Number | None
    person_solves: bool


@analysis
def per_outcome(
    study: Study,
    retries: int = 0,
    detected: Number = 1.0,
    usd_per_escalation: Number = 0.0,
    usd_per_wrong: Number | None = None,
    person_solves: bool = False,
    draws: int | None = None,
) -> pd.DataFrame:
    """Say what a resolved request, or a resolved task of an agent, costs.

    per_accepted = (usd_attempts + usd_people + usd_wrong) / share resolved, see `resolve`.

    Parameters
    ----------
    study : Study, or options with a workload
        The options; their bills are those of the study's horizon.
    retries : int
        Attempts after the first, 0 to 1,000 [count].
    detected : float or Range
        Share of the failed answers that is noticed [share, 0 to 1].
    usd_per_escalation : float or Range
        What a person costs who takes a request over [USD, 0 or more].
    usd_per_wrong : float or Range, optional
        What a wrong answer costs that nobody noticed [USD, 0 or more]; by default `usd_per_failure`
        of the workload.
    person_solves : bool
        Whether requests that a person solves count as resolved.
    draws : int, optional
        Random draws behind the band p10 to p90, which is that of the draws whose calls fit; without
        it there is no band.

    Returns
    -------
    pandas.DataFrame
        Index option, cheapest first, every Range at its middle. Columns: per_request [USD of one
        attempt], attempts [count], accepted, escalated, wrong [share of requests], usd_attempts,
        usd_people, usd_wrong [USD a request], per_accepted [USD], with `draws` also p10 and p90 of
        it, and why_not.

    Raises
    ------
    ValueError
        When an argument is outside its range, or the workload brings no requests.

    Examples
    --------
    Two dollars eighty an attempt at 68 % accepted:

    >>> from costmodel.choices.servings.baselines import Staff
    >>> from costmodel.choices.options import Option
    >>> from costmodel.choices.workload import Workload
    >>> people = Option(Staff(minutes_per_request=6, usd_per_hour=28, accepted=0.68))
    >>> round(
    ...     float(
    ...         per_outcome(people, Workload(1_000, input_tokens=1), months=1).per_accepted.item()
    ...     ),
    ...     2,
    ... )
    4.13
    """
    whole_number("retries", retries, 0, RETRIES_MAX)
    require("detected", detected, 0, 1)
    require("usd_per_escalation", usd_per_escalation)
    if usd_per_wrong is not None:
        require("usd_per_wrong", usd_per_wrong)
    handling = _Handling(retries, detected, usd_per_escalation, usd_per_wrong, person_solves)
    rows: dict[str, dict[str, Any]] = {}
    for label, option in study.options.items():
        things = (option, study.work, study.terms, handling)
        try:
            row = _outcome(*middle(things))
            row["why_not"] = "" if "accepted" in row else UNKNOWN
            if draws:
                spread = _outcome(*sample(things, draws, study.seed)).get("per_accepted", np.nan)
                row["p10"], row["p90"] = quantiles(np.ravel(spread), [10, 90])
        except Infeasible as reason:
            row = {"why_not": str(reason)}
        rows[label] = row
    band = ["p10", "p90"] if draws else []
    columns = [*OUTCOME, "per_accepted", *band, "why_not"]
    table = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("option")
    return table.astype(dict.fromkeys(columns[:-1], float)).sort_values(
        "per_accepted", kind="stable"
    )


OUTCOME = """
    per_request attempts accepted escalated wrong usd_attempts usd_people usd_wrong
""".split()


def _outcome(option: Any, work: Any, terms: Any, handling: _Handling) -> dict[str, Any]:
    """The columns of `per_outcome` for one option without Ranges; of unknown quality, only what a
    request costs.
    """
    calendar, bill = Calendar(work, terms), evaluate(option, work, terms)
    once = per_request(bill, calendar)
    if bill.accepted is None:
        return {"per_request": once}
    sent, solved, escalated, wrong = resolve(bill.accepted, handling.retries, handling.detected)
    with_retries = pin(work, "Workload.requests_per_month", work.requests_per_month * sent)
    wrong_usd = work.usd_per_failure if handling.usd_per_wrong is None else handling.usd_per_wrong
    parts = (
        per_request(evaluate(option, with_retries, terms), calendar) * sent,
        escalated * handling.usd_per_escalation,
        wrong * wrong_usd,
    )
    row = dict(zip(OUTCOME, (once, sent, solved, escalated, wrong, *parts), strict=True))
    resolved = np.asarray(solved + escalated * handling.person_solves)
    with np.errstate(divide="ignore", invalid="ignore"):  # nothing is ever resolved
        return row | {"per_accepted": per_resolved(sum(parts), resolved)}


@analysis
def equal_quality(study: Study, quality: Number, usd_per_case: Number) -> pd.DataFrame:
    """Compare options at the same quality: people do what an option lacks, at a price for each
    case.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    quality : float or Range
        The share of accepted answers that all are brought to [share, 0 to 1].
    usd_per_case : float or Range
        What people cost for one case [USD, 0 or more].

    Returns
    -------
    pandas.DataFrame
        Index option, cheapest first, every Range at its middle. Columns: quality, by_people [share
        of requests], usd_to_pay, usd_for_people, usd [USD over the horizon, without the cost of
        wrong answers], why_not. An option that is better than asked gets no credit.

    Raises
    ------
    ValueError
        When an argument is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> options = {
    ...     "cheap": cm.Option(cm.finance.Seats(10, 40.0, accepted=0.6)),
    ...     "dear": cm.Option(cm.finance.Seats(10, 90.0, accepted=0.8)),
    ... }
    >>> table = cm.finance.equal_quality(
    ...     options, cm.Workload(1_000, input_tokens=1), quality=0.9, usd_per_case=4.0, months=12
    ... )
    >>> table[["quality", "by_people", "usd_to_pay", "usd_for_people"]].round(2)
            quality  by_people  usd_to_pay  usd_for_people
    option
    dear        0.8        0.1     10800.0          4800.0
    cheap       0.6        0.3      4800.0         14400.0
    """
    require("quality", quality, 0, 1)
    require("usd_per_case", usd_per_case)
    quality, usd_per_case = middle((quality, usd_per_case))
    known = at_middle(study)
    rows: dict[str, dict[str, Any]] = {
        label: {"why_not": str(reason)} for label, reason in known.why_not.items()
    }
    for label, bill in known.bills.items():
        has = float(share_accepted(bill, known.calendar))
        lacks = np.maximum(quality - has, 0.0)
        model = float(bill.to_pay(known.calendar))
        people = lacks * float(bill.requests * known.calendar.requests) * usd_per_case
        rows[label] = {
            "quality": has,
            "by_people": lacks,
            "usd_to_pay": model,
            "usd_for_people": people,
            "usd": model + people,
            "why_not": UNKNOWN if bill.accepted is None else "",
        }
    columns = ["quality", "by_people", "usd_to_pay", "usd_for_people", "usd", "why_not"]
    table = pd.DataFrame.from_dict(rows, "index", columns=columns)
    table = table.reindex(pd.Index(list(study.options), name="option"))
    return table.sort_values("usd", kind="stable")


# -- a seat ----------------------------------------------------------------------------------------


def _margin(usd: Any, price: Any) -> Any:
    """The share of the price of a seat that is left, below 0 a loss; NaN without a price."""
    price = np.asarray(price, float)
    return 1 - usd / np.where(price > 0, price, np.nan)


@analysis
def unit_economics(
    study: Study,
    users: Number,
    usd_per_seat_month: Number | None = None,
    requests_per_task: Number = 1.0,
    heavy: Number = 5.0,
) -> pd.DataFrame:
    """Say what a request, a task, a resolved task and a user cost, and what is left of the price of
    a seat.

    What follows use (serving, retrieval, monitoring, wrong answers) is `heavy` times as much for
    the heavy user; all else is shared by heads. `user_margins` draws the whole distribution of
    users instead.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    users : float or Range
        Active users [count, above 0].
    usd_per_seat_month : float or Range, optional
        Price of a seat [USD/month, 0 or more].
    requests_per_task : float or Range
        Requests of one task [count, above 0].
    heavy : float or Range
        How many times the mean the user at the 95th percentile asks [x, 0 or more].

    Returns
    -------
    pandas.DataFrame
        Columns: option; unit, which is "request", "task", "resolved task", "active user a month" or
        "P95 user a month"; usd [USD, wrong answers included]; price [USD/month]; margin = 1 - usd /
        price [share, below 0 a loss]. Every Range is at its middle; an option that cannot run has
        no rows.

    Raises
    ------
    ValueError
        When an argument is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.finance.Today(1_000.0, accepted=0.8))
    >>> work = cm.Workload(5_000, input_tokens=1, usd_per_failure=0)
    >>> table = cm.finance.unit_economics(option, work, users=100, usd_per_seat_month=25, months=12)
    >>> table[["unit", "usd", "margin"]].round(1)
                      unit   usd  margin
    0              request   0.2     NaN
    1                 task   0.2     NaN
    2        resolved task   0.3     NaN
    3  active user a month  10.2     0.6
    4     P95 user a month  50.9    -1.0
    """
    require("users", users, LEAST)
    require("requests_per_task", requests_per_task, LEAST)
    require("heavy", heavy)
    seat = np.nan
    if usd_per_seat_month is not None:
        require("usd_per_seat_month", usd_per_seat_month)
        seat = middle(usd_per_seat_month)
    users, requests_per_task, heavy = middle((users, requests_per_task, heavy))
    known = at_middle(study)
    rows = []
    for label, bill in known.bills.items():
        usd, seats = float(bill.total(known.calendar)), users * study.terms.months
        used = sum(float(bill.of_phase(phase).total(known.calendar)) for phase in FOLLOWS_USE)
        each = usd / float(bill.requests * known.calendar.requests)
        task, accepted = each * requests_per_task, share_accepted(bill, known.calendar)
        units = {
            "request": each,
            "task": task,
            "resolved task": per_resolved(task, float(accepted)) if accepted else np.inf,
            "active user a month": usd / seats,
            "P95 user a month": (usd - used + heavy * used) / seats,
        }
        for unit, cost in units.items():
            rows.append((label, unit, cost, seat if "user" in unit else np.nan))
    table = pd.DataFrame(rows, columns=["option", "unit", "usd", "price"])
    return table.assign(margin=_margin(table["usd"], table["price"]))


@public
def user_margins(
    usd_per_user: Number,
    usd_per_seat_month: Number,
    spread: Number,
    at: Sequence[float] = PERCENTILES,
) -> pd.DataFrame:
    """Say what users cost along their usage: the mean user may pay for itself, and the heavy one
    not.

    Usage is lognormal, see `tail`.

    Parameters
    ----------
    usd_per_user : float or Range
        Mean cost of a user [USD/month, 0 or more].
    usd_per_seat_month : float or Range
        Price of a seat [USD/month, at least 0.01].
    spread : float or Range
        Standard deviation of the logarithm of usage [0 or more].
    at : sequence of float
        Percentiles of users [share, above 0 and below 1].

    Returns
    -------
    pandas.DataFrame
        Columns: percentile [0 to 100], usd [USD/month], margin [share of the seat that is left,
        below 0 a loss]. Every Range is at its middle.

    Raises
    ------
    ValueError
        When an argument is outside its range.

    Examples
    --------
    >>> user_margins(8, 20, 1.0, at=(0.5, 0.95)).round(2).to_numpy().tolist()
    [[50.0, 4.85, 0.76], [95.0, 25.14, -0.26]]
    """
    require("usd_per_user", usd_per_user)
    require("spread", spread)
    require("usd_per_seat_month", usd_per_seat_month, low=LEAST_SEAT)
    shares = np.asarray(at, float)
    require("at", shares, LEAST_SHARE, 1 - LEAST_SHARE)
    usd_per_user, usd_per_seat_month, spread = middle((usd_per_user, usd_per_seat_month, spread))
    usd = tail(usd_per_user, spread, shares)
    margin = _margin(usd, usd_per_seat_month)
    return pd.DataFrame({"percentile": 100 * shares, "usd": usd, "margin": margin})
