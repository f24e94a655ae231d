"""Prompting: instructions, worked examples, and what is remembered from one request to the next."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any

import numpy as np

from costmodel.choices.effort import BUILD, UPKEEP, effort_said, usual
from costmodel.choices.lengths import PromptLengths
from costmodel.choices.options import Case
from costmodel.choices.purchases import Line, Purchases, labour, purchases_of, setup, upkeep
from costmodel.choices.quality.accepted import examples_in_prompt, long_prompt
from costmodel.choices.requests import Cache, Request, Segment
from costmodel.choices.schedule import monthly, once
from costmodel.choices.techniques.knowledge import Rag
from costmodel.choices.techniques.lookup import (
    HOPS,
    corpus_of,
    find_records,
    several_found,
    task_fact,
)
from costmodel.choices.workload import QuestionMix, Workload
from costmodel.core import (
    MTOK,
    Infeasible,
    Number,
    check,
    checked,
    frozen,
    not_none,
    of_kind,
    validate,
)
from costmodel.facts.catalog import practice
from costmodel.laws.quality import Effect, Found


@checked
class Prompt:
    """Plain instructions: weeks to write and test them, some upkeep, nothing else to buy.

    Parameters
    ----------
    build_weeks : number or Range, at least 0
        Weeks of an engineer before the first answer.
    upkeep_fte : number or Range, at least 0
        Share of an engineer who keeps the prompt working.

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> work, api = cm.Workload(10_000, input_tokens=500), cm.Api("gpt-6-luna")
    >>> bill = cm.explain(cm.Option(api, cm.Prompt(build_weeks=1)), work).set_index("item")
    >>> float(bill.quantity["write and test the prompt"])
    40.0
    """

    build_weeks: Number = usual("prompt.build_weeks", BUILD)
    upkeep_fte: Number = usual("prompt.maintenance_fte", UPKEEP)

    def buys(self, case: Case) -> Purchases:
        engineer = case.terms.people.engineer
        yield setup("write and test the prompt", self, case.work, engineer)
        yield upkeep("keep the prompt working", self, case.work, engineer)


@checked
class FewShot:
    """Worked examples in every prompt: nothing to train, but each request pays for their tokens.

    Parameters
    ----------
    examples, tokens_per_example : number or Range, at least 0
        How many examples stand in the prompt, and the tokens of one.
    build_hours : number or Range, at least 0
        Hours of an engineer who chooses, writes and tests them.
    log_odds : number or Range
        What they add to the log-odds of a right answer of a model of 2024; newer and more capable
        ones gain less, older ones more.

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(10_000, instruction_tokens=300, input_tokens=500)
    >>> few = cm.FewShot(examples=4, tokens_per_example=200)
    >>> few.shape(work.request(), work).main.prompt_tokens
    1600.0
    """

    examples: Number = 8
    tokens_per_example: Number = practice("FewShot.tokens_per_example")
    build_hours: Number = usual("FewShot.build_hours", BUILD)
    log_odds: Number = task_fact("few_shot.log_odds")

    def shape(self, request: Request, work: Workload) -> Request:
        return request.add(
            Segment("examples", self.examples * self.tokens_per_example, stable=True)
        )

    def buys(self, case: Case) -> Purchases:
        engineer = case.terms.people.engineer
        hours, words, cites = effort_said(self, "build_hours", case.work)
        basis = words + " h x {usd_per_hour}/h"
        yield labour("choose the examples", hours, engineer, once(), "build", basis, cites)

    def quality(self, case: Case) -> Effect:
        gain = examples_in_prompt(case, self.log_odds)
        return Effect(gain, "examples in the prompt, which fade with the capability of the model")


@frozen
class PromptCache:
    """Cache the stable prefix: reads are cheap, writes cost a premium, thin traffic loses money.

    Parameters
    ----------
    ttl_s : 300 or 3600
        Seconds that a prefix lives, where a provider offers both; some models keep one that was
        written at the lower price for longer (`cache_ttl_s` of the price card).
    minimum_tokens : number, at least 0, or None
        The shortest prefix that is cached; None is the rule of the model.
    burst, parallel, prefixes, replicas : number or Range, at least 1
        How the traffic meets the cache (`cm.knowledge.prefix_hit_rate`): requests of one burst,
        calls sent at once, different prefixes (a document for each of 20 tenants is 20), and
        replicas with a cache of their own.
    usd_per_mtok_hour : number or Range, at least 0
        Price of storage, where it is billed, in all active hours.

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(10_000, instruction_tokens=2_000)
    >>> cm.PromptCache(ttl_s=3600).shape(work.request(), work).main.cache.ttl_s
    3600
    """

    ttl_s: Number = 300.0
    minimum_tokens: Number | None = None
    burst: Number = 1.0
    parallel: Number = 1.0
    prefixes: Number = 1.0
    replicas: Number = 1.0
    usd_per_mtok_hour: Number = 0.0

    def __post_init__(self) -> None:
        validate(self)
        check(
            self.ttl_s in (300, 3600),
            f"PromptCache.ttl_s is {self.ttl_s}, allowed are 300 (5 minutes) and 3600 (1 hour)",
        )

    def shape(self, request: Request, work: Workload) -> Request:
        names = Cache.__dataclass_fields__
        return request.each(cache=Cache(**{name: getattr(self, name) for name in names}))

    def buys(self, case: Case) -> Purchases:
        if np.any(self.usd_per_mtok_hour):
            held = case.request.main.stable_tokens / MTOK * self.prefixes * self.replicas
            yield Line(
                "keep the prefix cached",
                "serving",
                held * case.work.active_hours_per_month,
                "Mtok-hour",
                self.usd_per_mtok_hour,
                monthly(),
                "api",
                basis="stable tokens x prefixes x active hours",
                cites=("usd_per_mtok_hour",),
            )


@checked
class TokenSizes:
    """Tokens of its own for one part of a Mix, whose requests are longer or shorter than the rest.

    Parameters
    ----------
    instruction_tokens, input_tokens, output_tokens, reasoning_tokens : number or Range, or None
        Of one request of this part; None are those of the workload.
    prompt_lengths : PromptLengths, optional
        How its requests differ from that mean; None: each is taken for the mean.

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(10_000, instruction_tokens=2_000, input_tokens=500)
    >>> cm.TokenSizes(input_tokens=9_000).shape(work.request(), work).main.prompt_tokens
    11000.0
    """

    instruction_tokens: Number | None = None
    input_tokens: Number | None = None
    output_tokens: Number | None = None
    reasoning_tokens: Number | None = None
    prompt_lengths: PromptLengths | None = None

    def shape(self, request: Request, work: Workload) -> Request:
        prompt = not_none(instructions=self.instruction_tokens, input=self.input_tokens)
        answer = not_none(output_tokens=self.output_tokens, reasoning_tokens=self.reasoning_tokens)
        segments = tuple(
            replace(s, tokens=prompt.get(s.name, s.tokens)) for s in request.main.segments
        )
        return request.each(segments=segments, lengths=self.prompt_lengths, **answer)


@checked
class SemanticCache:
    """Answer a question like an earlier one from memory: a hit costs next to nothing.

    You give up some right answers: a share of the hits is wrong, and costs what any wrong answer
    costs. Hits of 20 to 45 % are measured; the 95 % that vendors state is the accuracy of a match.

    Parameters
    ----------
    hit_rate, wrong_hit_share : number or Range, 0 to 1
        Share of the requests answered from memory, and share of those that is wrong.
    build_weeks : number or Range, at least 0
        Weeks of an engineer who tunes and tests the threshold.

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(10_000, input_tokens=500)
    >>> cm.SemanticCache(hit_rate=0.3).shape(work.request(), work).main.per_request
    0.7
    """

    hit_rate: Number = practice("semantic_cache.hit_rate")
    wrong_hit_share: Number = practice("SemanticCache.wrong_hit_share")
    build_weeks: Number = usual("SemanticCache.build_weeks", BUILD)

    def shape(self, request: Request, work: Workload) -> Request:
        missed = 1 - self.hit_rate
        return Request(
            tuple(replace(call, per_request=call.per_request * missed) for call in request.calls)
        )

    def buys(self, case: Case) -> Purchases:
        yield setup("build the semantic cache", self, case.work, case.terms.people.engineer)

    def quality(self, case: Case) -> Effect:
        return Effect(
            0.0, "wrong hits of the semantic cache", kept=1 - self.hit_rate * self.wrong_hit_share
        )


@frozen
class LongContext:
    """Put documents into the prompt: every answer pays for every token, and reads less well.

    A corpus that fits is sent whole: nothing is missed, and the prompt repeats, so it can be
    cached. Of a larger one a search selects the documents of a question; it is paid for like that
    of `Rag`, and misses some.

    Parameters
    ----------
    document_tokens : number or Range, at least 0, or None
        Tokens of the documents that are sent with a question; None is that of the workload, and
        where it has none, the whole corpus.
    search : Rag
        What selects documents where the corpus is not sent whole.
    questions : QuestionMix or None
        Where the answers stand; None is the mix of the workload.
    hops : number or Range, at least 0
        Documents that a question over several hops needs [count].

    Raises
    ------
    Infeasible
        Where the whole of a growing corpus would be sent, or the window is not known.
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(10_000, input_tokens=100, corpus=cm.Corpus(tokens=200_000))
    >>> sent = cm.LongContext(document_tokens=30_000).shape(work.request(), work)
    >>> float(sent.main.prompt_tokens)
    30100.0
    """

    document_tokens: Number | None = None
    search: Rag = field(default_factory=Rag)
    hops: Number = HOPS
    questions: QuestionMix | None = None

    def __post_init__(self) -> None:
        find_records(self)
        of_kind("LongContext.search", self.search, Rag)
        validate(self)

    def wanted(self, work: Workload) -> Any:
        """Tokens of documents that a question gets; None is the whole corpus."""
        return work.document_tokens if self.document_tokens is None else self.document_tokens

    def selected(self, work: Workload) -> Any:
        """Whether a search selects what is sent."""
        wanted = self.wanted(work)
        return False if wanted is None else wanted < corpus_of(work, self).tokens

    def shape(self, request: Request, work: Workload) -> Request:
        corpus, wanted = corpus_of(work, self), self.wanted(work)
        if wanted is None:
            if np.ndim(corpus.size(1)):
                raise Infeasible(
                    "a corpus that grows is not modelled in the prompt; "
                    "give document_tokens, what one question needs"
                )
            return request.add(Segment("corpus", corpus.tokens, stable=True))
        part = self.selected(work)  # what is sent each time repeats
        request = request.add(Segment("corpus", np.where(part, 0.0, corpus.tokens), stable=True))
        return request.add(Segment("documents", np.where(part, wanted, 0.0)))

    def wait_s(self, case: Case) -> Any:
        """Seconds before the model is asked: the search for documents."""
        return np.where(self.selected(case.work), self.search.wait_s(case), 0.0)

    def buys(self, case: Case) -> Purchases:
        if getattr(case.serving, "window", None) is None:
            model = getattr(case.serving, "model", None)
            name = model.id if model else type(case.serving).__name__
            raise Infeasible(
                f"the context window of {name} is not known; choose a model whose window is"
            )
        if np.any(self.selected(case.work)):
            passages = np.maximum(self.wanted(case.work) / self.search.chunk_tokens, 1.0)
            search = replace(self.search, top_k=passages)
            needed = self.selected(case.work)  # in some draws the corpus may be sent whole
            for purchase in purchases_of(search, case):
                name = "quantity" if isinstance(purchase, Line) else "count"
                yield replace(purchase, **{name: getattr(purchase, name) * needed})

    def quality(self, case: Case) -> Effect:
        part, wanted = self.selected(case.work), self.wanted(case.work)
        shares: Any = (1.0,) * 4  # of all questions, over several places, on a condition, on time
        if np.any(part):
            search = self.search
            one = search.found(case, wanted)
            several = several_found(search, case, wanted, one, self.hops)
            some = one, several, *search.found_on_condition(case, wanted)
            shares = (np.where(part, share, 1.0) for share in some)
        found, several, filtered, temporal = shares
        read = long_prompt(case, case.request.main.prompt_tokens)
        by_kind = dict.fromkeys(("fact", "whole", "summary"), found)
        by_kind |= {"multi_hop": several, "filtered": filtered, "temporal": temporal}
        return Effect(
            evidence="what was selected, and a reader in that context; fitted",
            found={kind: Found(share, read) for kind, share in by_kind.items()},
        )
