"""Options side by side on the same draws, and along one input or several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core import check
from costmodel.decisions.search import NEAR_FACTOR, NEAR_POINTS, product, search_limits, spacing
from costmodel.decisions.simulate import (
    BAND,
    UNKNOWN,
    Simulated,
    band,
    comparable,
    p_cheapest,
    simulate,
    totals,
)
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill


@analysis
def compare(study: Study) -> pd.DataFrame:
    """Options side by side on the same draws, cheapest first.

    Parameters
    ----------
    study : Study, or options with a workload
        What is compared.

    Returns
    -------
    DataFrame
        Index option. `mid` is the total with all Ranges at their middle, `p10`, `p50` and `p90` the
        percentiles of the draws [USD over the horizon]; `npv` is the present value of mid [USD];
        `per_month`, `per_request` and `per_accepted` [USD], the last without the cost of wrong
        answers; `quality` [share of answers accepted]; `p_cheapest` [share of the draws];
        `why_not`, why an option cannot run or is not ranked. Costs are positive.

    Notes
    -----
    `p_cheapest` ranks totals with the cost of wrong answers, among options of known quality. Where
    none is known it ranks cost alone, and `why_not` says so.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> table = compare(study.only("RAG", "Prompt"), draws=200)
    >>> list(table.index), bool(table.loc["RAG", "p10"] < table.loc["RAG", "p90"])
    (['RAG', 'Prompt'], True)
    """
    return table_of(study, simulate(study))


def table_of(study: Study, found: Simulated) -> pd.DataFrame:
    """The table of `compare`, made of the numbers of a study."""
    bills = found.middle.bills
    known = [label for label, bill in bills.items() if bill.accepted is not None]
    rows = {
        label: _at_middle(bill, found.middle.calendar) | band(found.usd[label])
        for label, bill in bills.items()
    }
    columns = ["mid", *BAND, "npv", "per_month", "per_request", "per_accepted", "quality"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns, dtype=float)
    table = table.reindex(pd.Index(list(study.options), name="option"))
    table["p_cheapest"] = p_cheapest({label: found.usd[label] for label in known or bills})
    table["why_not"] = [_why_not(label, found) for label in study.options]
    return table.sort_values("mid", kind="stable")


def _at_middle(bill: Bill, calendar: Calendar) -> dict[str, Any]:
    """The columns of `compare` that hold with every doubt at its middle."""
    usd, requests = bill.total(calendar), bill.requests * calendar.requests
    row = {
        "mid": usd,
        "npv": bill.total(calendar, discounted=True),
        "per_month": usd / calendar.months,
        "per_request": usd / requests,
    }
    if bill.accepted is not None:
        answers, to_pay = requests * bill.accepted, usd - bill.failures(calendar)
        row["per_accepted"] = to_pay / answers if answers else np.inf
        row["quality"] = bill.accepted
    return row


def _why_not(label: str, found: Simulated) -> str:
    """Why an option cannot run, is not ranked, or is ranked by some of its draws only."""
    if label in found.middle.why_not:
        return str(found.middle.why_not[label])
    if found.middle.bills[label].accepted is None:
        return UNKNOWN
    lost = np.isnan(found.usd[label]).mean()
    share = "less than 1%" if lost < 0.01 else f"{lost:.0%}"
    text = f"does not fit in {share} of the draws; the percentiles are those of the others"
    return text if lost else ""


@analysis
def sweep(
    study: Study, over: str | Mapping[str, Any], values: Any = None, draws: int | None = None
) -> pd.DataFrame:
    """Cost of each option while one input, or the product of several, takes other values.

    Parameters
    ----------
    study : Study, or options with a workload
        What is priced.
    over : str or dict
        An input, such as "requests_per_month", "Rag.top_k" or
        "H100-SXM.neocloud.on_demand.usd_per_gpu_hour"; or {input: values, ...}.
    values : sequence of float, optional
        The values of one input, in its own unit. None: a thirtieth to thirty times the present
        one, or 0 to 1 for a share.
    draws : int, optional
        With it, a band of so many draws at each point.

    Returns
    -------
    DataFrame
        `option`, one column for each input, `mid` and with draws `p10`, `p50` and `p90` [USD over
        the horizon]. NaN where an option cannot run, and for an option of unknown quality beside
        one whose wrong answers are in the bill.

    Raises
    ------
    CatalogError
        An input that is not there; the nearest names are said.
    ValueError
        No input, no values, or a value that the unit of the input does not allow.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> table = sweep(study.only("RAG"), "requests_per_month", [1e5, 1e6])
    >>> table["mid"].is_monotonic_increasing
    True
    """
    axes = {over: values} if isinstance(over, str) else dict(over)
    check(axes, "sweep needs an input; write its name and its values")
    for name, axis in axes.items():
        if axis is None:
            low, high = search_limits(study, name, factor=NEAR_FACTOR)
            axes[name] = spacing(low)(low, high, NEAR_POINTS)
        check(np.size(axes[name]), f"sweep over {name!r} needs values")
    grid = product(axes)
    middles = totals(study, grid=grid)
    spread = totals(study, draws, grid) if draws else {}
    shown = comparable(study).options
    frames = []
    for label in study.options:
        columns = {"option": label, **grid, "mid": middles[label]}
        frame = pd.DataFrame(columns | (band(spread[label]) if draws else {}))
        if label not in shown:
            frame.iloc[:, 1 + len(grid) :] = np.nan
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
