"""The ledger: every line of every option, month by month, with its formula and its sources.

Amounts are expected values over the draws of the study; the base case has every Range at its
middle. Costs are positive everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.purchases import Line
from costmodel.choices.schedule import once
from costmodel.choices.study import Study, analysis, of_part
from costmodel.core import middle, one_step, unchecked
from costmodel.ledgers.batches import batches
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, at_middle
from costmodel.ledgers.evidence import Evidence, describe

COLUMNS = ["option", "phase", "item", "month", "quantity", "unit", "usd_per_unit", "usd"]
COLUMNS += ["currency", "treatment", "trend", "basis", "sources"]
FLOW = ["option", "month", "date", "usd", "cumulative_usd", "discounted_usd", "present_value"]
NO_NUMBERS = {"quantity": 0.0, "usd_per_unit": 0.0, "schedule": once(), "life_months": None}
Key = tuple[Any, ...]  # tells the lines of a bill apart


@dataclass(eq=False)
class Booked:
    """A line with what it is expected to buy and to cost in months 0..H."""

    line: Line
    quantity: Any = 0.0
    usd: Any = 0.0


@analysis
def ledger(study: Study, base_case: bool = False) -> pd.DataFrame:
    """Every line of every option in every month in which something is paid.

    Amounts are expected values over the draws in which the option runs, and `usd` sums to the
    `expected` of `compare`, to the cent; those of the base case sum to its `base_case`.

    Parameters
    ----------
    study : Study, or options with a workload
        What is priced.
    base_case : bool
        Whether every Range is at its middle instead.

    Returns
    -------
    DataFrame
        `option`, `phase`, `item`, `month` (0: up front), `quantity` in `unit`, `usd_per_unit`, the
        price that it is bought at on average, `usd`, their product, in `currency`, `treatment`
        ("capex" or "opex"), `trend` (the class of its price), `basis` (the formula with the middles
        and ends of its numbers) and `sources`. An option that cannot run has no rows.

    Raises
    ------
    Infeasible
        The study is about one option, and it cannot run.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> ledger(option, work, months=2)[["item", "month", "quantity", "unit"]]
                          item  month  quantity  unit
    0  production: fresh input      1      90.0  Mtok
    1  production: fresh input      2      90.0  Mtok
    2       production: output      1      25.0  Mtok
    3       production: output      2      25.0  Mtok
    """
    rows = []
    for label, booked in lines_booked(study, base_case).items():
        evidence = Evidence(study.options[label], study.work, study.terms)
        for each in booked.values():
            line = each.line
            basis, sources = evidence.basis(line), "; ".join(evidence.cited(line))
            for month in np.flatnonzero(each.quantity).tolist():
                quantity, usd = float(each.quantity[month]), float(each.usd[month])
                bought = (label, line.phase, line.item, month, quantity, line.unit, usd / quantity)
                how = ("USD", line.treatment, line.trend, basis, sources)
                rows.append((*bought, usd, *how))
    return pd.DataFrame(rows, columns=COLUMNS)


def lines_booked(study: Study, base_case: bool = False) -> dict[str, dict[Key, Booked]]:
    """The lines of every option that runs, at the middle of all Ranges or on the draws.

    Options that cannot run are left out, or, where the study is about one alone, Infeasible. A
    study is booked once.
    """
    what = "booked", base_case
    return study.once(what, lambda: _booked(study, base_case), None if study.alone else of_part)


def lines_of(study: Study, label: str, base_case: bool = False) -> dict[Key, Booked]:
    """The lines of one option, which must run."""
    study = study.only(label)
    for reason in at_middle(study).why_not.values():
        raise reason
    return lines_booked(study, base_case)[label]


def _booked(study: Study, base_case: bool) -> dict[str, dict[Key, Booked]]:
    found = at_middle(study)
    if study.alone:
        for reason in found.why_not.values():
            raise reason
    if base_case:
        return _means([(1, amounts(found.calendar, found.bills))], found.bills)
    if not found.bills:
        return {}
    drawn = batches(study.only(*found.bills), amounts, study.draws)
    booked = _means(((rows.stop - rows.start, made) for rows, made in drawn), found.bills)
    middles = lines_booked(study, base_case=True)
    for label, bill in found.bills.items():
        usual, lines = dict(keyed(bill.lines)), booked[label]
        for key in [*lines]:
            if key in usual and np.any(middles[label][key].quantity):  # with the numbers there
                lines[key].line = usual[key]
            elif not np.any(lines[key].quantity):  # bought neither there nor in any draw
                del lines[key]
    return booked


def keyed(lines: Iterable[Line]) -> Iterator[tuple[Key, Line]]:
    """Lines with what tells them apart: their names, and how many came before under them."""
    seen: Counter[Key] = Counter()
    for line in lines:
        name = (line.phase, line.item, line.unit, line.trend, line.treatment)
        seen[name] += 1
        yield (*name, seen[name]), line


def _means(batches: Iterable[tuple[int, Any]], labels: Iterable[str]) -> dict[str, dict]:
    """The means of all lines over the rows in which the option runs, from those of batches."""
    booked: dict[str, dict[Key, Booked]] = {label: {} for label in labels}
    runs: Counter[str] = Counter()
    for rows, made in batches:
        for label, (share, lines) in made.items():
            runs[label] += rows * share
            for key, (line, quantity, usd) in lines.items():
                each = booked[label].setdefault(key, Booked(line))
                each.quantity = each.quantity + rows * quantity
                each.usd = each.usd + rows * usd
    for label, lines in booked.items():
        for each in lines.values():
            each.quantity, each.usd = each.quantity / runs[label], each.usd / runs[label]
    return booked


def amounts(calendar: Calendar, bills: dict[str, Bill]) -> dict[str, tuple[Any, dict]]:
    """Of each option the share of rows in which it runs, and its lines by key.

    Of each line its words, and the mean over all rows, those in which the option does not run as
    zero, of its quantity and its USD in months 0..H.
    """
    return {label: (np.mean(bill.fits), _amounts(bill, calendar)) for label, bill in bills.items()}


def _amounts(bill: Bill, calendar: Calendar) -> dict[Key, tuple[Line, Any, Any]]:
    lines = dict(keyed(bill.lines))
    alike: dict[tuple, list[Key]] = {}  # lines that are bought in the same months at the same price
    for key, line in lines.items():
        alike.setdefault(calendar.key(line.schedule, line.trend), []).append(key)
    means = {}
    for keys in alike.values():
        first = lines[keys[0]]
        weights = calendar.weights(first.schedule)
        paid = weights * calendar.prices_of(first.schedule, first.trend)
        for key in keys:
            line = lines[key]
            words = unchecked(
                line, quantity=0.0, usd_per_unit=0.0, schedule=once(), life_months=None
            )
            bought = _mean(line.quantity * bill.fits, weights), _mean(line.usd * bill.fits, paid)
            means[key] = (words, *bought)
    return {key: means[key] for key in lines}


def _mean(value: Any, path: np.ndarray) -> np.ndarray:
    """Mean over rows of a number a row times its path over the months, shape (H + 1,)."""
    return np.mean(value) * path if path.ndim == 1 else _mean_product(value, path)


@one_step
def _mean_product(value: Any, path: np.ndarray) -> np.ndarray:
    each = np.broadcast_to(np.ravel(value), len(path))
    return each @ path / len(path)


@analysis
def explain(study: Study, label: str | None = None) -> pd.DataFrame:
    """What each line of one option costs over the horizon, by which formula, from which sources.

    Parameters
    ----------
    study : Study, or options with a workload
        Where the option stands.
    label : str, optional
        The option; without one, the only option.

    Returns
    -------
    DataFrame
        One row per line, dearest first: `phase`, `item`, expected `quantity` in `unit` over the
        horizon, `usd_per_unit`, the price that it is bought at on average, `usd`, their product, in
        `currency`, its `share`, `base_case`, the USD with every
        input at its middle, `basis` (the formula with its
        numbers) and `sources` (publisher, title and day).

    Raises
    ------
    Infeasible
        The option cannot run.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> explain(option, work, months=12)[["item", "quantity", "unit"]]
                          item  quantity  unit
    0       production: output     300.0  Mtok
    1  production: fresh input    1080.0  Mtok
    """
    label = study.label(label)
    booked, middles = lines_of(study, label), lines_of(study, label, base_case=True)
    evidence = Evidence(study.options[label], study.work, study.terms)
    rows = [
        {
            "phase": each.line.phase,
            "item": each.line.item,
            "quantity": each.quantity.sum(),
            "unit": each.line.unit,
            "usd_per_unit": each.usd.sum() / (each.quantity.sum() or 1.0),
            "usd": each.usd.sum(),
            "currency": "USD",
            "share": each.usd.sum(),
            "base_case": middles[key].usd.sum() if key in middles else 0.0,
            "basis": evidence.basis(each.line),
            "sources": "; ".join(map(describe, evidence.cited(each.line))),
        }
        for key, each in booked.items()
    ]
    table = pd.DataFrame(rows)
    table["share"] /= table["usd"].sum() or 1.0
    return table.sort_values("usd", ascending=False, ignore_index=True)


@analysis
def cash_flow(study: Study) -> pd.DataFrame:
    """What is paid month by month, what has been paid, and its present value.

    Amounts are expected values over the draws; costs are positive. A month is discounted by
    (1 + terms.discount_rate)^(-month / 12).

    Parameters
    ----------
    study : Study, or options with a workload
        What is priced.

    Returns
    -------
    DataFrame
        `option`, `month` (0: up front), `date`, its first day, `usd`, `cumulative_usd`,
        `discounted_usd` and `present_value`, that of all costs up to that month, in `currency`. An
        option that cannot run has no rows.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> flow = cash_flow(option, work, months=2)
    >>> bool((flow["usd"].cumsum() == flow["cumulative_usd"]).all())
    True
    """
    months = range(study.terms.months + 1)
    dates = [study.terms.date_of(month) for month in months]
    discount = Calendar(middle(study.work), middle(study.terms)).discount
    frames = []
    for label, booked in lines_booked(study).items():
        usd = sum((each.usd for each in booked.values()), np.zeros(len(dates)))
        now = usd * discount
        columns = {"option": label, "month": months, "date": dates, "usd": usd}
        columns |= {"cumulative_usd": usd.cumsum(), "discounted_usd": now}
        frames.append(pd.DataFrame(columns | {"present_value": now.cumsum(), "currency": "USD"}))
    return (
        pd.concat(frames, ignore_index=True)
        if frames
        else pd.DataFrame(columns=[*FLOW, "currency"])
    )
