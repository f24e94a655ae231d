"""Quality from the task and the model: levels, reading, tuning, examples and second tries.

On one task the log-odds of a right answer rise in a line with the capability of the model. The line
of your own task is not known; its level is one wide draw that all models share.
The numbers are fitted or published (data/calibration/task_quality.csv). Every argument is a number
or an array of draws; they broadcast to the shape of the result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.core import INDEX_END, public
from costmodel.laws.quality import logit


@public
def capability(index: Any) -> Any:
    """Capability of a model from its published index: logit(index / 70).

    Quality is a line in it, not in the index: 0 at an index of 35 (Artificial Analysis Intelligence
    Index, July 2026). Not in it: other versions of the index, the task.

    Parameters
    ----------
    index : number or array above 0 and below 70

    Returns
    -------
    number or array [log-odds]

    Examples
    --------
    >>> [round(float(capability(index)), 2) for index in (7, 20, 42)]
    [-2.2, -0.92, 0.41]
    """
    return logit(index / INDEX_END)


def capability_by_size(
    parameters: Any, years: Any, base: Any, per_tenfold: Any, per_year: Any
) -> Any:
    """Capability of an open model [log-odds]: base + per_tenfold x log10(B) + per_year x years.

    B is billions of parameters, all of them; years since 2025-01-01. 336 open models, residual
    0.62. Not in it: data, reasoning.

    >>> g = capability_by_size(284e9, 1.31, -3.61, 0.81, 0.87)  # DeepSeek V4 Flash: 28.7 published
    >>> round(float(70 / (1 + np.exp(-g))), 1)
    26.7
    """
    return base + per_tenfold * np.log10(parameters / 1e9) + per_year * years


def capability_by_price(usd_per_mtok_out: Any, base: Any, per_tenfold: Any) -> Any:
    """Capability of a model by its price [log-odds]: base + per_tenfold x log10(USD/Mtok out).

    Models on sale in July 2026, residual 0.65: the worst guess, when nothing else is known. Not in
    it: sales, resellers.

    >>> g = capability_by_price(6.0, -0.54, 0.91)  # GPT-5.6 Luna, medium effort: 38.1 published
    >>> round(float(70 / (1 + np.exp(-g))), 1)
    37.9
    """
    return base + per_tenfold * np.log10(usd_per_mtok_out)


@public
def log_odds_right(level: Any, slope: Any, capability: Any, at: Any) -> Any:
    """Log-odds of a right answer: level + slope x (capability - at).

    56 benchmarks have a slope of 0.66 in the mean (sd 0.41). AA-Omniscience, asked from memory: .21
    at an index of 20, .35 at 42. Not in it: chance (four choices are right once in four), ceilings
    below one.

    Parameters
    ----------
    level : number or array [log-odds]
        At the capability `at`.
    slope : number or array
    capability, at : number or array [log-odds]

    Returns
    -------
    number or array [log-odds]

    Examples
    --------
    >>> g = log_odds_right(-1.325, 0.53, capability(42), capability(20))
    >>> round(float(1 / (1 + np.exp(-g))), 2)
    0.35
    """
    return level + slope * (capability - at)


@public
def composed(found: Any, read: Any, closed: Any, survives: Any) -> Any:
    """Share right of what looks up and then reads: found x read + (1 - found) x closed x survives.

    `found` counts facts that are in the prompt, not passages with a good rank. Where nothing is
    found, 0.42 (0.40 to 0.50) of what the model knows survives the wrong passages. FinanceBench
    with one store per document: .42 (GPT-4) and .50 (GPT-4-Turbo). Not in it: wrong passages that
    are found as well.

    Parameters
    ----------
    found, read, closed, survives : share or array

    Returns
    -------
    number or array [share]

    Examples
    --------
    >>> [round(composed(found, 0.84, 0.05, 0.42), 2) for found in (0.14, 0.50, 0.85)]
    [0.14, 0.43, 0.72]
    """
    return found * read + (1 - found) * closed * survives


@public
def examples_shift(examples: Any, per_tenfold: Any, enough: Any = 10_000.0) -> Any:
    """Shift of a tune against its ceiling by the count of its examples.

    per_tenfold x log10(min(examples, enough) / enough): flat beyond `enough`. Banking77, a probe on
    770, 3,850 and 10,003 labels: .869, .914 and .933. Not in it: noise of the labels, knowledge,
    which a tune hardly teaches.

    Parameters
    ----------
    examples : number or array above 0
    per_tenfold : number or array [log-odds]
    enough : number or array above 0

    Returns
    -------
    number or array [log-odds], 0 or less

    Examples
    --------
    >>> from costmodel.laws.quality import shift
    >>> [round(float(shift(0.933, examples_shift(n, 0.66))), 3) for n in (770, 3_850, 10_003)]
    [0.87, 0.914, 0.933]
    """
    return per_tenfold * np.log10(np.minimum(examples, enough) / enough)


@public
def few_shot_shift(capability: Any, gain: Any, at: Any, per_capability: Any, most: Any) -> Any:
    """Shift of the log-odds by examples in the prompt; it fades with capability.

    gain + per_capability x (at - capability), between 0 and `most`. GPT-4o +0.05 (sd 0.19),
    GPT-4-Turbo +0.27 (0.14), base models of 2022-23 +0.3 to +0.8. Not in it: formats and labels
    that nobody could guess without an example.

    Parameters
    ----------
    capability, at : number or array [log-odds]
    gain, per_capability, most : number or array [log-odds]

    Returns
    -------
    number or array [log-odds]

    Examples
    --------
    >>> [
    ...     round(float(few_shot_shift(capability(i), 0.05, -1.84, 0.5, 0.8)), 2)
    ...     for i in (3, 7.9, 20)
    ... ]
    [0.68, 0.16, 0.0]
    """
    return np.clip(gain + per_capability * (at - capability), 0.0, most)
