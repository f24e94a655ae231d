"""What a tune must earn back: break-even by what is counted, its methods, the cost of a tenant.

Published break-evens of fine-tuning run from ten thousand to tens of millions of requests. The
difference is what is counted as its price: the run alone, the labels, the people, or its whole
life.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from functools import partial
from itertools import accumulate, product
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Option
from costmodel.choices.purchases import PHASES, Line
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.tuning import FineTune, Lora, Tune
from costmodel.core import (
    WORKING_HOURS_PER_WEEK,
    check,
    check_known,
    field_names,
    middle,
    number_list,
    number_text,
    objects,
    public,
)
from costmodel.decisions.breakeven import stays_ahead
from costmodel.decisions.simulate import per_draw, totals
from costmodel.ledgers.book import ledger
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, at_middle

RUNNING = "running"
COUNTED = {  # each with those before
    "training": "training only",
    "data": "+ data",
    "people": "+ people",
    "maintenance": "+ maintenance",
}
AMOUNTS = {kind: f"usd_{kind}" for kind in (*COUNTED, RUNNING)} | {"people": "usd_work"}
HOLDERS = Tune, Api, Hosted  # whose fields `tune_costs` changes
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
    first, second = study.pair(first, second)
    study = study.only(first, second)
    if why_not := at_middle(study).why_not.values():
        verdict = f"cannot run: {next(iter(why_not))}"
        rows = [{"counted": name, "verdict": verdict} for name in COUNTED.values()]
        return pd.DataFrame(rows, columns=COLUMNS)
    numbers = [partial(_paid, kind) for kind in (RUNNING, *COUNTED)]

    def extra(draws: int | None) -> tuple[Any, Any, list[Any]]:
        """What the second pays more: to run, and by what is counted; and the requests."""
        found = per_draw(study, [_asked, *numbers], draws, width=study.terms.months + 1)
        running, *counted = (usd[second] - usd[first] for usd in found[1:])
        return found[0][second], running, [*accumulate(counted)]

    (asked, running, mid), (drawn, *rest) = extra(None), extra(draws)
    rows = []
    for name, usd, some in zip(COUNTED.values(), mid, rest[1], strict=True):
        more, saved, requests = _earned(usd, running, asked)
        spread = _earned(some, rest[0], drawn)[2][~np.isnan(drawn).any(axis=-1)]
        never = float(np.isnan(spread).mean()) if len(spread) else np.nan
        ends = np.nanpercentile(spread, [10, 90]) if never < 1 else (np.nan, np.nan)
        (month,) = stays_ahead(-np.cumsum(usd + running)[None, :])
        verdict = _verdict(requests, month, study.terms.months)
        row: Any = (name, more, saved, float(requests), *ends, never, month, verdict)
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
    tune = next((t for t in getattr(option, "techniques", ()) if isinstance(t, Tune)), None)
    check(tune, f"methods: {label!r} has no FineTune and no Lora; name one that has")
    known = {f.name: getattr(tune, f.name) for f in fields(Tune)}
    ways = {
        "Full fine-tune": FineTune(**known),
        "LoRA": Lora(**known),
        "QLoRA": Lora(quantised=True, **known),
    }
    rest = [t for t in option.techniques if t is not tune]
    made = {name: replace(option, techniques=(way, *rest)) for name, way in ways.items()}
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
        Columns: option; the fields of `over`; usd_per_run [USD, of the run that passes];
        usd_training, usd_data, usd_work (people), usd_maintenance, usd_running [USD over the
        horizon, as in `paybacks`]; usd, their sum; why_not, where an option cannot run. Every Range
        is at its middle; wrong answers are not in it.

    Raises
    ------
    CatalogError
        When an option has no such field.

    Examples
    --------
    >>> import costmodel as cm
    >>> ways = cm.training.methods(cm.load("document_extraction"), "LoRA")
    >>> table = cm.training.tune_costs(ways, {"examples": [500, 5_000]})
    >>> table.groupby("option")["usd_data"].nunique().to_dict()
    {'Full fine-tune': 2, 'LoRA': 2, 'QLoRA': 2}
    """
    known = {n for x in objects(study.options) if isinstance(x, HOLDERS) for n in field_names(x)}
    for name in over:
        check_known("field", name, known, "the tunes and their servings")
    rows = []
    for point in product(*over.values()):
        given = dict(zip(over, point, strict=True))
        options = {label: _with(option, given) for label, option in study.options.items()}
        found = at_middle(study.changed(options=options))
        for label in options:
            row = {"option": label, **given, "why_not": str(found.why_not.get(label, ""))}
            if bill := found.bills.get(label):
                usd = {x: _paid(kind, bill, found.calendar).sum() for kind, x in AMOUNTS.items()}
                run = [line.usd for line in bill.lines if line.item == "the run that passes"]
                row |= usd | {"usd_per_run": sum(run), "usd": sum(usd.values())}
            rows.append(row)
    return pd.DataFrame(
        rows, columns=["option", *over, "usd_per_run", *AMOUNTS.values(), "usd", "why_not"]
    )


def _with(option: Option, given: Mapping[str, Any]) -> Option:
    """An option with other values of fields of its tune, or else of its serving."""

    def changed(x: Any, fields: Iterable[str]) -> Any:
        return replace(x, **{name: given[name] for name in fields if name in field_names(x)})

    tuned = {n for t in option.techniques if isinstance(t, Tune) for n in field_names(t)}
    parts = (changed(t, given) if isinstance(t, Tune) else t for t in option.techniques)
    serving = changed(option.serving, given.keys() - tuned)
    return replace(option, serving=serving, techniques=tuple(parts))


def _paid(kind: str, bill: Bill, calendar: Calendar) -> Any:
    """What is paid in months 0..H and counted as this; wrong answers are not in it."""
    lines = [x for x in bill.lines if x.phase != "failures" and kind_of(x) == kind]
    return replace(bill, lines=lines).paid(calendar)


def _asked(bill: Bill, calendar: Calendar) -> Any:
    """Requests of months 0..H."""
    return bill.requests * calendar.demand


def _earned(usd: Any, running: Any, asked: Any) -> tuple[Any, Any, Any]:
    """The extra spend, the saving of a request, and the requests that pay; NaN is never."""
    more, saved = usd.sum(axis=-1), -running.sum(axis=-1) / asked.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(saved > 0, more / saved, np.nan)
    return more, saved, np.where(more <= 0, 0.0, needed)


def _verdict(requests: float, month: float, horizon: int) -> str:
    if np.isnan(requests):
        return "never: a request of the tune is no cheaper"
    if requests == 0:
        return "at once: the tune costs no more"
    when = "within a month" if month < 1 else f"in month {month:.1f}"
    if np.isnan(month):
        when = f"not within {horizon} months at this volume"
    return f"after {number_text(requests, 3)} requests, {when}"
