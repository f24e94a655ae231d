"""The arithmetic of an agent: a prompt that grows with each step, attempts behind one call, and a tail of long tasks.

Each call sends everything before it again, so that input grows with the square of the steps. Two readings are published: a
task of t turns makes t + 1 calls (`turn_tokens`), or a task of s steps makes s calls (`step_tokens`); they are the same with
s = t + 1. Not in it: what a step finds out, and parallel branches that share a history.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.core.public import public

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(
    41
)  # of the standard normal: exact moments of the lognormal tail
WEIGHTS = WEIGHTS / WEIGHTS.sum()
NEVER = 1e12  # tokens of history that no agent reaches
LEAST = 1e-9


@public
def turn_tokens(base: Any, grown: Any, turns: Any) -> Any:
    """Input tokens of a task of `turns` turns, t + 1 calls [token]: b (t + 1) + g t (t + 1) / 2.

    `base` is sent with every call, `grown` is what each turn adds: the model's output and the tool's result. This reading has a
    call for each turn and one for the final answer (sundarshahithakuri.com.np, the agentic context tax).

    >>> turn_tokens(2_000, 800, 6), turn_tokens(0, 1, 30)
    (30800.0, 465.0)
    """
    return step_tokens(base, grown, turns + 1)


@public
def step_tokens(base: Any, grown: Any, steps: Any) -> Any:
    """Input tokens of a task of `steps` calls [token]: b s + g s (s - 1) / 2.

    This reading counts calls: two steps against eight are 7,000 against 52,000 tokens, 7.4 times for 4 times the calls.

    >>> step_tokens(3_000, 1_000, 2), step_tokens(3_000, 1_000, 8)
    (7000.0, 52000.0)
    """
    return base * steps + grown * steps * (steps - 1) / 2


def compactions(grown: Any, steps: Any, limit: Any, kept: Any) -> Any:
    """Times that a task cuts its history to a summary [count]: each time it has grown to `limit` tokens, down to `kept`.

    >>> [float(compactions(1_000, steps, 20_000, 2_000)) for steps in (10, 30, 60)]
    [0.0, 1.0, 3.0]
    """
    cycle = np.maximum((limit - kept) / np.maximum(grown, LEAST), 1.0)
    return np.ceil(
        np.maximum(steps - np.maximum(limit / np.maximum(grown, LEAST), 1.0), 0.0) / cycle
    )


def history_tokens(grown: Any, steps: Any, limit: Any = NEVER, kept: Any = 0.0) -> Any:
    """History tokens sent by a task of `steps` calls [token], cut to a summary of `kept` each time it has grown to `limit`.

    A triangle until the limit, then a saw: sum over the teeth of kept x length + g x length (length - 1) / 2.

    >>> [
    ...     float(history_tokens(1_000, 40, limit)) for limit in (1e12, 10_000)
    ... ]  # compaction takes 77 % of it
    [780000.0, 180000.0]
    """
    pace = np.maximum(grown, LEAST)
    first = np.minimum(steps, np.maximum(limit / pace, 1.0))
    cycle = np.maximum((limit - kept) / pace, 1.0)
    after = steps - first
    teeth = np.floor(after / cycle)
    rest = after - teeth * cycle
    return (
        step_tokens(0.0, grown, first)
        + teeth * step_tokens(kept, grown, cycle)
        + step_tokens(kept, grown, rest)
    )


@public
def attempts(fail_chance: Any, tries: Any) -> Any:
    """Calls that are sent for one answer [count] when each fails with `fail_chance` and at most `tries` are made.

    (1 - f^n) / (1 - f). A client library that tries 3 times inside a loop of your own that tries 3 times makes n = 9.

    >>> round(float(attempts(0.05, 9)), 3), round(float(attempts(1 - 1e-9, 9)), 1)
    (1.053, 9.0)
    """
    fail = np.minimum(fail_chance, 1 - LEAST)
    return (1 - fail**tries) / (1 - fail)


def task_lengths(mean: Any, spread: Any, cap: Any) -> Any:
    """Steps of tasks along their distribution [count], on a new last axis to be averaged with `WEIGHTS`: shape (..., 41).

    Lognormal with the given mean and `spread` (the standard deviation of the logarithm), cut at `cap` steps, at least one.

    >>> lengths = task_lengths(10.0, 0.8, 1e12)
    >>> (
    ...     round(float(lengths @ WEIGHTS), 2),
    ...     round(float(lengths**2 @ WEIGHTS) / 100, 2),
    ... )  # exp(0.64) = 1.90: the square has a longer tail
    (10.0, 1.9)
    """
    mean, spread, cap = (np.asarray(x, float)[..., None] for x in (mean, spread, cap))
    return np.maximum(np.minimum(mean * np.exp(spread * NODES - spread**2 / 2), cap), 1.0)


def within(mean: Any, spread: Any, cap: Any) -> Any:
    """Share of lognormal tasks or users that stay below `cap` [share].

    >>> round(float(within(10.0, 0.8, 40.0)), 3)
    0.984
    """
    from scipy.special import ndtr

    spread = np.maximum(spread, LEAST)
    return ndtr((np.log(cap / np.asarray(mean, float)) + spread**2 / 2) / spread)


def shift_to(base: Any, reached: Any) -> Any:
    """Shift of the log-odds that takes a share accepted from `base` to `reached`, up or down: logit(reached) - logit(base).

    >>> round(
    ...     float(shift_to(0.80, 0.23)), 2
    ... )  # a benchmark of 80 % and 23 % on a private repository
    -2.59
    """
    base, reached = np.asarray(base, float), np.asarray(reached, float)
    return np.log(reached) - np.log1p(-reached) - np.log(base) + np.log1p(-base)


@public
def tail(mean: Any, spread: Any, at: Any) -> Any:
    """What the task or user at probability `at` takes, in the unit of `mean`: mean x exp(spread z(at) - spread^2 / 2).

    >>> round(
    ...     float(tail(8.0, 1.05, 0.95)), 1
    ... )  # $8 on average, $26 for the user at the 95th percentile
    25.9
    """
    from scipy.special import ndtri

    return mean * np.exp(spread * ndtri(at) - spread**2 / 2)


@public
def per_resolved(usd: Any, success: Any, usd_unresolved: Any = 0.0) -> Any:
    """Cost of one resolved task [USD]: (usd of an attempt + (1 - success) x usd_unresolved) / success.

    `usd_unresolved` is what a person takes for a task that the agent gives back. Halving the success doubles the first part.

    >>> round(per_resolved(2.80, 0.68), 2)
    4.12
    """
    return (usd + (1 - success) * usd_unresolved) / success


# -- calls that fail -----------------------------------------------------------------------------------


def given_up(failed: Any, most: Any) -> Any:
    """Share of calls that fail in all `most` attempts: f^n.

    >>> round(float(given_up(0.05, 3)), 6)
    0.000125
    """
    return np.asarray(failed, float) ** most
