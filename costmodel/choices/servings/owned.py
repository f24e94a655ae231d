"""GPUs of your own: what a server costs to buy, to house and to power, and what it fetches at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.choices.schedule import every
from costmodel.core.checks import require, validate
from costmodel.core.draws import middle
from costmodel.core.errors import CatalogError
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import HOURS_PER_MONTH, KILO, ROUNDING
from costmodel.facts import catalog
from costmodel.facts.records import FromCatalogue
from costmodel.laws.money import resale_share


@public
@dataclass(frozen=True)
class Owned:
    """Own servers instead of rent: bought when they are needed, housed in colocation, sold at the end of the horizon.

    `capex_usd=None` takes the street price of the GPU in data/facts/own.csv, `it_watts=None` the power of a GPU with its share of server and
    network, before cooling. A server holds `gpus_per_server`, is bought whole, costs `server_overhead` times its GPUs and is
    replaced after `life_months`. `residual` is the share of its price that it fetches after three years; at any other age it is
    `fleet.resale_share`. Life, residual, power and colocation are Ranges with sources.
    """

    capex_usd: Number | None = None
    server_overhead: Number = catalog.fact("own", "server.server_overhead").value
    gpus_per_server: int = 8
    it_watts: Number | None = None
    life_months: Number = catalog.fact("own", "server.life_months").value
    residual: Number = catalog.fact("own", "residual.year_3.residual").value
    usd_per_kw_month: Number = catalog.fact("own", "colo.us.usd_per_kw_month").value
    usd_per_kwh: Number = catalog.fact("own", "energy.us.usd_per_kwh").value
    pue: Number = catalog.fact("own", "pue.industry.pue").value
    operations_fte_per_server: Number = Range(
        0.01,
        0.06,
        mid=0.02,
        why="assumption: hands for swaps, firmware and network; one person for 50 servers",
    )
    setup_weeks: Number = Range(
        2, 10, mid=4, form="amount", why="assumption: order, rack, network, burn-in"
    )

    def __post_init__(self) -> None:
        validate(self, optional=("capex_usd", "it_watts"))
        require("Owned.life_months", self.life_months, low=1)

    def of(self, gpu: Any) -> Owned:
        """The same with the price and the power of a GPU filled in; CatalogError where no price is known."""
        made, facts = self, catalog.facts_of("own")
        if self.it_watts is None or isinstance(self.it_watts, FromCatalogue):
            known = facts.get(f"{gpu.id}.facility_power")  # with cooling
            board = (
                middle(gpu.power) + facts["server.server_power"].value.mid / self.gpus_per_server
            )
            made = replace(
                made,
                it_watts=FromCatalogue(
                    known.value.mid / facts["pue.industry.pue"].value.mid if known else board
                ),
            )
        listed = [fact.value for fact in facts.values() if fact.field == "capex_usd"]
        if (
            self.capex_usd is None or self.capex_usd in listed
        ):  # of this GPU, or left from another one
            if f"{gpu.id}.capex_usd" not in facts:
                known_ids = ", ".join(
                    sorted(f.id for f in facts.values() if f.field == "capex_usd")
                )
                raise CatalogError(
                    f"no purchase price of {gpu.id} in own.csv; give capex_usd= (in a report purchase_price), known are {known_ids}"
                )
            made = replace(made, capex_usd=facts[f"{gpu.id}.capex_usd"].value)
        return made

    def server_usd(self) -> Any:
        """Price of one server with its GPUs [USD]."""
        return self.capex_usd * self.gpus_per_server * self.server_overhead

    def power_usd_per_gpu_hour(self) -> Any:
        """Power of one GPU that is up [USD/GPU-hour]: kW x PUE x price. Not in it: that an idle GPU draws less."""
        return self.it_watts / KILO * self.pue * self.usd_per_kwh

    def housing_usd_per_month(self) -> Any:
        """Colocation of one server, paid for the power of all its GPUs whether they are up or not [USD/month]."""
        return self.it_watts / KILO * self.gpus_per_server * self.usd_per_kw_month

    def resale(self, months: Any) -> Any:
        """Share of its price that a server fetches after some months."""
        return resale_share(self.residual, months)

    def replaced(self, months: int) -> np.ndarray:
        """Replacements of a server in months 0..H after it was bought, shape (H + 1,) or (n, H + 1); in H it is sold instead."""
        worn = every(self.life_months).weights(months, np.empty(0))
        worn[..., -1] = 0.0
        return worn

    def age(self, months: Any) -> Any:
        """Age of a server, or of what replaced it, when it is sold some months after it was bought [month]."""
        renewed = np.floor(np.maximum(months - 1, 0) / self.life_months + ROUNDING)
        return months - np.ceil(renewed * self.life_months - ROUNDING)

    def standing_usd_per_gpu_hour(self) -> Any:
        """What a bought GPU costs in every hour, up or not [USD/GPU-hour]: its share of housing, and of the price lost over the life."""
        wear = self.server_usd() * (1 - self.resale(self.life_months)) / self.life_months
        return (wear + self.housing_usd_per_month()) / self.gpus_per_server / HOURS_PER_MONTH
