"""Figures of own GPUs: price against use, a day of load against capacity, where use and staff
decide, buy or rent.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.ticker import NullFormatter

from costmodel.core import USD, Currency, check, percent, public
from costmodel.pages.plots.marks import (
    DASHED,
    column_beside,
    draw_band,
    draw_lines,
    draw_ranges,
    mark_present,
    sentences_above,
)
from costmodel.pages.plots.style import (
    COLOURS,
    GREY,
    INK,
    PALE,
    SMALL,
    Style,
    figure,
    in_currency,
    log_if_wide,
    money_axis,
    name_rows,
    picture,
    tidy,
    write_as,
)

OWN, STAFF, API = COLOURS[1], COLOURS[7], COLOURS[3]
LINES = {"usd_per_mtok_out": "GPUs alone", "with_people": "with people", "api": "API"}
LINE_COLOURS = dict(zip(LINES.values(), (OWN, STAFF, API), strict=True))


@public
def colours(labels: Iterable[str], api: str, own: str) -> dict[str, str]:
    """Colours of the options beside those of these figures: the API green, own GPUs blue, others
    warm.

    Parameters
    ----------
    labels : iterable of str
        Labels of all options.
    api, own : str
        Which of them is the API, and which the own GPUs.

    Returns
    -------
    dict of label to colour
        In the order of the labels.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.plots.colours(["API", "Own", "Both"], api="API", own="Own")
    {'API': '#009E73', 'Own': '#0072B2', 'Both': '#D55E00'}
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

    Examples
    --------
    >>> import costmodel as cm
    >>> own, api = cm.Hosted("llama-3.1-8b", gpu="L40S"), cm.Api("gpt-4o-mini", on="2026-11-01")
    >>> work = cm.Workload(1e6, input_tokens=1_000, output_tokens=100)
    >>> table = cm.serving.by_utilisation(own, work, [0.05, 0.2, 1.0], fte=0.5, api=api, draws=100)
    >>> ax = cm.plots.plot_utilisation(table)
    >>> ax.get_ylabel()
    'price of a million output tokens [USD/Mtok]'
    """
    ax = ax or picture(3.3)
    table = in_currency(table, money).set_index("utilisation")
    lines = table[list(LINES)].rename(columns=LINES).dropna(axis=1, how="all")
    if (lines["with people"] <= lines["GPUs alone"]).all():
        lines = lines.drop(columns="with people")
    draw_band(ax, table.index, table["low"], table["high"], OWN)
    log_if_wide(ax, "x", lines.index, 5)
    log_if_wide(ax, "y", table[["low", "high"]], 5)
    draw_lines(ax, lines, LINE_COLOURS)
    if "API" in lines:
        ax.lines[-1].set(linestyle=DASHED, linewidth=1.4)
    money_axis(ax.yaxis, money, "price of a million output tokens [{}/Mtok]")
    _name_use(ax, lines.index)
    return ax


def _name_use(ax: Axes, shares: pd.Index) -> None:
    """The horizontal axis of both figures over the capacity in use."""
    ticks = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
    ax.set_xticks([tick for tick in ticks if shares.min() <= tick <= shares.max()])
    write_as(ax.xaxis, percent, "capacity in use [share]")


@figure
def plot_day(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """One day: replicas that are up, the part that is busy, and what spills over (a table of
    `day`).

    Examples
    --------
    >>> import costmodel as cm
    >>> own = cm.Option(cm.Hosted("llama-3.1-8b", gpu="L40S"))
    >>> work = cm.Workload(1e6, input_tokens=1_000, output_tokens=100)
    >>> ax = cm.plots.plot_day(cm.serving.day(own, work))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('hour of the day, busiest in the middle', 'replicas')
    """
    ax = ax or picture(2.8)
    edges = np.arange(25)
    up, busy, load = table["capacity"], table["busy"], table["load"]
    ax.stairs(up, edges, fill=True, color=PALE, label="up, idle")
    ax.stairs(busy, edges, fill=True, color=OWN, label="up, in use")
    if (table["spilled"] > 1e-6).any():
        spilled: Style = {"color": API, "label": "answered by the API"}
        ax.stairs(load, edges, baseline=busy, fill=True, **spilled)
    ax.stairs(up, edges, color=INK, linewidth=1.1)
    use = busy.sum() / up.sum() if up.sum() else 0.0
    sentences_above(ax, [f"{percent(use)} of the replica-hours of this day are in use"])
    ax.set(xlim=(0, 24), ylim=(0, max(up.max(), load.max()) * 1.18))
    tidy(ax, "y")
    ax.set_xticks(edges[::3])
    ax.set(xlabel="hour of the day, busiest in the middle", ylabel="replicas")
    ax.legend(loc="upper left", ncols=3, handlelength=1.2, borderpad=0.2)
    return ax


@figure
def plot_breakeven_map(
    table: pd.DataFrame, ax: Axes | None = None, now: tuple[float, float] | None = None
) -> Axes:
    """Own cost over API cost by use and staff; the line is where both cost the same (a table of
    `own_over_api`).

    `now` marks a pair (utilisation, FTE).

    Examples
    --------
    >>> import costmodel as cm
    >>> own, api = cm.Hosted("llama-3.1-8b", gpu="L40S"), cm.Api("gpt-4o", on="2026-11-01")
    >>> work = cm.Workload(1e6, input_tokens=1_000, output_tokens=100)
    >>> table = cm.serving.own_over_api(own, api, work, utilisation=[0.02, 0.2, 1], fte=[0, 0.5, 1])
    >>> cm.plots.plot_breakeven_map(table, now=(0.2, 0.5)).get_ylabel()
    'engineers kept busy [FTE]'
    """
    check(
        min(table.shape) > 1,
        "plot_breakeven_map: the table needs at least two rows and two columns",
    )
    ax = ax or picture(3.5)
    x, y, ratio = table.columns, table.index, np.log10(table.to_numpy(float))
    reach = np.abs(ratio).max().clip(0.3, 1)
    mesh = ax.pcolormesh(
        x,
        y,
        ratio,
        cmap="PuOr_r",
        norm=TwoSlopeNorm(0.0, -reach, reach),
        shading="gouraud",
        rasterized=True,
    )
    words = "purple: own GPUs are cheaper, orange: the API is"
    if ratio.min() < 0 < ratio.max():
        line = ax.contour(x, y, ratio, levels=[0.0], colors=INK, linewidths=1.4)
        ax.clabel(line, fmt={0.0: "same cost"}, fontsize=SMALL)
    else:
        cheaper = "the API is" if ratio.min() > 0 else "own GPUs are"
        words = f"never: {cheaper} cheaper everywhere on this map"
    sentences_above(ax, [words])
    if now is not None:
        mark_present(ax, np.clip(now, (x[0], y[0]), (x[-1], y[-1])), "as planned")
    bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02)
    ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10) if abs(np.log10(t)) <= reach + 1e-9]
    bar.set_ticks([np.log10(t) for t in ticks], labels=[f"{t:g}x" for t in ticks])
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)
    bar.set_label("own cost over API cost", fontsize=SMALL)
    tidy(ax, "y")
    ax.grid(False)
    ax.set(xscale="log", xlim=(x.min(), x.max()), ylim=(y.min(), y.max()))
    _name_use(ax, x)
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_ylabel("engineers kept busy [FTE]")
    return ax


@figure
def plot_buy_or_rent(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """Present value of buying and of each rent, with its band; at the right the share of hours from
    which buying pays (`buy_or_rent`).

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.serving.buy_or_rent("H100-SXM", utilisation=0.5, draws=100)
    >>> ax = cm.plots.plot_buy_or_rent(table)
    >>> [tick.get_text() for tick in ax.get_yticklabels()][0]
    'buy'
    """
    ax = ax or picture(0.9 + 0.34 * len(table))
    table = in_currency(table, money)
    bought, use = table["choice"] == "buy", table["breakeven_utilisation"]
    shades = np.where(bought, STAFF, OWN)
    draw_ranges(ax, table[["p10", "npv", "p90"]], shades, alpha=0.3)
    words = use.map(percent).where(use <= 1, "never")
    words = words.mask(use.isna(), "all hours paid").mask(bought, "")
    column_beside(ax, 1.17, "buying pays above", words, -0.62)
    name_rows(ax, table["choice"])
    ax.set_xlim(0, table["p90"].max() * 1.05)
    name = "present value of the cost [{}]\nbar: 8 cases in 10, dot: every input at its middle"
    money_axis(ax.xaxis, money, name)
    return ax
