"""The cash of an option against a baseline, draw by draw: what comes in, what goes out, and tax.

The costs are those of the ledger, running ones from month 1 on. The benefit is what the baseline
would have cost, from the month in which the option is built; of people's time that is saved, only
what is realised."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from costmodel.choices.purchases import Line
from costmodel.core import WORKING_HOURS_PER_MONTH, middle, sample
from costmodel.laws.money import gain_of_sale, written_off
from costmodel.ledgers.batches import WIDE
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, evaluate_all

Asset = Callable[[Line], bool]
FLOWS = ("benefit", "cost", "wrong_answers", "capex", "depreciation", "tax", "net")


class Cash(NamedTuple):
    """The case of one option in some draws.

    `flows` are FLOWS and the discounted net of months 0..H [USD], each of the shape (n, H + 1), NaN
    where one of the two does not run; `life` [month] of assets that end with their model, `build`
    [month] and `freed` [full-time people] have the shape (n,).
    """

    flows: dict[str, np.ndarray]
    life: np.ndarray
    build: np.ndarray
    freed: np.ndarray


class Paid(NamedTuple):
    """What a bill pays in months 0..H, each of the shape (n, H + 1) but for `sold` and `hours`.

    `people` is the part of the cost that is time; `models` and `machines` are the assets in it that
    end with their model or have a life of their own, without `sold`, what they bring at the end.
    """

    cost: np.ndarray
    people: np.ndarray
    wrong_answers: np.ndarray
    models: np.ndarray
    machines: np.ndarray
    sold: np.ndarray
    life: np.ndarray
    build_hours: np.ndarray
    hours: np.ndarray


def _of_people(line: Line) -> bool:
    """Whether a line pays for hours of people; hours of a machine follow another trend."""
    return line.unit == "hour" and line.trend == "labour"


def paid(bill: Bill, calendar: Calendar, n: int, asset: Asset, building: tuple[str, ...]) -> Paid:
    """What a bill pays, by what finance asks of it."""

    def usd(kept: Asset) -> np.ndarray:
        some = replace(bill, lines=[line for line in bill.lines if kept(line)])
        return np.broadcast_to(some.paid(calendar), (n, calendar.months + 1))

    def hours(kept: Asset) -> np.ndarray:
        paths = (
            line.quantity * line.schedule.weights(calendar.months, calendar.demand)
            for line in bill.lines
            if _of_people(line) and kept(line)
        )
        return np.broadcast_to(sum(paths, np.zeros(calendar.months + 1)), (n, calendar.months + 1))

    machines = [line for line in bill.lines if line.life_months is not None]
    life: Any = next((line.life_months for line in machines), 1.0)  # all are of one kind
    return Paid(
        cost=usd(lambda line: line.phase != "failures"),
        people=usd(lambda line: line.phase != "failures" and _of_people(line)),
        wrong_answers=usd(lambda line: line.phase == "failures"),
        models=usd(lambda line: asset(line) and line.life_months is None),
        machines=usd(lambda line: asset(line) and line in machines and line.phase != "retirement"),
        sold=-usd(lambda line: asset(line) and line in machines and line.phase == "retirement").sum(
            axis=1
        ),
        life=np.broadcast_to(np.ravel(life), n),
        build_hours=hours(lambda line: line.phase in building)[:, 0],
        hours=hours(lambda line: line.phase != "failures"),
    )


def cash_of_draws(
    things: Any,
    draws: int | None,
    seed: int,
    baseline: str,
    asset: Asset,
    building: tuple[str, ...],
    unjudged: set[str],
    points: Mapping[str, np.ndarray] | None = None,
) -> Iterator[dict[str, Cash]]:
    """The cash of every option against the one called `baseline`, a batch of draws at a time.

    `things` are the options, the workload, the terms and the policy; without draws they are at
    their middle. `unjudged` are the labels of unknown quality; `points` are draws of doubts after
    evidence.
    """
    for start in range(0, draws or 1, WIDE):
        n = min(WIDE, (draws or 1) - start)
        rows = slice(start, start + n)
        drawn = middle(things) if draws is None else sample(things, draws, seed, rows, points)
        options, work, terms, rules = drawn
        made = evaluate_all(options, work, terms)
        every = {
            label: paid(bill, made.calendar, n, asset, building)
            for label, bill in made.bills.items()
        }
        base, cases = every.pop(baseline), {}
        base_move = first_move(made.bills[baseline], made.calendar)
        for label, own in every.items():
            judged, bill = not {label, baseline} & unjudged, made.bills[label]
            move = first_move(bill, made.calendar)
            one = case(own, base, rules, (move, base_move), judged, made.calendar)
            fits = np.reshape(bill.fits & made.bills[baseline].fits, (-1, 1))
            flows = {name: np.where(fits, flow, np.nan) for name, flow in one.flows.items()}
            cases[label] = one._replace(flows=flows)
        yield cases


def case(
    own: Paid,
    base: Paid,
    rules: Any,
    moves: tuple[np.ndarray, np.ndarray],
    judged: bool,
    calendar: Calendar,
) -> Cash:
    """The cash of what an option pays against what the baseline pays, both in the same draws.

    `rules` is a Policy on numbers; `moves` are the months of the first forced move of each to
    another model; `judged` says whether the wrong answers of both are known.
    """
    months = np.arange(own.cost.shape[1])
    start = _build_months(own, base, rules)
    runs = np.clip(months - start[:, None], 0, 1)  # the part of a month in which it is built
    runs[:, 0] = 1.0  # what the baseline would buy today is saved today
    realised = np.reshape(rules.realised, (-1, 1))
    saved = np.maximum(base.people - own.people, 0.0)
    benefit = runs * (base.cost - (1 - realised) * saved)
    wrong = runs * (own.wrong_answers - base.wrong_answers) if judged else np.zeros_like(own.cost)
    held = _books(own, rules, moves[0])
    bought = base._replace(models=runs * base.models, machines=runs * base.machines)
    expense = own.cost - held.capex + held.depreciation - held.gain
    otherwise = _books(bought, rules, moves[1])  # the baseline keeps books too
    spared = benefit - otherwise.capex + otherwise.depreciation - otherwise.gain
    tax = np.reshape(rules.tax_rate, (-1, 1)) * (spared - expense - wrong)
    net = benefit - own.cost - wrong - tax
    flows = (benefit, own.cost, wrong, held.capex, held.depreciation, tax, net)
    found = dict(zip(FLOWS, flows, strict=True), discounted=net * calendar.discount)
    freed = (runs * (base.hours - own.hours))[:, 1:].mean(axis=1) / WORKING_HOURS_PER_MONTH
    life = np.where(own.models.any(axis=1) | ~own.machines.any(axis=1), held.life, own.life)
    return Cash(found, life, start, freed)


class _Books(NamedTuple):
    """Assets in the books: what is paid for them less their sale, and what moves the tax."""

    capex: np.ndarray
    depreciation: np.ndarray
    gain: np.ndarray
    life: np.ndarray


def _books(paid: Paid, rules: Any, move: np.ndarray) -> _Books:
    """The books of one side; `move` is the month in which its model ends."""
    life = np.broadcast_to(np.minimum(np.ravel(rules.life_months), move), len(paid.cost))
    depreciation = written_off(paid.models, life) + written_off(paid.machines, paid.life)
    gain = np.zeros_like(paid.cost)
    gain[:, -1] = gain_of_sale(paid.machines, paid.sold, paid.life) * paid.machines.any(axis=1)
    capex = paid.models + paid.machines
    capex[:, -1] -= paid.sold
    return _Books(capex, depreciation, gain, life)


def _build_months(own: Paid, base: Paid, rules: Any) -> np.ndarray:
    """Months until the option is built, beyond what the baseline itself would take, shape (n,)."""
    if rules.build_months is not None:
        return np.broadcast_to(np.ravel(rules.build_months).astype(float), len(own.cost))
    hours = np.maximum(own.build_hours - base.build_hours, 0.0)
    return hours / (np.ravel(rules.builders) * WORKING_HOURS_PER_MONTH)


def first_move(bill: Bill, calendar: Calendar) -> np.ndarray:
    """The month of the first forced move to another model, infinite without one, shape (n,)."""
    moves = replace(bill, lines=[line for line in bill.lines if line.phase == "migration"])
    due = np.atleast_2d(moves.paid(calendar)) > 0
    return np.where(due.any(axis=1), due.argmax(axis=1), np.inf)
