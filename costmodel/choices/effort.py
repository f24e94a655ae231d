"""Effort: how much people do, by how much a service matters (its tier) and how much arrives.

    hours = hours of a product x factor of the tier x volume
    volume = 1 + slope x log10(requests / reference), at least LEAST_VOLUME

A field that nobody has given is marked (`usual`) with the factor that scales it; a number that is
given is used as it is. Factors, slope and reference are facts of the tier (data/facts/tiers.csv).
Cases and runs of a golden set follow the tier alone. Not in it: the growth of the requests, which
would move the hours by a few per cent, and a team that cannot be smaller than one person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from costmodel.choices.workload import Workload
from costmodel.core import MONTHS_PER_YEAR, ROUNDING, Range, Usual, middle, number_text, owner_of
from costmodel.facts.catalog import practice

BUILD, UPKEEP, REVIEW = "build_factor", "upkeep_factor", "review_factor"
CASES, RUNS, PLATFORM = "cases_factor", "runs_factor", "platform_factor"
REPLACED = ""  # nothing scales it; something else takes its place
WITH_VOLUME = (BUILD, UPKEEP, REVIEW)
LEAST_VOLUME = 0.3  # the smallest service still takes this share of the people


def usual(fact: Any, by: str) -> Any:
    """The default of a field: a fact by its key, or a Range, of a product, scaled by a factor.

    >>> usual("rag.maintenance_fte", UPKEEP).value.mid
    0.3
    """
    return Usual(practice(fact) if isinstance(fact, str) else fact, by)


def volume_factor(requests: Any, slope: Any, reference: Any) -> Any:
    """Hours over those at the reference: 1 + slope x log10(requests / reference), with a floor.

    Parameters
    ----------
    requests, reference : number or array, above 0 [request/month]
    slope : number or array [share for ten times the requests]

    Returns
    -------
    number or array [x]

    Examples
    --------
    >>> [round(float(volume_factor(n, 0.2, 1e5)), 2) for n in (1, 5e4, 1e5, 1e6)]
    [0.3, 0.94, 1.0, 1.2]
    """
    return np.maximum(1 + slope * np.log10(np.divide(requests, reference)), LEAST_VOLUME)


def effort(owner: Any, name: str, work: Workload) -> Any:
    """A field of a technique or a serving: as it was given, else the usual by tier and volume."""
    given, tier = getattr(owner, name), work.tier
    if not isinstance(given, Usual):
        return given
    scaled = given.value * getattr(tier, given.by)
    if given.by not in WITH_VOLUME:
        return scaled
    known = tier.volume_slope, tier.requests_reference
    return scaled * volume_factor(work.requests_per_month, *known)


def effort_said(owner: Any, name: str, work: Workload) -> tuple[Any, str, tuple[str, ...]]:
    """`effort`, its formula with {fields} to fill in, and what it cites."""
    given, tier, field = getattr(owner, name), work.tier, f"{owner_of(owner)}.{name}"
    if not isinstance(given, Usual):
        return given, f"{{{name}}}", (field,)
    words, names = f"usual {{{name}}} x {{{given.by}}} for the tier {tier.id}", [given.by]
    if given.by in WITH_VOLUME:
        words += " x (1 + {volume_slope} x log10({requests_per_month} / {requests_reference}))"
        words += " for the volume"
        names += ["volume_slope", "requests_reference"]
    cited = (field, *(f"{tier.id}.{n}" for n in names), "Workload.requests_per_month")
    total = effort(owner, name, work)
    said = f"({words})" if np.ndim(total) else f"{number_text(total)} ({words})"
    return total, said, cited if given.by in WITH_VOLUME else cited[:-1]


def watched_by(techniques: Iterable[Any]) -> Any:
    """The technique that says how often answers drift, or None: each one asks for a retraining."""
    return next((t for t in techniques if hasattr(t, "drifts_per_year")), None)


def counted(owner: Any, name: str, work: Workload, beside: Iterable[Any] = ()) -> Any:
    """What a field counts as here: the number or Range that would do the same if it were given.

    A usual one is scaled by tier and volume, with these at their middles; months between
    retrainings are those of the `Monitoring` beside it. Not in it: GPUs above those of a small
    fleet, for which a usual team grows and one that is given does not.
    """
    given = getattr(owner, name)
    if not isinstance(given, Usual):
        return given
    if given.by != REPLACED:
        now, at = middle((owner, work)), middle(given.value)
        factor = effort(now[0], name, now[1]) / at if at else 1.0
        return over(given.value, lambda x: x * factor)
    watch = watched_by(beside)
    if watch is None:
        return given.value
    return over(watch.drifts_per_year, lambda x: MONTHS_PER_YEAR / max(x, ROUNDING))


def over(value: Any, change: Any) -> Any:
    """A number or a Range with its ends changed."""
    if not isinstance(value, Range):
        return change(value)
    low, high = sorted(map(change, (value.low, value.high)))
    return replace(value, low=low, high=high, mid=change(value.mid))
