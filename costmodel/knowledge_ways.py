"""Retrieval, a graph, or everything in the prompt: the ways as options, where each wins, and what to know before pressing go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .caching import break_even_hit_rate, cached_price, hit_rate, prefix_hit_rate
from .catalog import measured, practice
from .choices import DAYS_PER_MONTH, MODELS
from .decision import totals
from .errors import Infeasible, check, unknown
from .ledger import Calendar, evaluate, settle
from .options import Mix, Option, Part, cascade
from .prices import api_price
from .ranges import Number, Range, middle, pin, require, sample
from .retrieval import all_found, first_token_s, from_sample, graph_index_ratio, graph_size, index_hours
from .servings import Api
from .techniques.graphs import VARIANTS, GraphRag
from .techniques.knowledge import LongContext, Rag, fitted
from .techniques.prompting import PromptCache
from .units import MTOK, SECONDS_PER_HOUR, SECONDS_PER_MINUTE, WORKING_HOURS_PER_MONTH
from .workload import QuestionMix, Terms, Workload

if TYPE_CHECKING:
    import pandas as pd

GROWTH_OF_INDEX = (0.97, 1.03, 1.12)  # exponents from a sample to the whole: documents repeat less, or entities meet again
NOVEL_TOKENS = 600_000.0  # assumption: text behind one graph of GraphRAG-Bench Novel, which its paper does not state
COARSE = 24  # points a side of the grid on which the map asks how sure it is
ROUTED_WRONG = Range(0.05, 0.25, mid=0.12, name="router.error", why="assumption: share of questions that a classifier sends to the wrong way")


# -- the ways ------------------------------------------------------------------------------------------


def knowledge_options(work: Workload, model: str = "gpt-6.1-terra", small: str = "gpt-6-luna", on: str | None = None, top_k: Number | None = None,
                      chunk_tokens: Number | None = None, rerank: bool = False, graph_passes: Number = 2, infra_fixed: Number | None = None,
                      upkeep_hours: Number | None = None, accepted: Number | None = None) -> dict[str, Option | Mix]:  # fmt: skip
    """Ten ways to answer from the corpus of a workload, as {label: option}; what they share is left out.

    `graph_passes` is extraction and gleanings, `infra_fixed` the store's least bill [USD/month], `upkeep_hours` those of people in a
    month for each index; None takes the usual. `accepted` is the share that `model` answers well without the documents.
    """
    check(work.corpus is not None, "knowledge_options: the workload has no corpus; give corpus=Corpus(tokens=...) or Corpus.from_pages(...)")
    known = Range(0.20, 0.55, mid=0.35, name="accepted.large", why="preset: questions about documents that the model has not read") if accepted is None else accepted
    api = Api(model, on=on, accepted=known)
    extractor = Api(small, on=on)
    given: dict[str, Any] = {"top_k": top_k, "chunk_tokens": chunk_tokens, "reranker": "rerank-v4.0-fast" if rerank else None, "helper": extractor}
    people: dict[str, Any] = {} if upkeep_hours is None else {"upkeep_fte": upkeep_hours / WORKING_HOURS_PER_MONTH}
    rag = Rag(**{k: v for k, v in given.items() if v is not None}, **people)
    if infra_fixed is not None:
        rag = replace(rag, store=replace(rag.store, id="own store", usd_per_month_minimum=infra_fixed))  # type: ignore[type-var]
    graphs = {variant: GraphRag(variant=variant, gleanings=graph_passes - 1, extractor=extractor, **people) for variant in VARIANTS}
    whole = Option(api, LongContext())
    return {
        "RAG": Option(api, rag),
        "Agentic RAG": Option(api, replace(rag, steps=3.0, rewrites=1.0)),
        "GraphRAG": Option(api, graphs["full"]),
        "LightRAG": Option(api, graphs["light"]),
        "HippoRAG 2": Option(api, graphs["hipporag"]),
        "LazyGraphRAG": Option(api, graphs["lazy"]),
        "Long context": whole,
        "Long context, 5 min": Option(api, LongContext(), PromptCache()),
        "Long context, 1 h": Option(api, LongContext(), PromptCache(ttl_s=3600) if _hour(api) else PromptCache()),
        "Self-Route": self_route(Option(api, rag), whole),
    }


def _hour(api: Api) -> bool:
    """Whether a cache of an hour is priced."""
    return all(tier.usd_per_mtok_cache_write_1h is not None for tier in api.model.tiers)  # type: ignore[union-attr]


def self_route(retrieval: Option | Mix, long_context: Option | Mix, answered_by_retrieval: Number | None = None) -> Mix:
    """Ask retrieval first, and read everything only where it says that it cannot answer (Self-Route).

    57 to 77 % of the questions stay with retrieval (Li et al. 2024, arXiv:2407.16883, table 1). The others are paid twice.
    """
    share: Any = practice("self_route.answered_by_retrieval") if answered_by_retrieval is None else answered_by_retrieval
    on: Any = Range(1 - share.high, 1 - share.low, 1 - share.mid, name="self_route.escalated", source=share.source, why=share.why) if isinstance(share, Range) else 1 - share
    return cascade(retrieval, long_context, escalated=on)


def route_by_question(simple: Option, hard: Option, work: Workload, error: float = 0.12) -> Mix:
    """A router: questions answered in one place go to `simple`, all others to `hard`, `error` of each the wrong way.

    Each side is judged by the questions that reach it. Shares of the mix must be numbers.
    """
    require("error", error, 0, 1)
    mix: Any = middle(work.question_mix or QuestionMix())
    kinds = ("fact", "multi_hop", "whole", "summary")
    to_hard = {k: getattr(mix, k) * (error if k == "fact" else 1 - error) for k in kinds}
    to_simple = {k: getattr(mix, k) - to_hard[k] for k in kinds}

    def seeing(option: Option, shares: dict[str, float]) -> Option:
        total = sum(shares.values())
        own = QuestionMix(**{k: v / total for k, v in shares.items()}) if total else mix
        return replace(option, techniques=tuple(replace(t, questions=own) if hasattr(t, "questions") else t for t in option.techniques))

    return Mix(Part(seeing(hard, to_hard), answers=sum(to_hard.values())), Part(seeing(simple, to_simple)))


# -- tables --------------------------------------------------------------------------------------------


def knowledge_table(queries_per_day: Iterable[float] = (5, 50, 200, 2_000, 5_000), corpus_tokens: float = 150_000, rag_tokens: float = 5_000,
                    usd_per_mtok_in: float = 3.0, read: float = 0.10, write: float = 1.25, write_1h: float = 2.0, fixed: tuple[float, float] = (70, 2_200),
                    days: float = 22, hours: float = 10) -> pd.DataFrame:  # fmt: skip
    """USD a month of a long context without cache, with one of 5 minutes or an hour, and of retrieval at two fixed costs.

    Poisson arrivals in `days` x `hours` of a month; only prompt tokens count. Index `queries_per_day`; `cheapest` names the column.

    >>> knowledge_table().round().loc[50, ["long context", "5-minute cache", "1-hour cache"]].tolist()
    [495.0, 425.0, 56.0]
    """
    import pandas as pd

    a_day = np.asarray(list(queries_per_day), float)
    requests = a_day * days
    arrivals = requests / (days * hours * SECONDS_PER_HOUR)
    plain = requests * corpus_tokens / MTOK * usd_per_mtok_in
    hits, hits_1h = hit_rate(arrivals, 300), hit_rate(arrivals, 3600)
    rag = requests * rag_tokens / MTOK * usd_per_mtok_in
    table = pd.DataFrame({"hit rate, 5 min": hits, "long context": plain, "5-minute cache": plain * cached_price(hits, write, read),
                          "1-hour cache": plain * cached_price(hits_1h, write_1h, read),
                          **{f"RAG + ${x:,.0f}": rag + x for x in fixed}}, index=pd.Index(a_day, name="queries_per_day"))  # fmt: skip
    return table.assign(cheapest=table.iloc[:, 1:].idxmin(axis=1))


def knowledge_ratios(rag_tokens: Iterable[float] = (800, 3_000, 5_000, 20_000), corpus_tokens: float = 1e6, read: Iterable[float] = (0.10, 0.25)) -> pd.DataFrame:
    """How many times a query with the whole corpus costs that of retrieval: index rag_tokens, `plain`, and with the corpus cached.

    Only prompt tokens count, at one price. The published 1,250 needs 800 tokens of passages; 5,000 give 200.

    >>> knowledge_ratios().round(1).loc[[800, 5_000]].to_numpy().tolist()
    [[1250.0, 125.0, 312.5], [200.0, 20.0, 50.0]]
    """
    import pandas as pd

    tokens = np.asarray(list(rag_tokens), float)
    plain = corpus_tokens / tokens
    cached = {f"read at {x:.0%} of the price": plain * x for x in read}
    return pd.DataFrame({"plain": plain, **cached}, index=pd.Index(tokens, name="rag_tokens"))


def cache_verdict(queries_per_day: float, ttl_s: float = 300, write: float = 1.25, read: float = 0.10, days: float = 22, hours: float = 10) -> str:
    """What a cache does to the price of a prompt that always begins the same way, in one sentence.

    >>> cache_verdict(5)
    'At 5 queries a day a 5-minute cache is hit by 4.1% of them; it pays from 21.7%, so it makes the prompt 20% dearer than no cache.'
    """
    hits = float(hit_rate(queries_per_day * days / (days * hours * SECONDS_PER_HOUR), ttl_s))
    needed, change = float(break_even_hit_rate(write, read)), cached_price(hits, write, read) - 1
    life = f"{ttl_s / SECONDS_PER_MINUTE:.0f}-minute" if ttl_s < SECONDS_PER_HOUR else f"{ttl_s / SECONDS_PER_HOUR:.0f}-hour"
    effect = "dearer than no cache" if change > 0 else "cheaper"
    return (f"At {queries_per_day:,.0f} queries a day a {life} cache is hit by {hits:.1%} of them; it pays from {needed:.1%}, "
            f"so it makes the prompt {abs(change):.0%} {effect}.")  # fmt: skip


def knowledge_map(options: Mapping[str, Option | Mix], work: Workload, pages: Any = None, queries_per_day: Any = None, months: int | None = None,
                  draws: int = 40, seed: int = 0, terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:  # fmt: skip
    """Which way is cheapest over the horizon, by size of the corpus and traffic; the cost of failures is in it.

    Columns: pages queries_per_day winner usd_per_month (every input at its middle) p_winner, the share of `draws` in which the
    winner is the cheapest, asked on a coarser grid; `draws=0` leaves it out. By default 200 x 200 points; no winner where nothing can run.
    """
    import pandas as pd
    from scipy.interpolate import RegularGridInterpolator

    options, terms = settle(options, terms, months=months, on=on)
    check(work.corpus is not None, "knowledge_map: the workload has no corpus")
    axes = [np.geomspace(*ends, 200) if given is None else np.asarray(given, float) for given, ends in ((pages, (10, 1e5)), (queries_per_day, (1, 1e5)))]
    per_page = practice("text.tokens_per_page").mid
    labels = list(options)

    def grid(across: np.ndarray, down: np.ndarray, n: int | None) -> dict[str, np.ndarray]:
        p, q = (m.ravel() for m in np.meshgrid(across, down, indexing="ij"))
        return totals(options, replace(work, corpus=replace(work.corpus, pages=None)), terms, n, seed,  # type: ignore[type-var]
                      {"Corpus.tokens": p * per_page, "requests_per_month": q * DAYS_PER_MONTH})  # fmt: skip

    usd = np.vstack([np.where(np.isnan(x), np.inf, x) for x in grid(axes[0], axes[1], None).values()])
    best = np.where(np.isfinite(usd).any(axis=0), usd.argmin(axis=0), -1)  # -1: no way can run there
    p, q = (m.ravel() for m in np.meshgrid(*axes, indexing="ij"))
    table = pd.DataFrame({"pages": p, "queries_per_day": q, "winner": pd.Categorical.from_codes(best, labels), "usd_per_month": usd.min(axis=0) / terms.months})
    if draws:
        few = [np.geomspace(axis.min(), axis.max(), COARSE) for axis in axes]
        drawn = np.stack([np.where(np.isnan(x), np.inf, x) for x in grid(few[0], few[1], draws).values()])
        least = (drawn == drawn.min(axis=0)) & np.isfinite(drawn).any(axis=0)
        sure = (least / np.maximum(least.sum(axis=0), 1)).mean(axis=1).reshape(len(labels), COARSE, COARSE)
        points = np.c_[np.log(p), np.log(q)]
        at = RegularGridInterpolator([np.log(few[0]), np.log(few[1])], np.moveaxis(sure, 0, -1), bounds_error=False, fill_value=None)(points)
        table["p_winner"] = np.where(best >= 0, np.clip(at[np.arange(len(best)), best], 0, 1), np.nan)
    return table


def index_cost(work: Workload, extractor: Api, variants: Iterable[str] = VARIANTS, sample_share: float | None = None, sample_usd: float | None = None,
               sampled: str = "full", draws: int = 4_000, seed: int = 0) -> pd.DataFrame:  # fmt: skip
    """What each graph index costs to build, before pressing go: index variant; index_tokens (of the model, for a corpus token),
    usd_low usd usd_high (80 %), hours_low hours hours_high, entities and relations of the graph.

    `sample_share` and `sample_usd`, what an indexed sample of the corpus has cost, replace the published ratio of the variant that
    was `sampled`.
    """
    import pandas as pd

    rows = {}
    for variant in variants:
        if variant not in VARIANTS:
            raise unknown("graph index", variant, VARIANTS, "index_cost")
        graph = GraphRag(variant=variant, extractor=extractor)
        if sample_share is not None and sample_usd is not None and variant == sampled:
            graph = graph_from_sample(graph, work, sample_share, sample_usd)
        speed = practice("graphrag.tokens_per_minute")
        usual_graph, usual_work = middle((graph, work))
        mid = _index(usual_graph, usual_work, speed.mid)
        drawn_graph, drawn_work = sample((graph, work), draws, seed)
        drawn = _index(drawn_graph, drawn_work, speed.quantile(_even(draws)))
        low, high = np.percentile(np.hstack([np.broadcast_to(x, (draws, 1)) for x in drawn]), [10, 90], axis=0)
        size = graph_size(usual_work.corpus.tokens, practice("graphrag.entities_per_ktok").mid, practice("graphrag.relations_per_entity").mid,
                          practice("graphrag.entities_per_community").mid)  # fmt: skip
        rows[variant] = [mid[0], *(x for i in (1, 2) for x in (low[i], mid[i], high[i])), *size[:2]]
    columns = ["index_tokens", "usd_low", "usd", "usd_high", "hours_low", "hours", "hours_high", "entities", "relations"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype(float).rename_axis("variant")


def _even(n: int) -> np.ndarray:
    return np.random.default_rng(0).permutation((np.arange(n) + 0.5) / n)[:, None]


def _index(graph: GraphRag, work: Workload, tokens_per_minute: Any) -> tuple[Any, Any, Any]:
    """(model tokens per corpus token, USD, hours) of building the index once, on numbers."""
    bill = evaluate(Option(graph.extractor, graph), work, middle(Terms(months=1)))
    usd = sum(line.quantity * line.usd_per_unit for line in bill.lines if line.item.startswith("index the graph"))
    return graph.index_ratio, usd, index_hours(graph.index_ratio * work.corpus.tokens, tokens_per_minute)  # type: ignore[union-attr]


def graph_from_sample(graph: GraphRag, work: Workload, sample_share: float, sample_usd: float) -> GraphRag:
    """The graph with `index_tokens` from what an indexed sample has cost: a bill of `sample_usd` for `sample_share` of the corpus.

    The band is that of growing from the sample to the whole, (1 / share) ^ 0.97 to 1.12: take documents at random, at least some dozens.
    """
    require("sample_share", sample_share, 1e-6, 1)
    require("sample_usd", sample_usd, 1e-9)
    check(graph.extractor is not None, "graph_from_sample: the graph needs the extractor that indexed the sample, such as GraphRag(extractor=Api(...))")
    one, corpus = middle((replace(graph, index_tokens=1.0), work))
    usd = float(_index(one, corpus, 1.0)[1])  # of one model token for each token of the corpus
    low, mid, high = (from_sample(sample_usd, sample_share, e) / usd for e in GROWTH_OF_INDEX)
    why = f"measured: {sample_share:.1%} of the corpus cost {sample_usd:,.2f} USD"
    return replace(graph, index_tokens=Range(low, high, mid, name="GraphRag.index_tokens", why=why) if low < high else mid)


INDEXED = ("id", "family", "variant", "tokens", "chunk_tokens", "metric", "value", "unit", "as_of", "source", "note")


def index_fidelity() -> pd.DataFrame:
    """Published index and query tokens of graphs beside the law of their variant: one row each, nothing left out.

    Columns: variant what reported low mid high (90 % of the law) inside left_out source. `left_out` is the geometric mean of the other
    sources of that variant at chunks of about the same length (NaN without one): what a first estimate from the literature would say.
    """
    import pandas as pd

    rows = []
    found: list[dict[str, Any]] = [{**r, "value": float(r["value"])} for r in measured("indexing", INDEXED) if r["variant"] in VARIANTS]
    for r in found:
        graph: Any = GraphRag(variant=r["variant"], mode=r["metric"].removeprefix("query_tokens_") if r["metric"].startswith("query") else "local")
        if r["metric"] == "index_ratio":
            law = [graph_index_ratio(float(r["chunk_tokens"]), *(getattr(getattr(graph.variant, f), e) for f in ("index_overhead_tokens", "index_tokens_per_token")))
                   for e in ("low", "mid", "high")]  # fmt: skip
        elif graph.mode == "global":
            law = [getattr(graph.report_share, e) * NOVEL_TOKENS for e in ("low", "mid", "high")]
        else:
            law = [getattr(graph.variant.context_tokens, e) for e in ("low", "mid", "high")]
        others = [np.log(o["value"]) for o in found if o["metric"] == r["metric"] == "index_ratio" and o["variant"] == r["variant"]
                  and o["family"] != r["family"] and abs(float(o["chunk_tokens"]) / float(r["chunk_tokens"]) - 1) < 0.1]  # fmt: skip
        rows.append((r["variant"], r["metric"].replace("_", " "), r["value"], *law, law[0] <= r["value"] <= law[2], np.exp(np.mean(others)) if others else np.nan, r["source"]))
    return pd.DataFrame(rows, columns=["variant", "what", "reported", "low", "mid", "high", "inside", "left_out", "source"])


# -- how much context, which questions, how long to wait -----------------------------------------------


def context_budget(option: Option, work: Workload, top_k: Any = None, months: int = 12, terms: Terms | None = None) -> pd.DataFrame:
    """Quality and cost as more passages are put into the prompt: columns top_k context_tokens quality usd_per_request
    per_accepted, and `best` on the row whose accepted answer costs least. Cost is what comes with each request, failures
    with it: an answer that was not found costs its tokens and what a wrong answer costs."""
    import pandas as pd

    terms = Terms(months=months) if terms is None else terms
    check(any(isinstance(t, Rag) for t in option.techniques), "context_budget: the option has no Rag")
    ks = np.unique(np.round(np.geomspace(1, 250, 60))) if top_k is None else np.asarray(top_k, float)
    rag = next(t for t in option.techniques if isinstance(t, Rag))
    chosen, month_work, month_terms = middle((option, work, terms))
    bill = evaluate(pin(chosen, "rag.top_k", ks[:, None]), month_work, month_terms)
    calendar = Calendar(month_work, month_terms)
    running = sum((line.quantity * line.usd_per_unit * calendar.factor(line.schedule, line.trend) for line in bill.lines
                   if line.schedule.kind in ("with_demand", "path")), 0.0)  # fmt: skip
    each = np.broadcast_to(running / (bill.requests * calendar.requests), (len(ks), 1))[:, 0]
    quality = np.broadcast_to(np.nan if bill.accepted is None else bill.accepted, (len(ks), 1))[:, 0]
    chunk: Any = middle(rag.chunk_tokens)
    table = pd.DataFrame({"top_k": ks, "context_tokens": ks * chunk, "quality": quality, "usd_per_request": each, "per_accepted": each / quality})
    return table.assign(best=table.index == table["per_accepted"].idxmin())


def cost_by_mix(options: Mapping[str, Option | Mix], work: Workload, hard: str = "multi_hop", shares: Any = None, months: int | None = None,
                terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:  # fmt: skip
    """Quality and cost of each way as `hard` questions (multi_hop, whole or summary) replace facts.

    Columns: option share quality per_request per_accepted; NaN where a way cannot run.
    """
    import pandas as pd

    options, terms = settle(options, terms, months=months, on=on)
    check(hard in ("multi_hop", "whole", "summary"), f"cost_by_mix: hard is {hard!r}, allowed are multi_hop, whole and summary")
    rows = []
    for share in np.linspace(0, 1, 11) if shares is None else shares:
        asked, numbers = middle((replace(work, question_mix=QuestionMix(**{"fact": 1 - share, hard: share})), terms))
        calendar = Calendar(asked, numbers)
        for label, option in options.items():
            try:
                bill = evaluate(middle(option), asked, numbers)
            except Infeasible:
                rows.append((label, share, np.nan, np.nan, np.nan))
                continue
            each = float(bill.total(calendar, without="failures") / (bill.requests * calendar.requests))
            good = np.nan if bill.accepted is None else float(bill.accepted)
            rows.append((label, share, good, each, each / good))
    return pd.DataFrame(rows, columns=["option", "share", "quality", "per_request", "per_accepted"])


def quality_by_question(options: Mapping[str, Option | Mix], work: Workload) -> pd.DataFrame:
    """Share of answers accepted by each way on each kind of question: index option; fact multi_hop whole summary.

    Vectors win facts, graphs questions over several hops and summaries (GraphRAG-Bench, arXiv:2506.05690; HippoRAG 2, arXiv:2502.14802).
    """
    import pandas as pd

    rows: dict[str, dict[str, float]] = {label: {} for label in options}
    for kind in QuestionMix.__dataclass_fields__:
        only = replace(work, question_mix=QuestionMix(**{"fact": 0.0, kind: 1.0}))
        for label, option in options.items():
            try:
                share = evaluate(*middle((option, only, Terms(months=1)))).accepted
            except Infeasible:
                share = None
            rows[label][kind] = np.nan if share is None else float(np.squeeze(share))
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("option")


def found_by_entities(entities: Iterable[float] = (1, 2, 3, 5, 8)) -> pd.DataFrame:
    """Chance that all of the entities of a question are found, by vectors alone and with a graph, each with its 90 % range.

    Index entities; columns vector_low vector vector_high graph_low graph graph_high, fitted to perfect retrieval of two hops
    (fast-graphrag benchmarks; a vendor). Vectors fall towards zero at five, as Tian Pan's "GraphRAG in Production" says.

    >>> found_by_entities()["vector"].round(2).tolist()
    [0.52, 0.27, 0.14, 0.04, 0.01]
    """
    import pandas as pd

    n = np.asarray(list(entities), float)
    columns: dict[str, np.ndarray] = {}
    for name in ("vector", "graph"):
        each = fitted(f"{name}.per_entity")
        columns |= {f"{name}{suffix}": all_found(n, x) for suffix, x in (("_low", each.low), ("", each.mid), ("_high", each.high))}
    return pd.DataFrame(columns, index=pd.Index(n, name="entities"))


@dataclass(frozen=True)
class Waiting:
    """How long a hosted API takes before its first token; wide, because models and hours differ. Reasoning comes on top."""

    first_token_s: Number = practice("api.first_token_s")
    seconds_per_mtok: Number = practice("api.seconds_per_mtok")
    cached_wait_share: Number = practice("api.cached_wait_share")
    tail: Number = practice("api.tail")


def latency(options: Mapping[str, Option | Mix], work: Workload, waiting: Waiting | None = None, draws: int = 2_000, seed: int = 0,
            terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:  # fmt: skip
    """Time to first token [s] of each way, half (p50) and 19 of 20 requests (p95), each with its 80 % band.

    Index option; columns p50_low p50 p50_high p95_low p95 p95_high why_not. Search, rerank or graph first, then the prompt. A cached
    prefix is fast for its hits: the median sees it from a hit rate of one half, the 95th percentile from 95 %. In a Mix a second part
    waits for the first. Own GPUs: see `predict_serving`.
    """
    import pandas as pd

    options, terms = settle(options, terms, on=on)
    rows: dict[str, list[Any]] = {}
    for label, option in options.items():
        try:
            mid = _wait(*middle((option, work, terms, waiting or Waiting())))
            drawn = _wait(*sample((option, work, terms, waiting or Waiting()), draws, seed))
        except Infeasible as reason:
            rows[label] = [*[np.nan] * 6, str(reason)]
            continue
        bands = [np.nanpercentile(np.broadcast_to(x, (draws, 1)), [10, 90]) for x in drawn]
        rows[label] = [*(x for (low, high), m in zip(bands, mid, strict=True) for x in (low, float(np.squeeze(m)), high)), ""]
    columns = ["p50_low", "p50", "p50_high", "p95_low", "p95", "p95_high", "why_not"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("option")


def _wait(option: Any, work: Workload, terms: Terms, waiting: Any) -> tuple[Any, Any]:
    """(p50, p95) of an option on numbers."""
    before: Any = 0.0
    half: list[Any] = []
    late: list[Any] = []
    for part, sees, _ in option.parts():
        case = part.case(work, terms, sees)
        if not isinstance(case.serving, Api):
            raise Infeasible("latency is for models behind an API; ask predict_serving about own GPUs")
        call = case.request.calls[-1]
        over = [excess for excess, _ in case.serving.limits(call) if np.ndim(excess) == 0 and excess > 0]
        if over:
            raise Infeasible(f"the prompt is {over[0]:,.0f} tokens over the window")
        first = before + sum((t.wait_s(case) for t in part.techniques if hasattr(t, "wait_s")), 0.0)
        cold = first_token_s(call.prompt_tokens, waiting.first_token_s, waiting.seconds_per_mtok)
        cache: Any = call.cache
        warm, hits = cold, 0.0
        if cache is not None:
            fresh = first_token_s(call.prompt_tokens - call.stable_tokens, waiting.first_token_s, waiting.seconds_per_mtok)
            warm = fresh + call.stable_tokens / MTOK * waiting.seconds_per_mtok * waiting.cached_wait_share
            hits = prefix_hit_rate(work.arrivals_per_s(case.requests_per_month), cache.ttl_s, cache.burst, cache.parallel, cache.prefixes, cache.replicas)
        half.append((sees, first + np.where(np.asarray(hits) >= 0.5, warm, cold)))
        late.append((sees, first + waiting.tail * np.where(np.asarray(hits) >= 0.95, warm, cold)))
        before = before + cold
    usual = half[0][1] if len(half) == 1 else np.where(np.asarray(half[1][0]) >= 0.5, half[1][1], half[0][1])
    worst = late[0][1] if len(late) == 1 else np.where(np.asarray(late[1][0]) >= 0.05, late[1][1], late[0][1])
    return usual, worst


def holds(tokens: float, models: Iterable[str] = MODELS, on: str | None = None) -> pd.DataFrame:
    """Which models hold a corpus of so many tokens: index model; window, over [token], usd_per_query of a prompt of it.

    `over` is how far the corpus is above the window; `usd_per_query` is NaN where it does not fit.
    """
    import pandas as pd

    rows = {}
    for model in models:
        card = api_price(model, on=on)
        over = max(tokens - card.window, 0.0) if card.window else np.nan
        tier = [t for t in card.tiers if tokens > t.above or not t.above][-1]
        rows[model] = (card.window, over, np.nan if over else tokens / MTOK * float(middle(tier.usd_per_mtok_in)))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["window", "over", "usd_per_query"]).rename_axis("model").sort_values(["over", "usd_per_query"])
