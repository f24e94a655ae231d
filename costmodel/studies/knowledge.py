"""Retrieval, a graph, or everything in the prompt: the ways as options, routers between them, and where each wins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Mix, Option, Part, cascade
from costmodel.choices.presets import DAYS_PER_MONTH
from costmodel.choices.servings.api import Api
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.graphs import VARIANTS, GraphRag
from costmodel.choices.techniques.knowledge import LongContext, Rag
from costmodel.choices.techniques.prompting import PromptCache
from costmodel.choices.workload import QuestionMix, Workload
from costmodel.core.checks import number_list, one_number, require
from costmodel.core.draws import middle
from costmodel.core.errors import check, in_words
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import MTOK, SECONDS_PER_HOUR, SECONDS_PER_MINUTE, WORKING_HOURS_PER_MONTH
from costmodel.decisions.simulate import totals
from costmodel.facts.catalog import practice
from costmodel.facts.prices import api_price
from costmodel.laws.caching import break_even_hit_rate, cached_price, hit_rate

COARSE = 24  # points a side of the grid on which the map asks how sure it is
ROUTED_WRONG = Range(
    0.05,
    0.25,
    mid=0.12,
    name="router.error",
    why="assumption: share of questions that a classifier sends to the wrong way",
)


# -- the ways ------------------------------------------------------------------------------------------


@public
def knowledge_options(
    work: Workload,
    model: str = "gpt-6.1-terra",
    small: str = "gpt-6-luna",
    on: str | None = None,
    top_k: Number | None = None,
    chunk_tokens: Number | None = None,
    rerank: bool = False,
    graph_passes: float = 2,
    infra_fixed: float | None = None,
    upkeep_hours: float | None = None,
    accepted: Number | None = None,
) -> dict[str, Option | Mix]:
    """Ten ways to answer from the corpus of a workload, as {label: option}; what they share is left out.

    `graph_passes` is extraction and gleanings, `infra_fixed` the store's least bill [USD/month], `upkeep_hours` those of people in a
    month for each index; None takes the usual. `accepted` is the share that `model` answers well without the documents.
    """
    _has_corpus("knowledge_options", work)
    one_number("graph_passes", graph_passes, 1)
    check(isinstance(rerank, (bool, np.bool_)), f"rerank is {rerank!r}, allowed are True and False")
    for name, value in (("infra_fixed", infra_fixed), ("upkeep_hours", upkeep_hours)):
        if value is not None:
            one_number(name, value)
    known = (
        Range(
            0.20,
            0.55,
            mid=0.35,
            name="accepted.large",
            why="preset: questions about documents that the model has not read",
        )
        if accepted is None
        else accepted
    )
    api = Api(model, on=on, accepted=known)
    extractor = Api(small, on=on)
    given: dict[str, Any] = {
        "top_k": top_k,
        "chunk_tokens": chunk_tokens,
        "reranker": "rerank-v4.0-fast" if rerank else None,
        "helper": extractor,
    }
    people: dict[str, Any] = (
        {} if upkeep_hours is None else {"upkeep_fte": upkeep_hours / WORKING_HOURS_PER_MONTH}
    )
    rag = Rag(**{k: v for k, v in given.items() if v is not None}, **people)
    if infra_fixed is not None:
        rag = replace(
            rag, store=replace(rag.store, id="own store", usd_per_month_minimum=infra_fixed)
        )  # type: ignore[type-var]
    graphs = {
        variant: GraphRag(
            variant=variant, gleanings=graph_passes - 1, extractor=extractor, **people
        )
        for variant in VARIANTS
    }
    whole = Option(api, LongContext())
    return {
        "RAG": Option(api, rag),
        "Agentic RAG": Option(api, replace(rag, rounds=3.0, rewrites=1.0)),
        "GraphRAG": Option(api, graphs["full"]),
        "LightRAG": Option(api, graphs["light"]),
        "HippoRAG 2": Option(api, graphs["hipporag"]),
        "LazyGraphRAG": Option(api, graphs["lazy"]),
        "Long context": whole,
        "Long context, 5 min": Option(api, LongContext(), PromptCache()),
        "Long context, 1 h": Option(
            api, LongContext(), PromptCache(ttl_s=3600) if _hour(api) else PromptCache()
        ),
        "Self-Route": self_route(Option(api, rag), whole),
    }


def _has_corpus(who: str, work: Any) -> None:
    check(
        isinstance(work, Workload),
        f"{who}: the workload is {in_words(work)}, it must be a Workload(...)",
    )
    check(
        work.corpus is not None,
        f"{who}: the workload has no corpus; give corpus=Corpus(tokens=...) or Corpus.from_pages(...)",
    )


def _hour(api: Api) -> bool:
    """Whether a cache of an hour is priced."""
    return all(tier.usd_per_mtok_cache_write_1h is not None for tier in api.model.tiers)  # type: ignore[union-attr]


@public
def self_route(
    retrieval: Option | Mix, long_context: Option | Mix, answered_by_retrieval: Number | None = None
) -> Mix:
    """Ask retrieval first, and read everything only where it says that it cannot answer (Self-Route).

    57 to 77 % of the questions stay with retrieval (Li et al. 2024, arXiv:2407.16883, table 1). The others are paid twice.
    """
    share: Any = (
        practice("self_route.answered_by_retrieval")
        if answered_by_retrieval is None
        else answered_by_retrieval
    )
    require("answered_by_retrieval", share, 0, 1)
    on: Any = (
        Range(
            1 - share.high,
            1 - share.low,
            1 - share.mid,
            name="self_route.escalated",
            source=share.source,
            why=share.why,
        )
        if isinstance(share, Range)
        else 1 - share
    )
    return cascade(retrieval, long_context, escalated=on)


@public
def route_by_question(simple: Option, hard: Option, work: Workload, error: float = 0.12) -> Mix:
    """A router: questions answered in one place go to `simple`, all others to `hard`, `error` of each the wrong way.

    Each side is judged by the questions that reach it. Shares of the mix must be numbers.
    """
    one_number("error", error, 0, 1)
    for name, option in (("simple", simple), ("hard", hard)):
        check(
            isinstance(option, Option),
            f"route_by_question: {name} is {in_words(option)}, it must be an Option(...)",
        )
    mix: Any = middle(work.question_mix or QuestionMix())
    kinds = ("fact", "multi_hop", "whole", "summary")
    to_hard = {k: getattr(mix, k) * (error if k == "fact" else 1 - error) for k in kinds}
    to_simple = {k: getattr(mix, k) - to_hard[k] for k in kinds}

    def seeing(option: Option, shares: dict[str, float]) -> Option:
        total = sum(shares.values())
        own = QuestionMix(**{k: v / total for k, v in shares.items()}) if total else mix
        return replace(
            option,
            techniques=tuple(
                replace(t, questions=own) if hasattr(t, "questions") else t
                for t in option.techniques
            ),
        )

    return Mix(
        Part(seeing(hard, to_hard), answers=sum(to_hard.values())), Part(seeing(simple, to_simple))
    )


# -- tables --------------------------------------------------------------------------------------------


@public
def knowledge_table(
    queries_per_day: Iterable[float] = (5, 50, 200, 2_000, 5_000),
    corpus_tokens: float = 150_000,
    rag_tokens: float = 5_000,
    usd_per_mtok_in: float = 3.0,
    read: float = 0.10,
    write: float = 1.25,
    write_1h: float = 2.0,
    fixed: Iterable[float] = (70, 2_200),
    days: float = 22,
    hours: float = 10,
) -> pd.DataFrame:
    """USD a month of a long context without cache, with one of 5 minutes or an hour, and of retrieval at two fixed costs.

    Poisson arrivals in `days` x `hours` of a month; only prompt tokens count. Index `queries_per_day`; `cheapest` names the column.

    >>> knowledge_table().round().loc[
    ...     50, ["long context", "5-minute cache", "1-hour cache"]
    ... ].tolist()
    [495.0, 425.0, 56.0]
    """
    a_day = number_list("queries_per_day", queries_per_day)
    for name, value, low, high in (
        ("corpus_tokens", corpus_tokens, 0, np.inf),
        ("rag_tokens", rag_tokens, 0, np.inf),
        ("usd_per_mtok_in", usd_per_mtok_in, 0, np.inf),
        ("read", read, 0, np.inf),
        ("write", write, 0, np.inf),
        ("write_1h", write_1h, 0, np.inf),
        ("days", days, 1, 31),
        ("hours", hours, 0.1, 24),
    ):
        one_number(name, value, low, high)
    fixed = tuple(number_list("fixed", fixed))
    requests = a_day * days
    arrivals = requests / (days * hours * SECONDS_PER_HOUR)
    uncached = requests * corpus_tokens / MTOK * usd_per_mtok_in
    hits, hits_1h = hit_rate(arrivals, 300), hit_rate(arrivals, 3600)
    rag = requests * rag_tokens / MTOK * usd_per_mtok_in
    table = pd.DataFrame(
        {
            "hit rate, 5 min": hits,
            "long context": uncached,
            "5-minute cache": uncached * cached_price(hits, write, read),
            "1-hour cache": uncached * cached_price(hits_1h, write_1h, read),
            **{f"RAG + ${x:,.0f}": rag + x for x in fixed},
        },
        index=pd.Index(a_day, name="queries_per_day"),
    )
    return table.assign(cheapest=table.iloc[:, 1:].idxmin(axis=1))


@public
def knowledge_ratios(
    rag_tokens: Iterable[float] = (800, 3_000, 5_000, 20_000),
    corpus_tokens: float = 1e6,
    read: Iterable[float] = (0.10, 0.25),
) -> pd.DataFrame:
    """How many times a query with the whole corpus costs that of retrieval: index rag_tokens, `plain`, and with the corpus cached.

    Only prompt tokens count, at one price. The published 1,250 needs 800 tokens of passages; 5,000 give 200.

    >>> knowledge_ratios().round(1).loc[[800, 5_000]].to_numpy().tolist()
    [[1250.0, 125.0, 312.5], [200.0, 20.0, 50.0]]
    """
    tokens = number_list("rag_tokens", rag_tokens, 1)
    one_number("corpus_tokens", corpus_tokens, 1)
    ratio = corpus_tokens / tokens
    cached = {f"read at {x:.0%} of the price": ratio * x for x in number_list("read", read)}
    return pd.DataFrame({"plain": ratio, **cached}, index=pd.Index(tokens, name="rag_tokens"))


@public
def cache_verdict(
    queries_per_day: float,
    ttl_s: float = 300,
    write: float = 1.25,
    read: float = 0.10,
    days: float = 22,
    hours: float = 10,
    model: str | None = None,
    on: str | None = None,
) -> str:
    """What a cache does to the price of a prompt that always begins the same way, in one sentence.

    `write` and `read` are prices over plain input; with a `model` they are those of its price card on the day `on`.

    >>> cache_verdict(5)
    'At 5 queries a day a 5-minute cache is hit by 4.1% of them; it pays from 21.7%, so it makes the prompt 20% dearer than no cache.'
    """
    for name, value, low, high in (
        ("queries_per_day", queries_per_day, 0, np.inf),
        ("ttl_s", ttl_s, 1, np.inf),
        ("write", write, 1, np.inf),
        ("read", read, 0, np.inf),
        ("days", days, 1, 31),
        ("hours", hours, 0.1, 24),
    ):
        one_number(name, value, low, high)
    if model is not None:
        card: Any = middle(api_price(model, on=on)).tiers[0]
        written = card.usd_per_mtok_cache_write_1h if ttl_s > 300 else card.usd_per_mtok_cache_write
        if card.usd_per_mtok_cache_read is None:
            return f"{model} has no price for a cached prompt."
        write, read = (
            (written or card.usd_per_mtok_in) / card.usd_per_mtok_in,
            card.usd_per_mtok_cache_read / card.usd_per_mtok_in,
        )
    hits = float(hit_rate(queries_per_day * days / (days * hours * SECONDS_PER_HOUR), ttl_s))
    needed, change = float(break_even_hit_rate(write, read)), cached_price(hits, write, read) - 1
    life = (
        f"{ttl_s / SECONDS_PER_MINUTE:.0f}-minute"
        if ttl_s < SECONDS_PER_HOUR
        else f"{ttl_s / SECONDS_PER_HOUR:.0f}-hour"
    )
    pays = (
        "never pays"
        if np.isinf(needed)
        else "always pays"
        if needed <= 0
        else f"pays from {needed:.1%}"
    )
    effect = "dearer than no cache" if change > 0 else "cheaper"
    of = "" if model is None else f" of {model}"
    return (
        f"At {queries_per_day:,.0f} queries a day a {life} cache{of} is hit by {hits:.1%} of them; it {pays}, "
        f"so it makes the prompt {abs(change):.0%} {effect}."
    )


@analysis
def knowledge_map(
    study: Study,
    pages: Any = None,
    queries_per_day: Any = None,
    draws: int = 40,
    days_per_month: float = DAYS_PER_MONTH,
) -> pd.DataFrame:
    """Which way is cheapest over the horizon, by size of the corpus and traffic; the cost of failures is in it.

    Pages have the tokens of those of the workload's corpus (of a usual page, where it does not count its pages). Columns: pages queries_per_day winner usd_per_month (every input at its middle) p_winner, the share of `draws` in which the
    winner is the cheapest, asked on a coarser grid; `draws=0` leaves it out. By default 200 x 200 points; no winner where nothing can run.
    """
    from scipy.interpolate import RegularGridInterpolator

    work = study.work
    _has_corpus("knowledge_map", work)
    one_number("days_per_month", days_per_month, 1, 31)
    axes = [_axis("pages", pages, 10, 1e5), _axis("queries_per_day", queries_per_day, 1, 1e5)]
    per_page = float(middle(work.corpus.tokens) / middle(work.corpus.page_count))  # type: ignore[union-attr]
    labels = list(study.options)

    paged = study.changed(work=replace(work, corpus=replace(work.corpus, pages=1.0)))  # type: ignore[type-var]

    def grid(across: np.ndarray, down: np.ndarray, n: int | None) -> dict[str, np.ndarray]:
        p, q = (m.ravel() for m in np.meshgrid(across, down, indexing="ij"))
        places = {
            "Corpus.tokens": p * per_page,
            "Corpus.pages": p,
            "requests_per_month": q * days_per_month,
        }
        return totals(paged, n, places)

    usd = np.vstack(
        [np.where(np.isnan(x), np.inf, x) for x in grid(axes[0], axes[1], None).values()]
    )
    best = np.where(
        np.isfinite(usd).any(axis=0), usd.argmin(axis=0), -1
    )  # -1: no way can run there
    p, q = (m.ravel() for m in np.meshgrid(*axes, indexing="ij"))
    table = pd.DataFrame(
        {
            "pages": p,
            "queries_per_day": q,
            "winner": pd.Categorical.from_codes(best, labels),
            "usd_per_month": usd.min(axis=0) / study.terms.months,
        }
    )
    if draws:
        few = [np.geomspace(axis.min(), axis.max(), COARSE) for axis in axes]
        drawn = np.stack(
            [np.where(np.isnan(x), np.inf, x) for x in grid(few[0], few[1], draws).values()]
        )
        least = (drawn == drawn.min(axis=0)) & np.isfinite(drawn).any(axis=0)
        sure = (
            (least / np.maximum(least.sum(axis=0), 1))
            .mean(axis=1)
            .reshape(len(labels), COARSE, COARSE)
        )
        points = np.c_[np.log(p), np.log(q)]
        at = RegularGridInterpolator(
            [np.log(few[0]), np.log(few[1])],
            np.moveaxis(sure, 0, -1),
            bounds_error=False,
            fill_value=None,
        )(points)
        table["p_winner"] = np.where(
            best >= 0, np.clip(at[np.arange(len(best)), best], 0, 1), np.nan
        )
    return table


def _axis(name: str, given: Any, low: float, high: float) -> np.ndarray:
    """An axis of the map: rising numbers above 0, by default 200 from low to high."""
    axis = np.geomspace(low, high, 200) if given is None else number_list(name, given)
    check(
        len(axis) > 1 and axis[0] > 0 and (np.diff(axis) > 0).all(),
        f"{name} is {axis.tolist()}, it must be two or more rising numbers above 0",
    )
    return axis
