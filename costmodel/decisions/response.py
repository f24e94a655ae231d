"""The answer of a study over its headline inputs: a table that a page without Python can read.

An input moves with the doubt around it: volumes and tokens by a factor, growth by a difference.
Expected costs and shares are computed on the points of a grid and joined by cubic curves; what a
wrong answer costs enters as a straight line, and the horizon takes the months of the grid only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from costmodel.choices.study import Study
from costmodel.core import Range, floats, middle, sample, unchecked
from costmodel.decisions.compare import compare
from costmodel.decisions.simulate import mean, simulate
from costmodel.ledgers.batches import BATCH
from costmodel.ledgers.engine import Bill, evaluate_all

DRAWS = 300  # behind each point; the level comes from all draws of the study
NODES = {"requests_per_month": 5, "input_tokens": 3, "output_tokens": 3, "growth_per_year": 3}
REACH = {"requests_per_month": 3.0, "input_tokens": 2.0, "output_tokens": 2.0}  # factors
GROWTH = (-0.3, 0.4)  # differences of the growth, share/year
MONTHS = (12, 24, 36, 48, 60)
FAILURES = 4.0  # the cost of a wrong answer reaches from 0 to so many times the present one
QUANTITIES = ("pay", "wrong", "worth_of_pay", "worth_of_wrong", "quality", "p_reaches")
POSITIVE = 4  # of QUANTITIES, which are interpolated as logarithms
LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class Response:
    """The response of a study.

    `axes` are the nodes of each input, as logarithms of factors or as differences; `months` are the
    horizons; `table` has the shape (months, *nodes, options, QUANTITIES); `usd_per_failure` is the
    present cost of a wrong answer at its middle, to which `wrong` is proportional.
    """

    study: Study
    labels: tuple[str, ...]
    axes: dict[str, np.ndarray]
    months: tuple[int, ...]
    table: np.ndarray
    usd_per_failure: float

    def at(self, position: dict[str, float], months: int, failures: float) -> np.ndarray:
        """The QUANTITIES of each option; `failures` is the factor on the cost of a wrong answer."""
        found = self.table[self.months.index(months)]
        for name, nodes in self.axes.items():
            found = np.tensordot(weights(nodes, position[name]), found, axes=(0, 0))
        found = found.copy()
        found[:, :POSITIVE] = np.exp(found[:, :POSITIVE])
        found[:, [1, 3]] *= failures
        return found

    def positions(self, count: int, seed: int) -> Iterator[tuple[dict[str, float], int, float]]:
        """Random positions of all inputs."""
        rng = np.random.default_rng(seed)
        for _ in range(count):
            place = {name: rng.uniform(x[0], x[-1]) for name, x in self.axes.items()}
            yield place, int(rng.choice(self.months)), float(rng.uniform(0, FAILURES))

    def study_at(self, position: dict[str, float], months: int, failures: float) -> Study:
        """The study whose `compare` the response stands for."""
        work = self.study.work
        changes = {name: _moved(getattr(work, name), name, x) for name, x in position.items()}
        changes["usd_per_failure"] = _times(work.usd_per_failure, failures)
        return self.study.changed(work=replace(work, **changes), months=months)

    def error(self, count: int, seed: int = 1) -> float:
        """The largest relative difference of an expected cost, or absolute one of a share, from
        `compare` at so many random positions.
        """
        worst = 0.0
        for place in self.positions(count, seed):
            table = compare(self.study_at(*place)).loc[list(self.labels)]
            pay, wrong, worth, more, quality, _ = self.at(*place).T
            for ours, name in ((pay + wrong, "expected"), (worth + more, "present_value")):
                worst = max(worst, _worst(ours, table[name].to_numpy(), relative=True))
            worst = max(worst, _worst(quality, table["quality"].to_numpy(float), relative=False))
        return worst


def _worst(ours: np.ndarray, theirs: np.ndarray, relative: bool) -> float:
    gap = np.abs(ours - theirs) / (theirs if relative else 1.0)
    known = gap[~np.isnan(gap)]
    return float(known.max()) if known.size else 0.0


def respond(study: Study, labels: list[str], draws: int = DRAWS) -> Response:
    """The response of these options of a study, after its evidence."""
    study, work = study.only(*labels).changed(title=study.title), study.work
    axes = {}
    for name, nodes in NODES.items():
        if name == "growth_per_year":
            axes[name] = np.linspace(*GROWTH, nodes)
        elif np.any(getattr(middle(work), name)):
            reach = np.log(REACH[name])
            axes[name] = np.linspace(-reach, reach, nodes)
    months = tuple(sorted({*MONTHS, study.terms.months}))
    shape = (len(months), *map(len, axes.values()), len(labels), len(QUANTITIES))
    table = np.full(shape, np.nan)
    present = {name: 0.0 for name in axes}
    for k, horizon in enumerate(months):
        here = study.changed(months=horizon)
        found = _on_grid(here, labels, axes, draws)
        table[k] = found.reshape(shape[1:])
        now = np.array([_levels(here, label) for label in labels])
        few = _on_grid(here, labels, {n: np.array([x]) for n, x in present.items()}, draws)[0]
        table[k, ..., :POSITIVE] += np.log(np.maximum(now[:, :POSITIVE], LEAST)) - few[:, :POSITIVE]
        table[k, ..., POSITIVE:] += now[:, POSITIVE:] - few[:, POSITIVE:]
    usd = float(np.squeeze(middle(work).usd_per_failure))
    return Response(study, tuple(labels), axes, months, table, usd)


def weights(nodes: np.ndarray, x: float) -> np.ndarray:
    """The weight of each node in the value at x: the cubic through the four nearest nodes."""
    first = int(np.clip(np.searchsorted(nodes, x) - 2, 0, max(len(nodes) - 4, 0)))
    near = nodes[first : first + 4]
    found = np.zeros(len(nodes))
    for i, node in enumerate(near):
        others = np.delete(near, i)
        found[first + i] = np.prod((x - others) / (node - others))
    return found


def _levels(study: Study, label: str) -> np.ndarray:
    """The QUANTITIES of an option on all draws of its study."""
    found, row = simulate(study), compare(study).loc[label]
    wrong, more = mean(found.wrong[label]), mean(found.wrong_worth[label])
    shares = (row["quality"], row["p_reaches"])
    return np.array(
        [row["expected"] - wrong, wrong, row["present_value"] - more, more, *shares], float
    )


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


def _moved(value: Any, name: str, x: float) -> Any:
    """An input at a position, with its doubt."""
    if name != "growth_per_year":
        return _times(value, float(np.exp(x)))
    if isinstance(value, Range):
        return replace(value, low=value.low + x, mid=value.mid + x, high=value.high + x)
    return value + x


def _shifted(value: Any, name: str, x: np.ndarray) -> Any:
    return value + x if name == "growth_per_year" else value * np.exp(x)


def _times(value: Any, factor: float) -> Any:
    """A number, or a Range with its ends and its middle, times a factor."""
    if not isinstance(value, Range):
        return value * factor
    return replace(value, low=value.low * factor, mid=value.mid * factor, high=value.high * factor)
