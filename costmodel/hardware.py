"""GPUs of your own: what a server costs to buy, to house and to power, and what it fetches at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import catalog
from .errors import CatalogError
from .fleet import running_usd_per_gpu_hour
from .ranges import Number, Range, middle, validate
from .units import MONTHS_PER_YEAR

RESIDUAL_YEARS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Owned:
    """Own servers instead of rent: bought when they are needed, housed in colocation, sold at the end of the horizon.

    `capex_usd=None` takes the street price of the GPU in data/own.csv, `facility_watts=None` its all-in power, or the board and
    its share of a server times PUE. A server holds `gpus_per_server`, is bought whole and
    costs `server_overhead` times its GPUs. `residual=None` is the resale share after `life_months`, from the facts; what is
    bought later fetches the same share. Life, residual, power and colocation are Ranges with sources.
    """

    capex_usd: Number | None = None
    server_overhead: Number = catalog.fact("own", "server.server_overhead").value
    gpus_per_server: int = 8
    facility_watts: Number | None = None
    life_months: Number = 36
    residual: Number | None = None
    usd_per_kw_month: Number = catalog.fact("own", "colo.us.usd_per_kw_month").value
    usd_per_kwh: Number = catalog.fact("own", "energy.us.usd_per_kwh").value
    pue: Number = catalog.fact("own", "pue.industry.pue").value
    operations_fte_per_server: Number = Range(0.01, 0.06, mid=0.02, why="assumption: hands for swaps, firmware and network; one person for 50 servers")
    setup_weeks: Number = Range(2, 10, mid=4, form="amount", why="assumption: order, rack, network, burn-in")

    def __post_init__(self) -> None:
        validate(self, optional=("capex_usd", "facility_watts", "residual"))

    def of(self, gpu: Any) -> Owned:
        """The same with the price of a GPU and the resale share filled in; CatalogError where no price is known."""
        made, facts = self, catalog.facts_of("own")
        if self.facility_watts is None:
            known_watts = facts.get(f"{gpu.id}.facility_power")
            board = middle(gpu.power) + facts["server.server_power"].value.mid / self.gpus_per_server
            made = replace(made, facility_watts=known_watts.value.mid if known_watts else board * middle(self.pue))
        if self.capex_usd is None:
            if f"{gpu.id}.capex_usd" not in facts:
                known = ", ".join(sorted(f.id for f in facts.values() if f.field == "capex_usd"))
                raise CatalogError(f"no purchase price of {gpu.id} in own.csv; give capex_usd=, known are {known}")
            made = replace(made, capex_usd=facts[f"{gpu.id}.capex_usd"].value)
        if self.residual is None:
            made = replace(made, residual=residual_after(self.life_months))
        return made

    def server_usd(self) -> Any:
        """Price of one server with its GPUs [USD]."""
        return self.capex_usd * self.gpus_per_server * self.server_overhead

    def running(self) -> Any:
        """Power and housing [USD/GPU-hour]."""
        return running_usd_per_gpu_hour(self.facility_watts, self.pue, self.usd_per_kwh, self.usd_per_kw_month)


def residual_after(months: Any) -> Range:
    """Resale value over the price after some months, between the yearly facts of data/own.csv; a Range with its source.

    >>> residual_after(36).mid, round(residual_after(30).mid, 3)
    (0.3, 0.365)
    """
    end = getattr(months, "mid", months)
    facts = [catalog.fact("own", f"residual.year_{y}.residual").value for y in RESIDUAL_YEARS]
    at = [float(np.interp(end / MONTHS_PER_YEAR, (0, *RESIDUAL_YEARS), (1.0, *(getattr(f, k) for f in facts)))) for k in ("low", "mid", "high")]
    low, mid, high = (min(max(x, 1e-6), 1 - 1e-6) for x in at)
    return Range(low, high, mid, name="own.residual", source=facts[0].source, why=f"resale after {end:g} months; weak source")
