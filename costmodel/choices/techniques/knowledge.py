"""Knowledge: look passages up (RAG), or put the documents themselves into a long context. Graphs are in `graphs`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.choices.options import Case, require_servings
from costmodel.choices.purchases import Line, Traffic, cite, labour, upkeep
from costmodel.choices.requests import Call, Request, Segment
from costmodel.choices.schedule import every, monthly, once, path, with_demand
from costmodel.choices.techniques.lookup import (
    HOPS,
    asked,
    base_of,
    by_question,
    corpus_of,
    fitted,
    paid_with,
    read,
    resolve,
    store_line,
)
from costmodel.choices.workload import QuestionMix, Workload
from costmodel.core.checks import require, validate
from costmodel.core.errors import CatalogError, Infeasible
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import GB, MINUTES_PER_HOUR, MONTHS_PER_YEAR, MTOK, WORKING_HOURS_PER_WEEK
from costmodel.facts import catalog
from costmodel.facts.catalog import practice
from costmodel.laws.quality import Effect, answered, shift, shift_to
from costmodel.laws.retrieval import (
    all_found,
    chunks,
    embedding_usd_per_mtok,
    index_bytes,
    recall_at_k,
)

MOST_OVERLAP = 0.9  # at 1 a chunk never moves on


@public
@dataclass(frozen=True)
class Rag:
    """Look the passages up: a vector index to build, refresh, store and query, and top_k chunks in every prompt.

    You buy short prompts and answers that cite; you give up what the search does not find, and an index to keep. `rounds`
    above 1 is an agent that looks up again; `rewrites` are calls of the `helper` (None: the option's own serving)
    that rewrite the question first; `embedder_life_months` ends in embedding everything again. `dimensions` shortens the vectors of the
    embedder, `bytes_per_number` 1 keeps them in 8 bits.
    """

    top_k: Number = practice("rag.top_k")
    chunk_tokens: Number = practice("rag.chunk_tokens")
    overlap: Number = Range(
        0.02, 0.2, mid=0.1, why="library defaults: 20 of 1,024 to 200 of 4,000 characters"
    )
    embedder: catalog.Embedder | str = "text-embedding-3-small"
    store: catalog.Store | str = "pinecone"
    reranker: catalog.Reranker | str | None = None
    reader: catalog.Reader | str = "frontier"
    candidates_per_kept: Number = 4.0
    hybrid: bool = False
    rewrites: Number = 0.0
    rounds: Number = 1.0
    helper: Any = None
    top_k_growth_per_year: Number = 0.0
    dimensions: Number | None = None
    bytes_per_number: Number = 4.0
    copies: Number = 1.0
    index_overhead: Number = practice("hnsw.index_overhead")
    ocr_share: Number = Range(
        0.02, 0.5, mid=0.15, why="assumption: scanned pages among the documents"
    )
    usd_per_page: Number = practice("ocr.usd_per_page")
    embedder_life_months: Number = Range(
        12,
        36,
        mid=20,
        form="amount",
        why="assumption: an embedding model is replaced after one to three years",
    )
    eval_questions: Number = Range(
        100, 400, mid=200, why="assumption: enough to see a change of recall by five points"
    )
    minutes_per_question: Number = Range(
        2, 8, mid=4, why="assumption: find and mark the right passage"
    )
    build_weeks: Number = practice("rag.build_weeks")
    upkeep_fte: Number = practice("rag.maintenance_fte")
    search_s: Number = practice("rag.search_s")
    recall_at_one: Number = fitted("retrieval.recall_at_one")
    recall_slope: Number = fitted("retrieval.recall_slope")
    log_odds_rerank: Number = fitted("rerank.log_odds_recall")
    log_odds_hybrid: Number = Range(
        0.1, 0.6, mid=0.3, why="assumption: words beside vectors find names and numbers"
    )
    log_odds_summary: Number = fitted("plain.log_odds_summary")
    per_entity: Number = fitted("vector.per_entity")
    hops: Number = HOPS
    questions: QuestionMix | None = None

    def __post_init__(self) -> None:
        resolve(
            self,
            optional=("reranker",),
            embedder=catalog.embedder,
            store=catalog.store,
            reranker=catalog.reranker,
            reader=catalog.reader,
        )
        validate(self, optional=("dimensions",))
        require_servings(self, "helper")
        require("Rag.top_k", self.top_k, low=1)
        require("Rag.overlap", self.overlap, high=MOST_OVERLAP)
        require("Rag.rounds", self.rounds, low=1)
        if self.dimensions is None and self.embedder.dimensions is None:
            raise CatalogError(
                f"the dimensions of {self.embedder.id!r} are not published, so its index cannot be sized; give dimensions=, or choose another embedding model"
            )

    @property
    def passage_tokens(self) -> Any:
        """Tokens of the passages in the last prompt: those of every round."""
        return self.top_k * self.chunk_tokens * self.rounds

    def shape(self, request: Request, work: Workload) -> Request:
        corpus = corpus_of(work, self)
        return request.add(Segment("passages", np.minimum(self.passage_tokens, corpus.tokens)))

    def wait_s(self, case: Case) -> Any:
        """Seconds before the model is asked: search and rerank in each round."""
        return self.search_s * self.rounds

    def buys(self, case: Case) -> Iterator[Line | Traffic]:
        corpus, people, months = corpus_of(case.work, self), case.terms.people, case.terms.months
        usd, embed = self.embedder.usd_per_mtok_in, cite(self.embedder, "usd_per_mtok_in")
        mtok = corpus.tokens / (1 - self.overlap) / MTOK
        count = chunks(corpus.tokens, self.chunk_tokens, self.overlap)
        width = self.embedder.dimensions if self.dimensions is None else self.dimensions
        gigabytes = (
            index_bytes(count, width, self.index_overhead, self.bytes_per_number, self.copies) / GB
        )
        yield labour(
            "build the retrieval pipeline",
            self.build_weeks * WORKING_HOURS_PER_WEEK,
            people.engineer,
            once(),
            "build",
            "{build_weeks} engineer-weeks x 40 h x {usd_per_hour}/h",
            cite(self, "build_weeks"),
        )
        yield labour(
            "label questions for retrieval",
            self.eval_questions * self.minutes_per_question / MINUTES_PER_HOUR,
            people.analyst,
            once(),
            "evaluation",
            "{eval_questions} questions x {minutes_per_question} minutes x {usd_per_hour}/h",
            cite(self, "eval_questions", "minutes_per_question"),
        )
        scanned = (*cite(self, "ocr_share", "usd_per_page"), "Corpus.tokens")
        pages = corpus.page_count * self.ocr_share
        yield Line(
            "read scanned pages",
            "build",
            pages,
            "page",
            self.usd_per_page,
            once(),
            "service",
            basis="pages x {ocr_share} scanned",
            cites=scanned,
        )
        yield Line(
            "embed the corpus",
            "build",
            mtok,
            "Mtok",
            usd,
            once(),
            "api",
            basis="{tokens} corpus tokens / (1 - {overlap} overlap)",
            cites=(*embed, "Corpus.tokens", *cite(self, "overlap")),
        )
        yield Line(
            "embed what changed",
            "retrieval",
            mtok * corpus.churn_per_month,
            "Mtok",
            usd,
            paid_with(corpus, monthly(), months),
            "api",
            basis="corpus x {churn_per_month} churn a month",
            cites=(*embed, "Corpus.churn_per_month"),
        )
        yield Line(
            "read changed scanned pages",
            "retrieval",
            pages * corpus.churn_per_month,
            "page",
            self.usd_per_page,
            paid_with(corpus, monthly(), months),
            "service",
            basis="pages x {ocr_share} scanned x {churn_per_month} churn a month",
            cites=(*scanned, "Corpus.churn_per_month"),
        )
        if np.ndim(corpus.size(months)):
            new = path(np.maximum(np.diff(corpus.size(months), axis=-1, prepend=1.0), 0.0))
            yield Line(
                "embed what is new",
                "retrieval",
                mtok,
                "Mtok",
                usd,
                new,
                "api",
                basis="corpus x {growth_per_year} growth a year",
                cites=(*embed, "Corpus.growth_per_year"),
            )
        yield Line(
            "embed again with a new model",
            "migration",
            mtok,
            "Mtok",
            usd,
            paid_with(corpus, every(self.embedder_life_months), months),
            "api",
            basis="the whole corpus, every {embedder_life_months} months",
            cites=(*embed, *cite(self, "embedder_life_months")),
        )
        queries = (
            asked(case) * (self.rewrites + 1.0) * self.rounds
        )  # each rewritten question is looked up too
        yield Line(
            "embed the questions",
            "retrieval",
            queries * case.work.input_tokens / MTOK,
            "Mtok",
            usd,
            with_demand(),
            "api",
            basis="requests a month x {input_tokens} tokens",
            cites=(*embed, "Workload.input_tokens"),
        )
        yield store_line(self.store, case, gigabytes, queries, count * corpus.churn_per_month)
        if self.reranker is not None:
            yield self._rerank(asked(case) * self.rounds)
        yield from self._calls(case)
        yield upkeep("keep retrieval working", self, people.engineer)

    def _calls(self, case: Case) -> Iterator[Traffic]:
        """Rewriting, the rounds of an agent before the last, and the passages that creep in over the years."""
        question = Segment("question", case.work.input_tokens)
        if np.any(self.rewrites):
            yield Traffic(
                "rewrite the question",
                Call((question,), case.work.input_tokens),
                asked(case) * self.rewrites,
                with_demand(),
                "retrieval",
                self.helper,
                "requests x {rewrites} rewrites",
                cite(self, "rewrites"),
            )
        if np.any(np.asarray(self.rounds) > 1):
            seen = (
                self.top_k * self.chunk_tokens * self.rounds / 2
            )  # of rounds before the last, the mean
            yield Traffic(
                "look up again",
                Call((question, Segment("passages", seen)), case.work.input_tokens),
                asked(case) * (self.rounds - 1.0),
                with_demand(),
                "retrieval",
                self.helper,
                "requests x ({rounds} rounds - 1), each reads what was found so far",
                cite(self, "rounds"),
            )
        if np.any(self.top_k_growth_per_year):
            months = case.terms.months
            grown = (1 + self.top_k_growth_per_year) ** (
                np.maximum(np.arange(months + 1) - 1, 0) / MONTHS_PER_YEAR
            ) - 1
            yield Traffic(
                "more passages than at the start",
                Call((Segment("passages", self.passage_tokens),), 0.0),
                asked(case),
                path(case.work.demand(months) * grown),
                "serving",
                None,
                "passages x growth of {top_k_growth_per_year} a year",
                cite(self, "top_k_growth_per_year"),
            )

    def _rerank(self, queries: Any) -> Line:
        if self.reranker.usd_per_search is not None:
            return Line(
                "rerank",
                "retrieval",
                queries,
                "search",
                self.reranker.usd_per_search,
                with_demand(),
                "api",
                basis="one search a request",
                cites=cite(self.reranker, "usd_per_search"),
            )
        tokens = queries * self.top_k * self.chunk_tokens * self.candidates_per_kept / MTOK
        return Line(
            "rerank",
            "retrieval",
            tokens,
            "Mtok",
            self.reranker.usd_per_mtok_in,
            with_demand(),
            "api",
            basis="requests x {candidates_per_kept} candidates for each one kept x {chunk_tokens} tokens",
            cites=(
                *cite(self.reranker, "usd_per_mtok_in"),
                *cite(self, "chunk_tokens", "candidates_per_kept"),
            ),
        )

    @property
    def recall(self) -> Any:
        """Share of questions whose passage is looked up."""
        better = (
            0.0 if self.reranker is None else self.log_odds_rerank
        ) + self.log_odds_hybrid * float(self.hybrid)
        return shift(
            recall_at_k(self.top_k * self.rounds, self.recall_at_one, self.recall_slope), better
        )

    def quality(self, case: Case) -> Effect:
        base = base_of(case)
        right = read(self, base, case.request.main.prompt_tokens)
        fact = answered(self.recall, right, base)
        several = answered(self.recall * all_found(self.hops - 1.0, self.per_entity), right, base)
        wide = shift(fact, self.log_odds_summary)
        goal = by_question(self, case, fact=fact, multi_hop=several, whole=wide, summary=wide)
        return Effect(
            shift_to(base, goal),
            "recall at top_k, a reader in that context, several hops; fitted to published tables",
        )


@public
def own_embedder(
    rent: catalog.Rent, tokens_per_s: Number, dimensions: int, utilisation: Number = 0.5
) -> catalog.Embedder:
    """An embedding model on a GPU of your own, as a record for `Rag(embedder=...)`: its rent over the tokens that it embeds.

    >>> own_embedder(catalog.rent("L4", "marketplace"), 62_100, 1_024).dimensions
    1024
    """
    usd = rent.usd_per_gpu_hour
    low, mid, high = (
        embedding_usd_per_mtok(x, tokens_per_s, utilisation) for x in (usd.low, usd.mid, usd.high)
    )
    return catalog.Embedder(
        f"own-{rent.gpu}",
        Range(low, high, mid, form="amount", source=usd.source, why="rent over tokens per hour"),
        dimensions,
        (("usd_per_mtok_in", usd.source),),
    )


@public
@dataclass(frozen=True)
class LongContext:
    """Put the documents into the prompt: no index to run, but every token of them is read for every answer.

    Sends the whole corpus where the model's window holds it, else the documents that a question needs
    (`document_tokens` here, or of the workload). Whole-corpus prompts repeat, so they can be cached. Nothing is missed by a
    search, but a long prompt is read less well, and of several facts each is used with the chance `per_fact`.
    """

    document_tokens: Number | None = None
    reader: catalog.Reader | str = "frontier"
    per_fact: Number = Range(
        0.7,
        0.95,
        mid=0.85,
        why="needles of 100: 0.7 to 0.8 (Gemini 1.5 report); 60 % of realistic questions over some three facts (Tian Pan)",
    )
    hops: Number = HOPS
    questions: QuestionMix | None = None

    def __post_init__(self) -> None:
        resolve(self, reader=catalog.reader)
        validate(self, optional=("document_tokens",))

    def shape(self, request: Request, work: Workload) -> Request:
        corpus = corpus_of(work, self)
        wanted = self.document_tokens if self.document_tokens is not None else work.document_tokens
        if wanted is None and np.ndim(corpus.size(1)):
            raise Infeasible(
                "a corpus that grows is not modelled in the prompt; give document_tokens, what one question needs"
            )
        if wanted is None:
            return request.add(Segment("corpus", corpus.tokens, stable=True))
        whole = np.asarray(wanted) >= np.asarray(corpus.tokens)  # what is sent each time repeats
        request = request.add(Segment("corpus", np.where(whole, corpus.tokens, 0.0), stable=True))
        return request.add(Segment("documents", np.where(whole, 0.0, wanted)))

    def buys(self, case: Case) -> Iterator[Line]:
        if case.serving.window is None:
            raise Infeasible(
                f"the context window of {case.serving.model.id} is not known; choose a model whose window is"
            )
        return iter(())

    def quality(self, case: Case) -> Effect:
        base = base_of(case)
        right = read(self, base, case.request.main.prompt_tokens)
        several = answered(all_found(self.hops - 1.0, self.per_fact), right, base)
        goal = by_question(self, case, fact=right, multi_hop=several, whole=right, summary=right)
        return Effect(
            shift_to(base, goal),
            "a reader in that context, several facts; fitted to published tables",
        )


@public
@dataclass(frozen=True)
class SemanticCache:
    """Answer a question like an earlier one from memory: the hits cost next to nothing, and some of them are wrong.

    Hits of 20 to 45 % are measured; the 95 % that vendors state is the accuracy of a match. A wrong hit costs what any wrong
    answer costs.
    """

    hit_rate: Number = practice("semantic_cache.hit_rate")
    wrong_hit_share: Number = Range(
        0.01, 0.1, mid=0.03, why="assumption: a match accuracy of 90 to 99 %"
    )
    build_weeks: Number = Range(0.5, 2, mid=1, why="assumption: a threshold to tune and to test")

    def __post_init__(self) -> None:
        validate(self)

    def shape(self, request: Request, work: Workload) -> Request:
        return Request(
            tuple(
                replace(c, per_request=c.per_request * (1 - self.hit_rate)) for c in request.calls
            )
        )

    def buys(self, case: Case) -> Iterator[Line]:
        yield labour(
            "build the semantic cache",
            self.build_weeks * WORKING_HOURS_PER_WEEK,
            case.terms.people.engineer,
            once(),
            "build",
            "{build_weeks} engineer-weeks x 40 h x {usd_per_hour}/h",
            cite(self, "build_weeks"),
        )

    def quality(self, case: Case) -> Effect:
        return Effect(
            0.0, "wrong hits of the semantic cache", kept=1 - self.hit_rate * self.wrong_hit_share
        )
