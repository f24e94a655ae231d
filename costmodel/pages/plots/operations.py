"""Figures of keeping it alive: a year on one timeline, release policies, what an agent's task
costs, published runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from costmodel.choices.techniques.release import POLICIES
from costmodel.core import USD, Currency, dollars, percent, short
from costmodel.pages.plots.marks import (
    HATCHED,
    column_beside,
    draw_lines,
    draw_map,
    draw_ranges,
    legend_above,
    legend_mark,
    note,
)
from costmodel.pages.plots.style import (
    COLOURS,
    INK,
    PALE,
    PHASE_COLOURS,
    SMALL,
    Style,
    by_option,
    by_phase,
    figure,
    in_currency,
    log_if_wide,
    money_axis,
    name_rows,
    narrow,
    picture,
    tidy,
    write_as,
)

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
SUCCESS_COLOURS = [COLOURS[i] for i in (2, 1, 0, 6, 7, 8)]  # the surest first


@figure
def plot_year(
    table: pd.DataFrame,
    events: pd.DataFrame | None = None,
    ax: Axes | None = None,
    money: Currency = USD,
) -> Axes:
    """What each month costs, by phase, expected losses hatched on top (a ledger of one option);
    `events` (a table of `oneoffs`) are numbered and named above.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG")
    >>> events = cm.operations.oneoffs(study)
    >>> ax = cm.plots.plot_year(cm.ledger(study, months=12), events)
    >>> ax.get_ylabel()
    'cost of the month [USD]'
    """
    paid = by_phase(table, "month", money)
    months = np.arange(paid.index.max() + 1)
    ends = paid.reindex(months, fill_value=0.0).cumsum(axis=1)
    total = ends.iloc[:, -1]
    ax = ax or picture(4.2)
    base = 0 * total
    for phase, end in ends.items():
        look: Style = {"color": PHASE_COLOURS[str(phase)], "label": phase}
        if phase == "failures":
            look = {**HATCHED, "label": "expected loss"}
        ax.bar(months, end - base, bottom=base, width=0.78, **look)
        base = end
    ax.set_ylim(0, total.max() * 1.12)
    handles: list[Any] = list(ax.containers)
    top: Style = {"ha": "center", "va": "bottom", "weight": "bold"}
    for number, (month, what) in enumerate(_dearest_purchases(events, money), 1):
        ax.text(month, total[month] + total.max() * 0.02, str(number), **top)
        handles.append(legend_mark(f"${number}$", INK, what, 5))
    tidy(ax, "y")
    money_axis(ax.yaxis, money, "cost of the month [{}]")
    ax.set_xticks(months[:: max(1, len(months) // MOST_TICKS)])
    ax.set_xlabel("month (0: today)")
    small: Style = {"handlelength": 1.1, "handleheight": 0.9}
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.02), **small)
    return ax


def _dearest_purchases(events: pd.DataFrame | None, money: Currency) -> list[tuple[int, str]]:
    """(month, the dearest purchases in words) of the months in which something happens."""
    if events is None or events.empty:
        return []
    found = in_currency(events, money).sort_values("usd", ascending=False, kind="stable")
    by_month = found.groupby("month")["usd"]
    named = []
    for month, rows in found[found["usd"] >= NAMED * by_month.sum().max()].groupby("month"):
        dearest = zip(rows["item"].head(3), rows["usd"], strict=False)
        what = [f"{item}, {dollars(usd, money)}" for item, usd in dearest]
        more = [f"and {len(rows) - 3} more"] if len(rows) > 3 else []
        named.append((int(month), "\n".join(what + more)))
    return named


@figure
def plot_policies(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """What each release policy costs and what it still loses in a year, cheapest on top (a table of
    `release_policies`).

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG")
    >>> table = cm.operations.release_policies(study, policies=["shadow", "canary"], draws=200)
    >>> ax = cm.plots.plot_policies(table)
    >>> sorted(tick.get_text() for tick in ax.get_yticklabels())
    ['canary', 'none: all at once', 'shadow']
    """
    ax = ax or picture(0.9 + 0.36 * len(table))
    table = in_currency(table, money)
    rows, paid, lost = range(len(table)), table["usd_per_year"], table["usd_loss"]
    ax.barh(rows, paid, height=0.55, color=COLOURS[1], label="people and traffic")
    bars = ax.barh(rows, lost, left=paid, height=0.55, label="expected loss", **HATCHED)
    ax.bar_label(bars, [f"  {dollars(usd, money)}" for usd in table["usd_total"]])
    at, room = ((0.86, 0.97, 1.12), 2.9) if narrow() else ((0.86, 0.97, 1.13), 1.6)
    column_beside(ax, at[0], "days", [f"{days:.0f}" for days in table["days"]])
    column_beside(ax, at[1], "slips", map(percent, table["slips"]))
    column_beside(ax, at[2], "cheapest in", map(percent, table["p_cheapest"]))
    ax.set_xlim(0, table["usd_total"].max() * room)  # for the three columns
    name_rows(ax, table["policy"].replace("none", "none: all at once"))
    name = "a year of releases [{}]\nslips: chance that a bad change reaches everybody"
    money_axis(ax.xaxis, money, name)
    legend_above(ax, 2)
    return ax


@figure
def plot_best_policy(
    table: pd.DataFrame, now: tuple[float, float] | None = None, ax: Axes | None = None
) -> Axes:
    """The cheapest release policy by traffic and by what a failure costs (a table of
    `best_policy`); `now` marks a workload.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG")
    >>> table = cm.operations.best_policy(study, [1e3, 1e5, 1e7], [0.01, 1.0])
    >>> ax = cm.plots.plot_best_policy(table, now=(3e5, 0.4))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['none', 'replay', 'canary']
    """
    ax = ax or picture(3.3)
    best = set(table["policy"])
    colours = {name: colour for name, colour in POLICY_COLOURS.items() if name in best}
    handles = draw_map(ax, table, "requests_per_month", "usd_per_failure", "policy", colours)
    ax.set(xscale="log", yscale="log")
    tidy(ax)
    ax.grid(False)
    write_as(ax.xaxis, short, "requests [1/month]")
    ax.xaxis.set_minor_formatter(NullFormatter())
    money_axis(ax.yaxis, USD, "what a failure costs [USD]")
    if now is not None:
        ax.plot(*now, "o", color=INK, markeredgecolor="white")
        note(ax, "this workload", now, (7, 5), va="baseline")
    beside: Style = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.02), "alignment": "left"}
    ax.legend(handles=handles, title="cheapest policy", title_fontsize=SMALL, **beside)
    return ax


@figure
def plot_shares(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Inference as a share of everything, by volume (a table of `inference_share` with volumes);
    the band is what is published, 20 to 30 %.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Prompt")
    >>> table = cm.operations.inference_share(study, [1e4, 1e5, 1e6])
    >>> cm.plots.plot_shares(table).get_ylabel()
    'inference over everything [share]'
    """
    ax = ax or picture(2.9)
    ax.axhspan(*INFERENCE_BAND, color=PALE, alpha=0.8, linewidth=0, zorder=0)
    lines = by_option(table, "requests_per_month", "share")
    colours = dict(zip(lines, COLOURS[1::2], strict=False))
    ax.set(xscale="log", ylim=(0, 1))
    draw_lines(ax, lines, colours)
    write_as(ax.xaxis, short, "requests [1/month]; grey: 20 to 30 %, as published")
    write_as(ax.yaxis, percent, "inference over everything [share]")
    return ax


