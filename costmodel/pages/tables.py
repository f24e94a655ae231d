"""A table for readers: names in words, units under them, and the figures that a number deserves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
from pandas.api.types import is_bool, is_number, is_numeric_dtype, is_scalar

from costmodel.core import (
    USD,
    Currency,
    label_of,
    meaning_of,
    percent,
    public,
    signed,
    unit_of,
    unknown,
)
from costmodel.pages.blocks import Column, Table, counted

KEY = r"\S+\.\w+"  # an input as code names it
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
    option USD amount quality
       RAG  1,234,567    80 %
    """
    frame = counted(table).rename(columns=str)
    units, formats = units or {}, dict(formats or {})
    for name in (*formats, *units):
        if name not in frame:
            raise unknown("column", name, frame, "the table")
    if "input" in frame:
        frame = _in_words(frame)
    blank = (frame.isna() | (frame.astype(str) == "")).all() & (len(frame) > 0)
    frame, money = _in_currency(frame.loc[:, ~blank], money)
    own_units = "unit" in frame  # each row has a unit of its own, so most heads have none
    mixed = own_units or "input" in frame
    numbers = {
        name: None if mixed else _decimals(values, name)
        for name, values in frame.items()
        if is_numeric_dtype(values) and values.dtype != bool
    }
    columns = []
    for name in frame:
        words, unit = words_and_unit(name, money, own_units)
        columns.append(Column(words, units.get(name, unit), meaning_of(name), name in numbers))
    if "p_reaches" in frame:  # what is not eligible does not round up to what is asked for
        formats.setdefault("p_reaches", partial(percent, below=table.attrs.get("confidence")))
    known = numbers | formats
    rows = [
        tuple(cell(value, name, known.get(name)) for name, value in zip(frame, row, strict=True))
        for row in frame.itertuples(index=False, name=None)
    ]
    names = list(frame)
    for low in [name for name in names if name.endswith("p10") and f"{name[:-2]}90" in names]:
        place = names.index(low)
        words = columns[place].words.replace(LOW, BAND)
        head = replace(columns[place], words=words, meaning=IN_BAND)
        columns, rows = _joined(names, columns, rows, f"{low[:-2]}90", low, " to ", head)
    if {"side", "needed"} <= set(names):
        head = columns[names.index("needed")]
        columns, rows = _joined(names, columns, rows, "needed", "side", " ", head)
    return Table(tuple(columns), tuple(rows) or (("none", *[""] * (len(columns) - 1)),), caption)


def _joined(
    names: list, columns: list, rows: list, gone: str, kept: str, between: str, head: Column
) -> tuple[list, list]:
    """Two columns as one, in the place of `kept`: "1,200 to 3,400", "below 12"."""
    at, other = names.index(kept), names.index(gone)
    names.pop(other)

    def one(cells: Iterable, made: Any) -> list:
        found = [made if i == at else x for i, x in enumerate(cells)]
        return [x for i, x in enumerate(found) if i != other]

    told = (row[at] if row[at] == row[other] else f"{row[at]}{between}{row[other]}" for row in rows)
    rows = [tuple(one(row, text)) for row, text in zip(rows, told, strict=True)]
    return one(columns, head), rows


