"""Figures of tuning: when a tune pays back, and how many tenants one base carries."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from costmodel.core import USD, Currency, check, percent, short
from costmodel.pages.plots.marks import (
    column_beside,
    draw_lines,
    draw_ranges,
    mark_value,
    sentences_above,
)
from costmodel.pages.plots.style import (
    COLOURS,
    by_option,
    figure,
    in_currency,
    log_if_wide,
    money_axis,
    name_rows,
    palette,
    picture,
    write_as,
)


@figure
def plot_paybacks(table: pd.DataFrame, now: float | None = None, ax: Axes | None = None) -> Axes:
    """Requests until a tune has paid for itself, by what is counted: the middle as a dot, 8
    cases in 10 as a bar (a table of `paybacks`).

    `now` marks the requests that arrive within the horizon: what lies right of it is not earned
    back in time. At the right stands the share of draws in which a request of the tune is no
    cheaper.

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.training.paybacks(cm.load("support_assistant"), "Few-shot", "LoRA", draws=100)
    >>> ax = cm.plots.plot_paybacks(table, now=300_000 * 36)
    >>> [tick.get_text() for tick in ax.get_yticklabels()]
    ['training only', '+ data', '+ people', '+ maintenance']
    """
    ax = ax or picture(0.9 + 0.42 * len(table))
    rows = np.flatnonzero(table["requests"] > 0)
    ends = table[["p10", "requests", "p90"]]
    known = ends.where(ends > 0).assign(now=now or np.nan).astype(float)
    if ends.gt(0).any(axis=None):
        ax.set_xscale("log")
        ax.set_xlim(known.min(axis=None) / 2, known.max(axis=None) * 2)
    if len(rows):
        draw_ranges(ax, ends.iloc[rows], COLOURS[7], rows)
    for row in rows:
        requests = table["requests"].iloc[row]
        ax.text(requests, row - 0.3, short(requests), ha="center", va="bottom")
    never = [percent(p) if np.isfinite(p) else "cannot run" for p in table["p_never"]]
    column_beside(ax, 1.09, "no crossing in", never)
    if now:
        mark_value(ax, now)
        sentences_above(ax, [f"dashed: {short(now)} requests arrive within the horizon"])
    name_rows(ax, table["counted"])
    write_as(
        ax.xaxis,
        short,
        "requests until the tune has paid for itself\n"
        "bar: 8 cases in 10, dot: every input at its middle",
    )
    return ax


@figure
def plot_tunes(
    table: pd.DataFrame,
    over: str,
    column: str = "usd",
    by: str = "option",
    ax: Axes | None = None,
    money: Currency = USD,
) -> Axes:
    """What tunes cost while one number changes, one line for each option, or for each value of
    another column (a table of `tune_costs` or `tenants`).

    Examples
    --------
    >>> import costmodel as cm
    >>> ways = cm.training.methods(cm.load("document_extraction"), "LoRA")
    >>> table = cm.training.tune_costs(ways, {"examples": [500, 1_000, 5_000]})
    >>> ax = cm.plots.plot_tunes(table, "examples")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('examples', 'cost over the horizon [USD]')
    """
    table = in_currency(table, money).dropna(subset=column)
    table = table.drop(columns="option").rename(columns={by: "option"}) if by != "option" else table
    colours = palette(table["option"])
    ax = ax or picture(3.0)
    check(len(table), f"plot_tunes: no option can run with any value of {over}")
    lines = by_option(table, over, column)
    log_if_wide(ax, "x", lines.index, 10)
    log_if_wide(ax, "y", lines, 10)
    draw_lines(ax, lines, colours)
    money_axis(ax.yaxis, money, AMOUNTS[column])
    write_as(ax.xaxis, short, over.replace("_", " "))
    return ax


AMOUNTS = {
    "usd": "cost over the horizon [{}]",
    "usd_per_run": "cost of one run [{}]",
    "usd_per_tenant_month": "cost of one tenant [{}/month]",
}
