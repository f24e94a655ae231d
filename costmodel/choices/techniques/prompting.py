"""Prompting: plain instructions, worked examples, prompt caching."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from costmodel.choices.options import Case
from costmodel.choices.purchases import Line, cite, labour, upkeep
from costmodel.choices.requests import Cache, Request, Segment
from costmodel.choices.schedule import monthly, once
from costmodel.choices.workload import Workload
from costmodel.core.checks import require, validate
from costmodel.core.errors import check
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import MTOK, WORKING_HOURS_PER_WEEK
from costmodel.facts.catalog import practice
from costmodel.laws.quality import Effect


@public
@dataclass(frozen=True)
class Prompt:
    """Plain instructions: weeks to write and test them, some upkeep, nothing else to buy."""

    build_weeks: Number = practice("prompt.build_weeks")
    upkeep_fte: Number = practice("prompt.maintenance_fte")

    def __post_init__(self) -> None:
        validate(self)

    def buys(self, case: Case) -> Iterator[Line]:
        engineer = case.terms.people.engineer
        yield labour(
            "write and test the prompt",
            self.build_weeks * WORKING_HOURS_PER_WEEK,
            engineer,
            once(),
            "build",
            "{build_weeks} engineer-weeks x 40 h x {usd_per_hour}/h",
            cite(self, "build_weeks"),
        )
        yield upkeep("keep the prompt working", self, engineer)


@public
@dataclass(frozen=True)
class FewShot:
    """Worked examples in every prompt: nothing to train, but every token of them is paid each time."""

    examples: Number = 8
    tokens_per_example: Number = Range(
        150, 400, mid=250, why="assumption: a short question and its answer"
    )
    build_hours: Number = Range(8, 40, why="assumption: choose, write and test the examples")
    log_odds: Number = Range(
        0.1,
        0.9,
        mid=0.4,
        form="amount",
        why="assumption: a few points where plain instructions leave room; wide",
    )

    def __post_init__(self) -> None:
        validate(self)

    def shape(self, request: Request, work: Workload) -> Request:
        return request.add(
            Segment("examples", self.examples * self.tokens_per_example, stable=True)
        )

    def buys(self, case: Case) -> Iterator[Line]:
        yield labour(
            "choose the examples",
            self.build_hours,
            case.terms.people.engineer,
            once(),
            "build",
            "{build_hours} h x {usd_per_hour}/h",
            cite(self, "build_hours"),
        )

    def quality(self, case: Case) -> Effect:
        return Effect(self.log_odds, "assumed range for in-context examples")


@public
@dataclass(frozen=True)
class PromptCache:
    """Cache the stable prefix: reads are cheap, writes cost a premium; it loses money when traffic is thin.

    `ttl_s` is the time to live: 300 s or 3,600 s where a provider offers both. `minimum_tokens` None is the rule of the model.
    `burst`, `parallel`, `prefixes` and `replicas` say how the traffic meets the cache (`cm.knowledge.prefix_hit_rate`): a document
    for each of 20 tenants is prefixes=20. `usd_per_mtok_hour` is storage, where it is billed, in all active hours.
    """

    ttl_s: Number = 300.0
    minimum_tokens: Number | None = None
    burst: Number = 1.0
    parallel: Number = 1.0
    prefixes: Number = 1.0
    replicas: Number = 1.0
    usd_per_mtok_hour: Number = 0.0

    def __post_init__(self) -> None:
        validate(self, optional=("minimum_tokens",))
        check(
            self.ttl_s in (300, 3600),
            f"PromptCache.ttl_s is {self.ttl_s}, allowed are 300 (5 minutes) and 3600 (1 hour)",
        )
        for name in ("burst", "parallel", "prefixes", "replicas"):
            require(f"PromptCache.{name}", getattr(self, name), low=1)

    def shape(self, request: Request, work: Workload) -> Request:
        cache = Cache(
            self.ttl_s, self.minimum_tokens, self.burst, self.parallel, self.prefixes, self.replicas
        )
        return Request(tuple(replace(c, cache=cache) for c in request.calls))

    def buys(self, case: Case) -> Iterator[Line]:
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
                cites=cite(self, "usd_per_mtok_hour"),
            )
