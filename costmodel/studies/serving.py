"""How a fleet runs: replicas, utilisation and idle money by month, energy and carbon of a request, and the wait at an API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Option
from costmodel.choices.profiles import hours_of_day
from costmodel.choices.schedule import steady
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.checks import LEAST_DIVISOR, of_kind, one_number, validate
from costmodel.core.draws import middle, sample
from costmodel.core.errors import Infeasible, check
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import (
    HOURS_PER_MONTH,
    KILO,
    MTOK,
    SECONDS_PER_HOUR,
    WORKING_HOURS_PER_MONTH,
)
from costmodel.facts import catalog
from costmodel.laws.serving.predict import usd_per_mtok
from costmodel.ledgers.engine import evaluate, fleets

DRAWS = 4_000
EDGES = (10, 90)  # percentiles of an 80 % band
FOOTPRINT = {
    "kwh_per_request": ("energy of a request", "kWh"),
    "kgco2e_per_request": ("carbon of a request", "kg CO2e"),
    "kwh_per_month": ("energy of a month", "kWh"),
    "kgco2e_per_month": ("carbon of a month", "kg CO2e"),
}


@analysis
def capacity(study: Study, label: str | None = None) -> pd.DataFrame:
    """The fleet of an option by month, at the middle of every Range; one row per own serving and month.

    Columns: serving, month, load (replicas busy in the mean active hour), peak (in the busiest), replicas, gpus, utilisation
    (of the hours paid), gpu_hours, idle_gpu_hours, cold_starts, cold_share (of requests that wait for one), spilled (share that
    overflows), usd_per_hour (`Hosted.usd_per_month`: no people), usd_per_mtok_out (the same over the production tokens answered).
    """
    option = study.option(label)
    work, terms = study.work, study.terms
    rows = []
    month_work, month_terms = middle((work, terms))
    for serving, traffic, made in fleets(middle(option), month_work, month_terms):
        tokens = sum(
            t.count * (t.call.output_tokens + t.call.reasoning_tokens)
            for t in traffic
            if t.item == "production"
        )
        demand = month_work.demand(terms.months)
        for m in range(1, terms.months + 1):
            at = {name: _month(value, m) for name, value in vars(made).items()}
            hours = at["replica_hours"] * serving.gpus
            answered = tokens * demand[m] * (1 - at["spilled"])
            usd = float(np.squeeze(serving.usd_per_month(at["replicas"], at["replica_hours"])))
            rows.append(
                {
                    "serving": f"{serving.model.id} on {serving.gpu.id}",
                    "month": m,
                    "load": at["load"],
                    "peak": at["peak"],
                    "replicas": at["replicas"],
                    "gpus": at["replicas"] * serving.gpus,
                    "utilisation": at["busy_hours"] / max(at["replica_hours"], 1e-9),
                    "gpu_hours": hours,
                    "idle_gpu_hours": hours - at["busy_hours"] * serving.gpus,
                    "cold_starts": at["cold_starts"],
                    "cold_share": at["cold_share"],
                    "spilled": at["spilled"],
                    "usd_per_hour": usd / HOURS_PER_MONTH,
                    "usd_per_mtok_out": usd * MTOK / answered if answered else np.nan,
                }
            )
    check(rows, "capacity: the option has no model on GPUs of its own, or it gets no traffic")
    return pd.DataFrame(rows)


def _month(value: Any, m: int) -> float:
    """A number of month m: the same in every month, or along a path."""
    array = np.ravel(value)
    return float(array[0] if array.size == 1 else array[m])


@analysis
def day(
    study: Study, label: str | None = None, days_per_month: float | None = None
) -> pd.DataFrame:
    """One day of load against capacity in the first month, at the middle: hour, load, capacity (replicas up), busy, idle, spilled.

    Loads are in replicas, and what can wait lies in the troughs; the shape of the day is the load-duration curve of the workload with its busiest hour in the middle.
    """
    if days_per_month is not None:
        one_number("day: days_per_month", days_per_month, 1, 31)
    option, terms = study.option(label), Terms(months=1)
    month_work, terms = middle((study.work, terms))
    found = fleets(middle(option), month_work, terms)
    check(found, "day: the option has no model on GPUs of its own, or it gets no traffic")
    serving, _, made = found[0]
    load = (
        hours_of_day(month_work.active_hours_per_month, month_work.peak_to_average, days_per_month)
        * _month(made.load, 1)
        / (1 - _month(made.spilled, 1))
    )
    later = serving.fleet.deferrable * load.sum()
    load = load * (1 - serving.fleet.deferrable)
    replicas = _month(made.replicas, 1)
    up = (
        np.full(24, replicas)
        if serving.fleet.scaling == "fixed"
        else np.array([serving.replicas_up(x, _month(made.slots, 1), replicas) for x in load])
    )
    reach = up * serving.load_max if serving.overflow is not None else np.full(24, np.inf)
    free = np.maximum(up - load, 0.0)
    load = load + free * later / max(free.sum(), 1e-9)  # what can wait fills the troughs
    busy = np.minimum(load, reach)
    return pd.DataFrame(
        {
            "hour": np.arange(24),
            "load": load,
            "capacity": up,
            "busy": busy,
            "idle": np.maximum(up - busy, 0.0),
            "spilled": load - busy,
        }
    )


# -- price against use ------------------------------------------------------------------------------


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
    """Price of a million output tokens against the share of the capacity in use, with and without people.

    Columns: utilisation, usd_per_mtok_out, low, high (80 % band), with_people (`fte` engineers on `replicas` replicas), api
    (the same requests at `api` over their output tokens; NaN without one).
    """
    terms = Terms() if terms is None else terms
    _asked("by_utilisation", serving, work, terms, replicas)
    shares = _list("by_utilisation: shares", shares, LEAST_DIVISOR, 1)
    one_number("by_utilisation: fte", fte, 0)
    wide = sample((serving, work, terms), draws, seed)
    full = _full_price(*wide)
    mid, people = (
        _full_price(*middle((serving, work, terms))),
        _people_per_mtok(*middle((serving, work, terms)), fte),
    )  # type: ignore[call-arg]
    low, high = np.percentile(full, EDGES)
    tokens = middle(work).output_tokens + middle(work).reasoning_tokens
    by_token = (
        np.nan
        if api is None
        else _api_usd_per_request(middle(api), middle(work), middle(terms)) / tokens * MTOK
    )
    return pd.DataFrame(
        {
            "utilisation": shares,
            "usd_per_mtok_out": mid / shares,
            "low": low / shares,
            "high": high / shares,
            "with_people": (mid + people / replicas) / shares,
            "api": by_token,
        }
    )


def _asked(call: str, serving: Any, work: Any, terms: Any, replicas: Any) -> None:
    for name, value, kind in (
        ("serving", serving, Hosted),
        ("workload", work, Workload),
        ("terms", terms, Terms),
    ):
        of_kind(f"{call}: the {name}", value, kind)
    one_number(f"{call}: replicas", replicas, LEAST_DIVISOR)


def _list(name: str, values: Any, low: float, high: float = np.inf) -> Any:
    """Some numbers as an array, each in low..high."""
    check(
        isinstance(values, Iterable) and not isinstance(values, str),
        f"{name} is {values!r}, it must be a list of numbers",
    )
    values = list(values)
    check(values, f"{name} is empty, it must be a list of numbers")
    for value in values:
        one_number(name, value, low, high)
    return np.asarray(values, float)


def _api_usd_per_request(api: Any, work: Workload, terms: Terms) -> float:
    """What an API asks for one request at today's prices."""
    month = Terms(months=1, trends=terms.trends, people=terms.people)
    lines = evaluate(Option(api), work, month).lines
    return float(
        sum(np.squeeze(line.quantity * line.usd_per_unit) for line in lines)
        / work.requests_per_month
    )


