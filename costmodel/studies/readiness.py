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
COLUMNS = [*("rule", "measured", "low", "high", "limit", "seen", "needed", "verdict", "why")]


@public
def readiness(
    right_where_differing: Measured | None = None,
    validation: Measured | None = None,
    holdout: Measured | None = None,
    calibration_error: float | None = None,
    entropy_ratio: float | None = None,
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
    entropy_ratio : float, optional
        Mean entropy of the student's answers over that of its teacher's [x].
    rules : Readiness, optional
        The limits; a Range counts at its middle.

    Returns
    -------
    pandas.DataFrame
        One row for each rule and one for all. Columns: rule; measured, low, high; limit; seen,
        answers that were looked at; needed, answers that decide; verdict ("ready", "not ready",
        "open", "not measured"); why.

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.training.readiness(
    ...     cm.Measured(158, 250), cm.Measured(97, 100), cm.Measured(330, 400), 0.04, 0.5
    ... )
    >>> table[["rule", "verdict"]].values.tolist()
    [['wrong where both differ', 'open'], ['gap to requests of users', 'not ready'], ...]
    >>> table["why"].iloc[-1]
    "not ready: gap to requests of users, entropy over the teacher's; open: wrong where both differ"
    """
    at: Any = middle(rules)
    nothing = (np.nan,) * 3
    differ = gap = error = entropy = nothing, np.nan
    if right_where_differing is not None:
        low, mid, high = 1 - right_where_differing.quantile(ENDS)
        differ = (mid, low, high), right_where_differing.trials
    if holdout is not None and validation is not None:
        fall = validation.mid - holdout.mid
        spread = Z * np.hypot(_error(validation), _error(holdout))
        gap = (fall, fall - spread, fall + spread), min(validation.trials, holdout.trials)
    if holdout is not None and calibration_error is not None:
        require("calibration_error", calibration_error, 0, 1)
        chance = calibration_noise(holdout.mid, holdout.trials)
        true = np.sqrt(max(calibration_error**2 - chance**2, 0.0))
        error = (calibration_error, true, calibration_error), holdout.trials
    if entropy_ratio is not None:
        require("entropy_ratio", entropy_ratio, 0)
        entropy = (entropy_ratio,) * 3, np.nan
    share = at.accepted_before
    of_gap = answers_for_share(share, at.gap_max, samples=2)
    of_error = answers_for_calibration(share, at.calibration_max)
    rows = [
        _row("wrong where both differ", *differ, at.wrong_max, at.differing),
        _row("gap to requests of users", *gap, at.gap_max, of_gap),
        _row("error of the confidence", *error, at.calibration_max, of_error),
        _row("entropy over the teacher's", *entropy, at.entropy_min, np.nan, least=True),
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    found = {v: list(table["rule"][table["verdict"] == v]) for v in (NOT, OPEN, UNKNOWN)}
    why = "; ".join(f"{v}: {', '.join(names)}" for v, names in found.items() if names)
    verdict = next((v for v, names in found.items() if names), READY)
    whole = {"rule": "all rules", "verdict": verdict, "why": why or "every rule is met"}
    return pd.concat([table, pd.DataFrame([whole])], ignore_index=True)[COLUMNS]


def _error(share: Measured) -> float:
    return float(np.sqrt(share.mid * (1 - share.mid) / share.trials))


def _row(
    rule: str,
    band: tuple[float, float, float],
    answers: float,
    limit: float,
    needed: float,
    least: bool = False,
) -> dict[str, Any]:
    """One rule: `limit` is the most that is allowed, or the least."""
    mid, low, high = band
    worst, best = (low, high) if least else (high, low)
    sign = -1 if least else 1
    bound = f"at {'least' if least else 'most'} {percent(limit)} is allowed"
    if np.isnan(mid):
        verdict, why = UNKNOWN, bound
    elif sign * worst <= sign * limit:
        verdict, why = READY, f"{percent(worst)} at worst; {bound}"
    elif sign * best > sign * limit:
        verdict, why = NOT, f"{percent(best)} at best; {bound}"
    else:
        more = f"{needed:,.0f} answers decide" if answers < needed else "more answers decide"
        verdict, why = OPEN, f"between {percent(best)} and {percent(worst)}; {bound}; {more}"
    values = (rule, mid, low, high, limit, answers, needed, verdict, why)
    return dict(zip(COLUMNS, values, strict=True))
