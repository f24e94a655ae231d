"""Figures of the decision and the business case: each takes a table that an analysis made, computes
nothing, and returns its axes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from costmodel.core import USD, Currency, check, dollars, label_of, number_text, percent
from costmodel.pages.plots.marks import (
    DASHED,
    WHITE_DOT,
    draw_band,
    draw_lines,
    draw_map,
    label_ends,
    legend_above,
    mark_present,
    mark_value,
    note,
    swatches,
)
from costmodel.pages.plots.style import (
    COLOURS,
    GREY,
    INK,
    NORMAL,
    PALE,
    Colours,
    Style,
    by_option,
    figure,
    in_currency,
    log_if_wide,
    money_axis,
    name_rows,
    narrow,
    palette,
    picture,
    tidy,
    write_as,
)

GAIN, LOSS = COLOURS[3], COLOURS[7]
SELDOM = 0.05  # an option that is never the cheapest in more of the draws stays grey
TALL = 1.3  # times the least cost on the right: lines above leave the figure
SMALLER = "smaller steps"
LETTER = 0.016  # of the width of the axes


@figure
def plot_fan(
    table: pd.DataFrame,
    ax: Axes | None = None,
    colours: Colours | None = None,
    money: Currency = USD,
) -> Axes:
    """What has been paid up to each month: the median as a line, 80 % of the draws shaded (a table
    of `fan`).

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Prompt")
    >>> ax = cm.plots.plot_fan(cm.uncertainty.fan(study, draws=100, months=12))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('month', 'paid so far, median and 80 % band [USD]')
    """
    ax = ax or picture()
    colours = colours or palette(table["option"])
    table = in_currency(table, money)
    for label, part in table.groupby("option", sort=False):
        draw_band(ax, part["month"], part["p10"], part["p90"], colours[str(label)])
    draw_lines(ax, by_option(table, "month", "p50"), colours, "y", bottom=0)
    ax.set_xlim(0)
    money_axis(ax.yaxis, money, "paid so far, median and 80 % band [{}]")
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.set_xlabel("month")
    return ax


@figure
def plot_waterfall(
    table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD, least: float = 0.0
) -> Axes:
    """Why a total changed: from before to after, one bar for each step (a table of `waterfall`).

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> table = cm.finance.waterfall(study.only("Prompt"), study.only("RAG"))
    >>> ax = cm.plots.plot_waterfall(table)
    >>> len(ax.get_yticklabels()) == len(table)
    True
    """
    check(len(table) > 2, "plot_waterfall: the table has no steps")
    table = _few_steps(in_currency(table, money), least)
    ax = ax or picture(1.0 + 0.32 * len(table))
    usd, total, rows = table["usd"].to_numpy(), table["total"].to_numpy(), np.arange(len(table))
    whole = (rows == 0) | (rows == len(rows) - 1)
    length = np.where(whole, total, usd)
    colours = np.where(whole, GREY, np.where(usd > 0, LOSS, GAIN))
    ax.barh(rows, length, left=total - length, height=0.55, color=colours)
    ax.vlines(total[:-1], rows[:-1] - 0.28, rows[:-1] + 1.28, color=GREY, linewidth=0.7)
    for row, amount in enumerate(length):
        sign = "+" if amount > 0 and not whole[row] else ""
        end = max(total[row], total[row] - amount)
        note(ax, sign + dollars(amount, money), (end, row), (4, 0))
    name_rows(ax, table["step"])
    ax.set_xlim(0, total.max() * 1.13)
    money_axis(ax.xaxis, money, "total over the horizon [{}]")
    return ax


def _few_steps(table: pd.DataFrame, least: float) -> pd.DataFrame:
    """The steps below that share of the largest total as one, which comes last."""
    first, steps, last = table.iloc[:1], table.iloc[1:-1], table.iloc[-1:]
    small = steps["usd"].abs() < least * table["total"].max()
    if not small.any():
        return table
    rest = pd.DataFrame({"step": [SMALLER], "usd": [steps.loc[small, "usd"].sum()]})
    few = pd.concat([first, steps[~small], rest], ignore_index=True)
    return pd.concat([few.assign(total=few["usd"].cumsum()), last], ignore_index=True)


@figure
def plot_case(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The cash of one option against its baseline: net of each month as bars, their sum as a line
    (one option of `case_flow`).

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> people = cm.Option(cm.finance.Staff(minutes_per_request=4))
    >>> flow = cm.finance.case_flow(study.only("RAG"), baseline=people)
    >>> cm.plots.plot_case(flow).get_xlabel()
    'month; 0 is today'
    """
    one = table["option"].nunique() == 1
    check(one, "plot_case shows one option; choose its rows of case_flow")
    ax = ax or picture()
    money = Currency(str(table["currency"].iloc[0]).split()[0])
    month, net, paid = table["month"], table["net"], table["cumulative"]
    ax.bar(month, net, color=np.where(net < 0, LOSS, GAIN), width=0.8)
    (line,) = ax.plot(month, paid, color=INK)
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.set_xlim(-0.8, month.max() + 0.8)
    tidy(ax, "y")
    money_axis(ax.yaxis, money, "against the baseline [{}]")
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.set_xlabel("month; 0 is today")
    line.set_label("sum so far")
    legend_above(ax, 3, [*swatches({"comes in": GAIN, "goes out": LOSS}), line])
    return ax


