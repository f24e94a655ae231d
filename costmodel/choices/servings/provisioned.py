"""Reserved capacity of a provider: units of tokens per minute, paid by the hour."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from costmodel.choices.purchases import Line, Lines, Traffic, cite
from costmodel.choices.requests import Call, Limits
from costmodel.choices.schedule import STANDING, by_month, level_of, scaled
from costmodel.choices.servings.api import Api, cache_split
from costmodel.choices.servings.capacity import Uses
from costmodel.choices.servings.fields import OpenNumber
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    HOURS_PER_MONTH,
    MINUTES_PER_HOUR,
    SECONDS_PER_MINUTE,
    CatalogError,
    Number,
    assumed,
    check,
    check_known,
    frozen,
    validate,
)
from costmodel.facts import catalog
from costmodel.facts.records import FromCatalogue
from costmodel.laws import queueing

RESERVATIONS = ("hourly", "monthly", "yearly")
SELLER = "azure"


@frozen
class Provisioned:
    """Provisioned throughput: units of a model that are yours alone, paid also when idle.

    Units are bought for the busiest hour, at least `units_min`, in steps of `units_step`. Numbers
    that are None come from data/facts/provisioned.csv.

    Parameters
    ----------
    api : Api or str
        The model, and who answers what the units do not cover.
    reservation : {"hourly", "monthly", "yearly"}
    on : str, optional
        Date of the price card.
    tokens_per_min_per_unit : number, token/min, optional
        Input tokens that a unit carries; a token read from the cache counts as none.
    output_weight : number, x, optional
        Input tokens that an output token counts as; None is the ratio of the list prices.
    load_max : number, share
        Share of the units that is planned for.
    cover : number, share
        Share of the peak that the units carry; the rest is paid by the token.
    usd_per_unit_hour : number, USD/unit-hour, optional
        Price of one unit.
    units_min, units_step : number, optional
        The fewest units that are sold, and the steps in which they are.

    Raises
    ------
    CatalogError
        For an unknown reservation, and for a model without units.
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> ptu = Provisioned("gpt-5", on="2026-11-01")
    >>> ptu.tokens_per_min_per_unit, ptu.usd_per_unit_hour, ptu.output_weight
    (4750.0, 0.3027, 8.0)
    """

    api: Any
    reservation: str = "yearly"
    on: str | None = None
    # -- a unit
    tokens_per_min_per_unit: OpenNumber = None
    usd_per_unit_hour: OpenNumber = None
    output_weight: OpenNumber = None
    # -- how many
    units_min: OpenNumber = None
    units_step: OpenNumber = None
    load_max: Number = assumed(
        0.7,
        0.9,
        1.0 - 1e-9,
        "share of the units planned for; above, calls are turned away for a moment",
    )
    cover: Number = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.api, str):
            object.__setattr__(self, "api", Api(self.api, on=self.on))
        check(
            isinstance(self.api, Api),
            f"Provisioned: the first argument is {self.api!r}, "
            "it must be an Api(...) or the id of a model",
        )
        check(
            self.on in (None, self.api.on),
            f"Provisioned.on is {self.on!r}, but its api has the prices of {self.api.on!r}; "
            "write Api(..., on=...) or repriced(...)",
        )
        object.__setattr__(self, "on", self.api.on)
        check_known("reservation", self.reservation, RESERVATIONS, where="Provisioned")
        for name, key in (
            ("tokens_per_min_per_unit", f"{SELLER}.{self.api.model.id}"),
            ("usd_per_unit_hour", f"{SELLER}.{self.reservation}"),
            ("units_min", SELLER),
            ("units_step", SELLER),
            ("output_weight", None),
        ):
            given = getattr(self, name)
            if given is None or isinstance(given, FromCatalogue):  # nobody gave it, so the files do
                tier = self.api.model.tiers[0]
                ratio = tier.usd_per_mtok_out / tier.usd_per_mtok_in
                value = self._fact(key, name) if key else ratio
                object.__setattr__(self, name, FromCatalogue(value))
        validate(self)

    def _fact(self, key: str, name: str) -> float:
        """A number of provisioned.csv; the error names the models that have units."""
        facts = catalog.facts_of("provisioned")
        if f"{key}.{name}" not in facts:
            models = [f.id for f in facts.values() if f.field == "tokens_per_min_per_unit"]
            known = ", ".join(sorted(id.split(".", 1)[1] for id in models))
            raise CatalogError(
                f"no {name} of {self.api.model.id!r} in provisioned.csv; "
                f"give {name}=, known are {known}"
            )
        return facts[f"{key}.{name}"].value.mid

    @property
    def model(self) -> Any:
        """The price card."""
        return self.api.model

    @property
    def where(self) -> str:
        """Who runs it, for readers."""
        return f"{self.api.where}, provisioned {self.reservation}"

    @property
    def window(self) -> Any:
        """Context window [token]."""
        return self.api.window

    @property
    def accepted(self) -> Any:
        """Share of answers accepted with plain instructions."""
        return self.api.accepted

    @property
    def capability(self) -> Any:
        """Index of the model."""
        return self.api.capability

    @property
    def log_odds_model(self) -> Any:
        """What the model has of its own on a task [log-odds]."""
        return self.api.log_odds_model

    @property
    def reader(self) -> Any:
        """How the model reads long prompts."""
        return self.api.reader

    def at(self, on: str) -> Provisioned:
        """The same with the price card of another date; the price of a unit stays."""
        return self if on == self.on else replace(self, api=self.api.at(on), on=on)

    def limits(self, call: Call) -> Limits:
        """What can stop a call: the window of the model."""
        return self.api.limits(call)

    def weighted(self, call: Call, cached: Any = 0.0) -> Any:
        """Tokens that a call counts as [input token]."""
        return call.prompt_tokens - cached + self.output_weight * call.generated_tokens

    def price(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Lines:
        """Unit-hours by use, the idle ones apart, and what overflows by the token."""
        uses = self._uses(traffic, work, terms)
        units, spilled = self._units(uses, work, terms)
        usd, cites = (
            self.usd_per_unit_hour,
            cite(self, "tokens_per_min_per_unit", "usd_per_unit_hour"),
        )
        basis = (
            "calls x (input + {output_weight} x output tokens) / "
            "{tokens_per_min_per_unit} tokens a minute"
        )
        weighed = cites + cite(self, "output_weight")
        busy: Any = 0.0
        for t, when, tokens in uses:
            hours = t.count * tokens / self.tokens_per_min_per_unit / MINUTES_PER_HOUR
            if t.follows_demand:
                hours, when = scaled(hours, when, 1 - spilled, work, terms)
            if t.schedule.kind in STANDING:
                busy = busy + hours * level_of(when, work, terms)
            name = "provisioned units in use"
            yield t.line(name, hours, "unit-hour", usd, when, basis=basis, cites=weighed)
        idle, when = by_month(np.maximum(units * HOURS_PER_MONTH - busy, 0.0))
        basis = (
            "units for the busiest hour, at least {units_min}, x hours of a month - hours in use"
        )
        cites += cite(self, "units_min", "units_step", "load_max") + ("Workload.peak_to_average",)
        item, unit = "provisioned units idle", "unit-hour"
        yield Line(item, "serving", idle, unit, usd, when, "api", basis=basis, cites=cites)
        if np.any(spilled):
            yield from self.api.overflow(traffic, spilled, work, terms)

    def _uses(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Uses:
        """(traffic, when, weighted tokens of a call); a token read from the cache is none."""
        uses = []
        for t in traffic:
            when = t.schedule
            if t.call.cache is not None:
                (read, reading), (written, when) = cache_split(t, work, terms)
                held = replace(t, count=t.count * read)
                uses.append((held, reading, self.weighted(t.call, t.call.stable_tokens)))
                t = replace(t, count=t.count * written)
            uses.append((t, when, self.weighted(t.call)))
        return uses

    def _units(self, uses: Uses, work: Workload, terms: Terms) -> tuple[Any, Any]:
        """(units to buy, share of production that they have no room for)."""
        per_s = sum(
            work.arrivals_per_s(t.count) * tokens * level_of(when, work, terms)
            for t, when, tokens in uses
            if t.follows_demand
        )
        per_min = per_s * SECONDS_PER_MINUTE * work.peak_to_average
        peak: Any = per_min / self.tokens_per_min_per_unit / self.load_max
        units = np.ceil(peak * self.cover / self.units_step - queueing.ROUNDING) * self.units_step
        units = np.maximum(units, self.units_min) * (peak > 0)
        if not np.any(self.cover < 1):
            return units, 0.0
        reach = np.clip(units / np.maximum(peak, queueing.ROUNDING), 0.0, 1.0)
        return units, queueing.share_above(reach, work.peak_to_average)
