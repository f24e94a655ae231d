"""Reserved capacity of a provider: units that carry tokens per minute, paid by the hour whether used or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.choices.purchases import Line, Traffic, cite
from costmodel.choices.requests import Call
from costmodel.choices.schedule import level_of, monthly, path, scaled, steady
from costmodel.choices.servings.api import Api, cache_schedules
from costmodel.choices.servings.hosted import OVERFLOW, STANDING
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.checks import validate
from costmodel.core.errors import CatalogError, check, unknown
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import HOURS_PER_MONTH, MINUTES_PER_HOUR, SECONDS_PER_MINUTE
from costmodel.facts import catalog
from costmodel.facts.records import FromCatalogue
from costmodel.laws import queueing as fleet

RESERVATIONS = ("hourly", "monthly", "yearly")
SELLER = "azure"


@public
@dataclass(frozen=True)
class Provisioned:
    """Provisioned throughput: a model behind an API in units that are yours alone, paid by the hour.

    A unit carries `tokens_per_min_per_unit` input tokens; an output token counts as `output_weight` of them (None: the ratio
    of the list prices), and a token read from the cache as none. Units are bought for the busiest hour, at least `units_min`,
    in steps of `units_step`; `load_max` is head room. With `cover` below 1 the rest is paid by the token at `api`.
    What is None comes from data/facts/provisioned.csv.

    >>> ptu = Provisioned("gpt-5", on="2026-11-01")
    >>> ptu.tokens_per_min_per_unit, ptu.usd_per_unit_hour, ptu.output_weight
    (4750.0, 0.3027, 8.0)
    """

    api: Any
    reservation: str = "yearly"
    on: str | None = None
    tokens_per_min_per_unit: Number | None = None
    usd_per_unit_hour: Number | None = None
    output_weight: Number | None = None
    units_min: Number | None = None
    units_step: Number | None = None
    load_max: Number = Range(
        0.7,
        1.0 - 1e-9,
        mid=0.9,
        why="assumption: share of the units planned for; above, calls are turned away for a moment",
    )
    cover: Number = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.api, str):
            object.__setattr__(self, "api", Api(self.api, on=self.on))
        check(
            isinstance(self.api, Api),
            f"Provisioned: the first argument is {self.api!r}, it must be an Api(...) or the id of a model",
        )
        check(
            self.on in (None, self.api.on),
            f"Provisioned.on is {self.on!r}, but its api has the prices of {self.api.on!r}; write Api(..., on=...) or priced_on(...)",
        )
        object.__setattr__(self, "on", self.api.on)
        if self.reservation not in RESERVATIONS:
            raise unknown("reservation", self.reservation, RESERVATIONS, where="Provisioned")
        places = {
            "tokens_per_min_per_unit": f"{SELLER}.{self.api.model.id}",
            "usd_per_unit_hour": f"{SELLER}.{self.reservation}",
            "units_min": SELLER,
            "units_step": SELLER,
        }
        facts = catalog.facts_of("provisioned")
        for name, id in places.items():
            if self._open(name):
                if f"{id}.{name}" not in facts:
                    known = ", ".join(
                        sorted(
                            f.id.split(".", 1)[1]
                            for f in facts.values()
                            if f.field == "tokens_per_min_per_unit"
                        )
                    )
                    raise CatalogError(
                        f"no {name} of {self.api.model.id!r} in provisioned.csv; give {name}=, known are {known}"
                    )
                object.__setattr__(self, name, FromCatalogue(facts[f"{id}.{name}"].value.mid))
        if self._open("output_weight"):
            tier = self.api.model.tiers[0]
            object.__setattr__(
                self, "output_weight", FromCatalogue(tier.usd_per_mtok_out / tier.usd_per_mtok_in)
            )
        validate(self)

    def _open(self, name: str) -> bool:
        """Whether nobody gave this number, so that the files do."""
        return getattr(self, name) is None or isinstance(getattr(self, name), FromCatalogue)

    @property
    def model(self) -> Any:
        return self.api.model

    @property
    def where(self) -> str:
        """Who runs it, for readers."""
        return f"{self.api.where}, provisioned {self.reservation}"

    @property
    def window(self) -> Any:
        return self.api.window

    @property
    def accepted(self) -> Any:
        return self.api.accepted

    def at(self, on: str) -> Provisioned:
        """The same with the price card of another date; the price of a unit stays."""
        return self if on == self.on else replace(self, api=self.api.at(on), on=on)

    def limits(self, call: Call) -> Iterator[tuple[Any, str]]:
        yield from self.api.limits(call)

    def weighted(self, call: Call, cached: Any = 0.0) -> Any:
        """Tokens that a call counts as [input token]."""
        return (
            call.prompt_tokens
            - cached
            + self.output_weight * (call.output_tokens + call.reasoning_tokens)
        )

    def price(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Iterator[Line]:
        """Unit-hours by use, the idle ones apart, and what overflows by the token."""
        cites = cite(self, "tokens_per_min_per_unit", "usd_per_unit_hour")
        uses = []
        for t in traffic:
            if t.call.cache is None:
                uses.append((t, t.schedule, self.weighted(t.call)))
            else:
                read, write = cache_schedules(t, work, terms)
                uses += [
                    (t, read, self.weighted(t.call, t.call.stable_tokens)),
                    (t, write, self.weighted(t.call)),
                ]
        standing = [
            (t, when, tokens, level_of(when, work, terms))
            for t, when, tokens in uses
            if t.schedule.kind in STANDING
        ]
        peak = sum(
            (
                work.arrivals_per_s(t.count) * tokens * level
                for t, _, tokens, level in standing
                if t.schedule.kind == "with_demand"
            ),
            0.0,
        )
        peak = (
            peak
            * SECONDS_PER_MINUTE
            * work.peak_to_average
            / self.tokens_per_min_per_unit
            / self.load_max
        )
        units = np.ceil(peak * self.cover / self.units_step - fleet.ROUNDING) * self.units_step
        units = np.maximum(units, self.units_min) * (np.asarray(peak) > 0)
        reach = np.clip(units / np.maximum(peak, fleet.ROUNDING), 0.0, 1.0)
        spilled = (
            fleet.share_above(reach, work.peak_to_average) if np.any(np.asarray(self.cover) < 1) else 0.0
        )
        busy: Any = 0.0
        for t, when, tokens in uses:
            hours = t.count * tokens / self.tokens_per_min_per_unit / MINUTES_PER_HOUR
            if t.schedule.kind == "with_demand":
                hours, when = scaled(hours, when, 1 - spilled, work, terms)
            if t.schedule.kind in STANDING:
                busy = busy + hours * level_of(when, work, terms)
            yield Line(
                f"{t.item}: provisioned units in use",
                t.phase,
                hours,
                "unit-hour",
                self.usd_per_unit_hour,
                when,
                "api",
                basis="calls x (input + {output_weight} x output tokens) / {tokens_per_min_per_unit} tokens a minute",
                cites=(*cites, *cite(self, "output_weight")),
            )
        idle = np.maximum(units * HOURS_PER_MONTH - busy, 0.0)
        each, when = (
            (idle, monthly())
            if steady(idle)
            else (1.0, path(idle * (np.arange(terms.months + 1) > 0)))
        )
        yield Line(
            "provisioned units idle",
            "serving",
            each,
            "unit-hour",
            self.usd_per_unit_hour,
            when,
            "api",
            basis="units for the busiest hour, at least {units_min}, x hours of a month - hours in use",
            cites=(
                *cites,
                *cite(self, "units_min", "units_step", "load_max"),
                "Workload.peak_to_average",
            ),
        )
        if np.any(spilled):
            over = []
            for t in traffic:
                if t.schedule.kind == "with_demand":
                    count, when = scaled(t.count, t.schedule, spilled, work, terms)
                    over.append(replace(t, count=count, schedule=when))
            for line in self.api.price(over, work, terms):
                yield replace(line, item=OVERFLOW + line.item)
