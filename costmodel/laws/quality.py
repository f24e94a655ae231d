"""Quality: the share of answers that is accepted, on the log-odds scale where effects add.

A base share, shifts with their evidence; the shifts of examples and of a teacher, of a longer
context and the place in it, and of a passage that was or was not found. The numbers of the curves
are fitted (data/calibration/quality.csv). Every argument is a number or an array of draws; they
broadcast to the shape of the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from costmodel.core import Infeasible, Number, floats, frozen, public

FULL_CONTEXT = 131_072.0  # tokens at which the decay of a reader is stated
TAUGHT = 20_000.0  # examples of a student that reaches the stated share of its teacher
OWN = "give quality=Measured(accepted, trials) of your own"


@frozen
class Found:
    """What a look-up brings for one type of question.

    Parameters
    ----------
    share : share or array
        Questions for which everything that the answer needs stands in the prompt.
    log_odds : number or array
        Shift of reading it: a long prompt, several passages to join.
    gain : number or array
        Shift of all answers to such questions, found or not.

    Examples
    --------
    >>> import costmodel as cm
    >>> found = cm.knowledge.Found(share=0.85)
    >>> round(cm.knowledge.composed(found.share, read=0.84, closed=0.05, survives=0.42), 2)
    0.72
    """

    share: Number
    log_odds: Number = 0.0
    gain: Number = 0.0


@frozen
class Effect:
    """What a technique does to the share of answers accepted, with its evidence.

    Parameters
    ----------
    log_odds : number or array
        Shift of an answer that has what it needs: 1 moves 50 % to 73 % and 80 % to 92 %.
    evidence : str
    kept : share or array
        Accepted answers that stay accepted after all shifts; those from a stale or a wrong place
        do not.
    log_odds_closed : number or array, optional
        Shift of an answer without its documents; None: the same.
    found : dict of question type to Found, optional
        What a look-up brings to the prompt, for each type of question.

    Examples
    --------
    >>> import costmodel as cm
    >>> tuned = cm.knowledge.Effect(log_odds=1.0, evidence="a trial of your own")
    >>> round(float(cm.knowledge.shift(0.5, tuned.log_odds)), 2)
    0.73
    """

    log_odds: Number = 0.0
    evidence: str = ""
    kept: Number = 1.0
    log_odds_closed: Number | None = None
    found: Mapping[str, Found] | None = None


@public
def shift(accepted: Any, log_odds: Any) -> Any:
    """Accepted share after a shift of its log-odds: expit(logit(p) + shift); 0 and 1 stay.

    Not in it: effects that overlap, which add too much.

    Parameters
    ----------
    accepted : share or array
        p, before.
    log_odds : number or array

    Returns
    -------
    number or array [share]

    Examples
    --------
    >>> round(float(shift(0.5, 1.0)), 2)
    0.73
    """
    return at_odds(accepted, np.exp(log_odds))


def at_odds(accepted: Any, times: Any) -> Any:
    """Accepted share after its odds p / (1 - p) are multiplied; 0 and 1 stay.

    >>> at_odds(0.5, 3.0)
    0.75
    """
    odds = accepted * times
    return odds / (1 - accepted + odds)


def logit(share: Any) -> Any:
    """Log-odds of a share: ln(p / (1 - p)); infinite at 0 and 1.

    >>> round(float(logit(0.8)), 2)
    1.39
    """
    with np.errstate(divide="ignore"):
        return np.log(np.divide(share, np.subtract(1, share)))


def expit(log_odds: Any) -> Any:
    """Share of its log-odds: 1 / (1 + exp(-z)); the inverse of `logit`.

    >>> round(float(expit(1.39)), 2)
    0.8
    """
    return 1 / (1 + np.exp(-log_odds))


def shift_to(base: Any, goal: Any) -> Any:
    """Shift of the log-odds that takes the share `base` to the share `goal`, up or down.

    >>> round(float(shift_to(0.80, 0.23)), 2)  # a benchmark, and a private repository
    -2.59
    """
    return logit(goal) - logit(base)


@public
def context_shift(tokens: Any, decay: Any, power: Any, longest: Any) -> Any:
    """Shift of the log-odds by the length of the prompt: -decay x (tokens / 131,072)^power.

    Fitted to RULER (32 models, 4K to 128K; README of hsiehjackson/RULER), to retrieval with 2K to
    2M tokens (Leng et al. 2024, arXiv:2411.03538), LongBench v2 and LongMemEval. Not in it: the
    task; a needle falls later, reasoning sooner.

    Parameters
    ----------
    tokens : number or array [token]
        Length of the prompt.
    decay, power : number or array
        Of the class of the reader (data/calibration/quality.csv).
    longest : number or array [token]
        Longest context measured for that class.

    Returns
    -------
    number or array
        NaN for the entries of an array beyond `longest`.

    Raises
    ------
    Infeasible
        Where all prompts are longer than `longest`.

    Examples
    --------
    >>> shifts = [context_shift(n, 2.4, 0.5, 131_072) for n in (16_384, 65_536, 131_072)]
    >>> [round(float(shift(0.966, s)), 2) for s in shifts]  # GPT-4: .95 .87 .81
    [0.92, 0.84, 0.72]
    """
    inside = floats(tokens) <= longest
    if not np.any(inside):
        raise Infeasible(
            "how well a reader of this class answers is known up to "
            f"{np.max(longest):,.0f} tokens of context, this is {np.min(tokens):,.0f}; {OWN}"
        )
    return -decay * (tokens / FULL_CONTEXT) ** power + np.where(inside, 0.0, np.nan)


@public
def position_shift(position: Any, dip: Any, tilt: Any) -> Any:
    """Shift of the log-odds by the place of the answer in the prompt: -dip x 4 x (1 - x) - tilt x.

    Liu et al. 2023, arXiv:2307.03172, tables of 10, 20 and 30 documents: GPT-3.5 falls from 76 % to
    54 % between the first and the tenth of 20. Not in it: models since 2024, whose dip is smaller.

    Parameters
    ----------
    position : share or array
        x, 0 for the first place and 1 for the last.
    dip, tilt : number or array
        Fall in the middle, and from the first to the last place [log-odds].

    Returns
    -------
    number or array

    Examples
    --------
    >>> [round(float(shift(0.758, position_shift(x, 0.75, 0.6))), 2) for x in (0.0, 0.47, 1.0)]
    [0.76, 0.53, 0.63]
    """
    return -4 * dip * position * (1 - position) - tilt * position


def student_shift(
    base: Any, teacher: Any, share: Any, examples: Any = TAUGHT, per_tenfold: Any = 0.0
) -> Any:
    """Shift of the log-odds by which a student moves from its `base` towards its teacher.

    logit(share x teacher) - logit(base) + per_tenfold x log10(examples / 20,000), not below 0 and
    not beyond the teacher; all but the examples are shares. `share` is that of 20,000 examples, the
    size of published students. Holds on the traffic that the student learned. A student that is
    better than that already learns nothing and loses nothing.

    >>> shifts = [student_shift(0.60, 0.80, 0.95, n, 0.3) for n in (200, 20_000, 2_000_000)]
    >>> [round(float(shift(0.60, s)), 2) for s in shifts]
    [0.63, 0.76, 0.8]
    """
    reached = shift_to(base, share * teacher) + per_tenfold * np.log10(examples / TAUGHT)
    return np.maximum(0.0, np.minimum(reached, shift_to(base, teacher)))


@public
def required_gain(usd: Any, requests: Any, usd_per_failure: Any) -> Any:
    """Rise of the accepted share that pays for an expense: usd / (requests x usd_per_failure).

    Not in it: interest.

    Parameters
    ----------
    usd : number or array [USD]
        The expense.
    requests : number or array above 0
        Of the whole life.
    usd_per_failure : number or array above 0 [USD]

    Returns
    -------
    number or array [share]
        Above 1 no gain pays.

    Examples
    --------
    >>> required_gain(16_000, 1_000_000, 2.0)  # labels of $16,000: 0.8 points
    0.008
    """
    return usd / (requests * usd_per_failure)
