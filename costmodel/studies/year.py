"""A year of one feature: what share is inference, what happens once, what waiting costs, duties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core import MONTHS_PER_YEAR, check, is_day, middle, public, require, today
from costmodel.facts import catalog
from costmodel.laws.ageing import gain_of_waiting, overpaid_share
from costmodel.ledgers.book import ledger

LEAST_WAIT = 0.1  # months
INFERENCE = ("api", "gpu")  # price classes of what answers


@analysis
def inference_share(
    study: Study, volumes: Sequence[float] | None = None, months: int = int(MONTHS_PER_YEAR)
) -> pd.DataFrame:
    """Say how much of the bill is inference, and how far an estimate of inference alone is too low.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    volumes : sequence of float, optional
        Other volumes [request/month], one block of rows for each.
    months : int
        The horizon [month].

    Returns
    -------
    pandas.DataFrame
        Columns: option; usd_inference [USD, the model that answers: tokens or GPUs]; usd [USD,
        everything but the cost of wrong answers]; share (usd_inference over usd); factor (usd over
        usd_inference); with `volumes` also requests_per_month. Amounts are expected values.

    Raises
    ------
    ValueError
        When `volumes` is empty.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("Prompt", "RAG")
    >>> table = cm.operations.inference_share(study, volumes=[1e4, 1e6])
    >>> table[["option", "requests_per_month", "share"]].round(1)
       option  requests_per_month  share
    0  Prompt             10000.0    0.0
    1     RAG             10000.0    0.0
    2  Prompt           1000000.0    0.3
    3     RAG           1000000.0    0.2
    """
    study = study.changed(months=months)
    if volumes is not None:
        check(len(volumes), "inference_share: volumes is empty, it must hold requests a month")
        found = [
            inference_share(
                study, months=months, work=replace(study.work, requests_per_month=n)
            ).assign(requests_per_month=n)
            for n in map(float, volumes)
        ]
        return pd.concat(found, ignore_index=True)
    book = ledger(study)
    paid = book[book["phase"] != "failures"]
    answers = paid[(paid["phase"] == "serving") & paid["trend"].isin(INFERENCE)]
    usd = paid.groupby("option", sort=False)["usd"].sum()
    inference = answers.groupby("option")["usd"].sum().reindex(usd.index)
    table = pd.DataFrame({"usd_inference": inference, "usd": usd}).reset_index()
    return table.assign(
        share=table.usd_inference / table.usd, factor=table.usd / table.usd_inference
    )


@analysis
def oneoffs(
    study: Study, label: str | None = None, months: int = int(MONTHS_PER_YEAR)
) -> pd.DataFrame:
    """List what happens in single months: builds, audits, forced upgrades, retraining.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    label : str, optional
        Which option; it may be left out where there is one.
    months : int
        The horizon [month].

    Returns
    -------
    pandas.DataFrame
        Columns: month, date, phase, item, usd [USD], expected values.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> cm.operations.oneoffs(study, "LoRA")[["month", "phase", "item"]].head(3)
       month  phase                                 item
    0      0  build  build the data set and the training
    1      0  build            write and test the prompt
    2      0  build                       set up serving
    """
    study = study.only(study.label(label)).changed(months=months)
    book = ledger(study)
    often = book.groupby("item")["month"].transform("nunique")
    rare = book[often < max(months / 2, 2)].sort_values(
        ["month", "phase"], kind="stable", ignore_index=True
    )
    rare["date"] = [study.terms.date_of(month) for month in rare["month"]]
    return rare[["month", "date", "phase", "item", "usd"]]


@analysis
def putting_off(study: Study, months: Sequence[float], label: str | None = None) -> pd.DataFrame:
    """Say what staying with a model overpays, and what starting later saves, by months.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    months : sequence of float
        How long one waits [month, at least 0.1].
    label : str, optional
        Which option; it may be left out where there is one.

    Returns
    -------
    pandas.DataFrame
        Columns: months; overpaid [share of the bill that the same quality would no longer cost];
        usd_saved [USD of the build, paid later]; per_month [USD that a month of the feature must be
        worth, or waiting gains]. Expected values of the first year.

    Raises
    ------
    ValueError
        When a wait is shorter than 0.1 months.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> cm.operations.putting_off(study, months=[3, 12], label="RAG")[["months", "overpaid"]].round(
    ...     2
    ... )
       months  overpaid
    0     3.0      0.10
    1    12.0      0.35
    """
    wait = np.asarray(months, float)
    require("months", wait, low=LEAST_WAIT)
    study = study.only(study.label(label)).changed(months=int(MONTHS_PER_YEAR))
    book = ledger(study)
    paid = book[book["phase"] != "failures"]
    once = paid.loc[paid["month"] == 0, "usd"].sum()
    saved = gain_of_waiting(once, 0.0, 0.0, wait, middle(study.terms.discount_rate))
    running = (paid["usd"].sum() - once) / MONTHS_PER_YEAR
    overpaid = overpaid_share(catalog.practice("api.api_price_fall").mid, wait)
    table = {"months": wait, "overpaid": overpaid, "usd_saved": saved}
    return pd.DataFrame(table | {"per_month": running + saved / wait})


@public
def duties(on: str | None = None) -> pd.DataFrame:
    """List duties of the EU AI Act by the day from which they apply.

    Parameters
    ----------
    on : str, optional
        The day whose law counts, such as "2026-11-20"; by default today.

    Returns
    -------
    pandas.DataFrame
        Columns: duty, applies (a day), what, in_force (whether it applies on that day), source.

    Raises
    ------
    ValueError
        When `on` is no day.

    Examples
    --------
    >>> int(duties("2026-11-20").in_force.sum()) > 0
    True
    """
    day = today().isoformat() if on is None else on
    check(is_day(day), f"on is {on!r}, it must be a day such as '2026-11-20'")
    facts = catalog.facts()
    known = facts[(facts["file"] == "regulation") & (facts["as_of"] <= day)]
    rows = known.sort_values("as_of").groupby("id", sort=False).tail(1).query("value != ''")
    table = pd.DataFrame(
        {
            "duty": rows["id"].str.split(".").str[-1],
            "applies": rows["value"],
            "what": rows["note"],
            "in_force": rows["value"] <= day,
            "source": rows["source"],
        }
    )
    return table.sort_values("applies", ignore_index=True)