def _in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Inputs by their names for people; in a register the last column is the name in code."""
    keys = frame["input"].astype(str)
    words = keys.where(~keys.str.fullmatch(KEY), keys.map(label_of))
    named = frame.assign(input=words)
    return named.assign(key=keys) if "source" in frame else named


def _in_currency(frame: pd.DataFrame, money: Currency) -> tuple[pd.DataFrame, Currency]:
    """Amounts in a currency, and the currency in which they are."""
    if "currency" in frame and (frame["currency"] == "USD").all():
        frame = frame.drop(columns="currency")
    if "currency" in frame and len(frame):
        return frame.drop(columns="currency"), Currency(str(frame["currency"].iloc[0]).split()[0])
    if money == USD:
        return frame, money
    amounts = {n: frame[n] * money.per_usd for n in frame if unit_of(n).startswith("USD")}
    return frame.assign(**amounts), money


def _decimals(column: pd.Series, name: str) -> str | None:
    """The format that shows three figures of the largest amount of a column; None: each its own."""
    sizes = column.dropna().abs().astype(float)
    largest = sizes.max()
    if unit_of(name).startswith("share") or not largest < math.inf or (sizes % 1 == 0).all():
        return None
    return f"{{:,.{min(max(2 - math.floor(math.log10(largest)), 0), 8)}f}}"


LOW, BAND = "low (1 case in 10 is below)", "likely range (8 in 10)"
IN_BAND = "1 case in 10 is below the band, and 1 above it"
WORDS = {
    "p10": LOW,
    "p50": "median",
    "p90": "high (1 case in 10 is above)",
    "p95": "1 case in 20 is above",
    "key": "name in scripts",
    "usd": "amount",
    "mid": "middle",
    "npv": "NPV",
    "p_reaches": "chance to reach the floor",
    "p_dearer": "chance to be dearer",
    "more": "more than the best",
    "npv_base": "NPV base case",
    "npv_p50": "NPV, median",
    "npv_p10": f"NPV, {LOW}",
    "npv_p90": "NPV, high (1 case in 10 is above)",
    "p90_regret": "regret, 1 case in 10 has more",
    "p_cheapest": "chance to be the cheapest",
    "p_least_to_pay": "chance of the least to pay",
    "p_loss": "chance of a loss",
    "p_never": "chance of no crossing",
    "tco": "to pay",
    "irr_says": "rate of return a year",
    "payback_month": "money back",
    "written_off_months": "written off over",
    "usd_to_measure": "cost to measure",
    "p_changes": "chance of another choice",
    "p_settled": "chance to be sure of the floor",
    "worth": "less its cost",
    "usd_to_pay": "to pay",
    "usd_for_people": "for people",
    "p_buy": "chance that buying pays",
    "gpus": "GPUs",
    "n": "answers judged",
    "needed": "value needed",
    "usd_first": "at first",
    "usd_later": "later, in all",
    "usd_most": "most in a month",
    "sees": "of the requests",
    "fte": "full-time people",
    "breakeven_utilisation": "buying pays above",
    "usd_per_gpu_hour": "per GPU-hour",
    "usd_per_mtok_out": "per Mtok of output",
}


def words_and_unit(name: str, money: Currency = USD, own_units: bool = False) -> tuple[str, str]:
    """The head of a column; shares are left to the percent signs.

    Rows with units of their own leave the head only the currency of other amounts than USD.

    >>> words_and_unit("usd_per_gpu_hour"), words_and_unit("p10")
    (('per GPU-hour', 'USD'), ('low (1 case in 10 is below)', 'USD'))
    """
    unit = unit_of(name)
    paid = unit.startswith("USD")
    plain = name.removeprefix("usd_") if paid else name  # the unit stands below
    words = WORDS.get(name, plain.replace("_", " "))
    if unit in ("text", "record", "share", "count") or (own_units and (money == USD or not paid)):
        unit = ""
    if f" {unit}" in f" {words}" or unit == "FTE":  # "payback months" are months
        unit = ""
    if paid:
        unit = unit.replace("USD", money.code)
        unit = unit.partition("/")[0] if "per " in words else unit
    return words, unit


def cell(value: Any, name: str = "", form: str | Callable | None = None) -> str:
    """One value as text.

    >>> [cell(x) for x in (1234567.0, 12.5, 0.00375, None, True, 7, 8e10)]
    ['1,234,567', '12.5', '0.00375', '–', 'yes', '7', '8.00×10¹⁰']
    >>> cell(-0.2, form="{:,.0f}"), cell(-1_234.5), cell(-0.06, "quality")
    ('0', '−1,234', '−6.0 %')
    """
    text = _plain(value, name, form)
    return signed(text) if is_number(value) and not is_bool(value) else text


def _plain(value: Any, name: str, form: str | Callable | None) -> str:
    """One value as text, with a hyphen where a number is below 0."""
    if is_scalar(value) and pd.isna(value):
        return "–"
    if value in (math.inf, -math.inf):
        return "∞" if value > 0 else "-∞"
    if callable(form):
        return str(form(value))
    if form:
        text = form.format(value) if "{" in form else format(value, form)
        return f"{text[:-1]} %" if text.endswith("%") and text[-2:-1].isdigit() else text
    if is_bool(value):
        return "yes" if value else "no"
    if not is_number(value):
        return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
    if unit_of(name).startswith("share"):
        return percent(value) if abs(value) >= 0.1 or value == 0 else f"{100 * value:.1f} %"
    if abs(value) >= HUGE or 0 < abs(value) < TINY:
        figures, power = f"{value:.2e}".split("e")
        return f"{figures}×10{str(int(power)).translate(RAISED)}"
    if abs(value) >= 1000 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3g}"
