"""What is bought: lines with a price, and traffic that a serving will price. And when: schedules.

A Line keeps `quantity x usd_per_unit` apart from its schedule, so the total of a line is one product per draw
and never a cube of draws x months. Whatever calls a model is Traffic, never dollars: the serving prices it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from costmodel.choices.requests import Call
from costmodel.choices.schedule import Schedule, monthly
from costmodel.choices.terms import STEADY, TRENDS
from costmodel.core.public import public
from costmodel.core.ranges import Number
from costmodel.core.units import WORKING_HOURS_PER_MONTH

PHASES = (
    "data",
    "build",
    "experiments",
    "training",
    "evaluation",
    "release",
    "serving",
    "retrieval",
    "monitoring",
    "maintenance",
    "migration",
    "compliance",
    "failures",
    "retirement",
)


# -- what ----------------------------------------------------------------------------------------------


@public
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
            if (
                getattr(self, name) not in allowed
            ):  # thousands of lines are made: no message is written for nothing
                raise ValueError(
                    f"line {self.item!r}: {name} is {getattr(self, name)!r}, allowed are {', '.join(allowed)}"
                )

    @property
    def usd(self) -> Any:
        """What one purchase costs at today's price [USD]."""
        return self.quantity * self.usd_per_unit


def cite(owner: Any, *fields: str) -> tuple[str, ...]:
    """The cited inputs of a line: "owner.field", where the owner is a record's id or a class name."""
    name = getattr(owner, "id", None) or type(owner).__name__
    return tuple(f"{name}.{field}" for field in fields)


@public
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
        item,
        phase,
        hours,
        "hour",
        person.usd_per_hour,
        schedule,
        "labour",
        treatment,
        basis,
        (*cites, *cite(person, "usd_per_hour")),
    )


def upkeep(item: str, technique: Any, person: Any) -> Line:
    """A steady share of a person (`technique.upkeep_fte` of full time), every month."""
    hours = technique.upkeep_fte * WORKING_HOURS_PER_MONTH
    basis = "{upkeep_fte} of an engineer x working hours of a month x {usd_per_hour}/h"
    return labour(
        item, hours, person, monthly(), "maintenance", basis, cite(technique, "upkeep_fte")
    )


@public
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
