"""Draws and grids on the engine: the bills of a study, a batch of rows at a time.

A batch stays in the processor's cache, and memory stays flat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from costmodel.choices.study import Study
from costmodel.core import (
    GLOSSARY,
    Doubt,
    check,
    draw_rows,
    find_keys,
    go_on,
    limits,
    middle,
    pin,
    require,
)
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill
from costmodel.ledgers.plans import Question, Slots

BATCH, WIDE = 5_120, 10_240  # rows evaluated at once, by a plan and by the engine
Grid = Mapping[str, Any] | None


def batches(
    study: Study,
    asked: Callable[[Calendar, dict[str, Bill]], Any],
    draws: int | None = None,
    grid: Grid = None,
    points: Mapping[str, np.ndarray] | None = None,
    and_middle: bool = False,
) -> Iterator[tuple[slice, Any]]:
    """What is asked of the bills of all options that can run, a batch of rows at a time.

    Rows are draws (None: one row, the middle of every Range), each with all points of the grid. An
    input is drawn at points where its axis is NaN; an axis without NaN counts as given, and no tier
    scales it. With `and_middle` one more row, the last, has the middle of every Range. `asked`
    gives numbers and arrays in dicts, lists and tuples; a plan of their steps serves all batches,
    and later calls with an equal `asked`.
    """
    things: Any = (study.options, study.work, study.terms)
    axes = _axes(things, grid or {})
    n, k = draws or 1, len(next(iter(axes.values()), [None]))
    points = study.points_of(n) if points is None and draws is not None else points
    fixed = {}
    for key, values in axes.items():
        if np.isnan(values).any():
            fixed[key] = values
        elif k == 1:
            things = pin(things, key, float(values[0]))
        else:
            things = pin(things, key, values[:, None])
    slots = Slots(things if draws else middle(things), numbers_too=bool(draws))

    def array(what: Any, rows: slice, last: bool) -> np.ndarray:
        """The rows of an axis or of a doubt."""
        row = np.arange(rows.start, rows.stop)
        if isinstance(what, np.ndarray):
            return what[row % k]
        chosen = row // k if k > 1 else rows  # a slice of draws is a view, an index a copy
        key, doubt = what
        if not isinstance(doubt, Doubt):
            return np.full((len(row) + last, 1), float(doubt))
        there = {key: fixed[key][row % k][:, None]} if key in fixed else None
        return draw_rows(key, doubt, n, study.seed, chosen, points, there, last)

    question = Question(slots, asked, n * k)
    size = BATCH if question.by_plan else WIDE
    for start in range(0, n * k, size):
        go_on()
        rows = slice(start, min(start + size, n * k))
        last = and_middle and rows.stop == n * k
        arrays = [array(what, rows, last) for what in slots]
        yield slice(rows.start, rows.stop + last), question.answer(arrays)


def _axes(things: Any, grid: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The values of each input that a grid moves, by its key."""
    keys = find_keys(things, grid) if grid else []
    axes = {key: np.ravel(x).astype(float) for key, x in zip(keys, grid.values(), strict=True)}
    for key, values in axes.items():
        check(key != "Terms.months", "the horizon cannot be swept; ask once for each, with months=")
        check(
            key != "Terms.discount_rate",
            "the discount rate cannot be swept; ask `compare` once for each",
        )
        field = key.rsplit(".", 1)[-1]
        if field in GLOSSARY:
            require(key, values[~np.isnan(values)], *limits(field))
    return axes
