"""The answer of a study over its headline inputs: curves that a page without Python can read.

An input moves with the doubt around it: volumes and tokens by a factor, growth by a difference.
Every option is computed on all draws at random positions; a quadratic, and how near these
positions are, join them (universal kriging). What a wrong answer costs enters as a straight line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement, product
from typing import Any

import numpy as np

from costmodel.choices.study import Study
from costmodel.core import floats, middle, sample, unchecked
from costmodel.decisions.simulate import mean
from costmodel.laws.money import compounded
from costmodel.ledgers.batches import WIDE
from costmodel.ledgers.engine import Bill, evaluate_all

REACH = {"requests_per_month": 3.0, "input_tokens": 2.0, "output_tokens": 2.0}  # factors
GROWTH = (-0.2, 0.3)  # differences of the growth, share/year
BEYOND = 0.06  # positions go so far beyond the ends of the growth, where a curve bends most
MONTHS = (12, 24, 36, 48, 60)
FAILURES = 4.0  # the cost of a wrong answer reaches from 0 to so many times the present one
QUANTITIES = ("pay", "wrong", "worth_of_pay", "worth_of_wrong", "quality", "p_reaches")
POSITIVE = 4  # of QUANTITIES, which are joined as logarithms
LEAST = 1e-12
FAR_OFF = 600.0  # log of USD: a curve that leads there is wrong, and its error says so
BENDS = (0.0, 1.5, 3.0)  # how far along the quadratic itself is a distance: whole servers bend
NEAR, FAR = 3.0, 8.0  # distances at which positions still tell of each other, smooth or kinked
NUGGET = 1e-6  # share of the spread that is the jump of single draws
ROUNDS = ((1, 0.005), (2, 0.009), (4, 0.0))  # times as many positions, and an error that is enough
MIDDLE = (0.5, np.log(27.0))  # of what the coordinates of growth and horizon are counted from
Position = tuple[dict[str, float], int, float]  # inputs, months, factor on the cost of failures


@dataclass(frozen=True, eq=False)
class Curve:
    """One option: the QUANTITIES as start + trend + nearness, from the `nodes` it was computed at.

    `start` holds the present inputs at each horizon, `trend` the factors of `terms`, `lean` the
    same times what counts as a distance (0 where the curve is smooth), `weights` those of nodes.
    """

    nodes: np.ndarray
    start: np.ndarray
    trend: np.ndarray
    lean: np.ndarray
    weights: np.ndarray

    def at(self, x: np.ndarray, horizon: int, failures: float) -> np.ndarray:
        """The QUANTITIES at coordinates x; `horizon` is the place of the months."""
        here = terms(x[None])
        found = self.start[horizon] + (here @ self.trend)[0]
        for q, lean in enumerate(self.lean.T):
            found[q] += (nearness(x[None], self.nodes, lean) @ self.weights[:, q])[0]
        costs = np.exp(found[:POSITIVE]) * (1.0, failures, 1.0, failures)
        return np.concatenate([costs, found[POSITIVE:]])


@dataclass(frozen=True, eq=False)
class Response:
    """The response of a study: a curve for each option that runs everywhere, and its errors.

    `reach` says from where to where each input moves. `errors` are the largest relative
    differences of expected cost and present value, and the largest of the share accepted, from the
    engine on all draws, at random positions within reach that the curve had not seen; `positions`
    counts them. `unsure` are the largest differences of the chance to reach the quality floor.
    """

    study: Study
    reach: dict[str, tuple[float, float]]
    months: tuple[int, ...]
    curves: dict[str, Curve]
    errors: dict[str, float]
    positions: dict[str, int]
    unsure: dict[str, float] = field(default_factory=dict)

    @property
    def usd_per_failure(self) -> float:
        """The present cost of a wrong answer at its middle."""
        return float(np.squeeze(middle(self.study.work).usd_per_failure))

    def coordinates(self, position: Position) -> np.ndarray:
        """Where a position lies: volume, tokens, how late demand comes, horizon; each some +-1."""
        moves, months, _ = position
        growth = float(middle(self.study.work).growth_per_year) + moves["growth_per_year"]
        month = np.arange(months)
        demand = compounded(growth, months - 1)
        late = (demand @ month) / demand.sum() / months
        shown = {name: x / self.reach[name][1] for name, x in moves.items()}
        shown["requests_per_month"] += np.log(demand.mean()) / self.reach["requests_per_month"][1]
        shown["growth_per_year"] = 6 * (late - MIDDLE[0])
        return np.array([*shown.values(), 1.25 * (np.log(months) - MIDDLE[1])])


def respond(study: Study, labels: list[str], positions: int) -> Response:
    """The response of options of a study, after its evidence."""
    work = middle(study.work)
    reach = {x: (-np.log(y), np.log(y)) for x, y in REACH.items() if np.any(getattr(work, x))}
    months = tuple(sorted({*MONTHS, study.terms.months}))
    made = Response(study, reach | {"growth_per_year": GROWTH}, months, {}, {}, {})
    fixed = fixed_positions(made)
    places, values = list(fixed), exact(study, labels, fixed)
    left, asked = labels, 0
    for times, enough in ROUNDS:
        more = random_positions(made, times * positions - asked, seed=1, first=asked)
        asked += len(more)
        places, computed = places + more, exact(study, left, more)
        values = {x: np.concatenate([values[x], computed[x]]) for x in left}
        within = np.array([GROWTH[0] <= x["growth_per_year"] <= GROWTH[1] for x, *_ in places])
        within[: len(fixed)] = False
        left = [x for x in left if np.isfinite(values[x][:, :2]).all()]  # runs everywhere
        for label in left:
            curve, *errors = _fitted(made, places, values[label], len(fixed))
            worst = (float(each[within].max()) for each in errors)
            made.curves[label], (made.errors[label], made.unsure[label]) = curve, worst
            made.positions[label] = int(within.sum())
        left = [x for x in left if made.errors[x] > enough]
        if not left:
            break
    return made


# -- positions, and the engine there ---------------------------------------------------------------


def wider(made: Response) -> dict[str, tuple[float, float]]:
    """From where to where positions lie."""
    low, high = GROWTH
    return made.reach | {"growth_per_year": (low - BEYOND, high + BEYOND)}


def fixed_positions(made: Response) -> list[Position]:
    """The present inputs at each horizon; then the corners, at the first and the last."""
    here: list[Position] = [(dict.fromkeys(made.reach, 0.0), m, 1.0) for m in made.months]
    ends = made.months[0], made.months[-1]
    corners = product(*wider(made).values(), ends)
    return here + [(dict(zip(made.reach, x, strict=True)), int(m), 1.0) for *x, m in corners]


def random_positions(made: Response, count: int, seed: int, first: int = 0) -> list[Position]:
    """Random positions that leave no gaps: the points of a scrambled Sobol sequence from one on."""
    from scipy.stats import qmc

    low, high = np.array([*wider(made).values(), (0, len(made.months)), (0, FAILURES)]).T
    points = qmc.Sobol(len(low), rng=seed).random_base2((first + count - 1).bit_length())
    return [
        (dict(zip(made.reach, map(float, x), strict=True)), made.months[int(m)], float(failures))
        for *x, m, failures in low + (high - low) * points[first : first + count]
    ]


def exact(study: Study, labels: Sequence[str], places: list[Position]) -> dict[str, np.ndarray]:
    """The QUANTITIES of options at positions by the engine on all draws, costs as logarithms.

    The cost of wrong answers is the present one everywhere.
    """
    study, draws = study.only(*labels), study.draws
    things: Any = (study.options, study.work, study.terms)
    found = {label: np.full((len(places), len(QUANTITIES)), np.nan) for label in labels}
    each = max(WIDE // draws, 1)
    for months in {m for _, m, _ in places}:
        same = [i for i, (_, m, _) in enumerate(places) if m == months]
        for some in (same[k : k + each] for k in range(0, len(same), each)):
            rows = np.arange(len(some) * draws)
            at = rows // draws
            options, work, terms = sample(
                things, draws, study.seed, rows % draws, study.points_of(draws)
            )
            moves = {
                name: np.array([places[i][0][name] for i in some])[at][:, None]
                for name in places[0][0]
            }
            fields: Any = {name: _moved(getattr(work, name), name, x) for name, x in moves.items()}
            bills = evaluate_all(
                options, unchecked(work, **fields), unchecked(terms, months=months)
            )
            for label, bill in bills.bills.items():
                shape = len(some), draws
                found[label][some] = _means(bill, bills.calendar, study.quality_floor, shape)
    return found


def _moved(value: Any, name: str, x: np.ndarray) -> Any:
    return value + x if name == "growth_per_year" else value * np.exp(x)


def _means(bill: Bill, calendar: Any, floor: float | None, shape: tuple[int, int]) -> np.ndarray:
    """The QUANTITIES of a bill, means of the draws of each position."""
    runs = np.broadcast_to(bill.fits, (shape[0] * shape[1], 1))

    def means(values: Any) -> np.ndarray:
        spread = np.where(runs, np.broadcast_to(floats(values), runs.shape), np.nan)
        return mean(spread.reshape(shape).T)

    usd = [means(bill.to_pay(calendar, d)) for d in (False, True)]
    wrong = [means(bill.failures(calendar, d)) for d in (False, True)]
    share = np.nan if bill.accepted is None else bill.accepted
    reached = runs if floor is None else runs & (share >= floor)
    chance = np.broadcast_to(reached, runs.shape).reshape(shape).mean(axis=1)
    costs = [np.log(np.maximum(x, LEAST)) for x in (usd[0], wrong[0], usd[1], wrong[1])]
    return np.stack([*costs, means(share), chance], axis=-1)


# -- the curve through them ------------------------------------------------------------------------


def terms(x: np.ndarray) -> np.ndarray:
    """1, the coordinates of each row, and their products by twos."""
    twos = [x[:, i] * x[:, k] for i, k in combinations_with_replacement(range(x.shape[1]), 2)]
    return np.column_stack([np.ones(len(x)), x, *twos])


def nearness(x: np.ndarray, nodes: np.ndarray, lean: np.ndarray) -> np.ndarray:
    """How much each row of x is near each node: a Gaussian, or Matern's 5/2 with a lean."""
    apart = ((x[:, None] - nodes[None]) ** 2).sum(-1)
    if not lean.any():
        return np.exp(-apart / (2 * NEAR**2))
    along = (terms(x) @ lean)[:, None] - (terms(nodes) @ lean)[None]
    far = np.sqrt(5 * (apart + along**2)) / FAR
    return (1 + far + far**2 / 3) * np.exp(-far)


