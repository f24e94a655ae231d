"""Own GPUs: buy or rent them, what their use makes of the price of a token, and own over API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Option
from costmodel.choices.schedule import monthly
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.servings.owned import Owned
from costmodel.choices.terms import STEADY, Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    HOURS_PER_MONTH,
    LEAST_DIVISOR,
    MTOK,
    SECONDS_PER_HOUR,
    WORKING_HOURS_PER_MONTH,
    check,
    middle,
    number_list,
    one_number,
    percent,
    public,
    require,
    sample,
)
from costmodel.facts import catalog
from costmodel.facts.records import Gpu, Rent
from costmodel.laws.money import annuity
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, evaluate

DRAWS = 4_000
NO_LOAD = Workload(1, input_tokens=1)  # buying and renting do not ask for it


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
    """Compare buying GPUs with renting them for a share of the hours.

    Bought GPUs are paid whether used or not: servers, setting up, people, power and housing, less
    the resale; rent is paid only for the hours used, but a commitment for all.

    Parameters
    ----------
    gpu : Gpu or str
        The GPU, or its id.
    gpus : float
        How many [count, at least 1].
    utilisation : float
        Share of the hours in use [share, above 0 to 1].
    months : int
        The horizon [month, 1 to 120].
    owned : Owned, optional
        What owning takes.
    rents : dict of str to float or Range, optional
        Names and prices [USD/GPU-hour]; by default those of the catalogue.
    terms : Terms, optional
        Discounting, people and price trends.
    draws, seed : int
        Random draws behind the bands, and what makes them repeatable.

    Returns
    -------
    pandas.DataFrame
        One row for buying and one for each rent. Columns: choice; npv, p10, p90 [USD, present value
        of the cost]; usd_per_gpu_hour [npv as equal payments over the hours used];
        breakeven_utilisation, breakeven_low, breakeven_high [share of hours above which buying is
        cheaper than this rent, 80 % band]; p_buy [share of draws in which buying is cheaper];
        verdict.

    Raises
    ------
    ValueError
        When an argument is of another kind or outside its range, or no rent is known.
    CatalogError
        When the GPU is not known.

    Examples
    --------
    324,000 x 0.7 + 8 x 26,280 h x $0.452 against 8 x 26,280 h x $2.69:

    >>> costs = {"capex_usd": 30_000, "server_overhead": 1.35, "residual": 0.30}
    >>> power = {"it_watts": 1_730 / 1.54, "usd_per_kwh": 0.0871, "pue": 1.54}
    >>> free = {"operations_fte_per_server": 0, "setup_weeks": 0}
    >>> own = Owned(life_months=60, usd_per_kw_month=196, **costs, **power, **free)
    >>> still = Terms(discount_rate=0.0, trends=replace(Terms().trends, gpu=0))
    >>> table = buy_or_rent("H100-SXM", owned=own, rents={"rent": 2.69}, terms=still, draws=2)
    >>> table.npv.round().tolist(), round(float(table.breakeven_utilisation.iloc[1]), 3)
    ([321892.0, 565546.0], 0.569)
    """
    record = gpu if isinstance(gpu, Gpu) else catalog.gpu(gpu)
    one_number("buy_or_rent: utilisation", utilisation, 1e-6, 1)
    one_number("buy_or_rent: gpus", gpus, 1)
    rents = rents or {}
    owned, terms = owned or Owned(), terms or Terms()
    for name, usd in rents.items():
        require(f"buy_or_rent: rents[{name!r}]", usd, LEAST_DIVISOR)
    asked = {name: Rent(name, "", "", "", usd) for name, usd in rents.items()}
    asked = asked or _listed(record.id)
    check(asked, f"no rent of {record.id} is known; give rents={{'ours': 2.50}}")
    always = np.array([True, *(rent.term.startswith("reserved") for rent in asked.values())])
    still = replace(terms.trends, labour=0.0, service=0.0)
    terms = replace(terms, months=months, trends=still)
    apart = tuple(replace(rent, id=f"rent {i}") for i, rent in enumerate(asked.values()))
    things = owned.of(record), terms, apart
    mid, drawn = (_present_values(x, gpus) for x in (middle(things), sample(things, draws, seed)))
    share = np.where(always, 1.0, utilisation)[:, None]
    npv = (share * mid)[:, 0]
    p10, p90 = np.percentile(share * drawn, [10, 90], axis=1)
    crossing = mid[0, 0] / mid[:, 0]
    low, high = np.percentile(drawn[0] / drawn, [10, 90], axis=1)
    p_buy = (drawn[0] < share * drawn).mean(axis=1)
    hours = gpus * utilisation * HOURS_PER_MONTH
    verdicts = map(_verdict, asked, always[1:], crossing[1:], low[1:], high[1:], p_buy[1:])
    table = pd.DataFrame(
        {
            "choice": ["buy", *asked],
            "npv": npv,
            "p10": p10,
            "p90": p90,
            "usd_per_gpu_hour": annuity(npv, terms.discount_rate, months) / hours,
            "breakeven_utilisation": np.where(always, np.nan, crossing),
            "breakeven_low": np.where(always, np.nan, low),
            "breakeven_high": np.where(always, np.nan, high),
            "p_buy": p_buy,
            "verdict": ["", *verdicts],
        }
    )
    table.loc[0, "p_buy"] = np.nan
    return table


def _listed(gpu: str) -> dict[str, Rent]:
    """The rents of a GPU in the catalogue by what readers call them."""
    found = [r for r in catalog.rents().values() if r.gpu == gpu and r.term != "spot"]
    terms = [r.term.replace("_", " ").replace("mo", " months") for r in found]
    return {f"{r.channel} {term}": r for r, term in zip(found, terms, strict=True)}


def _present_values(given: Any, gpus: float) -> np.ndarray:
    """Present value of owning and of each rent for all hours, shape (choices, draws)."""
    own, terms, rents = given
    calendar = Calendar(NO_LOAD, terms)
    hours = gpus * HOURS_PER_MONTH

    def paid(usd_per_gpu_hour: Any, trend: str = STEADY) -> Any:
        return hours * usd_per_gpu_hour * calendar.factor(monthly(), trend, True)

    servers = Bill([*own.price(gpus, terms)], None, 0.0, True).total(calendar, discounted=True)
    values = [servers + paid(own.power_usd_per_gpu_hour())]
    for rent in rents:  # a commitment keeps its price
        kept = rent.term.startswith("reserved")
        values.append(paid(rent.usd_per_gpu_hour, STEADY if kept else "gpu"))
    return np.stack(np.broadcast_arrays(*values)).reshape(len(values), -1)


def _verdict(name: str, always: bool, at: float, low: float, high: float, p_buy: float) -> str:
    """The answer for one rent in words."""
    band = f"(80 % band {percent(low)} to {percent(high)})"
    if always:
        draws = f"is cheaper in {percent(p_buy)} of the draws"
        return f"buying costs {percent(at)} of this commitment {band} and {draws}"
    if at > 1:
        return (
            f"never: even at all hours {name} is cheaper (buying costs {at:.2f}x; 80 % band "
            f"{low:.2f}x to {high:.2f}x)"
        )
    return f"buying is cheaper above {percent(at)} of the hours {band}"


# -- price against use ---------------------------------------------------------------------------


@public
def by_utilisation(
    serving: Hosted,
    work: Workload,
    shares: Iterable[float],
    fte: float = 0.0,
    replicas: float = 1.0,
    api: Any = None,
    terms: Terms | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Say what a million output tokens cost by the share of the capacity in use.

    Parameters
    ----------
    serving : Hosted
        One replica.
    work : Workload
        What arrives.
    shares : iterable of float
        Shares of the capacity in use [share, above 0 to 1].
    fte : float
        Engineers [FTE].
    replicas : float
        Replicas that they look after [count, above 0].
    api : Api, optional
        What the same requests are also priced at.
    terms : Terms, optional
        People and price trends.
    draws, seed : int
        Random draws behind the band, and what makes them repeatable.

    Returns
    -------
    pandas.DataFrame
        Columns: utilisation [share]; usd_per_mtok_out, low, high [USD/Mtok, 80 % band]; with_people
        [USD/Mtok]; api [USD over output tokens, USD/Mtok; NaN without one].

    Raises
    ------
    ValueError
        When an argument is of another kind or outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> own = cm.Hosted("llama-3.1-8b", gpu="L40S")
    >>> work = cm.Workload(1e6, input_tokens=1_000, output_tokens=100)
    >>> table = cm.serving.by_utilisation(own, work, shares=[0.1, 1.0], draws=200)
    >>> usd = table["usd_per_mtok_out"]
    >>> round(float(usd[0] / usd[1]), 6)
    10.0
    """
    terms = terms or Terms()
    one_number("by_utilisation: replicas", replicas, LEAST_DIVISOR)
    used = number_list("by_utilisation: shares", shares, LEAST_DIVISOR, 1)
    one_number("by_utilisation: fte", fte, 0)
    given = serving, work, terms
    mid, people = _usd_per_mtok(middle(given), fte)
    low, high = np.percentile(_usd_per_mtok(sample(given, draws, seed), fte)[0], [10, 90])
    each = np.nan if api is None else _api_usd_per_request(*middle((api, work, terms)))
    tokens = middle(work).request().main.generated_tokens
    return pd.DataFrame(
        {
            "utilisation": used,
            "usd_per_mtok_out": mid / used,
            "low": low / used,
            "high": high / used,
            "with_people": (mid + people / replicas) / used,
            "api": each / tokens * MTOK,
        }
    )


