"""Every line of the ledger as a formula over named inputs, or as a value that says so.

The engine runs once on inputs that remember what is done to them (`tracing`). A formula counts as
live when it gives what the engine gives, at the middle and after each input is moved by a tenth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.purchases import Line
from costmodel.choices.schedule import Stages
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import STEADY
from costmodel.core import (
    MONTHS_PER_YEAR,
    Infeasible,
    is_one_number,
    key_of,
    limits,
    middle,
    rewrite,
    walk,
)
from costmodel.ledgers.book import Key, keyed
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, at_middle, evaluate
from costmodel.ledgers.expressions import Expressions, bracketed, unwritable, writable
from costmodel.ledgers.tracing import Trace, Traced, computed, inputs_of

NOT_TRACED = ("Terms.months", "Terms.discount_rate")  # the columns of the months; discounting
MOVED = 1.1  # times its middle, each input is tried
LONGEST_SHOWN = 120  # characters
COLUMNS = ["option", "phase", "item", "usd", "live", "formula", "inputs", "holds"]
SAME = 1e-9  # relative difference of a formula and the engine


@dataclass(frozen=True, eq=False)
class Formula:
    """A line of the base case: `quantity x usd_per_unit x path`, of which each may be traced.

    `path` is occurrences x relative price in months 0..H; `usd` are the amounts of the engine;
    `inputs` are the names of what moves the line, `holds` those of them that the formula does not
    follow. Where it is not `live`, all three are numbers.
    """

    line: Line
    quantity: Any
    usd_per_unit: Any
    path: Any
    usd: np.ndarray
    live: bool
    inputs: tuple[str, ...]
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Formulas:
    """An option in formulas: its lines, the share accepted, and what must stay as it is.

    `conditions` are comparisons that chose the road, each with its outcome: while they hold, the
    formulas say what the engine says.
    """

    lines: dict[Key, Formula]
    accepted: Any
    conditions: list[tuple[Traced, bool]]


@dataclass(frozen=True, eq=False)
class Inputs:
    """The inputs of a study at their middles, by name; one key with two values has two names."""

    names: dict[tuple[str, float], str]

    @property
    def middles(self) -> dict[str, float]:
        return {name: value for (_, value), name in self.names.items()}

    def replaced(self, things: Any, by_name: dict[str, Any]) -> Any:
        """Things on numbers, with other values for inputs by their names."""

        def change(key: str, old: Any) -> Any:
            one = is_one_number(old)
            return by_name.get(self.names.get((key, float(old)), ""), old) if one else old

        return rewrite(things, change)


def named_inputs(things: Any) -> Inputs:
    """The inputs of options, a workload and terms whose doubts are at their middle."""
    names: dict[tuple[str, float], str] = {}
    for owner, field, value in walk(things):
        key = key_of(owner, field, value)
        if key in NOT_TRACED or np.ndim(value) or not np.isfinite(value):
            continue
        same_key = sum(other == key for other, _ in names)
        names.setdefault((key, float(value)), f"{key} ({same_key + 1})" if same_key else key)
    return Inputs(names)


def formulas_of(study: Study) -> tuple[Inputs, dict[str, Formulas]]:
    """The inputs of a study, and each option that runs in formulas over them; traced once."""
    return study.once("formulas", lambda: _formulas(study))


def _formulas(study: Study) -> tuple[Inputs, dict[str, Formulas]]:
    things = middle((study.options, study.work, study.terms))
    inputs, found = named_inputs(things), at_middle(study)
    moved = _moved(inputs)
    return inputs, {
        label: _option((things[0][label], *things[1:]), inputs, moved, bill, found.calendar)
        for label, bill in found.bills.items()
    }


def _moved(inputs: Inputs) -> dict[str, np.ndarray]:
    """{name: column}, in which row i has input i moved by a tenth, down where up is not allowed."""
    columns, middles = {}, inputs.middles
    for i, (name, value) in enumerate(middles.items()):
        field = name.split(" (")[0].rpartition(".")[2]
        try:
            allowed = limits(field)[1] >= value * MOVED
        except KeyError:
            allowed = True
        columns[name] = np.full((len(middles), 1), value)
        columns[name][i] = value * (MOVED if allowed else 2 - MOVED)
    return columns


def _option(
    things: Any, inputs: Inputs, moved: dict[str, np.ndarray], bill: Bill, calendar: Calendar
) -> Formulas:
    """One option, traced and tried; a second time, without the inputs that some lines cannot
    follow, for these lines."""
    tried, elsewhere, calendar_there = _tried(things, inputs, moved)
    there = {_without_unit(key): line for key, line in keyed(elsewhere.lines)}
    order, lines, left = list(moved), {}, dict(keyed(bill.lines))
    first = traced, *_ = _traced(things, inputs, tried)
    names, again = set(tried), first
    for last in (False, True):
        found = {_without_unit(key): line for key, line in keyed(again[0].lines)}
        astray: set[str] = set()
        for key, line in left.items():
            usd, same = _usd(line, calendar), _without_unit(key)
            moves = _usd(there[same], calendar_there) if same in there else np.zeros((1, 1))
            lines[key], lost = _formula(line, usd, found.get(same), moves, *again[1:], tried, order)
            astray |= lost
        names -= astray
        left = {key: line for key, line in left.items() if not lines[key].live}
        if last or not astray:
            break
        again = _traced(things, inputs, names)
    share = traced.accepted
    beside = bill.accepted, elsewhere.accepted, tried, order
    if isinstance(share, Traced) and not _agrees(share, *beside):
        share = bill.accepted
    asked = [x for x in first[3].conditions.values() if writable(x) and _finite([x])]
    conditions = [(x, bool(x.value)) for x in asked]
    return Formulas(lines, share, conditions)


def _traced(things: Any, inputs: Inputs, names: Iterable[str]) -> tuple[Bill, Any, Any, Trace]:
    """An option with these inputs traced: its bill, the demand, the terms, and the trace."""
    trace, middles = Trace(), inputs.middles
    nodes = {name: Traced(trace, "input", (name,), middles[name], None) for name in names}
    option, work, terms = inputs.replaced(things, nodes)
    return evaluate(option, work, terms), work.demand(terms.months, terms.start), terms, trace


def _tried(things: Any, inputs: Inputs, moved: dict[str, np.ndarray]) -> tuple[Any, Bill, Calendar]:
    """The inputs that may be moved, the bill with each moved in a row of its own, its calendar."""
    own = {key_of(*x) for x in walk(things)}
    names = [name for (key, _), name in inputs.names.items() if key in own]

    def there(some: list[str]) -> Any:
        return inputs.replaced(things, {name: moved[name] for name in some})

    kept = _movable(names, lambda some: evaluate(*there(some)))
    here = there(kept)
    return {name: moved[name] for name in kept}, evaluate(*here), Calendar(*here[1:])


def _movable(names: list[str], tried: Callable[[list[str]], Any]) -> list[str]:
    """The inputs that can be moved: those that the engine takes as arrays."""
    try:
        tried(names)
        return names
    except (ValueError, TypeError, IndexError, Infeasible):
        half = len(names) // 2
        return [*_movable(names[:half], tried), *_movable(names[half:], tried)] if half else []


def _without_unit(key: Key) -> Key:
    """A line of one amount is counted in months or in USD, by whether it has a path."""
    phase, item, _, *rest = key
    return phase, item, *rest


def _usd(line: Line, calendar: Calendar) -> Any:
    return line.usd * calendar.path(line.schedule, line.trend)


def _formula(
    line: Line, usd: np.ndarray, traced: Line | None, moves: Any, demand: Any, terms: Any,
    trace: Trace, tried: dict[str, np.ndarray], order: list[str],
) -> tuple[Formula, set[str]]:  # fmt: skip
    """A line with its formula, if that agrees with the engine; otherwise with its numbers, and the
    inputs that the formula should not follow."""
    rows, astray = len(next(iter(tried.values()))), set()
    moves = np.broadcast_to(moves, (rows, len(usd)))
    if traced is not None:
        path = _path(traced, demand, terms)
        parts = [traced.quantity, traced.usd_per_unit, path]
        if any(isinstance(part, Traced) for part in parts):
            there = computed([part * 1.0 for part in parts], tried)
            same, followed = _close(there[0] * there[1] * there[2], moves), inputs_of(*parts)
            wrong = {order[i] for i in np.flatnonzero(~same)}
            astray = wrong & followed | inputs_of(*unwritable(*parts))
            if not astray and len(wrong) < rows and _finite(parts):
                names, holds = tuple(sorted(followed | wrong)), tuple(sorted(wrong))
                found = Formula(line, parts[0], parts[1], parts[2], usd, True, names, holds)
                return found, set()
    names = tuple(sorted(order[i] for i in np.flatnonzero(~_close(usd, moves))))
    return Formula(line, 1.0, 1.0, usd, usd, not names, names), astray


def _path(line: Line, demand: Any, terms: Any) -> Any:
    """Occurrences x relative price in months 0..H, as in `Calendar.path`."""
    weights, when = line.schedule.weights(terms.months, demand), line.schedule
    if line.trend != STEADY:
        years = np.maximum(np.arange(terms.months + 1) - when.known, 0) / MONTHS_PER_YEAR
        weights = weights * (1.0 + getattr(terms.trends, line.trend)) ** years
    if when.price is None:
        return weights
    return weights * (when.price.by_month if isinstance(when.price, Stages) else when.price)


def _finite(parts: list[Any]) -> bool:
    return all(np.all(np.isfinite(getattr(part, "value", part))) for part in parts)


def _close(ours: Any, theirs: Any) -> np.ndarray:
    """In which rows both are the same."""
    scale = np.abs(theirs).max(axis=-1)
    return np.asarray(np.abs(ours - theirs).max(axis=-1) <= SAME * scale + 1e-12)


def _agrees(
    share: Traced, here: Any, there: Any, tried: dict[str, np.ndarray], order: list[str]
) -> bool:
    """Whether a share follows each input that it has."""
    (moved,) = computed([share], tried)
    wrong = np.flatnonzero(~_close(moved, np.broadcast_to(there, moved.shape)))
    agree = not {order[i] for i in wrong} & inputs_of(share) and writable(share)
    return agree and bool(np.isclose(share.value, here))


@analysis
def formulas(study: Study) -> pd.DataFrame:
    """Every line of the base case as a formula over named inputs, or as a value that says so.

    Parameters
    ----------
    study : Study, or options with a workload
        What is priced.

    Returns
    -------
    DataFrame
        `option`, `phase`, `item`, `usd` [USD over the horizon, every input at its middle], `live`,
        whether there is a formula that follows its inputs, `formula` of one purchase, quantity
        times price, in the language of spreadsheets, empty for a value, `inputs`, the names of what
        moves the line, and `holds`, those that the formula does not follow, such as the months
        between two models. Parts of more than 120 characters are "(...)".

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> table = formulas(option, work, months=2)
    >>> bool(table["live"].all()), table["formula"][1]
    (True, '((Workload.requests_per_month*...')
    """

    def shortened(texts: list[str], values: Any) -> list[str]:
        return [text if len(text) <= LONGEST_SHOWN else "(...)" for text in texts]

    rows = []
    for label, option in formulas_of(study)[1].items():
        words = Expressions(str, shortened, lambda column: "table")
        for each in option.lines.values():
            line, text = each.line, ""
            if each.live:
                (count,), (usd,) = words.write([each.quantity * 1.0, each.usd_per_unit * 1.0])
                text = f"{bracketed(count)}*{bracketed(usd)}"
            names = ", ".join(each.inputs), ", ".join(each.holds)
            row = (label, line.phase, line.item, float(each.usd.sum()), each.live, text, *names)
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)
