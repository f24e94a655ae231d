"""A knowledge graph (GraphRAG): six kinds of index, three ways to query the full one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from costmodel.choices.options import Case, require_servings
from costmodel.choices.purchases import Line, Traffic, cite, labour, upkeep
from costmodel.choices.requests import Call, Request, Segment
from costmodel.choices.schedule import every, once, with_demand
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
from costmodel.core.errors import check
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import WORKING_HOURS_PER_WEEK
from costmodel.facts import catalog
from costmodel.facts.catalog import practice
from costmodel.laws.quality import Effect, answered, shift, shift_to
from costmodel.laws.retrieval import all_found, graph_index_ratio, recall_at_k

VARIANTS = ("full", "light", "lazy", "fast", "hipporag", "guided")
MODES = ("local", "global", "drift")
HALF = 0.5  # between two refreshes half of what changes is out of date, on average


@public
@dataclass(frozen=True)
class GraphRag:
    """Extract a graph of entities and relations with a model, and answer from it: dear to index, good for questions that
    need several places, no better than vectors for facts.

    `variant`: "full" summarises communities (Microsoft GraphRAG), "light" (LightRAG), "fast" (Fast-GraphRAG) and "hipporag"
    (HippoRAG 2) do not, "lazy" indexes a thousandth and reads more with each query, "guided" walks over triples. `mode`, of
    the full one: "local" reads around the entities asked for, "global" every community report (for questions about the whole: on
    facts and hops it was measured far worse), "drift" follows up.
    `index_tokens` (model tokens per corpus token) overrides the law of the variant: measure a sample.
    """

    variant: catalog.Graph | str = "full"
    mode: str = "local"
    index_tokens: Number | None = None
    output_share: Number | None = None
    chunk_tokens: Number = practice("graphrag.chunk_tokens")
    gleanings: Number = 1.0
    context_tokens: Number | None = None
    report_share: Number = practice("graphrag.report_share")
    drift_tokens: Number = Range(
        40_000, 300_000, mid=116_000, why="assumption: three local searches"
    )
    map_call_tokens: Number = 12_000.0
    map_output_tokens: Number = Range(
        150,
        600,
        mid=300,
        why="assumption: partial answers, limited to some hundred words by the library",
    )
    extractor: Any = None
    store: catalog.Store | str = "neo4j-aura"
    refresh_months: Number = Range(
        2, 6, mid=3, why="assumption: each quarter; the graph drifts 15-20 % a quarter"
    )
    refresh_share: Number | None = None
    stale_wrong: Number = Range(
        0.2,
        0.8,
        mid=0.5,
        why="assumption: answers from a part that has changed and are wrong for it",
    )
    summary_token_share: Number = practice("graphrag.summary_token_share")
    build_weeks: Number = practice("graphrag.build_weeks")
    upkeep_fte: Number = practice("graphrag.maintenance_fte")
    reader: catalog.Reader | str = "frontier"
    top_k: Number = practice("rag.top_k")
    plain_tokens: Number = practice("rag.context_tokens")
    recall_at_one: Number = fitted("retrieval.recall_at_one")
    recall_slope: Number = fitted("retrieval.recall_slope")
    log_odds_summary: Number = fitted("plain.log_odds_summary")
    per_entity: Number = fitted("vector.per_entity")
    per_entity_graph: Number = fitted("graph.per_entity")
    log_odds_fact_global: Number = fitted("full_global.log_odds_fact")
    log_odds_multi_hop_global: Number = fitted("full_global.log_odds_multi_hop")
    log_odds_summary_global: Number = fitted("full_global.log_odds_summary")
    log_odds_whole_local: Number = Range(
        -0.3,
        1.1,
        mid=0.4,
        why="assumption: a local search of the full graph reads a neighbourhood, not the reports; no table of it",
    )
    hops: Number = HOPS
    questions: QuestionMix | None = None

    def __post_init__(self) -> None:
        known = (
            self.variant in VARIANTS
            if isinstance(self.variant, str)
            else isinstance(self.variant, catalog.Graph)
        )
        check(known, f"GraphRag.variant is {self.variant!r}, allowed are {', '.join(VARIANTS)}")
        check(self.mode in MODES, f"GraphRag.mode is {self.mode!r}, allowed are {', '.join(MODES)}")
        resolve(self, variant=catalog.graph, store=catalog.store, reader=catalog.reader)
        check(
            self.mode == "local" or self.variant.id == "full",
            f"GraphRag.mode {self.mode!r} needs variant='full', not {self.variant.id!r}",
        )
        validate(self, optional=("index_tokens", "output_share", "context_tokens", "refresh_share"))
        require_servings(self, "extractor")
        require("GraphRag.top_k", self.top_k, low=1)

    @property
    def index_ratio(self) -> Any:
        """Model tokens that index one token of text."""
        if self.index_tokens is not None:
            return self.index_tokens
        return graph_index_ratio(
            self.chunk_tokens,
            self.variant.index_overhead_tokens,
            self.variant.index_tokens_per_token,
            self.gleanings,
        )

    def read_tokens(self, work: Workload) -> Any:
        """Tokens that a query reads: those of its mode, at most the corpus; of a global search, the reports of all of it."""
        if self.context_tokens is not None:
            return self.context_tokens
        corpus = corpus_of(work, self).tokens
        if self.mode == "global":
            return self.report_share * corpus
        return np.minimum(
            self.drift_tokens if self.mode == "drift" else self.variant.context_tokens, corpus
        )

    def map_calls(self, work: Workload) -> Any:
        """Calls that read a part each before the answer; a local search has none."""
        return (
            np.ceil(self.read_tokens(work) / self.map_call_tokens) if self.mode != "local" else 0.0
        )

    def shape(self, request: Request, work: Workload) -> Request:
        corpus_of(work, self)
        if self.mode == "local":
            return request.add(Segment("graph context", self.read_tokens(work)))
        return request.add(
            Segment(
                "partial answers",
                np.minimum(self.map_calls(work) * self.map_output_tokens, self.map_call_tokens),
            )
        )

    def wait_s(self, case: Case) -> Any:
        return self.variant.query_s

    def buys(self, case: Case) -> Iterator[Line | Traffic]:
        corpus, engineer, g = corpus_of(case.work, self), case.terms.people.engineer, self.variant
        per_chunk = self.chunk_tokens * self.index_ratio
        written = g.output_share if self.output_share is None else self.output_share
        call = Call((Segment("extraction", per_chunk * (1 - written)),), per_chunk * written)
        groups = 1 + self.summary_token_share * (
            corpus.access_groups - 1
        )  # readers who may see different parts get summaries of their own
        count = corpus.tokens / self.chunk_tokens * groups
        own = (
            cite(self, "index_tokens")
            if self.index_tokens is not None
            else cite(g, "index_overhead_tokens", "index_tokens_per_token")
        )
        law = (
            "{index_tokens} index tokens for each"
            if self.index_tokens is not None
            else "({index_overhead_tokens} / chunk + {index_tokens_per_token}) index tokens for each"
        )
        cites, basis = (*own, "Corpus.tokens"), "{tokens} corpus tokens x " + law
        yield labour(
            "build the graph pipeline",
            self.build_weeks * WORKING_HOURS_PER_WEEK,
            engineer,
            once(),
            "build",
            "{build_weeks} engineer-weeks x 40 h x {usd_per_hour}/h",
            cite(self, "build_weeks"),
        )
        yield Traffic("index the graph", call, count, once(), "build", self.extractor, basis, cites)
        refresh = paid_with(corpus, every(self.refresh_months), case.terms.months)
        yield Traffic(
            "refresh the graph",
            call,
            count * self.rebuilt(corpus.churn_per_month),
            refresh,
            "retrieval",
            self.extractor,
            basis + " x share rebuilt every {refresh_months} months",
            (*cites, *cite(self, "refresh_months"), "Corpus.churn_per_month"),
        )
        if self.mode != "local":
            part = Call(
                (
                    Segment("question", case.work.input_tokens),
                    Segment("reports", self.map_call_tokens),
                ),
                self.map_output_tokens,
            )
            yield Traffic(
                f"read the reports ({self.mode})",
                part,
                asked(case) * self.map_calls(case.work),
                with_demand(),
                "serving",
                None,
                "requests x calls of {map_call_tokens} tokens",
                cite(self, "map_call_tokens"),
            )
        yield store_line(self.store, case)
        yield upkeep("keep the graph working", self, engineer)

    def rebuilt(self, churn_per_month: Any) -> Any:
        """Share of the index that one refresh makes again: what changed and the summaries above it, or all of it."""
        if self.refresh_share is not None:
            return self.refresh_share
        changed = 1 - (1 - churn_per_month) ** self.refresh_months
        if self.variant.incremental:
            return np.minimum(changed * (1 + self.summary_token_share), 1.0)
        return np.where(np.asarray(changed) > 0, 1.0, 0.0)

    def quality(self, case: Case) -> Effect:
        """Plain retrieval on the same questions, shifted by what was measured of this kind of graph."""
        base, g = base_of(case), self.variant
        fact_gain, hop_gain, summary_gain = (
            getattr(self, f"log_odds_{kind}_global")
            if self.mode == "global"
            else getattr(g, f"log_odds_{kind}")
            for kind in ("fact", "multi_hop", "summary")
        )
        right = read(self, base, self.plain_tokens)
        found = recall_at_k(self.top_k, self.recall_at_one, self.recall_slope)
        fact = answered(found, right, base)
        two = answered(
            found * self.per_entity, right, base
        )  # the gains were measured on some two hops
        several = answered(
            all_found(self.hops - 2.0, self.per_entity_graph), shift(two, hop_gain), base
        )
        wide = shift(fact, self.log_odds_summary)
        whole_gain = (
            self.log_odds_whole_local
            if g.id == "full" and self.mode == "local"
            else g.log_odds_whole
        )  # measured of a global search
        goal = by_question(
            self,
            case,
            fact=shift(fact, fact_gain),
            multi_hop=several,
            whole=shift(wide, whole_gain),
            summary=shift(wide, summary_gain),
        )
        stale = HALF * (1 - (1 - case.work.corpus.churn_per_month) ** self.refresh_months)
        return Effect(
            shift_to(base, goal),
            "plain retrieval, and the measured gain of this graph by question",
            kept=1 - stale * self.stale_wrong,
        )
