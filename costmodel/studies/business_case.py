"""The business case: what an option saves against a baseline, as finance counts it. Tags and switches, no advice.

Month 0 is today, months 1..H are paid at their end; a yearly rate r discounts month m by (1 + r)^(-m/12). What the baseline would have cost is the
benefit, as far as it is realised. Amounts are positive when they come in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Mix, Option
from costmodel.choices.purchases import Line
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.core.checks import require, validate
from costmodel.core.draws import check_draws, middle, sample
from costmodel.core.errors import check
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import MONTHS_PER_YEAR
from costmodel.decisions.breakeven import stays_ahead
from costmodel.decisions.compare import compare
from costmodel.decisions.simulate import batches, quality_unknown
from costmodel.laws.money import irr
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill

CAPITALISE = ("tagged", "nothing", "build")
BUILD = ("data", "build", "experiments", "training")
DRAWS = 4_000
HORIZONS = (12, 24, 36, 48, 60)
HUGE_IRR = 10.0  # beyond 1,000 % a year the figure says nothing more
ALL_REALISED = Range(
    0.5,
    0.95,
    name="Policy.realised",
    why="assumption: time saved counts only as far as it is removed or redeployed",
)


@public
@dataclass(frozen=True)
class Policy:
    """How finance counts: what is capitalised and over which life, tax, contingency, and which share of a saving is realised.

    `capitalise`: "tagged" takes the ledger's capex lines, "build" everything of data, build, experiments and training, "nothing" expenses all.
    Assets are written off evenly over `life_months`, but never beyond the first forced move to another model. `tax_rate` 0 leaves tax out; a loss
    is taken to save tax elsewhere. `contingency_percentile` sets the budget beside the middle.
    """

    capitalise: str = "tagged"
    life_months: Number = 36
    tax_rate: Number = 0.0
    contingency_percentile: float = 80
    realised: Number = ALL_REALISED

    def __post_init__(self) -> None:
        check(
            self.capitalise in CAPITALISE,
            f"Policy.capitalise is {self.capitalise!r}, allowed are {', '.join(CAPITALISE)}",
        )
        validate(self)
        sure = (
            isinstance(self.contingency_percentile, (int, float))
            and 0 < self.contingency_percentile < 100
        )
        check(
            sure,
            f"Policy.contingency_percentile is {self.contingency_percentile!r}, it must be one number, allowed is between 0 and 100",
        )
        require("Policy.life_months", self.life_months, 1)


def _policy(given: Policy | None) -> Policy:
    check(
        given is None or isinstance(given, Policy),
        f"policy is {given!r}, it must be a Policy, such as Policy(tax_rate=0.25)",
    )
    return given or Policy()


@analysis
def business_case(
    study: Study, baseline: Option | Mix, policy: Policy | None = None, draws: int = DRAWS
) -> pd.DataFrame:
    """What each option is worth against the baseline: NPV with its band, IRR, payback, investment, budget with contingency.

    Index option; columns: investment (paid up front), tco (all that is to pay over the horizon), contingency (to the chosen percentile), budget (tco + contingency), benefit
    (what is to pay for the baseline, as far as realised), wrong_answers (what they cost more than the baseline's; nobody sends an invoice for it; NaN, and out of the
    case, where the quality of the option or of the baseline is not known), npv npv_p10 npv_p50 npv_p90 p_loss, irr (a year), irr_says (in words; "undefined: ..." where the signs do not
    change), payback_month (of the undiscounted cash, NaN: not within the horizon), capex, depreciation, written_off_months (NaN where nothing is), opex, tax, currency. All at the middle of
    every Range but the bands. An option that cannot run is left out.
    """
    check_draws(draws, study.seed)
    policy, terms = _policy(policy), study.terms
    mid, drawn = (_cases(study, baseline, policy, n) for n in (None, draws))
    rate, money = terms.discount_rate, terms.money
    discount = (1 + rate) ** (-np.arange(terms.months + 1) / MONTHS_PER_YEAR)
    rows = {}
    for label, case in mid.items():
        net, spread, costs = (
            case["net"][0],
            drawn[label]["net"] @ discount,
            drawn[label]["cost"].sum(axis=1),
        )
        tco = case["cost"][0].sum()
        more = max(float(np.nanpercentile(costs, policy.contingency_percentile)) - tco, 0.0)
        monthly = irr(net)
        yearly = (1 + monthly) ** MONTHS_PER_YEAR - 1
        p10, p50, p90 = np.nanpercentile(spread, [10, 50, 90])
        rows[label] = {
            "investment": case["cost"][0, 0],
            "tco": tco,
            "contingency": more,
            "budget": tco + more,
            "benefit": case["benefit"][0].sum(),
            "wrong_answers": case["wrong_answers"][0].sum() if case["judged"] else np.nan,
            "npv": net @ discount,
            "npv_p10": p10,
            "npv_p50": p50,
            "npv_p90": p90,
            "p_loss": float(np.mean(spread[~np.isnan(spread)] < 0)),
            "irr": yearly,
            "irr_says": _irr_says(net, yearly),
            "payback_month": stays_ahead(net.cumsum()[None, :])[0],
            "capex": case["capex"][0].sum(),
            "depreciation": case["depreciation"][0].sum(),
            "written_off_months": case["life"][0] if case["capex"][0].any() else np.nan,
            "opex": case["cost"][0].sum() - case["capex"][0].sum(),
            "tax": case["tax"][0].sum(),
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "option"
    amounts = [c for c in table if c in AMOUNTS]
    table[amounts] *= money.per_usd
    table["currency"] = _currency(terms)
    return table.sort_values("npv", ascending=False, kind="stable")


AMOUNTS = (
    "investment",
    "tco",
    "contingency",
    "budget",
    "benefit",
    "wrong_answers",
    "npv",
    "npv_p10",
    "npv_p50",
    "npv_p90",
    "capex",
    "depreciation",
    "opex",
    "tax",
    "cost",
    "net",
    "cumulative",
    "discounted",
)


@analysis
def case_flow(study: Study, baseline: Option | Mix, policy: Policy | None = None) -> pd.DataFrame:
    """The case month by month, at the middle of every Range: what comes in and goes out, in the currency of the terms.

    Columns: option month date benefit cost wrong_answers capex depreciation tax net cumulative discounted currency.
    net = benefit - cost - wrong_answers - tax; capex is part of the cost, and depreciation only lowers the tax: it moves no cash.
    """
    policy = _policy(policy)
    terms = study.terms
    discount = (1 + terms.discount_rate) ** (-np.arange(terms.months + 1) / MONTHS_PER_YEAR)
    frames = []
    for label, case in _cases(study, baseline, policy, None).items():
        frame = pd.DataFrame(
            {
                "option": label,
                "month": np.arange(terms.months + 1),
                "date": [terms.date_of(m) for m in range(terms.months + 1)],
            }
        )
        for column in ("benefit", "cost", "wrong_answers", "capex", "depreciation", "tax", "net"):
            frame[column] = case[column][0] * terms.money.per_usd
        frames.append(
            frame.assign(
                cumulative=frame["net"].cumsum(),
                discounted=frame["net"] * discount,
                currency=_currency(terms),
            )
        )
    return pd.concat(frames, ignore_index=True)


@analysis
def tco(study: Study, horizons: tuple[int, ...] = HORIZONS, draws: int = DRAWS) -> pd.DataFrame:
    """Total cost of ownership over 12 to 60 months. Columns: option months mid p10 p90 [USD]; each row is `compare` at that horizon."""
    horizons = tuple(np.atleast_1d(horizons).tolist())
    check(horizons, "tco: horizons is empty, it must be one or more numbers of months")
    frames = [
        compare(study, months=m, draws=draws)[["mid", "p10", "p90"]].assign(months=m).reset_index()
        for m in horizons
    ]
    return pd.concat(frames, ignore_index=True)[
        ["option", "months", "mid", "p10", "p90"]
    ].sort_values(["option", "months"], ignore_index=True)


def _irr_says(net: np.ndarray, yearly: float) -> str:
    if np.isnan(yearly):
        return f"undefined: the cash flow never changes sign, it is {'never negative' if (net >= 0).all() else 'never positive'}"
    words = (
        f"above {HUGE_IRR:,.0%} a year: hardly anything is paid before it comes back"
        if yearly > HUGE_IRR
        else f"{yearly:.0%} a year"
    )
    changes = np.count_nonzero(np.diff(np.sign(net[net != 0])))
    return (
        words
        if changes == 1
        else f"{words}; the cash flow changes sign {changes} times, trust the NPV"
    )


def _currency(terms: Terms) -> str:
    money = terms.money
    return (
        money.code
        if money.per_usd == 1
        else f"{money.code} at {money.per_usd:g} per USD of {money.rate_date}"
    )


def _cases(
    study: Study, baseline: Any, policy: Policy, draws: int | None
) -> dict[str, dict[str, Any]]:
    """The cash of every option against the baseline, each part of the shape (draws, H + 1); `judged`: wrong answers are in it."""
    check(
        isinstance(baseline, (Option, Mix)),
        f"baseline is {baseline!r}, it must be an Option, such as Option(Staff(minutes_per_request=9))",
    )
    options, key = study.options, "the baseline, under a label of its own"
    every = replace(study, options={**options, key: baseline}, accept_zero=None)
    n, size = draws or 1, study.terms.months + 1
    cost, wrong = ({label: np.full((n, size), np.nan) for label in every.options} for _ in range(2))
    capex = {label: np.zeros((n, size)) for label in options}
    life = dict.fromkeys(options, float(size))
    for rows, calendar, bills in batches(every, draws):
        for label, bill in bills.items():
            fails = _only(bill, calendar, lambda line: line.phase == "failures")
            cost[label][rows] = np.where(bill.fits, bill.paid(calendar) - fails, np.nan)
            wrong[label][rows] = fails
            if label is not key:
                capex[label][rows] = _capitalised(bill, calendar, policy)
    for _, calendar, bills in batches(study):
        life |= {label: _first_move(bill, calendar) for label, bill in bills.items()}
    rules = middle((policy,))[0] if draws is None else sample(policy, n, study.seed)
    check(not np.isnan(cost[key]).all(), "the baseline cannot run; `compare` says why")
    benefit = rules.realised * cost[key]
    found, unknown = {}, quality_unknown(every)
    for label in options:
        if np.isnan(cost[label]).all():
            continue
        written = np.minimum(np.ravel(rules.life_months), life[label])
        off = _written_off(capex[label], written)
        judged = key not in unknown and label not in unknown
        more = wrong[label] - wrong[key] if judged else np.zeros((n, size))
        tax = rules.tax_rate * (benefit - more - (cost[label] - capex[label]) - off)
        found[label] = {
            "cost": cost[label],
            "capex": capex[label],
            "benefit": benefit,
            "wrong_answers": more,
            "depreciation": off,
            "tax": tax,
            "net": benefit - cost[label] - more - tax,
            "judged": judged,
            "life": np.broadcast_to(written, (n,)),
        }
    check(found, "no option can run; `compare` says why")
    return found


def _capitalised(bill: Bill, calendar: Calendar, policy: Policy) -> Any:
    kept = {
        "tagged": lambda line: line.treatment == "capex",
        "build": lambda line: line.phase in BUILD,
        "nothing": lambda line: False,
    }
    return _only(bill, calendar, kept[policy.capitalise])


def _first_move(bill: Bill, calendar: Calendar) -> float:
    """The first month in which an option must move to another model: nothing built on the old one lives longer."""
    due = np.flatnonzero(
        np.ravel(_only(bill, calendar, lambda line: line.phase == "migration")) > 0
    )
    return float(due[0]) if due.size else np.inf


def _only(bill: Bill, calendar: Calendar, kept: Callable[[Line], bool]) -> Any:
    """USD of months 0..H of some lines of a bill."""
    return Bill([line for line in bill.lines if kept(line)], None, None, True).paid(calendar)


def _written_off(capex: np.ndarray, life: np.ndarray) -> np.ndarray:
    """Straight-line depreciation, shape (n, H + 1): what is bought in month m is written off in the `life` months after it.

    Within the horizon; what is left at its end stays in the books.
    """
    month = np.arange(capex.shape[1])
    life = np.maximum(np.asarray(life, float).reshape(-1, 1), 1.0)
    out = np.zeros_like(capex)
    for bought in np.flatnonzero(capex.any(axis=0)):
        share = np.clip((month - bought) / life, 0, 1)
        out += capex[:, [bought]] * np.diff(share, axis=1, prepend=0.0)
    return out
