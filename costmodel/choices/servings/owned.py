"""Servers that you own: what one costs to buy, house and power, and fetches at the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from costmodel.choices.purchases import Line, Lines, cite, labour
from costmodel.choices.schedule import by_month, every, once, path, steady
from costmodel.choices.servings.fields import OpenNumber
from costmodel.choices.terms import STEADY, Terms
from costmodel.core import (
    HOURS_PER_MONTH,
    KILO,
    MONTHS_PER_YEAR,
    ROUNDING,
    WORKING_HOURS_PER_MONTH,
    WORKING_HOURS_PER_WEEK,
    CatalogError,
    Number,
    checked,
    middle,
)
from costmodel.facts import catalog
from costmodel.facts.records import FromCatalogue
from costmodel.laws.money import resale_share

PRICED_BY = ("gpus_per_server", "capex_usd", "server_overhead")
AGED_BY = ("residual", "life_months")


@checked
class Owned:
    """Servers that you buy instead of renting GPUs: cheaper hours, paid up front.

    Servers are bought whole when the load needs them, replaced when they are worn, housed in
    colocation and sold at the end of the horizon. Defaults are Ranges with sources in
    data/facts/own.csv.

    Parameters
    ----------
    capex_usd : number, USD, optional
        Price of one GPU; None is its street price.
    server_overhead : number, x
        Price of a server over that of its GPUs.
    gpus_per_server : int
        GPUs of one server [count].
    it_watts : number, W, optional
        Power of a GPU with its share of server and network, before cooling; None is taken from the
        GPU.
    life_months : number, month, at least 1
        Age at which a server is replaced.
    residual : number, share
        Share of its price that a server fetches after three years; `resale` gives it at another
        age.
    usd_per_kw_month : number, USD/kW-month
        Rate of wholesale colocation.
    usd_per_kwh : number, USD/kWh
        Price of electricity.
    pue : number, x
        Power of the facility over that of its servers.
    operations_fte_per_server : number, FTE
        Engineers kept busy by one server.
    setup_weeks : number, week
        Engineer-weeks to put the servers into service.

    Raises
    ------
    CatalogError
        In `Hosted`, when no purchase price of its GPU is known.

    Examples
    --------
    >>> import costmodel as cm
    >>> own = cm.Hosted("llama-3.1-8b", gpu="H100-SXM", owned=cm.serving.Owned(life_months=48))
    >>> own.owned.capex_usd.mid > 20_000
    True
    """

    # -- the price of a server
    capex_usd: OpenNumber = None
    server_overhead: Number = catalog.fact("own", "server.server_overhead").value
    gpus_per_server: int = 8
    # -- power
    it_watts: OpenNumber = None
    # -- age
    life_months: Number = catalog.fact("own", "server.life_months").value
    residual: Number = catalog.fact("own", "residual.year_3.residual").value
    # -- colocation
    usd_per_kw_month: Number = catalog.fact("own", "colo.us.usd_per_kw_month").value
    usd_per_kwh: Number = catalog.fact("own", "energy.us.usd_per_kwh").value
    pue: Number = catalog.fact("own", "pue.industry.pue").value
    # -- people
    operations_fte_per_server: Number = catalog.practice("Owned.operations_fte_per_server")
    setup_weeks: Number = catalog.practice("Owned.setup_weeks")

    def of(self, gpu: catalog.Gpu) -> Owned:
        """The same with the price and the power of a GPU filled in, unless they are your own."""
        facts = catalog.facts_of("own")
        changes: dict[str, Any] = {}
        prices = {f.id: f.value for f in facts.values() if f.field == "capex_usd"}
        if self.it_watts is None or isinstance(self.it_watts, FromCatalogue):
            watts = (
                middle(gpu.power) + facts["server.server_power"].value.mid / self.gpus_per_server
            )
            if cooled := facts.get(f"{gpu.id}.facility_power"):
                watts = cooled.value.mid / facts["pue.industry.pue"].value.mid
            changes["it_watts"] = FromCatalogue(watts)
        if self.capex_usd is None or self.capex_usd in prices.values():  # or that of another GPU
            if gpu.id not in prices:
                raise CatalogError(
                    f"no purchase price of {gpu.id} in own.csv; give capex_usd= "
                    f"(in a report purchase_price), known are {', '.join(sorted(prices))}"
                )
            changes["capex_usd"] = prices[gpu.id]
        return replace(self, **changes)

    # -- rates -------------------------------------------------------------------------------------

    def server_usd(self) -> Any:
        """Price of one server with its GPUs [USD]."""
        return self.capex_usd * self.gpus_per_server * self.server_overhead

    def power_usd_per_gpu_hour(self) -> Any:
        """Power of one GPU that is up, idle or not [USD/GPU-hour]: kW x PUE x price."""
        return self.it_watts / KILO * self.pue * self.usd_per_kwh

    def housing_usd_per_month(self) -> Any:
        """Colocation of one server [USD/month]: kW of all its GPUs, up or not, x price."""
        return self.it_watts / KILO * self.gpus_per_server * self.usd_per_kw_month

    def standing_usd_per_gpu_hour(self) -> Any:
        """Housing and loss of value of a bought GPU in every hour [USD/GPU-hour]."""
        wear = self.server_usd() * (1 - self.resale(self.life_months)) / self.life_months
        return (wear + self.housing_usd_per_month()) / self.gpus_per_server / HOURS_PER_MONTH

    # -- age ---------------------------------------------------------------------------------------

    def resale(self, months: Any) -> Any:
        """Share of its price that a server fetches at an age [month]."""
        return resale_share(self.residual, months)

    def replaced(self, months: int) -> np.ndarray:
        """Replacements of a server by its age in months 0..H, (H + 1,) or (n, H + 1); none in H."""
        worn = every(self.life_months).weights(months, np.empty(0))
        return worn * (np.arange(months + 1) < months)

    def age(self, months: Any) -> Any:
        """Age [month] of a server, or of what replaced it, some months after it was bought."""
        renewed = np.floor(np.maximum(months - 1, 0) / self.life_months + ROUNDING)
        return months - np.ceil(renewed * self.life_months - ROUNDING)

    # -- what is paid ------------------------------------------------------------------------------

    def price(self, gpus: Any, terms: Terms) -> Lines:
        """The servers for a number of GPUs: bought, replaced, sold, housed and kept running."""
        need = np.ceil(gpus / self.gpus_per_server - ROUNDING)
        held = need if steady(need) else np.maximum.accumulate(need, axis=-1)
        yield from self._trade(held, terms)
        count, when = by_month(held)
        usd, engineer = self.housing_usd_per_month(), terms.people.engineer
        yield Line(
            "housing of the servers",
            "serving",
            count,
            "server",
            usd,
            when,
            basis="whole servers x {gpus_per_server} GPUs x {it_watts} W x {usd_per_kw_month} a kW",
        )
        yield labour(
            "rack and burn in the servers",
            self.setup_weeks * WORKING_HOURS_PER_WEEK,
            engineer,
            once(),
            "build",
            "{setup_weeks} engineer-weeks x 40 h x {usd_per_hour}/h",
        )
        yield labour(
            "hands on servers",
            self.operations_fte_per_server * WORKING_HOURS_PER_MONTH * count,
            engineer,
            when,
            "maintenance",
            "{operations_fte_per_server} of an engineer for each server",
        )

    def _trade(self, held: Any, terms: Terms) -> Lines:
        """Servers bought the month before they are needed, replaced when worn, sold at the end."""
        months = terms.months
        path_held = held * np.ones(months + 1)
        bought = _padded(np.diff(path_held[..., 1:], prepend=0), 0, 1)
        again, resold = self._renewed(bought, terms)
        usd, aged = self.server_usd(), cite(self, *PRICED_BY, *AGED_BY)
        lost = 1 - self.resale(self.life_months)
        life = self.life_months
        count, when = (held, once()) if steady(held) else (1.0, path(bought))
        basis = "whole servers x {gpus_per_server} GPUs x {capex_usd} x {server_overhead}"
        asset = ("gpu", "capex", basis)
        yield Line("servers", "build", count, "server", usd, when, *asset, life_months=life)
        if np.any(again):
            basis = "servers after {life_months} months x (price - what the old ones fetch)"
            item, when = "servers replaced", path(again)
            worn = ("gpu", "capex", basis, aged, life)
            yield Line(item, "build", 1.0, "server", usd * lost, when, *worn)
        basis = "servers x price when bought x {residual} ^ (age in months / 36)"
        when = once(months)
        item, unit = "servers sold", "new server"
        sale = (STEADY, "capex", basis, aged, life)
        yield Line(item, "retirement", -resold, unit, usd, when, *sale)

    def _renewed(self, bought: np.ndarray, terms: Terms) -> tuple[np.ndarray, Any]:
        """(replacements by month, servers of today's price that those sold at the end are worth).

        What one fetches is a share of its price in the month in which it was bought.
        """
        months, rise = terms.months, (1 + terms.trends.gpu) ** (1 / MONTHS_PER_YEAR)
        worn = self.replaced(months)
        again, resold = np.zeros(months + 1), 0.0
        for month in range(months):
            count, left = bought[..., month : month + 1], months - month
            if np.any(count):
                again = again + count * _padded(worn[..., :left], month, 1)
                one = count if np.ndim(count) > 1 else count[0]
                age = self.age(left)
                resold = resold + one * self.resale(age) * rise ** (months - age)
        return again, resold


def _padded(months: Any, before: int, after: int) -> Any:
    """A path with months of nothing before and after it."""
    return np.pad(months, [*[(0, 0)] * (np.ndim(months) - 1), (before, after)])