def _full_price(serving: Any, work: Workload, terms: Terms) -> Any:
    call = work.request().calls[0]
    rate = (call.output_tokens + call.reasoning_tokens) / serving.seconds_per_call(call)
    return usd_per_mtok(serving.usd_per_month(1.0, HOURS_PER_MONTH) / HOURS_PER_MONTH, rate)


def _people_per_mtok(serving: Any, work: Workload, terms: Terms, fte: float) -> Any:
    call = work.request().calls[0]
    tokens = (
        (call.output_tokens + call.reasoning_tokens)
        * HOURS_PER_MONTH
        * SECONDS_PER_HOUR
        / serving.seconds_per_call(call)
    )
    return fte * WORKING_HOURS_PER_MONTH * terms.people.engineer.usd_per_hour / tokens * MTOK


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
    """Monthly cost of `replicas` own replicas with their people over what the API asks for the same answers, at the middle.

    Rows are FTE, columns utilisation; below 1 own GPUs are cheaper. Own cost = `Hosted.usd_per_month` of replicas that are always up + FTE; the API
    answers utilisation x what the replicas could.
    """
    terms = Terms() if terms is None else terms
    _asked("own_over_api", own, work, terms, replicas)
    shares, staff = (
        _list("own_over_api: utilisation", utilisation, LEAST_DIVISOR, 1),
        _list("own_over_api: fte", fte, 0),
    )
    own, api, work, terms = middle((own, api, work, terms))
    call = work.request().calls[0]
    most = replicas * HOURS_PER_MONTH * SECONDS_PER_HOUR / own.seconds_per_call(call)
    each = _api_usd_per_request(api, work, terms)
    usd = (
        own.usd_per_month(replicas, replicas * HOURS_PER_MONTH)
        + staff[:, None] * WORKING_HOURS_PER_MONTH * terms.people.engineer.usd_per_hour
    )
    return pd.DataFrame(
        usd / (most * shares[None, :] * each),
        index=pd.Index(staff, name="upkeep_fte"),
        columns=pd.Index(shares, name="utilisation"),
    )


