"""What a graph index costs before anybody has built it: from published tokens, or from an indexed sample of your own."""

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
from costmodel.core.checks import require
from costmodel.core.draws import middle, sample
from costmodel.core.errors import check, unknown
from costmodel.core.public import public
from costmodel.core.ranges import Range
from costmodel.facts.catalog import practice
from costmodel.facts.rows import measured
from costmodel.laws.retrieval import from_sample, graph_index_ratio, graph_size, index_hours
from costmodel.ledgers.engine import evaluate

GROWTH_OF_INDEX = (
    0.97,
    1.03,
    1.12,
)  # exponents from a sample to the whole: documents repeat less, or entities meet again
NOVEL_TOKENS = 600_000.0  # assumption: text behind one graph of GraphRAG-Bench Novel, which its paper does not state
INDEXED = (
    "id",
    "family",
    "variant",
    "tokens",
    "chunk_tokens",
    "metric",
    "value",
    "unit",
    "as_of",
    "source",
    "note",
)


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
    """What each graph index costs to build, before pressing go: index variant; index_tokens (of the model, for a corpus token),
    usd_low usd usd_high (80 %), hours_low hours hours_high, entities and relations of the graph.

    `sample_share` and `sample_usd`, what an indexed sample of the corpus has cost, replace the published ratio of the variant that
    was `sampled`.
    """
    variants = [variants] if isinstance(variants, str) else list(variants)
    for variant in (*variants, sampled):
        if variant not in VARIANTS:
            raise unknown("graph index", variant, VARIANTS, "index_cost")
    given = (sample_share is not None, sample_usd is not None)
    check(
        all(given) or not any(given),
        "index_cost: sample_share and sample_usd belong together; give both or none",
    )
    check(
        sampled in variants or not any(given),
        f"index_cost: {sampled!r} was sampled, so it must be one of variants",
    )
    rows = {}
    for variant in variants:
        graph = GraphRag(variant=variant, extractor=extractor)
        if all(given) and variant == sampled:
            graph = graph_from_sample(graph, work, sample_share, sample_usd)  # type: ignore[arg-type]
        speed = practice("graphrag.tokens_per_minute")
        usual_graph, usual_work = middle((graph, work))
        mid = _index(usual_graph, usual_work, speed.mid)
        drawn_graph, drawn_work = sample((graph, work), draws, seed)
        drawn = _index(drawn_graph, drawn_work, speed.quantile(_even(draws)))
        low, high = np.percentile(
            np.hstack([np.broadcast_to(x, (draws, 1)) for x in drawn]), [10, 90], axis=0
        )
        size = graph_size(
            usual_work.corpus.tokens,
            practice("graphrag.entities_per_ktok").mid,
            practice("graphrag.relations_per_entity").mid,
            practice("graphrag.entities_per_community").mid,
        )
        rows[variant] = [mid[0], *(x for i in (1, 2) for x in (low[i], mid[i], high[i])), *size[:2]]
    columns = [
        "index_tokens",
        "usd_low",
        "usd",
        "usd_high",
        "hours_low",
        "hours",
        "hours_high",
        "entities",
        "relations",
    ]
    return (
        pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        .astype(float)
        .rename_axis("variant")
    )


def _even(n: int) -> np.ndarray:
    return np.random.default_rng(0).permutation((np.arange(n) + 0.5) / n)[:, None]


def _index(graph: GraphRag, work: Workload, tokens_per_minute: Any) -> tuple[Any, Any, Any]:
    """(model tokens per corpus token, USD, hours) of building the index once, on numbers."""
    bill = evaluate(Option(graph.extractor, graph), work, middle(Terms(months=1)))
    usd = sum(
        line.quantity * line.usd_per_unit
        for line in bill.lines
        if line.item.startswith("index the graph")
    )
    return (
        graph.index_ratio,
        usd,
        index_hours(graph.index_ratio * work.corpus.tokens, tokens_per_minute),
    )  # type: ignore[union-attr]


@public
def graph_from_sample(
    graph: GraphRag, work: Workload, sample_share: float, sample_usd: float
) -> GraphRag:
    """The graph with `index_tokens` from what an indexed sample has cost: a bill of `sample_usd` for `sample_share` of the corpus.

    The band is that of growing from the sample to the whole, (1 / share) ^ 0.97 to 1.12: take documents at random, at least some dozens.
    """
    require("sample_share", sample_share, 1e-6, 1)
    require("sample_usd", sample_usd, 1e-9)
    check(
        graph.extractor is not None,
        "graph_from_sample: the graph needs the extractor that indexed the sample, such as GraphRag(extractor=Api(...))",
    )
    one, corpus = middle((replace(graph, index_tokens=1.0), work))
    usd = float(_index(one, corpus, 1.0)[1])  # of one model token for each token of the corpus
    low, mid, high = (from_sample(sample_usd, sample_share, e) / usd for e in GROWTH_OF_INDEX)
    why = f"measured: {sample_share:.1%} of the corpus cost {sample_usd:,.2f} USD"
    return replace(
        graph,
        index_tokens=Range(low, high, mid, name="GraphRag.index_tokens", why=why)
        if low < high
        else mid,
    )


@public
def index_fidelity() -> pd.DataFrame:
    """Published index and query tokens of graphs: one row each, nothing left out.

    Columns: variant what reported; law_low law law_high (90 % of the law of that variant, which was set with this row in view, so
    that it is no check); others_low others others_high, the least, the geometric mean and the most of the other sources of that variant at
    chunks of about the same length; inside, whether the row lies within these others; source. Without another source the last four are missing.
    """
    found: list[dict[str, Any]] = [
        {**r, "value": float(r["value"])}
        for r in measured("indexing", INDEXED)
        if r["variant"] in VARIANTS
    ]
    rows = []
    for r in found:
        others = [o["value"] for o in found if _same_kind(o, r)] or [np.nan]
        low, high = min(others), max(others)
        rows.append(
            (
                r["variant"],
                r["metric"].replace("_", " "),
                r["value"],
                *_law(r),
                low,
                np.exp(np.mean(np.log(others))),
                high,
                None if np.isnan(low) else bool(low <= r["value"] <= high),
                r["source"],
            )
        )
    columns = [
        "variant",
        "what",
        "reported",
        "law_low",
        "law",
        "law_high",
        "others_low",
        "others",
        "others_high",
        "inside",
        "source",
    ]
    return pd.DataFrame(rows, columns=columns)


def _law(row: dict[str, Any]) -> list[float]:
    """[low, middle, high] of what the model says of a published row."""
    query = row["metric"].startswith("query")
    graph: Any = GraphRag(
        variant=row["variant"],
        mode=row["metric"].removeprefix("query_tokens_") if query else "local",
    )
    ends = ("low", "mid", "high")
    if not query:
        overhead, per_token = (
            graph.variant.index_overhead_tokens,
            graph.variant.index_tokens_per_token,
        )
        return [
            float(
                graph_index_ratio(
                    float(row["chunk_tokens"]), getattr(overhead, e), getattr(per_token, e)
                )
            )
            for e in ends
        ]
    if graph.mode == "global":
        return [getattr(graph.report_share, e) * NOVEL_TOKENS for e in ends]
    return [getattr(graph.variant.context_tokens, e) for e in ends]


def _same_kind(other: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether another source reports the index tokens of that variant at chunks of about the same length."""
    return (
        other["metric"] == row["metric"] == "index_ratio"
        and other["variant"] == row["variant"]
        and other["family"] != row["family"]
        and abs(float(other["chunk_tokens"]) / float(row["chunk_tokens"]) - 1) < 0.1
    )
