"""How a fleet runs: replicas, utilisation and idle money by month, energy and carbon."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.profiles import hours_of_day
from costmodel.choices.purchases import Line
from costmodel.choices.quality.answering import cases
from costmodel.choices.schedule import occurrences, steady
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.people import people_of
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    DAYS_PER_MONTH,
    HOURS_PER_MONTH,
    KILO,
    MTOK,
    WORKING_HOURS_PER_MONTH,
    Infeasible,
    Number,
    check,
    check_known,
    frozen,
    middle,
    one_number,
    sample,
    validate,
)
from costmodel.facts import catalog
from costmodel.ledgers.engine import fleets, pooled, purchases

DRAWS = 4_000
GPUS_PER_SERVER = 8  # of the published server power and embodied carbon
NO_FLEET = "the option has no model on GPUs of its own, or it gets no traffic"
CAPACITY = [
    *("serving", "month", "load", "peak", "replicas", "gpus", "utilisation", "gpu_hours"),
    *("idle_gpu_hours", "cold_starts", "cold_share", "spilled", "fte", "usd_per_hour"),
    "usd_per_mtok_out",
]
FOOTPRINT = {
    "kwh_per_request": ("energy of a request", "kWh"),
    "kgco2e_per_request": ("carbon of a request", "kg CO2e"),
    "kwh_per_month": ("energy of a month", "kWh"),
    "kgco2e_per_month": ("carbon of a month", "kg CO2e"),
    "kwh_of_training": ("energy of all training runs", "kWh"),
    "kgco2e_of_training": ("carbon of all training runs", "kg CO2e"),
}
TRAINED = "usd_per_mtok_train"  # what a run at a provider is paid by
PASSES_OF_TRAINING = 3.0  # operations of a trained token over those of one that is read: 6 N / 2 N
OUTPUT, CACHED = ("output", "reasoning"), ("cache read",)  # classes of tokens of an API


GPU_KG, SERVER_KG = (
    catalog.fact("carbon", f"{what}.embodied_carbon").value.mid for what in ("gpu_80gb", "server")
)
MAKING = GPU_KG + SERVER_KG / GPUS_PER_SERVER  # kg CO2e of a GPU with its share of a server
SERVER_WATTS = catalog.fact("own", "server.server_power").value.mid / GPUS_PER_SERVER


@analysis
def capacity(study: Study, label: str | None = None) -> pd.DataFrame:
    """Show the fleet of an option by month: one row for each of its own servings and each month.

    Parameters
    ----------
    study : Study, or options with a workload
        One of its options has a model on GPUs of its own.
    label : str, optional
        Which option; it may be left out where there is one.

    Returns
    -------
    pandas.DataFrame
        Columns: serving, month; load, peak [replicas busy in the mean and the busiest active hour];
        replicas, gpus [count]; utilisation [share of the hours paid]; gpu_hours, idle_gpu_hours
        [hour/month]; cold_starts [count/month]; cold_share [share of requests that wait for one];
        spilled [share of requests that overflow]; fte, engineers who keep it running; usd_per_hour
        [USD, no people]; usd_per_mtok_out [USD/Mtok of the production tokens answered]. Every Range
        is at its middle.

    Raises
    ------
    ValueError
        When the option has no fleet.

    Examples
    --------
    >>> import costmodel as cm
    >>> own = cm.Option(cm.Hosted("llama-3.1-8b", gpu="L40S"))
    >>> work = cm.Workload(1e6, input_tokens=1_000, output_tokens=100, growth_per_year=1.0)
    >>> fleet = cm.serving.capacity(own, work)
    >>> fleet[["month", "load", "replicas", "utilisation"]].iloc[[0, 35]].round(1)
        month  load  replicas  utilisation
    0       1   0.1       1.0          0.0
    35     36   0.6       3.0          0.1
    """
    option, work, terms = middle((study.option(label), study.work, study.terms))
    months = np.arange(1, terms.months + 1)
    frames = []
    for serving, traffic, fleet in fleets(option, work, terms):
        at = {name: _by_month(value, terms.months) for name, value in vars(fleet).items()}
        calls = [t for t in traffic if t.item == "production"]
        tokens = sum(t.count * t.call.generated_tokens for t in calls)
        answered = tokens * work.demand(terms.months, terms.start)[1:] * (1 - at["spilled"])
        usd = serving.usd_per_month(at["replicas"], at["replica_hours"])
        table = at | {
            "serving": f"{serving.model.id} on {serving.gpu.id}",
            "month": months,
            "gpus": at["replicas"] * serving.gpus,
            "utilisation": at["busy_hours"] / np.maximum(at["replica_hours"], 1e-9),
            "gpu_hours": at["replica_hours"] * serving.gpus,
            "idle_gpu_hours": (at["replica_hours"] - at["busy_hours"]) * serving.gpus,
            "fte": _engineers(serving, fleet, work, terms),
            "usd_per_hour": usd / HOURS_PER_MONTH,
            "usd_per_mtok_out": usd * MTOK / np.where(answered > 0, answered, np.nan),
        }
        frames.append(pd.DataFrame(table, columns=CAPACITY))
    check(frames, f"capacity: {NO_FLEET}")
    return pd.concat(frames, ignore_index=True)


def _engineers(serving: Any, fleet: Any, work: Workload, terms: Terms) -> np.ndarray:
    """Engineers who keep a fleet running or are called out, in months 1..H [FTE]."""
    lines = people_of(serving, fleet.replicas * serving.gpus, work, terms)
    hours = (
        line.quantity * occurrences(line.schedule, work, terms)
        for line in lines
        if line.unit == "hour" and line.phase == "maintenance"
    )
    return sum(hours, np.zeros(terms.months + 1))[1:] / WORKING_HOURS_PER_MONTH


def _by_month(value: Any, months: int) -> np.ndarray:
    """A number of months 1..H: the same in every month, or along a path."""
    array = np.ravel(np.asarray(value, float))
    return np.full(months, array[0]) if array.size == 1 else array[1:]


@analysis
def day(
    study: Study, label: str | None = None, days_per_month: float = DAYS_PER_MONTH
) -> pd.DataFrame:
    """Show one day of load against capacity in the first month.

    The shape of the day is the load-duration curve of the workload with its busiest hour in the
    middle; what can wait lies in the troughs.

    Parameters
    ----------
    study : Study, or options with a workload
        One of its options has a model on GPUs of its own.
    label : str, optional
        Which option; it may be left out where there is one.
    days_per_month : float, optional
        Days with traffic [day/month, 1 to 31].

    Returns
    -------
    pandas.DataFrame
        Columns: hour, load, capacity (replicas up), busy, idle, spilled [replicas]. Every Range is
        at its middle.

    Raises
    ------
    ValueError
        When the option has no fleet.

    Examples
    --------
    >>> import costmodel as cm
    >>> own = cm.Option(cm.Hosted("llama-3.1-8b", gpu="L40S"))
    >>> work = cm.Workload(1e6, input_tokens=1_000, output_tokens=100)
    >>> table = cm.serving.day(own, work)
    >>> len(table), int(table["load"].idxmax()), bool((table["load"] <= table["capacity"]).all())
    (24, 12, True)
    """
    one_number("day: days_per_month", days_per_month, 1, 31)
    option, work, terms = middle((study.option(label), study.work, Terms(months=1)))
    found = fleets(option, work, terms)
    check(found, f"day: {NO_FLEET}")
    serving, _, made = found[0]
    mean, spilled, slots, replicas = (
        float(_by_month(x, 1)[0]) for x in (made.load, made.spilled, made.slots, made.replicas)
    )
    shape = hours_of_day(work.active_hours_per_month, work.peak_to_average, days_per_month)
    load = shape * mean / (1 - spilled)
    later = serving.fleet.deferrable * load.sum()
    load = load * (1 - serving.fleet.deferrable)
    up = np.full(24, replicas)
    if serving.fleet.scaling != "fixed":
        up = serving.replicas_up(load, slots, replicas)
    free = np.maximum(up - load, 0.0)
    load = load + free * later / max(free.sum(), 1e-9)  # what can wait fills the troughs
    busy = load if serving.overflow is None else np.minimum(load, up * serving.load_max)
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


# -- energy and carbon ---------------------------------------------------------------------------


@frozen
class Site:
    """Where GPUs stand: grid and facility, and how much power they draw.

    Parameters
    ----------
    grid : str
        An id of data/facts/carbon.csv.
    carbon : float or Range, optional
        Carbon of electricity [kg CO2e/kWh]; by default that of the grid.
    pue : float or Range
        Power of the facility over that of its servers [x, at least 1].
    busy_power, idle_power : float or Range
        Power of a busy and of an idle GPU over its rated power [share].
    life_months : float or Range
        Over how long the making of the hardware is spread [month].
    kwh_per_mtok_in, kwh_per_mtok_out : float or Range
        What a million tokens take that an API reads and writes [kWh/Mtok].

    Raises
    ------
    ValueError
        When the grid is not known.

    Examples
    --------
    >>> import costmodel as cm
    >>> site = cm.serving.Site(carbon=0.05, pue=1.2)
    >>> site.carbon, site.pue, site.idle_power.mid
    (0.05, 1.2, 0.18)
    """

    grid: str = "world"
    carbon: Number | None = None
    pue: Number = catalog.fact("own", "pue.industry.pue").value
    busy_power: Number = catalog.practice("Site.busy_power")
    idle_power: Number = catalog.practice("Site.idle_power")
    life_months: Number = catalog.fact("own", "server.life_months").value
    kwh_per_mtok_in: Number = catalog.fact("carbon", "api.kwh_per_mtok_in").value
    kwh_per_mtok_out: Number = catalog.fact("carbon", "api.kwh_per_mtok_out").value

    def __post_init__(self) -> None:
        grids = {
            fact.id.removeprefix("grid."): fact.value
            for fact in catalog.facts_of("carbon").values()
            if fact.field == "carbon"
        }
        if self.carbon is None or self.carbon in grids.values():  # perhaps left from another grid
            check_known("grid", self.grid, grids, where="Site")
            object.__setattr__(self, "carbon", grids[self.grid])
        validate(self)

    def kwh_per_gpu_hour(self, gpu: catalog.Gpu) -> Any:
        """Energy of a GPU at its rated power, with its share of server and facility."""
        return (gpu.power + SERVER_WATTS) / KILO * self.pue

    def kwh_per_mtok(self, kind: str) -> Any:
        """Energy of a million tokens of a class of an API."""
        if kind in CACHED:
            return 0.0
        return self.kwh_per_mtok_out if kind in OUTPUT else self.kwh_per_mtok_in


@analysis
def footprint(
    study: Study, label: str | None = None, site: Site | None = None, draws: int = DRAWS
) -> pd.DataFrame:
    """Say what energy and carbon a request, a month and the training runs of an option take.

    Own GPUs draw power idle as well as busy; server and network follow them; carbon is
    location-based and holds the making of the hardware over its life. Tokens of an API take what is
    published of a few models, facility included: wide ranges, because providers do not say. A token
    read from a cache takes none. A token that is trained on takes three of input: a pass forward,
    and one back at twice its operations. Not in it: networks outside, embeddings and people.

    Parameters
    ----------
    study : Study, or options with a workload
        The month is the first.
    label : str, optional
        Which option; it may be left out where there is one.
    site : Site, optional
        Where the GPUs stand, and what a token of an API takes; by default the mean of the world.
    draws : int
        Random draws behind the bands.

    Returns
    -------
    pandas.DataFrame
        Index kwh_per_request, kgco2e_per_request, kwh_per_month, kgco2e_per_month, and over the
        horizon kwh_of_training, kgco2e_of_training; columns what, low, mid, high [80 % band], unit.

    Raises
    ------
    Infeasible
        When no model answers.
    ValueError
        When `site` is no Site.

    Examples
    --------
    >>> import costmodel as cm
    >>> own = cm.Option(cm.Hosted("llama-3.1-8b", gpu="L40S"))
    >>> work = cm.Workload(1e6, input_tokens=1_000, output_tokens=100)
    >>> table = cm.serving.footprint(own, work, site=cm.serving.Site(pue=1.2), draws=200)
    >>> f"{table.loc['kwh_per_month', 'mid']:.0f} kWh a month"
    '85 kWh a month'
    >>> table = cm.serving.footprint(cm.Option(cm.Api("gpt-6-luna")), work, draws=200)
    >>> round(table.loc["kwh_per_month", "mid"])  # 1,000 Mtok x 0.22 + 100 Mtok x 0.6
    280
    """
    site = site or Site()
    things = (study.option(label), study.work, study.terms, site)
    mid, wide = _footprint(*middle(things)), _footprint(*sample(things, draws, study.seed))
    rows = {}
    for name, (what, unit) in FOOTPRINT.items():
        low, high = np.percentile(wide[name], [10, 90])
        rows[name] = [what, low, float(np.squeeze(mid[name])), high, unit]
    columns = ["what", "low", "mid", "high", "unit"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("quantity")


def _footprint(option: Any, work: Workload, terms: Terms, site: Any) -> dict[str, Any]:
    """The rows of `footprint`, without Ranges."""
    bought = list(purchases(cases(option, work, terms)))
    own, kwh, made = fleets(option, work, terms), np.zeros(1), 0.0
    for serving, _, fleet in own:
        busy, up, replicas = (
            _first(x) * serving.gpus
            for x in (fleet.busy_hours, fleet.replica_hours, fleet.replicas)
        )
        drawn = busy * site.busy_power + np.maximum(up - busy, 0.0) * site.idle_power
        kwh = kwh + site.kwh_per_gpu_hour(serving.gpu) * drawn
        made = made + replicas * MAKING / site.life_months
    by_token = [
        line
        for serving, traffic in pooled(bought)
        if isinstance(api := getattr(serving, "api", serving), Api)
        for line in api.price(traffic, work, terms)
    ]
    for serving, traffic, fleet in own:
        if np.any(fleet.spilled):
            by_token += serving.overflow.overflow(traffic, fleet.spilled, work, terms)
    if not own and not by_token:
        raise Infeasible("footprint: no model answers here, so that there is no energy to count")
    for line in by_token:
        each = site.kwh_per_mtok(line.item.rpartition(": ")[2]) if line.unit == "Mtok" else 0.0
        kwh = kwh + line.quantity * _first(occurrences(line.schedule, work, terms)) * each
    trained: Any = np.zeros(1)
    for serving, run in bought:
        if not isinstance(run, Line):
            continue
        if run.unit == "GPU-hour":
            each = site.kwh_per_gpu_hour(serving.gpu) * site.busy_power
        elif any(key.endswith(TRAINED) for key in run.cites):
            each = PASSES_OF_TRAINING * site.kwh_per_mtok_in
        else:
            continue
        times = occurrences(run.schedule, work, terms).sum(-1, keepdims=True)
        trained = trained + run.quantity * times * each
    kg = kwh * site.carbon + made
    requests = work.requests_per_month * _first(work.demand(terms.months, terms.start))
    values = (kwh / requests, kg / requests, kwh, kg, trained, trained * site.carbon)
    return dict(zip(FOOTPRINT, values, strict=True))


def _first(value: Any) -> Any:
    """Month 1 of what may be a path."""
    return value if steady(value) else (value[1] if np.ndim(value) == 1 else value[:, 1:2])