def _api_usd_per_request(api: Any, work: Workload, terms: Terms) -> float:
    """What an API asks for one request at today's prices."""
    month = Terms(months=1, trends=terms.trends, people=terms.people)
    lines = evaluate(Option(api), work, month).lines
    return float(sum(np.squeeze(line.usd) for line in lines) / work.requests_per_month)


def _calls_per_month(serving: Any, work: Workload) -> Any:
    """Calls that one replica answers when it is always busy."""
    return HOURS_PER_MONTH * SECONDS_PER_HOUR / serving.seconds_per_call(work.request().main)


def _people(terms: Terms, fte: Any) -> Any:
    """USD a month of engineers."""
    return fte * WORKING_HOURS_PER_MONTH * terms.people.engineer.usd_per_hour


def _usd_per_mtok(given: tuple[Any, Workload, Terms], fte: float) -> tuple[Any, Any]:
    """(price of a replica that is always busy, that of its people), without Ranges."""
    serving, work, terms = given
    call = work.request().main
    mtok = call.generated_tokens * _calls_per_month(serving, work) / MTOK
    return serving.usd_per_month(1.0, HOURS_PER_MONTH) / mtok, _people(terms, fte) / mtok


@public
def own_over_api(
    own: Hosted,
    api: Any,
    work: Workload,
    utilisation: Iterable[float],
    fte: Iterable[float],
    replicas: float = 1.0,
    terms: Terms | None = None,
) -> pd.DataFrame:
    """Divide the monthly cost of own replicas with their people by what an API asks for the same.

    The own cost is that of replicas that are always up; the API answers utilisation x what the
    replicas could.

    Parameters
    ----------
    own : Hosted
        One replica.
    api : Api
        What the same answers are bought from.
    work : Workload
        What arrives.
    utilisation : iterable of float
        Shares of the capacity in use [share, above 0 to 1].
    fte : iterable of float
        Engineers [FTE].
    replicas : float
        Own replicas [count, above 0].
    terms : Terms, optional
        People and price trends.

    Returns
    -------
    pandas.DataFrame
        Index upkeep_fte, columns utilisation [x; below 1 own GPUs are cheaper]. Every Range is at
        its middle.

    Raises
    ------
    ValueError
        When an argument is of another kind or outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> own, api = cm.Hosted("llama-3.1-8b", gpu="L40S"), cm.Api("gpt-4o", on="2026-11-01")
    >>> work = cm.Workload(1e6, input_tokens=1_000, output_tokens=100)
    >>> ratio = cm.serving.own_over_api(own, api, work, utilisation=[0.02, 0.5], fte=[0, 1])
    >>> (ratio < 1).to_numpy().tolist()
    [[True, True], [False, True]]
    """
    terms = terms or Terms()
    one_number("own_over_api: replicas", replicas, LEAST_DIVISOR)
    shares = number_list("own_over_api: utilisation", utilisation, LEAST_DIVISOR, 1)
    staff = number_list("own_over_api: fte", fte, 0)
    own, api, work, terms = middle((own, api, work, terms))
    asked = replicas * _calls_per_month(own, work) * _api_usd_per_request(api, work, terms)
    usd = own.usd_per_month(replicas, replicas * HOURS_PER_MONTH) + _people(terms, staff[:, None])
    return pd.DataFrame(
        usd / (asked * shares),
        index=pd.Index(staff, name="upkeep_fte"),
        columns=pd.Index(shares, name="utilisation"),
    )
