"""Buy the GPUs or rent them: the present value of both, and the share of hours from which buying pays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.servings.owned import Owned
from costmodel.choices.terms import Terms
from costmodel.core.checks import LEAST_DIVISOR, of_kind, one_number, require, whole_number
from costmodel.core.draws import middle, sample
from costmodel.core.errors import check
from costmodel.core.public import public
from costmodel.core.units import (
    HOURS_PER_MONTH,
    WORKING_HOURS_PER_WEEK,
    MONTHS_PER_YEAR,
    WORKING_HOURS_PER_MONTH,
)
from costmodel.facts import catalog
from costmodel.facts.records import Gpu, Rent
from costmodel.laws.money import annuity, present_months

DRAWS = 4_000
EDGES = (10, 90)


@public
def buy_or_rent(
    gpu: Gpu | str,
    gpus: float = 8,
    utilisation: float = 1.0,
    months: int = 36,
    owned: Owned | None = None,
    rents: dict[str, Any] | None = None,
    terms: Terms | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Buying `gpus` against renting them for `utilisation` of the hours, over `months`; one row for buying and one per rent.

    Columns: choice, npv, p10, p90 (present value of the cost), usd_per_gpu_hour (npv as equal payments over the hours used),
    breakeven_utilisation, breakeven_low, breakeven_high (share of hours above which buying is cheaper than this rent; 80 %
    band), p_buy (share of draws in which buying is cheaper), verdict. Bought GPUs are paid whether used or not: servers,
    setting up, people, power and housing, less the resale; rent only for the hours used, but a commitment for all.
    `rents` maps names to USD per GPU-hour; None takes those of the catalogue.

    >>> own = Owned(
    ...     capex_usd=30_000,
    ...     server_overhead=1.35,
    ...     residual=0.30,
    ...     it_watts=1_730 / 1.54,
    ...     usd_per_kwh=0.0871,
    ...     pue=1.54,
    ...     life_months=60,
    ...     usd_per_kw_month=196,
    ...     operations_fte_per_server=0,
    ...     setup_weeks=0,
    ... )
    >>> table = buy_or_rent(
    ...     "H100-SXM",
    ...     gpus=8,
    ...     owned=own,
    ...     rents={"rent": 2.69},
    ...     terms=Terms(discount_rate=0.0),
    ...     draws=2,
    ... )
    >>> [
    ...     round(float(x)) for x in table.npv
    ... ]  # 324,000 x 0.7 + 8 x 26,280 h x $0.452;  8 x 26,280 h x $2.69
    [321892, 565546]
    >>> round(float(table.breakeven_utilisation.iloc[1]), 3)
    0.569
    """
    record = gpu if isinstance(gpu, Gpu) else catalog.gpu(gpu)
    one_number("buy_or_rent: utilisation", utilisation, 1e-6, 1)
    one_number("buy_or_rent: gpus", gpus, 1)
    whole_number("buy_or_rent: months", months, 1, 120)
    for name, value, kind in (
        ("owned", owned, Owned),
        ("terms", terms, Terms),
        ("rents", rents, dict),
    ):
        if value is not None:
            of_kind(f"buy_or_rent: {name}", value, kind)
    for name, usd in (rents or {}).items():
        require(f"buy_or_rent: rents[{name!r}]", usd, LEAST_DIVISOR)
    own = (owned or Owned()).of(record)
    terms = terms or Terms(months=months)
    found = {name: (usd, False) for name, usd in (rents or {}).items()} or _listed(record.id)
    check(found, f"no rent of {record.id} is known; give rents={{'ours': 2.50}}")
    things = (own, terms, tuple(usd for usd, _ in found.values()))
    mid, wide = middle(things), _sampled(things, draws, seed)
    buy, spread = (_buy(o, t, gpus, months) for o, t, _ in (mid, wide))
    rows = [_row("buy", buy, spread, gpus * utilisation, months, terms)]
    for (name, (_, always)), usd, usds in zip(found.items(), mid[2], wide[2], strict=True):
        share = 1.0 if always else utilisation
        full, fulls = (
            _rent(usd, mid[1], gpus, months, always),
            _rent(usds, wide[1], gpus, months, always),
        )
        at = float(np.squeeze(buy / full))
        low, high = np.percentile(np.broadcast_to(spread / fulls, (draws, 1)), EDGES)
        p_buy = float(np.mean(spread < share * fulls))
        row = _row(name, share * full, share * fulls, gpus * utilisation, months, terms)
        verdict = _verdict(name, always, at, low, high, p_buy)
        rows.append(
            {
                **row,
                "breakeven_utilisation": np.nan if always else at,
                "breakeven_low": np.nan if always else low,
                "breakeven_high": np.nan if always else high,
                "p_buy": p_buy,
                "verdict": verdict,
            }
        )
    columns = [
        "choice",
        "npv",
        "p10",
        "p90",
        "usd_per_gpu_hour",
        "breakeven_utilisation",
        "breakeven_low",
        "breakeven_high",
        "p_buy",
        "verdict",
    ]
    return pd.DataFrame(rows, columns=columns)


