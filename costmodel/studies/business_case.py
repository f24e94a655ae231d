"""The business case: what an option saves against a baseline, as finance counts it. No advice.

Months 1..H are paid at their end and discounted by (1 + r)^(-m/12). What the baseline would have
cost is the benefit, once the option is built. Amounts are expected values over the draws.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from costmodel.choices.mixes import Mix
from costmodel.choices.options import Option
from costmodel.choices.purchases import Line
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.core import (
    MONTHS_PER_YEAR,
    Doubt,
    Number,
    Range,
    check,
    frozen,
    held_at,
    leaves,
    of_kind,
    one_number,
    percent,
    require,
    unit_of,
    validate,
)
from costmodel.decisions.breakeven import stays_ahead
from costmodel.decisions.simulate import FEW, quality_unknown
from costmodel.facts.catalog import practice
from costmodel.laws.money import irr
from costmodel.ledgers.cash import FLOWS, Cash, cash_of_draws
from costmodel.ledgers.engine import at_middle

BUILD = ("data", "build", "experiments", "training")
CAPITALISED: dict[str, Callable[[Line], bool]] = {
    "tagged": lambda line: line.treatment == "capex",
    "nothing": lambda line: False,
    "build": lambda line: line.treatment == "capex" or line.phase in BUILD,
}
BASELINE = "the baseline, under a label of its own"
HUGE_IRR = 10.0  # beyond 1,000 % a year the figure says nothing more
NOTHING = 1e-6  # USD: a present value this far below 0 is rounding
ALL_REALISED = Range(
    0.5,
    0.95,
    name="Policy.realised",
    why="assumption: time saved counts only as far as it is removed or redeployed",
)


@frozen
class Policy:
    """How finance counts.

    Assets are written off evenly. What belongs to a model ends with it, at the first forced move to
    another one; a server has its own life, and its sale is taxed on what it brings beyond its book
    value; the baseline keeps books too. A loss is taken to save tax elsewhere.

    Parameters
    ----------
    capitalise : {"tagged", "nothing", "build"}
        What becomes an asset: the ledger's capex lines, nothing, or with those everything of data,
        build, experiments and training.
    life_months : float or Range
        Over how long assets are written off that have no life of their own [month, at least 1].
    tax_rate : float or Range
        Tax on the gain [share]; 0 leaves tax out.
    contingency_percentile : float
        The percentile of the cost that the budget covers [0.1 to 99.9].
    realised : float or Range
        Share of the people's time saved that counts [share]. Bills that are no longer paid count in
        full.
    builders : float or Range
        People who build at once: the build takes their hours over so many of them [count].
    build_months : float or Range, optional
        Months until the benefit starts; None is what the hours of the build come to.

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> careful = cm.finance.Policy(capitalise="nothing", tax_rate=0.3, realised=0.5)
    >>> people = cm.Option(cm.finance.Staff(9, usd_per_hour=32))
    >>> bought = cm.Option(cm.finance.Seats(10, 40.0))
    >>> still = cm.Terms(months=12, trends=cm.choices.Trends(api=0, gpu=0, labour=0, service=0))
    >>> work = cm.Workload(500, input_tokens=1)
    >>> case = cm.finance.business_case(bought, work, still, baseline=people, policy=careful)
    >>> case[["tco", "benefit", "tax"]].round().iloc[0].to_list()
    [4800.0, 14400.0, 2880.0]
    """

    capitalise: str = "tagged"
    life_months: Number = 36
    tax_rate: Number = 0.0
    contingency_percentile: float = 80
    realised: Number = ALL_REALISED
    builders: Number = practice("Policy.builders")
    build_months: Number | None = None

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
    study: Study, baseline: Option | Mix, policy: Policy | None = None
) -> pd.DataFrame:
    """Say what each option is worth against the baseline.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    baseline : Option or Mix
        What would be paid otherwise, such as `Option(Staff(9, role="support_agent"))`.
    policy : Policy, optional
        How finance counts.

    Returns
    -------
    pandas.DataFrame
        Index option, best first; an option that cannot run is left out. Amounts are expected values
        over the draws in which both run, in the currency of the terms. Columns:

        - investment: paid up front; tco, tco_p10, tco_p90: all that is to pay, running costs from
          month 1 on, as `to_pay` of `compare`; contingency: up to the chosen percentile;
          budget: tco and contingency; opex: tco without capex
        - benefit: what is to pay for the baseline, from the end of the build on; of people's time
          saved, what is realised
        - wrong_answers: what they cost more than the baseline's, for which nobody sends an invoice;
          NaN and out of the case where the quality of either is not known
        - npv, its percentiles npv_p10, npv_p50 and npv_p90, and npv_base, with every input at its
          middle: the present value; p_loss [share of draws below 0]
        - irr [share/year] of the expected cash, NaN where it says nothing; irr_says: in words
        - payback_month: of the expected undiscounted cash, NaN where it is not within the horizon
        - capex, depreciation, tax; written_off_months, NaN where nothing is
        - build_months: until the benefit starts; people_freed: full-time people, below 0 where more
          are needed; currency

    Raises
    ------
    ValueError
        When the baseline or no option can run, or an argument is of another kind.

    Examples
    --------
    >>> import costmodel as cm
    >>> people = cm.Option(cm.finance.Staff(9, usd_per_hour=32))
    >>> bought = cm.Option(cm.finance.Seats(20, 30.0))
    >>> work = cm.Workload(3_000, input_tokens=1)
    >>> table = business_case(bought, work, baseline=people, draws=50)
    >>> bool(table.npv.item() > 0), table.payback_month.item(), round(table.people_freed.item(), 1)
    (True, 0.0, 2.6)
    """
    policy, rows = policy or Policy(), {}
    cases, base = (_cases(study, baseline, policy, n) for n in (study.draws, None))
    for label, case in cases.items():
        flows = case.flows
        total = {name: flow.sum() for name, flow in flows.items()}
        worth = case.npv[~np.isnan(case.npv)]
        p10, p50, p90 = np.percentile(worth, [10, 50, 90])
        low, high, covered = np.nanpercentile(case.cost, [10, 90, policy.contingency_percentile])
        budget = max(covered, total["cost"])
        yearly = (1 + irr(flows["net"])) ** MONTHS_PER_YEAR - 1
        rows[label] = {
            "investment": flows["cost"][0],
            "tco": total["cost"],
            "tco_p10": low,
            "tco_p90": high,
            "contingency": budget - total["cost"],
            "budget": budget,
            "benefit": total["benefit"],
            "wrong_answers": total["wrong_answers"] if case.judged else np.nan,
            "npv": worth.mean(),
            "npv_p10": p10,
            "npv_p50": p50,
            "npv_p90": p90,
            "npv_base": base[label].npv.item(),
            "p_loss": float(np.mean(worth < -NOTHING)),
            "irr": yearly if yearly <= HUGE_IRR else np.nan,
            "irr_says": _irr_says(flows["net"], yearly),
            "payback_month": stays_ahead(flows["net"].cumsum()[None])[0],
            "capex": total["capex"],
            "depreciation": total["depreciation"],
            "written_off_months": case.life if total["depreciation"] else np.nan,
            "opex": total["cost"] - total["capex"],
            "tax": total["tax"],
            "build_months": case.build,
            "people_freed": case.freed,
            "currency": _currency(study.terms),
        }
    table = pd.DataFrame.from_dict(rows, "index").rename_axis("option")
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
        cumulative, discounted [the currency of the terms], expected values; currency.

    Raises
    ------
    ValueError
        When the baseline or no option can run, or an argument is of another kind.

    Examples
    --------
    >>> import costmodel as cm
    >>> today, bought = cm.Option(cm.finance.Today(1_000.0)), cm.Option(cm.finance.Seats(10, 40.0))
    >>> still = cm.Terms(months=2, trends=cm.choices.Trends(api=0, gpu=0, labour=0, service=0))
    >>> work = cm.Workload(500, input_tokens=1)
    >>> flow = cm.finance.case_flow(bought, work, still, baseline=today)
    >>> flow[["month", "benefit", "cost", "net", "cumulative"]].round()
       month  benefit   cost    net  cumulative
    0      0      0.0    0.0    0.0         0.0
    1      1   1000.0  400.0  600.0       600.0
    2      2   1000.0  400.0  600.0      1200.0
    """
    terms, months, frames = study.terms, range(study.terms.months + 1), []
    for label, case in _cases(study, baseline, policy or Policy(), study.draws).items():
        flows = {name: case.flows[name] for name in FLOWS}
        when = {"option": label, "month": months, "date": [terms.date_of(m) for m in months]}
        frames.append(
            pd.DataFrame(when | flows).assign(
                cumulative=flows["net"].cumsum(),
                discounted=case.flows["discounted"],
                currency=_currency(terms),
            )
        )
    return pd.concat(frames, ignore_index=True)


