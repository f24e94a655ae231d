"""Figures of retrieval, graphs, caches and long contexts: the worked table, maps, re-indexing
over time, quality by question, the context budget, what an index costs, and how long one waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm, to_rgba
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from costmodel.core import USD, Currency, check, dollars, percent, short
from costmodel.pages.plots.marks import draw_map, draw_ranges, mark_present, sentences_above
from costmodel.pages.plots.style import (
    COLOURS,
    GREY,
    INK,
    NORMAL,
    PALE,
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
BEST = "#DDEFE8"
LANE = 0.75  # height of the largest bar of a lane
REINDEXING = "^embed (?:the corpus|what|again)|^(?:index|refresh) the graph|scanned pages"


def colours_of(labels: Iterable[str]) -> dict[str, str]:
    """Colour of each way: its own for those of `knowledge_options`, otherwise that of `palette`."""
    return {label: WAYS.get(label, other) for label, other in palette(labels).items()}


@figure
def plot_knowledge_table(
    table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD
) -> Axes:
    """The worked comparison as a table: dollars a month, the cheapest of each row shaded (a table
    of `knowledge_table`).

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.knowledge.knowledge_table(queries_per_day=[50, 5_000])
    >>> ax = cm.plots.plot_knowledge_table(table)
    >>> ax.texts[0].get_text()
    'queries/day'
    """
    share, *ways = table.columns.drop("cheapest")
    sign = dollars(1, money)[0]
    cells = (table[ways] * money.per_usd).map(lambda usd: f"{sign}{usd:,.0f}")
    cells.insert(0, share, table[share].map(percent))
    cells.insert(0, "queries/day", [f"{queries:,.0f}" for queries in table.index])
    ax = ax or picture(0.75 + 0.3 * len(table))
    ax.set(xlim=(0, cells.shape[1]), ylim=(len(table), -1))
    ax.axis("off")
    ax.hlines(range(len(table)), 0, cells.shape[1], color=PALE, linewidth=0.7)
    for column, name in enumerate(cells):
        right: Style = {"x": column + 0.94, "ha": "right", "va": "center"}
        head = name.replace(", ", ",\n").replace("long context", "long context,\nno cache")
        ax.text(y=-0.5, s=head, color=GREY, **right)
        for row, (text, cheapest) in enumerate(zip(cells[name], table["cheapest"], strict=True)):
            weight = "bold" if name == cheapest else "normal"
            ax.text(y=row + 0.5, s=text, fontsize=NORMAL, weight=weight, **right)
            if name == cheapest:
                ax.fill_between([column, column + 1], row, row + 1, color=BEST)
    return ax


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
        handles.append(Patch(label="wins < 80 % of draws", **look))
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
def plot_timeline(
    table: pd.DataFrame, ax: Axes | None = None, months: int = 24, money: Currency = USD
) -> Axes:
    """What it costs to keep each index up to date, month by month, store and people left out (a
    ledger): one lane for each way, the dearest on top, pale the first index, dark what is done
    again. Each lane has a scale of its own, its dollars stand beside it.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(3e4, input_tokens=60, output_tokens=300, corpus=cm.Corpus(tokens=4e6))
    >>> options = cm.knowledge.knowledge_options(work, on="2026-11-01")
    >>> two = {label: options[label] for label in ("RAG", "GraphRAG")}
    >>> ax = cm.plots.plot_timeline(cm.ledger(two, work, months=12), months=12)
    >>> [tick.get_text() for tick in ax.get_yticklabels()]
    ['GraphRAG', 'RAG']
    """
    table = table[table["item"].str.contains(REINDEXING) & table["month"].between(0, months)]
    check(len(table), "plot_timeline: no option of the ledger has an index to keep")
    colours = colours_of(table["option"])
    usd = in_currency(table, money).groupby(["option", "month"])["usd"].sum().unstack(fill_value=0)
    totals = usd.sum(axis=1).sort_values(ascending=False)
    usd = usd.loc[totals[totals > 0].index]
    ax = ax or picture(0.7 + 0.56 * len(usd))
    for lane, (label, paid) in enumerate(usd.iterrows()):
        shades = [to_rgba(colours[str(label)], 1 if month else 0.4) for month in paid.index]
        ax.bar(paid.index, LANE * paid / paid.max(), 0.6, -lane, color=shades)
        ax.axhline(-lane, color=GREY, linewidth=0.7)
        ax.text(
            1.015,
            0.35 - lane,
            _first_and_later(paid, money),
            transform=ax.get_yaxis_transform(),
            va="center",
            linespacing=1.4,
            parse_math=False,
        )
    tidy(ax, "x")
    ax.set_yticks(0.35 - np.arange(len(usd)), usd.index)
    for text, label in zip(ax.get_yticklabels(), usd.index, strict=True):
        text.set_color(colours[label])
    ax.set(ylim=(0.95 - len(usd), 1), xlim=(-0.8, months + 0.8))
    ax.xaxis.set_major_locator(MaxNLocator(9, integer=True, steps=[1, 2, 3, 6, 10]))
    ax.set_xlabel("month; 0 is the first index")
    return ax


def _first_and_later(paid: pd.Series, money: Currency) -> str:
    """What the first index costs, and what is paid again."""
    first, later = paid.get(0, 0.0), paid[paid.index > 0]
    again = "nothing later"
    if later.sum() > 0:
        most = dollars(later.max(), money)
        again = f"later {dollars(later.sum(), money)}, at most {most} a month"
    return f"first {dollars(first, money)}\n{again}"


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