# -- energy and carbon ------------------------------------------------------------------------------


@public
@dataclass(frozen=True)
class Site:
    """Where GPUs stand: grid, facility, and how much power they draw; a grid is an id of data/facts/carbon.csv."""

    grid: str = "world"
    carbon: Number | None = None
    pue: Number = catalog.fact("own", "pue.industry.pue").value
    busy_power: Number = Range(
        0.55,
        0.95,
        mid=0.75,
        why="assumption: power of a GPU under inference load over its rated power",
    )
    idle_power: Number = Range(
        0.1,
        0.3,
        mid=0.18,
        why="assumption: power of an idle GPU with a model loaded over its rated power",
    )
    life_months: Number = catalog.fact("own", "server.life_months").value

    def __post_init__(self) -> None:
        facts = catalog.facts_of("carbon")
        if self.carbon is None or self.carbon in [
            fact.value for fact in facts.values() if fact.field == "carbon"
        ]:  # of this grid, or left from another one
            names = [f"grid.{self.grid}.carbon", f"{self.grid}.carbon"]
            found = [facts[n].value for n in names if n in facts]
            check(
                found,
                f"Site.grid is {self.grid!r}, known are {', '.join(sorted(f.id.removeprefix('grid.') for f in facts.values() if f.field == 'carbon'))}",
            )
            object.__setattr__(self, "carbon", found[0])
        validate(self)


@analysis
def footprint(
    study: Study, label: str | None = None, site: Site | None = None, draws: int = DRAWS
) -> pd.DataFrame:
    """Energy and carbon of a request and of a month on own GPUs, in the first month: rows with the columns what, low, mid, high (80 % band), unit.

    Rows: kwh_per_request, kgco2e_per_request, kwh_per_month, kgco2e_per_month. Power is drawn idle as well as busy; server and
    network follow the GPUs; carbon is location-based and holds the making of the hardware over its life. Not in it: networks
    outside, and APIs, whose providers do not say.
    """
    site = Site() if site is None else site
    of_kind("footprint: the site", site, Site)
    things = (study.option(label), study.work, study.terms, site)
    mid, wide = _footprint(*middle(things)), _footprint(*sample(things, draws, study.seed))
    rows = {}
    for name, (what, unit) in FOOTPRINT.items():
        low, high = np.percentile(wide[name], EDGES)
        rows[name] = [what, low, float(np.ravel(mid[name])[0]), high, unit]
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=["what", "low", "mid", "high", "unit"]
    ).rename_axis("quantity")


def _footprint(option: Any, work: Workload, terms: Terms, site: Site) -> dict[str, Any]:
    kwh: Any = 0.0
    made: Any = 0.0  # kg CO2e of the hardware in a month
    found = fleets(option, work, terms)
    if not found:
        raise Infeasible(
            "footprint: the option has no model on GPUs of its own, and providers do not publish theirs"
        )
    facts = catalog.facts_of("own")
    share = facts["server.server_power"].value.mid / 8
    embodied = catalog.facts_of("carbon")
    each = (
        embodied["gpu_80gb.embodied_carbon"].value.mid
        + embodied["server.embodied_carbon"].value.mid / 8
    )
    for serving, _, c in found:
        busy, up = (_first(x) * serving.gpus for x in (c.busy_hours, c.replica_hours))
        watts = serving.gpu.power + share
        kwh = kwh + watts / KILO * site.pue * (
            busy * site.busy_power + np.maximum(up - busy, 0.0) * site.idle_power
        )
        made = made + _first(c.replicas) * serving.gpus * each / site.life_months
    kg, requests = (
        kwh * site.carbon + made,
        work.requests_per_month * _first(work.demand(terms.months)),
    )
    return {
        "kwh_per_request": kwh / requests,
        "kgco2e_per_request": kg / requests,
        "kwh_per_month": kwh,
        "kgco2e_per_month": kg,
    }


def _first(value: Any) -> Any:
    """Month 1 of what may be a path."""
    return value if steady(value) else (value[1] if np.ndim(value) == 1 else value[:, 1:2])
