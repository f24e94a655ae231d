"""The people around GPUs of your own: set-up, a platform team that grows with them, and the rota.

    FTE = FTE of up to 8 GPUs + (FTE of 24 GPUs - that) x log(GPUs / 8) / log(24 / 8), above 8

Published shares of people are those of one to eight and of 9 to 64 GPUs, whose geometric middle is
24. The tier of the workload scales what nobody has given (`choices.effort`), and says who is on
call. Not in it: one rota for several models or products, and a region that follows the sun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from costmodel.choices.effort import effort_said
from costmodel.choices.purchases import Line, Lines, cite, labour, setup
from costmodel.choices.schedule import by_month, monthly
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import WEEKS_PER_MONTH, WORKING_HOURS_PER_MONTH, Usual

if TYPE_CHECKING:
    from costmodel.choices.servings.hosted import Hosted

INCIDENTS = ("incidents_per_month", "hours_per_incident")
ROTA = ("on_duty", "usd_per_week_on_call")
KEEPING = "keep serving running"  # the line of those who do
FEW, MANY = 8, 24  # GPUs for which the two shares of people hold


def fleet_fte(gpus: Any, few: Any, many: Any) -> Any:
    """Engineers kept busy by so many GPUs, from those of up to 8 and of 24.

    >>> [round(float(fleet_fte(n, 0.3, 1.5)), 2) for n in (1, 8, 24, 64, 512)]
    [0.3, 0.3, 1.5, 2.57, 4.84]
    """
    further = np.log(np.maximum(gpus, FEW) / FEW) / np.log(MANY / FEW)
    return few + np.maximum(many - few, 0.0) * further


def people_of(own: Hosted, gpus: Any, work: Workload, terms: Terms) -> Lines:
    """Who sets up, keeps and watches the GPUs."""
    engineer, phase = terms.people.engineer, "maintenance"
    tier: Any = work.tier
    yield setup("set up serving", own, work, engineer)
    fte, words, cites = effort_said(own, "upkeep_fte", work)
    if isinstance(own.upkeep_fte, Usual):
        many, more, further = effort_said(own, "upkeep_fte_fleet", work)
        fte, cites = fleet_fte(gpus, fte, many), (*cites, *further)
        words += f" up to {FEW} GPUs, rising with their logarithm to {more} at {MANY} GPUs,"
    count, when = by_month(fte * WORKING_HOURS_PER_MONTH)
    basis = words + " of an engineer x working hours of a month x {usd_per_hour}/h"
    yield labour(KEEPING, count, engineer, when, phase, basis, cites)
    hours: Any = own.on_call_hours_per_month
    if hours is not None:
        basis, cites = "{on_call_hours_per_month} hours a month x {usd_per_hour}/h", ()
    else:
        hours, names = tier.incidents_per_month * tier.hours_per_incident, INCIDENTS
        basis = "{incidents_per_month} incidents x {hours_per_incident} h for the tier " + tier.id
        cites = cite(tier, *names)
        if np.any(tier.on_duty):
            weeks = tier.on_duty * WEEKS_PER_MONTH
            said = "{on_duty} on call at all hours x weeks of a month for the tier " + tier.id
            usd, known = tier.usd_per_week_on_call, cite(tier, *ROTA)
            args = "stand by in the rota", phase, weeks, "week", usd, monthly(), "labour"
            yield Line(*args, basis=said, cites=known)
    if np.any(hours):
        yield labour("engineers on call", hours, engineer, monthly(), phase, basis, cites)
