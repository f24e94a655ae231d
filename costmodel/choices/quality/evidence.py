"""Evidence on one option moves all: what an evaluation says of the doubts that options share.

An evaluation (`Measured`) of an option replaces its quality where no law knows it. Where one does,
the law is the prior of the counts, and the task may be easier than thought, the model better, the
search worse. The draws of the doubts behind the judged
quality are those of the prior, weighted by the chance of the counts: a tempered sequential Monte
Carlo (Del Moral, Doucet and Jasra 2006, JRSS B 68:411) whose moves keep the normal prior
(preconditioned Crank-Nicolson: Cotter et al. 2013, Stat Sci 28:424). So the other options move
too, and all stay in step, draw by draw. A judge who errs accepts another share than is right; how
often he errs is one of the doubts.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from costmodel.choices.quality.answering import accepted, cases
from costmodel.choices.quality.tasks import constants, spreads
from costmodel.choices.running import AGREEMENT
from costmodel.core import (
    ENOUGH,
    Infeasible,
    Measured,
    Number,
    Range,
    doubts,
    driver_key,
    given_or_drawn,
    probabilities,
    rewrite,
    sample,
    unchecked,
    uniforms,
)
from costmodel.laws.experiments import through_judge
from costmodel.laws.quality import expit, logit

if TYPE_CHECKING:
    from costmodel.choices.study import Study

ROUNDS = 4  # of moves after each step of the tempering
HALF = 0.5  # of the draws that must count after a step
FIRST_STRIDE = 0.5  # of a move, over the spread of the prior
WISHED = 0.3  # share of the moves that are taken
SURE = 1e-4  # shares are kept this far from 0 and 1
MOVES = 1e-6  # log-odds: a doubt that moves a quality by less is not behind it
ENDS = 5, 50, 95  # percentiles of a Range
Laws = dict[str, Any]  # the judged options by label, as if nobody had judged them


def judged(study: Study) -> dict[str, Any]:
    """The options with an evaluation of their own, also those that stand beside the choices."""
    known = {**study.evidence, **study.options}
    return {name: x for name, x in known.items() if isinstance(x.quality, Measured)}


def after_evidence(study: Study) -> Study:
    """The study with every doubt as its evaluations leave it, and draws that stay in step.

    The study itself where nothing was judged, or nothing that was judged follows from a law. Of
    very many draws a part is moved, and the others share their places.
    """
    if study.draws > ENOUGH:
        few = after_evidence(replace(study, draws=ENOUGH, accept_zero=None))
        if few.points is None:
            return study
        return unchecked(few, draws=study.draws, before=study, accept_zero=study.accept_zero)
    by_name = {x.quality.name: (label, x) for label, x in judged(study).items()}
    known: dict[str, Any] = dict(by_name.values())  # what two options share counts once
    laws = {label: replace(option, quality=None) for label, option in known.items()}
    inputs = doubts((laws, study.work, study.terms))
    keys = list(dict.fromkeys([*inputs, *filter(None, map(driver_key, inputs.values()))]))
    told, moving = _behind(study, laws, keys)
    if not told:
        return study
    laws, found = {label: laws[label] for label in told}, [known[label].quality for label in told]
    judges = [judge_key(q.agreement) for q in found if isinstance(q.agreement, Range)]
    moving = list(dict.fromkeys([*moving, *judges]))
    z, log_odds, spread = _tempered(study, laws, moving, found)
    points = _points(moving, z)
    known_now = {
        q.name: q.after(expit(x))
        for q, x, wide in zip(found, log_odds.T, spread, strict=True)
        # what is surer is somebody's word, no law of tasks and models; a pair keeps its joint draws
        if wide >= spreads().model and not q.loading
    }
    ranks = {
        q.name: _ranks(x)
        for q, x in zip(found, log_odds.T, strict=True)
        if not q.loading  # what was judged by item keeps the draws of its pair
    }
    names = " and ".join(q.name.removesuffix(".quality") for q in found)
    return _moved(study, points, ranks, known_now, names)


def _tempered(
    study: Study, laws: Laws, keys: list[str], found: list[Any]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws of the doubts after the counts, the log-odds of what was judged, and their spreads
    before.

    The last columns are what an option has of its own, which the law does not know.
    """
    rng = np.random.default_rng([study.seed, *(int(q.accepted) for q in found)])
    own = rng.standard_normal((study.draws, len(found)))
    z, spread = np.column_stack([_normals(keys, study), own]), spread_of_options()
    right = np.array([q.accepted for q in found])
    wrong = np.array([q.trials for q in found]) - right

    def law(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        points = _points(keys, z)
        odds = _log_odds(study, laws, points, len(z)) + spread * z[:, len(keys) :]
        judges = [np.broadcast_to(agreement_drawn(q.agreement, points), len(z)) for q in found]
        seen = through_judge(expit(odds), np.column_stack(judges))
        return odds, (right * np.log(seen) + wrong * np.log1p(-seen)).sum(axis=1)

    odds, fit = law(z)
    before = odds.std(axis=0)
    power, stride = 0.0, FIRST_STRIDE
    while power < 1:
        step = _step(fit, 1 - power)
        weights = np.exp(step * (fit - fit.max()))
        places = (np.arange(len(z)) + rng.random()) / len(z)
        kept = np.searchsorted(np.cumsum(weights) / weights.sum(), places).clip(max=len(z) - 1)
        z, odds, fit, power = z[kept], odds[kept], fit[kept], power + step
        for _ in range(ROUNDS):
            tried = np.sqrt(1 - stride**2) * z + stride * rng.standard_normal(z.shape)
            new, better = law(tried)
            taken = np.log(rng.random(len(z))) < power * (better - fit)
            z[taken], odds[taken], fit[taken] = tried[taken], new[taken], better[taken]
            stride = float(np.clip(stride * np.exp(taken.mean() - WISHED), 0.05, 0.95))
    return z, odds, before


def judge_key(agreement: Range) -> str:
    """The key of the draws of an agreement: that of the judges in techniques."""
    return agreement.name or str(AGREEMENT.name)


def agreement_drawn(agreement: Any, points: Mapping[str, np.ndarray]) -> Any:
    """The agreement of a judge in each draw, from the probabilities of its key."""
    if not isinstance(agreement, Range):
        return agreement
    return agreement.quantile(points[judge_key(agreement)][:, 0])


def agreement_by_draw(agreement: Number, study: Study) -> np.ndarray:
    """The agreement of the judge in each draw, the same as in an evaluation and in techniques."""
    n, points = study.draws, study.points_of(study.draws) or {}
    if isinstance(agreement, Range):
        key = judge_key(agreement)
        points = {key: given_or_drawn(points, key, n, study.seed)}
    return np.broadcast_to(agreement_drawn(agreement, points), n)


def spread_of_options() -> float:
    """How options differ from the law [log-odds]."""
    return constants()["tasks.spread_option"].mid


def _step(fit: np.ndarray, most: float) -> float:
    """The largest step, up to `most`, after which half of the draws still count."""

    def counting(step: float) -> float:
        weights = np.exp(step * (fit - fit.max()))
        return weights.sum() ** 2 / (weights**2).sum() / len(fit)

    if counting(most) >= HALF:
        return most
    low, high = 0.0, most
    while high - low > 0.01 * most:
        middle = (low + high) / 2
        low, high = (middle, high) if counting(middle) >= HALF else (low, middle)
    return high


def _ranks(values: np.ndarray) -> np.ndarray:
    """The place of each value among all, as a probability, shape (n, 1).

    Equal values, of which a resampling makes many, keep their order on every machine.
    """
    order = values.argsort(kind="stable")
    return (order.argsort(kind="stable")[:, None] + 0.5) / len(values)


def _behind(study: Study, laws: Laws, keys: list[str]) -> tuple[list[str], list[str]]:
    """The judged options whose quality follows from a law, and the doubts behind it.

    Each doubt in turn stands one standard deviation higher, all others at their middle.
    """
    n = len(keys) + 1
    points = _points(keys, np.eye(n, len(keys), k=-1))
    told, moves = [], np.zeros(len(keys), bool)
    for label, law in laws.items():
        try:
            found = _log_odds(study, {label: law}, points, n)
        except (Infeasible, TypeError):  # it cannot run, or its quality is not known
            continue
        told.append(label)
        moves |= np.abs(found[1:, 0] - found[0, 0]) > MOVES
    moving = [key for key, m in zip(keys, moves, strict=True) if m]
    return (told, moving) if moving else ([], [])


def _log_odds(study: Study, options: dict[str, Any], points: Any, n: int) -> np.ndarray:
    """Log-odds of an accepted answer by the law, a row a draw and a column an option."""
    shares = shares_today(study, options, n, points)
    return logit(np.clip(np.column_stack([*shares.values()]), SURE, 1 - SURE))


def shares_today(
    study: Study, options: dict[str, Any], n: int, points: Any
) -> dict[str, np.ndarray]:
    """Share of answers accepted in each draw, shape (n,), before any move to a successor."""
    today = replace(study.terms, months=1)  # what is judged is the model of today
    drawn, work, terms = sample((options, study.work, today), n, study.seed, points=points)
    return {
        label: np.broadcast_to(np.ravel(accepted(option, cases(option, work, terms))), n)
        for label, option in drawn.items()
    }


def _points(keys: list[str], z: np.ndarray) -> dict[str, np.ndarray]:
    """The probabilities of doubts, each of the shape (n, 1), from a column of z for each."""
    from scipy.special import ndtr

    return {key: ndtr(z[:, [i]]) for i, key in enumerate(keys)}


def _normals(keys: list[str], study: Study) -> np.ndarray:
    from scipy.special import ndtri

    return ndtri(np.column_stack([uniforms(key, study.draws, study.seed) for key in keys]))


def _moved(
    study: Study,
    points: dict[str, np.ndarray],
    ranks: dict[str, np.ndarray],
    known_now: dict[str, Measured],
    names: str,
) -> Study:
    """The study with these doubts and evaluations as they are now, and their draws by rank."""
    n, seed = study.draws, study.seed
    done: dict[tuple[str, Range], Range] = {}

    def changed(key: str, doubt: Any) -> Any:
        if isinstance(doubt, Measured):
            return known_now.get(doubt.name or "", doubt)
        if not isinstance(doubt, Range) or not {key, driver_key(doubt)} & points.keys():
            return doubt
        if (key, doubt) not in done:
            chances = probabilities(lambda k: given_or_drawn(points, k, n, seed), key, doubt)
            values = doubt.quantile(chances)
            ranks[key] = _ranks(values[:, 0])
            low, mid, high = map(float, np.percentile(values, ENDS))
            why = f"{doubt.why}; after your evaluation of {names}".removeprefix("; ")
            done[key, doubt] = replace(
                doubt, low=low, high=high, mid=mid, level=0.9, driver=None, loading=0.0, why=why
            )
        return done[key, doubt]

    made = copy(study)
    made.__dict__.clear()
    options, work, terms = rewrite(
        (study.options, study.work, study.terms), changed, doubts_only=True
    )
    made.__dict__.update({name: getattr(study, name) for name in study.__dataclass_fields__})
    made.__dict__.update(options=options, work=work, terms=terms, points=ranks, before=study)
    return made
