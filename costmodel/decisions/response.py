"""The answer of a study over its headline inputs: a table that a page without Python can read.

An input moves with the doubt around it: volumes and tokens by a factor, growth by a difference.
Expected costs and shares are computed on the points of a grid and joined by cubic curves; what a
wrong answer costs enters as a straight line, and the horizon takes the months of the grid only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from costmodel.choices.study import Study
from costmodel.core import floats, middle, sample, unchecked
from costmodel.decisions.simulate import mean
from costmodel.ledgers.batches import BATCH
from costmodel.ledgers.engine import Bill, evaluate_all

COARSE = {"requests_per_month": 5, "input_tokens": 3, "output_tokens": 3, "growth_per_year": 3}
FINE = {"requests_per_month": 9, "input_tokens": 5, "output_tokens": 5, "growth_per_year": 3}
LEVELS = ((COARSE, 600), (FINE, 1_500), (FINE, 6_000))  # tried in turn: nodes, and draws behind
REACH = {"requests_per_month": 3.0, "input_tokens": 2.0, "output_tokens": 2.0}  # factors
GROWTH = (-0.3, 0.4)  # differences of the growth, share/year
MONTHS = (12, 24, 36, 48, 60)
FAILURES = 4.0  # the cost of a wrong answer reaches from 0 to so many times the present one
QUANTITIES = ("pay", "wrong", "worth_of_pay", "worth_of_wrong", "quality", "p_reaches")
POSITIVE = 4  # of QUANTITIES, which are interpolated as logarithms
LEAST = 1e-12
FEW, ENOUGH = 30, 0.007  # positions at which a level is tried, and the error that is small enough
Position = tuple[dict[str, float], int, float]  # inputs, months, factor on the cost of failures


@dataclass(frozen=True, eq=False)
class Curve:
    """One option: `axes` are the nodes of each input, as logarithms of factors or as differences;
    `table` has the shape (months, *nodes, QUANTITIES)."""

    axes: dict[str, np.ndarray]
    table: np.ndarray

    def at(self, position: dict[str, float], month: int, failures: float) -> np.ndarray:
        """The QUANTITIES at a position; `month` is the place of the horizon."""
        found = self.table[month]
        for name, nodes in self.axes.items():
            found = np.tensordot(weights(nodes, position[name]), found, axes=(0, 0))
        costs = np.exp(found[:POSITIVE]) * (1.0, failures, 1.0, failures)
        return np.concatenate([costs, found[POSITIVE:]])


@dataclass(frozen=True, eq=False)
class Response:
    """The response of a study: a curve for each option, the horizons, and the errors measured.

    `errors` are the largest relative differences of expected cost and present value, and the
    largest difference of the share accepted, from the engine on all draws of the study.
    """

    study: Study
    curves: dict[str, Curve]
    months: tuple[int, ...]
    errors: dict[str, float]

    @property
    def usd_per_failure(self) -> float:
        """The present cost of a wrong answer at its middle."""
        return float(np.squeeze(middle(self.study.work).usd_per_failure))


def respond(study: Study, labels: list[str], positions: int, levels: Any = LEVELS) -> Response:
    """The response of options of a study, after its evidence, as fine as each of them needs."""
    months = tuple(sorted({*MONTHS, study.terms.months}))
    studies = [study.only(*labels).changed(months=x) for x in months]
    curves: dict[str, Curve] = {}
    errors: dict[str, float] = {}
    left = list(labels)
    for nodes, draws in levels:
        curves |= _curves(studies, left, nodes, draws)
        few = _errors(studies, {x: curves[x] for x in left}, min(positions, FEW), seed=2)
        left = [label for label in left if few[label] > ENOUGH]
        if not left:
            break
    errors = _errors(studies, curves, positions, seed=1)
    return Response(study, curves, months, errors)


def _errors(
    studies: list[Study], curves: dict[str, Curve], count: int, seed: int
) -> dict[str, float]:
    """The largest error of each curve at random positions."""
    worst = dict.fromkeys(curves, 0.0)
    for position, month, failures in positions_of(studies, curves, count, seed):
        for label, theirs in exact(studies[month], [*curves], position, failures).items():
            ours = curves[label].at(position, month, failures)
            with np.errstate(invalid="ignore", divide="ignore"):
                pairs = [(ours[:2].sum(), theirs[:2].sum()), (ours[2:4].sum(), theirs[2:4].sum())]
                gaps = [abs(a / b - 1) for a, b in pairs] + [abs(ours[4] - theirs[4])]
            worst[label] = max(worst[label], *(x for x in gaps if not np.isnan(x)), 0.0)
    return worst


def positions_of(
    studies: list[Study], curves: dict[str, Curve], count: int, seed: int
) -> Iterator[Position]:
    """Random positions of all inputs: (inputs, place of the horizon, factor on failures)."""
    rng, axes = np.random.default_rng(seed), next(iter(curves.values())).axes
    for _ in range(count):
        place = {name: rng.uniform(x[0], x[-1]) for name, x in axes.items()}
        yield place, int(rng.integers(len(studies))), float(rng.uniform(0, FAILURES))


def exact(
    study: Study, labels: list[str], position: dict[str, float], failures: float
) -> dict[str, np.ndarray]:
    """The QUANTITIES of options at a position by the engine, on all draws of the study."""
    axes = {name: np.array([x]) for name, x in position.items()}
    found = _on_grid(study, labels, axes | {"usd_per_failure": np.array([failures])}, study.draws)[
        0
    ]
    found[:, :POSITIVE] = np.exp(found[:, :POSITIVE])
    return dict(zip(labels, found, strict=True))


def _curves(
    studies: list[Study], labels: list[str], nodes: dict[str, int], draws: int
) -> dict[str, Curve]:
    work, axes = middle(studies[0].work), {}
    for name, count in nodes.items():
        if name == "growth_per_year":
            axes[name] = np.linspace(*GROWTH, count)
        elif np.any(getattr(work, name)):
            axes[name] = np.linspace(-1, 1, count) * np.log(REACH[name])
    here = {name: np.zeros(1) for name in axes}
    tables = []
    for study in studies:
        some = min(draws, study.draws)
        every, few = (_on_grid(study, labels, here, n)[0] for n in (study.draws, some))
        found = _on_grid(study, labels, axes, some) + every - few
        tables.append(found.reshape(*map(len, axes.values()), len(labels), len(QUANTITIES)))
    table = np.stack(tables)
    return {label: Curve(axes, table[..., i, :]) for i, label in enumerate(labels)}


def weights(nodes: np.ndarray, x: float) -> np.ndarray:
    """The weight of each node in the value at x: the cubic through the four nearest nodes."""
    first = int(np.clip(np.searchsorted(nodes, x) - 2, 0, max(len(nodes) - 4, 0)))
    near = nodes[first : first + 4]
    found = np.zeros(len(nodes))
    for i, node in enumerate(near):
        others = np.delete(near, i)
        found[first + i] = np.prod((x - others) / (node - others))
    return found


def _on_grid(
    study: Study, labels: list[str], axes: dict[str, np.ndarray], draws: int
) -> np.ndarray:
    """The QUANTITIES at the points of a grid, means of draws: (points, options, QUANTITIES)."""
    points = np.array(list(product(*axes.values())))
    things: Any = (study.options, study.work, study.terms)
    given, floor = study.points_of(draws), study.quality_floor
    each = max(BATCH // draws, 1)
    made = []
    for start in range(0, len(points), each):
        some = points[start : start + each]
        rows = np.arange(len(some) * draws)
        options, work, terms = sample(things, draws, study.seed, rows % draws, given)
        moves = {name: some[rows // draws, i][:, None] for i, name in enumerate(axes)}
        fields: Any = {name: _shifted(getattr(work, name), name, x) for name, x in moves.items()}
        bills = evaluate_all(options, unchecked(work, **fields), terms)
        found = [
            _means(bills.bills.get(x), bills.calendar, floor, len(some), draws) for x in labels
        ]
        made.append(np.stack(found, axis=1))
    return np.concatenate(made)


def _means(bill: Bill | None, calendar: Any, floor: float | None, points: int, draws: int) -> Any:
    if bill is None:
        return np.full((points, len(QUANTITIES)), np.nan)
    runs = np.broadcast_to(bill.fits, (points * draws, 1))

    def means(values: Any) -> np.ndarray:
        spread = np.where(runs, np.broadcast_to(floats(values), (points * draws, 1)), np.nan)
        return mean(spread.reshape(points, draws).T)

    usd = [means(bill.total(calendar, d, without="failures")) for d in (False, True)]
    wrong = [means(bill.total(calendar, d, phase="failures")) for d in (False, True)]
    share = np.nan if bill.accepted is None else bill.accepted
    reached = runs if floor is None else runs & (share >= floor)
    chance = np.broadcast_to(reached, (points * draws, 1)).reshape(points, draws).mean(axis=1)
    costs = [np.log(np.maximum(x, LEAST)) for x in (usd[0], wrong[0], usd[1], wrong[1])]
    return np.stack([*costs, means(share), chance], axis=-1)


def _shifted(value: Any, name: str, x: np.ndarray) -> Any:
    """Draws of an input at a position: by a difference, a factor, or the logarithm of one."""
    if name == "growth_per_year":
        return value + x
    return value * (x if name == "usd_per_failure" else np.exp(x))
