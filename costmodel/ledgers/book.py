"""The ledger: every line of every option, month by month, with its formula and its sources. Costs are positive everywhere."""

from __future__ import annotations

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core.draws import middle
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import at_middle, evaluate
from costmodel.ledgers.evidence import Evidence, describe

COLUMNS = [
    "option",
    "phase",
    "item",
    "month",
    "quantity",
    "unit",
    "usd_per_unit",
    "usd",
    "treatment",
    "trend",
    "basis",
    "sources",
]


# -- answers -------------------------------------------------------------------------------------------


@analysis
def ledger(study: Study) -> pd.DataFrame:
    """Every line of every option in every month in which something is paid, at the middle of all Ranges.

    Columns: option phase item month quantity unit usd_per_unit usd treatment trend basis sources. `usd` sums to the
    `mid` of `compare` to the cent; an option among several that cannot run has no rows, one alone is `Infeasible`.
    """
    rows = []
    middle = at_middle(study)
    if study.alone and middle.why_not:
        raise middle.why_not[study.label()]
    calendar = middle.calendar
    for label, bill in middle.bills.items():
        evidence = Evidence(study.options[label], study.work, study.terms)
        for line in bill.lines:
            basis, sources = evidence.basis(line), "; ".join(evidence.cited(line))
            weights = line.schedule.weights(calendar.months, calendar.demand)
            prices = line.usd_per_unit * calendar.prices(line.trend)
            for month in np.flatnonzero(weights):
                quantity = float(line.quantity * weights[month])
                rows.append(
                    (
                        label,
                        line.phase,
                        line.item,
                        int(month),
                        quantity,
                        line.unit,
                        float(prices[month]),
                        quantity * float(prices[month]),
                        line.treatment,
                        line.trend,
                        basis,
                        sources,
                    )
                )
    return pd.DataFrame(rows, columns=COLUMNS)


@analysis
def explain(study: Study, label: str | None = None) -> pd.DataFrame:
    """One row per line of one option, dearest first: what it costs over the horizon, by which formula, from which sources.

    Columns: phase item quantity unit usd_per_unit times usd share basis sources; `times` is how often it is bought,
    with price trends; `sources` names publisher and date.
    """
    option = study.option(label)
    work, terms = middle((study.work, study.terms))
    calendar, evidence = Calendar(work, terms), Evidence(option, study.work, study.terms)
    bill = evaluate(middle(option), work, terms)
    rows = []
    for line in bill.lines:
        times = float(calendar.factor(line.schedule, line.trend))
        usd = float(line.usd * times)
        cited = "; ".join(describe(s) for s in evidence.cited(line))
        rows.append(
            (
                line.phase,
                line.item,
                float(line.quantity),
                line.unit,
                float(line.usd_per_unit),
                times,
                usd,
                evidence.basis(line),
                cited,
            )
        )
    table = pd.DataFrame(
        rows,
        columns=[
            "phase",
            "item",
            "quantity",
            "unit",
            "usd_per_unit",
            "times",
            "usd",
            "basis",
            "sources",
        ],
    )
    table.insert(7, "share", table["usd"] / table["usd"].sum())
    return table.sort_values("usd", ascending=False, ignore_index=True)


@analysis
def cash_flow(study: Study) -> pd.DataFrame:
    """Month by month: what is paid, what has been paid, and its present value, at the middle of all Ranges.

    Columns: option month date usd cumulative_usd discounted_usd npv; `npv` is the present value of all costs up to that
    month at `terms.discount_rate` a year, converted to months by (1 + rate)^(1/12); costs are positive.
    """
    terms, middle = study.terms, at_middle(study)
    frames = []
    for label, bill in middle.bills.items():
        usd = bill.paid(middle.calendar)
        discounted = usd * middle.calendar.discount
        frames.append(
            pd.DataFrame(
                {
                    "option": label,
                    "month": np.arange(terms.months + 1),
                    "date": [terms.date_of(m) for m in range(terms.months + 1)],
                    "usd": usd,
                    "cumulative_usd": usd.cumsum(),
                    "discounted_usd": discounted,
                    "npv": discounted.cumsum(),
                }
            )
        )
    columns = ["option", "month", "date", "usd", "cumulative_usd", "discounted_usd", "npv"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
