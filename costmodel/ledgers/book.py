"""The ledger: every line of every option, month by month, with its formula and its sources.

Costs are positive everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from costmodel.choices.purchases import Line
from costmodel.choices.study import Study, analysis
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import at_middle
from costmodel.ledgers.evidence import Evidence, describe

COLUMNS = ["option", "phase", "item", "month", "quantity", "unit", "usd_per_unit", "usd"]
COLUMNS += ["treatment", "trend", "basis", "sources"]


@analysis
def ledger(study: Study) -> pd.DataFrame:
    """Every line of every option in every month in which something is paid.

    All Ranges are at their middle, and `usd` sums to the `mid` of `compare`, to the cent.

    Parameters
    ----------
    study : Study, or options with a workload
        What is priced.

    Returns
    -------
    DataFrame
        `option`, `phase`, `item`, `month` (0: up front), `quantity` in `unit`, `usd_per_unit` and
        `usd` [USD], `treatment` ("capex" or "opex"), `trend` (the class of its price), `basis` (the
        formula with its numbers) and `sources`. An option that cannot run has no rows.

    Raises
    ------
    Infeasible
        The study is about one option, and it cannot run.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> ledger(option, work, months=2)[["item", "month", "quantity", "unit"]]
                          item  month  quantity  unit
    0  production: fresh input      1      90.0  Mtok
    1  production: fresh input      2      90.0  Mtok
    2       production: output      1      25.0  Mtok
    3       production: output      2      25.0  Mtok
    """
    rows = []
    for label, line, calendar, evidence in _lines(study, study.alone):
        weights = line.schedule.weights(calendar.months, calendar.demand)
        prices = line.usd_per_unit * calendar.prices(line.trend)
        basis, sources = evidence.basis(line), "; ".join(evidence.cited(line))
        for month in np.flatnonzero(weights).tolist():
            quantity, price = float(line.quantity * weights[month]), prices[month]
            bought = (label, line.phase, line.item, month, quantity, line.unit, price)
            rows.append((*bought, quantity * price, line.treatment, line.trend, basis, sources))
    return pd.DataFrame(rows, columns=COLUMNS)


def _lines(study: Study, alone: bool) -> Iterator[tuple[str, Line, Calendar, Evidence]]:
    """Every line at the middle of all Ranges, with its option, the calendar and its evidence.

    Options that cannot run are left out, or, where the study is about one alone, Infeasible.
    """
    found = at_middle(study)
    if alone:
        for reason in found.why_not.values():
            raise reason
    for label, bill in found.bills.items():
        evidence = Evidence(study.options[label], study.work, study.terms)
        for line in bill.lines:
            yield label, line, found.calendar, evidence


@analysis
def explain(study: Study, label: str | None = None) -> pd.DataFrame:
    """What each line of one option costs over the horizon, by which formula, from which sources.

    Parameters
    ----------
    study : Study, or options with a workload
        Where the option stands.
    label : str, optional
        The option; without one, the only option.

    Returns
    -------
    DataFrame
        One row per line, dearest first: `phase`, `item`, `quantity` in `unit`, `usd_per_unit`
        [USD], `times` (how often it is bought, with price trends), `usd` [USD], its `share`,
        `basis` (the formula with its numbers) and `sources` (publisher, title and day).

    Raises
    ------
    Infeasible
        The option cannot run.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> explain(option, work)[["item", "quantity", "unit"]]
                          item  quantity  unit
    0       production: output      25.0  Mtok
    1  production: fresh input      90.0  Mtok
    """
    rows = []
    for _, line, calendar, evidence in _lines(study.only(study.label(label)), alone=True):
        times = float(calendar.factor(line.schedule, line.trend))
        usd = float(line.usd * times)
        rows.append(
            {
                "phase": line.phase,
                "item": line.item,
                "quantity": float(line.quantity),
                "unit": line.unit,
                "usd_per_unit": float(line.usd_per_unit),
                "times": times,
                "usd": usd,
                "share": usd,
                "basis": evidence.basis(line),
                "sources": "; ".join(map(describe, evidence.cited(line))),
            }
        )
    table = pd.DataFrame(rows)
    table["share"] /= table["usd"].sum()
    return table.sort_values("usd", ascending=False, ignore_index=True)


@analysis
def cash_flow(study: Study) -> pd.DataFrame:
    """What is paid month by month, what has been paid, and its present value.

    All Ranges are at their middle; costs are positive. A month is discounted by
    (1 + terms.discount_rate)^(-month / 12).

    Parameters
    ----------
    study : Study, or options with a workload
        What is priced.

    Returns
    -------
    DataFrame
        `option`, `month` (0: up front), `date`, its first day, `usd`, `cumulative_usd`,
        `discounted_usd` and `npv` [USD], the present value of all costs up to that month. An option
        that cannot run has no rows.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> flow = cash_flow(option, work, months=2)
    >>> bool((flow["usd"].cumsum() == flow["cumulative_usd"]).all())
    True
    """
    found = at_middle(study)
    dates = [study.terms.date_of(month) for month in range(study.terms.months + 1)]
    columns = ["option", "month", "date", "usd", "cumulative_usd", "discounted_usd", "npv"]
    rows: list[tuple] = []
    for label, bill in found.bills.items():
        usd = bill.paid(found.calendar)
        now = usd * found.calendar.discount
        paid = zip(dates, usd, usd.cumsum(), now, now.cumsum(), strict=True)
        rows += ((label, month, *amounts) for month, amounts in enumerate(paid))
    return pd.DataFrame(rows, columns=columns)
