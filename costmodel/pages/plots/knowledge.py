"""Figures of retrieval, graphs and long contexts: the worked table, the region map, re-indexing
over time, quality by question, the context budget, what an index costs, and how long one waits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from costmodel.core.errors import check
from costmodel.core.words import USD, Currency, dollars, percent, short
from costmodel.pages.plots.style import (
    COLOURS,
    GREY,
    INK,
    NORMAL,
    PALE,
    figure,
    log_if_wide,
    money_axis,
    name_rows,
    palette,
    picture,
    sentences_above,
    tidy,
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
    labels = list(labels)
    return {**palette(labels), **{label: WAYS[label] for label in labels if label in WAYS}}


@figure
def plot_knowledge_table(
    table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD
) -> Axes:
    """The worked comparison as a table: dollars a month, the cheapest of each row shaded (a table
    of `knowledge_table`).
    """
    names = ["queries/day", *[c for c in table.columns if c != "cheapest"]]
    ax = ax or picture(0.75 + 0.3 * len(table))
    ax.set_xlim(0, len(names))
    ax.set_ylim(len(table), -1)
    ax.axis("off")
    for column, name in enumerate(names):
        ax.text(
            column + 0.94,
            -0.5,
            name.replace(", ", ",\n")
            .replace("long context", "long context,\nno cache")
            .replace("cache", "cache"),
            ha="right",
            va="center",
            color=GREY,
        )
    for row, (queries, found) in enumerate(table.iterrows()):
        ax.plot([0, len(names)], [row, row], color=PALE, linewidth=0.7)
        for column, name in enumerate(names):
            best = name == found["cheapest"]
            text = (
                f"{queries:,.0f}"
                if column == 0
                else percent(found[name])
                if column == 1
                else f"{dollars(1, money)[0]}{found[name] * money.per_usd:,.0f}"
            )
            if best:
                ax.fill_between([column, column + 1], row, row + 1, color=BEST, linewidth=0)
            ax.text(
                column + 0.94,
                row + 0.5,
                text,
                ha="right",
                va="center",
                fontsize=NORMAL,
                fontweight="bold" if best else "normal",
            )
    return ax


@figure
def plot_region(
    table: pd.DataFrame, ax: Axes | None = None, here: tuple[float, float] | None = None
) -> Axes:
    """The cheapest way by pages and queries a day, in its colour; hatched where it wins fewer than
    80 % of the draws (a table of `knowledge_map`). `here` marks (pages, queries a day)."""
    pages, queries = (np.unique(table[c]) for c in ("pages", "queries_per_day"))
    labels = [label for label in table["winner"].cat.categories if (table["winner"] == label).any()]
    colours = colours_of(table["winner"].cat.categories)
    code = {label: i for i, label in enumerate(labels)}
    winner = table["winner"].map(code).astype(float).to_numpy().reshape(len(pages), len(queries)).T
    ax = ax or picture(3.9)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.pcolormesh(
        pages,
        queries,
        winner,
        cmap=ListedColormap([colours[x] for x in labels]),
        vmin=-0.5,
        vmax=len(labels) - 0.5,
        shading="nearest",
        rasterized=True,
    )
    handles = [Patch(color=colours[label], label=label) for label in labels]
    if "p_winner" in table:
        sure = table["p_winner"].to_numpy().reshape(len(pages), len(queries)).T
        with matplotlib.rc_context({"hatch.linewidth": 0.5, "hatch.color": "white"}):
            ax.contourf(pages, queries, sure, levels=[-0.01, SURE], colors="none", hatches=["////"])
        handles.append(
            Patch(facecolor=GREY, edgecolor="white", hatch="////", label="wins < 80 % of draws")
        )
    if here is not None:
        ax.plot(*here, "o", color="white", markeredgecolor=INK, markersize=6)
        ax.annotate(
            "here", here, (6, 5), textcoords="offset points", color="white", fontweight="bold"
        )
    tidy(ax, "both")
    ax.grid(False)
    for axis, name in ((ax.xaxis, "pages"), (ax.yaxis, "queries a day")):
        axis.set_major_formatter(FuncFormatter(lambda x, _: short(x)))
        axis.set_label_text(name, fontsize=NORMAL)
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


@figure
def plot_timeline(
    table: pd.DataFrame, ax: Axes | None = None, months: int = 24, money: Currency = USD
) -> Axes:
    """What it costs to keep each index up to date, month by month, store and people left out (a
    ledger): one lane for each way, the dearest on top, pale the first index, dark what is done
    again. Each lane has a scale of its own, its dollars stand beside it."""
    table = table[table["item"].str.contains(REINDEXING) & table["month"].between(0, months)]
    check(len(table) > 0, "plot_timeline: no option of the ledger has an index to keep")
    usd = (
        table.pivot_table(
            index="option", columns="month", values="usd", aggfunc="sum", fill_value=0.0
        )
        * money.per_usd
    )
    usd = usd.loc[usd.sum(axis=1).sort_values(ascending=False).index]
    usd = usd[usd.sum(axis=1) > 0]
    colours = colours_of(dict.fromkeys(table["option"]))
    ax = ax or picture(0.7 + 0.56 * len(usd))
    for lane, (label, paid) in enumerate(usd.iterrows()):
        for month, height in (LANE * paid / paid.max()).items():
            ax.bar(
                month,
                height,
                0.6,
                bottom=-lane,
                color=colours[str(label)],
                alpha=0.4 if month == 0 else 1,
                linewidth=0,
            )
        ax.axhline(-lane, color=GREY, linewidth=0.7)
        first, later = paid.get(0, 0.0), paid[paid.index > 0]
        again = (
            f"later {dollars(later.sum(), money)}, at most {dollars(later.max(), money)} a month"
            if later.sum() > 0
            else "nothing later"
        )
        ax.text(
            1.015,
            0.35 - lane,
            f"first {dollars(first, money)}\n{again}",
            transform=ax.get_yaxis_transform(),
            va="center",
            linespacing=1.4,
            parse_math=False,
        )
    tidy(ax, "x")
    ax.set_yticks(0.35 - np.arange(len(usd)), usd.index)
    for text, label in zip(ax.get_yticklabels(), usd.index, strict=True):
        text.set_color(colours[label])
    ax.set_ylim(0.95 - len(usd), 1)
    ax.set_xlim(-0.8, months + 0.8)
    ax.xaxis.set_major_locator(MaxNLocator(9, integer=True, steps=[1, 2, 3, 6, 10]))
    ax.set_xlabel("month; 0 is the first index")
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
    """
    labels = list(dict.fromkeys(table["option"]))
    colours = colours_of(labels)
    ax = ax or picture(3.7)
    table = table.assign(per_request=table["per_request"] * money.per_usd)
    log_if_wide(ax, "x", table["per_request"], 10)
    handles = []
    for label, frame in table.groupby("option", sort=False):
        frame = frame.sort_values("share")
        x, y = frame["per_request"].to_numpy(), frame["quality"].to_numpy()
        ax.plot(x, y, color=colours[label], linewidth=1.4)
        (handle,) = ax.plot(
            x[0], y[0], "o", color=colours[label], markersize=6, label=label, linestyle=""
        )
        ax.plot(x[-1], y[-1], "v" if y[-1] < y[0] else "^", color=colours[label], markersize=6)
        handles.append(handle)
    tidy(ax, "both")
    money_axis(ax.xaxis, money)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: percent(y)))
    sentences_above(ax, [f"dot: facts only; triangle: {hard} only"])
    ax.set_xlabel(f"cost of a request, whole life [{money.code}]")
    ax.set_ylabel("answers accepted")
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


