"""Knowledge: retrieval (RAG), a knowledge graph (GraphRAG), or the documents themselves in a long context."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import catalog
from ..catalog import practice
from ..errors import Infeasible, check
from ..lines import (
    Call,
    Line,
    Request,
    Schedule,
    Segment,
    Traffic,
    cite,
    every,
    labour,
    monthly,
    once,
    path,
    upkeep,
    with_demand,
)
from ..options import Case
from ..quality import Effect
from ..ranges import Number, Range, require, validate
from ..retrieval import chunks, index_bytes
from ..units import GB, HOURS_PER_WEEK, MILLION, MTOK
from ..workload import Corpus, Workload


def _corpus(work: Workload, technique: Any) -> Corpus:
    if work.corpus is None:
        raise Infeasible(f"{type(technique).__name__} has nothing to look up: the workload has no corpus")
    return work.corpus


LOOKED_UP = Range(0.8, 2.4, mid=1.5, form="amount", name="Rag.log_odds", why="assumption: the answer is in what was looked up, which plain prompting lacks; wide")


@dataclass(frozen=True)
class Rag:
    """Look the passages up: a vector index to build, refresh, store and query, and top_k chunks in every prompt."""

    top_k: Number = practice("rag.top_k")
    chunk_tokens: Number = practice("rag.chunk_tokens")
    overlap: Number = Range(0.02, 0.2, mid=0.1, why="library defaults: 20 of 1,024 to 200 of 4,000 characters")
    embedder: catalog.Embedder | str = "text-embedding-3-small"
    store: catalog.Store | str = "pinecone"
    reranker: catalog.Reranker | str | None = None
    index_overhead: Number = practice("hnsw.index_overhead")
    build_weeks: Number = practice("rag.build_weeks")
    upkeep_fte: Number = practice("rag.maintenance_fte")
    log_odds: Number = LOOKED_UP

    def __post_init__(self) -> None:
        for name, find in (("embedder", catalog.embedder), ("store", catalog.store), ("reranker", catalog.reranker)):
            if isinstance(getattr(self, name), str):
                object.__setattr__(self, name, find(getattr(self, name)))
        validate(self)
        require("Rag.overlap", self.overlap, high=MOST_OVERLAP)

    def shape(self, request: Request, work: Workload) -> Request:
        corpus = _corpus(work, self)
        return request.add(Segment("passages", np.minimum(self.top_k * self.chunk_tokens, corpus.tokens)))

    def buys(self, case: Case) -> Iterator[Line]:
        corpus, engineer = _corpus(case.work, self), case.terms.people.engineer
        usd = self.embedder.usd_per_mtok_in
        mtok = corpus.tokens / (1 - self.overlap) / MTOK
        count = chunks(corpus.tokens, self.chunk_tokens, self.overlap)
        gigabytes = index_bytes(count, self.embedder.dimensions, self.index_overhead) / GB
        embed = cite(self.embedder, "usd_per_mtok_in")
        yield labour("build the retrieval pipeline", self.build_weeks * HOURS_PER_WEEK, engineer, once(), "build",
                     "{build_weeks} engineer-weeks x 40 h x {usd_per_hour}/h", cite(self, "build_weeks"))  # fmt: skip
        yield Line("embed the corpus", "build", mtok, "Mtok", usd, once(), "api",
                   basis="{tokens} corpus tokens / (1 - {overlap} overlap)", cites=(*embed, "Corpus.tokens", *cite(self, "overlap")))  # fmt: skip
        months = case.terms.months
        yield Line("embed what changed", "retrieval", mtok * corpus.churn_per_month, "Mtok", usd, paid_with(corpus, monthly(), months), "api",
                   basis="corpus x {churn_per_month} churn a month", cites=(*embed, "Corpus.churn_per_month"))  # fmt: skip
        if np.ndim(corpus.size(months)):
            new = np.diff(corpus.size(months), axis=-1, prepend=1.0)
            yield Line("embed what is new", "retrieval", mtok, "Mtok", usd, path(np.maximum(new, 0.0)), "api",
                       basis="corpus x {growth_per_year} growth a year", cites=(*embed, "Corpus.growth_per_year"))  # fmt: skip
        queries = case.requests_per_month
        yield Line("embed the questions", "retrieval", queries * case.work.input_tokens / MTOK, "Mtok", usd, with_demand(), "api",
                   basis="requests a month x {input_tokens} tokens", cites=(*embed, "Workload.input_tokens"))  # fmt: skip
        yield store_line(self.store, case, gigabytes, queries, count * corpus.churn_per_month)
        if self.reranker is not None:
            yield self._rerank(queries)
        yield upkeep("keep retrieval working", self, engineer)

    def _rerank(self, queries: Any) -> Line:
        if self.reranker.usd_per_search is not None:
            return Line("rerank", "retrieval", queries, "search", self.reranker.usd_per_search, with_demand(), "api",
                        basis="one search a request", cites=cite(self.reranker, "usd_per_search"))  # fmt: skip
        tokens = queries * self.top_k * self.chunk_tokens * RERANK_FACTOR / MTOK
        return Line("rerank", "retrieval", tokens, "Mtok", self.reranker.usd_per_mtok_in, with_demand(), "api",
                    basis="requests x candidates x {chunk_tokens} tokens",
                    cites=(*cite(self.reranker, "usd_per_mtok_in"), *cite(self, "chunk_tokens")))  # fmt: skip

    def quality(self, case: Case) -> Effect:
        return Effect(self.log_odds, "assumed range for retrieved passages")


MOST_OVERLAP = 0.9  # at 1 a chunk never moves on
RERANK_FACTOR = 4  # candidates reranked for each one kept


def store_line(store: catalog.Store, case: Case, gigabytes: Any = 0.0, queries: Any = 0.0, writes: Any = 0.0) -> Line:
    """A store's bill in each month: storage and writes with the corpus, reads with demand, at least its minimum."""
    months, corpus = case.terms.months, _corpus(case.work, store)
    names = ("usd_per_gb_month", "usd_per_million_reads", "usd_per_million_writes", "usd_per_month_minimum")
    storage, reads, wrote, floor = (0.0 if getattr(store, n) is None else getattr(store, n) for n in names)
    held, asked = gigabytes * storage + writes / MILLION * wrote, queries / MILLION * reads
    still = case.work.flat and np.ndim(corpus.size(months)) == 0
    usd = np.maximum(held * corpus.size(months) + asked * (1.0 if still else case.work.demand(months)), floor)
    price, when = (usd, monthly()) if still else (1.0, path(usd * (np.arange(months + 1) > 0)))
    return Line("store the index", "retrieval", 1.0, "month" if still else "USD", price, when, "service",
                basis="storage + reads + writes, at least the monthly minimum",
                cites=cite(store, *(n for n in names if getattr(store, n) is not None)))  # fmt: skip


