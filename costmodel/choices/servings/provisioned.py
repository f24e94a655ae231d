"""Reserved capacity of a provider: units of tokens per minute, paid by the hour."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from costmodel.choices.purchases import Line, Lines, Traffic, cite
from costmodel.choices.requests import Call, Limits
from costmodel.choices.schedule import STANDING, by_month, level_of, scaled
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.calls import Uses, by_prefix
from costmodel.choices.servings.fields import OpenNumber
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    HOURS_PER_MONTH,
    MINUTES_PER_HOUR,
    SECONDS_PER_MINUTE,
    CatalogError,
    Number,
    check,
    check_known,
    frozen,
    validate,
)
from costmodel.facts import catalog
from costmodel.facts.records import FromCatalogue
from costmodel.laws import queueing

RESERVATIONS = ("hourly", "weekly", "monthly", "quarterly", "half_yearly", "yearly")
SELLERS = {"openai": "azure", "google": "vertex", "anthropic": "bedrock", "aws": "bedrock"}


def _of_api(name: str, meaning: str) -> Any:
    """A property that the API of the units has."""
    return property(lambda units: getattr(units.api, name), doc=meaning)


@frozen
class Provisioned:
    """Provisioned throughput: units of a model that are yours alone, paid also when idle.

    Units are bought for the busiest hour, at least `units_min`, in steps of `units_step`, or as
    many as `units` says. Numbers that are None come from data/facts/provisioned.csv: units of
    Azure, of Vertex (from memory) and of models imported to Bedrock; give those of other units.

    Parameters
    ----------
    api : Api or str
        The model, and who answers what the units do not cover.
    reservation : {"hourly", "weekly", "monthly", "quarterly", "half_yearly", "yearly"}
    on : str, optional
        Date of the price card.
    seller : {"azure", "vertex", "bedrock", "bedrock_import"}, optional
        Who sells the units; None is the cloud that sells those of this maker.
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
    units : number, optional
        How many you have, whatever the load: what they do not carry is paid by the token. None
        sizes them.

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
    >>> Provisioned("gemini-2.5-flash", "monthly", on="2026-10-01", units=2).output_weight
    9.0
    """

    api: Any
    reservation: str = "yearly"
    on: str | None = None
    seller: str | None = None
    # -- a unit
    tokens_per_min_per_unit: OpenNumber = None
    usd_per_unit_hour: OpenNumber = None
    output_weight: OpenNumber = None
    # -- how many
    units_min: OpenNumber = None
    units_step: OpenNumber = None
    units: OpenNumber = None
    load_max: Number = catalog.practice("Provisioned.load_max")
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
        seller = self.seller or SELLERS.get(self.api.provider, "azure")
        known = {id.split(".")[0] for id in catalog.facts_of("provisioned")}
        check_known("seller", seller, known, where="Provisioned")
        object.__setattr__(self, "seller", seller)
        tier, model = self.api.model.tiers[0], f"{seller}.{self.api.model.id}"
        usd_in, usd_out = tier.usd_per_mtok_in, tier.usd_per_mtok_out
        ratio = usd_out / usd_in if usd_in and usd_out is not None else None
        for name, key, otherwise in (
            ("tokens_per_min_per_unit", model, None),
            ("output_weight", model, ratio),
            ("usd_per_unit_hour", f"{seller}.{self.reservation}", None),
            ("units_min", seller, None),
            ("units_step", seller, None),
        ):
            given = getattr(self, name)
            if given is None or isinstance(given, FromCatalogue):  # nobody gave it, so the files do
                object.__setattr__(self, name, FromCatalogue(self._fact(key, name, otherwise)))
        validate(self)

    def _fact(self, key: str, name: str, otherwise: float | None) -> float:
        """A number of provisioned.csv; the error names what has one."""
        facts = catalog.facts_of("provisioned")
        if found := facts.get(f"{key}.{name}"):
            return found.value.mid
        if otherwise is None:
            known = ", ".join(sorted(f.id for f in facts.values() if f.field == name))
            raise CatalogError(
                f"no {name} of {key!r} in provisioned.csv; give {name}=, known are {known}"
            )
        return otherwise

    model = _of_api("model", "The price card.")
    window = _of_api("window", "Context window [token].")
    accepted = _of_api("accepted", "Share of answers accepted with plain instructions.")
    capability = _of_api("capability", "Index of the model.")
    log_odds_model = _of_api("log_odds_model", "What the model has of its own [log-odds].")
    reader = _of_api("reader", "How the model reads long prompts.")

    @property
    def where(self) -> str:
        """Who runs it, for readers."""
        return f"{self.api.where}, provisioned {self.reservation}"

    def at(self, on: str) -> Provisioned:
        """The same with the price card of another date; the price of a unit stays."""
        api = self.api.at(on)
        return self if api is self.api else replace(self, api=api, on=api.on)

    def limits(self, call: Call) -> Limits:
        """What can stop a call: the window of the model."""
        return self.api.limits(call)

    def weighted(self, call: Call, cached: Any = 0.0) -> Any:
        """Tokens that a call counts as [input token]; one that is read from the cache is none."""
        return call.prompt_tokens - cached + self.output_weight * call.generated_tokens

    def price(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Lines:
        """Unit-hours by use, the idle ones apart, and what overflows by the token."""
        uses = by_prefix(traffic, work, terms, self.weighted)
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
        fixed = self.units is not None
        sized = "{units} units" if fixed else "units for the busiest hour, at least {units_min},"
        basis = f"{sized} x hours of a month - hours in use"
        names = ("units",) if fixed else ("units_min", "units_step", "load_max")
        cites += cite(self, *names) + ("Workload.peak_to_average",)
        item, unit = "provisioned units idle", "unit-hour"
        yield Line(item, "serving", idle, unit, usd, when, "api", basis=basis, cites=cites)
        if np.any(spilled):
            yield from self.api.overflow(traffic, spilled, work, terms)

    def _units(self, uses: Uses, work: Workload, terms: Terms) -> tuple[Any, Any]:
        """(units to buy, share of production that they have no room for)."""
        per_s = sum(
            work.arrivals_per_s(t.count) * tokens * level_of(when, work, terms)
            for t, when, tokens in uses
            if t.follows_demand
        )
        per_min = per_s * SECONDS_PER_MINUTE * work.peak_to_average
        peak: Any = per_min / self.tokens_per_min_per_unit / self.load_max
        if self.units is not None:
            units = self.units * np.ones_like(peak)
        else:
            steps = np.ceil(peak * self.cover / self.units_step - queueing.ROUNDING)
            units = np.maximum(steps * self.units_step, self.units_min) * (peak > 0)
            if not np.any(self.cover < 1):
                return units, 0.0
        reach = np.clip(units / np.maximum(peak, queueing.ROUNDING), 0.0, 1.0)
        return units, queueing.share_above(reach, work.peak_to_average)
