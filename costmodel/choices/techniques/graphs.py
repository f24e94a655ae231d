"""A knowledge graph (GraphRAG): six kinds of index, three ways to query the full one."""

from __future__ import annotations

from dataclasses import field
from typing import Any

import numpy as np

from costmodel.choices.effort import BUILD, UPKEEP, usual
from costmodel.choices.options import Case, require_servings
from costmodel.choices.purchases import Purchases, Traffic, setup, upkeep
from costmodel.choices.quality.accepted import long_prompt
from costmodel.choices.requests import Call, Request, Segment
from costmodel.choices.schedule import every, once, with_demand
from costmodel.choices.techniques.knowledge import Rag
from costmodel.choices.techniques.lookup import (
    HOPS,
    Id,
    corpus_of,
    find_records,
    paid_with,
    quality_fact,
    requests_to_model,
    store_line,
)
from costmodel.choices.workload import QuestionMix, Workload
from costmodel.core import Number, check, frozen, validate
from costmodel.facts import catalog
from costmodel.facts.catalog import practice
from costmodel.laws.quality import Effect, Found, shift
from costmodel.laws.retrieval import graph_index_ratio, part_found

VARIANTS = ("full", "light", "lazy", "fast", "hipporag", "guided")
MODES = ("local", "global", "drift")
HALF = 0.5  # between two refreshes half of what changes is out of date, on average


