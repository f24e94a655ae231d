"""The rule of the decision: who is eligible, who is best, and who is as good as the best.

Eligible is an option whose chance to reach the quality floor, over the draws, is at least the
confidence of the study. The best is the eligible one of the least expected present value of all
costs. As good is one whose expected present value, draw by draw, lies within 5 % or two standard
errors of that of the best."""

from __future__ import annotations

import numpy as np
import pandas as pd

from costmodel.choices.study import Study
from costmodel.decisions.simulate import Simulated, mean_where_it_runs, p_cheapest
from costmodel.laws.money import certainty_equivalent

CLOSE = 0.05  # of the best's present value: nobody's inputs are known better
BESIDE = ("more", "p_dearer", "as_good")  # what `_beside` gives
ERRORS = 2.0  # standard errors of a paired mean difference


def standing(study: Study, found: Simulated) -> pd.DataFrame:
    """How the rule sees each option that runs: index option.

    `present_value` and `risk_adjusted` [USD], `p_reaches` (chance to reach the floor; without one,
    to run), `eligible`, `more` (expected present value beyond the best's, over the draws in which
    both run) [USD], `p_dearer` (share of these draws), `as_good`, `p_cheapest` and `p_least_to_pay`
    (the same without wrong answers).
    """
    worth = found.worth
    runs = {label: usd[~np.isnan(usd)] for label, usd in worth.items()}
    adjusted = {label: certainty_equivalent(usd, study.risk) for label, usd in runs.items()}
    reaches = {label: _reaches(study, found, label) for label in worth}
    judged = {label: not np.isnan(share).all() for label, share in found.accepted.items()}
    judged = judged if any(judged.values()) else dict.fromkeys(judged, True)
    eligible = {label: judged[label] and reaches[label] >= study.confidence for label in worth}
    first = [label for label in worth if eligible[label] and not np.isnan(adjusted[label])]
    best = min(first, key=adjusted.__getitem__, default="")
    beside = {
        label: _beside(worth[label], worth[best], adjusted[label] - adjusted[best])
        for label in first
    }
    compared = first or [label for label in worth if judged[label]]
    cheapest = p_cheapest({label: worth[label] for label in compared})
    pay = p_cheapest({label: worth[label] - found.wrong_worth[label] for label in compared})
    unknown = np.nan, np.nan, False
    columns = {
        "present_value": [usd.mean() for usd in runs.values()],
        "risk_adjusted": list(adjusted.values()),
        "p_reaches": list(reaches.values()),
        "eligible": list(eligible.values()),
        **{name: [beside.get(x, unknown)[i] for x in worth] for i, name in enumerate(BESIDE)},
        "p_cheapest": [cheapest.get(label, np.nan) for label in worth],
        "p_least_to_pay": [pay.get(label, np.nan) for label in worth],
    }
    return pd.DataFrame(columns, pd.Index(list(worth), name="option"))


def _reaches(study: Study, found: Simulated, label: str) -> float:
    """Chance that an option runs and, with a floor, reaches it."""
    runs = ~np.isnan(found.usd[label])
    if study.quality_floor is None:
        return float(runs.mean())
    with np.errstate(invalid="ignore"):
        return float(np.mean(runs & (found.accepted[label] >= study.quality_floor)))


def _beside(worth: np.ndarray, best: np.ndarray, behind: float) -> tuple[float, float, bool]:
    """What an option costs more than the best on average, how often, and whether it is as good.

    `behind` is how much more it costs with the aversion to risk, by which it is judged.
    """
    gap = worth - best
    gap = gap[~np.isnan(gap)]
    more, error = gap.mean(), gap.std() / np.sqrt(gap.size)
    little = max(CLOSE * mean_where_it_runs(best), ERRORS * error)
    return more, float(np.mean(gap > 0)), bool(behind <= little)