def _sampled(things: Any, draws: int, seed: int) -> Any:
    """Draws of the records; a rent given as a Range is drawn under its own name."""
    own, terms, rents = things
    records = tuple(Rent(f"rent {i}", "", "", "", usd) for i, usd in enumerate(rents))
    own, terms, records = sample((own, terms, records), draws, seed)
    return own, terms, tuple(r.usd_per_gpu_hour for r in records)


def _listed(gpu: str) -> dict[str, tuple[Any, bool]]:
    """The rents of a GPU that the catalogue has, on demand by the hour used and committed for all hours."""
    found = [r for r in catalog.rents().values() if r.gpu == gpu and r.term != "spot"]
    return {
        f"{r.channel} {r.term.replace('_', ' ')}": (
            r.usd_per_gpu_hour,
            r.term.startswith("reserved"),
        )
        for r in found
    }


def _monthly_rate(terms: Any) -> Any:
    return (1 + terms.discount_rate) ** (1 / MONTHS_PER_YEAR) - 1


def _buy(own: Any, terms: Any, gpus: float, months: int) -> Any:
    """Present value of owning: servers, again when they are worn, + setting up + monthly x annuity factor - resale."""
    servers = np.ceil(gpus / own.gpus_per_server)
    rate = _monthly_rate(terms)
    person = terms.people.engineer.usd_per_hour
    each_month = (
        gpus * HOURS_PER_MONTH * own.power_usd_per_gpu_hour()
        + servers * own.housing_usd_per_month()
    )
    each_month = (
        each_month + servers * own.operations_fte_per_server * WORKING_HOURS_PER_MONTH * person
    )
    worn = own.replaced(months)
    at = np.arange(months + 1)
    prices = worn * (1 + terms.trends.gpu) ** (at / MONTHS_PER_YEAR) / (1 + rate) ** at
    again = prices.sum(axis=-1, keepdims=prices.ndim > 1)
    lost = (
        again * (1 - own.resale(own.life_months))
        - own.resale(own.age(months)) / (1 + rate) ** months
    )
    return (
        servers * own.server_usd() * (1 + lost)
        + own.setup_weeks * WORKING_HOURS_PER_WEEK * person
        + each_month * present_months(rate, months)
    )


def _rent(usd_per_gpu_hour: Any, terms: Any, gpus: float, months: int, committed: bool) -> Any:
    """Present value of renting all hours; the price of a commitment stays, any other follows the trend of GPUs."""
    years = np.arange(1, months + 1) / MONTHS_PER_YEAR
    trend = 0.0 if committed else np.asarray(terms.trends.gpu, float)
    factors = (1 + trend) ** years / (1 + terms.discount_rate) ** years
    return (
        gpus
        * HOURS_PER_MONTH
        * usd_per_gpu_hour
        * factors.sum(axis=-1, keepdims=np.ndim(factors) > 1)
    )


def _row(
    choice: str, npv: Any, draws: Any, gpus_used: float, months: int, terms: Terms
) -> dict[str, Any]:
    value = float(np.squeeze(npv))
    p10, p90 = np.percentile(draws, EDGES)
    each = annuity(value, middle(terms).discount_rate, months) / (gpus_used * HOURS_PER_MONTH)
    return {
        "choice": choice,
        "npv": value,
        "p10": p10,
        "p90": p90,
        "usd_per_gpu_hour": float(each),
        "verdict": "",
    }


def _verdict(name: str, always: bool, at: float, low: float, high: float, p_buy: float) -> str:
    if always:
        return f"buying costs {at:.0%} of this commitment (80 % band {low:.0%} to {high:.0%}) and is cheaper in {p_buy:.0%} of the draws"
    if at > 1:
        return f"never: even at all hours {name} is cheaper (buying costs {at:.2f}x; 80 % band {low:.2f}x to {high:.2f}x)"
    return f"buying is cheaper above {at:.0%} of the hours (80 % band {low:.0%} to {high:.0%})"
