"""Release statistics: how many answers tell two versions apart, and what a bad version costs until it is seen.

Shares are of accepted answers in 0..1. Normal approximations of the textbooks, as statsmodels has them; not in them: the
continuity correction, peeking at a running test, several metrics at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.core.public import public

RANGE_OF_TEN = (
    3.078  # spread of ten draws over their standard deviation: d2 of the control charts (Shewhart)
)


def _z(probability: Any) -> Any:
    from scipy.special import ndtri

    return ndtri(probability)


@public
def samples_per_arm(
    first: Any, second: Any, power: Any = 0.80, alpha: Any = 0.05, sides: Any = 2
) -> Any:
    """Answers of each version that tell two accepted shares apart [count], whole.

    n = ((z(1 - alpha / sides) sqrt(2 p (1 - p)) + z(power) sqrt(p1 (1 - p1) + p2 (1 - p2))) / (p1 - p2))^2 with p the mean of both:
    Fleiss, Levin and Paik 2003, section 4.2; statsmodels `samplesize_proportions_2indep_onetail`. Equal shares need infinitely
    many. `sides` is 1 where only a fall matters, 2 for "is it different?".

    >>> [float(samples_per_arm(0.80, p)) for p in (0.65, 0.75, 0.79)]
    [138.0, 1094.0, 25583.0]
    """
    mean, gap = (first + second) / 2, np.abs(np.asarray(first, float) - second)
    spread = _z(1 - alpha / sides) * np.sqrt(2 * mean * (1 - mean)) + _z(power) * np.sqrt(
        first * (1 - first) + second * (1 - second)
    )
    with np.errstate(divide="ignore"):
        return np.ceil((spread / gap) ** 2)


@public
def chance_to_detect(
    samples: Any, first: Any, second: Any, alpha: Any = 0.05, sides: Any = 1
) -> Any:
    """Power: chance that `samples` answers of each version show the difference of two accepted shares [share].

    Phi((|p1 - p2| sqrt(n) - z(1 - alpha / sides) sqrt(2 p (1 - p))) / sqrt(p1 (1 - p1) + p2 (1 - p2))): `samples_per_arm`
    solved for the power.

    >>> [round(float(chance_to_detect(n, 0.80, 0.65, sides=2)), 2) for n in (14, 138, 500)]
    [0.14, 0.8, 1.0]
    """
    from scipy.special import ndtr

    mean, gap = (first + second) / 2, np.abs(np.asarray(first, float) - second)
    seen = gap * np.sqrt(samples) - _z(1 - alpha / sides) * np.sqrt(2 * mean * (1 - mean))
    return ndtr(seen / np.sqrt(first * (1 - first) + second * (1 - second)))


@public
def through_judge(accepted: Any, agreement: Any) -> Any:
    """Accepted share as a judge sees it who agrees with people in `agreement` of the cases, errors both ways alike [share].

    a p + (1 - a) (1 - p): a difference shrinks by 2 a - 1, so a judge of 85 % needs twice the answers of a perfect one.

    >>> (
    ...     round(float(through_judge(0.80, 0.85)), 3),
    ...     round(float(through_judge(0.80, 0.85) - through_judge(0.70, 0.85)), 3),
    ... )
    (0.71, 0.07)
    """
    return agreement * accepted + (1 - agreement) * (1 - accepted)


@public
def runs_to_see(
    effect: Any, spread: Any, power: Any = 0.80, alpha: Any = 0.05, agreement: Any = 1.0
) -> Any:
    """Runs of the same cases on each version that show a fall of `effect` through run-to-run noise [count], whole, at least 1.

    r = 2 ((z(1 - alpha) + z(power)) s / (effect (2 agreement - 1)))^2 with s = spread / 3.078, where `spread` is the gap
    between the best and the worst of ten runs. Both versions answer the same cases, so that only the noise between runs is
    left. Published: up to 15 points at temperature 0 (Atil et al. 2024, arXiv:2408.04667).

    >>> [
    ...     float(runs_to_see(0.05, spread)) for spread in (0.01, 0.05, 0.15)
    ... ]  # see a fall of five points
    [1.0, 2.0, 12.0]
    """
    with np.errstate(divide="ignore"):
        noise = np.divide(spread / RANGE_OF_TEN, effect * (2 * agreement - 1))
    return np.maximum(1.0, np.ceil(2 * ((_z(1 - alpha) + _z(power)) * noise) ** 2))


@public
def days_to_collect(samples: Any, requests_per_day: Any, exposed: Any, outcome_share: Any) -> Any:
    """Days until an arm that gets the share `exposed` of the traffic has its answers with a known outcome [day].

    >>> round(float(days_to_collect(1_094, 10_000, 0.5, 0.02)), 1)
    10.9
    """
    with np.errstate(divide="ignore"):
        return np.divide(samples, requests_per_day * exposed * outcome_share)


@public
def exposed_days(shares: tuple, days: tuple, chances: tuple, days_after: Any) -> Any:
    """Days of full traffic that a bad version reaches on average on its way through the stages of a rollout [day].

    sum_i (share_i x days_i x prod_{j < i} (1 - chance_j)) + prod_j (1 - chance_j) x days_after: it is found at the end of
    stage i with chance_i, or `days_after` the last stage.

    >>> round(
    ...     float(exposed_days((0.01, 0.20), (1.0, 2.0), (0.0, 0.75), 28)), 2
    ... )  # 0.01 + 0.4 + 0.25 x 28
    7.41
    """
    unseen: Any = 1.0
    total: Any = 0.0
    for share, time, chance in zip(shares, days, chances, strict=True):
        total = total + share * time * unseen
        unseen = unseen * (1 - chance)
    return total + unseen * days_after


@public
def expected_loss(
    chance: Any, exposed: Any, requests_per_day: Any, drop: Any, usd_per_failure: Any
) -> Any:
    """Expected loss of one release [USD]: chance that it is bad x days of full traffic that it reaches x failures more a day x their cost.

    `exposed` is exposed share x time to detect [day]; failures more a day are requests a day x `drop`, the fall of the
    accepted share.

    >>> round(
    ...     expected_loss(0.05, 28.0, 10_000, 0.10, 0.40), 2
    ... )  # one in twenty, four weeks unseen: 28,000 failures at 40 cents
    560.0
    """
    return chance * exposed * requests_per_day * drop * usd_per_failure


def combinations(versions: Any, layers: Any) -> Any:
    """What can be live at once when each of `layers` is switched alone [count]: versions ^ layers.

    >>> combinations(
    ...     2, 6
    ... )  # model, system prompt, template, sampling, retrieval, parsing: two versions of each
    64
    """
    return versions**layers