@analysis
def npv_tornado(
    study: Study, label: str, baseline: Option | Mix, policy: Policy | None = None
) -> pd.DataFrame:
    """Expected net present value of the case with each doubt at either end, the others drawn.

    Parameters
    ----------
    study : Study, or options with a workload
        Where the option stands.
    label : str
        The option.
    baseline : Option or Mix
        What would be paid otherwise.
    policy : Policy, optional
        How finance counts; its Ranges are inputs too.

    Returns
    -------
    DataFrame
        The columns of `cm.uncertainty.tornado`, widest first.

    Raises
    ------
    ValueError
        When the baseline or the option cannot run.

    Examples
    --------
    >>> import costmodel as cm
    >>> people, bought = cm.Option(cm.finance.Staff(9)), cm.Option(cm.finance.Seats(20, 30.0))
    >>> study = cm.Study({"seats": bought}, cm.Workload(3_000, input_tokens=1), draws=200)
    >>> cm.finance.npv_tornado(study, "seats", people)["input"].head(2).to_list()
    ['employee.usd_per_hour', 'Policy.realised']
    """
    policy, study = policy or Policy(), study.only(study.label(label))
    of_kind("baseline", baseline, Option, Mix)
    every = study.beside(BASELINE, baseline)
    things = (every.options, every.work, every.terms, policy)

    def worth(pinned: Any, n: int) -> float:
        found = _cases(study, baseline, policy, n, pinned)[label].npv
        return float(np.nanmean(found)) / study.terms.money.per_usd

    now = worth(things, study.draws)
    level = now - worth(things, FEW)
    rows = []
    for key, value in leaves(things).items():
        if isinstance(value, Doubt) and value.low < value.high:
            ends = value.low, value.high
            low, high = (worth(held_at(things, key, end), FEW) + level for end in ends)
            rows.append((key, *ends, unit_of(key) or "share", low, high, abs(high - low)))
    columns = ["input", "low", "high", "unit", "usd_low", "usd_high", "spread"]
    table = pd.DataFrame(rows, columns=columns).assign(currency="USD")
    table = table.sort_values("spread", ascending=False, ignore_index=True)
    # for the figure
    table.attrs = {"option": label, "against": None, "usd": now, "what": "net present value"}
    return table


