"""The fleet behind `Hosted`: whole replicas for a load, their hours, and what spills over.

Loads are counted in replicas kept busy (see `laws.queueing`). What is the same in all months is a
number or draws (n, 1), what is not is a path over months 0..H.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from costmodel.choices.workload import Workload
from costmodel.core import (
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    ROUNDING,
    SECONDS_PER_HOUR,
    Number,
    check,
    check_known,
    frozen,
    validate,
)
from costmodel.facts import catalog
from costmodel.laws import queueing
from costmodel.laws.caching import hit_rate

if TYPE_CHECKING:
    from costmodel.choices.servings.hosted import Hosted

SCALINGS = ("fixed", "hourly")


@frozen
class Fleet:
    """How the number of replicas follows the load, and how their hours are paid.

    Parameters
    ----------
    scaling : {"fixed", "hourly"}
        "fixed" keeps all month what the peak needs. "hourly" follows the load of each hour, and
        pays for every start.
    spare_replicas : number
        Replicas beside those that the load needs; 1 is N+1.
    wait_share : number, share
        Requests that may find no free place; with 0.05 the 95th percentile does not wait.
    burstiness : number, x
        Variance of arrivals over that of a Poisson stream.
    deferrable : number, share
        Requests that can wait for the troughs.
    cover : number, share
        The fleet is sized for this share of the peak, and `Hosted.overflow` answers the rest.
    warm_replicas, cold_start_s, keep_warm_s : number
        With "hourly": replicas kept ready, seconds of a start, and with `Hosted(replicas_min=0)`
        the seconds without a request after which the last replica sleeps.
    committed_replicas, commitment
        Replicas paid in all hours, at the rent of this term.
    interrupted : number, share
        Spot hours that are lost.
    regions : number, at least 1
        Regions in which replicas stand; 2 keeps answering when one is lost.
    standby_share : number, share
        Replicas that each further region keeps up over those of the first: 1 is active in all, and
        each carries the peak alone; 0.1 is warm, 0 only copies. See `cm.SecondRegion`.

    Raises
    ------
    ValueError
        For an unknown scaling or term, and for warm replicas in a fleet that keeps all replicas up.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e7, input_tokens=1_000, output_tokens=100, peak_to_average=3)
    >>> fixed = cm.Option(cm.Hosted("llama-3.1-8b", gpu="L40S"))
    >>> fleet = cm.serving.Fleet(scaling="hourly")
    >>> hourly = cm.Option(cm.Hosted("llama-3.1-8b", gpu="L40S", fleet=fleet))
    >>> hours = [cm.serving.capacity(x, work)["gpu_hours"].mean() for x in (fixed, hourly)]
    >>> bool(hours[1] < hours[0])
    True
    """

    # -- head room
    scaling: str = "fixed"
    spare_replicas: Number = 0
    wait_share: Number = 0.05
    burstiness: Number = catalog.practice("Fleet.burstiness")
    # -- starts and sleep
    warm_replicas: Number = 0
    cold_start_s: Number = catalog.practice("hosting.cold_start_s")
    keep_warm_s: Number = 600
    # -- further regions
    regions: Number = 1
    standby_share: Number = 1.0
    # -- load that is moved
    deferrable: Number = 0.0
    cover: Number = 1.0
    # -- ways to pay
    committed_replicas: Number = 0
    commitment: str = "reserved_12mo"
    interrupted: Number = catalog.practice("Fleet.interrupted")

    def __post_init__(self) -> None:
        check_known("scaling", self.scaling, SCALINGS, where="Fleet")
        check_known("commitment", self.commitment, catalog.TERMS, where="Fleet")
        validate(self)
        warm = np.any(getattr(self.warm_replicas, "high", self.warm_replicas))
        check(
            self.scaling != "fixed" or not warm,
            f"Fleet.warm_replicas is {self.warm_replicas}, allowed is 0 where scaling is 'fixed' "
            "and all replicas stay up; write scaling='hourly'",
        )


@dataclass(frozen=True)
class Load:
    """What a fleet has to carry in a month."""

    busy: Any  # replicas busy with production in the mean of the active hours
    arrivals_per_s: Any  # requests of production in those hours
    slots: Any  # sequences that a replica decodes at once
    beside: Any  # replica-hours of evaluation and monitoring, which fill idle hours


@dataclass(frozen=True)
class Capacity:
    """What a fleet does in a month."""

    load: Any  # replicas busy in the mean of the active hours, what spills over left out
    peak: Any  # ... in the busiest hour
    replicas: Any  # at the peak, spares and commitment included
    replica_hours: Any  # in a month, up
    busy_hours: Any  # replica-hours in use
    cold_starts: Any  # in a month
    cold_share: Any  # of the requests that wait for a start
    spilled: Any  # share of the requests that overflow
    slots: Any  # sequences that a replica decodes at once


def capacity_for(own: Hosted, load: Load, work: Workload) -> Capacity:
    """The replicas that a load takes, and their hours in a month."""
    plan = own.fleet
    prompt = load.busy * (1 - plan.deferrable)  # what must be answered at once
    peak = prompt * work.peak_to_average
    covered = peak * plan.cover
    # what can wait fills the troughs, so that the mean of all hours has to fit
    mean = load.busy * work.active_hours_per_month / HOURS_PER_MONTH
    sized_for = np.maximum(covered, mean if np.any(plan.deferrable) else 0.0)
    base = own.replicas_for(sized_for, load.slots)
    replicas = np.maximum(base + plan.spare_replicas, plan.committed_replicas)
    replicas = replicas * (load.busy > 0)
    spilled: Any = 0.0
    if own.overflow is not None and np.any(plan.cover < 1):
        reach = base * own.load_max / np.maximum(peak, queueing.ROUNDING)
        reach = np.clip(reach, plan.cover, 1.0)  # whole replicas reach further than asked
        spilled = queueing.share_above(reach, work.peak_to_average) * (1 - plan.deferrable)
    kept = load.busy * (1 - spilled)
    busy = kept * work.active_hours_per_month + load.beside
    hours, starts, cold = replicas * HOURS_PER_MONTH, 0.0, 0.0
    if plan.scaling == "hourly":
        hours, starts, cold = _following(own, load, prompt, covered, replicas, work)
        hours = np.maximum(hours, busy)
    further = np.ceil(replicas * plan.standby_share - ROUNDING) * (plan.regions - 1)
    hours = hours * (1 + further / np.maximum(replicas, 1.0))
    replicas = replicas + further
    return Capacity(kept, covered, replicas, hours, busy, starts, cold, spilled, load.slots)


def _following(
    own: Hosted, load: Load, prompt: Any, covered: Any, replicas: Any, work: Workload
) -> tuple[Any, Any, Any]:
    """(replica-hours, starts, share of cold requests) where replicas follow the hour."""
    plan = own.fleet
    sleeps = own.replicas_min < 1  # the last replica may
    up: Any = 0.0  # mean replicas of the active hours
    cold: Any = 0.0
    for level in queueing.duration_curve(work.peak_to_average):
        count = own.replicas_up(np.minimum(prompt * level, covered), load.slots, replicas)
        awake = hit_rate(load.arrivals_per_s * level, plan.keep_warm_s)
        awake = np.where(sleeps & (count <= 1), awake, 1.0)
        up = up + np.maximum(count * awake, plan.committed_replicas) / queueing.LEVELS
        cold = cold + (1 - awake) * level / queueing.LEVELS
    ready = np.where(sleeps, 0.0, plan.spare_replicas + plan.warm_replicas)
    night = np.minimum(own.replicas_min + ready, replicas)
    night = np.maximum(night, plan.committed_replicas)
    active = work.active_hours_per_month / HOURS_PER_MONTH
    requests = load.arrivals_per_s * work.active_hours_per_month * SECONDS_PER_HOUR
    starts = cold * requests + (replicas - night) * HOURS_PER_MONTH / HOURS_PER_DAY
    hours = (active * up + (1 - active) * night) * HOURS_PER_MONTH
    return hours + starts * plan.cold_start_s / SECONDS_PER_HOUR, starts, cold