@figure
def plot_regions(
    table: pd.DataFrame, ax: Axes | None = None, colours: Colours | None = None
) -> Axes:
    """Who is cheapest where: a map over two inputs with the present point (of `regions`).

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("Few-shot", "LoRA")
    >>> over = {"requests_per_month": [1e3, 1e5, 1e7], "usd_per_failure": [0.0, 0.1, 1.0]}
    >>> ax = cm.plots.plot_regions(cm.decisions.regions(study, over, quality_floor=0))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['Few-shot', 'LoRA']
    """
    x, y = table.columns[:2]
    ax = ax or picture(3.8)
    labels = [str(best) for best in table["best"].value_counts().index if best]
    check(labels, "plot_regions: no option runs anywhere on the map")
    colours = colours or palette(labels)
    shown = {label: colours[label] for label in labels}
    handles = draw_map(ax, table, x, y, "best", shown, alpha=0.75)
    for which, axis, name in (("x", ax.xaxis, x), ("y", ax.yaxis, y)):
        log_if_wide(ax, which, table[name])
        write_as(axis, number_text, label_of(name))
    ax.set(xlim=table[x].agg(["min", "max"]), ylim=table[y].agg(["min", "max"]))
    now = table.attrs.get("now", {})
    if {x, y} <= set(now):
        mark_present(ax, (now[x], now[y]), "now")
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=NORMAL, color=GREY)
    legend_above(ax, min(3, len(labels)), handles, borderpad=0.4)
    return ax


@figure
def plot_sobol(table: pd.DataFrame, ax: Axes | None = None, n: int = 8) -> Axes:
    """Share of the variance that each input explains, alone and with its interactions, with the 90
    % ends (a table of `sobol`).

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> table = cm.uncertainty.sobol(study, "RAG", points=32)
    >>> len(cm.plots.plot_sobol(table, n=5).get_yticklabels())
    5
    """
    table = table.head(n)
    ax = ax or picture(1.0 + 0.32 * len(table))
    error: Style = {"elinewidth": 0.8, "ecolor": GREY}
    for column, shift, colour, name in (
        ("first", -0.16, COLOURS[1], "alone"),
        ("total", 0.16, COLOURS[0], "with its interactions"),
    ):
        low, value, high = (table[column + end].clip(lower=0) for end in ("_low", "", "_high"))
        ends, rows = np.abs([value - low, high - value]), np.arange(len(table)) + shift
        ax.barh(rows, value, 0.3, xerr=ends, error_kw=error, color=colour, label=name)
    name_rows(ax, map(label_of, table["input"]))
    write_as(ax.xaxis, percent, "share of the variance of the total")
    ax.set_xlim(0)
    ax.legend(loc="lower right")
    return ax


