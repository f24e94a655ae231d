"""What a notebook says to its report: `answer`, `cards`, tables and `results`.

The first three are blocks: HTML for a notebook and its report, which marks the columns of numbers,
and text for a terminal. `results` shows nothing and hands numbers to the run. In a plain script a
block is an object with a text.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from html import escape
from typing import Any

import pandas as pd

from costmodel.core import as_csv, check, public

RESULTS_MIME = "application/vnd.costmodel.results+json"
SVG_MIME = "image/svg+xml"
NARROW_MIME = "application/vnd.costmodel.narrow+svg"  # a figure for a phone, beside the other
FOR_REPORT = "COSTMODEL_REPORT"  # set where a notebook runs for a report
BACK = "setTimeout(() => document.querySelector('.cm-cockpit')?.scrollIntoView(), 500)"
CARD = ("label", "value", "note")
STYLE = """<style scoped>
.cm-answer {font-size: 1.25em; line-height: 1.45; margin: .3em 0 .8em}
.cm-points {margin: .3em 0 .8em}
.cm-cards {display: flex; flex-wrap: wrap; gap: 0 1.5em; margin: .5em 0 1.2em}
.cm-card {flex: 1 1 9em; border-top: 2px solid #0b5567; padding: .5em 0}
.cm-label, .cm-note {opacity: .7; font-size: .85em; line-height: 1.35}
.cm-value {font-size: 1.6em; font-weight: 650; line-height: 1.3}
table.cm-table {border-collapse: collapse; font-variant-numeric: tabular-nums}
.cm-table caption {text-align: left; font-weight: 600}
.cm-table :is(th, td) {padding: .3em .6em !important; text-align: left !important}
.cm-table th {vertical-align: bottom}
.cm-table td {border-top: 1px solid rgba(128, 128, 128, .35)}
.cm-table .num {text-align: right !important}
.cm-table td.num {white-space: nowrap}
.cm-unit {display: block; font-weight: 400; opacity: .7}
</style>"""  # the look in a notebook; a report has a style sheet of its own


class Block:
    """Something to show: HTML for a notebook or a page, text for a terminal."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return STYLE + self.html

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, repr=False)
class Words(Block):
    """An answer or cards."""

    html: str
    text: str


@dataclass(frozen=True)
class Column:
    """The head of a column: name in words, unit and meaning; numbers stand to the right."""

    words: str
    unit: str = ""
    meaning: str = ""
    right: bool = False


