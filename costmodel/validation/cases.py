"""Published cases of fine-tuning worked out with the package: break-evens, and a first year.

Tian Pan, "Fine-Tuning Economics" (tianpan.co, 2026-04-09), gives the ranges: 500 to 1,000 examples,
50 to 150 dollars an hour, weeks of an engineer, 1,000 to 3,500 dollars a run, or 25 dollars a
million training tokens. The numbers chosen from them are ours, and stand in two scenarios of
data/examples; what the post does not count is zero.
"""

from __future__ import annotations

import pandas as pd

from costmodel.choices.study import Study
from costmodel.core import data_folder, public
from costmodel.ledgers.book import ledger
from costmodel.scenarios.scenario import load
from costmodel.studies.tuning import paybacks, underestimates


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
    study = _published("break_evens")
    first, cached, none = (
        paybacks(study, label, "tune", draws=2) for label in study.options if label != "tune"
    )
    last = [
        table.tail(1).assign(counted=table["counted"] + beside)
        for table, beside in ((cached, ", examples cached"), (none, ", no examples"))
    ]
    return pd.concat([first, *last], ignore_index=True)


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
    usd = (
        ledger(_published("first_year")).groupby("phase")["usd"].sum().sort_values(ascending=False)
    )
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
    return underestimates(_published("first_year"))


def _published(name: str) -> Study:
    return load(data_folder() / "examples" / f"published_{name}.yaml")
