"""What the law of quality says of published scores: the share right of a model asked in some way.

It is the law of options (costmodel/choices/quality) in closed form: normal log-odds, without a
study and without draws. So a fit that has not seen a benchmark can be asked for it, and one model
that was measured narrows the others. A level by task and what is given, a line in capability, a
spread of tasks, and one of models. The level of a task is the widest: 200 answers of any one model
narrow all models. "rag" is found x read + (1 - found) x memory, with what a usual search finds in
10,000 passages; a tune is never worse than the model without it. Not in it: prompts, judges,
languages, lengths ("long context" is some 100,000 tokens).

quality_fit.py fits the numbers and holds them against the scores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from scipy.special import expit, logit, ndtr

from costmodel.choices.quality.tasks import (
    OWN_CLOSED,
    TESTED,
    Line,
    Spreads,
    asks_public,
    constants,
    family,
    lines,
    spread,
    spreads,
)
from costmodel.choices.techniques.lookup import HOPS, MEASURED_TOKENS, quality_fact
from costmodel.core import Range
from costmodel.facts.catalog import practice
from costmodel.laws.retrieval import part_found, recall_at_k
from costmodel.laws.task_quality import (
    capability,
    composed,
    examples_shift,
    few_shot_shift,
    log_odds_right,
)

Z80 = 1.2815515655446004  # standard normal quantile of 0.9: an 80 % band ends there
AT = float(capability(20.0))  # capability at which a level is stated
DRAWS = 200  # over which what a search finds is taken
STEPS = 50  # of Newton; it is there after a handful
ANSWERS = ("document_qa", "closed_qa")  # tasks for which it counts what was read
READ = (*ANSWERS, "many_hop")
TUNED = ("lora", "qlora", "fine-tuned", "fine-tuned or pipeline", "distilled")
PEOPLE = ("people", "human")
REPORTED = ("as reported", "deployed")  # by who sells it
PASSAGES: dict[Any, str] = {True: "yes", False: "no", None: "na", "": "na"}
PASSAGES |= {word: word for word in ("yes", "no", "na", "retrieved")}
Key = tuple[str, str, str, bool]  # task family, technique, passage, public documents
State = tuple[np.ndarray, np.ndarray, np.ndarray]  # mean, loadings on what is shared, own variance
Counts = tuple[np.ndarray, np.ndarray]  # right, trials


@dataclass(frozen=True)
class Askings:
    """Models that are asked one task in one way: arrays of one length."""

    ability: np.ndarray  # capability, log-odds
    doubt: np.ndarray  # spread of the capability
    shift: np.ndarray  # log-odds of the technique
    shift_doubt: np.ndarray

    def as_it_is(self) -> Askings:
        """The same without the technique."""
        return replace(self, shift=0 * self.shift, shift_doubt=0 * self.shift_doubt)


def expected(
    task: str,
    index: Any,
    technique: str = "zero-shot",
    given: Any = None,
    examples: Any = None,
    measured: tuple[float, float, float] | None = None,
) -> np.ndarray:
    """Low, middle and high (80 %) of the share right, a row for each model.

    Models are told by their index. `given` is whether the right passage is in the prompt: True,
    False, "retrieved", or None for what the task and the technique usually have. `examples` are
    those of a tune; None and 0 take those of published tunes, some thousands. `measured` is one
    other model that answered the same task in the same way: its index, answers right, answers.
    """
    way = family(task), technique, passage(given), asks_public(task)
    ability = capability(np.atleast_1d(np.asarray(index, float)))
    asked, evidence = ask(way, ability, 0 * ability, examples), None
    if measured is not None:
        other, right, trials = np.array([measured], float).T
        evidence = ask(way, capability(other), np.zeros(1)), (right, trials)
    mean, width = expect(way, lines().__getitem__, spreads(), asked, evidence)
    return expit(np.column_stack([mean + side * Z80 * width for side in (-1, 0, 1)]))


def passage(given: Any) -> str:
    """Whether the right passage is in the prompt: "yes", "no", "retrieved" or "na" (not said)."""
    given = None if given != given else given  # NaN of a table
    return PASSAGES[given.lower() if isinstance(given, str) else given]


def line_of(task: str, technique: str, given: str, public: bool = True) -> str:
    """The line that a task, a technique and a passage stand on.

    What is retrieved has none: it is composed of the lines of reading and of memory.
    ("document_qa", "rag", "na") is "document_qa.retrieved".
    """
    if technique in PEOPLE:
        return "people"
    task = "document_qa" if task == "many_hop" else task
    if task == "closed_qa" and (given == "yes" or technique in ("oracle passage", "long context")):
        task = "document_qa"  # with a passage it is reading
    if task in ANSWERS:
        if technique in ("rag", "rag + fine-tuned") or given == "retrieved":
            return f"{task if public or task == 'closed_qa' else OWN_CLOSED}.retrieved"
        if task != "closed_qa" and (technique == "closed-book" or given == "no"):
            return f"{task}.closed" if public else OWN_CLOSED
        if technique == "long context":
            return f"{task}.long"
    tuned = f"{task}.tuned"  # reading what is given is no form to learn
    return tuned if technique in TUNED and task != "document_qa" and tuned in lines() else task


def ask(way: Key, ability: np.ndarray, doubt: np.ndarray, examples: Any = None) -> Askings:
    """What the technique shifts, and how surely: published contrasts of one model with itself."""
    task, technique, _, _ = way
    found, name = constants(), line_of(*way)
    shift, doubts = np.zeros(len(ability)), 0.0

    def moved(key: str) -> None:
        nonlocal shift, doubts
        shift, doubts = shift + found[key].mid, np.hypot(doubts, spread(found[key]))

    closed = name == OWN_CLOSED or name.endswith(".closed")
    if task == "many_hop" and not closed:
        moved("many_hop.log_odds")
    if technique in REPORTED:
        shift = shift + found["reported.log_odds"].mid
    if technique == "retry" and task in TESTED:
        moved("second_try.log_odds")
    if technique == "few-shot":
        names = ("log_odds", "capability_at", "log_odds_per_capability", "log_odds_most")
        shift = shift + few_shot_shift(ability, *(found[f"few_shot.{x}"].mid for x in names))
        doubts = spread(found["few_shot.log_odds"])
    if name.endswith(".tuned"):
        enough, count = found["examples.enough_examples"].mid, np.array(examples, float)
        count = np.where(count > 0, count, enough)  # NaN: not said
        shift = shift + examples_shift(count, found["examples.log_odds_per_tenfold"].mid, enough)
    elif technique in TUNED and closed:
        moved("knowledge_tune.log_odds")  # facts are hardly taught
    elif technique in (*TUNED, "rag + fine-tuned") and task in READ:
        moved("knowledge_tune.log_odds_tuned_read")
    return Askings(ability, doubt, shift, np.full(len(ability), doubts))


def expect(
    way: Key,
    line: Callable[[str], Line],
    wide: Spreads,
    asked: Askings,
    evidence: tuple[Askings, Counts] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of the log-odds of a right answer, for every model that is asked.

    The evidence is who was measured, and (right, trials). Models move together by what they share:
    level and slope of the task, and what a search finds.
    """
    name = line_of(*way)
    several = way[0] == "many_hop"
    mean, shared, own = _law(name, line, wide, asked, several)
    variance = (shared**2).sum(1) + own
    if evidence is None:
        return mean, np.sqrt(variance)
    others, counts = evidence
    start, others_shared, others_own = _law(name, line, wide, others, several)
    covariance = others_shared @ others_shared.T + np.diag(others_own)
    together = shared @ others_shared.T
    return conditioned(mean, variance, together, (start, covariance), counts)