def _fitted(
    made: Response, places: list[Position], values: np.ndarray, fixed: int
) -> tuple[Curve, np.ndarray, np.ndarray]:
    """The curve of an option, and its errors at each position, left out once: of its amounts, and
    of the chance to reach the floor."""
    nodes = np.array([made.coordinates(place) for place in places])
    horizons = [made.months.index(m) for _, m, _ in places]
    start = values[: len(made.months)]
    above = values - start[horizons]
    ours = [_joined(nodes, np.nan_to_num(y), fixed) for y in above.T]
    trend, lean, weights, unseen = (np.stack(x, axis=-1) for x in zip(*ours, strict=True))
    curve = Curve(nodes, start, trend, lean, weights)
    failures = np.array([place[2] for place in places])
    theirs, found = _whole(values, failures), _whole(values - unseen, failures)
    gaps = np.abs(np.concatenate([found[:2] / theirs[:2] - 1, found[2:] - theirs[2:]]))
    return curve, np.nan_to_num(gaps).max(axis=0), np.abs(np.nan_to_num(unseen[:, -1]))


def _whole(values: np.ndarray, failures: np.ndarray) -> np.ndarray:
    """Expected cost, present value and share accepted."""
    usd = np.exp(np.minimum(values[:, :POSITIVE], FAR_OFF))
    cost, worth = usd[:, 0] + failures * usd[:, 1], usd[:, 2] + failures * usd[:, 3]
    return np.stack([cost, worth, values[:, POSITIVE]])


def _joined(nodes: np.ndarray, y: np.ndarray, fixed: int) -> tuple[np.ndarray, ...]:
    """(trend, lean, weights, errors): of a smooth curve and two kinked ones the best.

    The error of a node is that of the curve through all others (Dubrule, Mathematical Geology 15,
    1983).
    """
    here, n = terms(nodes), len(nodes)
    plain = np.linalg.lstsq(here, y, rcond=None)[0]
    spread = np.std(here @ plain)
    tried = []
    for bend in BENDS:
        lean = plain * (bend / max(spread, LEAST))
        near = nearness(nodes, nodes, lean) + NUGGET * np.eye(n)
        whole = np.block([[near, here], [here.T, np.zeros((here.shape[1],) * 2)]])
        inverse = np.linalg.inv(whole)
        found = inverse[:, :n] @ y
        errors = found[:n] / np.diag(inverse)[:n]
        tried.append((found[n:], lean, found[:n], errors))
    return min(tried, key=lambda x: float(np.mean(x[3][fixed:] ** 2)))
