"""A model on GPUs of your own: whole replicas that follow the load, rented, committed, spot or bought.

The time of a request comes from the calibrated roofline, the number of replicas from the load-duration curve of the
workload and a queue; utilisation is what comes out. Idle hours are a line of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from costmodel.choices.purchases import Line, Traffic, cite, labour, upkeep
from costmodel.choices.requests import Call
from costmodel.choices.schedule import (
    Schedule,
    _from_month_1,
    level_of,
    monthly,
    once,
    path,
    scaled,
    steady,
)
from costmodel.choices.servings.api import Api, cache_schedules, over_window
from costmodel.choices.servings.owned import Owned
from costmodel.choices.terms import STEADY, Terms
from costmodel.choices.workload import Workload
from costmodel.core.checks import LEAST_DIVISOR, of_kind, require, validate
from costmodel.core.errors import CatalogError, check, unknown
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import (
    GB,
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    SECONDS_PER_HOUR,
    WORKING_HOURS_PER_MONTH,
    WORKING_HOURS_PER_WEEK,
)
from costmodel.facts import catalog
from costmodel.laws import queueing as fleet
from costmodel.laws.serving.batching import seconds_per_request
from costmodel.laws.serving.calibration import (
    ENGINES,
    NEEDED,
    OTHER,
    PRECISIONS,
    band,
    kind_of,
    measured_on,
    physics,
    setup_of,
    shape_of,
)
from costmodel.laws.serving.roofline import (
    gpus_that_fit,
    kv_bytes,
    room_bytes,
    sequences_at_once,
    weight_bytes_per_gpu,
)

SCALINGS = ("fixed", "hourly")
SPOT = "spot"
STANDING = ("with_demand", "monthly")  # schedules that size or fill the fleet
OVERFLOW = "overflow: "


@public
@dataclass(frozen=True)
class Fleet:
    """How the number of replicas follows the load.

    `scaling="fixed"` keeps what the peak needs all month; "hourly" follows the load of each hour, pays `cold_start_s` for every
    start and keeps `warm_replicas` ready; with `Hosted(replicas_min=0)` the last one sleeps after `keep_warm_s` without a request.
    `spare_replicas=1` is N+1. `wait_share` of the requests may find no free place (5 %: the 95th percentile does not wait),
    `burstiness` is the variance of arrivals over that of a Poisson stream. `deferrable` of the requests can wait for
    the troughs. `cover` below 1 sizes the fleet for that share of the peak, and `Hosted.overflow` answers the rest.
    `committed_replicas` are paid all hours at the rent of the term `commitment`; spot loses `interrupted` of its hours.
    """

    scaling: str = "fixed"
    spare_replicas: Number = 0
    wait_share: Number = 0.05
    burstiness: Number = Range(
        1.0,
        4.0,
        mid=2.0,
        form="amount",
        why="assumption: real traffic is burstier than a Poisson stream (BurstGPT, arXiv:2401.17644); measure yours",
    )
    warm_replicas: Number = 0
    cold_start_s: Number = catalog.practice("hosting.cold_start_s")
    keep_warm_s: Number = 600
    deferrable: Number = 0.0
    cover: Number = 1.0
    committed_replicas: Number = 0
    commitment: str = "reserved_12mo"
    interrupted: Number = Range(
        0.02,
        0.15,
        mid=0.05,
        why="assumption: share of spot hours lost to interruptions, draining and restarts",
    )

    def __post_init__(self) -> None:
        if self.scaling not in SCALINGS:
            raise unknown("scaling", self.scaling, SCALINGS, where="Fleet")
        if self.commitment not in catalog.TERMS:
            raise unknown("commitment", self.commitment, catalog.TERMS, where="Fleet")
        validate(self)
        awake = self.scaling == "fixed" and np.any(
            getattr(self.warm_replicas, "high", self.warm_replicas)
        )
        check(
            not awake,
            f"Fleet.warm_replicas is {self.warm_replicas}, allowed is 0 where scaling is 'fixed' and all replicas stay up; write scaling='hourly'",
        )
        top = max(np.max(getattr(self.interrupted, "high", self.interrupted)), 0)
        check(top < 1, f"Fleet.interrupted is {self.interrupted}, allowed is below 1")


@dataclass(frozen=True)
class Capacity:
    """What a fleet does in a month: numbers, draws (n, 1), or paths over months 0..H."""

    load: Any  # replicas busy in the mean of the active hours, what spills over left out
    peak: Any  # ... in the busiest hour
    replicas: Any  # at the peak, spares and commitment included
    replica_hours: Any  # in a month, up
    busy_hours: Any  # replica-hours in use
    cold_starts: Any  # in a month
    cold_share: Any  # of the requests that wait for a start
    spilled: Any  # share of the requests that overflow
    slots: Any  # sequences that a replica decodes at once

    @property
    def utilisation(self) -> Any:
        """Share of the replica-hours that are in use."""
        return self.busy_hours / np.maximum(self.replica_hours, fleet.ROUNDING)


@public
@dataclass(frozen=True)
class Hosted:
    """An open model on GPUs of your own: whole replicas for the load, paid by the hour whether busy or idle.

    `gpus_per_replica=None` takes the smallest power of two that holds the weights; `batch_max` is how many sequences a replica
    decodes at once, a choice between speed and price (`plan_serving` finds it). `error` is measured over predicted time, an
    80 % Range of what the calibration had not seen; a measured throughput of your own (`requests_per_s` of one replica)
    replaces prediction and error. `load_max` is head room beside queueing. `owned` buys instead of renting, `overflow` is
    an `Api` that answers what the fleet is not sized for. Of tuned `adapters` on one base, each takes `adapter_bytes`
    and the mixed batch costs `adapter_slowdown`. `PromptCache` keeps the prefix in GPU memory for its time to live.
    """

    model: catalog.Model | str
    gpu: catalog.Gpu | str = "H100-SXM"
    precision: str = "fp8"
    kv_precision: str | None = None
    engine: str = "vllm"
    channel: str = "neocloud"
    term: str = "on_demand"
    rent: catalog.Rent | None = None
    commitment: catalog.Rent | None = None
    owned: Owned | None = None
    overflow: Any = None
    gpus_per_replica: int | None = None
    replicas_min: Number = 1
    load_max: Number = Range(
        0.7,
        0.95,
        mid=0.85,
        why="assumption: share of capacity planned for beside queueing; forecast error, releases, long prompts",
    )
    batch_max: Number = 64
    error: Number | None = None
    requests_per_s: Number | None = None
    fleet: Fleet = field(default_factory=Fleet)
    adapters: Number = 0
    adapter_bytes: Number = 2e8
    adapter_slowdown: Number = Range(
        0.02,
        0.25,
        mid=0.1,
        why="assumption: adapters of many tenants in one batch; engines report a few to 25 %",
    )
    residency_uplift: Number = 1.0
    build_weeks: Number = catalog.practice("hosting.build_weeks")
    upkeep_fte: Number = catalog.practice("hosting.maintenance_fte")
    on_call_hours_per_month: Number = 0.0
    accepted: Number | None = None

    def __post_init__(self) -> None:
        for name in ("precision", "kv_precision"):
            value = getattr(self, name)
            check(
                value in PRECISIONS or (value is None and name == "kv_precision"),
                f"Hosted.{name} is {value!r}, allowed are {', '.join(PRECISIONS)}",
            )
        for name, kind, empty in (
            ("fleet", Fleet, False),
            ("owned", Owned, True),
            ("overflow", Api, True),
            ("rent", catalog.Rent, True),
            ("commitment", catalog.Rent, True),
        ):
            value = getattr(self, name)
            if not (empty and value is None):
                of_kind(f"Hosted.{name}", value, kind)
        if self.engine not in (*ENGINES, OTHER):
            raise unknown("engine", self.engine, (*ENGINES, OTHER), where="Hosted")
        if not isinstance(self.model, catalog.Model):
            object.__setattr__(self, "model", catalog.model(self.model))
        if not isinstance(self.gpu, catalog.Gpu):
            object.__setattr__(self, "gpu", catalog.gpu(self.gpu))
        for name in NEEDED:
            if getattr(self.model, name) is None:
                raise CatalogError(
                    f"the {name} of {self.model.id!r} are not published, so it cannot be sized; choose another model"
                )
        self._rents()
        if self.error is None or getattr(self.error, "source", "") == "serving-fit":
            models, gpus = measured_on()
            unseen_gpu = self.gpu.id not in gpus or self.engine == OTHER
            object.__setattr__(
                self,
                "error",
                band(
                    "tpot_ratio",
                    kind_of(self.model, self.precision),
                    unseen_gpu,
                    self.model.id not in models,
                ),
            )
        least = getattr(self.fleet.cover, "low", self.fleet.cover)
        check(
            self.overflow is not None or np.all(np.asarray(least) >= 1),
            f"Fleet.cover is {self.fleet.cover}: a fleet below its peak needs overflow=Api(...)",
        )
        require("Hosted.error", self.error, low=LEAST_DIVISOR)
        validate(self, optional=("accepted", "requests_per_s", "gpus_per_replica"))
        for rent in (self.rent, self.commitment):
            if rent is not None:
                check(
                    rent.gpu == self.gpu.id,
                    f"Hosted: the rent {rent.id!r} is that of a {rent.gpu}, but the GPU is a {self.gpu.id}; give rent= or commitment= of that GPU",
                )
                require(f"Hosted: the rent {rent.id!r}", rent.usd_per_gpu_hour)

    def _rents(self) -> None:
        """The rents of this GPU, unless they are your own; an owned GPU needs none."""
        if self.owned is not None:
            object.__setattr__(self, "owned", self.owned.of(self.gpu))
        committed = np.any(
            getattr(self.fleet.committed_replicas, "high", self.fleet.committed_replicas)
        )
        for name, term, needed in (
            ("rent", self.term, self.owned is None),
            *((("commitment", self.fleet.commitment, True),) if committed else ()),
        ):
            given, wanted = getattr(self, name), (self.gpu.id, self.channel, term)
            needed = (
                needed or ".".join(wanted) in catalog.rents()
            )  # owned GPUs stand, but jobs beside them may rent
            if needed and (
                given is None
                or (_is_listed(given) and (given.gpu, given.channel, given.term) != wanted)
            ):
                object.__setattr__(self, name, catalog.rent(*wanted))

    # -- what fits, and how fast -----------------------------------------------------------------------

    @property
    def where(self) -> str:
        """On which GPUs it runs, for readers."""
        return (
            f"own {self.gpu.id}, {self.precision}"
            + (", bought" if self.owned is not None else "")
            + (" + " + self.overflow.where if self.overflow else "")
        )

    @property
    def window(self) -> Any:
        return self.model.window

    @property
    def gpus(self) -> Any:
        """GPUs of one replica: as given, or the smallest power of two that holds the weights."""
        return self._sized[1].gpus

    @property
    def _adapters(self) -> Any:
        return self.adapters * self.adapter_bytes

    @property
    def _sized(self) -> tuple[Any, Any, Any]:
        """Shape, setup and physics of one replica, computed once."""
        if "_memo" not in self.__dict__:
            s, p = shape_of(self.model), physics(self.engine)
            one = setup_of(self.gpu, self.precision, self.kv_precision, bool(self.model.experts), 1)
            gpus = self.gpus_per_replica
            if gpus is None:
                room = self.gpu.memory - p.reserve_bytes / p.memory_usable
                gpus = gpus_that_fit(
                    weight_bytes_per_gpu(s, one) + self._adapters, room, p.memory_usable
                )
            self.__dict__["_memo"] = (s, replace(one, tensor_parallel=gpus), p)
        return self.__dict__["_memo"]

    def limits(self, call: Call) -> Iterator[tuple[Any, str]]:
        """What can stop a call: the window, the weights, the key-value cache of one request."""
        yield from over_window(self, call)
        s, u, p = self._sized
        room = (room_bytes(s, u, p) * u.gpus - self._adapters) / GB
        place = f"{self.gpus_per_replica or 'the smallest set of'} x {self.gpu.id}"
        yield (
            -room,
            f"{self.model.id} in {self.precision} does not fit {place}: the weights are {{over:.1f}} GB over the usable memory",
        )
        kv = (
            kv_bytes(s, u, call.prompt_tokens + call.output_tokens + call.reasoning_tokens)
            * u.gpus
            / GB
        )
        yield (
            kv - room,
            f"one request does not fit {place} beside {self.model.id}: its key-value cache is {{over:.1f}} GB over the usable memory",
        )

    def seconds_per_call(self, call: Call, cached: Any = 0.0) -> Any:
        """Time of a whole replica that one call takes at the planned batch [s]; `cached` tokens of its prompt are there already."""
        if self.requests_per_s is not None:
            return 1.0 / self.requests_per_s
        s, u, p = self._sized
        output = call.output_tokens + call.reasoning_tokens
        seconds = (
            seconds_per_request(s, u, p, call.prompt_tokens, output, self.batch_max, cached)
            * self.error
        )
        return seconds * (1 + self.adapter_slowdown) if np.any(self.adapters) else seconds

    def at_once(self, call: Call) -> Any:
        """Sequences of a call that a replica decodes at once: the planned batch, or what its memory holds."""
        if self.requests_per_s is not None:
            return self.batch_max
        own_tokens = call.prompt_tokens - (call.stable_tokens if call.cache is not None else 0.0)
        held = sequences_at_once(
            *self._sized, own_tokens + call.output_tokens + call.reasoning_tokens
        )
        return np.clip(held, 1.0, self.batch_max)

    # -- how many --------------------------------------------------------------------------------------

    def uses(
        self, traffic: list[Traffic], work: Workload, terms: Terms
    ) -> list[tuple[Traffic, Schedule, Any]]:
        """(traffic, when, seconds of a replica per call); a cached prefix is read in some calls and computed in the others."""
        found, known = [], dict[int, Any]()  # many purchases make the same call
        for t in traffic:
            if t.call.cache is None or self.requests_per_s is not None:
                if id(t.call) not in known:
                    known[id(t.call)] = self.seconds_per_call(t.call)
                found.append((t, t.schedule, known[id(t.call)]))
                continue
            read, write = cache_schedules(t, work, terms)
            held = replace(
                t, item=f"{t.item}, prefix held"
            )  # engines hold any prefix, in blocks of 16 tokens
            found += [
                (held, read, self.seconds_per_call(t.call, t.call.stable_tokens)),
                (t, write, self.seconds_per_call(t.call)),
            ]
        return found

    def capacity(
        self, uses: list[tuple[Traffic, Schedule, Any]], work: Workload, terms: Terms
    ) -> Capacity:
        """Replicas and their hours in a month, from the load of everything that comes with demand or every month.

        Jobs of single months (an index, teacher labels) are rented by the hour on top and do not size the fleet.
        """
        load: Any = 0.0  # of production, in the mean of the active hours
        arrivals: Any = 0.0
        slots: Any = self.batch_max
        beside: Any = 0.0  # replica-hours of evaluation and monitoring, which fill idle hours
        for t, when, seconds in uses:
            if t.schedule.kind not in STANDING:
                continue
            level = level_of(when, work, terms)
            if t.schedule.kind == "with_demand":
                load = load + work.arrivals_per_s(t.count) * seconds * level
                arrivals = arrivals + work.arrivals_per_s(t.count) * level
                slots = np.minimum(slots, self.at_once(t.call))
            else:
                beside = beside + t.count * seconds / SECONDS_PER_HOUR * level
        f, peak_to_average = self.fleet, work.peak_to_average
        active = work.active_hours_per_month / HOURS_PER_MONTH
        prompt = load * (1 - f.deferrable)
        top = prompt * peak_to_average * f.cover
        base = self._needed(
            np.maximum(
                top, (prompt + load * f.deferrable) * active if np.any(f.deferrable) else 0.0
            ),
            slots,
        )
        replicas = np.maximum(base + f.spare_replicas, f.committed_replicas) * (
            np.asarray(load) > 0
        )
        spilled: Any = 0.0
        if self.overflow is not None and np.any(np.asarray(f.cover) < 1):
            reach = np.clip(
                base * self.load_max / np.maximum(prompt * peak_to_average, fleet.ROUNDING),
                f.cover,
                1.0,
            )
            spilled = fleet.share_above(reach, peak_to_average) * (1 - f.deferrable)
        busy = load * (1 - spilled) * work.active_hours_per_month + beside
        if f.scaling == "fixed":
            return Capacity(
                load * (1 - spilled),
                np.minimum(top, prompt * peak_to_average),
                replicas,
                replicas * HOURS_PER_MONTH,
                busy,
                0.0,
                0.0,
                spilled,
                slots,
            )
        up, cold, starts = 0.0, 0.0, 0.0
        ready = f.spare_replicas + f.warm_replicas
        last = np.asarray(self.replicas_min) < 1  # the last replica may sleep
        for level in fleet.duration_curve(peak_to_average):
            count = self.up(np.minimum(prompt * level, top), slots, replicas)
            share = np.where(last & (count <= 1), fleet.awake(arrivals * level, f.keep_warm_s), 1.0)
            up = up + active * np.maximum(count * share, f.committed_replicas) / fleet.LEVELS
            cold = cold + (1 - share) * level / fleet.LEVELS
            starts = (
                starts
                + (1 - share)
                * arrivals
                * level
                * work.active_hours_per_month
                * SECONDS_PER_HOUR
                / fleet.LEVELS
            )
        night = np.maximum(
            np.minimum(self.replicas_min + np.where(last, 0.0, ready), replicas),
            f.committed_replicas,
        )
        starts = starts + (replicas - night) * HOURS_PER_MONTH / HOURS_PER_DAY
        hours = (
            up + (1 - active) * night
        ) * HOURS_PER_MONTH + starts * f.cold_start_s / SECONDS_PER_HOUR
        return Capacity(
            load * (1 - spilled),
            top,
            replicas,
            np.maximum(hours, busy),
            busy,
            starts,
            cold,
            spilled,
            slots,
        )

    def _needed(self, load: Any, slots: Any) -> Any:
        f = self.fleet
        return fleet.replicas_needed(
            load,
            slots,
            self.load_max,
            fleet.staffing_margin(f.wait_share),
            f.burstiness,
            self.replicas_min,
        )

    def up(self, load: Any, slots: Any, most: Any) -> Any:
        """Replicas that are up at a load, spares and warm ones included, where they follow it."""
        return np.minimum(
            self._needed(load, slots) + self.fleet.spare_replicas + self.fleet.warm_replicas, most
        )

    # -- what it costs ---------------------------------------------------------------------------------

    def price(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Iterator[Line]:
        """GPU hours by use, the idle hours apart, what is lost, committed, bought or spilled over, and the people."""
        usd, cites = self.usd_per_gpu_hour()
        uses = self.uses(traffic, work, terms)
        made = self.capacity(uses, work, terms)
        kept = 1 - made.spilled
        for t, when, seconds in uses:
            hours = t.count * seconds / SECONDS_PER_HOUR * self.gpus
            hours, when = (
                (hours, when)
                if t.schedule.kind != "with_demand"
                else scaled(hours, when, kept, work, terms)
            )
            yield Line(
                f"{t.item}: GPU hours in use",
                t.phase,
                hours,
                "GPU-hour",
                usd,
                when,
                self._trend,
                basis="calls x seconds of a replica per call x GPUs per replica",
                cites=(*cites, *self._time()),
            )
        if not np.any(np.asarray(made.replicas) > 0):
            return
        hours = made.replica_hours * self.gpus
        idle = np.maximum(hours - made.busy_hours * self.gpus, 0.0)
        yield self._monthly(
            "GPU hours idle",
            "serving",
            idle,
            "GPU-hour",
            usd,
            self._trend,
            "hours of whole replicas - hours in use",
            (*cites, *cite(self, "load_max"), "Workload.peak_to_average"),
        )
        yield from self._terms_of_rent(made, hours, usd, cites)
        if self.owned is not None:
            yield from self._bought(made, terms)
        if np.any(made.spilled):
            yield from self._spilled(traffic, made, work, terms)
        yield labour(
            "set up serving",
            self.build_weeks * WORKING_HOURS_PER_WEEK,
            terms.people.engineer,
            once(),
            "build",
            "{build_weeks} engineer-weeks x 40 h x {usd_per_hour}/h",
            cite(self, "build_weeks"),
        )
        yield upkeep("keep serving running", self, terms.people.engineer)
        if np.any(self.on_call_hours_per_month):
            yield labour(
                "engineers on call",
                self.on_call_hours_per_month,
                terms.people.engineer,
                monthly(),
                "maintenance",
                "{on_call_hours_per_month} hours a month x {usd_per_hour}/h",
                cite(self, "on_call_hours_per_month"),
            )

    def usd_per_gpu_hour(self) -> tuple[Any, tuple[str, ...]]:
        """Price of a GPU-hour; of owned GPUs their power only, because the servers are lines of their own."""
        if self.owned is not None:
            return self.owned.power_usd_per_gpu_hour() * self.residency_uplift, cite(
                self.owned, "it_watts", "pue", "usd_per_kwh"
            )
        return self.rent.usd_per_gpu_hour * self.residency_uplift, cite(
            self.rent, "usd_per_gpu_hour"
        )  # type: ignore[union-attr]

    def usd_per_month(self, replicas: Any, replica_hours: Any) -> Any:
        """What GPUs cost in a month: rent with its commitment and what spot loses; or power, and housing and wear of the bought ones."""
        usd, committed = self.usd_per_gpu_hour()[0], self.fleet.committed_replicas
        if self.owned is not None:
            return self.gpus * (
                replica_hours * usd
                + replicas * HOURS_PER_MONTH * self.owned.standing_usd_per_gpu_hour()
            )
        flexible: Any = np.maximum(replica_hours - committed * HOURS_PER_MONTH, 0.0)
        if self.rent.term == SPOT:  # type: ignore[union-attr]
            flexible = fleet.with_losses(flexible, self.fleet.interrupted)
        signed = (
            committed * HOURS_PER_MONTH * self.commitment.usd_per_gpu_hour * self.residency_uplift
            if np.any(committed)
            else 0.0
        )  # type: ignore[union-attr]
        return self.gpus * (flexible * usd + signed)

    @property
    def _trend(self) -> str:
        """Rent follows GPU prices; power and housing of owned GPUs do not."""
        return "gpu" if self.owned is None else "service"

    def _time(self) -> tuple[str, ...]:
        if self.requests_per_s is not None:
            return cite(self, "requests_per_s")
        return (
            *cite(self, "error", "batch_max"),
            *cite(self.model, "parameters"),
            *cite(self.gpu, "bandwidth", "memory"),
        )

    def _monthly(
        self,
        item: str,
        phase: str,
        quantity: Any,
        unit: str,
        usd: Any,
        trend: str,
        basis: str,
        cites: tuple[str, ...],
    ) -> Line:
        """A line of every month: steady, or along a path over months 0..H."""
        each, when = (quantity, monthly()) if steady(quantity) else (1.0, _from_month_1(quantity))
        return Line(item, phase, each, unit, usd, when, trend, basis=basis, cites=cites)

    def _terms_of_rent(
        self, made: Capacity, hours: Any, usd: Any, cites: tuple[str, ...]
    ) -> Iterator[Line]:
        """What a commitment saves on its hours, and what spot loses on the others."""
        fixed = self.fleet.committed_replicas * HOURS_PER_MONTH * self.gpus
        if np.any(self.fleet.committed_replicas):
            basis, signed = (
                "{committed_replicas} replicas x hours of a month at the price ",
                cite(self.fleet, "committed_replicas"),
            )
            yield Line(
                "GPU hours under the commitment",
                "serving",
                fixed,
                "GPU-hour",
                self.commitment.usd_per_gpu_hour * self.residency_uplift,
                monthly(),
                STEADY,
                basis=basis + "of the commitment",
                cites=(*signed, *cite(self.commitment, "usd_per_gpu_hour")),
            )
            yield Line(
                "the same hours without it, not paid",
                "serving",
                -fixed,
                "GPU-hour",
                usd,
                monthly(),
                "gpu",
                basis=basis + "above",
                cites=(*signed, *cites),
            )
        if self.owned is None and self.rent.term == SPOT:  # type: ignore[union-attr]
            flexible = np.maximum(hours - fixed, 0.0)
            yield self._monthly(
                "GPU hours lost to interruptions",
                "serving",
                fleet.with_losses(flexible, self.fleet.interrupted) - flexible,
                "GPU-hour",
                usd,
                "gpu",
                "spot hours x {interrupted} / (1 - {interrupted})",
                (*cites, *cite(self.fleet, "interrupted")),
            )

    def _bought(self, made: Capacity, terms: Terms) -> Iterator[Line]:
        """Servers when they are needed and again when they are worn, their housing and hands, and what they fetch at the end."""
        own: Any = self.owned
        need = np.ceil(made.replicas * self.gpus / own.gpus_per_server - fleet.ROUNDING)
        held: Any = need  # by month, where the load is not steady: what a month needs is bought at the end of the month before
        bought: Any = need * (np.arange(terms.months + 1) == 0)
        if not steady(need):
            held = np.maximum.accumulate(need, axis=-1)
            held = np.concatenate([held[..., 1:2], held[..., 1:]], axis=-1)
            bought = np.diff(
                np.concatenate(
                    [np.zeros_like(held[..., :1]), held[..., 1:], held[..., -1:]], axis=-1
                ),
                axis=-1,
            )
        worn = own.replaced(terms.months)  # by age
        due = np.flatnonzero(worn.reshape(-1, terms.months + 1).any(axis=0))
        again, resold = (
            np.zeros(np.broadcast_shapes(bought.shape, worn.shape)),
            0.0,
        )  # each server after its own life, and at its own age
        for month in np.flatnonzero(bought.reshape(-1, terms.months + 1).any(axis=0)):
            count = bought[month] if bought.ndim == 1 else bought[:, month : month + 1]
            left = terms.months - month
            if due.size and due[0] < left:
                again[..., month:-1] += count * worn[..., :left]
            resold = resold + count * own.resale(own.age(left))
        price, cites = (
            own.server_usd(),
            cite(own, "gpus_per_server", "capex_usd", "server_overhead"),
        )
        aged = (*cites, *cite(own, "residual", "life_months"))
        yield Line(
            "servers",
            "build",
            need if steady(need) else 1.0,
            "server",
            price,
            once() if steady(need) else path(bought),
            "gpu",
            "capex",
            "whole servers x {gpus_per_server} GPUs x {capex_usd} x {server_overhead}",
            cites,
        )
        if np.any(again):
            yield Line(
                "servers replaced",
                "build",
                1.0,
                "server",
                price * (1 - own.resale(own.life_months)),
                path(again),
                "gpu",
                "capex",
                "servers after {life_months} months x (price - what the old ones fetch)",
                aged,
            )
        yield Line(
            "servers sold",
            "retirement",
            -resold,
            "new server",
            price,
            once(terms.months),
            STEADY,
            "capex",
            "servers x price x {residual} ^ (age in months / 36)",
            aged,
        )
        yield self._monthly(
            "housing of the servers",
            "serving",
            held,
            "server",
            own.housing_usd_per_month(),
            "service",
            "whole servers x {gpus_per_server} GPUs x {it_watts} W x {usd_per_kw_month} a kW",
            cite(own, "gpus_per_server", "it_watts", "usd_per_kw_month"),
        )
        yield labour(
            "rack and burn in the servers",
            own.setup_weeks * WORKING_HOURS_PER_WEEK,
            terms.people.engineer,
            once(),
            "build",
            "{setup_weeks} engineer-weeks x 40 h x {usd_per_hour}/h",
            cite(own, "setup_weeks"),
        )
        hands = own.operations_fte_per_server * WORKING_HOURS_PER_MONTH
        yield labour(
            "hands on servers",
            hands * (held if steady(need) else 1.0),
            terms.people.engineer,
            monthly() if steady(need) else _from_month_1(held),
            "maintenance",
            "{operations_fte_per_server} of an engineer for each server",
            cite(own, "operations_fte_per_server"),
        )

    def _spilled(
        self, traffic: list[Traffic], made: Capacity, work: Workload, terms: Terms
    ) -> Iterator[Line]:
        over = []
        for t in traffic:
            if t.schedule.kind == "with_demand":
                count, when = scaled(t.count, t.schedule, made.spilled, work, terms)
                over.append(
                    replace(
                        t,
                        count=count,
                        schedule=when,
                        basis="calls beyond {cover} of the peak x tokens of one call at the list price",
                        cites=cite(self.fleet, "cover"),
                    )
                )
        for line in self.overflow.price(over, work, terms):  # type: ignore[union-attr]
            yield replace(line, item=OVERFLOW + line.item)


def _is_listed(rent: catalog.Rent) -> bool:
    """Whether a rent is the catalogue's: then another GPU, channel or term takes its own."""
    return catalog.rents().get(rent.id) == rent
