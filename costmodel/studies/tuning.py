"""What a tune must earn back: break-even by what is counted, its methods, the cost of a tenant.

Published break-evens of fine-tuning run from ten thousand to tens of millions of requests. The
difference is what is counted as its price: the run alone, the labels, the people, or its whole
life.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import accumulate, product
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.mixes import Mix
from costmodel.choices.purchases import PHASES, Line
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.lora import Lora
from costmodel.choices.techniques.tuning import FineTune, Tune
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    WORKING_HOURS_PER_WEEK,
    Infeasible,
    check,
    check_known,
    middle,
    number_list,
    number_text,
    objects,
    public,
    sample,
)
from costmodel.decisions.breakeven import stays_ahead
from costmodel.decisions.simulate import totals
from costmodel.ledgers.book import ledger
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, at_middle, evaluate

RUNNING = "running"
COUNTED = {  # each with those before
    "training": "training only",
    "data": "+ data",
    "people": "+ people",
    "maintenance": "+ maintenance",
}
LATER = ("maintenance", "migration", "monitoring", "compliance", "retirement")
DRAWS = 1_000


# what a first estimate may count -> (phases, engineer-weeks)
Naive = Mapping[str, tuple[tuple[str, ...], float]]
NAIVE: Naive = {
    "one run and one engineer-week": (("training",), 1),
    "all runs and one engineer-week": (("training", "experiments"), 1),
    "all runs and serving": (("training", "experiments", "serving"), 0),
    "all runs and labels": (("training", "experiments", "data"), 0),
}


def kind_of(line: Line) -> str:
    """What a line is counted as; evaluation and release are people."""
    if line.phase in ("serving", "retrieval"):
        return RUNNING
    if line.phase in LATER:
        return "maintenance"
    run = line.phase in ("training", "experiments") and line.trend != "labour"
    return "data" if line.phase == "data" else "training" if run else "people"


@analysis
def paybacks(
    study: Study, first: str | None = None, second: str | None = None, draws: int = DRAWS
) -> pd.DataFrame:
    """Say when a tune has earned back what it costs more, by what is counted.

    requests = (what the second option buys more) / (running cost of a request saved), over the
    horizon. Own GPUs cost by the hour: what a request saves is then that of this workload. Wrong
    answers are not in it: `breakeven` has them.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    first, second : str, optional
        Labels of what runs today and of the tune; they may be left out where there are two options.
    draws : int
        Random draws behind the band.

    Returns
    -------
    pandas.DataFrame
        One row for each way to count: training only, then data, people and maintenance added.
        Columns: counted; usd_more [USD]; usd_saved_per_request [USD]; requests, p10, p90 [request
        that pay for it]; p_never [share of the draws whose calls fit]; payback_months [month, NaN
        where it is not within the horizon]; verdict ("never" where a request of the tune is no
        cheaper, or why one of the two cannot run).

    Raises
    ------
    CatalogError
        When a label is not known.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> table = cm.training.paybacks(study, "Few-shot", "LoRA", draws=200)
    >>> table["counted"].to_list(), table["requests"].is_monotonic_increasing
    (['training only', '+ data', '+ people', '+ maintenance'], True)
    """
    study = study.only(*study.pair(first, second))
    try:
        mid, drawn = (
            _extra(*numbers)
            for numbers in (middle(study.inputs), sample(study.inputs, draws, study.seed))
        )
    except Infeasible as reason:
        rows = [{"counted": name, "verdict": f"cannot run: {reason}"} for name in COUNTED.values()]
        return pd.DataFrame(rows, columns=COLUMNS)
    rows = []
    for name in COUNTED.values():
        more, saved, requests = (float(np.squeeze(x)) for x in mid.earned(name))
        fits = np.broadcast_to(np.ravel(drawn.fits), draws)
        spread = np.broadcast_to(np.ravel(drawn.earned(name)[2]), draws)[fits]
        never = float(np.isnan(spread).mean()) if fits.any() else np.nan
        p10, p90 = np.nanpercentile(spread, [10, 90]) if never < 1 else (np.nan, np.nan)
        (month,) = stays_ahead(-np.cumsum(mid.usd[name] + mid.usd[RUNNING])[None, :])
        verdict = _verdict(requests, month, study.terms.months)
        row: Any = (name, more, saved, requests, p10, p90, never, month, verdict)
        rows.append(dict(zip(COLUMNS, row, strict=True)))
    return pd.DataFrame(rows)


COLUMNS = [
    *("counted", "usd_more", "usd_saved_per_request", "requests"),
    *("p10", "p90", "p_never", "payback_months", "verdict"),
]


@analysis
def underestimates(
    study: Study, naive: Naive = NAIVE, months: int = 12, label: str | None = None
) -> pd.DataFrame:
    """Say how far too low a first estimate is that counts some phases and weeks of an engineer.

    Wrong answers are not in it: nobody budgets them.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    naive : mapping of str to (phases, weeks)
        First estimates by name: the phases that they count, and weeks of an engineer.
    months : int
        The horizon [month].
    label : str, optional
        Which option; it may be left out where there is one.

    Returns
    -------
    pandas.DataFrame
        Columns: counted; usd [USD]; factor [x, everything in those months over it]. Amounts are
        expected values.

    Raises
    ------
    ValueError
        When there is no estimate.
    CatalogError
        When a phase is not known.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> naive = {
    ...     "one run and a week": (("training",), 1),
    ...     "runs and data": (("training", "data"), 0),
    ... }
    >>> table = cm.training.underestimates(study, naive, label="LoRA")
    >>> [
    ...     f"{counted}: {factor:.0f} times too low"
    ...     for counted, _, factor in table.itertuples(index=False)
    ... ]
    ['one run and a week: 86 times too low', 'runs and data: 24 times too low']
    """
    study = study.only(study.label(label)).changed(months=months)
    usd = ledger(study).groupby("phase")["usd"].sum().drop("failures", errors="ignore")
    week = WORKING_HOURS_PER_WEEK * middle(study.terms.people.engineer.usd_per_hour)
    check(
        naive,
        "underestimates: no estimate is given; name one, such as "
        "{'labels and two weeks': (('data',), 2)}",
    )
    rows = []
    for name, (phases, weeks) in naive.items():
        for phase in phases:
            check_known("phase", phase, PHASES, where=f"the estimate {name!r}")
        counted = usd.reindex(phases).sum() + weeks * week
        rows.append((name, counted, usd.sum() / counted if counted else np.inf))
    return pd.DataFrame(rows, columns=["counted", "usd", "factor"])


@analysis
def tenants(study: Study, counts: Iterable[float]) -> pd.DataFrame:
    """Say what one tenant costs while more of them share a base.

    Each tenant has an adapter and the traffic of the workload. An option without adapters just gets
    the traffic of all.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    counts : iterable of float
        Numbers of tenants [count, at least 1].

    Returns
    -------
    pandas.DataFrame
        Columns: option, tenants, usd_per_tenant_month [USD/month]. Every Range is at its middle.

    Raises
    ------
    ValueError
        When a count is below 1.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("LoRA")
    >>> usd = cm.training.tenants(study, counts=[1, 10])["usd_per_tenant_month"]
    >>> bool(usd[1] < usd[0])
    True
    """
    n = number_list("tenants: counts", counts, 1)
    traffic = n * middle(study.work.requests_per_month)
    frames = []
    for label, option in study.options.items():
        tunes = {type(t).__name__ for t in objects(option) if isinstance(t, Tune)}
        grid = dict.fromkeys((f"{name}.adapters" for name in tunes), n)
        grid["Workload.requests_per_month"] = traffic
        usd = totals(study.only(label), grid=grid)[label] / n / study.terms.months
        frames.append(pd.DataFrame({"option": label, "tenants": n, "usd_per_tenant_month": usd}))
    return pd.concat(frames, ignore_index=True)


@public
def methods(study: Study, label: str | None = None) -> Study:
    """The study of one tune made in three ways: all weights, LoRA and QLoRA.

    Everything else of the option stays: its serving, its data, its operations.

    Parameters
    ----------
    study : Study
        It holds an option with `FineTune` or `Lora`.
    label : str, optional
        Which option; it may be left out where there is one.

    Returns
    -------
    Study
        With the options "Full fine-tune", "LoRA" and "QLoRA".

    Raises
    ------
    ValueError
        When the option has no tune.

    Examples
    --------
    >>> import costmodel as cm
    >>> list(methods(cm.load("document_extraction"), "LoRA").options)
    ['Full fine-tune', 'LoRA', 'QLoRA']
    """
    label = study.label(label)
    option = study.option(label)
    tune = next((t for t in objects(option) if isinstance(t, Tune)), None)
    if tune is None:
        raise ValueError(f"methods: {label!r} has no FineTune and no Lora; name one that has")
    known = {f.name: getattr(tune, f.name) for f in fields(Tune)}
    ways = {
        "Full fine-tune": FineTune(**known),
        "LoRA": Lora(**known),
        "QLoRA": Lora(quantised=True, **known),
    }
    made = {name: _changed(option, lambda t, way=way: way) for name, way in ways.items()}
    return study.only(label).changed(options=made)


@analysis
def tune_costs(
    study: Study, over: Mapping[str, Iterable[Any]] = MappingProxyType({})
) -> pd.DataFrame:
    """Say what tunes cost by what is counted, while fields of the tune or its serving change.

    Parameters
    ----------
    study : Study, or options with a workload
        The options, such as those of `methods`.
    over : mapping of str to values
        Fields of the tunes or of their servings, and values, such as {"examples": [500, 5_000]},
        {"model": ["llama-3.1-8b", "llama-3.1-70b"]} or {"label_role": ["expert", "nurse"],
        "minutes_per_label": [2, 10]}: one row for each option and combination.

    Returns
    -------
    pandas.DataFrame
        Columns: option; the fields of `over`; usd_per_run [USD, of the run that passes]; training,
        data, people, maintenance, running [USD over the horizon, as in `paybacks`]; usd, their sum;
        why_not, where an option cannot run. Every Range is at its middle; wrong answers are not in
        it.

    Raises
    ------
    CatalogError
        When an option has no such field.

    Examples
    --------
    >>> import costmodel as cm
    >>> ways = cm.training.methods(cm.load("document_extraction"), "LoRA")
    >>> table = cm.training.tune_costs(ways, {"examples": [500, 5_000]})
    >>> table.groupby("option")["data"].nunique().to_dict()
    {'Full fine-tune': 2, 'LoRA': 2, 'QLoRA': 2}
    """
    rows = []
    for point in product(*over.values()):
        given = dict(zip(over, point, strict=True))
        options = {label: _with(option, given) for label, option in study.options.items()}
        found = at_middle(study.changed(options=options))
        for label in options:
            row = {"option": label, **given, "why_not": str(found.why_not.get(label, ""))}
            if bill := found.bills.get(label):
                usd = {kind: x.sum() for kind, x in _by_kind(bill, found.calendar).items()}
                run = [line.usd for line in bill.lines if line.item == "the run that passes"]
                row |= usd | {"usd_per_run": sum(run), "usd": sum(usd.values())}
            rows.append(row)
    return pd.DataFrame(
        rows, columns=["option", *over, "usd_per_run", *COUNTED, RUNNING, "usd", "why_not"]
    )


def _changed(x: Any, change: Callable[[Any], Any]) -> Any:
    """An option, or each option of a mix, with its tune changed."""
    if isinstance(x, Mix):
        return replace(x, mix=tuple(replace(p, option=_changed(p.option, change)) for p in x.mix))
    return replace(
        x, techniques=tuple(change(t) if isinstance(t, Tune) else t for t in x.techniques)
    )


def _with(option: Any, given: dict[str, Any]) -> Any:
    """An option with other values of fields of its tune, or else of its serving."""
    for name, value in given.items():
        holders = [x for x in objects(option) if isinstance(x, (Tune, Api, Hosted))]
        known = {f.name for x in holders for f in fields(x)}
        check_known("field", name, known, "the tunes and their servings")
        if any(isinstance(x, Tune) and hasattr(x, name) for x in holders):
            option = _changed(option, partial(replace, **{name: value}))
        else:
            option = replace(option, serving=replace(option.serving, **{name: value}))
    return option


@dataclass(frozen=True)
class _Extra:
    """What the second option pays more than the first in months 0..H.

    `usd` is by what is counted, each with what was counted before it, and by the cost of running;
    `requests` are those of the months; `fits` says in which draws all calls of both options fit.
    """

    usd: dict[str, Any]
    requests: Any
    fits: Any

    def earned(self, counted: str) -> tuple[Any, Any, Any]:
        """The extra spend, the saving of a request, and the requests that pay; NaN is never."""
        more = self.usd[counted].sum(axis=-1)
        saved = -self.usd[RUNNING].sum(axis=-1) / self.requests.sum(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = np.where(saved > 0, more / saved, np.nan)
        return more, saved, np.where(more <= 0, 0.0, needed)


def _extra(pair: tuple[Any, Any], work: Workload, terms: Terms) -> _Extra:
    """The difference of two options without Ranges."""
    calendar, fits = Calendar(work, terms), True
    usd: dict[str, Any] = dict.fromkeys((RUNNING, *COUNTED), np.zeros(terms.months + 1))
    for sign, option in zip((-1.0, 1.0), pair, strict=True):
        bill = evaluate(option, work, terms)
        fits = fits & bill.fits
        for kind, paid in _by_kind(bill, calendar).items():
            usd[kind] = usd[kind] + sign * paid
    counted = dict(zip(COUNTED.values(), accumulate(usd[kind] for kind in COUNTED), strict=True))
    requests = np.asarray(work.requests_per_month * calendar.demand)
    return _Extra(counted | {RUNNING: usd[RUNNING]}, requests, fits)


def _by_kind(bill: Bill, calendar: Calendar) -> dict[str, Any]:
    """What is paid in months 0..H, by what it is counted as; wrong answers are not in it."""
    lines = [line for line in bill.lines if line.phase != "failures"]
    return {
        kind: replace(bill, lines=[x for x in lines if kind_of(x) == kind]).paid(calendar)
        for kind in (*COUNTED, RUNNING)
    }


def _verdict(requests: float, month: float, horizon: int) -> str:
    if np.isnan(requests):
        return "never: a request of the tune is no cheaper"
    if requests == 0:
        return "at once: the tune costs no more"
    when = "within a month" if month < 1 else f"in month {month:.1f}"
    if np.isnan(month):
        when = f"not within {horizon} months at this volume"
    return f"after {number_text(requests, 3)} requests, {when}"