def paid_with(corpus: Corpus, schedule: Schedule, months: int) -> Schedule:
    """The schedule, each time for the corpus of that month."""
    size = corpus.size(months)
    return schedule if np.ndim(size) == 0 else path(schedule.weights(months, np.zeros(months + 1)) * size)


@dataclass(frozen=True)
class GraphRag:
    """Extract a graph of entities, relations and community summaries with a model: dear to index, good for
    questions that need several places. `variant` "full" summarises communities, "light" and "lazy" index with less."""

    variant: str = "full"
    index_tokens: Number | None = None  # model tokens per corpus token; None: the published ratio of the variant
    output_share: Number = Range(0.1, 0.3, why="assumption: share of index tokens that the extractor writes")
    context_tokens: Number = practice("graphrag.context_tokens")
    extractor: Any = None
    store: catalog.Store | str = "neo4j-aura"
    refresh_months: Number = Range(2, 6, mid=3, why="assumption: rebuild each quarter; the graph drifts 15-20 % a quarter")
    refresh_share: Number = Range(0.3, 1.0 - 1e-6, mid=0.7, why="assumption: share of the index that a refresh rebuilds")
    build_weeks: Number = practice("graphrag.build_weeks")
    upkeep_fte: Number = practice("graphrag.maintenance_fte")
    log_odds: Number = LOOKED_UP
    log_odds_relational: Number = Range(0.1, 1.2, mid=0.5, form="amount", why="assumption: on top, for questions over several places")

    def __post_init__(self) -> None:
        check(self.variant in VARIANTS, f"GraphRag.variant is {self.variant!r}, allowed are {', '.join(VARIANTS)}")
        if isinstance(self.store, str):
            object.__setattr__(self, "store", catalog.store(self.store))
        if self.index_tokens is None:
            object.__setattr__(self, "index_tokens", VARIANTS[self.variant]())
        validate(self)

    def at(self, on: str) -> GraphRag:
        return self if self.extractor is None else replace(self, extractor=self.extractor.at(on))

    def shape(self, request: Request, work: Workload) -> Request:
        _corpus(work, self)
        return request.add(Segment("graph context", self.context_tokens))

    def buys(self, case: Case) -> Iterator[Line | Traffic]:
        corpus, engineer = _corpus(case.work, self), case.terms.people.engineer
        per_chunk = GRAPH_CHUNK * self.index_tokens
        call = Call((Segment("extraction", per_chunk * (1 - self.output_share)),), per_chunk * self.output_share)
        count = corpus.tokens / GRAPH_CHUNK
        cites = (*cite(self, "index_tokens"), "Corpus.tokens")
        basis = "{tokens} corpus tokens x {index_tokens} index tokens for each"
        yield labour("build the graph pipeline", self.build_weeks * HOURS_PER_WEEK, engineer, once(), "build",
                     "{build_weeks} engineer-weeks x 40 h x {usd_per_hour}/h", cite(self, "build_weeks"))  # fmt: skip
        refresh = paid_with(corpus, every(self.refresh_months), case.terms.months)
        yield Traffic("index the graph", call, count, once(), "build", self.extractor, basis, cites)
        yield Traffic("refresh the graph", call, count * self.refresh_share, refresh, "retrieval", self.extractor,
                      basis + " x share rebuilt", (*cites, *cite(self, "refresh_share", "refresh_months")))  # fmt: skip
        yield store_line(self.store, case)
        yield upkeep("keep the graph working", self, engineer)

    def quality(self, case: Case) -> Effect:
        mix = case.work.question_mix
        relational = 0.0 if mix is None else mix.relational
        return Effect(self.log_odds + relational * self.log_odds_relational, "as Rag, more where questions span places")