def _irr_says(net: np.ndarray, yearly: float) -> str:
    if np.isnan(yearly):
        never = "never negative" if (net >= 0).all() else "never positive"
        return f"undefined: the cash flow never changes sign, it is {never}"
    words = f"{percent(yearly)} a year"
    if yearly > HUGE_IRR:
        words = f"above {100 * HUGE_IRR:,.0f} % a year: it comes back almost at once"
    changes = np.count_nonzero(np.diff(np.sign(net[net != 0])))
    often = f"; the cash flow changes sign {changes} times, trust the NPV"
    return words if changes == 1 else words + often


def _currency(terms: Terms) -> str:
    money = terms.money
    rate = f" at {money.per_usd:g} per USD of {money.rate_date}"
    return money.code if money.per_usd == 1 else money.code + rate


# -- the cash ------------------------------------------------------------------------------------


class _Case(NamedTuple):
    """The case of one option: mean flows, and the present value and cost of each draw."""

    flows: dict[str, np.ndarray]
    npv: np.ndarray
    cost: np.ndarray
    life: float
    build: float
    freed: float
    judged: bool


def _cases(
    study: Study, baseline: Any, policy: Policy, draws: int | None, things: Any = None
) -> dict[str, _Case]:
    """The cases of all options that can run, on draws or, with None, at the middle.

    `things` are the options, the workload, the terms and the policy with some inputs pinned.
    """
    of_kind("baseline", baseline, Option, Mix)
    every = study.beside(BASELINE, baseline)
    known = at_middle(every)
    check(BASELINE in known.bills, "the baseline cannot run; `compare` says why")
    unknown = {*quality_unknown(every, known)}
    things = things or (every.options, every.work, every.terms, policy)
    found: dict[str, list[Cash]] = {label: [] for label in known.bills if label != BASELINE}
    check(found, "no option can run; `compare` says why")
    asset = CAPITALISED[policy.capitalise]
    points = every.points_of(draws) if draws else None
    for cases in cash_of_draws(things, draws, every.seed, BASELINE, asset, BUILD, unknown, points):
        for label, one in cases.items():
            found[label].append(one)
    rate = study.terms.money.per_usd
    return {
        label: _mean_case(some, rate, not {label, BASELINE} & unknown)
        for label, some in found.items()
        if some and not all(np.isnan(one.flows["net"]).all() for one in some)
    }


def _mean_case(batches: list[Cash], rate: float, judged: bool) -> _Case:
    """The means over the draws in which an option and the baseline run."""

    def every(name: str) -> np.ndarray:
        return np.concatenate([one.flows[name] for one in batches]) * rate

    def mean(name: str) -> float:
        return float(np.concatenate([getattr(one, name) for one in batches]).mean())

    flows = {name: np.nanmean(every(name), axis=0) for name in (*FLOWS, "discounted")}
    npv, cost = (every(name).sum(axis=1) for name in ("discounted", "cost"))
    return _Case(flows, npv, cost, mean("life"), mean("build"), mean("freed"), judged)
