"""Quality: the share of answers that is accepted, on the log-odds scale where effects add.

A base share, shifts with their evidence; what examples and a teacher shift; what a longer context, the place in it, and
a passage that was or was not found do. The numbers of the curves are fitted (data/calibration/quality.csv).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from costmodel.core.errors import Infeasible
from costmodel.core.public import public
from costmodel.core.ranges import Number

FULL_CONTEXT = 131_072.0  # tokens at which the decay of a reader is stated
FEWEST, MOST, USUAL = (
    50.0,
    50_000.0,
    1_000.0,
)  # examples: where the curve holds, and where its gain is stated
TAUGHT = 20_000.0  # examples of a student that reaches the stated share of its teacher


@public
@dataclass(frozen=True)
class Effect:
    """A shift of the log-odds that an answer is accepted, with its evidence; `kept` is the share of accepted answers that
    stay accepted after all shifts (answers from a stale or a wrong place do not).

    A shift of 1 moves 50 % to 73 %, 80 % to 92 %.
    """

    log_odds: Number
    evidence: str = ""
    kept: Number = 1.0


@public
def shift(accepted: Any, log_odds: Any) -> Any:
    """Accepted share after a shift of its log-odds: expit(logit(p) + shift), any shape, 0 and 1 stay.

    >>> round(float(shift(0.5, 1.0)), 2)
    0.73
    """
    odds = accepted * np.exp(log_odds)
    return odds / (1 - accepted + odds)


def shift_to(base: Any, goal: Any) -> Any:
    """Shift of the log-odds that takes the share `base` to the share `goal`: logit(goal) - logit(base).

    >>> round(float(shift(0.35, shift_to(0.35, 0.8))), 2)
    0.8
    """
    with np.errstate(divide="ignore"):
        return np.log(goal) - np.log1p(-goal) - np.log(base) + np.log1p(-base)


@public
def context_shift(tokens: Any, decay: Any, power: Any, longest: Any) -> Any:
    """Shift of the log-odds by the length of the prompt: -decay x (tokens / 131,072)^power.

    Fitted to RULER (32 models, 4K to 128K; README of hsiehjackson/RULER), to retrieval with 2K to 2M tokens (Leng et al.
    2024, arXiv:2411.03538), LongBench v2 and LongMemEval. Refuses above `longest`, the longest context measured for the class of
    the reader: Infeasible, NaN for those entries of an array. Not in it: the task; a needle falls later, reasoning sooner.

    >>> [
    ...     round(float(shift(0.966, context_shift(n, 2.4, 0.5, 131_072))), 2)
    ...     for n in (16_384, 65_536, 131_072)
    ... ]  # GPT-4: .95 .87 .81
    [0.92, 0.84, 0.72]
    """
    inside = np.asarray(tokens) <= longest
    if not np.any(inside):
        most, given = float(np.max(longest)), float(np.min(tokens))
        raise Infeasible(
            f"how well a reader of this class answers is known up to {most:,.0f} tokens of context, this is {given:,.0f}; "
            "give quality=Measured(accepted, trials) of your own"
        )
    return -decay * (tokens / FULL_CONTEXT) ** power + np.where(inside, 0.0, np.nan)


@public
def position_shift(position: Any, dip: Any, tilt: Any) -> Any:
    """Shift of the log-odds by where in the prompt the answer stands, 0 first and 1 last: -dip x 4 x (1 - x) - tilt x.

    Liu et al. 2023, arXiv:2307.03172, tables of 10, 20 and 30 documents: GPT-3.5 falls from 76 % to 54 % between the first
    and the tenth of 20. Not in it: models since 2024, whose dip is smaller.

    >>> [round(float(shift(0.758, position_shift(x, 0.75, 0.6))), 2) for x in (0.0, 0.47, 1.0)]
    [0.76, 0.53, 0.63]
    """
    return -4 * dip * position * (1 - position) - tilt * position


def answered(found: Any, with_it: Any, without: Any) -> Any:
    """Share accepted when the passage is found in `found` of the questions: found x with_it + (1 - found) x without.

    >>> round(answered(0.86, 0.83, 0.35), 3)  # not in it: passages that mislead
    0.763
    """
    return found * with_it + (1 - found) * without


@public
def examples_gain(examples: Any, gain: Any, per_tenfold: Any) -> Any:
    """Shift of the log-odds by a tune on that many labelled examples: gain + per_tenfold x log10(examples / 1,000).

    Holds from 50 to 50,000 examples of a narrow task: Infeasible outside, NaN for those entries of an array that lie
    outside. Below 1,000 a small gain can turn negative: few examples may do harm. OpenAI's guide to fine-tuning GPT-3
    had quality rise linearly with each doubling; Zhang et al. 2024 (arXiv:2402.17193) find power laws in the data.
    Not in it: noise of the labels, several tasks in one tune.

    >>> [round(float(examples_gain(n, 0.9, 0.3)), 2) for n in (100, 1_000, 10_000)]
    [0.6, 0.9, 1.2]
    """
    inside = (examples >= FEWEST) & (examples <= MOST)
    if not np.any(inside):
        raise Infeasible(
            f"the gain of a tune is known for {FEWEST:g} to {MOST:,.0f} examples; give quality=Measured(accepted, trials) of your own"
        )
    return gain + per_tenfold * np.log10(examples / USUAL) + np.where(inside, 0.0, np.nan)


def student_shift(
    base: Any, teacher: Any, share: Any, examples: Any = TAUGHT, per_tenfold: Any = 0.0
) -> Any:
    """Shift of the log-odds by which a student moves from its `base` towards its teacher, with `examples` answers of it.

    shift = logit(share x teacher) - logit(base) + per_tenfold x log10(examples / 20,000), not below 0 and not beyond the
    teacher; all but the examples are shares in 0..1. `share` is what 20,000 examples reach, the size of published students.
    Holds on the traffic that the student learned. A student that is better than that already learns nothing and loses nothing.

    >>> [
    ...     round(float(shift(0.60, student_shift(0.60, 0.80, 0.95, n, 0.3))), 2)
    ...     for n in (200, 20_000, 2_000_000)
    ... ]
    [0.63, 0.76, 0.8]
    """
    goal = share * teacher
    with np.errstate(divide="ignore"):
        own = np.log(base) - np.log1p(-base)
        reached = np.log(goal) - np.log1p(-goal) + per_tenfold * np.log10(examples / TAUGHT) - own
        return np.maximum(0.0, np.minimum(reached, np.log(teacher) - np.log1p(-teacher) - own))


@public
def required_gain(usd: Any, requests: Any, usd_per_failure: Any) -> Any:
    """Rise of the accepted share that pays for an expense: usd / (requests x usd_per_failure).

    `requests` are those of the whole life; above 1 means that no gain pays.

    >>> required_gain(
    ...     16_000, 1_000_000, 2.0
    ... )  # labels of $16,000, a million requests, $2 a failure: 0.8 points
    0.008
    """
    return usd / (requests * usd_per_failure)


@public
def allowed_loss(usd_saved_per_request: Any, usd_per_failure: Any) -> Any:
    """Fall of the accepted share at which a cheaper model costs more than it saves: saved / usd_per_failure.

    Beyond it every request loses money, so volume makes it worse: confident mistakes scale with the traffic.

    >>> allowed_loss(
    ...     0.0096, 0.50
    ... )  # a student that saves 96 % of a cent: 1.9 points at $0.50 a failure
    0.0192
    """
    return usd_saved_per_request / usd_per_failure