GRAPH_CHUNK = 1200.0  # source tokens of one extraction call: the default of the reference implementation
VARIANTS = {
    "full": lambda: practice("graphrag.index_tokens"),
    "light": lambda: practice("lightrag.index_tokens"),
    "lazy": lambda: _scaled(practice("graphrag.index_tokens"), practice("lazygraphrag.index_share")),
}


def _scaled(r: Range, share: Range) -> Range:
    return Range(r.low * share.mid, r.high * share.mid, r.mid * share.mid, form="amount", source=share.source, why=share.why)


@dataclass(frozen=True)
class LongContext:
    """Put the documents into the prompt: no index to run, but every token of them is read for every answer.

    Sends the whole corpus where the model's window holds it, else the documents that a question needs
    (`document_tokens` here, or of the workload). Whole-corpus prompts repeat, so they can be cached.
    """

    document_tokens: Number | None = None
    log_odds: Number = Range(0.7, 2.2, mid=1.4, form="amount", why="assumption: near retrieval; long prompts lose facts in the middle")

    def __post_init__(self) -> None:
        validate(self, optional=("document_tokens",))

    def shape(self, request: Request, work: Workload) -> Request:
        corpus = _corpus(work, self)
        wanted = self.document_tokens if self.document_tokens is not None else work.document_tokens
        if wanted is None and np.ndim(corpus.size(1)):
            raise Infeasible("a corpus that grows is not modelled in the prompt; give document_tokens, what one question needs")
        if wanted is None:
            return request.add(Segment("corpus", corpus.tokens, stable=True))
        whole = np.asarray(wanted) >= np.asarray(corpus.tokens)  # what is sent each time repeats
        request = request.add(Segment("corpus", np.where(whole, corpus.tokens, 0.0), stable=True))
        return request.add(Segment("documents", np.where(whole, 0.0, wanted)))

    def buys(self, case: Case) -> Iterator[Line]:
        if case.serving.window is None:
            raise Infeasible(f"the context window of {case.serving.model.id} is not known; choose a model whose window is")
        return iter(())

    def quality(self, case: Case) -> Effect:
        return Effect(self.log_odds, "assumed range for documents in the prompt")
