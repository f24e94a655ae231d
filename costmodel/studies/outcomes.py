"""Per outcome: what an accepted answer costs with retries, people and wrong answers; equal quality; users, seats and margins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Mix, Option
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.checks import require
from costmodel.core.draws import middle
from costmodel.core.errors import Infeasible, check, whole
from costmodel.core.public import public
from costmodel.core.words import show
from costmodel.decisions.simulate import UNKNOWN
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, evaluate

RETRIES_MAX = 1_000
LEAST = 1e-9  # what divides something is above 0
USED = (
    "serving",
    "retrieval",
    "monitoring",
    "failures",
)  # phases that follow use; the others are shared by heads


@public
def resolve(accepted: Any, retries: Any = 0, detected: Any = 1.0) -> tuple[Any, Any, Any, Any]:
    """What becomes of a request: (attempts, accepted by the model, handed to a person, wrong and not noticed).

    Each attempt is accepted with the chance p; of those that fail a share d is noticed and tried again, up to `retries` times, then handed to a person:
    f = d (1 - p); attempts = (1 - f^(r+1)) / (1 - f); accepted = p x attempts; a person gets f^(r+1); the rest is wrong. Shares in 0..1, any shape.
    Not in it: attempts that fail together. The shares add up to 1.

    >>> [round(float(x), 4) for x in resolve(0.68)]
    [1.0, 0.68, 0.32, 0.0]
    >>> [round(float(x), 4) for x in resolve(0.5, retries=1, detected=0.8)]
    [1.4, 0.7, 0.16, 0.14]
    """
    again = detected * (1 - accepted)
    last = again ** (retries + 1)
    attempts = np.where(again < 1, (1 - last) / np.where(again < 1, 1 - again, 1.0), retries + 1.0)
    solved = accepted * attempts
    return attempts, solved, last, 1 - solved - last


@analysis
def per_outcome(
    study: Study,
    retries: int = 0,
    detected: float = 1.0,
    usd_per_escalation: float = 0.0,
    usd_per_wrong: float | None = None,
    person_solves: bool = False,
) -> pd.DataFrame:
    """What a resolved request costs: with retries, escalation to a person, and the cost of wrong answers that nobody noticed.

    Index option, cheapest first; columns: per_request (one attempt), attempts, accepted, escalated, wrong (shares of the requests), usd_attempts, usd_people, usd_wrong
    (per request), per_accepted (all three over the requests that the model resolves, or that are resolved at all with `person_solves`), why_not. `usd_per_wrong`: the
    workload's `usd_per_failure` by default. $2.80 an attempt at 68 % accepted is $4.12. All at the middle of every Range.
    """
    options, work, terms = study.options, study.work, study.terms
    whole("retries", retries, 0, RETRIES_MAX)
    mid_work, mid_terms = middle((work, terms))
    wrong_usd = mid_work.usd_per_failure if usd_per_wrong is None else usd_per_wrong
    for name, value in (
        ("detected", detected),
        ("usd_per_escalation", usd_per_escalation),
        ("usd_per_wrong", wrong_usd),
    ):
        require(name, value, 0, 1 if name == "detected" else np.inf)
    detected, usd_per_escalation, wrong_usd = middle((detected, usd_per_escalation, wrong_usd))
    columns = [
        "per_request",
        "attempts",
        "accepted",
        "escalated",
        "wrong",
        "usd_attempts",
        "usd_people",
        "usd_wrong",
        "per_accepted",
        "why_not",
    ]
    rows = {}
    for label, option in options.items():
        try:
            once, quality = _each(option, mid_work, mid_terms)
            if quality is None:
                rows[label] = [once, *[np.nan] * 8, UNKNOWN]
                continue
            attempts, solved, escalated, wrong = (
                float(x) for x in resolve(float(quality), retries, detected)
            )
            more, _ = _each(
                option,
                replace(mid_work, requests_per_month=mid_work.requests_per_month * attempts),
                mid_terms,
            )
        except Infeasible as reason:
            rows[label] = [*[np.nan] * 9, str(reason)]
            continue
        parts = (more * attempts, escalated * usd_per_escalation, wrong * wrong_usd)
        resolved = solved + (escalated if person_solves else 0.0)
        rows[label] = [
            once,
            attempts,
            solved,
            escalated,
            wrong,
            *parts,
            sum(parts) / resolved if resolved else np.inf,
            "",
        ]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    table.index.name = "option"
    return table.sort_values("per_accepted", kind="stable")


@analysis
def equal_quality(study: Study, quality: float, usd_per_case: float) -> pd.DataFrame:
    """Options at the same quality: what one lacks, people do, at a price for each case.

    Index option, cheapest first; columns: quality, by_people (share of the requests), usd_to_pay, usd_for_people, usd (over the horizon, the cost of wrong answers
    left out, since all are equal), why_not. A better option than asked gets no credit.
    """
    options, work, terms = study.options, study.work, study.terms
    require("quality", quality, 0, 1)
    require("usd_per_case", usd_per_case)
    quality, usd_per_case = middle((quality, usd_per_case))
    mid_work, mid_terms = middle((work, terms))
    requests = float(mid_work.requests_per_month * Calendar(mid_work, mid_terms).requests)
    rows = {}
    for label, option in options.items():
        try:
            each, known = _each(option, mid_work, mid_terms)
        except Infeasible as reason:
            rows[label] = [*[np.nan] * 5, str(reason)]
            continue
        lacks = np.nan if known is None else max(quality - float(known), 0.0)
        model, people = each * requests, lacks * requests * usd_per_case
        rows[label] = [
            np.nan if known is None else float(known),
            lacks,
            model,
            people,
            model + people,
            UNKNOWN if known is None else "",
        ]
    table = pd.DataFrame.from_dict(
        rows,
        orient="index",
        columns=["quality", "by_people", "usd_to_pay", "usd_for_people", "usd", "why_not"],
    )
    table.index.name = "option"
    return table.sort_values("usd", kind="stable")


@analysis
def unit_economics(
    study: Study,
    users: float,
    usd_per_seat_month: float | None = None,
    requests_per_task: float = 1.0,
    heavy: float = 5.0,
) -> pd.DataFrame:
    """What one request, task, resolved task, active user and heavy user cost, wrong answers included, and what is left of the price of a seat.

    Columns: option unit usd price margin; units "request", "task", "resolved task", "active user a month", "P95 user a month". The P95 user asks `heavy` times the mean:
    what follows use (serving, retrieval, monitoring, wrong answers) is `heavy` times as much for him, all else is shared by heads. margin = (price - usd) / price,
    negative where a user costs more than the seat. At the middle of every Range.
    """
    options, work, terms = study.options, study.work, study.terms
    seat = 0.0 if usd_per_seat_month is None else usd_per_seat_month
    for name, value, least in (
        ("users", users, LEAST),
        ("requests_per_task", requests_per_task, LEAST),
        ("heavy", heavy, 0.0),
        ("usd_per_seat_month", seat, 0.0),
    ):
        require(name, value, least)
    users, requests_per_task, heavy, seat = middle((users, requests_per_task, heavy, seat))
    mid_work, mid_terms = middle((work, terms))
    calendar = Calendar(mid_work, mid_terms)
    requests = float(mid_work.requests_per_month * calendar.requests)
    rows = []
    for label, option in options.items():
        try:
            bill = evaluate(middle(option), mid_work, mid_terms)
        except Infeasible:
            continue
        used = sum(float(bill.total(calendar, phase=phase)) for phase in USED)
        usd, seats = float(bill.total(calendar)), users * terms.months
        task = usd / requests * requests_per_task
        solved = (
            np.nan
            if bill.accepted is None
            else task / float(bill.accepted)
            if bill.accepted
            else np.inf
        )
        heads = (usd - used) / seats
        units = {
            "request": usd / requests,
            "task": task,
            "resolved task": solved,
            "active user a month": heads + used / seats,
            "P95 user a month": heads + heavy * used / seats,
        }
        for unit, cost in units.items():
            price = seat if usd_per_seat_month is not None and "user" in unit else np.nan
            rows.append((label, unit, cost, price, (price - cost) / price if price else np.nan))
    return pd.DataFrame(rows, columns=["option", "unit", "usd", "price", "margin"])


def _each(option: Option | Mix, work: Workload, terms: Terms) -> tuple[float, Any]:
    """(USD of one request over the horizon without wrong answers, share accepted), at the middle; fixed costs are spread."""
    bill: Bill = evaluate(middle(option), work, terms)
    calendar = Calendar(work, terms)
    requests = float(work.requests_per_month * calendar.requests)
    check(requests > 0, f"the workload brings {show(requests)} requests in {terms.months} months")
    return float(bill.total(calendar) - bill.failures(calendar)) / requests, bill.accepted
