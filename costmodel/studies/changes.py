"""Why did the answer change: a waterfall between two options, scenarios or dates; and the total
over several horizons.

Its bars sum to the difference.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.mixes import Mix
from costmodel.choices.options import Option, each
from costmodel.choices.purchases import PHASES
from costmodel.choices.servings.api import Api
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Corpus, Workload
from costmodel.choices.zeros import PEOPLE_UNITS
from costmodel.core import (
    check,
    in_words,
    key_of,
    middle,
    objects,
    public,
    rewrite,
    same,
    unchecked,
    unit_of,
    walk,
)
from costmodel.decisions.compare import compare
from costmodel.facts.prices import ApiPrice
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, evaluate

Numbers = tuple[Any, Workload, Terms]  # an option, its workload and terms, without Ranges
Side = Study | tuple[Option | Mix, Workload, Terms]
STEPS = ("price", "volume", "quality", "people", "mix", "terms")
QUALITY = "accepted quality usd_per_failure of_teacher".split()  # beside log-odds and indices
HORIZONS = (12, 24, 36, 48, 60)  # months
PRICES = ("discount", "residency_uplift", "premium")


def step_of(owner: Any, field: str) -> str:
    """The step of the waterfall that a change of this input belongs to; "mix" is quantities."""
    kind = type(owner).__name__
    unit = unit_of(f"{kind}.{field}")
    if field in QUALITY or unit in ("log-odds", "index") or kind in ("Task", "Reader"):
        return "quality"
    if unit in PEOPLE_UNITS or kind == "Person" or (kind, field) == ("Trends", "labour"):
        return "people"
    if isinstance(owner, (Workload, Corpus)):
        return "volume"
    if isinstance(owner, Terms):
        return "terms"
    return "price" if unit.startswith("USD/") or kind == "Trends" or field in PRICES else "mix"


@public
def waterfall(before: Side, after: Side) -> pd.DataFrame:
    """Say why the total over the horizon changed, by kind of input.

    Each step moves one kind of input from the values before to those after. An input belongs to a
    step if both sides have it; what only one of them has (another model, a technique more) is the
    mix; horizon, start and discounting are the terms. The order is fixed: a cost that several steps
    change together goes to the last of them. For two dates compare `repriced(option, day)` with
    `repriced(option, later)`.

    Parameters
    ----------
    before, after : Study of one option, or tuple (option, workload, terms)
        The two sides.

    Returns
    -------
    pandas.DataFrame
        Columns: step, usd [USD, the bar], total [USD after that step]. Rows: "before", price,
        volume, quality, people, mix, terms, "after". The bars sum to the difference; every Range is
        at its middle.

    Raises
    ------
    Infeasible
        When one of the sides cannot run.

    Examples
    --------
    >>> import costmodel as cm
    >>> option, work = cm.Option(cm.finance.Today(1_000.0)), cm.Workload(500, input_tokens=1)
    >>> dearer = cm.Option(cm.finance.Today(1_500.0))
    >>> year = cm.Terms(trends=cm.choices.Trends(labour=0.0), months=12)
    >>> waterfall((option, work, year), (dearer, work, year)).usd.tolist()
    [12000.0, 6000.0, 0.0, 0.0, 0.0, 0.0, 0.0, 18000.0]
    """
    sides = towards(_numbers(before), _numbers(after))
    totals = [_bill(side)[0] for side in sides]
    return _bars(dict(zip(STEPS, np.diff(totals), strict=True)), totals[0], totals[-1])


@public
def by_phase(before: Side, after: Side) -> pd.DataFrame:
    """Say where one option is cheaper than another, by phase of the life.

    Parameters
    ----------
    before, after : Study of one option, or tuple (option, workload, terms)
        The two sides.

    Returns
    -------
    pandas.DataFrame
        Columns: step (a phase), usd [USD, the bar], total [USD after that step]; the first row is
        "before" and the last "after". The bars sum to the difference; every Range is at its middle.

    Raises
    ------
    Infeasible
        When one of the sides cannot run.

    Examples
    --------
    >>> import costmodel as cm
    >>> plain = cm.Option(cm.finance.Seats(10, 40.0))
    >>> built = cm.Option(cm.Api("gpt-4o", on="2026-11-20"), cm.Prompt(build_weeks=1))
    >>> work, year = cm.Workload(1e5, input_tokens=900, output_tokens=250), cm.Terms(months=12)
    >>> cm.finance.by_phase((plain, work, year), (built, work, year)).round()
              step      usd    total
    0       before   4800.0   4800.0
    1        build   4920.0   9720.0
    2      serving    900.0  10620.0
    3  maintenance  20853.0  31473.0
    4        after  31473.0  31473.0
    """
    (start, was), (end, now) = _bill(_numbers(before)), _bill(_numbers(after))
    found = [phase for phase in PHASES if phase in was or phase in now]
    return _bars({p: now.get(p, 0.0) - was.get(p, 0.0) for p in found}, start, end)


def towards(now: Numbers, end: Numbers, judged: Collection[str] = ()) -> list[Numbers]:
    """From one side to the other: a further kind of input is at its values after, in order of
    STEPS.

    `judged` are the inputs that only evidence moved, so that they belong to the quality.
    """
    sides, changed = [now], _by_step(end, judged)
    for step in STEPS[:4]:
        now = _moved(now, changed[step])
        if step == "price":
            now = (_discounted(now[0], discounts(end)), *now[1:])
        if step == "quality":
            now = (_judged(now[0], end[0]), *now[1:])
        sides.append(now)
    return [*sides, (*end[:2], now[2]), end]


def _by_step(end: Numbers, judged: Collection[str]) -> dict[str, dict[str, Any]]:
    """The inputs of a side by step and key; the first of a key counts."""
    found: dict[str, dict[str, Any]] = {step: {} for step in STEPS}
    for owner, field, value in walk(end):
        if isinstance(owner, Api) and field == "discount":  # one key for all models
            continue
        key = key_of(owner, field, value)
        step = "quality" if key in judged else step_of(owner, field)
        found[step].setdefault(key, getattr(owner, field))  # what is usual stays so
    for card in objects(end):
        if isinstance(card, ApiPrice):
            found["price"][key_of(card, "known", card.known)] = card.known
    return found


def discounts(x: Any) -> dict[tuple[str, str], Any]:
    """The discount on each model, by its seller and id, of the first of its Apis."""
    found: dict[tuple[str, str], Any] = {}
    for api in objects(x):
        if isinstance(api, Api):
            found.setdefault((api.model.provider, api.model.id), api.discount)
    return found


def _discounted(option: Any, known: dict[tuple[str, str], Any]) -> Any:
    """The option with the discount of each model that is known."""

    def at_contract(api: Any) -> Any:
        less = known.get((api.model.provider, api.model.id), api.discount)
        fallback = None if api.fallback is None else at_contract(api.fallback)
        if fallback is api.fallback and same(less, api.discount):
            return api
        return unchecked(api, discount=less, fallback=fallback)

    return each(option, lambda part: isinstance(part, Api), at_contract)


def _judged(option: Any, end: Any) -> Any:
    """The option with the quality that was measured, or stated, of the one after: evaluations of
    other counts have other keys."""
    if isinstance(option, Mix) and isinstance(end, Mix) and len(option.mix) == len(end.mix):
        pairs = zip(option.mix, end.mix, strict=True)
        parts = (unchecked(a, option=_judged(a.option, b.option)) for a, b in pairs)
        return unchecked(option, quality=end.quality, mix=tuple(parts))
    alike = isinstance(option, Option) and isinstance(end, Option)
    return unchecked(option, quality=end.quality) if alike else option


def _moved(side: Numbers, values: dict[str, Any]) -> Numbers:
    """The side with these inputs at their values after, wherever it has them."""
    return rewrite(side, lambda key, held: values.get(key, held), marks_too=True)


def _numbers(side: Any) -> Numbers:
    check(
        isinstance(side, Study) or (isinstance(side, tuple) and len(side) == 3),
        f"a side is {in_words(side)}, it must be a Study or a tuple (option, workload, terms)",
    )
    if isinstance(side, tuple):
        option, work, terms = side
        side = Study(option, work, terms, accept_zero=None)
    return middle((side.option(), side.work, side.terms))


def _bill(side: Numbers) -> tuple[float, dict[str, float]]:
    """The total, and its parts by phase."""
    calendar, bill = Calendar(*side[1:]), evaluate(*side)
    return float(bill.total(calendar)), usd_by_phase(bill, calendar)


def usd_by_phase(bill: Bill, calendar: Calendar) -> dict[str, float]:
    """USD over the horizon by phase."""
    phases = dict.fromkeys(line.phase for line in bill.lines)
    return {phase: float(np.squeeze(bill.of_phase(phase).total(calendar))) for phase in phases}


def _bars(bars: dict[str, float], start: float, end: float) -> pd.DataFrame:
    """The table of a waterfall."""
    usd = pd.Series({"before": start, **bars})
    table = pd.DataFrame({"usd": usd, "total": usd.cumsum()})
    table.loc["after"] = end
    return table.rename_axis("step").reset_index()


@analysis
def tco(study: Study, horizons: tuple[int, ...] = HORIZONS) -> pd.DataFrame:
    """Compare the total cost of ownership over several horizons.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    horizons : int or tuple of int
        The horizons [month].

    Returns
    -------
    pandas.DataFrame
        Columns: option, months, expected, p10, p90 [USD]; each row is `compare` at that horizon.

    Raises
    ------
    ValueError
        When there is no horizon.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.finance.Seats(10, 40.0))
    >>> still = cm.Terms(trends=cm.choices.Trends(api=0, gpu=0, labour=0, service=0))
    >>> work = cm.Workload(500, input_tokens=1)
    >>> table = cm.finance.tco(option, work, still, horizons=(12, 24))
    >>> table[["option", "months", "expected"]].round()
       option  months  expected
    0  option      12    4800.0
    1  option      24    9600.0
    """
    horizons = tuple(np.atleast_1d(horizons).tolist())
    check(horizons, "tco: horizons is empty, it must be one or more numbers of months")
    frames = {m: compare(study, months=m)[["expected", "p10", "p90"]] for m in horizons}
    table = pd.concat(frames, names=["months"]).reset_index()
    columns = ["option", "months", "expected", "p10", "p90"]
    return table[columns].sort_values(["option", "months"], ignore_index=True)
