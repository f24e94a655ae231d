"""Figures of tuning: when a tune pays back, and how many tenants one base carries."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from costmodel.core.errors import check
from costmodel.core.words import USD, Currency, percent, short
from costmodel.pages.plots.style import (
    COLOURS,
    GREY,
    INK,
    figure,
    label_ends,
    log_if_wide,
    money_axis,
    name_rows,
    palette,
    picture,
    sentences_above,
    tidy,
)

# -- what they share -------------------------------------------------------------------------------


@figure
def plot_paybacks(table: pd.DataFrame, now: float | None = None, ax: Axes | None = None) -> Axes:
    """Requests until a tune has paid for itself, by what is counted: the middle as a dot, P10 to
    P90 as a bar (a table of `paybacks`).

    `now` marks the requests that arrive within the horizon: what lies right of it is not earned
    back in time. At the right stands the share of draws in which a request of the tune is no
    cheaper.
    """
    ax = ax or picture(0.9 + 0.42 * len(table))
    values = table[["requests", "p10", "p90"]].to_numpy(float)
    if (values > 0).any():
        ax.set_xscale("log")
        known = [*values[values > 0], *([now] if now else [])]
        ax.set_xlim(min(known) / 2, max(known) * 2)
    edge = ax.get_yaxis_transform()
    for row, (_, found) in enumerate(table.iterrows()):
        if found["requests"] > 0:
            ax.text(
                found["requests"], row - 0.3, short(found["requests"]), ha="center", va="bottom"
            )
            ax.barh(
                row,
                found["p90"] - found["p10"],
                left=found["p10"],
                height=0.5,
                color=COLOURS[7],
                alpha=0.4,
                linewidth=0,
            )
            ax.plot(
                found["requests"],
                row,
                "o",
                color=COLOURS[7],
                markersize=6,
                markeredgecolor="white",
                markeredgewidth=0.7,
            )
        ax.text(
            1.09,
            row,
            percent(found["p_never"]) if np.isfinite(found["p_never"]) else "cannot run",
            transform=edge,
            ha="right",
            va="center",
        )
    ax.text(1.09, -0.7, "P(never)", transform=edge, ha="right", va="bottom", color=GREY)
    if now:
        ax.axvline(now, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        sentences_above(ax, [f"dashed: {short(now)} requests arrive within the horizon"])
    tidy(ax, "x")
    name_rows(ax, table["counted"])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: short(x)))
    ax.set_xlabel(
        "requests until the tune has paid for itself\n"
        "band P10 to P90, dot: every input at its middle"
    )
    return ax


@figure
def plot_tenants(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """What a tenant costs a month while more of them share a base (a table of `tenants`)."""
    colours = palette(table["option"])
    ax = ax or picture(3.0)
    table = table.assign(
        usd_per_tenant_month=table["usd_per_tenant_month"] * money.per_usd
    ).dropna()
    check(len(table), "plot_tenants: no option can run with any number of tenants")
    log_if_wide(ax, "x", table["tenants"], 10)
    log_if_wide(ax, "y", table["usd_per_tenant_month"], 10)
    ends = {}
    for label, frame in table.groupby("option", sort=False):
        ax.plot(
            frame["tenants"], frame["usd_per_tenant_month"], color=colours[label], linewidth=1.6
        )
        ends[label] = frame["usd_per_tenant_month"].iloc[-1]
    ax.set_xlim(table["tenants"].min(), table["tenants"].max())
    tidy(ax, "both")
    money_axis(ax.yaxis, money)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: short(x)))
    ax.set_xlabel("tenants")
    ax.set_ylabel(f"cost of one tenant [{money.code}/month]")
    label_ends(ax, ends, table["tenants"].max(), colours)
    return ax
