"""What a notebook says to its report: `answer`, `cards`, `show` and `results`.

The first three return small objects that look the same in JupyterLab, in the HTML report and in the PDF; `results`
shows nothing and hands numbers to the run. They need no report: in a plain script they are objects with a text.
"""

from __future__ import annotations

import dataclasses
import html
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from costmodel.core.errors import check, unknown
from costmodel.core.public import public
from costmodel.core.units import GLOSSARY
from costmodel.core.words import Currency

RESULTS_MIME = "application/vnd.costmodel.results+json"
HUGE, TINY = 1e9, 1e-4  # beyond these a number is written with a power of ten
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SOFT = "opacity:.7;font-size:.85em;line-height:1.35"
USD = Currency()
_RULE = "1px solid rgba(128,128,128,.35)"


@dataclass(frozen=True)
class Block:
    """Something to show: HTML for a notebook or a report, text for a terminal."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


@public
def answer(sentence: str, points: Iterable[str] = ()) -> Block:
    """The answer in one sentence, and a few points that it turns on; a report opens with them.

    >>> answer("RAG is cheapest.", ["LoRA is cheaper above 2M requests a month."])
    RAG is cheapest.
    - LoRA is cheaper above 2M requests a month.
    """
    points = list(points)
    made = f'<p class="cm-answer" style="font-size:1.25em;line-height:1.45;margin:.3em 0 .8em">{html.escape(sentence)}</p>'
    if points:
        made += f'<ul class="cm-points" style="margin:.3em 0 .8em">{"".join(f"<li>{html.escape(p)}</li>" for p in points)}</ul>'
    return Block(made, "\n- ".join([sentence, *points]))


@public
def cards(items: Iterable[tuple[str, str, str]]) -> Block:
    """Headline numbers as (label, value, note); a report opens with them.

    >>> cards([("Cheapest", "$1.2M", "RAG, 36 months")])
    Cheapest: $1.2M (RAG, 36 months)
    """
    rows = [tuple(map(str, item)) for item in items]
    check(
        all(len(row) == 3 for row in rows),
        "each card is (label, value, note); write an empty text for no note",
    )
    parts = (
        '<div class="cm-card" style="flex:1 1 9em;border-top:2px solid #0b5567;padding:.5em 0">'
        f'<div class="cm-label" style="{_SOFT}">{html.escape(label)}</div>'
        f'<div class="cm-value" style="font-size:1.6em;font-weight:650;line-height:1.3">{html.escape(value)}</div>'
        f'<div class="cm-note" style="{_SOFT}">{html.escape(note)}</div></div>'
        for label, value, note in rows
    )
    style = "display:flex;flex-wrap:wrap;gap:0 1.5em;margin:.5em 0 1.2em"
    lines = "\n".join(
        f"{label}: {value}" + (f" ({note})" if note else "") for label, value, note in rows
    )
    return Block(f'<div class="cm-cards" style="{style}">{"".join(parts)}</div>', lines)


@public
def show(
    table: pd.DataFrame,
    formats: Mapping[str, str | Callable] | None = None,
    caption: str = "",
    units: Mapping[str, str] | None = None,
    money: Currency = USD,
) -> Block:
    """A table for readers: names in words, units under them, numbers to the right, thin rules.

    `formats` gives a column a format ("{:,.0f}", ",.2f") or a function of one value; otherwise amounts keep
    three figures and shares become percent. `units` overrides the glossary's unit in a column's head; `money` shows amounts in
    another currency. A column `currency` says in which one the amounts are already, and becomes their unit. An index without a name
    that only counts rows is left out, and so is a column without any value; a table without rows says "none".

    >>> print(show(pd.DataFrame({"option": ["RAG"], "usd": [1234567.0], "quality": [0.8]})))
    option    USD amount quality
    RAG     1,234,567        80%
    """
    known: dict[str, Any] = dict(formats or {})
    plain = (
        table
        if isinstance(table.index, pd.RangeIndex) and table.index.name is None
        else table.reset_index()
    )
    for name in [*known, *(units or {})]:
        if name not in plain.columns:
            raise unknown("column", name, map(str, plain.columns), "the table")
    blank = [
        name
        for name in plain.columns
        if len(plain) and (plain[name].isna() | (plain[name].astype(str) == "")).all()
    ]
    plain = plain.drop(columns=blank)
    inside = [name for name in plain.columns if GLOSSARY.get(str(name), ("",))[0].startswith("USD")]
    if "currency" in plain and len(plain):
        money = Currency(str(plain["currency"].iloc[0]).split()[0])
        plain = plain.drop(columns="currency")
    elif money != USD:
        plain = plain.assign(**{name: plain[name] * money.per_usd for name in inside})
    uniform = "unit" not in plain.columns  # with a unit in each row, none is needed in the head
    units = {
        name: GLOSSARY[name][0].replace("USD", money.code)
        for name in inside
        if uniform or money != USD
    } | dict(units or {})
    heads = [
        heading(str(name)) if uniform else (heading(str(name))[0], "") for name in plain.columns
    ]
    heads = [
        (words, (units or {}).get(str(name), unit))
        for name, (words, unit) in zip(plain.columns, heads, strict=True)
    ]
    numeric = [
        pd.api.types.is_numeric_dtype(plain[n]) and plain[n].dtype != bool for n in plain.columns
    ]
    if uniform:
        known = {
            str(name): _decimals(plain[name], str(name))
            for name, is_number in zip(plain.columns, numeric, strict=True)
            if is_number
        } | known
    rows = [
        [
            cell(value, str(name), known.get(str(name)))
            for name, value in zip(plain.columns, row, strict=True)
        ]
        for row in plain.itertuples(index=False, name=None)
    ] or [["none", *[""] * (plain.shape[1] - 1)]]

    def td(value: str, right: bool) -> str:
        side = "right;white-space:nowrap" if right else "left"
        return f'<td style="text-align:{side};border-top:{_RULE};padding:.3em .6em">{_linked(value)}</td>'

    head = "".join(
        f'<th style="text-align:{"right" if right else "left"};vertical-align:bottom;padding:.3em .6em" '
        f'title="{html.escape(_meaning(str(name)))}">{html.escape(words)}'
        + (
            f'<span class="cm-unit" style="display:block;font-weight:400;opacity:.7">{html.escape(unit)}</span>'
            if unit
            else ""
        )
        + "</th>"
        for name, (words, unit), right in zip(plain.columns, heads, numeric, strict=True)
    )
    body = "".join("<tr>" + "".join(map(td, row, numeric)) + "</tr>" for row in rows)
    label = (
        f'<caption style="text-align:left;font-weight:600">{html.escape(caption)}</caption>'
        if caption
        else ""
    )
    style = "border-collapse:collapse;font-variant-numeric:tabular-nums"
    made = f'<table class="cm-table" style="{style}">{label}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    lines = pd.DataFrame(
        rows,
        columns=[f"{unit} {words}".strip() if unit == "USD" else words for words, unit in heads],
    )
    return Block(made, (caption + "\n" if caption else "") + lines.to_string(index=False))


def _decimals(column: pd.Series, name: str) -> str | None:
    """One number of decimals for a column: three figures of its largest amount; None leaves it to each cell."""
    sizes = column[column.notna()].abs()
    whole = (
        column.dtype == bool
        or sizes.empty
        or (sizes == sizes.round()).all()
        or not math.isfinite(sizes.max())
    )
    if whole or GLOSSARY.get(name, ("", ""))[0].startswith("share"):
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
    unit = GLOSSARY.get(name, ("", ""))[0]
    upper = name[1:].isdigit() and name[0] == "p"
    plain = name.removeprefix("usd_") if unit.startswith("USD") else name  # the unit stands below
    return WORDS.get(name, name.upper() if upper else plain.replace("_", " ")), "" if unit in (
        "text",
        "share",
        "count",
        "",
    ) else unit


def _linked(value: str) -> str:
    shown = html.escape(value)
    return (
        f'<a href="{shown}">{shown}</a>'
        if value.startswith(("https://", "http://")) and " " not in value
        else shown
    )


def _meaning(name: str) -> str:
    return GLOSSARY.get(name, ("", ""))[1]


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
    if GLOSSARY.get(name, ("", ""))[0].startswith("share"):
        return f"{value:.0%}" if abs(value) >= 0.1 or value == 0 else f"{value:.1%}"
    if abs(value) >= HUGE or 0 < abs(value) < TINY:
        figures, power = f"{value:.2e}".split("e")
        return f"{figures}×10{str(int(power)).translate(_RAISED)}"
    if abs(value) >= 1000 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3g}"


@public
def results(table: pd.DataFrame | None = None, **numbers: Any) -> None:
    """Hand the numbers and the tidy table of a notebook to its report, which writes them beside the pages.

    Shows nothing. A later call adds to an earlier one; outside a notebook it does nothing.
    """
    content: dict[str, Any] = {"numbers": {name: plain(value) for name, value in numbers.items()}}
    if table is not None:
        counted = isinstance(table.index, pd.RangeIndex) and table.index.name is None
        content["csv"] = table.to_csv(index=not counted, lineterminator="\n")
    from IPython import get_ipython

    if get_ipython() is not None:
        from IPython.display import display

        display({RESULTS_MIME: content}, raw=True)


def plain(value: Any) -> Any:
    """A value that JSON can hold: numbers of NumPy become numbers, records become dicts, NaN becomes null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