@figure
def plot_budget(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """Answers accepted and cost of an accepted answer against the tokens of context, each with its
    best (a table of `context_budget`).
    """
    ax = ax or picture(3.2)
    right = ax.twinx()
    x, quality, cost = (
        table["context_tokens"],
        table["quality"],
        table["per_accepted"] * money.per_usd,
    )
    ax.set_xscale("log")
    ax.plot(x, quality, color=WAYS["RAG"], linewidth=1.7)
    right.plot(x, cost, color=COLOURS[7], linewidth=1.7)
    most, least = quality.idxmax(), cost.idxmin()
    ax.plot(x[most], quality[most], "o", color=WAYS["RAG"], markersize=6)
    right.plot(x[least], cost[least], "o", color=COLOURS[7], markersize=6)
    for axis, colour, name in (
        (ax, WAYS["RAG"], "answers accepted"),
        (right, COLOURS[7], f"cost of an accepted answer [{money.code}]"),
    ):
        axis.set_ylabel(name, color=colour)
    tidy(ax, "x")
    for side in ("top", "left"):
        right.spines[side].set_visible(False)
    right.spines["right"].set_color(GREY)
    right.tick_params(labelsize=NORMAL, labelcolor=COLOURS[7], color=GREY)
    ax.tick_params(labelcolor=INK)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: percent(y)))
    money_axis(right.yaxis, money)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: short(v)))
    sentences_above(
        ax,
        [
            f"most answers accepted with {short(x[most])} tokens "
            f"({table['top_k'][most]:.0f} chunks): {percent(quality[most])}",
            f"cheapest accepted answer with {short(x[least])} tokens "
            f"({table['top_k'][least]:.0f} chunks): {dollars(cost[least], money)}",
        ],
    )
    ax.set_xlabel("tokens of retrieved context")
    return ax


