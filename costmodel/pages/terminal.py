"""What the command line prints: headings, tables of text, and progress on a terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
import pandas as pd

from costmodel.choices.study import Study
from costmodel.facts.prices import CLASSES, ApiPrice, rates

QUIET_S = 1.0  # what takes longer than this shows that it is running


def heading(study: Study) -> str:
    """Title, audience, horizon and the day of the prices."""
    audience = f", for {study.prepared_for}" if study.prepared_for else ""
    terms = study.terms
    horizon = f"{terms.months} months from {terms.start}, prices of {terms.on or 'today'}"
    return f"{study.title}{audience}\n{horizon}\n"


SHOWN = {
    "mid": "{:,.2f}",
    "p10": "{:,.2f}",
    "p90": "{:,.2f}",
    "per_month": "{:,.2f}",
    "per_accepted": "{:,.4f}",
    "quality": "{:.0%}",
    "p_cheapest": "{:.0%}",
}


def comparison(table: pd.DataFrame, study: Study) -> str:
    """The table of `compare`: totals to the cent, and below it why an option is not ranked."""
    money = study.terms.money
    shown = table[list(SHOWN)].copy()
    shown[list(SHOWN)[:5]] *= money.per_usd
    for name, form in SHOWN.items():
        shown[name] = shown[name].map(lambda x, form=form: "-" if pd.isna(x) else form.format(x))
    heads = ["option", f"mid {money.code}", "p10", "p90", "per month", "per accepted"]
    rows = [[*heads, "quality", "p_cheapest"], *shown.reset_index().astype(str).to_numpy().tolist()]
    notes = [f"{label}: {why}" for label, why in table["why_not"].items() if why]
    if (floor := study.quality_floor) is not None:
        notes.append(f"p_cheapest is among the options with a quality of at least {floor:.0%}.")
    return "\n".join([_columns(rows), *([""] if notes else []), *notes])


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
    return _columns(rows)


def _columns(rows: list[list[str]]) -> str:
    """Rows of cells as aligned text: the first column left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in rows
    )


@contextmanager
def busy(label: str) -> Iterator[None]:
    """On a terminal, count the seconds of what takes longer than one."""
    done = threading.Event()
    start = time.monotonic()

    def tick() -> None:
        while not done.wait(QUIET_S):
            click.echo(f"\r{label}, {time.monotonic() - start:.0f} s", nl=False, err=True)

    thread = threading.Thread(target=tick, daemon=True)
    if sys.stderr.isatty():
        thread.start()
    try:
        yield
    finally:
        done.set()
        if sys.stderr.isatty():
            thread.join()
            click.echo("\r\033[K", nl=False, err=True)


def bar() -> Callable[[int, int], None] | None:
    """A progress bar on stderr that `report.run` moves; None where no terminal would show it."""
    if not sys.stderr.isatty():
        return None
    bar: Any = None

    def move(done: int, total: int) -> None:
        nonlocal bar
        bar = bar or click.progressbar(length=total, label="running", file=sys.stderr)
        bar.update(done - bar.pos)
        if done >= total:
            bar.render_finish()

    return move
