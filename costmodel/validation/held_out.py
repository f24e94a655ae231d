"""Predictions by fits that had not seen a measurement, joined with what was measured.

The predictions are data/measured/*_held_out.csv, written by benchmarks/fit_*.py; nothing is fitted
here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core import middle, sample
from costmodel.decisions.simulate import quantiles
from costmodel.facts import catalog


def measured(name: str) -> pd.DataFrame:
    """A table of data/measured/; a text that is missing is empty."""
    path = catalog.data_folder() / "measured" / f"{name}.csv"
    table = pd.read_csv(path)
    return table.fillna(dict.fromkeys(table.select_dtypes(exclude="number"), ""))


def shipped(name: str) -> pd.DataFrame:
    """A table of data/measured/ that a benchmark has written; its `source` names the fit."""
    return measured(name).drop(columns="source")


def beside_measured(first: pd.DataFrame, second: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """Predictions (low, mid, high) joined with what was measured (reported), as `first` is ordered.

    Adds `ratio`, mid over reported, and `inside`, whether the band holds the reported value.
    """
    table = first.merge(second, on=list(keys))
    return table.assign(
        ratio=table["mid"] / table["reported"],
        inside=table["reported"].between(table["low"], table["high"]),
    )


def in_band(reported: float, low: float, mid: float, high: float) -> dict[str, Any]:
    """One number beside its prediction, as `beside_measured` has many."""
    return {
        "reported": reported,
        "low": low,
        "mid": mid,
        "high": high,
        "ratio": mid / reported,
        "inside": bool(low <= reported <= high),
    }


def drawn_beside(
    reported: float, price: Callable[..., Any], given: Any, draws: int, seed: int
) -> dict[str, Any]:
    """One number beside `price(*given)`: every Range at its middle, and 80 % of the draws."""
    mid, spread = (price(*x) for x in (middle(given), sample(given, draws, seed)))
    low, high = quantiles(np.ravel(spread), [10, 90])
    return in_band(reported, low, float(mid), high)


def with_credits(table: pd.DataFrame) -> pd.DataFrame:
    """The same with `source` in words, and its `url`."""
    sources = table["source"].map(catalog.sources())
    return table.assign(
        source=[f"{source.publisher}: {source.title}" for source in sources],
        url=[source.url for source in sources],
    )