@figure
def plot_tasks(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """Cost of a resolved task against the steps it takes, one line for each success (a table of
    `steps_and_success`).

    Examples
    --------
    >>> import costmodel as cm
    >>> agent = cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-01"), cm.Agent())
    >>> work = cm.Workload(10_000, input_tokens=900, output_tokens=250)
    >>> table = cm.operations.steps_and_success(agent, work, [2, 10, 50], success=[0.9, 0.5])
    >>> cm.plots.plot_tasks(table).get_ylabel()
    'cost of a resolved task [USD]'
    """
    ax = ax or picture(3.1)
    table = in_currency(table, money).sort_values("success", ascending=False, kind="stable")
    named = table.assign(option=[f"{percent(success)} resolved" for success in table["success"]])
    lines = by_option(named, "steps", "usd_per_resolved")
    colours = dict(zip(lines, SUCCESS_COLOURS, strict=False))
    log_if_wide(ax, "x", lines.index, 10)
    log_if_wide(ax, "y", lines, 10)
    draw_lines(ax, lines, colours)
    money_axis(ax.yaxis, money, "cost of a resolved task [{}]")
    write_as(ax.xaxis, short, "steps of a task [count]")
    return ax


@figure
def plot_agent_runs(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Dollars a task: the published number as a diamond, ours as a dot in its 80 % band (a table of
    `agent_runs`).

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.operations.agent_runs(draws=100)
    >>> ax = cm.plots.plot_agent_runs(table)
    >>> len(ax.get_yticklabels()) == len(table)
    True
    """
    table = table.sort_values("reported", kind="stable")
    ax = ax or picture(0.9 + 0.25 * len(table))
    ours, missed = COLOURS[1], str(HATCHED["edgecolor"])
    colours = np.where(table["inside"], ours, missed)
    draw_ranges(ax, table[["low", "mid", "high"]], colours, size=4.5, edge=0, alpha=0.35)
    ax.plot(table["reported"], range(len(table)), "D", color=INK, markersize=4.5, markeredgewidth=0)
    at = (1.0, 1.16) if narrow() else (1.07, 1.205)
    column_beside(ax, at[0], "steps", [f"{steps:.0f}" for steps in table["steps"]], -0.8)
    column_beside(ax, at[1], "resolved", map(percent, table["success"]), -0.8)
    ax.set_xscale("log")
    if narrow():  # room for the first column
        ax.set_xlim(right=ax.get_xlim()[1] * 2.5)
    name_rows(ax, table["case"])
    money_axis(ax.xaxis, USD, "model cost of one task [USD]")
    marks = (("D", INK, "published"), ("o", ours, "ours, 80 % band"), ("o", missed, "band misses"))
    legend_above(ax, 3, [legend_mark(*mark) for mark in marks], handletextpad=0.2)
    return ax
