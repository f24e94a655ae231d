"""A model on GPUs of your own: whole replicas, rented, committed, spot or bought.

The time of a request comes from the calibrated roofline, the number of replicas from `capacity`.
Utilisation comes out: idle hours are a line of their own.
"""

from __future__ import annotations

from dataclasses import field, replace
from functools import cached_property
from typing import Any

import numpy as np

from costmodel.choices.effort import BUILD, PLATFORM, usual
from costmodel.choices.purchases import Cites, Lines, Traffic, cite
from costmodel.choices.quality.accepted import describe_model
from costmodel.choices.requests import Call, Limits
from costmodel.choices.schedule import STANDING, level_of
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.calls import Uses, by_prefix, over_window
from costmodel.choices.servings.capacity import Capacity, Fleet, Load, capacity_for
from costmodel.choices.servings.fields import Gpu, Id, Model, Rent
from costmodel.choices.servings.hours import SPOT, hours_in_use, hours_standing
from costmodel.choices.servings.owned import Owned
from costmodel.choices.servings.people import people_of
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    GB,
    HOURS_PER_MONTH,
    LEAST_DIVISOR,
    SECONDS_PER_HOUR,
    Number,
    check,
    check_known,
    frozen,
    middle,
    of_kind,
    require,
    validate,
)
from costmodel.facts import catalog
from costmodel.facts.catalog import practice
from costmodel.laws import queueing
from costmodel.laws.serving.batching import NO_DRAFT, first_token_late_s, seconds_per_request
from costmodel.laws.serving.calibration import (
    ENGINES,
    OTHER,
    PRECISIONS,
    STACKS,
    band,
    check_engine,
    check_sized,
    fitted,
    kind_of,
    one_gpu,
    unseen_of,
)
from costmodel.laws.serving.instance import (
    Instance,
    gpus_that_fit,
    kv_bytes,
    room_bytes,
    sequences_at_once,
    weight_bytes_per_gpu,
)


