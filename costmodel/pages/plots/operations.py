"""Figures of keeping it alive: a year on one timeline, release policies, what an agent's task
costs, published runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullFormatter

from costmodel.choices.purchases import PHASES
from costmodel.choices.techniques.release import POLICIES
from costmodel.core.errors import check
from costmodel.core.words import USD, Currency, dollars, percent, short
from costmodel.pages.plots.style import (
    COLOURS,
    GREY,
    INK,
    PALE,
    PHASE_COLOURS,
    SMALL,
    figure,
    in_currency,
    label_ends,
    log_if_wide,
    money_axis,
    name_rows,
    picture,
    tidy,
)

LOSS = "#C8443C"
INFERENCE_BAND = (0.20, 0.30)  # published share of inference in a mature feature
POLICY_COLOURS = dict(
    zip(
        POLICIES,
        ("#E6E6E6", "#A6CEE3", "#4F93C4", "#F2B134", "#8DB84A", "#2A7F7A", "#5B3A82"),
        strict=True,
    )
)
MOST_TICKS = 9
NAMED = 0.04  # an event is named from this share of the dearest month on


@figure
def plot_year(
    table: pd.DataFrame,
    events: pd.DataFrame | None = None,
    ax: Axes | None = None,
    money: Currency = USD,
) -> Axes:
    """What each month costs, by phase, expected losses hatched on top (a ledger of one option);
    `events` (a table of `oneoffs`) are numbered and named above."""
    check(len(table), "plot_year: the ledger is empty; the option cannot run")
    paid = (
        in_currency(table, money).groupby(["month", "phase"])["usd"].sum().unstack(fill_value=0.0)
    )
    months = np.arange(paid.index.max() + 1)
    paid = paid.reindex(months, fill_value=0.0)
    ax = ax or picture(4.2)
    base = np.zeros(len(months))
    handles: list[Any] = []
    for phase in (p for p in PHASES if p in paid and paid[p].any()):
        lost = phase == "failures"
        look: dict[str, Any] = (
            {"facecolor": "white", "edgecolor": LOSS, "hatch": "////", "linewidth": 0.4}
            if lost
            else {"color": PHASE_COLOURS[phase], "linewidth": 0}
        )
        ax.bar(months, paid[phase], bottom=base, width=0.78, **look)
        handles.append(Patch(label="expected loss" if lost else phase, **look))
        base = base + paid[phase].to_numpy()
    ax.set_ylim(0, base.max() * 1.12)
    for number, (month, what) in enumerate(_named(events, money), 1):
        ax.text(
            month,
            base[month] + base.max() * 0.02,
            str(number),
            ha="center",
            va="bottom",
            weight="bold",
        )
        handles.append(
            Line2D([], [], linestyle="", marker=f"${number}$", color=INK, markersize=5, label=what)
        )
    tidy(ax, "y")
    money_axis(ax.yaxis, money)
    ax.set_xticks(months[:: max(1, len(months) // MOST_TICKS)])
    ax.set_xlabel("month (0: today)")
    ax.set_ylabel(f"cost of the month [{money.code}]")
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.02),
        handlelength=1.1,
        handleheight=0.9,
        labelspacing=0.5,
    )
    return ax


def _named(events: pd.DataFrame | None, money: Currency) -> list[tuple[int, str]]:
    """(month, the dearest purchases in words) of the months in which something happens."""
    if events is None or not len(events):
        return []
    found = in_currency(events, money)
    least = NAMED * found.groupby("month")["usd"].sum().max()
    named = []
    for month, rows in found[found["usd"] >= least].groupby("month"):
        rows = rows.sort_values("usd", ascending=False, kind="stable")
        what = "\n".join(
            f"{row.item}, {dollars(row.usd, money)}" for row in rows.head(3).itertuples()
        )
        named.append((int(month), what + (f"\nand {len(rows) - 3} more" if len(rows) > 3 else "")))
    return named


@figure
def plot_policies(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """What each release policy costs and what it still loses in a year, cheapest on top (a table of
    `release_policies`).
    """
    ax, rate = ax or picture(0.9 + 0.36 * len(table)), money.per_usd
    for row, found in enumerate(table.itertuples()):
        ax.barh(row, found.usd_per_year * rate, height=0.55, color=COLOURS[1], linewidth=0)
        ax.barh(
            row,
            found.usd_loss * rate,
            left=found.usd_per_year * rate,
            height=0.55,
            facecolor="white",
            edgecolor=LOSS,
            hatch="////",
            linewidth=0.4,
        )
        ax.text(
            found.usd_total * rate, row, f"  {dollars(found.usd_total * rate, money)}", va="center"
        )
        for at, text in (
            (0.86, f"{found.days:.0f}"),
            (0.97, percent(found.slips)),
            (1.13, percent(found.p_cheapest)),
        ):
            ax.text(at, row, text, transform=ax.get_yaxis_transform(), ha="right", va="center")
    for at, text in ((0.86, "days"), (0.97, "slips"), (1.13, "P(cheapest)")):
        ax.text(
            at, -0.7, text, transform=ax.get_yaxis_transform(), ha="right", va="bottom", color=GREY
        )
    ax.set_xlim(0, table["usd_total"].max() * rate * 1.6)  # room for the three columns
    tidy(ax, "x")
    name_rows(ax, table["policy"].replace("none", "none: all at once"))
    money_axis(ax.xaxis, money)
    ax.set_xlabel(
        f"a year of releases [{money.code}]\nslips: chance that a bad change reaches everybody"
    )
    handles = [
        Patch(color=COLOURS[1], label="people and traffic"),
        Patch(
            facecolor="white", edgecolor=LOSS, hatch="////", linewidth=0.4, label="expected loss"
        ),
    ]
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderpad=0.2)
    return ax


@figure
def plot_best_policy(
    table: pd.DataFrame, now: tuple[float, float] | None = None, ax: Axes | None = None
) -> Axes:
    """The cheapest release policy by traffic and by what a failure costs (a table of
    `best_policy`); `now` marks a workload.
    """
    ax = ax or picture(3.3)
    names = [name for name in POLICIES if (table["policy"] == name).any()]
    grid = table.assign(code=table["policy"].map({name: i for i, name in enumerate(names)})).pivot(
        index="usd_per_failure", columns="requests_per_month", values="code"
    )
    colours = ListedColormap([POLICY_COLOURS[name] for name in names])
    ax.pcolormesh(
        grid.columns,
        grid.index,
        grid.to_numpy(float),
        cmap=colours,
        vmin=-0.5,
        vmax=len(names) - 0.5,
        shading="nearest",
        rasterized=True,
    )
    for which in ("x", "y"):
        getattr(ax, f"set_{which}scale")("log")
    tidy(ax, "both")
    ax.grid(False)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: short(x)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: dollars(x)))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_formatter(NullFormatter())
    if now is not None:
        ax.plot(*now, "o", color=INK, markersize=6, markeredgecolor="white", markeredgewidth=1)
        ax.annotate("this workload", now, (7, 5), textcoords="offset points")
    ax.set_xlabel("requests [1/month]")
    ax.set_ylabel("what a failure costs [USD]")
    handles = [Patch(color=POLICY_COLOURS[name], label=name) for name in names]
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.02),
        title="cheapest policy",
        title_fontsize=SMALL,
        alignment="left",
    )
    return ax


@figure
def plot_shares(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Inference as a share of everything, by volume (a table of `inference_share` with volumes);
    the band is what is published, 20 to 30 %."""
    ax = ax or picture(2.9)
    ax.axhspan(*INFERENCE_BAND, color=PALE, alpha=0.8, linewidth=0, zorder=0)
    ends = {}
    colours = dict(zip(dict.fromkeys(table["option"]), COLOURS[1::2], strict=False))
    for label, rows in table.groupby("option", sort=False):
        ax.plot(rows["requests_per_month"], rows["share"], color=colours[label], linewidth=1.6)
        ends[label] = rows["share"].iloc[-1]
    ax.set_xscale("log")
    ax.set_xlim(table["requests_per_month"].min(), table["requests_per_month"].max())
    ax.set_ylim(0, 1)
    tidy(ax, "both")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: short(x)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: percent(x)))
    ax.set_xlabel("requests [1/month]; grey: 20 to 30 %, as published")
    ax.set_ylabel("inference over everything [share]")
    label_ends(ax, ends, table["requests_per_month"].max(), colours)
    return ax


