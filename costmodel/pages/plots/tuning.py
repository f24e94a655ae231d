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
    """Requests until a tune has paid for itself, by what is counted: the middle as a dot, P10 to
    P90 as a bar (a table of `paybacks`).

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
    column_beside(ax, 1.09, "P(never)", never)
    if now:
        mark_value(ax, now)
        sentences_above(ax, [f"dashed: {short(now)} requests arrive within the horizon"])
    name_rows(ax, table["counted"])
    write_as(
        ax.xaxis,
        short,
        "requests until the tune has paid for itself\n"
        "band P10 to P90, dot: every input at its middle",
    )
    return ax


@figure
def plot_tenants(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """What a tenant costs a month while more of them share a base (a table of `tenants`).

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.training.tenants(
    ...     cm.load("support_assistant").only("Prompt", "LoRA"), [1, 10, 100]
    ... )
    >>> ax = cm.plots.plot_tenants(table)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('tenants', 'cost of one tenant [USD/month]')
    """
    colours = palette(table["option"])
    ax = ax or picture(3.0)
    table = in_currency(table, money).dropna()
    check(len(table), "plot_tenants: no option can run with any number of tenants")
    lines = by_option(table, "tenants", "usd_per_tenant_month")
    log_if_wide(ax, "x", lines.index, 10)
    log_if_wide(ax, "y", lines, 10)
    draw_lines(ax, lines, colours)
    money_axis(ax.yaxis, money, "cost of one tenant [{}/month]")
    write_as(ax.xaxis, short, "tenants")
    return ax
