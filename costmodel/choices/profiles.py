"""When requests arrive: active hours and peak over mean; and the fleets of all options changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from costmodel.choices.servings.api import Api
from costmodel.choices.servings.capacity import Fleet
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.servings.owned import Owned
from costmodel.choices.study import Study
from costmodel.choices.workload import Workload
from costmodel.core import (
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    Number,
    assumed,
    check,
    check_known,
    middle,
    not_none,
    one_number,
    public,
)
from costmodel.laws.queueing import load_at

BASE_LOAD, BOUGHT = "Own base load + API", "Bought GPUs"
LEAST_ACTIVE = 0.05  # an hour with less than this share of the busiest one is not active

# name: (hours with traffic in a month, (low, mid, high) of the busiest hour over their mean, why)
PROFILES = {
    "office": (220.0, (1.4, 1.8, 2.5), "22 working days of 10 hours, two humps"),
    "consumer": (HOURS_PER_MONTH, (1.7, 2.2, 3.0), "one time zone, evenings and weekends busiest"),
    "global": (HOURS_PER_MONTH, (1.2, 1.4, 1.8), "users around the world"),
    "campaign": (
        HOURS_PER_MONTH,
        (4.0, 6.0, 12.0),
        "quiet weeks and a few days of many times the mean",
    ),
    "steady": (HOURS_PER_MONTH, None, ""),
}


@public
def profile(name: str | None = None, hourly: Iterable[float] | None = None) -> dict[str, Any]:
    """When requests arrive, by the name of a profile or from your own counts per hour.

    The load in between follows the curve of `load_at`: P (1 - share)^(P - 1).

    Parameters
    ----------
    name : {"office", "consumer", "global", "campaign", "steady"}, optional
    hourly : iterable of float, optional
        Counts of one day (24 numbers), one week (168) or any whole number of days, in any unit.

    Returns
    -------
    dict
        `active_hours_per_month` [hour/month] and `peak_to_average` [x], fields of a Workload.

    Raises
    ------
    ValueError
        Without name and counts, with both, for an unknown name, and for counts of no whole days.

    Examples
    --------
    >>> profile("steady")
    {'active_hours_per_month': 730.0, 'peak_to_average': 1.0}
    >>> profile(hourly=[0] * 8 + [50, 100, 150, 100] + [0] * 12)
    {'active_hours_per_month': 121.66666666666667, 'peak_to_average': 1.5}
    """
    check(
        (name is None) != (hourly is None),
        f"profile: give a name ({', '.join(PROFILES)}) or hourly=, and not both",
    )
    if name is not None:
        check_known("traffic profile", name, PROFILES)
        active, ends, why = PROFILES[name]
        peak: Any = 1.0
        if ends:
            why = f"{why}; measure yours with profile(hourly=...)"
            peak = assumed(*ends, why, name="Workload.peak_to_average")
        return {"active_hours_per_month": active, "peak_to_average": peak}
    counts = np.asarray(list(hourly or ()), float)
    whole = counts.size >= HOURS_PER_DAY and counts.size % HOURS_PER_DAY == 0
    check(
        whole and np.isfinite(counts).all() and (counts >= 0).all() and counts.max() > 0,
        f"profile: hourly has {counts.size} numbers, allowed are 24, 168 or other whole days "
        "of counts of 0 or more, not all 0",
    )
    busy = counts[counts > LEAST_ACTIVE * counts.max()]
    return {
        "active_hours_per_month": HOURS_PER_MONTH * busy.size / counts.size,
        "peak_to_average": float(counts.max() / busy.mean()),
    }


def hours_of_day(
    active_hours_per_month: float, peak_to_average: float, days_per_month: float
) -> np.ndarray:
    """Load of each hour of a working day over the mean of its active hours, busiest in the middle.

    Half of each level lies before the busiest hour, half after it; hours without traffic are 0.

    >>> hours_of_day(220, 2.0, days_per_month=22).round(1).tolist()[7:17]
    [0.1, 0.5, 0.9, 1.3, 1.7, 1.9, 1.5, 1.1, 0.7, 0.3]
    """
    open_hours = min(active_hours_per_month / days_per_month, HOURS_PER_DAY)
    rank = np.arange(int(HOURS_PER_DAY))  # of an hour: 0 is the busiest
    share = (rank + 0.5) / open_hours
    load = np.where(share < 1, load_at(np.minimum(share, 1.0), peak_to_average), 0.0)
    hours = np.argsort(np.abs(rank - HOURS_PER_DAY / 2 + 0.25), kind="stable")  # busiest first
    return load[np.argsort(hours)]


@public
def with_fleet(
    options: Mapping[str, Any],
    work: Workload,
    own_model: str | None = None,
    gpu: str | None = None,
    precision: str | None = None,
    traffic_profile: str | None = None,
    peak_to_avg: Number | None = None,
    throughput_tps: Number | None = None,
    gpu_hourly: Number | None = None,
    min_replicas: Number | None = None,
    headroom: Number | None = None,
    spare_replicas: Number | None = None,
    fte: Number | None = None,
    purchase_price: Number | None = None,
    life_months: Number | None = None,
    residual: Number | None = None,
) -> tuple[dict[str, Any], Workload]:
    """All options on own GPUs, and their workload, with everything changed that is not None.

    Parameters
    ----------
    options : dict of label to Option or Mix
        Options without GPUs of their own stay as they are.
    work : Workload
        What arrives.
    own_model, gpu, precision : str, optional
        Model, machine and number format.
    traffic_profile : str, optional
        Name of a profile, see `profile`.
    peak_to_avg : number, x, at least 1, optional
        Load of the busiest active hour over the mean; it overrides the peak of the profile.
    throughput_tps : number, token/s, optional
        Measured output of one replica.
    gpu_hourly : number, USD/GPU-hour, optional
        Your rent.
    min_replicas, spare_replicas : number, count, optional
        Replicas that stay up at least, and those beside what the load needs.
    headroom : number, share, 0 to 0.99, optional
        Capacity kept free beside queueing.
    fte : number, FTE, optional
        People who keep it running.
    purchase_price : number, USD, optional
        Price of one GPU that is bought.
    life_months : number, month, optional
        How long a bought server lives before it is replaced.
    residual : number, share, optional
        Share of its price that a bought server still fetches after three years.

    Returns
    -------
    dict of label to Option or Mix, and Workload
        The options in the same order, and the workload with its traffic profile.

    Raises
    ------
    ValueError
        When something is changed that no option has.

    Examples
    --------
    >>> import costmodel as cm
    >>> options = {"own": cm.Option(cm.Hosted("llama-3.1-8b", gpu="L40S"))}
    >>> work = cm.Workload(300_000, input_tokens=900, output_tokens=250)
    >>> options, _ = cm.serving.with_fleet(options, work, gpu_hourly=1.5)
    >>> options["own"].serving.rent.usd_per_gpu_hour
    1.5
    """
    hosted = {
        label: option
        for label, option in options.items()
        if isinstance(getattr(option, "serving", None), Hosted)
    }
    owned = [option.serving.owned is not None for option in hosted.values()]
    purchase = not_none(capex_usd=purchase_price, life_months=life_months, residual=residual)
    check(
        any(owned) or not purchase,
        "with_fleet: purchase_price, life_months or residual changes nothing, because no option "
        "has bought GPUs",
    )
    check(
        gpu_hourly is None or not all(owned),
        "with_fleet: gpu_hourly changes nothing, because no option has rented GPUs; leave it out",
    )
    timing = profile(traffic_profile) if traffic_profile is not None else {}
    work = replace(work, **timing | not_none(peak_to_average=peak_to_avg))
    changes = not_none(
        model=own_model, gpu=gpu, precision=precision, replicas_min=min_replicas, upkeep_fte=fte
    )
    if headroom is not None:
        one_number("with_fleet: headroom", headroom, 0, 0.99)
        changes["load_max"] = 1 - headroom
    if throughput_tps is not None:
        one_number("with_fleet: throughput_tps", throughput_tps)
        answer = middle(work).request().main.generated_tokens
        changes["requests_per_s"] = throughput_tps / answer

    def changed(serving: Hosted) -> Hosted:
        fleet = replace(serving.fleet, **not_none(spare_replicas=spare_replicas))
        bought = serving.owned and replace(serving.owned, **purchase)
        serving = replace(serving, **changes, fleet=fleet, owned=bought)
        if gpu_hourly is None or bought:
            return serving
        rent = replace(serving.rent, id="your rent", usd_per_gpu_hour=gpu_hourly, sources=())
        return replace(serving, rent=rent)

    for label, option in hosted.items():
        hosted[label] = replace(option, serving=changed(option.serving))
    return {**options, **hosted}, work


@public
def with_own_gpus(
    study: Study,
    api: str = "API",
    own: str = "Own GPUs",
    model: str = "llama-3.3-70b",
    gpu: str = "H100-SXM",
) -> Study:
    """An API against GPUs of your own for the workload of a study that lacks one of the options.

    Parameters
    ----------
    study : Study
        One that has all four options stays as it is.
    api, own : str
        Labels of the API and of the rented GPUs; beside them stand a base load of your own with the
        peak on the API, and bought GPUs.
    model, gpu : str
        What runs on GPUs of your own.

    Returns
    -------
    Study
        The four options; those that were missing do the work of the first that asks an API, with
        retrieval where there is one, and the title says so.

    Raises
    ------
    ValueError
        When no option asks an API.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.serving.with_own_gpus(cm.load("startup_chatbot"))
    >>> list(study.options)
    ['API', 'Own GPUs', 'Own base load + API', 'Bought GPUs']
    """
    labels = (api, own, BASE_LOAD, BOUGHT)
    if study.options.keys() >= set(labels):
        return study
    asks = {x: o for x, o in study.options.items() if isinstance(getattr(o, "serving", 0), Api)}
    check(asks, "no option here asks an API, so that own GPUs have nothing to be held against")
    like = next((asks[x] for x in ("RAG", "Prompt") if x in asks), next(iter(asks.values())))
    spare = Fleet(spare_replicas=1)
    hosts = {
        own: Hosted(model, gpu=gpu, fleet=spare),
        BASE_LOAD: Hosted(model, gpu=gpu, fleet=Fleet(cover=0.4), overflow=like.serving),
        BOUGHT: Hosted(model, gpu=gpu, fleet=spare, owned=Owned()),
    }
    made = {api: like} | {x: replace(like, serving=y, quality=None) for x, y in hosts.items()}
    options = {label: study.options.get(label, made[label]) for label in labels}
    title = f"{study.title}, with {model} on GPUs of your own"
    return replace(study, options=options, title=title, accept_zero=None)