@figure
def plot_information(
    table: pd.DataFrame, ax: Axes | None = None, n: int = 8, money: Currency = USD
) -> Axes:
    """What knowing something before the choice is worth, with twice its sampling error (a table of
    `value_of_information`).

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Prompt", "LoRA")
    >>> table = cm.uncertainty.value_of_information(study, draws=500)
    >>> ax = cm.plots.plot_information(table, n=4)
    >>> ax.get_xlabel()
    'most that knowing it is worth over the horizon [USD]'
    """
    table = table[(table["usd"] > 0) | (table["kind"] == "all")].head(n + 1)
    table = in_currency(table, money)
    ax = ax or picture(1.0 + 0.3 * len(table))
    shades = {"all": GREY, "group": COLOURS[1], "input": COLOURS[0]}
    twice: Style = {"xerr": 2 * table["error"], "error_kw": {"elinewidth": 0.9, "ecolor": INK}}
    ax.barh(range(len(table)), table["usd"], 0.55, color=table["kind"].map(shades), **twice)
    name_rows(ax, table["input"].map(label_of).where(table["kind"] == "input", table["input"]))
    money_axis(ax.xaxis, money, "most that knowing it is worth over the horizon [{}]")
    ax.set_xlim(0)
    names = ("everything", "what one measurement tells", "one input")
    handles = swatches(dict(zip(names, shades.values(), strict=True)))
    ax.legend(handles=handles, loc="lower right")
    return ax


@figure
def plot_pilot(
    table: pd.DataFrame,
    ax: Axes | None = None,
    colours: Colours | None = None,
    money: Currency = USD,
) -> Axes:
    """What judging answers of the best option, and of more beside it, is worth (lines) and costs
    (dashed), by their number, below what knowing everything is worth (a table of `pilot`).

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Prompt")
    >>> ax = cm.plots.plot_pilot(cm.decisions.pilot(study, draws=500))
    >>> ax.get_xlabel()
    'answers of each option that are judged'
    """
    check(table["n"].nunique() > 1, "plot_pilot needs pilots of two sizes, such as n=(50, 100)")
    ax, judged, end = ax or picture(), table.attrs["judged"], table.attrs["perfect"]
    most = max((judged[plan] for plan in table["plan"]), key=len)
    plans = [plan for plan, options in judged.items() if options == most[: len(options)]]
    names = {plan: f"{'and ' * (i > 0)}{most[i]}" for i, plan in enumerate(plans)}
    colours = colours or palette(most)
    shown = {name: colours[option] for name, option in zip(names.values(), most, strict=True)}
    worth, price = (
        money.per_usd * table.pivot(index="n", columns="plan", values=column)[plans]
        for column in ("usd", "usd_to_measure")
    )
    ax.axhline(money.per_usd * end, color=GREY, linewidth=0.9)
    note(ax, "knowing everything", (worth.index[0], money.per_usd * end), (4, -7))
    for plan, name in names.items():
        ax.plot(price[plan], color=shown[name], linewidth=1.2, linestyle=DASHED)
    draw_lines(ax, worth.rename(columns=names), shown, "y", bottom=0)
    ax.set_xticks(worth.index[1:] if narrow() and len(worth) > 3 else worth.index)
    money_axis(ax.yaxis, money, "worth, and price (dashed) [{}]")
    ax.set_xlabel("answers of each option that are judged")
    return ax


