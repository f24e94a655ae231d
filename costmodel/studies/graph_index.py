"""What a graph index costs before anybody has built it, by published tokens or by a sample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Option
from costmodel.choices.servings.api import Api
from costmodel.choices.techniques.graphs import VARIANTS, GraphRag
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    Range,
    check,
    check_draws,
    check_known,
    draw_values,
    middle,
    public,
    require,
    sample,
)
from costmodel.facts.catalog import practice
from costmodel.laws.retrieval import from_sample, graph_size, index_hours
from costmodel.ledgers.engine import evaluate
from costmodel.studies.knowledge import check_corpus

COSTS = [
    *("index_tokens", "usd_low", "usd", "usd_high", "hours_low", "hours", "hours_high"),
    *("entities", "relations"),
]
INDEXING = (
    "^(?:embed|write contexts of) (?:the corpus|what|again)|^(?:index|refresh) the graph|scanned"
)
# exponents from a sample to the whole: documents repeat less, or entities meet again
GROWTH_OF_INDEX = (0.97, 1.03, 1.12)


@public
def index_cost(
    work: Workload,
    extractor: Api,
    variants: Iterable[str] = VARIANTS,
    sample_share: float | None = None,
    sample_usd: float | None = None,
    sampled: str = "full",
    draws: int = 4_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Say what each graph index costs to build, before anybody builds it.

    Parameters
    ----------
    work : Workload
        The workload, with a corpus.
    extractor : Api
        The model that reads the corpus.
    variants : str or iterable of str
        Kinds of graph, see `GraphRag`.
    sample_share, sample_usd : float, optional
        Which share of the corpus was indexed as a sample [share, above 0 to 1], and what it cost
        [USD]; both replace the published ratio of the variant that was sampled.
    sampled : str
        That variant.
    draws, seed : int
        Random draws behind the bands, and what makes them repeatable.

    Returns
    -------
    pandas.DataFrame
        Index variant. Columns: index_tokens [token of the model for one of the corpus]; usd_low,
        usd, usd_high [USD, 80 % band]; hours_low, hours, hours_high [hour]; entities, relations
        [count].

    Raises
    ------
    CatalogError
        When a variant is not known.
    ValueError
        When the workload has no corpus, or one number of the sample is missing.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1_000, input_tokens=100, corpus=cm.Corpus(tokens=5e6))
    >>> extractor = cm.Api("gpt-6-luna", on="2026-11-20")
    >>> table = cm.knowledge.index_cost(work, extractor, ["full", "lazy"], draws=50)
    >>> table[["index_tokens", "usd"]].round(2)
             index_tokens    usd
    variant
    full            31.00  30.26
    lazy             0.03   0.03
    """
    check_corpus("index_cost", work)
    check_draws(draws, seed)
    variants = [variants] if isinstance(variants, str) else list(variants)
    for variant in (*variants, sampled):
        check_known("graph index", variant, VARIANTS, "index_cost")
    check(
        (sample_share is None) == (sample_usd is None),
        "index_cost: sample_share and sample_usd belong together; give both or none",
    )
    check(
        sampled in variants or sample_usd is None,
        f"index_cost: {sampled!r} was sampled, so it must be one of variants",
    )
    speed = practice("graphrag.tokens_per_minute")
    speeds = draw_values("graphrag.tokens_per_minute", speed, draws, seed)
    corpus: Any = middle(work).corpus
    keys = ("entities_per_ktok", "relations_per_entity", "entities_per_community")
    size = (practice(f"graphrag.{key}").mid for key in keys)
    entities, relations, _ = graph_size(corpus.tokens, *size)
    rows = []
    for variant in variants:
        graph = GraphRag(variant=variant, extractor=extractor)
        if sample_share is not None and sample_usd is not None and variant == sampled:
            graph = graph_from_sample(graph, work, sample_share, sample_usd)
        ratio, usd, hours = _index(middle((graph, work)), speed.mid)
        _, *drawn = _index(sample((graph, work), draws, seed), speeds)
        (usd_low, usd_high), (low, high) = (np.percentile(x, [10, 90]) for x in drawn)
        row = ratio, usd_low, usd, usd_high, low, hours, high, entities, relations
        rows.append(row)
    index = pd.Index(variants, name="variant")
    return pd.DataFrame(rows, index, COSTS, dtype=float)


