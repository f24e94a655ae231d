"""What the command line prints: text and tables of 80 columns, JSON, and progress on a terminal."""

from __future__ import annotations

import json
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import zip_longest
from textwrap import wrap
from typing import Any

import click
import pandas as pd
from tqdm import tqdm

from costmodel.choices.study import Study
from costmodel.core import percent, short
from costmodel.facts.prices import CLASSES, ApiPrice, rates
from costmodel.pages.blocks import for_json

CONTROLS = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
QUIET_S = 1.0  # what takes longer than this shows that it is running
SCHEMA = "costmodel/1"  # of what --json prints; a key that goes or changes its meaning counts it up
COLUMNS = 80  # width where no terminal says another
WIDEST = 100  # lines longer than this are hard to read
GLUED = "\u00a0"  # a space at which no line ends
LEAST = 12  # columns that the first one of a table keeps
FIRST = 24  # and at most of a table that is parted because it is too wide


def as_json(command: str, data: Mapping[str, Any]) -> str:
    """What a command says, as the JSON of docs/command_line.md."""
    envelope = {"schema": SCHEMA, "command": command, "data": for_json(data)}
    text = json.dumps(envelope, indent=2, ensure_ascii=False)
    return re.sub(CONTROLS, lambda c: f"\\u{ord(c[0]):04x}", text)


def width() -> int:
    """The columns of the terminal, at most 100; 80 where the output goes elsewhere."""
    return min(shutil.get_terminal_size((COLUMNS, 0)).columns, WIDEST)


def visible(text: str) -> str:
    r"""A text whose control characters are shown, and not sent to the terminal.

    >>> visible("a\x1b[31m\u202eb")
    'a\\x1b[31m\\u202eb'
    """
    return re.sub(CONTROLS, lambda c: c[0].encode("unicode_escape").decode(), text)


