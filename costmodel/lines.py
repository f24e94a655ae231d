"""What is bought: lines with a price, and traffic that a serving will price. And when: schedules.

A Line keeps `quantity x usd_per_unit` apart from its schedule, so the total of a line is one product per draw
and never a cube of draws x months. Whatever calls a model is Traffic, never dollars: the serving prices it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.core.errors import check
from costmodel.core.ranges import Number
from costmodel.core.units import ROUNDING, WORKING_HOURS_PER_MONTH

PHASES = (
    "data", "build", "experiments", "training", "evaluation", "release", "serving", "retrieval",
    "monitoring", "maintenance", "migration", "compliance", "failures", "retirement",
)  # fmt: skip
TRENDS = ("api", "gpu", "labour", "service")
STEADY = "none"  # the trend of what has no price of its own


# -- when ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Schedule:
    """When a line is paid. Month 0 is today (up front); months 1..H are paid at their end."""

    kind: str
    value: Any = None

    def weights(self, months: int, demand: np.ndarray) -> np.ndarray:
        """Occurrences in months 0..H, shape (H + 1,) or (n, H + 1)."""
        month = np.arange(months + 1)
        if self.kind == "once":
            return (month == self.value).astype(float)
        if self.kind == "monthly":
            return (month >= self.value).astype(float)
        if self.kind == "with_demand":
            return demand
        if self.kind == "every":
            due = np.floor(month / self.value + ROUNDING)
            return due - np.floor(np.maximum(month - 1, 0) / self.value + ROUNDING)
        return self.value


def once(month: int = 0) -> Schedule:
    """Paid once, in `month` (0: up front)."""
    return Schedule("once", month)


def monthly(start: int = 1) -> Schedule:
    """Paid every month from `start` on."""
    return Schedule("monthly", start)


def with_demand() -> Schedule:
    """Paid per request: follows growth, ramp and season of the workload."""
    return Schedule("with_demand")


def every(months: Number) -> Schedule:
    """Paid in months k, 2k, 3k ... (k may be drawn, fractions fall into the month they are due).

    >>> every(4.5).weights(9, None).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    """
    check(np.all(np.asarray(months) > 0), "every(months): the interval must be above 0 months")
    return Schedule("every", months)


def path(values: np.ndarray) -> Schedule:
    """An explicit multiple for each of the months 0..H, shape (H + 1,) or (n, H + 1)."""
    return Schedule("path", np.asarray(values, float))


# -- what ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One purchase: `quantity` units at `usd_per_unit`, each time the schedule comes round.

    `basis` is the formula in words; {names} in it are fields that `cites` lists as "owner.field", and the ledger
    fills in their numbers and their sources.
    """

    item: str
    phase: str
    quantity: Number
    unit: str
    usd_per_unit: Number
    schedule: Schedule
    trend: str = "service"
    treatment: str = "opex"
    basis: str = ""
    cites: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, allowed in (("phase", PHASES), ("trend", (*TRENDS, STEADY))):
            if getattr(self, name) not in allowed:  # thousands of lines are made: no message is written for nothing
                raise ValueError(f"line {self.item!r}: {name} is {getattr(self, name)!r}, allowed are {', '.join(allowed)}")


def cite(owner: Any, *fields: str) -> tuple[str, ...]:
    """The cited inputs of a line: "owner.field", where the owner is a record's id or a class name."""
    name = getattr(owner, "id", None) or type(owner).__name__
    return tuple(f"{name}.{field}" for field in fields)


def labour(
    item: str,
    hours: Number,
    person: Any,
    schedule: Schedule,
    phase: str,
    basis: str = "hours x hourly rate",
    cites: tuple[str, ...] = (),
    treatment: str = "opex",
) -> Line:
    """Hours of a person (a catalogue record with `usd_per_hour`, fully loaded)."""
    return Line(
        item, phase, hours, "hour", person.usd_per_hour, schedule, "labour", treatment,
        basis, (*cites, *cite(person, "usd_per_hour")),
    )  # fmt: skip


def upkeep(item: str, technique: Any, person: Any) -> Line:
    """A steady share of a person (`technique.upkeep_fte` of full time), every month."""
    hours = technique.upkeep_fte * WORKING_HOURS_PER_MONTH
    basis = "{upkeep_fte} of an engineer x working hours of a month x {usd_per_hour}/h"
    return labour(item, hours, person, monthly(), "maintenance", basis, cite(technique, "upkeep_fte"))


# -- what calls a model --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Segment:
    """A part of the prompt; `stable` says that it repeats word for word: between requests, or, with a `reuse`, only between the
    calls of one task, where it is found in the cache with that chance (0: written, and read by the next call)."""

    name: str
    tokens: Number
    stable: bool = False
    reuse: Number | None = None


@dataclass(frozen=True)
class Cache:
    """Prompt caching of the stable prefix: its time to live, the shortest prefix that is cached (None: the model's own
    rule), and how the traffic meets it (see `caching.prefix_hit_rate`)."""

    ttl_s: Number
    minimum_tokens: Number | None = None
    burst: Number = 1.0
    parallel: Number = 1.0
    prefixes: Number = 1.0
    replicas: Number = 1.0


@dataclass(frozen=True)
class Call:
    """One model call: prompt segments, visible output and reasoning tokens, calls per request, cache.

    `reuse` is the share of these calls that follow a call of the same task at once, and so find its prefix cached."""

    segments: tuple[Segment, ...]
    output_tokens: Number
    reasoning_tokens: Number = 0.0
    per_request: Number = 1.0
    cache: Cache | None = None
    wait_s: Number = 0.0
    reuse: Number = 0.0

    @property
    def prompt_tokens(self) -> Any:
        return sum((s.tokens for s in self.segments), 0.0)

    @property
    def stable_tokens(self) -> Any:
        return sum((s.tokens for s in self.segments if s.stable), 0.0)

    @property
    def shared_tokens(self) -> Any:
        """Stable tokens that all requests share."""
        return sum((s.tokens for s in self.segments if s.stable and s.reuse is None), 0.0)

    def found(self, hits: Any) -> Any:
        """Share of the stable tokens that is read from the cache, where the traffic finds `hits` of what all requests share."""
        own = sum((s.tokens * s.reuse for s in self.segments if s.stable and s.reuse is not None), 0.0)
        return (self.shared_tokens * (self.reuse + (1 - self.reuse) * hits) + own) / np.maximum(self.stable_tokens, ROUNDING)


@dataclass(frozen=True)
class Request:
    """The model calls that one request makes, in order."""

    calls: tuple[Call, ...]

    @property
    def main(self) -> Call:
        """The call that answers; what helps it (summaries, sub-agents) comes after it."""
        return self.calls[0]

    def add(self, segment: Segment) -> Request:
        """The request with a segment more in the prompt of every call."""
        return Request(tuple(replace(c, segments=(*c.segments, segment)) for c in self.calls))

    def each(self, **changes: Any) -> Request:
        """The request with fields of every call replaced."""
        return Request(tuple(replace(c, **changes) for c in self.calls))


@dataclass(frozen=True)
class Traffic:
    """Model calls to be priced by a serving: `count` calls each time the schedule comes round.

    `by` names another serving (a judge, a teacher, an extractor); None is the option's own.
    """

    item: str
    call: Call
    count: Number
    schedule: Schedule
    phase: str
    by: Any = None
    basis: str = ""
    cites: tuple[str, ...] = ()
