"""Which way answers which questions, where each is cheapest, and how much context helps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Option
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.knowledge import Rag
from costmodel.choices.techniques.lookup import quality_fact
from costmodel.choices.workload import QuestionMix
from costmodel.core import (
    DAYS_PER_MONTH,
    check,
    check_known,
    middle,
    number_list,
    objects,
    of_kind,
    one_number,
    public,
)
from costmodel.decisions.simulate import per_draw, totals
from costmodel.laws.retrieval import all_found, chunks
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill
from costmodel.studies.knowledge import check_corpus
from costmodel.studies.outcomes import per_request, share_accepted

KINDS = tuple(QuestionMix.__dataclass_fields__)
COARSE = 24  # points a side of the grid on which the map asks how sure it is


# -- how much context ------------------------------------------------------------------------------


@analysis
def context_budget(study: Study, label: str | None = None, top_k: Any = None) -> pd.DataFrame:
    """Say what quality and cost become as more passages are put into the prompt.

    The cost is what comes with each request, failures with it: an answer that was not found costs
    its tokens and what a wrong answer costs.

    Parameters
    ----------
    study : Study, or options with a workload
        One of its options holds a Rag; every answer of it has a known quality.
    label : str, optional
        Which option; it may be left out where there is one.
    top_k : iterable of float, optional
        Passages of a prompt [count, at least 1]; by default up to 250, and no more than the corpus
        has.

    Returns
    -------
    pandas.DataFrame
        Columns: top_k [count], context_tokens [token, of all rounds, at most the corpus], quality
        [share], usd_per_request [USD], per_accepted [USD], best (True where an accepted answer
        costs least). NaN where the prompt does not fit; every Range is at its middle.

    Raises
    ------
    ValueError
        When the option is a Mix or has no Rag, or its quality is not known.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e4, input_tokens=100, output_tokens=200, corpus=cm.Corpus(tokens=5e6))
    >>> api = cm.Api("gpt-6-luna", on="2026-11-20", accepted=0.35)
    >>> option = cm.Option(api, cm.Rag(chunk_tokens=500))
    >>> table = cm.knowledge.context_budget(option, work, top_k=[1, 5, 20, 80])
    >>> table[["top_k", "context_tokens", "quality", "best"]].round(2)
       top_k  context_tokens  quality   best
    0    1.0           500.0     0.54   True
    1    5.0          2500.0     0.73  False
    2   20.0         10000.0     0.81  False
    3   80.0         40000.0     0.83  False
    """
    label = study.label(label)
    option, work = middle((study.option(label), study.work))
    of_kind("context_budget: the option", option, Option)
    rag: Any = next((t for t in option.techniques if isinstance(t, Rag)), None)
    check(rag is not None, "context_budget: the option has no Rag")
    size: Any = np.inf if work.corpus is None else work.corpus.tokens
    if top_k is None:  # more than the corpus has is not sent
        ks = np.unique(np.round(np.geomspace(1, 250, 60)))
        ks = ks[ks <= max(chunks(size, rag.chunk_tokens, 0.0) / rag.rounds, ks[0])]
    else:
        ks = number_list("top_k", top_k, 1)
    study, numbers = study.only(label), (_with_each_request, share_accepted)
    usd, quality = (found[label] for found in per_draw(study, numbers, grid={"rag.top_k": ks}))
    check(
        not np.isnan(quality).all(),
        "context_budget: nobody knows how many answers are accepted; give accepted= to the "
        "serving, such as Api(..., accepted=0.35)",
    )
    table = pd.DataFrame(
        {
            "top_k": ks,
            "context_tokens": np.minimum(ks * rag.chunk_tokens * rag.rounds, size),
            "quality": quality,
            "usd_per_request": usd,
            "per_accepted": usd / quality,
        }
    )
    return table.assign(best=table.index == table["per_accepted"].idxmin())


def _with_each_request(bill: Bill, calendar: Calendar) -> Any:
    """USD of one request that grows with the requests, wrong answers included."""
    lines = [line for line in bill.lines if line.schedule.kind in ("with_demand", "path")]
    return replace(bill, lines=lines).total(calendar) / (bill.requests * calendar.requests)


# -- which questions -------------------------------------------------------------------------------


@analysis
def cost_by_mix(study: Study, hard: str = "multi_hop", shares: Any = None) -> pd.DataFrame:
    """Say what quality and cost of each way become as hard questions replace facts.

    Parameters
    ----------
    study : Study, or options with a workload
        The ways.
    hard : {"multi_hop", "whole", "summary", "filtered", "temporal"}
        The kind of hard questions.
    shares : iterable of float, optional
        Their share of all questions [share, 0 to 1]; by default 0 to 1 in tenths.

    Returns
    -------
    pandas.DataFrame
        Columns: option, share, quality [share], per_request [USD], per_accepted [USD]; NaN where a
        way cannot run. Every Range is at its middle.

    Raises
    ------
    ValueError
        When `hard` is no such kind, or an option is a router that was made for one mix.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e4, input_tokens=100, output_tokens=200, corpus=cm.Corpus(tokens=5e6))
    >>> api = cm.Api("gpt-6-luna", on="2026-11-20", accepted=0.35)
    >>> ways = {"vectors": cm.Option(api, cm.Rag()), "graph": cm.Option(api, cm.GraphRag())}
    >>> table = cm.knowledge.cost_by_mix(ways, work, hard="multi_hop", shares=[0, 1])
    >>> table[["share", "option", "quality"]].round(2)
       share   option  quality
    0    0.0  vectors     0.75
    1    0.0    graph     0.66
    2    1.0  vectors     0.58
    3    1.0    graph     0.64
    """
    check_known("hard kind of questions", hard, KINDS[1:], where="cost_by_mix")
    _check_routers("cost_by_mix", study)
    axis = np.linspace(0, 1, 11) if shares is None else number_list("shares", shares, 0, 1)
    grid = {"QuestionMix.fact": 1 - axis, f"QuestionMix.{hard}": axis}
    study = study.changed(work=replace(study.work, question_mix=QuestionMix()))
    usd, quality = per_draw(study, (per_request, share_accepted), grid=grid)
    table = pd.DataFrame(
        {
            "option": np.repeat(list(usd), len(axis)),
            "share": np.tile(axis, len(usd)),
            "quality": np.concatenate(list(quality.values())),
            "per_request": np.concatenate(list(usd.values())),
        }
    )
    table["per_accepted"] = table["per_request"] / table["quality"]
    return table.sort_values("share", kind="stable", ignore_index=True)


def _check_routers(who: str, study: Study) -> None:
    """Refuse a router: its parts are made for one mix of questions and do not follow another."""
    for label, option in study.options.items():
        check(
            all(getattr(thing, "questions", None) is None for thing in objects(option)),
            f"{who}: {label!r} is a router that was made for one mix of questions; make it again "
            "for each mix, with route_by_question",
        )


@analysis
def quality_by_question(study: Study) -> pd.DataFrame:
    """Say which share of answers each way gets right, by kind of question.

    Vectors win facts, graphs win questions over several hops and summaries (GraphRAG-Bench,
    arXiv:2506.05690; HippoRAG 2, arXiv:2502.14802).

    Parameters
    ----------
    study : Study, or options with a workload
        The ways.

    Returns
    -------
    pandas.DataFrame
        Index option; a column for each kind of `QuestionMix` [share accepted, NaN where it is not
        known]. Every Range is at its middle.

    Raises
    ------
    ValueError
        When an option is a router that was made for one mix.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e4, input_tokens=100, output_tokens=200, corpus=cm.Corpus(tokens=5e6))
    >>> api = cm.Api("gpt-6-luna", on="2026-11-20", accepted=0.35)
    >>> ways = {"vectors": cm.Option(api, cm.Rag()), "graph": cm.Option(api, cm.GraphRag())}
    >>> cm.knowledge.quality_by_question(ways, work).round(2)
             fact  multi_hop  whole  summary  filtered  temporal
    option
    vectors  0.75       0.58   0.71     0.71      0.62      0.62
    graph    0.66       0.64   0.79     0.72      0.52      0.69
    """
    _check_routers("quality_by_question", study)
    study = study.changed(work=replace(study.work, question_mix=QuestionMix()), months=1)
    alone = dict(zip((f"QuestionMix.{kind}" for kind in KINDS), np.eye(len(KINDS)), strict=True))
    (shares,) = per_draw(study, (share_accepted,), grid=alone)
    return pd.DataFrame(shares, index=KINDS).T.rename_axis("option")


@public
def found_by_entities(entities: Iterable[float] = (1, 2, 3, 5, 8)) -> pd.DataFrame:
    """Say how likely all entities of a question are found, by vectors alone and with a graph.

    Fitted to perfect retrieval of two hops (fast-graphrag benchmarks; a vendor). Vectors find all
    of five in a tenth of the questions; Tian Pan's "GraphRAG in Production" says in none. Answers
    follow the part that is found, and fall less.

    Parameters
    ----------
    entities : iterable of float
        Entities that a question needs [count, at least 1].

    Returns
    -------
    pandas.DataFrame
        Index entities; columns vector_low, vector, vector_high, graph_low, graph, graph_high
        [chance, with its 90 % range].

    Raises
    ------
    ValueError
        When a number of entities is below 1.

    Examples
    --------
    >>> found_by_entities()["vector"].round(2).tolist()
    [0.64, 0.41, 0.27, 0.11, 0.03]
    """
    n = number_list("entities", entities, 1)
    table = pd.DataFrame(index=pd.Index(n, name="entities"))
    for name in ("vector", "graph"):
        each = quality_fact(f"{name}.per_entity")
        table[f"{name}_low"] = all_found(n, each.low)
        table[name] = all_found(n, each.mid)
        table[f"{name}_high"] = all_found(n, each.high)
    return table


# -- where each way is cheapest --------------------------------------------------------------------


@analysis
def knowledge_map(
    study: Study,
    pages: Any = None,
    queries_per_day: Any = None,
    draws: int = 40,
    days_per_month: float = DAYS_PER_MONTH,
) -> pd.DataFrame:
    """Say which way is cheapest over the horizon, by size of the corpus and traffic.

    The cost of wrong answers is in it. A page has the tokens of a page of the workload's corpus.

    Parameters
    ----------
    study : Study, or options with a workload
        The ways; the workload has a corpus.
    pages : iterable of float, optional
        Sizes of the corpus, rising [page, above 0]; by default 200 from 10 to 100,000.
    queries_per_day : iterable of float, optional
        Traffic, rising [request/day, above 0]; by default 200 from 1 to 100,000.
    draws : int
        Random draws behind p_winner, on a coarser grid; 0 leaves the column out.
    days_per_month : float
        Days with traffic [day/month, 1 to 31].

    Returns
    -------
    pandas.DataFrame
        Columns: pages, queries_per_day, winner (none where nothing can run), usd_per_month [USD,
        every Range at its middle], p_winner [share of draws in which the winner is cheapest].

    Raises
    ------
    ValueError
        When the workload has no corpus, or an axis does not rise.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e4, input_tokens=100, output_tokens=200, corpus=cm.Corpus(tokens=5e6))
    >>> api = cm.Api("gpt-6-luna", on="2026-11-20", accepted=0.35)
    >>> ways = {"prompt": cm.Option(api, cm.LongContext()), "vectors": cm.Option(api, cm.Rag())}
    >>> axes = {"pages": [20, 1_000], "queries_per_day": [5, 5_000]}
    >>> table = cm.knowledge.knowledge_map(ways, work, **axes, draws=0)
    >>> table[["pages", "queries_per_day", "winner"]]
        pages  queries_per_day   winner
    0    20.0              5.0   prompt
    1    20.0           5000.0   prompt
    2  1000.0              5.0   prompt
    3  1000.0           5000.0  vectors
    """
    from scipy.interpolate import RegularGridInterpolator

    work = study.work
    check_corpus("knowledge_map", work)
    one_number("days_per_month", days_per_month, 1, 31)
    axes = [_axis("pages", pages, 10, 1e5), _axis("queries_per_day", queries_per_day, 1, 1e5)]
    corpus: Any = work.corpus
    per_page = float(middle(corpus.tokens) / middle(corpus.page_count))
    paged = study.changed(work=replace(work, corpus=replace(corpus, pages=1.0)))

    def usd_on(axes: list[np.ndarray], draws: int | None = None) -> np.ndarray:
        pages, queries = _plane(axes)
        grid = {
            "Corpus.tokens": pages * per_page,
            "Corpus.pages": pages,
            "requests_per_month": queries * days_per_month,
        }
        return np.nan_to_num(np.stack(list(totals(paged, draws, grid).values())), nan=np.inf)

    p, q = _plane(axes)
    usd = usd_on(axes)
    runs = np.isfinite(usd).any(axis=0)
    best = np.where(runs, usd.argmin(axis=0), -1)  # -1: no way can run there
    table = pd.DataFrame(
        {
            "pages": p,
            "queries_per_day": q,
            "winner": pd.Categorical.from_codes(best, list(study.options)),
            "usd_per_month": usd.min(axis=0) / study.terms.months,
        }
    )
    if draws:
        few = [np.geomspace(axis.min(), axis.max(), COARSE) for axis in axes]
        drawn = usd_on(few, draws)
        least = (drawn == drawn.min(axis=0)) & np.isfinite(drawn).any(axis=0)
        chance = (least / np.maximum(least.sum(axis=0), 1)).mean(axis=1)
        at = RegularGridInterpolator(
            [np.log(axis) for axis in few],
            np.moveaxis(chance.reshape(-1, COARSE, COARSE), 0, -1),
            bounds_error=False,
            fill_value=None,
        )(np.c_[np.log(p), np.log(q)])
        sure = at[np.arange(len(best)), best]
        table["p_winner"] = np.where(runs, np.clip(sure, 0, 1), np.nan)
    return table


def _plane(axes: list[np.ndarray]) -> list[np.ndarray]:
    """Every pair of two axes."""
    return [m.ravel() for m in np.meshgrid(*axes, indexing="ij")]


def _axis(name: str, given: Any, low: float, high: float) -> np.ndarray:
    """An axis of the map: rising numbers above 0, by default 200 from low to high."""
    axis = np.geomspace(low, high, 200) if given is None else number_list(name, given)
    check(
        len(axis) > 1 and axis[0] > 0 and (np.diff(axis) > 0).all(),
        f"{name} is {axis.tolist()}, it must be two or more rising numbers above 0",
    )
    return axis
