"""Uncertainty, first version: which doubt moves the total most. Not in it yet: Sobol indices, value of information."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .decision import totals
from .ledger import settle
from .options import Mix, Option
from .ranges import Doubt, leaves
from .workload import Terms, Workload

if TYPE_CHECKING:
    import pandas as pd


def tornado(option: Option | Mix, work: Workload, months: int | None = None, terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:
    """Total of one option with each doubt at its low and at its high end, the others at their middle; widest first.

    Columns: input low high usd_low usd_high spread, with low and high the ends of the Range.
    """
    import pandas as pd

    options, terms = settle(option, terms, months=months, on=on)
    doubts = {key: value for key, value in leaves((tuple(options.values()), work, terms)) if isinstance(value, Doubt) and value.low < value.high}
    rows = []
    for key, value in doubts.items():
        ((low, high),) = totals(options, work, terms, grid={key: (value.low, value.high)}).values()
        rows.append((key, value.low, value.high, low, high, abs(high - low)))
    table = pd.DataFrame(rows, columns=["input", "low", "high", "usd_low", "usd_high", "spread"])
    return table.sort_values("spread", ascending=False, ignore_index=True)