# -- the lines -------------------------------------------------------------------------------------


def _law(
    name: str, line: Callable[[str], Line], wide: Spreads, who: Askings, several: bool
) -> State:
    """Mean of the log-odds, how it moves with what models share, and the variance of its own."""
    if name.endswith(".retrieved"):
        return _composed(name.removesuffix(".retrieved"), line, wide, who, several)
    if name.endswith(".tuned"):
        return _ceiling(name.removesuffix(".tuned"), line, wide, who)
    return _straight(line(name), Spreads(0, 0, 0, 0) if name == OWN_CLOSED else wide, who)


def _straight(line: Line, wide: Spreads, who: Askings) -> State:
    """A line in capability; what is shared is its level and its slope."""
    x = who.ability - AT
    mean = log_odds_right(line.level, line.slope, who.ability, AT) + who.shift
    level = np.full(len(x), np.hypot(line.level_spread, wide.level))
    shared = np.column_stack([level, np.hypot(line.slope_spread, wide.slope) * x])
    return mean, shared, wide.model**2 + (line.slope * who.doubt) ** 2 + who.shift_doubt**2


def _composed(
    task: str, line: Callable[[str], Line], wide: Spreads, who: Askings, several: bool
) -> State:
    """Found x read + (1 - found) x closed x survives, as options have it, over what is found."""
    closed_name = "document_qa.closed" if task == "document_qa" else task
    read, read_shared, read_own = _straight(line("document_qa"), wide, who)
    closed, closed_shared, closed_own = _law(closed_name, line, wide, who.as_it_is(), several)
    found, survives = _found(several), constants()["retrieval.survives"].mid
    ends = expit(read)[:, None], expit(closed)[:, None]
    odds = logit(composed(found, *ends, survives))
    mean, right = odds.mean(1), expit(odds.mean(1))

    def moves(part: Any, share: np.ndarray) -> np.ndarray:
        return (part * share * (1 - share) / (right * (1 - right)))[:, None]

    by_read = moves(found.mean(), expit(read))
    by_closed = moves((1 - found.mean()) * survives, expit(closed))
    shared = [by_read * read_shared, by_closed * closed_shared, odds.std(1)[:, None]]
    own = by_read[:, 0] ** 2 * read_own + by_closed[:, 0] ** 2 * closed_own
    return mean, np.hstack(shared), own


