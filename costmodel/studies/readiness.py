"""Whether a student may take over from its teacher: measured values against the rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.tunes.readiness import Readiness
from costmodel.core import Measured, middle, percent, public, require
from costmodel.laws.experiments import answers_for_calibration, answers_for_share, calibration_noise

ENDS = np.array([0.95, 0.5, 0.05])  # of the band of a share, turned round
Z = 1.645  # standard errors on each side of a 90 % band
RULES = Readiness()
READY, NOT, OPEN, UNKNOWN = "ready", "not ready", "open", "not measured"
COLUMNS = ["rule", "measured", "low", "high", "seen", "limit", "needed", "verdict", "why"]


@public
def readiness(
    right_where_differing: Measured | None = None,
    validation: Measured | None = None,
    holdout: Measured | None = None,
    calibration_error: float | None = None,
    entropy_lost: float | None = None,
    rules: Readiness = RULES,
) -> pd.DataFrame:
    """Say whether a student is ready to take over from its teacher, and why not.

    A rule is met where the whole 90 % band of what was measured meets it, broken where the whole
    band breaks it, and open in between: then more answers decide.

    Parameters
    ----------
    right_where_differing : Measured, optional
        Of the answers on which student and teacher differ and people read, those that the student
        has right.
    validation, holdout : Measured, optional
        Accepted answers of the student on examples of the teacher, and on labelled requests that
        nobody trained on.
    calibration_error : float, optional
        Expected calibration error on those requests [share], in 10 bins.
    entropy_lost : float, optional
        1 less the mean entropy of the student's answers over that of its teacher's [share].
    rules : Readiness, optional
        The limits; a Range counts at its middle.

    Returns
    -------
    pandas.DataFrame
        One row for each rule and one for all. Columns: rule; measured, low, high [share]; seen,
        answers that were looked at; limit [share]; needed, answers that decide; verdict ("ready",
        "not ready", "open", "not measured"); why.

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.training.readiness(
    ...     cm.Measured(158, 250), cm.Measured(97, 100), cm.Measured(330, 400), 0.04, 0.5
    ... )
    >>> table[["rule", "verdict"]].values.tolist()
    [['wrong where both differ', 'open'], ['gap to requests of users', 'not ready'], ...]
    >>> table["why"].iloc[-1]
    'not ready: gap to requests of users, entropy lost; open: wrong where both differ'
    """
    at: Any = middle(rules)
    share = at.accepted_before
    limits = {
        "wrong where both differ": (at.wrong_max, at.differing),
        "gap to requests of users": (at.gap_max, answers_for_share(share, at.gap_max, samples=2)),
        "error of the confidence": (
            at.calibration_max,
            answers_for_calibration(share, at.calibration_max),
        ),
        "entropy lost": (at.entropy_lost_max, np.nan),
    }
    bands = dict.fromkeys(limits, (np.nan,) * 4)  # middle, ends, and answers behind them
    wrong, gap, error, entropy = limits
    if right_where_differing is not None:
        low, mid, high = 1 - right_where_differing.quantile(ENDS)
        bands[wrong] = mid, low, high, right_where_differing.trials
    if holdout is not None and validation is not None:
        fall = validation.mid - holdout.mid
        of_both = (x.mid * (1 - x.mid) / x.trials for x in (validation, holdout))
        half = Z * np.sqrt(sum(of_both))
        bands[gap] = fall, fall - half, fall + half, min(validation.trials, holdout.trials)
    if holdout is not None and calibration_error is not None:
        require("calibration_error", calibration_error, 0, 1)
        chance = calibration_noise(holdout.mid, holdout.trials)
        true = np.sqrt(max(calibration_error**2 - chance**2, 0.0))
        bands[error] = calibration_error, true, calibration_error, holdout.trials
    if entropy_lost is not None:
        bands[entropy] = (*(entropy_lost,) * 3, np.nan)
    rows = [(rule, *bands[rule], *limits[rule]) for rule in limits]
    table = pd.DataFrame(rows, columns=COLUMNS[:-2])
    table[COLUMNS[-2:]] = [_verdict(*row[2:]) for row in rows]
    found = {v: list(table["rule"][table["verdict"] == v]) for v in (NOT, OPEN, UNKNOWN)}
    why = "; ".join(f"{v}: {', '.join(names)}" for v, names in found.items() if names)
    verdict = next((v for v, names in found.items() if names), READY)
    whole = {"rule": "all rules", "verdict": verdict, "why": why or "every rule is met"}
    return pd.concat([table, pd.DataFrame([whole])], ignore_index=True)


def _verdict(low: float, high: float, seen: float, limit: float, needed: float) -> tuple[str, str]:
    """What a band says of a limit, and why."""
    bound = f"at most {percent(limit)} is allowed"
    if np.isnan(low):
        return UNKNOWN, bound
    if high <= limit:
        return READY, f"{percent(high)} at worst; {bound}"
    if low > limit:
        return NOT, f"{percent(low)} at best; {bound}"
    more = f"{needed:,.0f}" if seen < needed else "more"
    return OPEN, f"between {percent(low)} and {percent(high)}; {bound}; {more} answers decide"