@figure
def plot_wrong_answers(
    table: pd.DataFrame,
    ax: Axes | None = None,
    colours: Colours | None = None,
    money: Currency = USD,
) -> Axes:
    """What each option is expected to cost by the price of a wrong answer, and its chance to be the
    cheapest below it; your own price is shaded (a table of `wrong_answer_chances`).

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Prompt")
    >>> ax = cm.plots.plot_wrong_answers(cm.decisions.wrong_answer_chances(study, draws=100))
    >>> ax.get_ylabel(), ax.figure.axes[-1].get_xlabel()
    ('expected cost, discounted [USD]', 'price of a wrong answer [USD]')
    """
    ax, below = _two_panels(ax or picture(4.8))
    table = in_currency(table, money)
    table["usd_per_failure"] *= money.per_usd
    low, middle, high, _ = (price * money.per_usd for price in table.attrs["yours"])
    starts = {str(o): price * money.per_usd for o, price in table.attrs["from"].items()}
    cost, chance = (by_option(table, "usd_per_failure", c) for c in ("npv", "p_cheapest"))
    named = [str(o) for o in cost if o in starts or chance[o].max() > SELDOM]
    colours, least = colours or palette(named), cost.min(axis=1)
    ax.plot(cost.drop(columns=named), color=PALE, linewidth=1.0)
    for label in named:
        ax.plot(cost[label], color=colours[label], linewidth=1.6)
    ax.set(xlim=(cost.index[0], cost.index[-1]), ylim=(0, TALL * least.max()))
    tidy(ax)
    _name_best(ax, starts, least, colours, money)
    label_ends(ax, cost[named], colours, room=0.48)
    shares = chance[named].assign(**{"": chance.drop(columns=named).sum(axis=1)})
    fills = [*(colours[label] for label in named), PALE]
    below.stackplot(shares.index, shares.T, colors=fills, alpha=0.75, linewidth=0)
    tidy(below)
    for panel in (ax, below) if high else ():
        panel.axvspan(low, high, color=GREY, alpha=0.13, linewidth=0, zorder=0.5)
        mark_value(panel, middle)
    if high:
        below.vlines((low, high), 0, 1, color="white", linewidth=0.9)
        note(ax, "your price", (middle, 0), (4, 7))
    money_axis(ax.yaxis, money, "expected cost, discounted [{}]")
    ax.tick_params(labelbottom=False)
    below.set_ylim(0, 1)
    write_as(below.yaxis, percent, "chance to be the cheapest")
    money_axis(below.xaxis, money, "price of a wrong answer [{}]")
    return ax


def _two_panels(ax: Axes) -> tuple[Axes, Axes]:
    """The axes as the upper of two panels over one horizontal axis."""
    place = ax.get_subplotspec()
    check(place is not None, "plot_wrong_answers: ax must be a subplot, as of plt.subplots()")
    rows = place.subgridspec(2, 1, height_ratios=(3, 2))  # type: ignore[union-attr]  # checked
    ax.set_subplotspec(rows[0])
    return ax, ax.figure.add_subplot(rows[1], sharex=ax)  # type: ignore[union-attr]  # a figure


def _name_best(
    ax: Axes, starts: dict[str, float], least: pd.Series, colours: Colours, money: Currency
) -> None:
    """A strip over the axes that says which option is the best, and where that changes."""
    end, strip = least.index[-1], ax.get_xaxis_transform()
    shown = {label: start for label, start in starts.items() if start < end}
    for (label, start), stop in zip(shown.items(), [*shown.values(), end][1:], strict=True):
        look: Style = {"transform": strip, "color": colours[label]}
        thick: Style = {"linewidth": 4, "clip_on": False, "solid_capstyle": "butt"}
        ax.plot((start, stop), (1.015, 1.015), **look, **thick)
        if stop - start > end * LETTER * len(label):
            ax.text((start + stop) / 2, 1.04, label, ha="center", **look)
        if start:
            at = start, np.interp(start, least.index, least)
            ax.plot(*at, **WHITE_DOT, markersize=4.5)
            note(ax, dollars(float(f"{start:.2g}"), money), at, (3, -9))