@cache
def _found(several: bool) -> np.ndarray:
    """What a search finds and a prompt can use, over its doubts: a corpus as was measured."""
    rng = np.random.default_rng(1)

    def drawn(doubt: Range) -> Any:
        return doubt.quantile((rng.permutation(DRAWS) + 0.5) / DRAWS)

    tokens = drawn(practice("rag.top_k")) * drawn(practice("rag.chunk_tokens"))
    names = ("recall_at_one", "recall_slope")
    law = [drawn(quality_fact(f"retrieval.{name}")) for name in names]
    found = drawn(constants()["retrieval.in_prompt"])
    found = found * recall_at_k(np.maximum(tokens / MEASURED_TOKENS, 1.0), *law)
    part = part_found(drawn(HOPS), drawn(quality_fact("vector.per_entity")))
    return found * part if several else found


def _ceiling(task: str, line: Callable[[str], Line], wide: Spreads, who: Askings) -> State:
    """The better of a tune and the model without it, which one would keep (Clark 1961)."""
    tuned_level = constants()["tasks.spread_tuned_level"].mid
    tuned_spreads = Spreads(tuned_level, 0.0, wide.tuned, wide.tuned)
    tuned, shared, own = _straight(line(f"{task}.tuned"), tuned_spreads, who)
    plain, plain_shared, plain_own = _straight(line(task), wide, who.as_it_is())
    apart = np.sqrt((shared**2).sum(1) + own + (plain_shared**2).sum(1) + plain_own)
    z = (tuned - plain) / apart
    bell, better = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), ndtr(z)[:, None]
    mean = plain + (tuned - plain) * ndtr(z) + apart * bell
    shared = np.hstack([better * shared, (1 - better) * plain_shared])
    return mean, shared, ndtr(z) * own + ndtr(-z) * plain_own


def chance_ahead(gap: Any, slope: Any, spread_model: Any, spread_slope: Any = 0.0) -> Any:
    """Chance that the more capable of two models scores higher on a task.

    Phi(slope x gap / sqrt(2 x model^2 + (slope spread x gap)^2)), with the difference of the
    capabilities as the gap. Found where benchmarks weigh the same: 59, 77, 84 and 90 % for indices
    that lie 0-5, 5-10, 10-15 and 20-25 apart; this says 61, 73, 79 and 87. Where pairs weigh the
    same it is 63, 80, 89 and 96, because six tables of 450 models by the publisher of the index
    have nine pairs in ten; the other pairs have 58, 69, 74 and 80.
    """
    return ndtr(slope * gap / np.sqrt(2 * spread_model**2 + (spread_slope * gap) ** 2))


# -- one measured moves all ------------------------------------------------------------------------


def measured_state(mean: Any, covariance: Any, right: Any, trials: Any) -> tuple[Any, Any]:
    """Log-odds of models after counts of their right answers: mean and covariance.

    The prior is normal, the counts binomial; the posterior is the normal at its mode (Laplace).
    A prior of 1 +- 1.38 and 120 of 200 right: 0.41 +- 0.14.
    """
    precision = np.linalg.inv(covariance)
    z = np.log((right + 0.5) / (trials - right + 0.5))  # near the mode
    for _ in range(STEPS):
        share = expit(z)
        bend = precision + np.diag(trials * share * (1 - share))
        step = np.linalg.solve(bend, right - trials * share - precision @ (z - mean))
        z = z + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    share = expit(z)
    return z, np.linalg.inv(precision + np.diag(trials * share * (1 - share)))


def conditioned(
    mean: Any, variance: Any, together: Any, prior: tuple[Any, Any], counts: Counts
) -> tuple[Any, Any]:
    """Log-odds of models once others have been measured on the same task: mean and spread.

    The regression of a model on those measured (`together` are its covariances with them, `prior`
    is their mean and covariance before) at their posterior. With a spread of 1.38 of the level and
    0.60 of a model, one other model with 200 answers narrows 80 % from +-1.9 to +-1.0 (+-0.97 found
    on 56 benchmarks).
    """
    start, covariance = prior
    state, doubt = measured_state(start, covariance, *counts)
    weights = np.linalg.solve(covariance, together.T).T
    left = variance - np.einsum("ij,jk,ik->i", weights, covariance - doubt, weights)
    return mean + weights @ (state - start), np.sqrt(np.maximum(left, 0.0))