@dataclass(frozen=True, repr=False)
class Table(Block):
    """A table for readers, cell by cell as text."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    @property
    def html(self) -> str:  # type: ignore[override]  # made when asked for
        def row(cells: Iterable[str], tag: str) -> str:
            sides = (' class="num"' if column.right else "" for column in self.columns)
            return (
                "<tr>"
                + "".join(f"<{tag}{side}>{x}</{tag}>" for side, x in zip(sides, cells, strict=True))
                + "</tr>"
            )

        caption = f"<caption>{escape(self.caption)}</caption>" if self.caption else ""
        head = row(map(_head, self.columns), "th")
        body = "".join(row(map(_linked, cells), "td") for cells in self.rows)
        return (
            f'<table class="cm-table">{caption}<thead>{head}</thead><tbody>{body}</tbody></table>'
        )

    @property
    def text(self) -> str:  # type: ignore[override]  # made when asked for
        heads = [
            f"{c.unit} {c.words}".strip() if c.unit == "USD" else c.words for c in self.columns
        ]
        lines = pd.DataFrame(list(self.rows), columns=heads).to_string(index=False)
        return f"{self.caption}\n{lines}" if self.caption else lines


def _head(column: Column) -> str:
    unit = f'<span class="cm-unit">{escape(column.unit)}</span>' if column.unit else ""
    return f'<span title="{escape(column.meaning)}">{escape(column.words)}</span>{unit}'


def _linked(value: str) -> str:
    shown = escape(value)
    return f'<a href="{shown}">{shown}</a>' if is_link(value) else shown


def is_link(value: str) -> bool:
    """Whether a text is an address."""
    return value.startswith(("https://", "http://")) and " " not in value


@public
def answer(sentence: str, points: Iterable[str] = ()) -> Block:
    """The answer in one sentence, and a few points that it turns on; a report opens with them.

    Parameters
    ----------
    sentence : str
        The answer.
    points : iterable of str
        What it turns on, one line each.

    Returns
    -------
    Block
        For the last line of a cell.

    Examples
    --------
    >>> answer("RAG is cheapest.", ["LoRA is cheaper above 2M requests a month."])
    RAG is cheapest.
    - LoRA is cheaper above 2M requests a month.
    """
    points = list(points)
    made = f'<p class="cm-answer">{escape(sentence)}</p>'
    if points:
        made += f'<ul class="cm-points">{"".join(f"<li>{escape(p)}</li>" for p in points)}</ul>'
    return Words(made, "\n- ".join([sentence, *points]))


@public
def cards(items: Iterable[tuple[str, str, str]]) -> Block:
    """Headline numbers; a report opens with them.

    Parameters
    ----------
    items : iterable of (label, value, note)
        Three texts for each card; the note may be empty.

    Returns
    -------
    Block
        For the last line of a cell.

    Raises
    ------
    ValueError
        When a card is no triple.

    Examples
    --------
    >>> cards([("Cheapest", "$1.2M", "RAG, 36 months")])
    Cheapest: $1.2M (RAG, 36 months)
    """
    rows = [tuple(map(str, item)) for item in items]
    check(
        all(len(row) == 3 for row in rows),
        "each card is (label, value, note); write an empty text for no note",
    )
    parts = (
        "".join(
            f'<div class="cm-{name}">{escape(text)}</div>'
            for name, text in zip(CARD, row, strict=True)
        )
        for row in rows
    )
    made = "".join(f'<div class="cm-card">{part}</div>' for part in parts)
    lines = [f"{label}: {value}" + (f" ({note})" if note else "") for label, value, note in rows]
    return Words(f'<div class="cm-cards">{made}</div>', "\n".join(lines))


@public
def if_possible(make: Callable[[], Any]) -> Any:
    """What `make` gives, or one sentence where the numbers that are given cannot say it.

    Parameters
    ----------
    make : function without arguments
        Makes a table or a figure.

    Returns
    -------
    Any

    Examples
    --------
    >>> from costmodel.core import check
    >>> if_possible(lambda: check(False, "the usage is of 1 month, two are needed"))
    Left out: the usage is of 1 month, two are needed.
    """
    try:
        return make()
    except ValueError as error:
        said = f"Left out: {error}."
        return Words(f"<p>{escape(said)}</p>", said)


@public
def results(table: pd.DataFrame | None = None, **numbers: Any) -> None:
    """Hand the numbers and the tidy table of a notebook to its report.

    The report writes them as JSON and CSV beside its pages. Nothing is shown, and the page goes
    back to its cockpit: "Run All" would leave it at the end. A later call adds to an earlier one;
    outside a notebook the call does nothing.

    Parameters
    ----------
    table : pandas.DataFrame, optional
        Written as CSV with full precision.
    **numbers
        Numbers, texts and lists that JSON can hold.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Prompt")
    >>> table = cm.compare(study, draws=200)
    >>> cm.report.results(table, best="RAG", months=study.terms.months)
    """
    content: dict[str, Any] = {
        "numbers": {name: for_json(value) for name, value in numbers.items()}
    }
    if table is not None:
        content["csv"] = as_csv(counted(table), index=False)
    from IPython import get_ipython

    if get_ipython() is not None:
        from IPython.display import Javascript, display

        display({RESULTS_MIME: content}, raw=True)
        if not os.environ.get(FOR_REPORT):
            display(Javascript(BACK))


def counted(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its index as a column, unless that only counts the rows."""
    plain = isinstance(table.index, pd.RangeIndex) and table.index.name is None
    return table if plain else table.reset_index()


def for_json(value: Any) -> Any:
    """A value that JSON can hold: tables become rows, records dicts, NumPy numbers, NaN null."""
    if isinstance(value, pd.DataFrame):
        return for_json(counted(value).to_dict("records"))
    if is_dataclass(value) and not isinstance(value, type):
        return for_json(asdict(value))
    if isinstance(value, Mapping):
        return {str(k): for_json(v) for k, v in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [for_json(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
