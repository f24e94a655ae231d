"""The ledger: every line of every option, month by month; and the one place where time meets money.

Month 0 is today, months 1..H are paid at their end. A price of class c in month m is today's price x (1 + trend_c)^(m/12),
a cost of month m is discounted by (1 + rate)^(-m/12). Costs are positive everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from costmodel.choices.options import Mix, Option
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.draws import middle
from costmodel.core.errors import Infeasible
from costmodel.core.public import public
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Options, evaluate, settle
from costmodel.ledgers.evidence import Evidence, describe

if TYPE_CHECKING:
    import pandas as pd


COLUMNS = ["option", "phase", "item", "month", "quantity", "unit", "usd_per_unit", "usd", "treatment", "trend", "basis", "sources"]


# -- answers -------------------------------------------------------------------------------------------


@public
def ledger(options: Options | Option | Mix, work: Workload, months: int | None = None, terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:
    """Every line of every option in every month in which something is paid, at the middle of all Ranges.

    Columns: option phase item month quantity unit usd_per_unit usd treatment trend basis sources. `usd` sums to the
    `mid` of `compare` to the cent; an option among several that cannot run has no rows, one alone is `Infeasible`.
    """
    import pandas as pd

    alone = not isinstance(options, Mapping)
    options, terms = settle(options, terms, months=months, on=on)
    rows = []
    mid_work, mid_terms = middle((work, terms))
    calendar = Calendar(mid_work, mid_terms)
    for label, option in options.items():
        try:
            bill = evaluate(middle(option), mid_work, mid_terms)
        except Infeasible:
            if alone:
                raise
            continue
        evidence = Evidence(option, work, terms)
        for line in bill.lines:
            basis, sources = evidence.basis(line), "; ".join(evidence.cited(line))
            weights = line.schedule.weights(terms.months, calendar.demand)
            prices = line.usd_per_unit * calendar.prices(line.trend)
            for month in np.flatnonzero(weights):
                quantity = float(line.quantity * weights[month])
                rows.append((label, line.phase, line.item, int(month), quantity, line.unit, float(prices[month]), quantity * float(prices[month]),
                             line.treatment, line.trend, basis, sources))  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


@public
def explain(option: Option | Mix, work: Workload, months: int | None = None, terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:
    """One row per line of one option, dearest first: what it costs over the horizon, by which formula, from which sources.

    Columns: phase item quantity unit usd_per_unit times usd share basis sources; `times` is how often it is bought,
    with price trends; `sources` names publisher and date.
    """
    import pandas as pd

    options, terms = settle(option, terms, months=months, on=on)
    (option,) = options.values()
    mid_work, mid_terms = middle((work, terms))
    calendar, evidence = Calendar(mid_work, mid_terms), Evidence(option, work, terms)
    bill = evaluate(middle(option), mid_work, mid_terms)
    rows = []
    for line in bill.lines:
        times = float(calendar.factor(line.schedule, line.trend))
        usd = float(line.quantity * line.usd_per_unit * times)
        cited = "; ".join(describe(s) for s in evidence.cited(line))
        rows.append((line.phase, line.item, float(line.quantity), line.unit, float(line.usd_per_unit), times, usd, evidence.basis(line), cited))
    table = pd.DataFrame(rows, columns=["phase", "item", "quantity", "unit", "usd_per_unit", "times", "usd", "basis", "sources"])
    table.insert(7, "share", table["usd"] / table["usd"].sum())
    return table.sort_values("usd", ascending=False, ignore_index=True)


@public
def cash_flow(options: Options | Option | Mix, work: Workload, months: int | None = None, terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:
    """Month by month: what is paid, what has been paid, and its present value, at the middle of all Ranges.

    Columns: option month date usd cumulative_usd discounted_usd npv; `npv` is the present value of all costs up to that
    month at `terms.discount_rate` a year, converted to months by (1 + rate)^(1/12); costs are positive.
    """
    import pandas as pd

    options, terms = settle(options, terms, months=months, on=on)
    mid_work, mid_terms = middle((work, terms))
    calendar = Calendar(mid_work, mid_terms)
    frames = []
    for label, option in options.items():
        try:
            bill = evaluate(middle(option), mid_work, mid_terms)
        except Infeasible:
            continue
        usd = sum((line.quantity * line.usd_per_unit * calendar.path(line.schedule, line.trend) for line in bill.lines), np.zeros(terms.months + 1))
        discounted = usd * calendar.discount
        frames.append(pd.DataFrame({
            "option": label, "month": np.arange(terms.months + 1), "date": [terms.date_of(m) for m in range(terms.months + 1)],
            "usd": usd, "cumulative_usd": usd.cumsum(), "discounted_usd": discounted, "npv": discounted.cumsum(),
        }))  # fmt: skip
    columns = ["option", "month", "date", "usd", "cumulative_usd", "discounted_usd", "npv"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
