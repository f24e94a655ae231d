"""Figures of the decision and the business case: each takes a table that an analysis made, computes
nothing, and returns its axes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from costmodel.core.errors import check
from costmodel.core.words import USD, Currency, dollars, number_text, percent, readable
from costmodel.pages.plots.style import (
    COLOURS,
    GREY,
    INK,
    NORMAL,
    PALE,
    figure,
    label_ends,
    log_if_wide,
    money_axis,
    name_rows,
    palette,
    picture,
    tidy,
)

GAIN, LOSS = COLOURS[3], COLOURS[7]


@figure
def plot_fan(
    table: pd.DataFrame,
    ax: Axes | None = None,
    colours: Mapping[str, str] | None = None,
    money: Currency = USD,
) -> Axes:
    """What has been paid up to each month: the median as a line, 80 % of the draws shaded (a table
    of `fan`).
    """
    check(len(table), "plot_fan: the table has no months")
    ax = ax or picture()
    colours = colours or palette(table["option"])
    ends = {}
    for label, part in table.groupby("option", sort=False):
        low, mid, high = (part[p].to_numpy() * money.per_usd for p in ("p10", "p50", "p90"))
        ax.fill_between(
            part["month"], low, high, color=colours[str(label)], alpha=0.16, linewidth=0
        )
        ax.plot(part["month"], mid, color=colours[str(label)], linewidth=1.6)
        ends[str(label)] = float(mid[-1])
    months = table["month"].max()
    ax.set_xlim(0, months)
    ax.set_ylim(0, None)
    tidy(ax, "y")
    money_axis(ax.yaxis, money)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.set_xlabel("month")
    ax.set_ylabel(f"paid so far, median and 80 % band [{money.code}]")
    label_ends(ax, ends, months, colours)
    return ax


@figure
def plot_waterfall(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """Why a total changed: from before to after, one bar for each step (a table of `waterfall`)."""
    check(len(table) > 2, "plot_waterfall: the table has no steps")
    ax = ax or picture(1.0 + 0.32 * len(table))
    last = len(table) - 1
    for row, (usd, total) in enumerate(table[["usd", "total"]].itertuples(index=False)):
        usd, total = usd * money.per_usd, total * money.per_usd
        whole = row in (0, last)
        ax.barh(
            row,
            total if whole else usd,
            left=0 if whole else total - usd,
            height=0.55,
            color=GREY if whole else LOSS if usd > 0 else GAIN,
            linewidth=0,
        )
        text = dollars(total, money) if whole else ("+" if usd > 0 else "") + dollars(usd, money)
        ax.annotate(
            text,
            (max(total, total - usd) if not whole else total, row),
            (4, 0),
            textcoords="offset points",
            va="center",
        )
        if row < last:
            ax.plot([total, total], [row - 0.28, row + 1.28], color=GREY, linewidth=0.7)
    name_rows(ax, [str(step) for step in table["step"]])
    most = table["total"].max() * money.per_usd
    ax.set_xlim(0, most * 1.13)
    tidy(ax, "x")
    money_axis(ax.xaxis, money)
    ax.set_xlabel(f"total over the horizon [{money.code}]")
    return ax


@figure
def plot_case(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The cash of one option against its baseline: net of each month as bars, their sum as a line
    (one option of `case_flow`).
    """
    check(
        table["option"].nunique() == 1, "plot_case shows one option; choose its rows of case_flow"
    )
    ax = ax or picture()
    money = Currency(str(table["currency"].iloc[0]).split()[0])
    net = table["net"].to_numpy()
    ax.bar(table["month"], net, color=np.where(net < 0, LOSS, GAIN), width=0.8, linewidth=0)
    ax.plot(table["month"], table["cumulative"], color=INK, linewidth=1.5)
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.set_xlim(-0.8, table["month"].max() + 0.8)
    ax.annotate(
        "sum so far",
        (table["month"].iloc[-1], table["cumulative"].iloc[-1]),
        (-4, 6),
        textcoords="offset points",
        ha="right",
    )
    tidy(ax, "y")
    money_axis(ax.yaxis, money)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.set_xlabel("month; 0 is today")
    ax.set_ylabel(f"against the baseline [{money.code}]")
    ax.legend(
        handles=[Patch(color=GAIN, label="comes in"), Patch(color=LOSS, label="goes out")],
        loc="upper left",
        ncols=2,
    )
    return ax