def _index(given: Any, tokens_per_minute: Any) -> tuple[Any, Any, Any]:
    """(model tokens per corpus token, USD, hours) of building the index once, on numbers."""
    graph, work = given
    bill = evaluate(Option(graph.extractor, graph), work, middle(Terms(months=1)))
    usd = sum(line.usd for line in bill.lines if line.item.startswith("index the graph"))
    ratio, corpus = graph.index_ratio, work.corpus
    return ratio, usd, index_hours(ratio * corpus.tokens, tokens_per_minute)


@public
def graph_from_sample(
    graph: GraphRag, work: Workload, sample_share: float, sample_usd: float
) -> GraphRag:
    """Set the index tokens of a graph to what an indexed sample has cost.

    The band is that of growing from the sample to the whole, (1 / share) ^ 0.97 to 1.12: take
    documents at random, at least some dozens.

    Parameters
    ----------
    graph : GraphRag
        The graph, with the extractor that indexed the sample.
    work : Workload
        The workload, with a corpus.
    sample_share : float
        Share of the corpus that was indexed [share, above 0 to 1].
    sample_usd : float
        What that cost [USD, above 0].

    Returns
    -------
    GraphRag
        The same with `index_tokens`.

    Raises
    ------
    ValueError
        When the graph has no extractor, or a number is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1_000, input_tokens=100, corpus=cm.Corpus(tokens=5e6))
    >>> graph = cm.GraphRag(extractor=cm.Api("gpt-6-luna", on="2026-11-20"))
    >>> own = cm.knowledge.graph_from_sample(graph, work, sample_share=0.02, sample_usd=1.0)
    >>> round(own.index_tokens.low, 1), round(own.index_tokens.high, 1)
    (45.6, 81.9)
    """
    require("sample_share", sample_share, 1e-6, 1)
    require("sample_usd", sample_usd, 1e-9)
    check(
        graph.extractor is not None,
        "graph_from_sample: the graph needs the extractor that indexed the sample, such as "
        "GraphRag(extractor=Api(...))",
    )
    one = middle((replace(graph, index_tokens=1.0), work))
    usd = float(_index(one, 1.0)[1])  # of one model token for each token of the corpus
    low, mid, high = (from_sample(sample_usd, sample_share, e) / usd for e in GROWTH_OF_INDEX)
    why = f"measured: {sample_share:.1%} of the corpus cost {sample_usd:,.2f} USD"
    band = Range(low, high, mid, name="GraphRag.index_tokens", why=why) if low < high else mid
    return replace(graph, index_tokens=band)


@public
def index_upkeep(ledger: pd.DataFrame, months: int = 24) -> pd.DataFrame:
    """Say what each index costs at first and what is paid to keep it up to date, without its store
    and its people.

    Parameters
    ----------
    ledger : pandas.DataFrame
        A table of `cm.ledger`.
    months : int
        Months that are counted [month].

    Returns
    -------
    pandas.DataFrame
        Index option, the dearest first. Columns: usd_first [USD, in month 0], usd_later [USD, in
        all months after], usd_most [USD, in the dearest of these].

    Raises
    ------
    ValueError
        When no option of the ledger has an index.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(3e4, input_tokens=60, output_tokens=300, corpus=cm.Corpus(tokens=4e6))
    >>> options = cm.knowledge.knowledge_options(work, on="2026-11-01")
    >>> two = {label: options[label] for label in ("RAG", "GraphRAG")}
    >>> list(cm.knowledge.index_upkeep(cm.ledger(two, work, months=12)).index)
    ['GraphRAG', 'RAG']
    """
    kept = ledger[ledger["item"].str.contains(INDEXING) & ledger["month"].between(0, months)]
    check(len(kept), "index_upkeep: no option of the ledger has an index to keep")
    usd = kept.groupby(["option", "month"])["usd"].sum().unstack(fill_value=0.0)
    first = usd.pop(0)
    found = {"usd_first": first, "usd_later": usd.sum(axis=1), "usd_most": usd.max(axis=1)}
    dearest = (first + found["usd_later"]).sort_values(ascending=False).index
    return pd.DataFrame(found).loc[dearest]
