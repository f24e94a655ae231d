"""Figures of own GPUs: price against use, a day of load against capacity, where use and staff
decide, buy or rent.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.ticker import FuncFormatter

from costmodel.core.errors import check
from costmodel.core.public import public
from costmodel.core.words import USD, Currency, percent
from costmodel.pages.plots.style import (
    COLOURS,
    GREY,
    INK,
    PALE,
    SMALL,
    figure,
    label_ends,
    log_if_wide,
    money_axis,
    name_rows,
    picture,
    sentences_above,
    tidy,
)

OWN, STAFF, API = COLOURS[1], COLOURS[7], COLOURS[3]
HOURS = range(0, 25, 3)


@public
def colours(labels: Iterable[str], api: str, own: str) -> dict[str, str]:
    """Colours of the options beside those of these figures: the API green, own GPUs blue, others
    warm.

    >>> colours(["API", "Own", "Both"], "API", "Own")["Both"] == STAFF
    True
    """
    rest = iter((STAFF, COLOURS[9], COLOURS[8], COLOURS[11]))
    return {
        label: API if label == api else OWN if label == own else next(rest, GREY)
        for label in labels
    }


@figure
def plot_utilisation(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """Price of a million output tokens against the share of capacity in use, with its band (a table
    of `by_utilisation`).
    """
    ax = ax or picture(3.3)
    x, factor = table["utilisation"], money.per_usd
    ax.fill_between(
        x, table["low"] * factor, table["high"] * factor, color=OWN, alpha=0.18, linewidth=0
    )
    ax.plot(x, table["usd_per_mtok_out"] * factor, color=OWN, linewidth=1.6)
    ends, colours = (
        {"GPUs alone": float(table["usd_per_mtok_out"].iloc[-1]) * factor},
        {"GPUs alone": OWN},
    )
    if (table["with_people"] > table["usd_per_mtok_out"]).any():
        ax.plot(x, table["with_people"] * factor, color=STAFF, linewidth=1.6)
        ends["with people"], colours["with people"] = (
            float(table["with_people"].iloc[-1]) * factor,
            STAFF,
        )
    if table["api"].notna().any():
        ax.axhline(table["api"].iloc[0] * factor, color=API, linewidth=1.4, linestyle=(0, (4, 3)))
        ends["API"], colours["API"] = float(table["api"].iloc[0]) * factor, API
    log_if_wide(ax, "x", x, 5)
    log_if_wide(ax, "y", table[["low", "high"]].to_numpy() * factor, 5)
    ax.set_xlim(x.min(), x.max())
    tidy(ax, "both")
    money_axis(ax.yaxis, money)
    ax.set_xticks([t for t in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if x.min() <= t <= x.max()])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: percent(v)))
    ax.set_xlabel("capacity in use [share]")
    ax.set_ylabel(f"price of a million output tokens [{money.code}/Mtok]")
    label_ends(ax, ends, float(x.max()), colours)
    return ax


@figure
def plot_day(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """One day: replicas that are up, the part that is busy, and what spills over (a table of
    `day`).
    """
    ax = ax or picture(2.8)
    edges = np.arange(25)
    ax.stairs(table["capacity"], edges, fill=True, color=PALE, label="up, idle")
    ax.stairs(table["busy"], edges, fill=True, color=OWN, label="up, in use")
    if (table["spilled"] > 1e-6).any():
        ax.stairs(
            table["load"],
            edges,
            baseline=table["busy"],
            fill=True,
            color=API,
            label="answered by the API",
        )
    ax.stairs(table["capacity"], edges, color=INK, linewidth=1.1)
    use = table["busy"].sum() / table["capacity"].sum() if table["capacity"].sum() else 0.0
    sentences_above(ax, [f"{percent(use)} of the replica-hours of this day are in use"])
    ax.set_xlim(0, 24)
    ax.set_ylim(0, max(table["capacity"].max(), table["load"].max()) * 1.18)
    tidy(ax, "y")
    ax.set_xticks(list(HOURS))
    ax.set_xlabel("hour of the day, busiest in the middle")
    ax.set_ylabel("replicas")
    ax.legend(loc="upper left", ncols=3, handlelength=1.2, borderpad=0.2)
    return ax


@figure
def plot_breakeven_map(
    table: pd.DataFrame, ax: Axes | None = None, now: tuple[float, float] | None = None
) -> Axes:
    """Own cost over API cost by use and staff; the line is where both cost the same (a table of
    `own_over_api`).

    `now` marks a pair (utilisation, FTE).
    """
    check(
        table.shape[0] > 1 and table.shape[1] > 1,
        "plot_breakeven_map: the table needs at least two rows and two columns",
    )
    ax = ax or picture(3.5)
    x, y, ratio = (
        table.columns.to_numpy(float),
        table.index.to_numpy(float),
        np.log10(table.to_numpy(float)),
    )
    reach = max(0.3, min(1.0, float(np.abs(ratio).max())))
    mesh = ax.pcolormesh(
        x,
        y,
        ratio,
        cmap="PuOr_r",
        norm=TwoSlopeNorm(0.0, -reach, reach),
        shading="gouraud",
        rasterized=True,
    )
    if ratio.min() < 0 < ratio.max():
        line = ax.contour(x, y, ratio, levels=[0.0], colors=INK, linewidths=1.4)
        ax.clabel(line, fmt={0.0: "same cost"}, fontsize=SMALL)
        sentences_above(ax, ["purple: own GPUs are cheaper, orange: the API is"])
    else:
        cheaper = "the API is" if ratio.min() > 0 else "own GPUs are"
        sentences_above(ax, [f"never: {cheaper} cheaper everywhere on this map"])
    if now is not None:
        inside = (np.clip(now[0], x[0], x[-1]), np.clip(now[1], y[0], y[-1]))
        ax.plot(*inside, "o", color="white", markeredgecolor=INK, markersize=6.5, clip_on=False)
        ax.annotate("as planned", inside, (7, 5), textcoords="offset points")
    bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02)
    ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10) if abs(np.log10(t)) <= reach + 1e-9]
    bar.set_ticks([np.log10(t) for t in ticks], labels=[f"{t:g}x" for t in ticks])
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)
    bar.set_label("own cost over API cost", fontsize=SMALL)
    tidy(ax, "y")
    ax.grid(False)
    ax.set_xscale("log")
    ax.set_xlim(x.min(), x.max())
    ax.set_ylim(y.min(), y.max())
    ax.set_xticks([t for t in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if x.min() <= t <= x.max()])
    ax.xaxis.set_minor_formatter(FuncFormatter(lambda v, _: ""))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: percent(v)))
    ax.set_xlabel("capacity in use [share]")
    ax.set_ylabel("engineers kept busy [FTE]")
    return ax


@figure
def plot_buy_or_rent(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """Present value of buying and of each rent, with its band; at the right the share of hours from
    which buying pays (`buy_or_rent`).
    """
    ax = ax or picture(0.9 + 0.34 * len(table))
    edge = ax.get_yaxis_transform()
    for row, (_, found) in enumerate(table.iterrows()):
        colour = STAFF if found["choice"] == "buy" else OWN
        ax.barh(
            row,
            (found["p90"] - found["p10"]) * money.per_usd,
            left=found["p10"] * money.per_usd,
            height=0.5,
            color=colour,
            alpha=0.3,
            linewidth=0,
        )
        ax.plot(
            found["npv"] * money.per_usd,
            row,
            "o",
            color=colour,
            markersize=6,
            markeredgecolor="white",
            markeredgewidth=0.7,
        )
        at = found["breakeven_utilisation"]
        text = (
            ""
            if found["choice"] == "buy"
            else "all hours paid"
            if np.isnan(at)
            else percent(at)
            if at <= 1
            else "never"
        )
        ax.text(1.17, row, text, transform=edge, ha="right", va="center")
    ax.text(1.17, -0.62, "buying pays above", transform=edge, ha="right", va="bottom", color=GREY)
    tidy(ax, "x")
    name_rows(ax, table["choice"])
    ax.set_xlim(0, float(table["p90"].max()) * money.per_usd * 1.05)
    money_axis(ax.xaxis, money)
    ax.set_xlabel(
        f"present value of the cost [{money.code}]\nband P10 to P90, dot: every input at its middle"
    )
    return ax