@frozen
class GraphRag:
    """Extract a graph of entities and relations with a model, and answer from it.

    You buy answers to questions that need several places; you give up a dear index, and gain
    nothing on facts, which vectors find as well.

    Parameters
    ----------
    variant : id or record
        "full" summarises communities (Microsoft GraphRAG); "light" (LightRAG), "fast"
        (Fast-GraphRAG) and "hipporag" (HippoRAG 2) do not; "lazy" indexes a thousandth and reads
        more with each query; "guided" walks over triples.
    mode : str
        Of the full one: "local" reads around the entities asked for; "global" reads every community
        report, for questions about the whole (far worse on facts and hops); "drift" follows up.
    index_tokens : number or Range, at least 0, or None
        Model tokens per corpus token; None is the law of the variant. Measure a sample.
    extractor : serving or None
        Who builds the index; None is the option's own serving.
    store : id or record
        As of `Rag`.
    refresh_months : number or Range, above 0
        Months between two refreshes.
    refresh_share : number or Range, 0 to 1, or None
        Share of the index that a refresh makes again; None follows the churn of the corpus.
    output_share : number or Range, 0 to 1, or None
        Share of the index tokens that the extractor writes; None is that of the variant.
    chunk_tokens, gleanings : number or Range
        Tokens of one chunk (above 0), and how often each is read again for what was missed.
    context_tokens : number or Range, at least 0, or None
        What one query reads [token]; None is that of the variant and mode.
    report_share : number or Range, at least 0
        Tokens of the community reports over those of the text, which a global search reads.
    drift_tokens : number or Range, at least 0
        What a query of mode "drift" reads [token].
    map_call_tokens, map_output_tokens : number or Range
        Prompt of one call that reads a part of the reports, and its partial answer [token].
    stale_wrong : number or Range, 0 to 1
        Share of the answers from a stale part that is wrong.
    summary_token_share : number or Range, 0 to 1
        Share of the index tokens that writes summaries.
    build_weeks, upkeep_fte : number or Range, at least 0
        Weeks of an engineer before the first answer, and the share of one who keeps the graph.
    plain : Rag
        The plain retrieval that gains are measured against, also its loss on summaries.
    per_entity_graph : number or Range, 0 to 1
        Chance to find one of the things that a question needs with the graph.
    hops : number or Range, at least 0
        Things that a question over several hops needs [count].
    log_odds_fact_global, log_odds_multi_hop_global, log_odds_summary_global : number or Range
        Gains of a global search over plain retrieval, by kind of question [log-odds].
    log_odds_whole_local, log_odds_temporal_graph : number or Range
        Gain of a local search on questions about the whole, and of the graph on questions about
        time [log-odds].
    questions : QuestionMix or None
        Where the answers stand; None is the mix of the workload.

    Raises
    ------
    CatalogError
        When a store is not known.
    ValueError
        When a field is outside its range, or a mode needs another variant.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(10_000, input_tokens=100, corpus=cm.Corpus(tokens=5e6))
    >>> graph = cm.GraphRag(context_tokens=8_000)
    >>> graph.shape(work.request(), work).main.prompt_tokens
    8100.0
    """

    # -- the graph and how it is queried
    variant: catalog.Graph | Id = "full"
    mode: str = "local"
    # -- index
    index_tokens: Number | None = None
    output_share: Number | None = None
    chunk_tokens: Number = practice("graphrag.chunk_tokens")
    gleanings: Number = 1.0
    # -- what a query reads
    context_tokens: Number | None = None
    report_share: Number = practice("graphrag.report_share")
    drift_tokens: Number = practice("GraphRag.drift_tokens")
    map_call_tokens: Number = 12_000.0
    map_output_tokens: Number = practice("GraphRag.map_output_tokens")
    # -- who extracts, where it is stored
    extractor: Any = None
    store: catalog.Store | Id = "neo4j-aura"
    # -- refresh
    refresh_months: Number = practice("GraphRag.refresh_months")
    refresh_share: Number | None = None
    stale_wrong: Number = practice("GraphRag.stale_wrong")
    summary_token_share: Number = practice("graphrag.summary_token_share")
    # -- people
    build_weeks: Number = usual("graphrag.build_weeks", BUILD)
    upkeep_fte: Number = usual("graphrag.maintenance_fte", UPKEEP)
    # -- plain retrieval, and what the graph adds
    plain: Rag = field(default_factory=Rag)
    per_entity_graph: Number = quality_fact("graph.per_entity")
    log_odds_fact_global: Number = quality_fact("full_global.log_odds_fact")
    log_odds_multi_hop_global: Number = quality_fact("full_global.log_odds_multi_hop")
    log_odds_summary_global: Number = quality_fact("full_global.log_odds_summary")
    log_odds_whole_local: Number = practice("GraphRag.log_odds_whole_local")
    log_odds_temporal_graph: Number = practice("graphrag.log_odds_temporal_graph")
    hops: Number = HOPS
    questions: QuestionMix | None = None

    def __post_init__(self) -> None:
        check(
            self.variant in VARIANTS or isinstance(self.variant, catalog.Graph),
            f"GraphRag.variant is {self.variant!r}, allowed are {', '.join(VARIANTS)}",
        )
        check(self.mode in MODES, f"GraphRag.mode is {self.mode!r}, allowed are {', '.join(MODES)}")
        find_records(self, variant=catalog.graph, store=catalog.store)
        check(
            self.mode == "local" or self.variant.id == "full",
            f"GraphRag.mode {self.mode!r} needs variant='full', not {self.variant.id!r}",
        )
        validate(self)
        require_servings(self, "extractor")

    @property
    def index_ratio(self) -> Any:
        """Model tokens that index one token of text."""
        if self.index_tokens is not None:
            return self.index_tokens
        law = self.variant.index_overhead_tokens, self.variant.index_tokens_per_token
        return graph_index_ratio(self.chunk_tokens, *law, self.gleanings)

    def read_tokens(self, work: Workload) -> Any:
        """Tokens that a query reads, at most the corpus; a global search reads all reports."""
        if self.context_tokens is not None:
            return self.context_tokens
        corpus = corpus_of(work, self).tokens
        if self.mode == "global":
            return self.report_share * corpus
        wanted: Any = self.drift_tokens if self.mode == "drift" else self.variant.context_tokens
        return np.minimum(wanted, corpus)

    def map_calls(self, work: Workload) -> Any:
        """Calls that read a part each before the answer; a local search has none."""
        if self.mode == "local":
            return 0.0
        return np.ceil(self.read_tokens(work) / self.map_call_tokens)

    def shape(self, request: Request, work: Workload) -> Request:
        corpus_of(work, self)
        if self.mode == "local":
            return request.add(Segment("graph context", self.read_tokens(work)))
        partial = np.minimum(self.map_calls(work) * self.map_output_tokens, self.map_call_tokens)
        return request.add(Segment("partial answers", partial))

    def wait_s(self, case: Case) -> Any:
        """Seconds before the model is asked."""
        return self.variant.query_s

    def buys(self, case: Case) -> Purchases:
        engineer = case.terms.people.engineer
        yield setup("build the graph pipeline", self, case.work, engineer)
        yield from self._index(case)
        if self.mode != "local":
            question = Segment("question", case.work.input_tokens)
            reports = Segment("reports", self.map_call_tokens)
            yield Traffic(
                f"read the reports ({self.mode})",
                Call((question, reports), self.map_output_tokens),
                requests_to_model(case) * self.map_calls(case.work),
                with_demand(),
                "serving",
                basis="requests x calls of {map_call_tokens} tokens",
            )
        yield store_line(self.store, case)
        yield upkeep("keep the graph working", self, case.work, engineer)

    def _index(self, case: Case) -> Purchases:
        """Extraction by a model, chunk by chunk: at first, and at each refresh."""
        corpus, tokens = corpus_of(case.work, self), self.chunk_tokens * self.index_ratio
        share: Any = self.output_share
        if share is None:
            share = self.variant.output_share
        call = Call((Segment("extraction", tokens * (1 - share)),), tokens * share)
        # readers who may see different parts get summaries of their own
        groups = 1 + self.summary_token_share * (corpus.access_groups - 1)
        count = corpus.tokens / self.chunk_tokens * groups
        each = "{index_tokens}"
        if self.index_tokens is None:
            each = "({index_overhead_tokens} / chunk + {index_tokens_per_token})"
        basis, by = f"{{tokens}} corpus tokens x {each} index tokens for each", self.extractor
        yield Traffic("index the graph", call, count, once(), "build", by, basis)
        yield Traffic(
            "refresh the graph",
            call,
            count * self.rebuilt(corpus.churn_per_month),
            paid_with(corpus, every(self.refresh_months), case.terms.months),
            "retrieval",
            by,
            basis + " x share rebuilt every {refresh_months} months",
            ("churn_per_month",),
        )

    def rebuilt(self, churn_per_month: Any) -> Any:
        """Share of the index that one refresh makes again.

        What changed and the summaries above it, or all of it where the index is not incremental.
        """
        if self.refresh_share is not None:
            return self.refresh_share
        changed = 1 - (1 - churn_per_month) ** self.refresh_months
        if self.variant.incremental:
            return np.minimum(changed * (1 + self.summary_token_share), 1.0)
        return np.where(changed > 0, 1.0, 0.0)

    def quality(self, case: Case) -> Effect:
        """Plain retrieval on the same questions, shifted by the gain of this kind of graph."""
        plain, kinds = self.plain, ("fact", "multi_hop", "summary")
        if self.mode == "global":
            gains = (getattr(self, f"log_odds_{kind}_global") for kind in kinds)
        else:
            gains = (getattr(self.variant, f"log_odds_{kind}") for kind in kinds)
        fact_gain, hop_gain, summary_gain = gains
        whole_gain = self.variant.log_odds_whole  # that of the full one is of a global search
        if self.variant.id == "full" and self.mode == "local":
            whole_gain = self.log_odds_whole_local
        found, (filtered, temporal) = plain.found(case), plain.found_on_condition(case)
        two = shift(found * part_found(2.0, plain.per_entity), hop_gain)  # gains of two hops
        several = two * part_found(self.hops, self.per_entity_graph)
        several = several / part_found(2.0, self.per_entity_graph)
        read = long_prompt(case, plain.passage_tokens)
        churn = corpus_of(case.work, self).churn_per_month
        stale = HALF * (1 - (1 - churn) ** self.refresh_months)
        by_kind: dict[str, tuple[Any, Any]] = {
            "fact": (found, fact_gain),
            "multi_hop": (several, 0.0),
            "whole": (found, plain.log_odds_summary + whole_gain),
            "summary": (found, plain.log_odds_summary + summary_gain),
            "filtered": (filtered, fact_gain),
            "temporal": (temporal, self.log_odds_temporal_graph),
        }
        return Effect(
            evidence="plain retrieval, and the measured gain of this graph by question",
            kept=1 - stale * self.stale_wrong,
            found={kind: Found(share, read, gain) for kind, (share, gain) in by_kind.items()},
        )