@frozen
class Hosted:
    """An open model on GPUs of your own: no price per token, but hours paid busy or idle.

    Parameters
    ----------
    model, gpu : str
        Ids of the catalogue, or records.
    precision, kv_precision : {"bf16", "fp8", "fp4", ...}
        Of the weights, and of the key-value cache (None: as the weights allow).
    engine, stack, memory_share
        Serving engine, how well it is set up, and the share of memory that it takes (None: that of
        the stack), as in `predict_serving`.
    prefill : {"together", "apart"}
        "apart": large fleets have replicas of their own that read prompts.
    draft_tokens, draft_accepted, draft_cost : number
        Tokens that a draft proposes, the chance that one is kept, its cost [share of a step].
    channel, term : str
        Who rents the GPU and for how long.
    rent, owned : Rent and Owned, optional
        A rent of your own [USD/GPU-hour], or servers that are bought instead.
    overflow : Api, optional
        Answers the load for which the fleet is not sized (see `Fleet.cover`).
    gpus_per_replica : int, optional
        None takes the smallest power of two that holds the weights.
    load_max : number, share
        Share of the capacity that is planned for, beside queueing.
    batch_max : number
        Sequences that a replica decodes at once, a choice between speed and price (`plan_serving`
        finds it).
    error, first_token_error : number, x, optional
        Measured over predicted time, and that of the first token. None is the 80 % band of a server
        that nobody has published; of the first token it is your `error` where you give one.
    requests_per_s : number, optional
        Your own measured throughput of one replica, which replaces prediction and error.
    fleet : Fleet
        How the replicas follow the load.
    adapters, adapter_bytes, adapter_slowdown : number
        Tuned adapters on one base, the memory of one [byte], and how much longer a mixed batch
        takes [share].
    accepted : number, share, optional
        Share of answers accepted with plain instructions, without techniques and documents; None:
        it follows from the task and the capability of the model.
    capability : number, index, optional
        Published index of the model, above 0 and below 70; None: `cm.knowledge.capability_of`.
    log_odds_model : number or Range [log-odds], optional
        What the model has of its own on a task; the same for all options with these weights.
    reader : id or record, optional
        How it reads long prompts: "frontier", "strong" or "small"; None: by its capability.
    commitment : Rent, optional
        Price of the replicas that are committed; None is that of the catalogue for the term of
        the fleet.
    replicas_min : number, at least 0
        The fewest replicas that are kept.
    residency_uplift : number, x
        Price in the region where data stays over the list price.
    build_weeks, upkeep_fte : number, at least 0
        Weeks of an engineer before the first answer, and the engineers who keep GPUs running. What
        nobody gives holds up to 8 GPUs and grows with the log of their number.
    upkeep_fte_fleet : number, at least 0
        Engineers who keep 24 GPUs running, where `upkeep_fte` is not given.
    on_call_hours_per_month : number, hour/month, optional
        Paid hours of engineers on call; None is the rota and the incidents of the tier.

    Raises
    ------
    CatalogError
        For an unknown model, GPU, engine or rent, and for a model whose architecture is not
        published.
    ValueError
        When a field is outside its range, a rent is that of another GPU, or a fleet below its peak
        has no overflow.

    Examples
    --------
    >>> import costmodel as cm
    >>> int(cm.Hosted("llama-3.1-70b", gpu="H100-SXM", precision="bf16").gpus)
    4
    """

    # -- model and machine
    model: Model
    gpu: Gpu = "H100-SXM"
    precision: str = "fp8"
    kv_precision: str | None = None
    engine: str = "vllm"
    stack: str = "tuned"
    memory_share: Number | None = None
    prefill: str = "together"
    # -- ways to pay
    channel: str = "neocloud"
    term: str = "on_demand"
    rent: Rent = None
    commitment: Rent = None
    owned: Owned | None = None
    overflow: Any = None
    # -- size of a replica and of the fleet
    gpus_per_replica: int | None = None
    replicas_min: Number = 1
    load_max: Number = practice("Hosted.load_max")
    # -- speed
    batch_max: Number = 64
    error: Number | None = None
    first_token_error: Number | None = None
    requests_per_s: Number | None = None
    draft_tokens: Number = 0
    draft_accepted: Number = practice("Hosted.draft_accepted")
    draft_cost: Number = practice("Hosted.draft_cost")
    fleet: Fleet = field(default_factory=Fleet)
    # -- adapters
    adapters: Number = 0
    adapter_bytes: Number = 2e8
    adapter_slowdown: Number = practice("Hosted.adapter_slowdown")
    # -- surcharge and people
    residency_uplift: Number = 1.0
    build_weeks: Number = usual("hosting.build_weeks", BUILD)
    upkeep_fte: Number = usual("hosting.maintenance_fte", PLATFORM)
    upkeep_fte_fleet: Number = usual("hosting_fleet.maintenance_fte", PLATFORM)
    on_call_hours_per_month: Number | None = None
    # -- quality
    accepted: Number | None = None
    capability: Number | None = None
    log_odds_model: Number | None = None
    reader: catalog.Reader | Id | None = None

    def __post_init__(self) -> None:
        kept = self.kv_precision or self.precision
        check_known("kv_precision", kept, PRECISIONS, where="Hosted")
        of_kind("Hosted.fleet", self.fleet, Fleet)
        kinds = {"owned": Owned, "overflow": Api, "rent": catalog.Rent, "commitment": catalog.Rent}
        for name, kind in kinds.items():
            if getattr(self, name) is not None:
                of_kind(f"Hosted.{name}", getattr(self, name), kind)
        words = {"stack": STACKS, "prefill": ("together", "apart"), "precision": PRECISIONS}
        for name, known in (words | {"engine": (*ENGINES, OTHER)}).items():
            check_known(name, getattr(self, name), known, where="Hosted")
        if not isinstance(self.model, catalog.Model):
            object.__setattr__(self, "model", catalog.model(self.model))
        if not isinstance(self.gpu, catalog.Gpu):
            object.__setattr__(self, "gpu", catalog.gpu(self.gpu))
        check_sized(self.model)
        check_engine(self.engine, self.gpu)
        self._find_prices()
        self._find_errors()
        describe_model(self)
        validate(self)
        cover: Any = self.fleet.cover
        least: Any = getattr(cover, "low", cover)
        check(
            self.overflow is not None or np.min(least) >= 1,
            f"Fleet.cover is {cover}: a fleet below its peak needs overflow=Api(...)",
        )

    def _find_errors(self) -> None:
        """Fill in the bands of the calibration, unless the errors are your own."""
        unseen = unseen_of(self.model, self.gpu, self.engine, self.precision)
        place = kind_of(self.model, self.precision), *unseen, "unseen_source"  # one's own
        own = not fitted(self.error)
        for name, metric in (("error", "tpot_ratio"), ("first_token_error", "ttft_ratio")):
            if fitted(getattr(self, name)):
                how = {"stack": self.stack, "engine": self.engine}
                made = None if own else band(metric, *place, **how)
                object.__setattr__(self, name, made)
        require("Hosted.error", self.error, low=LEAST_DIVISOR)

    def _find_prices(self) -> None:
        """Fill in the rents or the purchase price of this GPU, unless they are your own."""
        if self.owned is not None:
            object.__setattr__(self, "owned", self.owned.of(self.gpu))
        committed = self.fleet.committed_replicas
        terms = {"rent": self.term}
        if np.any(getattr(committed, "high", committed)):
            terms["commitment"] = self.fleet.commitment
        known = catalog.rents()
        for name, term in terms.items():
            rent, wanted = getattr(self, name), (self.gpu.id, self.channel, term)
            from_catalogue = rent is None or known.get(rent.id) == rent
            # bought GPUs pay no rent, but jobs beside them may
            needed = self.owned is None or name != "rent" or ".".join(wanted) in known
            if from_catalogue and needed:
                object.__setattr__(self, name, catalog.rent(*wanted))
        for rent in (self.rent, self.commitment):
            if rent is not None:
                check(
                    rent.gpu == self.gpu.id,
                    f"Hosted: the rent {rent.id!r} is that of a {rent.gpu}, but the GPU is a "
                    f"{self.gpu.id}; give rent= or commitment= of that GPU",
                )
                require(f"Hosted: the rent {rent.id!r}", rent.usd_per_gpu_hour)

    @property
    def _draft(self) -> tuple[Any, Any, Any]:
        draft = self.draft_tokens, self.draft_accepted, self.draft_cost
        return draft if np.any(self.draft_tokens) else NO_DRAFT

    # -- what fits, and how fast -------------------------------------------------------------------

    @property
    def where(self) -> str:
        """On which GPUs it runs, for readers."""
        more = ", bought" if self.owned is not None else ""
        more += f" + {self.overflow.where}" if self.overflow else ""
        return f"own {self.gpu.id}, {self.precision}{more}"

    @property
    def window(self) -> Any:
        """Context window [token]."""
        return self.model.window

    @property
    def gpus(self) -> Any:
        """GPUs of one replica: as given, or the smallest power of two that holds the weights."""
        return self._replica.gpus

    @cached_property
    def _replica(self) -> Instance:
        """The model on the GPUs of a replica, with the physics of the engine."""
        how = self.precision, self.kv_precision, self.engine, self.stack
        one = one_gpu(self.model, self.gpu, *how)
        if self.memory_share is not None:
            one = replace(one, memory_share=self.memory_share)
        gpus = self.gpus_per_replica
        if gpus is None:
            held = weight_bytes_per_gpu(one) + self.adapters * self.adapter_bytes
            gpus = gpus_that_fit(held, room_bytes(one) + weight_bytes_per_gpu(one), 1.0)
        return replace(one, tensor_parallel=gpus)

    def limits(self, call: Call) -> Limits:
        """What can stop a call: the window, the weights, the key-value cache of one request."""
        yield from over_window(self, call)
        replica = self._replica
        room = room_bytes(replica) * replica.gpus - self.adapters * self.adapter_bytes
        room = room / GB
        place = f"{self.gpus_per_replica or 'the smallest set of'} x {self.gpu.id}"
        yield (
            -room,
            f"{self.model.id} in {self.precision} does not fit {place}: "
            "the weights are {over:.1f} GB over the usable memory",
        )
        yield (
            kv_bytes(replica, call.tokens) * replica.gpus / GB - room,
            f"one request does not fit {place} beside {self.model.id}: "
            "its key-value cache is {over:.1f} GB over the usable memory",
        )

    def seconds_per_call(self, call: Call, cached: Any = 0.0) -> Any:
        """Time of a whole replica for one call [s]; `cached` tokens of its prompt are there."""
        if self.requests_per_s is not None:
            return 1.0 / self.requests_per_s
        tokens = call.prompt_tokens, call.generated_tokens
        how = self.batch_max, cached, self._draft, self.prefill == "apart"
        seconds = self.error * seconds_per_request(self._replica, *tokens, *how)
        return seconds * (1 + self.adapter_slowdown) if np.any(self.adapters) else seconds

    def at_once(self, call: Call) -> Any:
        """Calls that a replica decodes at once: the planned batch, or what its memory holds."""
        if self.requests_per_s is not None:
            return self.batch_max
        shared = call.stable_tokens if call.cache is not None else 0.0
        return np.clip(sequences_at_once(self._replica, call.tokens - shared), 1.0, self.batch_max)

    def waits_s(self, call: Call, hits: Any = 0.0) -> tuple[Any, Any, Any, Any]:
        """First token without and with a prefix that `hits` of calls find, late, later one [s]."""
        tokens = call.prompt_tokens, np.maximum(call.generated_tokens, 1.0)
        draft, apart = self._draft, self.prefill == "apart"
        cached = call.stable_tokens if call.cache is not None else 0.0
        *first, later = first_token_late_s(
            self._replica, *tokens, self.batch_max, draft, apart, cached=cached, hits=hits
        )
        slower = 1 + self.adapter_slowdown * (self.adapters > 0)
        error = self.error if self.first_token_error is None else self.first_token_error
        cold, warm, late = (seconds * error * slower for seconds in first)
        return cold, warm, late, later * self.error * slower

    # -- how many ----------------------------------------------------------------------------------

    def uses(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Uses:
        """(traffic, when, seconds of a replica per call), with and without a cached prefix."""
        if self.requests_per_s is not None:
            return [(t, t.schedule, self.seconds_per_call(t.call)) for t in traffic]
        # engines hold any prefix, in blocks of 16 tokens
        return by_prefix(traffic, work, terms, self.seconds_per_call, ", prefix held")

    def capacity(self, uses: Uses, work: Workload, terms: Terms) -> Capacity:
        """Replicas and their hours, for all that comes with demand or every month.

        Jobs of single months (an index, teacher labels) are rented by the hour on top and do not
        size the fleet.
        """
        busy: Any = 0.0
        arrivals: Any = 0.0
        beside: Any = 0.0
        slots: Any = self.batch_max
        for t, when, seconds in uses:
            if t.schedule.kind not in STANDING:
                continue
            level = level_of(when, work, terms)
            if t.follows_demand:
                arrivals = arrivals + work.arrivals_per_s(t.count) * level
                busy = busy + work.arrivals_per_s(t.count) * seconds * level
                slots = np.minimum(slots, self.at_once(t.call))
            else:
                beside = beside + t.count * seconds / SECONDS_PER_HOUR * level
        return capacity_for(self, Load(busy, arrivals, slots, beside), work)

    def replicas_for(self, load: Any, slots: Any) -> Any:
        """Whole replicas for a load, with room for its bursts."""
        plan, margin = self.fleet, queueing.staffing_margin(self.fleet.wait_share)
        least = np.maximum(self.replicas_min, 2) if self.prefill == "apart" else self.replicas_min
        return queueing.replicas_needed(load, slots, self.load_max, margin, plan.burstiness, least)

    def replicas_up(self, load: Any, slots: Any, most: Any) -> Any:
        """Replicas that are up at a load, spares and warm ones included, where they follow it."""
        ready = self.fleet.spare_replicas + self.fleet.warm_replicas
        return np.minimum(self.replicas_for(load, slots) + ready, most)

    # -- what it costs -----------------------------------------------------------------------------

    def price(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Lines:
        """GPU hours, servers, what spills over, and the people."""
        uses = self.uses(traffic, work, terms)
        made = self.capacity(uses, work, terms)
        yield from hours_in_use(self, uses, made, work, terms)
        if not np.any(made.replicas > 0):
            return
        yield from hours_standing(self, made)
        if self.owned is not None:
            yield from self.owned.price(made.replicas * self.gpus, terms)
        if np.any(made.spilled):
            basis = "calls beyond {cover} of the peak x tokens of one call at the list price"
            yield from self.overflow.overflow(traffic, made.spilled, work, terms, basis=basis)
        yield from people_of(self, made.replicas * self.gpus, work, terms)

    def usd_per_gpu_hour(self) -> tuple[Any, Cites]:
        """Price of a GPU-hour [USD] with the fields it cites; of owned GPUs the power only."""
        if self.owned is not None:
            usd, cites = self.owned.power_usd_per_gpu_hour(), ("it_watts", "pue", "usd_per_kwh")
            return usd * self.residency_uplift, cite(self.owned, *cites)
        usd = self.rent.usd_per_gpu_hour * self.residency_uplift
        return usd, cite(self.rent, "usd_per_gpu_hour")

    def usd_per_month(self, replicas: Any, replica_hours: Any) -> Any:
        """What GPUs cost in a month [USD], without people and without what spills over."""
        usd, _ = self.usd_per_gpu_hour()
        if self.owned:
            standing = self.owned.standing_usd_per_gpu_hour() * HOURS_PER_MONTH
            return self.gpus * (replica_hours * usd + replicas * standing)
        committed = self.fleet.committed_replicas * HOURS_PER_MONTH
        flexible: Any = np.maximum(replica_hours - committed, 0.0)
        if self.rent.term == SPOT:
            flexible = queueing.with_losses(flexible, self.fleet.interrupted)
        if not np.any(committed):
            return self.gpus * flexible * usd
        signed = self.signed.usd_per_gpu_hour * self.residency_uplift
        return self.gpus * (flexible * usd + committed * signed)

    @property
    def signed(self) -> Any:
        """The rent of committed replicas; at its middle where a slider commits to the first."""
        how = self.gpu.id, self.channel, self.fleet.commitment
        return middle(catalog.rent(*how)) if self.commitment is None else self.commitment