@figure
def plot_tasks(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """Cost of a resolved task against the steps it takes, one line for each success (a table of
    `steps_and_success`).
    """
    ax = ax or picture(3.1)
    table = table.assign(usd_per_resolved=table["usd_per_resolved"] * money.per_usd)
    log_if_wide(ax, "x", table["steps"], 10)
    log_if_wide(ax, "y", table["usd_per_resolved"], 10)
    shades = dict(
        zip(
            sorted(table["success"].unique(), reverse=True),
            (COLOURS[2], COLOURS[1], COLOURS[0], COLOURS[6], COLOURS[7], COLOURS[8]),
            strict=False,
        )
    )
    ends, colours = {}, {}
    for success, rows in table.groupby("success", sort=False):
        label = f"{percent(success)} resolved"
        ax.plot(rows["steps"], rows["usd_per_resolved"], color=shades[success], linewidth=1.6)
        ends[label], colours[label] = rows["usd_per_resolved"].iloc[-1], shades[success]
    ax.set_xlim(table["steps"].min(), table["steps"].max())
    tidy(ax, "both")
    money_axis(ax.yaxis, money)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: short(x)))
    ax.set_xlabel("steps of a task [count]")
    ax.set_ylabel(f"cost of a resolved task [{money.code}]")
    label_ends(ax, ends, table["steps"].max(), colours)
    return ax