@figure
def plot_index_cost(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """What each graph index costs to build: middle as a dot, 80 % band as a bar (a table of
    `index_cost`).
    """
    return _spans(
        table.rename(index=INDEXES),
        ("usd_low", "usd", "usd_high"),
        f"cost of building the index once [{money.code}]",
        lambda x: dollars(x, money),
        ax,
        money.per_usd,
    )


@figure
def plot_latency(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Time to first token of each way, median (dot and band) and 95th percentile (line to the
    mark): a table of `latency`.

    Ways that cannot run are left out.
    """
    table = table[table["p50"].notna()]
    ax = _spans(
        table,
        ("p50_low", "p50", "p50_high"),
        "time to first token [s]; dot and bar: median, its 80 % band; mark: 95th percentile",
        lambda x: f"{short(x)} s",
        ax,
    )
    for row, (label, found) in enumerate(table.iterrows()):
        colour = colours_of([str(label)])[str(label)]
        ax.plot([found["p50"], found["p95"]], [row, row], color=colour, linewidth=0.9)
        ax.plot(found["p95"], row, "|", color=colour, markersize=11, markeredgewidth=1.8)
    ax.set_xlim(right=table["p95"].max() * 1.3)
    return ax


def _spans(
    table: pd.DataFrame,
    columns: tuple[str, str, str],
    name: str,
    words: Any,
    ax: Axes | None,
    factor: float = 1.0,
) -> Axes:
    """One row each: low to high as a bar, the middle as a dot with its number above, on a
    logarithmic axis.
    """
    check(len(table) > 0, "nothing to draw: no way can run")
    ax = ax or picture(0.8 + 0.36 * len(table))
    low, mid, high = (table[c].to_numpy(float) * factor for c in columns)
    ax.set_xscale("log")
    colours = colours_of(map(str, table.index))
    for row, label in enumerate(map(str, table.index)):
        ax.barh(
            row,
            high[row] - low[row],
            left=low[row],
            height=0.42,
            color=colours[label],
            alpha=0.4,
            linewidth=0,
        )
        ax.plot(
            mid[row],
            row,
            "o",
            color=colours[label],
            markersize=6,
            markeredgecolor="white",
            markeredgewidth=0.7,
        )
        ax.text(mid[row], row - 0.24, words(mid[row]), ha="center", va="bottom")
    tidy(ax, "x")
    name_rows(ax, map(str, table.index))
    ax.set_xlim(low.min() / 1.5, high.max() * 1.5)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: words(x)))
    ax.set_xlabel(name)
    return ax
