"""What the command line prints: headings, tables of text, and progress on a terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import click
import pandas as pd
from tqdm import tqdm

from costmodel.choices.study import Study
from costmodel.core import percent
from costmodel.facts.prices import CLASSES, ApiPrice, rates

QUIET_S = 1.0  # what takes longer than this shows that it is running


def heading(study: Study) -> str:
    """Title, audience, horizon and the day of the prices."""
    audience = f", for {study.prepared_for}" if study.prepared_for else ""
    terms = study.terms
    horizon = f"{terms.months} months from {terms.start}, prices of {terms.on or 'today'}"
    return f"{study.title}{audience}\n{horizon}\n"


USD = "{:,.2f}".format  # to the cent
SHOWN: dict[str, Callable[[float], str]] = {
    "expected": USD,
    "p10": USD,
    "p90": USD,
    "present_value": USD,
    "per_month": USD,
    "per_accepted": "{:,.4f}".format,
    "quality": percent,
    "p_reaches": percent,
    "p_cheapest": percent,
}


def comparison(table: pd.DataFrame, study: Study) -> str:
    """The table of `compare`: totals to the cent, and below it why an option is not ranked."""
    money = study.terms.money
    shown = table[list(SHOWN)].copy()
    shown.loc[:, "expected":"per_accepted"] *= money.per_usd
    for name, form in SHOWN.items():
        shown[name] = shown[name].map(form).where(shown[name].notna(), "-")
    heads = {"expected": f"expected {money.code}"}
    heads |= {name: name.replace("_", " ") for name in SHOWN if name not in heads}
    text = aligned([("option", *shown.rename(columns=heads)), *shown.itertuples()])
    notes = [f"{label}: {why}" for label, why in table["why_not"].items() if why]
    if (floor := study.quality_floor) is not None:
        sure = percent(study.confidence)
        notes.append(
            f"Eligible are options that are at least {sure} sure to reach {percent(floor)}; "
            "p cheapest is among them, or among all where there is none."
        )
    return "\n".join([text, *([""] if notes else []), *notes])


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


def aligned(rows: Iterable[Iterable[str]]) -> str:
    """Rows of cells as text: the first column to the left, the others to the right."""
    return pd.DataFrame(rows).set_index(0).to_string(header=False, index_names=False)


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
