"""Knowledge: look passages up (RAG), or put whole documents into a long context."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from costmodel.choices.effort import BUILD, CASES, UPKEEP, effort_said, usual
from costmodel.choices.options import Case, require_servings
from costmodel.choices.purchases import Line, Purchases, Traffic, cite, labour, setup, upkeep
from costmodel.choices.quality.accepted import long_prompt
from costmodel.choices.requests import Call, Request, Segment
from costmodel.choices.schedule import Schedule, every, monthly, once, path, with_demand
from costmodel.choices.techniques.lookup import (
    HOPS,
    Id,
    corpus_of,
    find_records,
    paid_with,
    part_read,
    passages_found,
    quality_fact,
    requests_to_model,
    several_found,
    store_line,
    task_fact,
)
from costmodel.choices.workload import Corpus, QuestionMix, Workload
from costmodel.core import (
    MINUTES_PER_HOUR,
    MONTHS_PER_YEAR,
    MTOK,
    CatalogError,
    Number,
    frozen,
    validate,
)
from costmodel.facts import catalog
from costmodel.facts.catalog import practice
from costmodel.laws.quality import Effect, Found, shift
from costmodel.laws.retrieval import chunks, corpus_shift, index_bytes


@frozen
class Rag:
    """Look passages up: a vector index to build, keep and query, and top_k chunks in every prompt.

    You buy short prompts and answers that cite; you give up what the search does not find, and an
    index that must be kept.

    Parameters
    ----------
    top_k, chunk_tokens : number or Range
        Passages in the prompt (at least 1), and the tokens of one.
    embedder, store, reranker : id or record
        Whose prices and limits count. No reranker is used where it is None.
    rewrites : number or Range, at least 0
        Calls of the `helper` that rewrite the question before it is looked up.
    rounds : number or Range, at least 1
        Above 1 an agent looks up again, with what it has found so far.
    helper : serving or None
        Who rewrites, looks up again and writes filters; None is the option's own serving.
    metadata_filters : bool
        True: the helper writes a filter for each question (source, date, customer), with which the
        search sees fewer passages.
    context_by : serving or None
        Who writes a context for each chunk before it is indexed, from its document (contextual
        retrieval); None writes none. It is searched, not sent.
    document_tokens, chunk_context_tokens, context_instruction_tokens : number or Range
        Tokens of a document (unless the corpus says how many it has), of one context and of the
        instruction to write it.
    log_odds_context : number or Range
        What the contexts add to the log-odds of finding a passage.
    dimensions, bytes_per_number : number
        Shorter vectors than those of the embedder (None: its own); 1 byte keeps them in 8 bits.
    embedder_life_months : number or Range
        Months until a new embedding model embeds everything again.
    questions : QuestionMix or None
        Where the answers stand; None is the mix of the workload.
    overlap : number or Range, 0 to 0.9
        Share of a chunk that repeats its neighbour.
    candidates_per_kept : number or Range, at least 0
        Candidates that are reranked for each passage kept.
    hybrid : bool
        True searches words beside vectors.
    top_k_growth_per_year : number or Range
        Yearly growth of `top_k` [share/year].
    copies, index_overhead : number or Range, at least 0
        Copies of the index, and its size over that of the raw vectors [x]; a serverless store bills
        the raw vectors.
    metadata_bytes : number or Range, at least 0
        Fields that are kept beside each vector [byte].
    ocr_share, usd_per_page : number or Range, at least 0
        Share of the pages that are scans, and the price of reading one [USD/page].
    eval_questions, minutes_per_question : number or Range, at least 0
        Questions that people label to test the search, and the minutes on one.
    build_weeks, upkeep_fte : number or Range, at least 0
        Weeks of an engineer before the first answer, and the share of one who keeps the index.
    search_s : number or Range, at least 0
        Time to embed a question, search and rerank [s].
    recall_at_one, recall_slope : number or Range
        Share of the questions whose passage comes first, and how the odds of finding it grow with
        `top_k` [power].
    log_odds_per_efold : number or Range
        How recall falls with each factor e of the passages of the corpus [log-odds].
    in_prompt : number or Range, 0 to 1
        Share of the facts found that can be used in the prompt.
    log_odds_rerank, log_odds_hybrid : number or Range
        What reranking, and words beside vectors, add to the log-odds of finding it.
    log_odds_summary : number or Range
        How the search does on summaries against facts [log-odds].
    log_odds_filtered, log_odds_temporal : number or Range
        How it does on questions with a condition on metadata (a source, a customer) and on time,
        without `metadata_filters` [log-odds].
    filter_keeps, filter_right : number or Range, above 0 to 1
        Passages that a filter leaves, and filters that are right [share].
    per_entity, hops : number or Range
        Chance to find one of the things that a question over several hops needs, and how many those
        are.

    Raises
    ------
    CatalogError
        When an id of the catalogue is not known.
    ValueError
        When a field is outside its range, or the helper is no serving.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(10_000, input_tokens=100, corpus=cm.Corpus(tokens=5e6))
    >>> rag = cm.Rag(top_k=5, chunk_tokens=400)
    >>> float(rag.shape(work.request(), work).main.prompt_tokens)
    2100.0
    """

    # -- passages
    top_k: Number = practice("rag.top_k")
    chunk_tokens: Number = practice("rag.chunk_tokens")
    overlap: Number = practice("Rag.overlap")
    # -- models and services
    embedder: catalog.Embedder | Id = "text-embedding-3-small"
    store: catalog.Store | Id = "pinecone"
    reranker: catalog.Reranker | Id | None = None
    # -- search
    candidates_per_kept: Number = 4.0
    hybrid: bool = False
    rewrites: Number = 0.0
    rounds: Number = 1.0
    helper: Any = None
    metadata_filters: bool = False
    top_k_growth_per_year: Number = 0.0
    # -- index
    dimensions: Number | None = None
    bytes_per_number: Number = 4.0
    copies: Number = 1.0
    index_overhead: Number = practice("hnsw.index_overhead")
    metadata_bytes: Number = practice("Rag.metadata_bytes")
    # -- a context for each chunk
    context_by: Any = None
    document_tokens: Number = practice("rag.document_tokens")
    chunk_context_tokens: Number = practice("contextual.chunk_context_tokens")
    context_instruction_tokens: Number = practice("contextual.context_instruction_tokens")
    log_odds_context: Number = practice("contextual.log_odds_context")
    # -- scans
    ocr_share: Number = practice("Rag.ocr_share")
    usd_per_page: Number = practice("ocr.usd_per_page")
    # -- people and upkeep
    embedder_life_months: Number = practice("Rag.embedder_life_months")
    eval_questions: Number = usual("Rag.eval_questions", CASES)
    minutes_per_question: Number = practice("Rag.minutes_per_question")
    build_weeks: Number = usual("rag.build_weeks", BUILD)
    upkeep_fte: Number = usual("rag.maintenance_fte", UPKEEP)
    # -- what is found and answered
    search_s: Number = practice("rag.search_s")
    recall_at_one: Number = quality_fact("retrieval.recall_at_one")
    recall_slope: Number = quality_fact("retrieval.recall_slope")
    log_odds_per_efold: Number = task_fact("retrieval.log_odds_per_efold")
    in_prompt: Number = task_fact("retrieval.in_prompt")
    log_odds_rerank: Number = quality_fact("rerank.log_odds_recall")
    log_odds_hybrid: Number = practice("Rag.log_odds_hybrid")
    log_odds_summary: Number = quality_fact("plain.log_odds_summary")
    # -- questions with a condition on metadata or time
    log_odds_filtered: Number = practice("rag.log_odds_filtered")
    log_odds_temporal: Number = practice("rag.log_odds_temporal")
    filter_keeps: Number = practice("rag.filter_keeps")
    filter_right: Number = practice("rag.filter_right")
    per_entity: Number = quality_fact("vector.per_entity")
    hops: Number = HOPS
    questions: QuestionMix | None = None

    def __post_init__(self) -> None:
        find_records(
            self, embedder=catalog.embedder, store=catalog.store, reranker=catalog.reranker
        )
        validate(self)
        require_servings(self, "helper", "context_by")
        if self.dimensions is None and self.embedder.dimensions is None:
            raise CatalogError(
                f"the dimensions of {self.embedder.id!r} are not published, so its index cannot be "
                "sized; give dimensions=, or choose another embedding model"
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

    def buys(self, case: Case) -> Purchases:
        people, corpus = case.terms.people, corpus_of(case.work, self)
        yield setup("build the retrieval pipeline", self, case.work, people.engineer)
        asked, questions, cites = effort_said(self, "eval_questions", case.work)
        yield labour(
            "label questions for retrieval",
            asked * self.minutes_per_question / MINUTES_PER_HOUR,
            people.analyst,
            once(),
            "evaluation",
            questions + " questions x {minutes_per_question} minutes x {usd_per_hour}/h",
            cites,
        )
        # each rewritten question is looked up too
        queries = requests_to_model(case) * (self.rewrites + 1.0) * self.rounds
        yield from self._index(case, queries)
        count = chunks(corpus.tokens, self.chunk_tokens, self.overlap)
        width = self.embedder.dimensions if self.dimensions is None else self.dimensions
        overhead = 1.0 if self.store.serverless else self.index_overhead
        each = index_bytes(1.0, width, overhead, self.bytes_per_number) + self.metadata_bytes
        kept, written = count * self.copies, count * corpus.churn_per_month
        yield store_line(self.store, case, kept, width, each, queries, written)
        if self.reranker is not None:
            yield self._rerank(self.reranker, requests_to_model(case) * self.rounds)
        yield from self._calls(case)
        yield upkeep("keep retrieval working", self, case.work, people.engineer)

    def _index(self, case: Case, queries: Any) -> Purchases:
        """Pages read and tokens embedded: at first, what changes, what is new, all of it again."""
        corpus, months = corpus_of(case.work, self), case.terms.months
        longer = 1.0
        if self.context_by is not None:
            longer = 1 + self.chunk_context_tokens / self.chunk_tokens
        pages = corpus.page_count * self.ocr_share
        mtok = corpus.tokens / (1 - self.overlap) * longer / MTOK
        changing = paid_with(corpus, monthly(), months)
        embed = partial(
            Line,
            unit="Mtok",
            usd_per_unit=self.embedder.usd_per_mtok_in,
            trend="api",
            cites=cite(self.embedder, "usd_per_mtok_in"),
        )
        churn, words = corpus.churn_per_month, " x {churn_per_month} churn a month"
        parts = [
            ("", "the corpus", "build", 1.0, once(), ""),
            ("changed ", "what changed", "retrieval", churn, changing, words),
        ]
        if np.ndim(corpus.size(months)):
            new = path(np.maximum(np.diff(corpus.size(months), axis=-1, prepend=1.0), 0.0))
            words = " x {growth_per_year} growth a year"
            parts.append(("new ", "what is new", "retrieval", 1.0, new, words))
        for which, part, phase, share, when, words in parts:
            yield Line(
                f"read {which}scanned pages",
                phase,
                pages * share,
                "page",
                self.usd_per_page,
                when,
                basis="pages x {ocr_share} scanned" + words,
                cites=("usd_per_page", "tokens"),
            )
            basis = "{tokens} corpus tokens / (1 - {overlap} overlap)" + words
            yield embed(f"embed {part}", phase, mtok * share, schedule=when, basis=basis)
            if self.context_by is not None:
                yield self._contexts(corpus, f"write contexts of {part}", phase, share, when, words)
        yield embed(
            "embed again with a new model",
            "migration",
            mtok,
            schedule=paid_with(corpus, every(self.embedder_life_months), months),
            basis="the whole corpus, every {embedder_life_months} months",
        )
        yield embed(
            "embed the questions",
            "retrieval",
            queries * case.work.input_tokens / MTOK,
            schedule=with_demand(),
            basis="requests a month x {input_tokens} tokens",
        )

    def _contexts(
        self, corpus: Corpus, item: str, phase: str, share: Any, when: Schedule, words: str
    ) -> Traffic:
        """A call for each chunk, which reads its document too; those of one document come in a
        row."""
        whole: Any = self.document_tokens
        if corpus.documents is not None:
            whole = corpus.tokens / corpus.documents
        whole = np.minimum(whole, corpus.tokens)
        each = self.chunk_tokens, self.overlap
        prompt = (
            Segment("document", whole, stable=True),
            Segment("chunk", self.chunk_tokens),
            Segment("instruction", self.context_instruction_tokens),
        )
        return Traffic(
            item,
            Call(prompt, self.chunk_context_tokens),
            chunks(corpus.tokens, *each) * share,
            when,
            phase,
            self.context_by,
            "chunks, each with its document and {context_instruction_tokens} tokens of instruction,"
            " {chunk_context_tokens} written" + words,
            ("chunk_tokens", "overlap", "document_tokens"),
            in_a_row=np.maximum(chunks(whole, *each), 1.0),
        )

    def _calls(self, case: Case) -> Purchases:
        """Rewriting, the rounds before the last, and the passages that creep in over the years."""
        question = Segment("question", case.work.input_tokens)
        requests, months = requests_to_model(case), case.terms.months
        found = self.passage_tokens / 2  # the mean before the last round
        for item, read, times, words in (
            ("rewrite the question", 0.0, self.rewrites, "{rewrites} rewrites"),
            ("write the filter", 0.0, float(self.metadata_filters), "a filter each"),
            (
                "look up again",
                found,
                self.rounds - 1.0,
                "({rounds} rounds - 1), each reads what was found so far",
            ),
        ):
            if np.any(times > 0):
                prompt = question, Segment("passages", read)
                yield Traffic(
                    item,
                    Call(prompt, case.work.input_tokens),
                    requests * times,
                    with_demand(),
                    "retrieval",
                    self.helper,
                    f"requests x {words}",
                )
        if np.any(self.top_k_growth_per_year):
            years = np.maximum(np.arange(months + 1) - 1, 0) / MONTHS_PER_YEAR
            grown = (1 + self.top_k_growth_per_year) ** years - 1
            yield Traffic(
                "more passages than at the start",
                Call((Segment("passages", self.passage_tokens),), 0.0),
                requests,
                path(case.work.demand(months, case.terms.start) * grown),
                "serving",
                basis="passages x growth of {top_k_growth_per_year} a year",
            )

    def _rerank(self, reranker: Any, queries: Any) -> Line:
        count, unit, name = queries, "search", "usd_per_search"
        basis = "one search a request"
        if reranker.usd_per_search is None:
            candidates = self.top_k * self.chunk_tokens * self.candidates_per_kept
            count, unit, name = queries * candidates / MTOK, "Mtok", "usd_per_mtok_in"
            basis = "requests x {candidates_per_kept} candidates for each one kept x {chunk_tokens}"
            basis += " tokens"
        args = "rerank", "retrieval", count, unit, getattr(reranker, name), with_demand(), "api"
        return Line(*args, basis=basis, cites=cite(reranker, name))

    def found(self, case: Case, tokens: Any = None, more: Any = 0.0) -> Any:
        """Share of questions whose passage is among the tokens that are sent and can be used."""
        for by, log_odds in (
            (self.reranker is not None, self.log_odds_rerank),
            (self.hybrid, self.log_odds_hybrid),
            (self.context_by is not None, self.log_odds_context),
        ):
            more = more + log_odds * float(by)
        sent = self.passage_tokens if tokens is None else tokens
        return passages_found(self, case, sent, more)

    def found_on_condition(self, case: Case, tokens: Any = None) -> tuple[Any, Any]:
        """The same for questions with a condition on metadata, and on time.

        Vectors hardly see a condition. A filter that is right leaves a smaller corpus.
        """
        if not self.metadata_filters:
            found = self.found(case, tokens)
            return shift(found, self.log_odds_filtered), shift(found, self.log_odds_temporal)
        fewer = corpus_shift(self.filter_keeps, self.log_odds_per_efold, 1.0)
        found = self.filter_right * self.found(case, tokens, fewer)
        return found, found

    def quality(self, case: Case) -> Effect:
        found, read = self.found(case), long_prompt(case, case.request.main.prompt_tokens)
        filtered, temporal = self.found_on_condition(case)
        unread = 1 - part_read(self, case, self.passage_tokens)  # a search for it can go wrong
        wide = Found(found, read, self.log_odds_summary * unread)
        several = several_found(self, case, self.passage_tokens, found, self.hops)
        return Effect(
            evidence="recall by tokens read and size of the corpus, times reading; fitted",
            found={
                "fact": Found(found, read),
                "multi_hop": Found(several, read),
                "whole": wide,
                "summary": wide,
                "filtered": Found(filtered, read),
                "temporal": Found(temporal, read),
            },
        )
