"""What the GPU hours of a fleet cost: in use, idle, under a commitment, lost to interruptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from costmodel.choices.purchases import Cites, Line, Lines, cite
from costmodel.choices.schedule import by_month, scaled
from costmodel.choices.servings.calls import Uses
from costmodel.choices.servings.capacity import Capacity
from costmodel.choices.terms import STEADY, Terms
from costmodel.choices.workload import Workload
from costmodel.core import HOURS_PER_MONTH, SECONDS_PER_HOUR
from costmodel.laws import queueing

if TYPE_CHECKING:
    from costmodel.choices.servings.hosted import Hosted

SPOT = "spot"


def hours_in_use(own: Hosted, uses: Uses, made: Capacity, work: Workload, terms: Terms) -> Lines:
    """The hours that each kind of call keeps GPUs busy."""
    usd, cites = own.usd_per_gpu_hour()
    if own.requests_per_s is not None:
        cites += cite(own, "requests_per_s")
    else:
        cites += cite(own, "error", "batch_max") + cite(own.model, "parameters")
        cites += cite(own.gpu, "bandwidth", "memory")
    basis = "calls x seconds of a replica per call x GPUs per replica"
    for t, when, seconds in uses:
        count = t.count * seconds / SECONDS_PER_HOUR * own.gpus
        if t.follows_demand:
            count, when = scaled(count, when, 1 - made.spilled, work, terms)
        yield t.line("GPU hours in use", count, "GPU-hour", usd, when, trend(own), basis, cites)


def hours_standing(own: Hosted, made: Capacity) -> Lines:
    """Lines for idle hours, for the price of a commitment, and for the losses of spot GPUs."""
    usd, cites = own.usd_per_gpu_hour()
    plan, hours = own.fleet, made.replica_hours * own.gpus
    idle = np.maximum(hours - made.busy_hours * own.gpus, 0.0)
    sized_by = (*cite(own, "load_max"), "Workload.peak_to_average")
    basis = "hours of whole replicas - hours in use"
    yield _standing("GPU hours idle", idle, usd, trend(own), basis, cites + sized_by)
    fixed = plan.committed_replicas * HOURS_PER_MONTH * own.gpus
    if np.any(plan.committed_replicas):
        basis = "{committed_replicas} replicas x hours of a month at the price "
        item, theirs = "GPU hours under the commitment", cite(own.signed, "usd_per_gpu_hour")
        price, of = own.signed.usd_per_gpu_hour * own.residency_uplift, "of the commitment"
        yield _standing(item, fixed, price, STEADY, basis + of, theirs)
        item = "the same hours without it, not paid"
        yield _standing(item, -fixed, usd, "gpu", basis + "above", cites)
    if own.owned is None and own.rent.term == SPOT:
        flexible = np.maximum(hours - fixed, 0.0)
        lost = queueing.with_losses(flexible, plan.interrupted) - flexible
        item = "GPU hours lost to interruptions"
        basis = "spot hours x {interrupted} / (1 - {interrupted})"
        cites += cite(plan, "interrupted")
        yield _standing(item, lost, usd, "gpu", basis, cites)


def _standing(item: str, hours: Any, usd: Any, trend: str, basis: str, cites: Cites) -> Line:
    count, when = by_month(hours)
    return Line(item, "serving", count, "GPU-hour", usd, when, trend, basis=basis, cites=cites)


def trend(own: Hosted) -> str:
    """Rent follows GPU prices; the power of owned GPUs does not."""
    return "gpu" if own.owned is None else "service"
