"""Published cases of fine-tuning worked out with the package: break-evens, and a first year.

Tian Pan, "Fine-Tuning Economics" (tianpan.co, 2026-04-09), gives the ranges: 500 to 1,000 examples,
50 to 150 dollars an hour, weeks of an engineer, 1,000 to 3,500 dollars a run, or 25 dollars a
million training tokens. The numbers chosen from them are ours, and stand in the functions below;
what the post does not count is zero.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from costmodel.choices.options import Option
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.study import Study
from costmodel.choices.techniques.lora import Lora
from costmodel.choices.techniques.prompting import FewShot, PromptCache
from costmodel.choices.techniques.tuning import FineTune
from costmodel.choices.terms import People, Terms
from costmodel.choices.workload import Workload
from costmodel.core import public
from costmodel.facts import catalog
from costmodel.ledgers.book import ledger
from costmodel.studies.tuning import paybacks, underestimates
from costmodel.validation.agents import STILL

ON = "2025-06-01"  # gpt-4o at $2.50 in, $1.25 cached, $10 out; tuned at 1.5 times that
TUNE: dict[str, Any] = {
    "examples": 1_000,
    # -- one refresh: one run, a quarter of the labels, a week of people
    "retrain_months": 6,
    "retrain_labels": 0.25,
    "retrain_hours": 40,
    # -- not counted
    "minutes_per_check": 0,
    "failed_share": 1,
    "debug_hours": 0,
    "candidate_items": 0,
    "checkpoints": 0,
    "upkeep_fte": 0,
    "base_life_months": 1_000,
}


@public
def published_break_evens() -> pd.DataFrame:
    """Requests that pay for a tune of GPT-4o, in place of 2,000 tokens of examples.

    A prompt of 300 tokens and an answer of 200; 3 million training tokens at $25; 1,000 labels of
    ten minutes; 3.75 engineer-weeks at $100 an hour, and one refresh: $40,000 in all. It shows why
    published break-evens differ a thousandfold: by what they count.

    Returns
    -------
    pandas.DataFrame
        Columns as in `paybacks`. The last two rows cache the examples (half price), and have none.

    Examples
    --------
    >>> published_break_evens()["requests"].round(-1).tolist()
    [20690.0, 4622070.0, 8760000.0, 11034480.0, 35555560.0, nan]
    """
    tune = FineTune(
        tuning="openai.gpt-4o",
        tokens_per_example=1_000,
        epochs=3,
        runs=1,
        labels=_labels(16.68),
        build_weeks=3.75,
        **TUNE,
    )
    work = Workload(1e7, input_tokens=300, output_tokens=200)
    examples, api = FewShot(examples=8, tokens_per_example=250, build_hours=0), Api("gpt-4o", on=ON)
    firsts = {
        "": Option(api, examples),
        ", examples cached": Option(api, examples, PromptCache(minimum_tokens=1_024)),
        ", no examples": Option(api),
    }
    tables = []
    for name, first in firsts.items():
        options = {"examples": first, "tune": Option(api, tune)}
        table = paybacks(options, work, terms=_still(months=11), draws=2)
        tables.append(table.assign(counted=table["counted"] + name))
    return pd.concat([tables[0], *(table.tail(1) for table in tables[1:])], ignore_index=True)


@public
def published_first_year() -> pd.DataFrame:
    """The first year of a tune on an own GPU, by phase.

    1,000 labels, 3 engineer-weeks, 5 runs of $2,000, a GPU at $1.20 an hour, two refreshes.

    Returns
    -------
    pandas.DataFrame
        Index phase, the dearest first. Columns: usd, share of the total.

    Examples
    --------
    >>> year = published_first_year()
    >>> round(float(year["usd"].sum())), round(float(year.loc["training", "share"]), 3)
    (69512, 0.029)
    """
    usd = ledger(_first_year()).groupby("phase")["usd"].sum().sort_values(ascending=False)
    return usd[usd > 0].to_frame().assign(share=lambda table: table["usd"] / table["usd"].sum())


@public
def published_underestimates() -> pd.DataFrame:
    """How many times too low a first estimate of that year is, for four ways to count.

    Returns
    -------
    pandas.DataFrame
        Columns as in `underestimates`.

    Examples
    --------
    >>> published_underestimates()["factor"].round(1).tolist()
    [11.6, 5.0, 3.4, 2.6]
    """
    return underestimates(_first_year())


def _first_year() -> Study:
    known: Any = catalog.rent("H100-SXM")
    rent = replace(known, id="ours", usd_per_gpu_hour=1.20)
    nobody: Any = {"build_weeks": 0, "upkeep_fte": 0, "on_call_hours_per_month": 0}
    serving = Hosted("llama-3.1-8b", rent=rent, requests_per_s=10.0, **nobody)
    tune = Lora(labels=_labels(100 / 6), build_weeks=3, runs=5, usd_per_run=2_000, **TUNE)
    work = Workload(10_000, input_tokens=300, output_tokens=200)
    return Study({"tune": Option(serving, tune)}, work, _still(months=12), accept_zero=None)


def _labels(usd: float) -> Any:
    """Labels of ten minutes."""
    return replace(catalog.label("expert_example"), id="ten minutes", usd_per_item=usd)


def _still(months: int) -> Terms:
    """Nothing moves and nothing is discounted; an engineer is $100 an hour."""
    people = People(engineer=replace(catalog.person("engineer"), usd_per_hour=100.0))
    return Terms(start=ON, on=None, months=months, discount_rate=0.0, trends=STILL, people=people)
