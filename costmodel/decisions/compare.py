"""Options side by side on the same draws, and along one input or several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core import check, percent
from costmodel.decisions.rule import standing
from costmodel.decisions.search import NEAR_FACTOR, NEAR_POINTS, product, search_limits, spacing
from costmodel.decisions.simulate import (
    BAND,
    UNKNOWN,
    Simulated,
    band,
    comparable,
    expected,
    mean_where_it_runs,
    simulate,
    totals,
)

COLUMNS = [
    *("expected", *BAND, "to_pay", "wrong_answers", "present_value", "risk_adjusted"),
    *("per_month", "per_request", "per_accepted", "quality", "p_reaches", "eligible"),
    *("more", "p_dearer", "as_good", "p_cheapest", "p_least_to_pay"),
    *("base_case", "currency", "why_not"),
]
FREE = "costs nothing in any draw; give the price that is 0, or leave the option out"


@analysis
def compare(study: Study) -> pd.DataFrame:
    """Options side by side on the same draws, least expected present value first.

    Parameters
    ----------
    study : Study, or options with a workload
        What is compared.

    Returns
    -------
    DataFrame
        Index option. Costs are positive and in `currency`; "expected" is the mean over the draws in
        which the option runs.

        - `expected`: the total over the horizon, and its percentiles `p10`, `p50` and `p90`; it is
          `to_pay` plus `wrong_answers`, which nobody sends an invoice for
        - `present_value`: expected, discounted at `terms.discount_rate`; `risk_adjusted`: the same
          with `study.risk`
        - `per_month` and `per_request`: of the expected total; `per_accepted`: to pay, for an
          accepted answer
        - `quality`: expected share of answers accepted; `p_reaches`: chance to reach the quality
          floor (without one, to run); `eligible`: whether that is at least `study.confidence`
        - `more`: expected present value beyond that of the best; `p_dearer`: share of the draws in
          which it is; `as_good`: whether the difference is below 5 % or two standard errors
        - `p_cheapest`: share of the draws in which its present value is the least among the
          eligible options, or among all where none is; `p_least_to_pay`: without wrong answers
        - `base_case`: the total with every input at its middle
        - `why_not`: why it cannot run or is not ranked

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
    rule = standing(study, found).to_dict("index")
    every = {"eligible": False, "as_good": False, "currency": "USD"}
    rows = [
        every
        | (_row(label, found) | band(found.usd[label]) | rule[label] if label in rule else {})
        | {"why_not": _why_not(label, found)}
        for label in study.options
    ]
    columns = {name: [row.get(name, np.nan) for row in rows] for name in COLUMNS}
    table = pd.DataFrame(columns, pd.Index(list(study.options), name="option"))
    table.attrs["confidence"] = study.confidence
    return table.sort_values("risk_adjusted", kind="stable")


def _row(label: str, found: Simulated) -> dict[str, Any]:
    """The columns of `compare` that are means over the draws of one option, and the base case."""
    usd, wrong = mean_where_it_runs(found.usd[label]), mean_where_it_runs(found.wrong[label])
    requests, share = found.requests[label], found.accepted[label]
    row = {
        "expected": usd,
        "to_pay": usd - wrong,
        "wrong_answers": wrong,
        "per_month": usd / found.study.terms.months,
        "per_request": usd / mean_where_it_runs(requests),
        "base_case": found.base_case[label],
    }
    if not np.isnan(share).all():
        answers = mean_where_it_runs(requests * share)
        row["per_accepted"] = (usd - wrong) / answers if answers else np.nan
        row["quality"] = mean_where_it_runs(share)
    return row


def _why_not(label: str, found: Simulated) -> str:
    """Why an option cannot run, is not ranked, or is ranked by some of its draws only."""
    if label in found.why_not:
        return str(found.why_not[label])
    if not np.any(found.usd[label]):
        return FREE
    if np.isnan(found.accepted[label]).all():
        return UNKNOWN
    lost = np.isnan(found.usd[label]).mean()
    share = "less than 1 %" if lost < 0.01 else percent(lost)
    text = f"does not fit in {share} of the cases; its range is that of the others"
    return text if lost else ""


@analysis
def sweep(
    study: Study, over: str | Mapping[str, Any], values: Any = None, draws: int | None = None
) -> pd.DataFrame:
    """Expected present value of each option while one input, or several, take other values.

    Parameters
    ----------
    study : Study, or options with a workload
        What is priced.
    over : str or dict
        An input, such as "requests_per_month", "Rag.top_k" or
        "H100-SXM.neocloud.on_demand.usd_per_gpu_hour"; or {input: values, ...}.
    values : sequence of float, optional
        The values of one input, in its own unit; each counts as it is given, and no tier scales it.
        None: a thirtieth to thirty times the present
        one, or 0 to 1 for a share.
    draws : int, optional
        With it, a band of so many draws at each point.

    Returns
    -------
    DataFrame
        `option`, one column for each input, `present_value` and with draws `p10`, `p50` and `p90`
        of it [USD], `currency`. Where the input stands now, `present_value` is that of `compare`,
        unless the input is a Range. NaN where an option cannot run, and for an option of unknown
        quality beside one whose wrong answers are in the bill.

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
    >>> table["present_value"].is_monotonic_increasing
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
    means = expected(study, grid)
    spread = totals(study, draws, grid, discounted=True) if draws else {}
    shown = comparable(study).options
    frames = []
    for label in study.options:
        columns = {"option": label, **grid, "present_value": means[label]}
        frame = pd.DataFrame(columns | (band(spread[label]) if draws else {}))
        if label not in shown:
            frame.iloc[:, 1 + len(grid) :] = np.nan
        frames.append(frame)
    return pd.concat(frames, ignore_index=True).assign(currency="USD")
