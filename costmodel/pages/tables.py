"""A table for readers: names in words, units under them, and the figures that a number deserves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from costmodel.core.errors import unknown
from costmodel.core.glossary import meaning_of, unit_of
from costmodel.core.public import public
from costmodel.core.words import Currency
from costmodel.pages.blocks import USD, Column, Table

HUGE, TINY = 1e9, 1e-4  # beyond these a number is written with a power of ten
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@public
def show(
    table: pd.DataFrame,
    formats: Mapping[str, str | Callable] | None = None,
    caption: str = "",
    units: Mapping[str, str] | None = None,
    money: Currency = USD,
) -> Table:
    """A table for readers: names in words, units under them, numbers to the right, thin rules.

    Parameters
    ----------
    table : pandas.DataFrame
        An index without a name that only counts rows is left out, and so is a column without any
        value. A column `currency` says in which currency the amounts are already.
    formats : dict of column to format or function, optional
        Such as "{:,.0f}" or ",.2f"; otherwise amounts keep three figures and shares become percent.
    caption : str
        Words above the table.
    units : dict of column to unit, optional
        Instead of the glossary's unit in the head of a column.
    money : Currency
        The currency in which amounts are shown.

    Returns
    -------
    Table
        Without rows it says "none".

    Raises
    ------
    CatalogError
        For a format or a unit of a column that is not there.

    Examples
    --------
    >>> print(show(pd.DataFrame({"option": ["RAG"], "usd": [1234567.0], "quality": [0.8]})))
    option    USD amount quality
    RAG     1,234,567        80%
    """
    counted = isinstance(table.index, pd.RangeIndex) and table.index.name is None
    frame = table if counted else table.reset_index()
    for name in [*(formats or {}), *(units or {})]:
        if name not in frame.columns:
            raise unknown("column", name, map(str, frame.columns), "the table")
    frame, money = _in_currency(_without_blanks(frame), money)
    own_units = "unit" in frame.columns  # each row has a unit of its own, so most heads have none
    columns, known = [], dict(formats or {})
    for name, values in frame.items():
        words, unit = heading(str(name))
        in_usd = unit_of(str(name)).startswith("USD")
        if own_units:
            unit = unit_of(str(name)) if in_usd and money != USD else ""
        if in_usd:
            unit = unit.replace("USD", money.code)
        number = pd.api.types.is_numeric_dtype(values) and values.dtype != bool
        columns.append(
            Column(words, (units or {}).get(str(name), unit), meaning_of(str(name)), number)
        )
        if number and not own_units:
            known.setdefault(str(name), _decimals(values, str(name)))
    names = [str(name) for name in frame.columns]
    rows = [
        tuple(cell(value, name, known.get(name)) for name, value in zip(names, row, strict=True))
        for row in frame.itertuples(index=False, name=None)
    ]
    return Table(tuple(columns), tuple(rows) or (("none", *[""] * (len(names) - 1)),), caption)


def _without_blanks(frame: pd.DataFrame) -> pd.DataFrame:
    """Without the columns in which no row has a value."""
    blank = [
        n for n in frame if len(frame) and (frame[n].isna() | (frame[n].astype(str) == "")).all()
    ]
    return frame.drop(columns=blank)


def _in_currency(frame: pd.DataFrame, money: Currency) -> tuple[pd.DataFrame, Currency]:
    """Amounts in a currency, and the currency in which they are."""
    if "currency" in frame and len(frame):
        return frame.drop(columns="currency"), Currency(str(frame["currency"].iloc[0]).split()[0])
    if money == USD:
        return frame, money
    amounts = [name for name in frame if unit_of(str(name)).startswith("USD")]
    return frame.assign(**{name: frame[name] * money.per_usd for name in amounts}), money


def _decimals(column: pd.Series, name: str) -> str | None:
    """The format that shows three figures of the largest amount of a column; None: each its own."""
    sizes = column[column.notna()].abs()
    whole = (
        column.dtype == bool
        or sizes.empty
        or (sizes == sizes.round()).all()
        or not math.isfinite(sizes.max())
    )
    if whole or unit_of(name).startswith("share"):
        return None
    return f"{{:,.{min(max(2 - math.floor(math.log10(sizes.max())), 0), 8)}f}}"


WORDS = {
    "usd": "amount",
    "mid": "middle",
    "npv": "NPV",
    "npv_p10": "NPV P10",
    "npv_p90": "NPV P90",
    "p90_regret": "P90 regret",
    "p_cheapest": "P(cheapest)",
    "p_least_to_pay": "P(least to pay)",
    "p_loss": "P(loss)",
    "p_never": "P(never)",
    "tco": "to pay",
    "irr_says": "rate of return a year",
    "payback_month": "money back",
    "written_off_months": "written off over",
    "usd_to_measure": "cost to measure",
    "worth": "less its cost",
    "usd_to_pay": "to pay",
    "usd_for_people": "for people",
    "p_buy": "P(buying)",
    "gpus": "GPUs",
    "breakeven_utilisation": "buying pays above",
    "usd_per_gpu_hour": "per GPU-hour",
    "usd_per_mtok_out": "per Mtok of output",
}


def heading(name: str) -> tuple[str, str]:
    """Words and unit for a column: the glossary's unit, with shares left to the percent signs."""
    unit = unit_of(name)
    upper = name[1:].isdigit() and name[0] == "p"
    plain = name.removeprefix("usd_") if unit.startswith("USD") else name  # the unit stands below
    return WORDS.get(name, name.upper() if upper else plain.replace("_", " ")), "" if unit in (
        "text",
        "share",
        "count",
        "",
    ) else unit


def cell(value: Any, name: str = "", form: str | Callable | None = None) -> str:
    """One value as text.

    >>> [cell(x) for x in (1234567.0, 12.5, 0.00375, None, True, 7, 8e10)]
    ['1,234,567', '12.5', '0.00375', '–', 'yes', '7', '8.00×10¹⁰']
    """
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NaT:
        return "–"
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if callable(form):
        return str(form(value))
    if form:
        return form.format(value) if "{" in form else format(value, form)
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return "yes" if value else "no"
    if not isinstance(value, (int, float)) and not hasattr(value, "dtype"):
        return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
    if unit_of(name).startswith("share"):
        return f"{value:.0%}" if abs(value) >= 0.1 or value == 0 else f"{value:.1%}"
    if abs(value) >= HUGE or 0 < abs(value) < TINY:
        figures, power = f"{value:.2e}".split("e")
        return f"{figures}×10{str(int(power)).translate(RAISED)}"
    if abs(value) >= 1000 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3g}"