@figure
def plot_agent_runs(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Dollars a task: the published number as a diamond, ours as a dot in its 80 % band (a table of
    `agent_runs`).
    """
    table = table.sort_values("reported", kind="stable")
    ax = ax or picture(0.9 + 0.25 * len(table))
    for row, found in enumerate(table.itertuples()):
        colour = COLOURS[1] if found.inside else LOSS
        ax.barh(
            row,
            found.high - found.low,
            left=found.low,
            height=0.5,
            color=colour,
            alpha=0.35,
            linewidth=0,
        )
        ax.plot(found.mid, row, "o", color=colour, markersize=4.5, markeredgewidth=0)
        ax.plot(found.reported, row, "D", color=INK, markersize=4.5, markeredgewidth=0)
        ax.text(
            1.07,
            row,
            f"{found.steps:.0f}",
            transform=ax.get_yaxis_transform(),
            ha="right",
            va="center",
        )
        ax.text(
            1.205,
            row,
            percent(found.success),
            transform=ax.get_yaxis_transform(),
            ha="right",
            va="center",
        )
    for at, text in ((1.07, "steps"), (1.205, "resolved")):
        ax.text(
            at, -0.8, text, transform=ax.get_yaxis_transform(), ha="right", va="bottom", color=GREY
        )
    ax.set_xscale("log")
    tidy(ax, "x")
    name_rows(ax, table["case"])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: dollars(x)))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("model cost of one task [USD]")
    handles = [
        Line2D([], [], linestyle="", marker="D", color=INK, markersize=4.5, label="published"),
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            color=COLOURS[1],
            markersize=4.5,
            label="ours, 80 % band",
        ),
        Line2D([], [], linestyle="", marker="o", color=LOSS, markersize=4.5, label="band misses"),
    ]
    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=3,
        handletextpad=0.2,
        borderpad=0.2,
    )
    return ax
