"""Retrieval, a graph, or everything in the prompt: the ways as options, and their wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.mixes import Mix, Part, cascade
from costmodel.choices.options import Option
from costmodel.choices.quality.answering import cases
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.waiting import Waiting, waits
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.graphs import GraphRag
from costmodel.choices.techniques.knowledge import Rag
from costmodel.choices.techniques.prompting import LongContext, PromptCache
from costmodel.choices.terms import Terms
from costmodel.choices.workload import FIRST, QuestionMix, Workload
from costmodel.core import (
    SECONDS_PER_HOUR,
    WORKING_HOURS_PER_MONTH,
    Infeasible,
    Number,
    Range,
    check,
    middle,
    not_none,
    one_number,
    public,
    require,
    sample,
)
from costmodel.facts.catalog import practice

ONE_PLACE = ("fact", "filtered")  # questions that are answered in one place

# -- the ways --------------------------------------------------------------------------------------


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
    """Make ten ways to answer from the corpus of a workload; what they share is left out.

    Parameters
    ----------
    work : Workload
        The workload, with a corpus.
    model, small : str
        The API models that answer, and that index and help.
    on : str, optional
        The day of the prices; by default today's.
    top_k : float or Range, optional
        Passages of a prompt [count]; None takes the default of `Rag`.
    chunk_tokens : float or Range, optional
        Length of a passage [token]; None takes the default of `Rag`.
    rerank : bool
        Whether passages are ranked again.
    graph_passes : float
        Extraction and gleanings of a graph [count, at least 1].
    infra_fixed : float, optional
        The least bill of the vector store [USD/month]; None takes that of the catalogue.
    upkeep_hours : float, optional
        Work of people on each index [hour/month]; None takes the usual.
    accepted : float or Range, optional
        Share of questions that `model` answers well without the documents [share]; None: it
        follows from the task and the model.

    Returns
    -------
    dict of str to Option or Mix
        The ways by label.

    Raises
    ------
    ValueError
        When the workload has no corpus, or an argument is outside its range.

    Examples
    --------
    >>> from costmodel.choices.workload import Corpus
    >>> list(knowledge_options(Workload(9, 50, corpus=Corpus(tokens=1e6), output_tokens=9)))[:3]
    ['RAG', 'Agentic RAG', 'GraphRAG']
    """
    check_corpus("knowledge_options", work)
    one_number("graph_passes", graph_passes, 1)
    check(isinstance(rerank, (bool, np.bool_)), f"rerank is {rerank!r}, allowed are True and False")
    people: dict[str, Any] = {}
    if upkeep_hours is not None:
        one_number("upkeep_hours", upkeep_hours)
        people["upkeep_fte"] = upkeep_hours / WORKING_HOURS_PER_MONTH
    api = Api(model, on=on, accepted=accepted)
    extractor = Api(small, on=on)
    chosen = not_none(top_k=top_k, chunk_tokens=chunk_tokens)
    reranker = "rerank-v4.0-fast" if rerank else None
    rag = Rag(helper=extractor, reranker=reranker, **chosen, **people)
    if infra_fixed is not None:
        one_number("infra_fixed", infra_fixed)
        store: Any = rag.store
        rag = replace(rag, store=replace(store, id="own store", usd_per_month_minimum=infra_fixed))

    def graph(variant: str) -> Option:
        gleanings = graph_passes - 1
        return Option(api, GraphRag(variant, gleanings=gleanings, extractor=extractor, **people))

    by_the_hour = all(tier.usd_per_mtok_cache_write_1h is not None for tier in api.model.tiers)
    hour = PromptCache(ttl_s=SECONDS_PER_HOUR) if by_the_hour else PromptCache()
    search, whole = Option(api, rag), Option(api, LongContext())
    return {
        "RAG": search,
        "Agentic RAG": Option(api, replace(rag, rounds=3.0, rewrites=1.0)),
        "GraphRAG": graph("full"),
        "LightRAG": graph("light"),
        "HippoRAG 2": graph("hipporag"),
        "LazyGraphRAG": graph("lazy"),
        "Long context": whole,
        "Long context, 5 min": Option(api, LongContext(), PromptCache()),
        "Long context, 1 h": Option(api, LongContext(), hour),
        "Self-Route": self_route(search, whole),
    }


def check_corpus(who: str, work: Any) -> None:
    """Check that a workload has a corpus."""
    check(
        work.corpus is not None,
        f"{who}: the workload has no corpus; give corpus=Corpus(tokens=...) or "
        "Corpus.from_pages(...)",
    )


@public
def self_route(
    retrieval: Option | Mix, long_context: Option | Mix, answered_by_retrieval: Number | None = None
) -> Mix:
    """Ask retrieval first, and read everything where it says that it cannot answer (Self-Route).

    57 to 77 % of the questions stay with retrieval (Li et al. 2024, arXiv:2407.16883, table 1). The
    others are paid twice.

    Parameters
    ----------
    retrieval, long_context : Option or Mix
        What is asked first, and what reads everything.
    answered_by_retrieval : float or Range, optional
        Share of questions that retrieval answers [share, 0 to 1]; by default the published ones.

    Returns
    -------
    Mix
        A cascade of both.

    Raises
    ------
    ValueError
        When the share is outside 0 to 1.

    Examples
    --------
    >>> import costmodel as cm
    >>> api = cm.Api("gpt-6.1-terra", on="2026-11-20")
    >>> way = cm.knowledge.self_route(
    ...     cm.Option(api, cm.Rag()), cm.Option(api, cm.LongContext()), 0.6
    ... )
    >>> [(float(sees), float(answers)) for _, sees, answers in way.parts()]
    [(1.0, 0.6), (0.4, 0.4)]
    """
    share: Any = answered_by_retrieval
    if share is None:
        share = practice("self_route.answered_by_retrieval")
    require("answered_by_retrieval", share, 0, 1)
    on: Any = 1 - middle(share)
    if isinstance(share, Range):
        low, high, name = 1 - share.high, 1 - share.low, "self_route.escalated"
        on = Range(low, high, on, name=name, source=share.source, why=share.why)
    return cascade(retrieval, long_context, escalated=on)


@public
def route_by_question(simple: Option, hard: Option, work: Workload, error: float = 0.12) -> Mix:
    """Route questions that are answered in one place to one option, and all others to another.

    Each side is judged by the questions that reach it.

    Parameters
    ----------
    simple, hard : Option
        What answers questions with one place, and the others.
    work : Workload
        The workload; the shares of its question mix are numbers, or are taken at their middle.
    error : float
        Share of each kind that goes the wrong way [share, 0 to 1].

    Returns
    -------
    Mix
        The router.

    Raises
    ------
    ValueError
        When one of the two is no Option, or the error is outside 0 to 1.

    Examples
    --------
    >>> import costmodel as cm
    >>> api = cm.Api("gpt-6.1-terra", on="2026-11-20")
    >>> work = cm.Workload(1_000, input_tokens=100, question_mix={"fact": 0.7, "multi_hop": 0.3})
    >>> router = cm.knowledge.route_by_question(
    ...     cm.Option(api, cm.Rag()), cm.Option(api, cm.GraphRag()), work, error=0.1
    ... )
    >>> [round(float(answers), 2) for _, _, answers in router.parts()]
    [0.34, 0.66]
    """
    one_number("error", error, 0, 1)
    mix: Any = middle(work.question_mix or QuestionMix())

    def side(option: Option, of_facts: float) -> tuple[Option, float]:
        """The option, judged by the questions that reach it, and their share."""
        shares = {
            kind: getattr(mix, kind) * (of_facts if kind in ONE_PLACE else 1 - of_facts)
            for kind in mix.__dataclass_fields__
        }
        total = sum(shares.values())
        own = QuestionMix(**{k: x / total for k, x in shares.items()}) if total else mix
        judged = (
            replace(t, questions=own) if hasattr(t, "questions") else t for t in option.techniques
        )
        return replace(option, techniques=tuple(judged)), total

    to_hard, share = side(hard, error)
    to_simple, _ = side(simple, 1 - error)
    return Mix(Part(to_hard, answers=share), Part(to_simple))


# -- the wait --------------------------------------------------------------------------------------


@analysis
def latency(study: Study, waiting: Waiting | None = None, draws: int = 2_000) -> pd.DataFrame:
    """Say how long each way takes to its first token.

    Search, rerank or graph come first, then the prompt and reasoning; a failed call is waited for
    as long as an answer. A cached prefix is fast for its hits: the median sees it from a
    hit rate of one half, the 95th percentile from 95 %. In a Mix a second part waits for the first,
    the last step of an agent for those before. Own GPUs take what the calibrated law says. Not in
    it: queues at a rate limit.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    waiting : Waiting, optional
        How long the API takes; by default published measurements.
    draws : int
        Random draws behind the bands.

    Returns
    -------
    pandas.DataFrame
        Index option. Columns: p50_low, p50, p50_high [second, half of the requests, with its 80 %
        band]; p95_low, p95, p95_high [second, 19 of 20 requests]; why_not.

    Raises
    ------
    ValueError
        When `waiting` is no Waiting.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1_000, input_tokens=100_000)
    >>> waits = latency(cm.Option(cm.Api("gpt-6-sol")), work, draws=100)
    >>> bool(waits.p50_low.item() < waits.p50.item() < waits.p95.item())
    True
    """
    waiting = waiting or Waiting()
    rows: dict[str, dict[str, Any]] = {}
    for label, option in study.options.items():
        things = option, study.work, study.terms, waiting
        row: dict[str, Any] = {"why_not": ""}
        try:
            mid, drawn = _wait(*middle(things)), _wait(*sample(things, draws, study.seed))
            for name, x, spread in zip(("p50", "p95"), mid, drawn, strict=True):
                row[name] = float(np.squeeze(x))
                row[f"{name}_low"], row[f"{name}_high"] = np.nanpercentile(spread, [10, 90])
        except Infeasible as reason:
            row = {"why_not": str(reason)}
        rows[label] = row
    columns = ["p50_low", "p50", "p50_high", "p95_low", "p95", "p95_high", "why_not"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("option")


def _wait(option: Any, work: Workload, terms: Terms, waiting: Any) -> tuple[Any, Any]:
    """(p50, p95) of an option on numbers."""
    parts = [case for _, case, _ in cases(option, work, terms)]
    for case in parts:
        for over, _ in case.serving.limits(case.request.main):
            if np.ndim(over) == 0 and over > 0:
                raise Infeasible(f"the prompt is {over:,.0f} tokens over the window")
    found = waits(parts, FIRST, waiting)
    if found is None:
        raise Infeasible("people answer here; latency is for models")
    return found
