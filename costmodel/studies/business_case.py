"""The business case: what an option saves against a baseline, as finance counts it. No advice.

Month 0 is today, months 1..H are paid at their end; a yearly rate r discounts month m by
(1 + r)^(-m/12). What the baseline would have cost is the benefit, as far as it is realised. Amounts
are positive when they come in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from costmodel.choices.options import Mix, Option
from costmodel.choices.purchases import Line
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.core import (
    MONTHS_PER_YEAR,
    Number,
    Range,
    check,
    frozen,
    middle,
    of_kind,
    one_number,
    require,
    sample,
    validate,
)
from costmodel.decisions.breakeven import stays_ahead
from costmodel.decisions.compare import compare
from costmodel.decisions.simulate import batches, quality_unknown
from costmodel.laws.money import irr, written_off
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, at_middle

BUILD = ("data", "build", "experiments", "training")
CAPITALISED: dict[str, Callable[[Line], bool]] = {
    "tagged": lambda line: line.treatment == "capex",
    "nothing": lambda line: False,
    "build": lambda line: line.phase in BUILD,
}
BASELINE = "the baseline, under a label of its own"
DRAWS, HORIZONS = 4_000, (12, 24, 36, 48, 60)
HUGE_IRR = 10.0  # beyond 1,000 % a year the figure says nothing more
ALL_REALISED = Range(
    0.5,
    0.95,
    name="Policy.realised",
    why="assumption: time saved counts only as far as it is removed or redeployed",
)


@frozen
class Policy:
    """How finance counts.

    Assets are written off evenly, but never beyond the first forced move to another model. A loss
    is taken to save tax elsewhere.

    Parameters
    ----------
    capitalise : {"tagged", "nothing", "build"}
        What becomes an asset: the ledger's capex lines, nothing, or everything of data, build,
        experiments and training.
    life_months : float or Range
        Over how long assets are written off [month, at least 1].
    tax_rate : float or Range
        Tax on the gain [share]; 0 leaves tax out.
    contingency_percentile : float
        The percentile of the cost that the budget covers [0.1 to 99.9].
    realised : float or Range
        Share of a saving that counts [share].

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> careful = cm.finance.Policy(capitalise="nothing", tax_rate=0.3, realised=0.5)
    >>> people, bought = cm.Option(cm.finance.Today(1_000.0)), cm.Option(cm.finance.Seats(10, 40.0))
    >>> work = cm.Workload(500, input_tokens=1)
    >>> case = cm.finance.business_case(bought, work, people, policy=careful, months=12, draws=2)
    >>> case[["tco", "benefit", "tax"]].round().iloc[0].to_list()
    [4800.0, 6113.0, 394.0]
    """

    capitalise: str = "tagged"
    life_months: Number = 36
    tax_rate: Number = 0.0
    contingency_percentile: float = 80
    realised: Number = ALL_REALISED

    def __post_init__(self) -> None:
        check(
            self.capitalise in CAPITALISED,
            f"Policy.capitalise is {self.capitalise!r}, allowed are {', '.join(CAPITALISED)}",
        )
        validate(self)
        one_number("Policy.contingency_percentile", self.contingency_percentile, 0.1, 99.9)
        require("Policy.life_months", self.life_months, 1)


@analysis
def business_case(
    study: Study, baseline: Option | Mix, policy: Policy | None = None, draws: int = DRAWS
) -> pd.DataFrame:
    """Say what each option is worth against the baseline.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    baseline : Option or Mix
        What would be paid otherwise, such as `Option(Staff(minutes_per_request=9))`.
    policy : Policy, optional
        How finance counts.
    draws : int
        Random draws behind the bands.

    Returns
    -------
    pandas.DataFrame
        Index option, best first; an option that cannot run is left out. Every Range is at its
        middle, but for the bands. Amounts are in the currency of the terms. Columns:

        - investment: paid up front; tco: all that is to pay over the horizon; contingency: up to
          the chosen percentile; budget: tco and contingency; opex: tco without capex
        - benefit: what is to pay for the baseline, as far as realised
        - wrong_answers: what they cost more than the baseline's, for which nobody sends an invoice;
          NaN and out of the case where the quality of either is not known
        - npv, npv_p10, npv_p50, npv_p90: the present value; p_loss [share of draws below 0]
        - irr [share/year]; irr_says: in words
        - payback_month: of the undiscounted cash, NaN where it is not within the horizon
        - capex, depreciation, tax; written_off_months, NaN where nothing is; currency

    Raises
    ------
    ValueError
        When the baseline or no option can run, or an argument is of another kind.

    Examples
    --------
    >>> import costmodel as cm
    >>> people = cm.Option(cm.finance.Staff(9, usd_per_hour=32))
    >>> bought = cm.Option(cm.finance.Seats(20, 30.0))
    >>> table = business_case(bought, cm.Workload(3_000, input_tokens=1), baseline=people, draws=50)
    >>> bool(table.npv.item() > 0), table.payback_month.item()
    (True, 0.0)
    """
    policy = policy or Policy()
    mid, drawn = _cases(study, baseline, policy, None, draws)
    rows = {}
    for label, case in mid.items():
        flows, spread = case.flows, drawn[label].flows
        total = {name: flow[0].sum() for name, flow in flows.items()}
        worth, cost = spread["discounted"].sum(axis=1), spread["cost"].sum(axis=1)
        budget = max(np.nanpercentile(cost, policy.contingency_percentile), total["cost"])
        p10, p50, p90 = np.nanpercentile(worth, [10, 50, 90])
        yearly = (1 + irr(flows["net"][0])) ** MONTHS_PER_YEAR - 1
        rows[label] = {
            "investment": flows["cost"][0, 0],
            "tco": total["cost"],
            "contingency": budget - total["cost"],
            "budget": budget,
            "benefit": total["benefit"],
            "wrong_answers": total["wrong_answers"] if case.judged else np.nan,
            "npv": total["discounted"],
            "npv_p10": p10,
            "npv_p50": p50,
            "npv_p90": p90,
            "p_loss": float(np.mean(worth[~np.isnan(worth)] < 0)),
            "irr": yearly,
            "irr_says": _irr_says(flows["net"][0], yearly),
            "payback_month": stays_ahead(flows["net"].cumsum(axis=1))[0],
            "capex": total["capex"],
            "depreciation": total["depreciation"],
            "written_off_months": case.life[0] if total["capex"] else np.nan,
            "opex": total["cost"] - total["capex"],
            "tax": total["tax"],
            "currency": _currency(study.terms),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("option")
    return table.sort_values("npv", ascending=False, kind="stable")


@analysis
def case_flow(study: Study, baseline: Option | Mix, policy: Policy | None = None) -> pd.DataFrame:
    """Show the case month by month: what comes in and goes out.

    net = benefit - cost - wrong_answers - tax; capex is part of the cost, and depreciation only
    lowers the tax: it moves no cash.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    baseline : Option or Mix
        What would be paid otherwise.
    policy : Policy, optional
        How finance counts.

    Returns
    -------
    pandas.DataFrame
        Columns: option, month, date; benefit, cost, wrong_answers, capex, depreciation, tax, net,
        cumulative, discounted [the currency of the terms]; currency. Every Range is at its middle.

    Raises
    ------
    ValueError
        When the baseline or no option can run, or an argument is of another kind.

    Examples
    --------
    >>> import costmodel as cm
    >>> people, bought = cm.Option(cm.finance.Today(1_000.0)), cm.Option(cm.finance.Seats(10, 40.0))
    >>> work, half = cm.Workload(500, input_tokens=1), cm.finance.Policy(realised=0.5)
    >>> flow = cm.finance.case_flow(bought, work, baseline=people, policy=half, months=2)
    >>> flow[["month", "benefit", "cost", "net", "cumulative"]].round()
       month  benefit   cost    net  cumulative
    0      0      0.0    0.0    0.0         0.0
    1      1    501.0  400.0  101.0       101.0
    2      2    503.0  400.0  103.0       204.0
    """
    terms, (cases,) = study.terms, _cases(study, baseline, policy or Policy(), None)
    months = range(terms.months + 1)
    frames = []
    for label, case in cases.items():
        flows = {name: case.flows[name][0] for name in FLOWS}
        when = {"option": label, "month": months, "date": [terms.date_of(m) for m in months]}
        frames.append(
            pd.DataFrame(when | flows).assign(
                cumulative=flows["net"].cumsum(),
                discounted=case.flows["discounted"][0],
                currency=_currency(terms),
            )
        )
    return pd.concat(frames, ignore_index=True)


FLOWS = ("benefit", "cost", "wrong_answers", "capex", "depreciation", "tax", "net")


@analysis
def tco(study: Study, horizons: tuple[int, ...] = HORIZONS, draws: int = DRAWS) -> pd.DataFrame:
    """Compare the total cost of ownership over several horizons.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    horizons : int or tuple of int
        The horizons [month].
    draws : int
        Random draws behind the bands.

    Returns
    -------
    pandas.DataFrame
        Columns: option, months, mid, p10, p90 [USD]; each row is `compare` at that horizon.

    Raises
    ------
    ValueError
        When there is no horizon.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.finance.Seats(10, 40.0))
    >>> table = cm.finance.tco(
    ...     option, cm.Workload(500, input_tokens=1), horizons=(12, 24), draws=50
    ... )
    >>> table.round()
       option  months     mid     p10      p90
    0  option      12  4800.0  4701.0   4954.0
    1  option      24  9600.0  9224.0  10203.0
    """
    horizons = tuple(np.atleast_1d(horizons).tolist())
    check(horizons, "tco: horizons is empty, it must be one or more numbers of months")
    frames = {m: compare(study, months=m, draws=draws)[["mid", "p10", "p90"]] for m in horizons}
    table = pd.concat(frames, names=["months"]).reset_index()
    columns = ["option", "months", "mid", "p10", "p90"]
    return table[columns].sort_values(["option", "months"], ignore_index=True)


def _irr_says(net: np.ndarray, yearly: float) -> str:
    if np.isnan(yearly):
        never = "never negative" if (net >= 0).all() else "never positive"
        return f"undefined: the cash flow never changes sign, it is {never}"
    words = f"{yearly:.0%} a year"
    if yearly > HUGE_IRR:
        words = f"above {HUGE_IRR:,.0%} a year: hardly anything is paid before it comes back"
    changes = np.count_nonzero(np.diff(np.sign(net[net != 0])))
    often = f"; the cash flow changes sign {changes} times, trust the NPV"
    return words if changes == 1 else words + often


def _currency(terms: Terms) -> str:
    money = terms.money
    rate = f" at {money.per_usd:g} per USD of {money.rate_date}"
    return money.code if money.per_usd == 1 else money.code + rate


# -- the cash ------------------------------------------------------------------------------------


class _Case(NamedTuple):
    """The cash of one option against the baseline.

    `flows` are FLOWS and the discounted net of months 0..H in the currency of the terms, each of
    the shape (draws, H + 1); `life` is over how many months assets are written off in each draw;
    `judged` says whether wrong answers are in it.
    """

    flows: dict[str, np.ndarray]
    life: np.ndarray
    judged: bool


def _cases(
    study: Study, baseline: Any, policy: Policy, *sizes: int | None
) -> list[dict[str, _Case]]:
    """The cases of all options that can run, for each number of draws; None is the middle."""
    of_kind("policy", policy, Policy)
    of_kind("baseline", baseline, Option, Mix)
    every = study.beside(BASELINE, baseline)
    known = at_middle(every)
    unknown = quality_unknown(every, known)
    found = []
    for draws in sizes:
        rules = middle(policy) if draws is None else sample(policy, draws, study.seed)
        paid = _paid(every, policy, draws)
        base = paid.pop(BASELINE)
        check(not np.isnan(base["cost"]).all(), "the baseline cannot run; `compare` says why")
        cases = {}
        for label, own in paid.items():
            if label in known.bills and not np.isnan(own["cost"]).all():
                move = _first_move(known.bills[label], known.calendar)
                judged = not {label, BASELINE} & set(unknown)
                cases[label] = _case(own, base, rules, move, judged, known.calendar.discount)
        check(cases, "no option can run; `compare` says why")
        found.append(cases)
    return found


def _paid(study: Study, policy: Policy, draws: int | None) -> dict[str, dict[str, np.ndarray]]:
    """What each option pays: all but wrong answers, wrong answers, and the assets among it."""
    parts: dict[str, Callable[[Line], bool]] = {
        "cost": lambda line: line.phase != "failures",
        "wrong_answers": lambda line: line.phase == "failures",
        "capex": CAPITALISED[policy.capitalise],
    }
    shape = (draws or 1, study.terms.months + 1)
    found = {label: {name: np.full(shape, np.nan) for name in parts} for label in study.options}
    for rows, calendar, bills in batches(study, draws):
        for label, bill in bills.items():
            for name, kept in parts.items():
                usd = np.where(bill.fits, _usd(bill, calendar, kept), np.nan)
                found[label][name][rows] = usd * study.terms.money.per_usd
    return found


def _case(
    own: dict[str, np.ndarray],
    base: dict[str, np.ndarray],
    rules: Any,
    move: float,
    judged: bool,
    discount: np.ndarray,
) -> _Case:
    """The case of an option, from what it and the baseline pay and the month of its first move."""
    cost, capex = own["cost"], own["capex"]
    life = np.broadcast_to(np.minimum(np.ravel(rules.life_months), move), len(cost))
    benefit, depreciation = rules.realised * base["cost"], written_off(capex, life)
    wrong = own["wrong_answers"] - base["wrong_answers"] if judged else np.zeros_like(cost)
    tax = rules.tax_rate * (benefit - wrong - (cost - capex) - depreciation)
    net = benefit - cost - wrong - tax
    flows = (benefit, cost, wrong, capex, depreciation, tax, net)
    found = dict(zip(FLOWS, flows, strict=True), discounted=net * discount)
    return _Case(found, life, judged)


def _usd(bill: Bill, calendar: Calendar, kept: Callable[[Line], bool]) -> Any:
    """USD of months 0..H of some lines of a bill."""
    return replace(bill, lines=[line for line in bill.lines if kept(line)]).paid(calendar)


def _first_move(bill: Bill, calendar: Calendar) -> float:
    """The first month in which an option must move to another model; no asset lives longer."""
    due = np.flatnonzero(_usd(bill, calendar, lambda line: line.phase == "migration") > 0)
    return float(due[0]) if due.size else np.inf