@figure
def plot_regions(
    table: pd.DataFrame, ax: Axes | None = None, colours: Mapping[str, str] | None = None
) -> Axes:
    """Who is cheapest where: a map over two inputs with the present point (of `regions`)."""
    x, y = table.columns[:2]
    ax = ax or picture(3.8)
    labels = [str(b) for b in table["best"].value_counts().index if b]
    check(labels, "plot_regions: no option runs anywhere on the map")
    colours = colours or palette(labels)
    index = {label: i for i, label in enumerate(labels)}
    grid = table.assign(which=table["best"].map(index)).pivot(index=y, columns=x, values="which")
    from matplotlib.colors import ListedColormap

    ax.pcolormesh(
        grid.columns,
        grid.index,
        grid,
        cmap=ListedColormap([colours[label] for label in labels]),
        vmin=-0.5,
        vmax=len(labels) - 0.5,
        alpha=0.75,
        shading="nearest",
        linewidth=0,
        rasterized=True,
    )
    for which, name in (("x", x), ("y", y)):
        log_if_wide(ax, which, table[name])
        axis = getattr(ax, f"{which}axis")
        axis.set_major_formatter(FuncFormatter(lambda v, _: number_text(v)))
        getattr(ax, f"set_{which}label")(readable(name), fontsize=NORMAL)
    ax.set_xlim(grid.columns.min(), grid.columns.max())
    ax.set_ylim(grid.index.min(), grid.index.max())
    now = table.attrs.get("now", {})
    if {x, y} <= set(now):
        ax.plot(now[x], now[y], "o", color="white", markeredgecolor=INK, markersize=7)
        ax.annotate("now", (now[x], now[y]), (7, 5), textcoords="offset points")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(labelsize=NORMAL, color=GREY)
    ax.legend(
        handles=[Patch(color=colours[label], alpha=0.75, label=label) for label in labels],
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=min(3, len(labels)),
    )
    return ax


@figure
def plot_sobol(table: pd.DataFrame, ax: Axes | None = None, n: int = 8) -> Axes:
    """Share of the variance that each input explains, alone and with its interactions, with the 90
    % ends (a table of `sobol`).
    """
    table = table.head(n)
    check(len(table), "plot_sobol: the table has no inputs")
    ax = ax or picture(1.0 + 0.32 * len(table))
    for shift, column, colour in ((-0.16, "first", COLOURS[1]), (0.16, "total", COLOURS[0])):
        rows, value = np.arange(len(table)) + shift, table[column].clip(lower=0)
        ends = np.abs(
            np.vstack(
                [
                    value - table[f"{column}_low"].clip(lower=0),
                    table[f"{column}_high"].clip(lower=0) - value,
                ]
            )
        )
        ax.barh(
            rows,
            value,
            height=0.3,
            color=colour,
            xerr=ends,
            error_kw={"elinewidth": 0.8, "ecolor": GREY},
            linewidth=0,
        )
    name_rows(ax, [readable(key) for key in table["input"]])
    tidy(ax, "x")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: percent(v)))
    ax.set_xlim(0, None)
    ax.set_xlabel("share of the variance of the total")
    ax.legend(
        handles=[
            Patch(color=COLOURS[1], label="alone"),
            Patch(color=COLOURS[0], label="with its interactions"),
        ],
        loc="lower right",
    )
    return ax


@figure
def plot_information(
    table: pd.DataFrame, ax: Axes | None = None, n: int = 8, money: Currency = USD
) -> Axes:
    """What knowing something before the choice is worth, with twice its sampling error (a table of
    `value_of_information`).
    """
    table = table[(table["usd"] > 0) | (table["kind"] == "all")].head(n + 1)
    check(len(table), "plot_information: the table has no rows")
    ax = ax or picture(1.0 + 0.3 * len(table))
    shade = {"all": GREY, "group": COLOURS[1], "input": COLOURS[0]}
    ax.barh(
        range(len(table)),
        table["usd"] * money.per_usd,
        xerr=2 * table["error"] * money.per_usd,
        height=0.55,
        color=[shade[k] for k in table["kind"]],
        error_kw={"elinewidth": 0.9, "ecolor": INK},
        linewidth=0,
    )
    name_rows(
        ax,
        [
            readable(key) if kind == "input" else key
            for key, kind in zip(table["input"], table["kind"], strict=True)
        ],
    )
    tidy(ax, "x")
    money_axis(ax.xaxis, money)
    ax.set_xlim(0, None)
    ax.set_xlabel(f"most that knowing it is worth over the horizon [{money.code}]")
    ax.legend(
        handles=[
            Patch(color=shade[k], label=t)
            for k, t in (
                ("all", "everything"),
                ("group", "what one measurement tells"),
                ("input", "one input"),
            )
        ],
        loc="lower right",
    )
    return ax


@figure
def plot_scaling(draws: list[int], seconds: list[float], ax: Axes | None = None) -> Axes:
    """Time of `compare` by the number of draws, beside a line through the last point."""
    ax = ax or picture(3.0)
    ax.plot(draws, seconds, "o-", color=COLOURS[1], linewidth=1.5, markersize=5)
    ax.plot(
        draws,
        seconds[-1] * np.asarray(draws) / draws[-1],
        color=GREY,
        linewidth=0.9,
        linestyle="--",
    )
    ax.set_xscale("log")
    ax.set_yscale("log")
    tidy(ax, "both")
    ax.grid(color=PALE, linewidth=0.7)
    ax.set_xlabel("draws")
    ax.set_ylabel("time of one compare [s]")
    ax.legend(
        handles=[
            ax.plot([], [], "o-", color=COLOURS[1], label="measured")[0],
            ax.plot([], [], "--", color=GREY, label="linear")[0],
        ]
    )
    return ax
