"""Draws and grids on the engine: the bills of a study, a batch of rows at a time.

A batch stays in the processor's cache, and memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from costmodel.choices.study import Study
from costmodel.core import GLOSSARY, check, find_keys, limits, middle, pin, require, sample
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, evaluate_all

BATCH, FEWER = 10_240, 2_560  # rows evaluated at once; fewer of more draws, so that memory is flat
Grid = Mapping[str, Any] | None


def batches(
    study: Study,
    draws: int | None = None,
    grid: Grid = None,
    points: Mapping[str, np.ndarray] | None = None,
    and_middle: bool = False,
) -> Iterator[tuple[slice, Calendar, dict[str, Bill]]]:
    """The bills of all options that can run, a batch of rows at a time: (rows, calendar, bills).

    Rows are draws (None: one row, the middle of every Range), each with all points of the grid. An
    input is drawn at points where its axis is NaN. With `and_middle` one more row, the last, has
    the middle of every Range.
    """
    things: Any = (study.options, study.work, study.terms)
    asked = grid or {}
    keys = find_keys(things, asked) if asked else []
    axes = {key: np.ravel(x).astype(float) for key, x in zip(keys, asked.values(), strict=True)}
    for key, values in axes.items():
        _check_axis(key, values)
    n, k = draws or 1, len(next(iter(axes.values()), [None]))
    points = study.points_of(n) if points is None and draws is not None else points
    size = BATCH if n <= BATCH else FEWER
    for start in range(0, n * k, size):
        rows = slice(start, min(start + size, n * k))
        row = np.arange(rows.start, rows.stop)
        pinned, fixed = things, {}
        for key, values in axes.items():
            if np.isnan(values).any():
                fixed[key] = values[row % k][:, None]
                continue
            pinned = pin(pinned, key, values[row % k][:, None] if k > 1 else float(values[0]))
        if draws is None:
            made = evaluate_all(*middle(pinned))
        else:  # a slice of draws is a view, an index a copy
            chosen = row // k if k > 1 else rows
            last = and_middle and rows.stop == n * k
            made = evaluate_all(*sample(pinned, n, study.seed, chosen, points, fixed, last))
            rows = slice(rows.start, rows.stop + last)
        yield rows, made.calendar, made.bills


def _check_axis(key: str, values: np.ndarray) -> None:
    check(key != "Terms.months", "the horizon cannot be swept; ask once for each, with months=")
    check(
        key != "Terms.discount_rate",
        "the discount rate cannot be swept; ask `compare` once for each",
    )
    field = key.rsplit(".", 1)[-1]
    if field in GLOSSARY:
        require(key, values[~np.isnan(values)], *limits(field))
