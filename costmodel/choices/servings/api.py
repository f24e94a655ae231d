"""Who answers: a model behind an API, paid by tokens.

A serving prices all traffic that it gets, production and evaluation and labels alike. Models on GPUs of your own are in
`hosting`, reserved capacity of a provider in `provisioned`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.choices.purchases import Line, Traffic, cite
from costmodel.choices.requests import Call
from costmodel.choices.schedule import path
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.checks import require, validate
from costmodel.core.errors import CatalogError, Infeasible, Unpriced, check
from costmodel.core.public import public
from costmodel.core.ranges import Number
from costmodel.core.units import MTOK, SECONDS_PER_MINUTE
from costmodel.facts.prices import ApiPrice, Rates, api_price, rates
from costmodel.laws.agents import attempts
from costmodel.laws.caching import prefix_hit_rate

TERMS_OF_SALE = ("provider", "on", "mode", "residency")  # what selects a card in the price list


@public
@dataclass(frozen=True)
class Api:
    """A model behind an API: nothing to run, every token is paid.

    `model` is an id of the price list (or an ApiPrice); `mode` is standard, batch, flex or priority; `residency` and
    `discount` scale every token class. `accepted` is the share of answers accepted with plain instructions. What is left
    open is that of the price card, so that `dataclasses.replace(api, mode="batch")` asks the price list again.

    An attempt fails with chance `failed` and is tried up to `attempts_max` times (own tries times those of the client library:
    3 x 3 = 9); `billed_share` of the failed ones is billed (leave `failed` at 0 beside an `Agent`, which has its own). Limits per minute hold for the busiest hour of the last month.
    """

    model: ApiPrice | str
    provider: str | None = None
    on: str | None = None
    mode: str | None = None
    residency: str | None = None
    discount: Number = 0.0
    failed: Number = 0.0
    attempts_max: Number = 3
    billed_share: Number = 1.0
    tokens_per_min_max: Number | None = None
    requests_per_min_max: Number | None = None
    accepted: Number | None = None

    def __post_init__(self) -> None:
        card: Any = self.model
        if isinstance(card, str):
            card = api_price(card, self.provider, self.on, self.mode or "standard", self.residency)
        else:
            asked = {name: getattr(self, name) or getattr(card, name) for name in TERMS_OF_SALE}
            if asked != {name: getattr(card, name) for name in TERMS_OF_SALE}:
                check(
                    card == listed(card),
                    f"the prices of {card.id!r} were changed by hand and cannot be moved to {asked}; make the option anew",
                )
                card = api_price(card.id, **asked)
        object.__setattr__(self, "model", card)
        for name in TERMS_OF_SALE:
            object.__setattr__(self, name, getattr(card, name))
        validate(self, optional=("accepted", "tokens_per_min_max", "requests_per_min_max"))
        require("Api.attempts_max", self.attempts_max, low=1)

    def at(self, on: str) -> Api:
        """The same model at the prices of another date; prices changed by hand cannot be moved."""
        if on == self.on:
            return self
        check(
            self.model == listed(self.model),
            f"on={on!r}: the prices of {self.model.id!r} were changed by hand; make the option with its own on=",
        )
        return replace(self, on=on)

    @property
    def where(self) -> str:
        """Who runs it, for readers."""
        return str(self.provider)

    @property
    def window(self) -> Any:
        """Context window [token], or None when the price list does not say."""
        return self.model.window

    def limits(self, call: Call) -> Iterator[tuple[Any, str]]:
        """What can stop a call: (by how much it is over, the reason with {over} to fill in)."""
        yield from over_window(self, call)

    def price(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Iterator[Line]:
        within = self._within_limits(traffic, work, terms)
        for t in traffic:
            for line in self._tokens(t, work, terms):
                yield line if within is None else replace(line, quantity=line.quantity * within)
            if np.any(self.failed):
                yield self._failures(t)

    def _within_limits(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Any:
        """None without limits, else 1 where the busiest minute keeps them and NaN where it does not."""
        busiest = [t for t in traffic if t.schedule.kind == "with_demand"]
        per_min = (
            work.peak_to_average
            * np.max(
                work.demand(terms.months), axis=-1, keepdims=np.ndim(work.demand(terms.months)) > 1
            )
            * SECONDS_PER_MINUTE
        )
        within: Any = None
        for name, size in (
            ("tokens", lambda c: c.prompt_tokens + c.output_tokens + c.reasoning_tokens),
            ("requests", lambda c: 1.0),
        ):
            most = getattr(self, f"{name}_per_min_max")
            if most is None or not busiest:
                continue
            need = sum(work.arrivals_per_s(t.count) * size(t.call) for t in busiest) * per_min
            if np.ndim(need) == 0 and np.ndim(most) == 0 and need > most:
                raise Infeasible(
                    f"the busiest hour brings {need:,.0f} {name} a minute, the limit of {self.model.id} is {most:,.0f}; "
                    "ask for a higher limit, move what can wait to mode='batch', or split the load in a Mix"
                )
            within = np.where(need > most, np.nan, 1.0 if within is None else within)
        return within

    def _failures(self, t: Traffic) -> Line:
        """Attempts that fail and are paid all the same, at the price of a whole call."""
        card = rates(self.model, t.call.prompt_tokens, self.discount)  # type: ignore[arg-type]
        usd = (
            t.call.prompt_tokens * card.usd_per_mtok_in
            + t.call.output_tokens * card.usd_per_mtok_out
        ) / MTOK
        wasted = (
            t.count * self.failed * attempts(self.failed, self.attempts_max) * self.billed_share
        )
        return Line(
            f"{t.item}: failed attempts",
            t.phase,
            wasted,
            "attempt",
            usd,
            t.schedule,
            "api",
            basis="calls x {failed} x mean attempts of up to {attempts_max} x {billed_share}, each at the price of an uncached call",
            cites=(
                *cite(self, "failed", "attempts_max", "billed_share"),
                *cite(self.model, "usd_per_mtok_in", "usd_per_mtok_out"),
            ),
        )

    def _tokens(self, t: Traffic, work: Workload, terms: Terms) -> Iterator[Line]:
        card = rates(self.model, t.call.prompt_tokens, self.discount)  # type: ignore[arg-type]
        prefix, fresh = t.call.stable_tokens, t.call.prompt_tokens
        if t.call.cache is not None:
            shortest = (
                self.model.cache_min_tokens
                if t.call.cache.minimum_tokens is None
                else t.call.cache.minimum_tokens
            )
            prefix = np.where(prefix >= shortest, prefix, 0.0)
            fresh = fresh - prefix
            if np.any(prefix > 0) and card.usd_per_mtok_cache_read is None:
                raise Unpriced(
                    f"cache_read of {self.model.id!r} is not priced; leave out PromptCache() or choose another model"
                )
        yield from self._line(t, "fresh input", fresh, card.usd_per_mtok_in, t.schedule)
        if t.call.cache is not None:
            read, write = cache_schedules(t, work, terms)
            yield from self._line(t, "cache read", prefix, card.usd_per_mtok_cache_read, read)
            yield from self._line(
                t, "cache write", prefix, _write_rate(card, t.call.cache.ttl_s), write
            )
        yield from self._line(t, "output", t.call.output_tokens, card.usd_per_mtok_out, t.schedule)
        yield from self._line(
            t, "reasoning", t.call.reasoning_tokens, card.usd_per_mtok_reasoning, t.schedule
        )
        if np.any(self.model.usd_per_request):
            yield Line(
                f"{t.item}: requests",
                t.phase,
                t.count,
                "request",
                self.model.usd_per_request,
                t.schedule,
                "api",
                basis="calls x price per request",
                cites=cite(self.model, "usd_per_request"),
            )

    def _line(
        self, t: Traffic, name: str, tokens: Any, usd_per_mtok: Any, schedule: Any
    ) -> Iterator[Line]:
        if np.any(tokens):
            basis = t.basis or "calls a month x tokens of one call at the list price"
            cites = (
                *t.cites,
                *cite(self.model.tiers[0], _FIELD[name]),
            )  # the card of a residency is a tier of its own name
            yield Line(
                f"{t.item}: {name}",
                t.phase,
                t.count * tokens / MTOK,
                "Mtok",
                usd_per_mtok,
                schedule,
                "api",
                basis=basis,
                cites=cites,
            )


def listed(card: ApiPrice) -> ApiPrice | None:
    """The card as the price list has it, or None when it is not from there."""
    try:
        return replace(
            api_price(card.id, **{name: getattr(card, name) for name in TERMS_OF_SALE}),
            discount=card.discount,
        )
    except CatalogError:
        return None


_FIELD = {
    "fresh input": "usd_per_mtok_in",
    "cache read": "usd_per_mtok_cache_read",
    "cache write": "usd_per_mtok_cache_write",
    "output": "usd_per_mtok_out",
    "reasoning": "usd_per_mtok_out",
}
SHORT_TTL_S = 300


def _write_rate(card: Rates, ttl_s: Any) -> Any:
    """Price of writing the cache, which replaces the input rate (it is the input rate where no write is priced)."""
    long = np.all(np.asarray(ttl_s) > SHORT_TTL_S)
    rate = card.usd_per_mtok_cache_write_1h if long else card.usd_per_mtok_cache_write
    if rate is None:
        raise Unpriced(
            f"a 1-hour cache write is not priced for {card.id}; use PromptCache(ttl_s=300)"
        )
    return rate


def over_window(serving: Any, call: Call) -> Iterator[tuple[Any, str]]:
    """Tokens of a call over the context window of the model, where that is known."""
    if serving.window is not None:
        need = call.prompt_tokens + call.output_tokens + call.reasoning_tokens
        yield (
            need - serving.window,
            f"a request is {{over:,.0f}} tokens over the {serving.window:,.0f}-token window of {serving.model.id}",
        )


def cache_schedules(t: Traffic, work: Workload, terms: Terms) -> tuple[Any, Any]:
    """When the prefix is read from the cache and when it is written: demand x hit rate, demand x (1 - hit rate)."""
    demand = t.schedule.weights(terms.months, work.demand(terms.months))
    cache: Any = t.call.cache
    arrivals = work.arrivals_per_s(t.count)
    if t.schedule.kind == "with_demand" and not work.flat:
        arrivals = arrivals * work.demand(terms.months)
    hits = prefix_hit_rate(
        arrivals, cache.ttl_s, cache.burst, cache.parallel, cache.prefixes, cache.replicas
    )
    found = t.call.found(hits)
    return path(demand * found), path(demand * (1 - found))
