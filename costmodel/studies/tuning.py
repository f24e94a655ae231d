"""What a tune must earn back: break-even by what is counted, months to payback, the cost of a tenant.

Published break-evens of fine-tuning run from ten thousand to tens of millions of requests. The difference is what is
counted as its price: the run alone, the labels, the people, or its whole life.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.purchases import PHASES, Line
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.draws import middle, sample
from costmodel.core.errors import Infeasible, check, unknown
from costmodel.core.ranges import Doubt
from costmodel.core.units import WORKING_HOURS_PER_WEEK, ROUNDING
from costmodel.core.words import number_text
from costmodel.decisions.simulate import totals
from costmodel.ledgers.book import ledger
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import evaluate

RUNNING = "running"
COUNTED = {
    "training": "training only",
    "data": "+ data",
    "people": "+ people",
    "maintenance": "+ maintenance",
}  # each with those before
LATER = ("maintenance", "migration", "monitoring", "compliance", "retirement")
DRAWS = 1_000


# what a first estimate may count -> (phases, engineer-weeks)
NAIVE: dict[str, tuple[tuple[str, ...], float]] = {
    "one run and one engineer-week": (("training",), 1),
    "all runs and one engineer-week": (("training", "experiments"), 1),
    "all runs and serving": (("training", "experiments", "serving"), 0),
    "all runs and labels": (("training", "experiments", "data"), 0),
}


def kind_of(line: Line) -> str:
    """What a line is counted as: running (serving, retrieval), or training, data, people (with evaluation and release), maintenance."""
    if line.phase in ("serving", "retrieval"):
        return RUNNING
    if line.phase == "data" or line.phase in LATER:
        return "data" if line.phase == "data" else "maintenance"
    return (
        "training"
        if line.phase in ("training", "experiments") and line.trend != "labour"
        else "people"
    )


@analysis
def paybacks(
    study: Study, first: str | None = None, second: str | None = None, draws: int = DRAWS
) -> pd.DataFrame:
    """When `second` (a tune) has earned back what it costs more than `first`, by what is counted: one row each.

    requests = (what second buys more) / (running cost of a request saved), over the horizon; rows add data, people and
    maintenance to the training. Columns: counted, usd_more, usd_saved_per_request, requests, p10, p90, p_never,
    payback_months (when the saved running costs have paid for it at this workload, NaN when not within the horizon), verdict:
    "never" when a request of the second is no cheaper, or why one of the two cannot run. Wrong answers are not in it: `breakeven` has them. Own GPUs
    cost by the hour: what a request saves is then that of this workload.
    """
    study = study.only(*study.pair(first, second))
    columns = [
        "counted",
        "usd_more",
        "usd_saved_per_request",
        "requests",
        "p10",
        "p90",
        "p_never",
        "payback_months",
        "verdict",
    ]
    try:
        mid, drawn = _paths(*middle(study.inputs)), _paths(*sample(study.inputs, draws, study.seed))
    except Infeasible as reason:
        return pd.DataFrame(
            [(counted, *[np.nan] * 7, f"cannot run: {reason}") for counted in COUNTED.values()],
            columns=columns,
        )
    rows = []
    for i, counted in enumerate(COUNTED.values()):
        kinds = list(COUNTED)[: i + 1]
        more, saved, requests = (float(np.squeeze(x)) for x in _earned(mid, kinds))
        spread = np.ravel(_earned(drawn, kinds)[2] + np.zeros(draws))
        never = float(np.isnan(spread).mean())
        p10, p90 = np.nanpercentile(spread, [10, 90]) if never < 1 else (np.nan, np.nan)
        month = _month(_ahead(mid, kinds))
        rows.append(
            (
                counted,
                more,
                saved,
                requests,
                p10,
                p90,
                never,
                month,
                _verdict(requests, month, study.terms.months),
            )
        )
    return pd.DataFrame(rows, columns=columns)


@analysis
def underestimates(
    study: Study,
    naive: Mapping[str, tuple[tuple[str, ...], float]] = NAIVE,
    months: int = 12,
    label: str | None = None,
) -> pd.DataFrame:
    """How far too low a first estimate is that counts only some phases, and weeks of an engineer: one row each.

    `naive` maps a name to (phases, engineer-weeks). Columns: counted, usd, factor (everything in those months over it), at
    the middle of all Ranges. Wrong answers are not in it: nobody budgets them.
    """
    study = study.only(study.label(label)).changed(months=months)
    usd = ledger(study).groupby("phase")["usd"].sum().drop("failures", errors="ignore")
    week = WORKING_HOURS_PER_WEEK * middle(study.terms.people.engineer.usd_per_hour)
    check(
        naive,
        "underestimates: no estimate is given; name one, such as {'labels and two weeks': (('data',), 2)}",
    )
    rows = []
    for name, (phases, weeks) in naive.items():
        for phase in phases:
            if phase not in PHASES:
                raise unknown("phase", phase, PHASES, where=f"the estimate {name!r}")
        counted = usd.reindex(phases).sum() + weeks * week
        rows.append((name, counted, usd.sum() / counted if counted else np.inf))
    return pd.DataFrame(rows, columns=["counted", "usd", "factor"])


@analysis
def tenants(study: Study, counts: Iterable[float]) -> pd.DataFrame:
    """What one tenant costs a month while more of them share a base, each with an adapter and the traffic of `work`.

    Columns: option, tenants, usd_per_tenant_month. An option without `adapters` just gets the traffic of all.
    """
    work, months = study.work, study.terms.months
    n = np.asarray(list(counts))
    whole = n.size and n.dtype.kind in "if" and bool(np.all(n >= 1))
    check(whole, f"tenants: counts is {n.tolist()}, give one or more numbers, each at least 1")
    n = n.astype(float)
    now = (
        work.requests_per_month.mid
        if isinstance(work.requests_per_month, Doubt)
        else work.requests_per_month
    )
    frames = []
    for label, option in study.options.items():
        grid = {"Workload.requests_per_month": n * now}
        for technique in (
            t for part, _, _ in option.parts() for t in part.techniques if hasattr(t, "adapters")
        ):
            grid[f"{type(technique).__name__}.adapters"] = n
        usd = totals(study.only(label), grid=grid)[label]
        frames.append(
            pd.DataFrame({"option": label, "tenants": n, "usd_per_tenant_month": usd / n / months})
        )
    return pd.concat(frames, ignore_index=True)


def _paths(pair: tuple[Any, Any], work: Workload, terms: Terms) -> dict[str, Any]:
    """USD of months 0..H that the second option pays more than the first, by kind; and the requests of those months."""
    calendar = Calendar(work, terms)
    paths: dict[str, Any] = dict.fromkeys((RUNNING, *COUNTED), np.zeros(terms.months + 1))
    for sign, option in zip((-1.0, 1.0), pair, strict=True):
        for line in evaluate(option, work, terms).lines:
            if line.phase != "failures":
                kind = kind_of(line)
                paths[kind] = paths[kind] + sign * line.usd * calendar.path(
                    line.schedule, line.trend
                )
    return paths | {"requests": work.requests_per_month * calendar.demand}


def _earned(paths: dict[str, Any], kinds: list[str]) -> tuple[Any, Any, Any]:
    """(what is bought more, what a request saves, requests that pay for it), each summed over the horizon; never is NaN."""
    more = sum(paths[k].sum(axis=-1) for k in kinds)
    saved = -paths[RUNNING].sum(axis=-1) / paths["requests"].sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return more, saved, np.where(more <= 0, 0.0, np.where(saved > 0, more / saved, np.nan))


def _ahead(paths: dict[str, Any], kinds: list[str]) -> np.ndarray:
    """USD by which the second option is ahead at the end of each month."""
    return -np.ravel(np.cumsum(paths[RUNNING] + sum(paths[k] for k in kinds), axis=-1))


def _month(ahead: np.ndarray) -> float:
    """The month, with its fraction, from which on the second stays ahead; NaN when it is behind at the end."""
    behind = np.flatnonzero(ahead < -ROUNDING)
    if not len(behind):
        return 0.0
    last = behind[-1]
    return (
        float("nan")
        if last == len(ahead) - 1
        else float(last + ahead[last] / (ahead[last] - ahead[last + 1]))
    )


def _verdict(requests: float, month: float, horizon: int) -> str:
    if np.isnan(requests):
        return "never: a request of the tune is no cheaper"
    if requests == 0:
        return "at once: the tune costs no more"
    when = (
        f"not within {horizon} months at this volume"
        if np.isnan(month)
        else "within a month"
        if month < 1
        else f"in month {month:.1f}"
    )
    return f"after {number_text(requests, 3)} requests, {when}"
