"""Figures of retrieval, graphs, caches and long contexts: maps, quality by question, the context
budget, what an index costs, and how long one waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.patches import Patch

from costmodel.core import USD, Currency, check, dollars, percent, short
from costmodel.pages.plots.marks import draw_map, draw_ranges, mark_present, sentences_above
from costmodel.pages.plots.style import (
    COLOURS,
    GREY,
    INK,
    NORMAL,
    Style,
    figure,
    in_currency,
    log_if_wide,
    money_axis,
    name_rows,
    palette,
    picture,
    tidy,
    write_as,
)

WAYS = {
    "RAG": "#009E73",
    "Agentic RAG": "#4C9A8A",
    "GraphRAG": "#8DB84A",
    "LightRAG": "#C9A227",
    "HippoRAG 2": "#D55E00",
    "LazyGraphRAG": "#E69F00",
    "Long context": "#9ECAE1",
    "Long context, 5 min": "#4292C6",
    "Long context, 1 h": "#16335B",
    "Self-Route": "#CC79A7",
    "Fast-GraphRAG": "#8C510A",
    "Walk over triples": "#7A6FB0",
}
INDEXES = {
    "full": "GraphRAG",
    "light": "LightRAG",
    "lazy": "LazyGraphRAG",
    "fast": "Fast-GraphRAG",
    "hipporag": "HippoRAG 2",
    "guided": "Walk over triples",
}
SURE = 0.8  # share of the draws from which a winner is not hatched


def colours_of(labels: Iterable[str]) -> dict[str, str]:
    """Colour of each way: its own for those of `knowledge_options`, otherwise that of `palette`."""
    return {label: WAYS.get(label, other) for label, other in palette(labels).items()}


@figure
def plot_region(
    table: pd.DataFrame, ax: Axes | None = None, here: tuple[float, float] | None = None
) -> Axes:
    """The cheapest way by pages and queries a day, in its colour; hatched where it wins fewer than
    80 % of the draws (a table of `knowledge_map`). `here` marks (pages, queries a day).

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(3e4, input_tokens=60, output_tokens=300, corpus=cm.Corpus(tokens=4e5))
    >>> options = cm.knowledge.knowledge_options(work, on="2026-11-01")
    >>> two = {label: options[label] for label in ("RAG", "Long context, 1 h")}
    >>> axes = {"pages": [10, 1e3], "queries_per_day": [1, 1e4]}
    >>> table = cm.knowledge.knowledge_map(two, work, **axes, draws=5)
    >>> cm.plots.plot_region(table, here=(300, 1_000)).get_xlabel()
    'pages'
    """
    ways = table["winner"].cat
    colours = colours_of(ways.categories)
    ax = ax or picture(3.9)
    ax.set(xscale="log", yscale="log")
    winners = {way: colours[way] for way in ways.remove_unused_categories().cat.categories}
    handles = draw_map(ax, table, "pages", "queries_per_day", "winner", winners)
    if "p_winner" in table:
        sure = table.pivot(index="queries_per_day", columns="pages", values="p_winner")
        with matplotlib.rc_context({"hatch.linewidth": 0.5, "hatch.color": "white"}):
            ax.contourf(
                sure.columns, sure.index, sure, [-0.01, SURE], colors="none", hatches=["////"]
            )
        look: Style = {"facecolor": GREY, "edgecolor": "white", "hatch": "////"}
        handles.append(Patch(label="wins in < 8 of 10 cases", **look))
    if here is not None:
        mark_present(ax, here, "here", color="white", fontweight="bold")
    tidy(ax)
    ax.grid(False)
    write_as(ax.xaxis, short, "pages")
    write_as(ax.yaxis, short, "queries a day")
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


@figure
def plot_cache_map(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """What a prompt cache gains (purple) or loses (orange) in a month, by the requests of a day and
    the length of the prefix, or the time to live where one length is given (a table of
    `cache_map`).

    Examples
    --------
    >>> import costmodel as cm
    >>> ax = cm.plots.plot_cache_map(cm.knowledge.cache_map("claude-sonnet-4-5", on="2026-11-01"))
    >>> ax.get_ylabel()
    'tokens that are the same [token]'
    """
    names = {"prefix_tokens": "tokens that are the same [token]", "ttl_s": "time to live [s]"}
    y = "prefix_tokens" if table["prefix_tokens"].nunique() > 1 else "ttl_s"
    other = next(name for name in names if name != y)
    check(
        table[y].nunique() > 1 and table[other].nunique() == 1,
        "plot_cache_map: give several prefix_tokens or several ttl_s, and one of the other",
    )
    ax = ax or picture(3.7)
    ax.set(xscale="log", yscale="log")
    usd = in_currency(table, money).pivot(
        index=y, columns="queries_per_day", values="usd_per_month"
    )
    reach = max(float(np.abs(usd).max(axis=None)), 1.0)
    mesh = ax.pcolormesh(
        usd.columns,
        usd.index,
        usd,
        cmap="PuOr",
        norm=SymLogNorm(1.0, vmin=-reach, vmax=reach),
        shading="gouraud",
        rasterized=True,
    )
    words = "purple: the cache gains, orange: it loses money"
    if usd.min(axis=None) < 0 < usd.max(axis=None):
        ax.contour(usd.columns, usd.index, usd, levels=[0.0], colors=INK, linewidths=1.4)
        words += "; line: no difference"
    sentences_above(ax, [words])
    bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02)
    money_axis(bar.ax.yaxis, money, "gain of a month [{}]")
    bar.outline.set_visible(False)
    tidy(ax)
    ax.grid(False)
    write_as(ax.xaxis, short, "requests a day")
    write_as(ax.yaxis, short, names[y])
    return ax


@figure
def plot_question_mix(
    table: pd.DataFrame,
    ax: Axes | None = None,
    money: Currency = USD,
    hard: str = "questions over several hops",
) -> Axes:
    """Accuracy against the cost of a request, as facts (dot) give way to hard questions (arrow
    head): a table of `cost_by_mix`.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(3e4, input_tokens=60, output_tokens=300, corpus=cm.Corpus(tokens=4e6))
    >>> options = cm.knowledge.knowledge_options(work, on="2026-11-01")
    >>> two = {label: options[label] for label in ("RAG", "GraphRAG")}
    >>> ax = cm.plots.plot_question_mix(cm.knowledge.cost_by_mix(two, work, shares=[0, 0.5, 1]))
    >>> ax.get_legend_handles_labels()[1]
    ['RAG', 'GraphRAG']
    """
    colours = colours_of(table["option"])
    ax = ax or picture(3.7)
    table = in_currency(table, money).sort_values("share", kind="stable")
    log_if_wide(ax, "x", table["per_request"], 10)
    for label in colours:
        x, y = table.loc[table["option"] == label, ["per_request", "quality"]].to_numpy().T
        ax.plot(x, y, color=colours[label], linewidth=1.4)
        ax.plot(x[0], y[0], "o", color=colours[label], label=label)
        ax.plot(x[-1], y[-1], "v" if y[-1] < y[0] else "^", color=colours[label])
    tidy(ax)
    money_axis(ax.xaxis, money, "cost of a request, whole life [{}]")
    write_as(ax.yaxis, percent, "answers accepted")
    sentences_above(ax, [f"dot: facts only; triangle: {hard} only"])
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


@figure
def plot_budget(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """Answers accepted and cost of an accepted answer against the tokens of context, each with its
    best (a table of `context_budget`).

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> table = cm.knowledge.context_budget(study, "RAG", top_k=[2, 5, 10, 20])
    >>> ax = cm.plots.plot_budget(table)
    >>> ax.get_ylabel(), len(ax.figure.axes)
    ('answers accepted', 2)
    """
    ax = ax or picture(3.2)
    right = ax.twinx()
    table = in_currency(table, money)
    tokens, quality, cost = (table[c] for c in ("context_tokens", "quality", "per_accepted"))
    most, least = quality.idxmax(), cost.idxmin()
    ax.set_xscale("log")
    for axes, line, best, colour in (
        (ax, quality, most, WAYS["RAG"]),
        (right, cost, least, COLOURS[7]),
    ):
        axes.plot(tokens, line, color=colour, linewidth=1.7)
        axes.plot(tokens[best], line[best], "o", color=colour)
        axes.yaxis.label.set_color(colour)
    tidy(ax, "x")
    right.spines[["top", "left"]].set_visible(False)
    right.spines["right"].set_color(GREY)
    right.tick_params(labelsize=NORMAL, labelcolor=COLOURS[7], color=GREY)
    write_as(ax.xaxis, short, "tokens of retrieved context")
    write_as(ax.yaxis, percent, "answers accepted")
    money_axis(right.yaxis, money, "cost of an accepted answer [{}]")
    read = [f"{short(tokens[at])} tokens ({table['top_k'][at]:.0f} chunks)" for at in (most, least)]
    sentences_above(
        ax,
        [
            f"most answers accepted with {read[0]}: {percent(quality[most])}",
            f"cheapest accepted answer with {read[1]}: {dollars(cost[least], money)}",
        ],
    )
    return ax


@figure
def plot_index_cost(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """What each graph index costs to build: middle as a dot, 80 % band as a bar (a table of
    `index_cost`).

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(3e4, input_tokens=60, corpus=cm.Corpus(tokens=4e6))
    >>> small = cm.Api("gpt-6-luna", on="2026-11-01")
    >>> table = cm.knowledge.index_cost(work, small, variants=["full", "lazy"], draws=100)
    >>> [tick.get_text() for tick in cm.plots.plot_index_cost(table).get_yticklabels()]
    ['GraphRAG', 'LazyGraphRAG']
    """
    table = in_currency(table.rename(index=INDEXES), money)
    ends = ["usd_low", "usd", "usd_high"]
    name = f"cost of building the index once [{money.code}]"
    return _ranges_on_log_axis(table[ends], lambda usd: dollars(usd, money), name, ax)


@figure
def plot_latency(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Time to first token of each way, median (dot and band) and 95th percentile (line to the
    mark): a table of `latency`.

    Ways that cannot run are left out.

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.knowledge.latency(cm.load("support_assistant").only("Prompt", "RAG"), draws=100)
    >>> [tick.get_text() for tick in cm.plots.plot_latency(table).get_yticklabels()]
    ['Prompt', 'RAG']
    """
    table = table[table["p50"].notna()]
    check(len(table), "plot_latency: no way can run")
    ends = ["p50_low", "p50", "p50_high"]
    name = "time to first token [s]; dot and bar: median, its 80 % band; mark: 95th percentile"
    ax = _ranges_on_log_axis(table[ends], lambda seconds: f"{short(seconds)} s", name, ax)
    colours = [colours_of([way])[way] for way in table.index]
    rows, slow = range(len(table)), table["p95"]
    ax.hlines(rows, table["p50"], slow, colors=colours, linewidth=0.9)
    ax.scatter(slow, rows, 121, colours, marker="|", linewidths=1.8, zorder=2)
    ax.set_xlim(right=slow.max() * 1.3)
    return ax


def _ranges_on_log_axis(
    ends: pd.DataFrame, words: Callable[[float], str], name: str, ax: Axes | None
) -> Axes:
    """A row for each way: low to high as a bar, the middle as a dot with its number above."""
    ax = ax or picture(0.8 + 0.36 * len(ends))
    ax.set_xscale("log")
    draw_ranges(ax, ends, list(colours_of(ends.index).values()), height=0.42)
    for row, number in enumerate(ends.iloc[:, 1]):
        ax.text(number, row - 0.24, words(number), ha="center", va="bottom")
    name_rows(ax, ends.index)
    ax.set_xlim(ends.min(axis=None) / 1.5, ends.max(axis=None) * 1.5)
    write_as(ax.xaxis, words, name)
    return ax
