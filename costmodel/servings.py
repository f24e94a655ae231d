"""Who answers: a model behind an API, or a model on GPUs of your own.

A serving prices all traffic that it gets, production and evaluation and labels alike: `Api` by tokens, `Hosted` by
pooled load, integer replicas and the hours they run, busy or idle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import catalog, inference
from .caching import prefix_hit_rate
from .errors import CatalogError, Infeasible, Unpriced, check
from .lines import Call, Line, Traffic, cite, labour, monthly, once, path, upkeep
from .prices import ApiPrice, Rates, api_price, rates
from .ranges import Number, Range, validate
from .units import GB, HOURS_PER_MONTH, HOURS_PER_WEEK, MTOK, SECONDS_PER_HOUR
from .workload import Terms, Workload

TERMS_OF_SALE = ("provider", "on", "mode", "residency")  # what selects a card in the price list
ROUNDING = 1e-9  # a load that is whole but for rounding needs no replica more


@dataclass(frozen=True)
class Api:
    """A model behind an API: nothing to run, every token is paid.

    `model` is an id of the price list (or an ApiPrice); `mode` is standard, batch, flex or priority; `residency` and
    `discount` scale every token class. `accepted` is the share of answers accepted with plain instructions. What is left
    open is that of the price card, so that `dataclasses.replace(api, mode="batch")` asks the price list again.
    """

    model: ApiPrice | str
    provider: str | None = None
    on: str | None = None
    mode: str | None = None
    residency: str | None = None
    discount: Number = 0.0
    accepted: Number | None = None

    def __post_init__(self) -> None:
        card: Any = self.model
        if isinstance(card, str):
            card = api_price(card, self.provider, self.on, self.mode or "standard", self.residency)
        else:
            asked = {name: getattr(self, name) or getattr(card, name) for name in TERMS_OF_SALE}
            if asked != {name: getattr(card, name) for name in TERMS_OF_SALE}:
                check(card == listed(card), f"the prices of {card.id!r} were changed by hand and cannot be moved to {asked}; make the option anew")
                card = api_price(card.id, **asked)
        object.__setattr__(self, "model", card)
        for name in TERMS_OF_SALE:
            object.__setattr__(self, name, getattr(card, name))
        validate(self, optional=("accepted",))

    def at(self, on: str) -> Api:
        """The same model at the prices of another date; prices changed by hand cannot be moved."""
        if on == self.on:
            return self
        check(self.model == listed(self.model), f"on={on!r}: the prices of {self.model.id!r} were changed by hand; make the option with its own on=")
        return replace(self, on=on)

    @property
    def window(self) -> Any:
        """Context window [token], or None when the price list does not say."""
        return self.model.window

    def limits(self, call: Call) -> Iterator[tuple[Any, str]]:
        """What can stop a call: (by how much it is over, the reason with {over} to fill in)."""
        yield from over_window(self, call)

    def price(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Iterator[Line]:
        for t in traffic:
            yield from self._tokens(t, work, terms)

    def _tokens(self, t: Traffic, work: Workload, terms: Terms) -> Iterator[Line]:
        kept = (1 - self.model.discount) * (1 - self.discount)
        card = rates(replace(self.model, discount=1 - kept), t.call.prompt_tokens)  # type: ignore[type-var]
        prefix, fresh = t.call.stable_tokens, t.call.prompt_tokens
        if t.call.cache is not None:
            shortest = self.model.cache_min_tokens if t.call.cache.minimum_tokens is None else t.call.cache.minimum_tokens
            prefix = np.where(prefix >= shortest, prefix, 0.0)
            fresh = fresh - prefix
            if np.any(prefix > 0) and card.usd_per_mtok_cache_read is None:
                raise Unpriced(f"cache_read of {self.model.id!r} is not priced; leave out PromptCache() or choose another model")
        yield from self._line(t, "fresh input", fresh, card.usd_per_mtok_in, t.schedule)
        if t.call.cache is not None:
            read, write = cache_schedules(t, work, terms)
            yield from self._line(t, "cache read", prefix, card.usd_per_mtok_cache_read, read)
            yield from self._line(t, "cache write", prefix, _write_rate(card, t.call.cache.ttl_s), write)
        yield from self._line(t, "output", t.call.output_tokens, card.usd_per_mtok_out, t.schedule)
        yield from self._line(t, "reasoning", t.call.reasoning_tokens, card.usd_per_mtok_reasoning, t.schedule)
        if np.any(self.model.usd_per_request):
            yield Line(f"{t.item}: requests", t.phase, t.count, "request", self.model.usd_per_request, t.schedule, "api",
                       basis="calls x price per request", cites=cite(self.model, "usd_per_request"))  # fmt: skip

    def _line(self, t: Traffic, name: str, tokens: Any, usd_per_mtok: Any, schedule: Any) -> Iterator[Line]:
        if np.any(tokens):
            basis = t.basis or "calls a month x tokens of one call at the list price"
            cites = (*t.cites, *cite(self.model.tiers[0], _FIELD[name]))  # the card of a residency is a tier of its own name
            yield Line(f"{t.item}: {name}", t.phase, t.count * tokens / MTOK, "Mtok", usd_per_mtok, schedule, "api", basis=basis, cites=cites)


def listed(card: ApiPrice) -> ApiPrice | None:
    """The card as the price list has it, or None when it is not from there."""
    try:
        return replace(api_price(card.id, **{name: getattr(card, name) for name in TERMS_OF_SALE}), discount=card.discount)
    except CatalogError:
        return None


_FIELD = {
    "fresh input": "usd_per_mtok_in", "cache read": "usd_per_mtok_cache_read", "cache write": "usd_per_mtok_cache_write",
    "output": "usd_per_mtok_out", "reasoning": "usd_per_mtok_out",
}  # fmt: skip


SHORT_TTL_S = 300


def _write_rate(card: Rates, ttl_s: Any) -> Any:
    """Price of writing the cache, which replaces the input rate (it is the input rate where no write is priced)."""
    long = np.all(np.asarray(ttl_s) > SHORT_TTL_S)
    rate = card.usd_per_mtok_cache_write_1h if long else card.usd_per_mtok_cache_write
    if rate is None:
        raise Unpriced(f"a 1-hour cache write is not priced for {card.id}; use PromptCache(ttl_s=300)")
    return rate


def over_window(serving: Any, call: Call) -> Iterator[tuple[Any, str]]:
    """Tokens of a call over the context window of the model, where that is known."""
    if serving.window is not None:
        need = call.prompt_tokens + call.output_tokens + call.reasoning_tokens
        yield need - serving.window, f"a request is {{over:,.0f}} tokens over the {serving.window:,.0f}-token window of {serving.model.id}"


def cache_schedules(t: Traffic, work: Workload, terms: Terms) -> tuple[Any, Any]:
    """When the prefix is read from the cache and when it is written: demand x hit rate, demand x (1 - hit rate)."""
    demand = t.schedule.weights(terms.months, work.demand(terms.months))
    cache: Any = t.call.cache
    arrivals = work.arrivals_per_s(t.count)
    if t.schedule.kind == "with_demand" and not work.flat:
        arrivals = arrivals * work.demand(terms.months)
    hits = prefix_hit_rate(arrivals, cache.ttl_s, cache.burst, cache.parallel, cache.prefixes, cache.replicas)
    hits = t.call.reuse + (1 - t.call.reuse) * hits
    return path(demand * hits), path(demand * (1 - hits))


@dataclass(frozen=True)
class Hosted:
    """An open model on rented GPUs: whole replicas for the peak, paid by the hour whether busy or idle.

    `gpus_per_replica=None` takes the smallest power of two that holds the weights. Efficiencies are wide Ranges: a
    measured throughput of your own (`requests_per_s` of one replica) replaces the roofline.
    """

    model: catalog.Model | str
    gpu: catalog.Gpu | str = "H100-SXM"
    precision: str = "fp8"
    kv_precision: str = "bf16"
    channel: str = "neocloud"
    term: str = "on_demand"
    rent: catalog.Rent | None = None
    gpus_per_replica: int | None = None
    replicas_min: Number = 1
    load_max: Number = Range(0.5, 0.8, why="assumption: share of capacity planned for, so that the p95 holds")
    mfu: Number = Range(0.25, 0.55, why="fitted to published serving runs: 0.2 to 0.65 of the peak in prefill")
    mbu: Number = Range(0.55, 0.85, why="fitted to published serving runs: 0.6 to 0.9 of the bandwidth in decoding")
    overhead_s_per_layer: Number = Range(40e-6, 120e-6, form="amount", why="fitted to published serving runs: 45 to 170 us")
    batch_max: Number = Range(32, 128, mid=64, why="assumption: sequences at once that keep a chat reader served")
    memory_usable: Number = 0.9
    requests_per_s: Number | None = None
    build_weeks: Number = catalog.practice("hosting.build_weeks")
    upkeep_fte: Number = catalog.practice("hosting.maintenance_fte")
    accepted: Number | None = None

    def __post_init__(self) -> None:
        for name in ("precision", "kv_precision"):
            value = getattr(self, name)
            check(value in inference.BYTES, f"Hosted.{name} is {value!r}, allowed are {', '.join(inference.BYTES)}")
        for name, find in (("model", catalog.model), ("gpu", catalog.gpu)):
            if isinstance(getattr(self, name), str):
                object.__setattr__(self, name, find(getattr(self, name)))
        wanted = (self.gpu.id, self.channel, self.term)
        if self.rent is None or (_is_listed(self.rent) and (self.rent.gpu, self.rent.channel, self.rent.term) != wanted):
            object.__setattr__(self, "rent", catalog.rent(*wanted))
        validate(self, optional=("accepted", "requests_per_s", "gpus_per_replica"))
        for name in ("parameters", "layers", "kv_heads", "head_size"):
            if getattr(self.model, name) is None:
                raise CatalogError(f"the {name} of {self.model.id!r} are not published, so it cannot be sized; choose another model")

    def at(self, on: str) -> Hosted:
        return self  # GPU rents are facts of the catalogue, not of the API price list

    @property
    def gpus(self) -> Any:
        """GPUs of one replica: as given, or the smallest power of two that holds the weights."""
        if self.gpus_per_replica is not None:
            return self.gpus_per_replica
        return inference.gpus_that_fit(self.weight_bytes, self.gpu.memory, self.memory_usable)

    @property
    def weight_bytes(self) -> Any:
        return self.model.parameters * inference.BYTES[self.precision]

    @property
    def window(self) -> Any:
        return self.model.window

    def limits(self, call: Call) -> Iterator[tuple[Any, str]]:
        """What can stop a call: the window, the weights, the key-value cache of one request."""
        yield from over_window(self, call)
        room = self.gpu.memory * self.gpus * self.memory_usable
        place = f"{self.gpus_per_replica or 'the smallest set of'} x {self.gpu.id}"
        yield (self.weight_bytes - room) / GB, f"{self.model.id} in {self.precision} does not fit {place}: the weights are {{over:.1f}} GB over the usable memory"
        kv = self.kv_bytes_per_token * (call.prompt_tokens + call.output_tokens + call.reasoning_tokens)
        yield (self.weight_bytes + kv - room) / GB, f"one request does not fit {place} beside {self.model.id}: its key-value cache is {{over:.1f}} GB over the usable memory"

    @property
    def kv_bytes_per_token(self) -> Any:
        return inference.kv_bytes_per_token(self.model.layers, self.model.kv_heads, self.model.head_size, inference.BYTES[self.kv_precision])

    def seconds_per_call(self, call: Call) -> Any:
        """Time of a whole replica that one call takes at the planned batch [s]: prefill + output x step / batch."""
        if self.requests_per_s is not None:
            return 1.0 / self.requests_per_s
        peak, bandwidth = self._peak * self.gpus, self.gpu.bandwidth * self.gpus
        active = self.model.parameters if self.model.active_parameters is None else self.model.active_parameters
        output = call.output_tokens + call.reasoning_tokens
        held = self.kv_bytes_per_token * (call.prompt_tokens + output / 2)  # a sequence half way through its answer: the mean of a busy replica
        batch = inference.batch_limit(self.gpu.memory * self.gpus, self.weight_bytes, held, self.memory_usable, self.batch_max)
        step = inference.decode_step_s(batch, active, self.weight_bytes, held, peak, bandwidth, self.mfu, self.mbu,
                                       self.overhead_s_per_layer * self.model.layers)  # fmt: skip
        return inference.prefill_s(active, call.prompt_tokens, peak, self.mfu) + output * step / batch

    @property
    def _peak(self) -> Any:
        """Peak of the precision, or of the next wider one that the GPU computes in."""
        wider = {"fp4": ("peak_flops_fp4", "peak_flops_fp8"), "fp8": ("peak_flops_fp8",)}.get(self.precision, ())
        return next(p for p in (*(getattr(self.gpu, name) for name in wider), self.gpu.peak_flops_bf16) if p is not None)

    def price(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Iterator[Line]:
        """GPU hours by use, the idle hours apart, and the people who keep the fleet running.

        What comes with demand sets the replicas: peak load / planned load, whole, at least `replicas_min`. Traffic of every month
        shares them; jobs of single months (an index, teacher labels) are rented by the hour on top.
        """
        usd, cites = self.rent.usd_per_gpu_hour, cite(self.rent, "usd_per_gpu_hour")
        level = 1.0 if work.flat else work.demand(terms.months)
        used: Any = 0.0
        load: Any = 0.0
        for t in traffic:
            if t.call.cache is not None:
                raise Infeasible(f"PromptCache on own GPUs is not modelled yet ({self.model.id}); leave it out")
            seconds = self.seconds_per_call(t.call)
            hours = t.count * seconds / SECONDS_PER_HOUR * self.gpus
            if t.schedule.kind in ("with_demand", "monthly"):
                used = used + hours * (level if t.schedule.kind == "with_demand" else 1.0)
            if t.schedule.kind == "with_demand":
                load = load + work.arrivals_per_s(t.count) * seconds * work.peak_to_average
            yield Line(f"{t.item}: GPU hours in use", t.phase, hours, "GPU-hour", usd, t.schedule, "gpu",
                       basis="calls x seconds of a replica per call x GPUs per replica", cites=(*cites, *cite(self, "mfu", "mbu")))  # fmt: skip
        if np.any(load):
            replicas = np.maximum(np.ceil(load / self.load_max * level - ROUNDING), self.replicas_min)
            idle = np.maximum(replicas * self.gpus * HOURS_PER_MONTH - used, 0.0)
            each, when = (idle, monthly()) if work.flat else (1.0, path(idle * (np.arange(terms.months + 1) > 0)))
            yield Line("GPU hours idle", "serving", each, "GPU-hour", usd, when, "gpu",
                       basis="whole replicas for the peak x hours of a month - hours in use",
                       cites=(*cites, *cite(self, "load_max"), "Workload.peak_to_average"))  # fmt: skip
            yield labour("set up serving", self.build_weeks * HOURS_PER_WEEK, terms.people.engineer, once(), "build",
                         "{build_weeks} engineer-weeks x 40 h x {usd_per_hour}/h", cite(self, "build_weeks"))  # fmt: skip
            yield upkeep("keep serving running", self, terms.people.engineer)


def _is_listed(rent: catalog.Rent) -> bool:
    """Whether a rent is the catalogue's: then another GPU, channel or term takes its own."""
    return catalog.rents().get(rent.id) == rent
