"""Release statistics: how many answers tell two versions apart, and what a bad version costs.

Shares are of accepted answers in 0..1. Every argument is a number or an array of draws; they
broadcast to the shape of the result. Normal approximations of the textbooks, as statsmodels has
them; not in them: the continuity correction, peeking at a running test, several metrics at once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from costmodel.core import floats, public

CONFIDENCE_BINS = 10  # of equal size, as calibration errors are published
LEAST = 1e-9
RANGE_OF_TEN = 3.078  # spread of ten draws over their standard deviation: Shewhart's d2


def _z(probability: Any) -> Any:
    from scipy.special import ndtri

    return ndtri(probability)


def _spreads(first: Any, second: Any) -> tuple[Any, Any, Any]:
    """(difference of two shares, its spread where they are equal, its spread as they are)."""
    mean = (first + second) / 2
    apart = first * (1 - first) + second * (1 - second)
    gap = np.abs(floats(first) - second)
    return gap, np.sqrt(2 * mean * (1 - mean)), np.sqrt(apart)


@public
def samples_per_arm(
    first: Any, second: Any, power: Any = 0.80, alpha: Any = 0.05, sides: Any = 2
) -> Any:
    """Answers of each version that tell two accepted shares apart.

    n = ((z(1 - alpha / sides) sqrt(2 p (1 - p)) + z(power) sqrt(p1 (1 - p1) + p2 (1 - p2))) /
    (p1 - p2))^2 with p the mean of both: Fleiss, Levin and Paik 2003, section 4.2; statsmodels
    `samplesize_proportions_2indep_onetail`. Not in it: the continuity correction.

    Parameters
    ----------
    first, second : share or array
        p1 and p2.
    power : share or array
        Chance to see the difference.
    alpha : share or array
        Chance to see one that is not there.
    sides : 1 or 2
        1 where only a fall matters, 2 for "is it different?".

    Returns
    -------
    number or array [count]
        Whole; infinite for equal shares.

    Examples
    --------
    >>> [float(samples_per_arm(0.80, p)) for p in (0.65, 0.75, 0.79)]
    [138.0, 1094.0, 25583.0]
    """
    gap, alike, apart = _spreads(first, second)
    with np.errstate(divide="ignore"):
        return np.ceil(((_z(1 - alpha / sides) * alike + _z(power) * apart) / gap) ** 2)


@public
def chance_to_detect(
    samples: Any, first: Any, second: Any, alpha: Any = 0.05, sides: Any = 1
) -> Any:
    """Power: chance that the answers of each version show the difference of two accepted shares.

    Phi((|p1 - p2| sqrt(n) - z(1 - alpha / sides) sqrt(2 p (1 - p))) / sqrt(p1 (1 - p1) +
    p2 (1 - p2))): `samples_per_arm` solved for the power. Not in it: peeking.

    Parameters
    ----------
    samples : number or array [count]
        n, answers of each version.
    first, second, alpha, sides : as in `samples_per_arm`

    Returns
    -------
    number or array [share]

    Examples
    --------
    >>> [round(float(chance_to_detect(n, 0.80, 0.65, sides=2)), 2) for n in (14, 138, 500)]
    [0.14, 0.8, 1.0]
    """
    from scipy.special import ndtr

    gap, alike, apart = _spreads(first, second)
    return ndtr((gap * np.sqrt(samples) - _z(1 - alpha / sides) * alike) / apart)


@public
def through_judge(accepted: Any, agreement: Any) -> Any:
    """Accepted share as a judge sees it: a p + (1 - a) (1 - p).

    A difference shrinks by 2 a - 1, so a judge of 85 % needs twice the answers of a perfect one.
    Not in it: a judge that errs one way more than the other.

    Parameters
    ----------
    accepted : share or array
        p, as people see it.
    agreement : share or array, above 0.5
        a, cases in which the judge agrees with people.

    Returns
    -------
    number or array [share]

    Examples
    --------
    >>> [round(float(through_judge(p, 0.85)), 3) for p in (0.80, 0.70)]
    [0.71, 0.64]
    """
    return agreement * accepted + (1 - agreement) * (1 - accepted)


@public
def runs_to_see(
    effect: Any, spread: Any, power: Any = 0.80, alpha: Any = 0.05, agreement: Any = 1.0
) -> Any:
    """Runs of the same cases on each version that show a fall through run-to-run noise.

    r = 2 ((z(1 - alpha) + z(power)) s / (effect (2 agreement - 1)))^2 with s = spread / 3.078. Both
    versions answer the same cases, so that only the noise between runs is left. Published: up to 15
    points at temperature 0 (Atil et al. 2024, arXiv:2408.04667). Not in it: cases that differ.

    Parameters
    ----------
    effect : share or array
        Fall of the accepted share.
    spread : share or array
        Gap between the best and the worst of ten runs.
    power, alpha : share or array
        As in `samples_per_arm`, of a one-sided test.
    agreement : share or array, above 0.5
        Of the judge with people.

    Returns
    -------
    number or array [count]
        Whole, at least 1.

    Examples
    --------
    >>> [float(runs_to_see(0.05, spread)) for spread in (0.01, 0.05, 0.15)]
    [1.0, 2.0, 12.0]
    """
    with np.errstate(divide="ignore"):
        noise = np.divide(spread / RANGE_OF_TEN, effect * (2 * agreement - 1))
    return np.maximum(1.0, np.ceil(2 * ((_z(1 - alpha) + _z(power)) * noise) ** 2))


@public
def answers_for_share(share: Any, within: Any, level: Any = 0.90, samples: Any = 1) -> Any:
    """Answers that show a share within so much, or the difference of two shares.

    n = samples x p (1 - p) (z / within)^2 with z the end of a two-sided normal band (Fleiss, Levin
    and Paik 2003, section 2.4). Not in it: shares next to 0 and 1.

    Parameters
    ----------
    share : share or array
        p, as it is expected.
    within : share or array, above 0
        Half the width of the band.
    level : share or array
        What the band holds.
    samples : 1 or 2
        2 for the difference of two shares, each seen on n answers.

    Returns
    -------
    number or array [count]
        Whole.

    Examples
    --------
    >>> [float(answers_for_share(0.35, within)) for within in (0.10, 0.05)]
    [62.0, 247.0]
    """
    return np.ceil(samples * share * (1 - share) * (_z((1 + level) / 2) / within) ** 2)


@public
def calibration_noise(accepted: Any, answers: Any, bins: Any = CONFIDENCE_BINS) -> Any:
    """Expected calibration error (ECE) that chance alone shows of a perfectly calibrated model.

    sqrt(2 bins p (1 - p) / (pi n)): the mean absolute error of the share in each of equal bins.
    Few answers make good models look bad: 10 bins of 20 answers show 7 points. Not in it: bins of
    different size, and shares that differ between bins, which lower it.

    Parameters
    ----------
    accepted : share or array
        p, accepted answers.
    answers : number or array, above 0
        n, answers whose confidence is held against a label.
    bins : number
        Bins of confidence.

    Returns
    -------
    number or array [share]

    Examples
    --------
    >>> [round(float(calibration_noise(0.8, n)), 3) for n in (200, 2_000)]
    [0.071, 0.023]
    """
    return np.sqrt(2 * bins * accepted * (1 - accepted) / (np.pi * np.asarray(answers, float)))


@public
def answers_for_calibration(accepted: Any, error: Any, bins: Any = CONFIDENCE_BINS) -> Any:
    """Answers at which chance shows half a calibration error: `calibration_noise` solved for n.

    Not in it: as there.

    Parameters
    ----------
    accepted, bins : as in `calibration_noise`
    error : share or array, above 0
        The calibration error that has to be seen.

    Returns
    -------
    number or array [count]
        Whole.

    Examples
    --------
    >>> [float(answers_for_calibration(0.8, error)) for error in (0.05, 0.10)]
    [1630.0, 408.0]
    """
    return np.ceil(calibration_noise(accepted, 1.0, bins) ** 2 / (error / 2) ** 2)


@public
def days_to_collect(samples: Any, requests_per_day: Any, exposed: Any, outcome_share: Any) -> Any:
    """Days until an arm of a test has its answers with a known outcome.

    samples / (requests a day x exposed x outcome share). Not in it: outcomes that come late.

    Parameters
    ----------
    samples : number or array [count]
    requests_per_day : number or array [1/day]
    exposed : share or array
        Of the traffic that the arm gets.
    outcome_share : share or array
        Answers whose outcome becomes known.

    Returns
    -------
    number or array [day]

    Examples
    --------
    >>> round(float(days_to_collect(1_094, 10_000, 0.5, 0.02)), 1)
    10.9
    """
    with np.errstate(divide="ignore"):
        return np.divide(samples, requests_per_day * exposed * outcome_share)


def chance_to_cross(rise: Any, threshold: Any, spread: Any, answers: Any) -> Any:
    """Chance that the mean of so many answers rises by more than a threshold.

    Phi((rise - threshold) sqrt(n) / spread), with the standard deviation of one answer; a rise of 0
    gives the chance of a false alarm. Not in it: peeking, and percentiles of latency.

    >>> chances = [chance_to_cross(rise, 0.05, 0.1, 100) for rise in (0.0, 0.05, 0.1)]
    >>> [round(float(chance), 4) for chance in chances]
    [0.0, 0.5, 1.0]
    """
    from scipy.special import ndtr

    return ndtr((rise - threshold) * np.sqrt(answers) / np.maximum(spread, LEAST))


class Stage(NamedTuple):
    """One stage of a rollout: share of users exposed, days, chance that it shows a regression, and
    answers of the new version."""

    share: Any
    days: Any
    chance: Any
    answers: Any


@public
def exposed_days(
    shares: tuple, days: tuple, chances: tuple, days_after: Any, days_to_repair: Any = 0.0
) -> Any:
    """Days of full traffic that a bad version reaches on average on its way through a rollout.

    sum_i (share_i x (days_i + chance_i x days_to_repair) x prod_{j < i} (1 - chance_j)) + prod_j (1
    - chance_j) x (days_after + days_to_repair). Not in it: a rollback that takes time.

    Parameters
    ----------
    shares, days : tuple of number or array [share], [day]
        Traffic and length of each stage.
    chances : tuple of share or array
        Chance that the version is found at the end of each stage.
    days_after : number or array [day]
        Until it is found after the last stage.
    days_to_repair : number or array [day]
        That it stays once it is found, with those who have it: 0 where it is taken back.

    Returns
    -------
    number or array [day]

    Examples
    --------
    >>> days = exposed_days((0.01, 0.20), (1.0, 2.0), (0.0, 0.75), 28)
    >>> round(float(days), 2)  # 0.01 + 0.4 + 0.25 x 28
    7.41
    """
    total, unseen = 0.0, 1.0
    for share, time, chance in zip(shares, days, chances, strict=True):
        total = total + share * (time + chance * days_to_repair) * unseen
        unseen = unseen * (1 - chance)
    return total + unseen * (days_after + days_to_repair)


@public
def expected_loss(
    chance: Any, exposed: Any, requests_per_day: Any, drop: Any, usd_per_failure: Any
) -> Any:
    """Expected loss of one release that may be bad.

    Chance x days of full traffic that it reaches x failures more a day x their cost.
    Not in it: customers who leave.

    Parameters
    ----------
    chance : share or array
        That the release is bad.
    exposed : number or array [day]
        Exposed share of the traffic x time to detect.
    requests_per_day : number or array [1/day]
    drop : share or array
        Fall of the accepted share.
    usd_per_failure : number or array [USD]

    Returns
    -------
    number or array [USD]

    Examples
    --------
    >>> round(expected_loss(0.05, 28.0, 10_000, 0.10, 0.40), 2)  # four weeks unseen
    560.0
    """
    return chance * exposed * requests_per_day * drop * usd_per_failure