def wrapped(text: str, first: str = "", indent: int | None = None) -> str:
    """A text in lines of the terminal, wrapped between words.

    >>> print(wrapped("word " * 20, first="- "))
    - word word word word word word word word word word word word word word word
      word word word word word
    """
    lines = wrap(
        visible(text).replace(" %", f"{GLUED}%"),  # a number stays with its sign
        width(),
        initial_indent=first,
        subsequent_indent=" " * (len(first) if indent is None else indent),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(GLUED, " ")


def heading(study: Study) -> str:
    """Title, audience, horizon and the day of the prices."""
    audience = f", for {study.prepared_for}" if study.prepared_for else ""
    terms = study.terms
    horizon = f"{terms.months} months from {terms.start}, prices of {terms.on or 'today'}"
    return f"{wrapped(study.title + audience)}\n{horizon}\n"


SHOWN: dict[str, tuple[str, Callable[[float], str]]] = {  # column: its head, and its form
    "expected": ("expected", "{:,.0f}".format),
    "p10": ("low", short),
    "p90": ("high", short),
    "to_pay": ("to pay", short),
    "quality": ("quality", percent),
    "p_reaches": ("reaches", percent),
    "p_cheapest": ("cheapest", percent),
}


def comparison(table: pd.DataFrame, study: Study) -> str:
    """The table of `compare` in 80 columns, and below it what its columns say."""
    money = study.terms.money
    shown = table[list(SHOWN)].copy()
    shown.loc[:, "expected":"to_pay"] *= money.per_usd
    forms = {name: form for name, (_, form) in SHOWN.items()}
    forms["p_reaches"] = partial(percent, below=study.confidence)
    for name, form in forms.items():
        shown[name] = shown[name].map(form).where(shown[name].notna(), "-")
    heads = ("option", *(head for head, _ in SHOWN.values()))
    text = aligned([heads, *shown.itertuples()])
    notes = [f"{label}: {why}" for label, why in table["why_not"].items() if why]
    told = (
        f"{money.code} over {study.terms.months} months: expected, low (1 case in 10 is below), "
        "high (1 in 10 is above), and what of it is to pay; the rest is what wrong answers cost."
    )
    if (floor := study.quality_floor) is None:
        told += " There is no quality floor, so that reaches is the share of cases that run."
    else:
        told += (
            f" Reaches: the chance to reach {percent(floor)} accepted answers; eligible are "
            f"options with at least {percent(study.confidence)}. Cheapest: the chance to be the "
            "cheapest of those, or of all where there is none."
        )
    return "\n".join([text, "", *map(wrapped, [told, *notes])])


def price_table(card: ApiPrice) -> str:
    """USD per million tokens of each class, one column for each context tier."""
    starts = [tier.above for tier in card.tiers]
    tiers = [rates(card, start + 1) for start in starts]
    first = f"up to {starts[1]:,.0f}" if len(starts) > 1 else "any prompt"
    rows = [["USD per million tokens", first, *(f"above {start:,.0f}" for start in starts[1:])]]
    for name, (field, _) in CLASSES.items():
        values = [getattr(tier, field) for tier in tiers]
        if any(value is not None for value in values):
            rows.append([name, *("-" if value is None else f"{value:,.6g}" for value in values)])
    if card.usd_per_request:
        rows.append(["USD per request", *[f"{card.usd_per_request:,.6g}"] * len(tiers)])
    return aligned(rows)


def aligned(rows: Iterable[Iterable[str]], right: bool = True) -> str:
    """Rows of cells as text: the first column to the left, wrapped, the others to the right.

    With right=False the last column is wrapped instead, and all stand to the left.
    """
    cells = [[visible(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    free = 0 if right else len(widths) - 1  # the column that gives way
    others = sum(widths) - widths[free] + 2 * (len(widths) - 1)
    widths[free] = min(widths[free], max(width() - others, LEAST))
    lines = []
    for row in cells:
        parts: list[list[str]] = [[cell] for cell in row]
        parts[free] = wrap(row[free], widths[free], break_on_hyphens=False) or [""]
        for texts in zip_longest(*parts, fillvalue=""):
            sides = (
                text.rjust(size) if right and i else text.ljust(size)
                for i, (text, size) in enumerate(zip(texts, widths, strict=True))
            )
            lines.append("  ".join(sides).rstrip())
    return "\n".join(lines)


def parted(rows: Iterable[Iterable[str]]) -> str:
    """Rows of cells as `aligned` makes them, in several tables where one would be too wide: each
    begins with the first column."""
    columns = [*zip(*rows, strict=True)]
    size = [2 + max(len(visible(str(cell))) for cell in column) for column in columns]
    tables, room = [[columns[0]]], width() - min(size[0] - 2, FIRST)
    free = room
    for column, wide in zip(columns[1:], size[1:], strict=True):
        if wide > free and len(tables[-1]) > 1:
            tables.append([columns[0]])
            free = room
        tables[-1].append(column)
        free -= wide
    return "\n\n".join(aligned(zip(*table, strict=True)) for table in tables)


def many(count: float, word: str) -> str:
    """A count with its word.

    >>> many(1, "document"), many(2_000, "document"), many(0, "more input")
    ('1 document', '2,000 documents', '0 more inputs')
    """
    return f"{count:,.0f} {word}{'' if count == 1 else 's'}"


@contextmanager
def busy(label: str) -> Iterator[None]:
    """On a terminal, count the seconds of what takes longer than one."""
    done = threading.Event()
    start = time.monotonic()

    def tick() -> None:
        while not done.wait(QUIET_S):
            click.echo(f"\r{label}, {time.monotonic() - start:.0f} s", nl=False, err=True)
        click.echo("\r\033[K", nl=False, err=True)

    thread = threading.Thread(target=tick, daemon=True)
    if sys.stderr.isatty():
        thread.start()
    try:
        yield
    finally:
        done.set()
        if thread.is_alive():
            thread.join()


def bar() -> Callable[[int, int], None]:
    """What moves a progress bar on a terminal."""
    shown = tqdm(desc="running", leave=False, disable=None)  # None: only on a terminal

    def move(done: int, total: int) -> None:
        shown.total = total
        shown.update(done - shown.n)
        if done == total:
            shown.close()

    return move
