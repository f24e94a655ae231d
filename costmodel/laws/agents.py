"""The arithmetic of an agent: a prompt that grows, calls that fail, and a tail of long tasks.

Each call sends everything before it again, so that input grows with the square of the steps. A
task of t turns makes t + 1 calls where the final answer is a call of its own: give `step_tokens`
t + 1 steps. Every argument is a number or an array of draws; they broadcast to the shape of the
result. Not in it: the findings of a step, and parallel branches that share a history.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from costmodel.core import floats, public

# points of the standard normal that give exact moments of the lognormal tail
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
NEVER = 1e12  # tokens of history that no agent reaches
LEAST = 1e-9
MOST_TEETH = 60  # of a history whose tool results are cleared; further steps clear one each


@public
def step_tokens(base: Any, grown: Any, steps: Any) -> Any:
    """Input tokens of a task: b s + g s (s - 1) / 2.

    Two steps against eight are 7,000 against 52,000 tokens, 7.4 times for 4 times the calls. Not in
    it: histories that are cut (`Agent(compact_at=...)` cuts them).

    Parameters
    ----------
    base : number or array [token]
        b, sent with every call.
    grown : number or array [token]
        g, added by each step: the model's output and the tool's result.
    steps : number or array, at least 1
        s, calls of the task.

    Returns
    -------
    number or array [token]

    Examples
    --------
    >>> step_tokens(3_000, 1_000, 2), step_tokens(3_000, 1_000, 8)
    (7000.0, 52000.0)
    """
    return base * steps + grown * steps * (steps - 1) / 2


class History(NamedTuple):
    """What a task of many calls sends of its history: tokens in all, times that it is cut, tokens
    that the cuts make new to a prompt cache."""

    tokens: Any
    cuts: Any
    rewritten: Any


def history(
    grown: Any, steps: Any, limit: Any = NEVER, kept: Any = 0.0, kept_per_step: Any = 0.0
) -> History:
    """History of a task of `steps` calls, cut whenever it is at `limit` tokens.

    A triangle until the limit, then a saw: sum over the teeth of start x length + g x length
    (length - 1) / 2. A cut leaves `kept` tokens, and `kept_per_step` for each step before: a
    summary leaves the same each time, clearing the results of tools leaves what the model wrote.
    When hardly anything can be cleared any more, each step clears one result.

    >>> [float(history(1_000, 40, limit).tokens) for limit in (1e12, 10_000)]  # 77 % less
    [780000.0, 180000.0]
    >>> [float(history(1_000, n, 20_000, 2_000).cuts) for n in (10, 30, 60)]
    [0.0, 1.0, 3.0]
    >>> float(history(1_000, 40, 20_000, 2_100, 300).tokens)  # results of 700 cleared, but three
    474527.0
    """
    found = [
        (times * step_tokens(start, pace, length), cuts, new)
        for start, pace, length, times, cuts, new in _teeth(
            grown, steps, limit, kept, kept_per_step
        )
    ]
    return History(*(sum(column) for column in zip(*found, strict=True)))


def _teeth(
    grown: Any, steps: Any, limit: Any, kept: Any, kept_per_step: Any
) -> Iterator[tuple[Any, Any, Any, Any, Any, Any]]:
    """(history at its start, growth of a step, steps, how often, cuts, tokens that these make new)
    of each kind of tooth."""
    pace = np.maximum(grown, LEAST)
    done = np.minimum(steps, np.maximum(limit / pace, 1.0))
    yield 0.0, grown, done, 1.0, 0.0, 0.0
    if not np.any(kept_per_step):  # all teeth are alike
        cycle, after = np.maximum((limit - kept) / pace, 1.0), steps - done
        whole = np.floor(after / cycle)
        rest = after - whole * cycle
        yield kept, grown, cycle, whole, whole, whole * kept
        yield kept, grown, rest, 1.0, rest > 0, (rest > 0) * kept
        return
    # what the model wrote beside the results that are kept is written again with them
    beside = kept_per_step * kept / np.maximum(grown - kept_per_step, LEAST)
    before: Any = 0.0
    for last in (*(False,) * MOST_TEETH, True):
        left = steps - done
        if not np.any(left > 0):
            return
        start = kept + kept_per_step * done
        room = (limit - start) / pace
        ramp = (room <= 1) | last  # each step is cut
        length = np.where(ramp, left, np.minimum(room, left))
        cuts = np.where(ramp, left, left > 0)
        new = np.where(ramp, kept + kept_per_step, start - kept_per_step * before) + beside
        yield start, np.where(ramp, kept_per_step, grown), length, 1.0, cuts, cuts * new
        before, done = done, done + length


def calls_below(
    history: Any,
    grown: Any,
    steps: Any,
    limit: Any = NEVER,
    kept: Any = 0.0,
    kept_per_step: Any = 0.0,
) -> tuple[Any, Any]:
    """(calls, history tokens) of a task whose history is at most `history` tokens when they are
    sent.

    Exact for whole steps: in a tooth that starts at k, (history - k) / g whole steps and one.

    >>> [float(x) for x in calls_below(3_500, 1_000, 10)]  # histories of 0, 1, 2 and 3 thousand
    [4.0, 6000.0]
    """
    count, tokens = 0.0, 0.0
    for start, pace, length, times, *_ in _teeth(grown, steps, limit, kept, kept_per_step):
        below = np.floor((history - start) / np.maximum(pace, LEAST)) + 1
        below = np.clip(below, 0.0, length)
        count = count + times * below
        tokens = tokens + times * step_tokens(start, pace, below)
    return count, tokens


@public
def attempts(fail_chance: Any, tries: Any) -> Any:
    """Calls that are sent for one answer: (1 - f^n) / (1 - f).

    A client library that tries 3 times inside a loop of your own that tries 3 times makes n = 9.
    Not in it: waits between attempts.

    Parameters
    ----------
    fail_chance : share or array
        f, chance that a call fails.
    tries : number or array, at least 1
        n, most attempts.

    Returns
    -------
    number or array [count]

    Examples
    --------
    >>> round(float(attempts(0.05, 9)), 3), round(float(attempts(1 - 1e-9, 9)), 1)
    (1.053, 9.0)
    """
    fail = np.minimum(fail_chance, 1 - LEAST)
    return (1 - fail**tries) / (1 - fail)


def task_lengths(mean: Any, spread: Any, cap: Any) -> Any:
    """Steps of tasks along their distribution [count], on a new last axis of 41 points.

    Average them with `WEIGHTS`. Lognormal with the given mean and `spread` (the standard deviation
    of the logarithm), cut at `cap` steps, at least one.

    >>> lengths = task_lengths(10.0, 0.8, 1e12)
    >>> round(float(lengths @ WEIGHTS), 2)
    10.0
    >>> round(float(lengths**2 @ WEIGHTS) / 100, 2)  # exp(0.64): the square has a longer tail
    1.9
    """
    mean, spread, cap = (floats(x)[..., None] for x in (mean, spread, cap))
    return np.maximum(np.minimum(mean * np.exp(spread * NODES - spread**2 / 2), cap), 1.0)


def within(mean: Any, spread: Any, cap: Any) -> Any:
    """Share of lognormal tasks or users that stay below `cap`.

    >>> round(float(within(10.0, 0.8, 40.0)), 3)
    0.984
    """
    from scipy.special import ndtr

    spread = np.maximum(spread, LEAST)
    return ndtr((np.log(cap / floats(mean)) + spread**2 / 2) / spread)


@public
def tail(mean: Any, spread: Any, at: Any) -> Any:
    """The task or user at a quantile of a lognormal distribution, in the unit of `mean`.

    mean x exp(spread z(at) - spread^2 / 2). Not in it: a cap.

    Parameters
    ----------
    mean : number or array
    spread : number or array, at least 0
        Standard deviation of the logarithm.
    at : share or array
        Quantile.

    Returns
    -------
    number or array

    Examples
    --------
    >>> round(float(tail(8.0, 1.05, 0.95)), 1)  # $8 on average, $26 at the 95th percentile
    25.9
    """
    from scipy.special import ndtri

    return mean * np.exp(spread * ndtri(at) - spread**2 / 2)


@public
def per_resolved(usd: Any, success: Any, usd_unresolved: Any = 0.0) -> Any:
    """Cost of one resolved task: (usd of an attempt + (1 - success) x usd_unresolved) / success.

    Halving the success doubles the first part. Not in it: wrong answers that nobody notices.

    Parameters
    ----------
    usd : number or array [USD]
        Cost of one attempt.
    success : share or array, above 0
        Tasks that are resolved.
    usd_unresolved : number or array [USD]
        Cost of a person for a task that the agent gives back.

    Returns
    -------
    number or array [USD]

    Examples
    --------
    >>> round(per_resolved(2.80, 0.68), 2)
    4.12
    """
    return (usd + (1 - success) * usd_unresolved) / success


@public
def resolve(accepted: Any, retries: Any = 0, detected: Any = 1.0) -> tuple[Any, Any, Any, Any]:
    """Say what becomes of a request: it is solved, handed to a person, or wrong without anybody
    noticing.

    Each attempt is accepted with the chance p. Of those that fail, the share d is noticed and tried
    again, up to r times, then handed to a person. With f = d (1 - p): attempts = (1 - f^(r+1)) / (1
    - f), solved = p x attempts, handed on = f^(r+1); the rest is wrong. Not in it: attempts that
    fail together.

    Parameters
    ----------
    accepted : float or array
        Chance p that one attempt is accepted [share, 0 to 1].
    retries : float or array
        Attempts r after the first [count].
    detected : float or array
        Share d of the failures that is noticed [share, 0 to 1].

    Returns
    -------
    tuple of float or array
        Attempts [count], and the shares of requests that the model solves, that a person gets, and
        that stay wrong. The shares add up to 1.

    Examples
    --------
    >>> [round(float(x), 4) for x in resolve(0.68)]
    [1.0, 0.68, 0.32, 0.0]
    >>> [round(float(x), 4) for x in resolve(0.5, retries=1, detected=0.8)]
    [1.4, 0.7, 0.16, 0.14]
    """
    again = detected * (1 - accepted)
    sent, handed_on = attempts(again, retries + 1), again ** (retries + 1)
    return sent, accepted * sent, handed_on, 1 - accepted * sent - handed_on
