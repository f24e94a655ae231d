"""Where two options cost the same: every crossing with a band, or "never"; and the month from which one is ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core.errors import check
from costmodel.core.words import number_text
from costmodel.decisions.compare import search_limits
from costmodel.decisions.simulate import on_equal_terms, paths, totals
from costmodel.decisions.uncertainty import FAN_DRAWS

# -- from when on --------------------------------------------------------------------------------------


@analysis
def breakeven_date(
    study: Study, first: str | None = None, second: str | None = None, draws: int = FAN_DRAWS
) -> pd.DataFrame:
    """From which month on `second` has cost less than `first`, all in all and for good; one row.

    Columns: month date p10 p90 p_never verdict. Months may have fractions, `date` is the first day of the month in which it happens; NaN and "never" where
    `second` is behind at the horizon. The band is that of the draws in which it happens, `p_never` the share in which it does not.
    """
    labels = study.pair(first, second)
    terms = study.terms
    study, without = on_equal_terms(study.only(*labels))
    for label, usd in totals(study).items():
        check(not np.isnan(usd), f"breakeven_date: {label} cannot run; `compare` says why")

    def month(draws: int | None) -> np.ndarray:
        usd = paths(study, draws)
        return stays_ahead((usd[labels[0]] - usd[labels[1]]).cumsum(axis=1))

    at, drawn = float(month(None)[0]), month(draws)
    never = float(np.isnan(drawn).mean())
    p10, p90 = np.nanpercentile(drawn, [10, 90]) if never < 1 else (np.nan, np.nan)
    day = None if np.isnan(at) else terms.date_of(int(np.ceil(at)))
    if np.isnan(at):
        verdict = (
            f"never: {labels[1]} has cost more than {labels[0]} at the end of {terms.months} months"
        )
        verdict += f"; less in {1 - never:.0%} of the draws" if never < 1 else ""
    else:
        since = f"from month {at:.1f} on ({day:%B %Y}" if at else "from the first day on ("
        band = (
            f"80 % band: month {p10:.1f} to {p90:.1f}"
            if p90
            else "at once in nearly all draws in which it happens"
        )
        verdict = f"{labels[1]} has cost less than {labels[0]} {since}{'; ' if at else ''}{band}"
        verdict += f"; never in {never:.0%} of the draws)" if never else ")"
    verdict += without
    return pd.DataFrame(
        [(at, day, p10, p90, never, verdict)],
        columns=["month", "date", "p10", "p90", "p_never", "verdict"],
    )


def stays_ahead(ahead: np.ndarray) -> np.ndarray:
    """The month, with its fraction, from which on a cumulative balance stays at 0 or above; NaN where it ends below.

    Shape (n, H + 1) -> (n,). Between two months the balance is taken to move evenly.

    >>> stays_ahead(np.array([[-10.0, -5.0, 5.0], [1.0, -1.0, -1.0], [0.0, 2.0, 1.0]])).tolist()
    [1.5, nan, 0.0]
    """
    ahead = np.where(np.abs(ahead) < 1e-9, 0.0, ahead)
    behind = ahead < 0
    last = ahead.shape[1] - 1 - behind[:, ::-1].argmax(axis=1)
    rows, after = np.arange(len(ahead)), np.minimum(last + 1, ahead.shape[1] - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        month = last + ahead[rows, last] / (ahead[rows, last] - ahead[rows, after])
    month = np.where(behind.any(axis=1), np.where(last == ahead.shape[1] - 1, np.nan, month), 0.0)
    return np.where(np.isnan(ahead).any(axis=1), np.nan, month)


POINTS = 241  # where crossings are looked for: 40 for each factor of ten over six
BAND_POINTS = 121
COLUMNS = ["over", "crossing", "p10", "p90", "p_never", "below", "above", "verdict"]


@analysis
def breakeven(
    study: Study,
    first: str | None = None,
    second: str | None = None,
    over: str = "requests_per_month",
    low: float | None = None,
    high: float | None = None,
    draws: int = 400,
) -> pd.DataFrame:
    """Where two options cost the same over the horizon, as one input changes: every crossing, a band, or "never".

    The cost of wrong answers is in it when the quality of both is known; otherwise in neither, and the verdict says so.
    One row per crossing, in rising order: over crossing p10 p90 p_never below above verdict. `below` and `above` name
    the cheaper option on either side; the band is that of the crossing nearest in each draw, `p_never` the share of draws
    without any. Without a crossing there is one row, with NaN and the verdict "never: ...". Looked for between `low` and
    `high`: by default a thousandth to a thousand times the present value, or 0 to 1 for a share.
    """
    pair = study.only(*study.pair(first, second))
    low, high = search_limits(pair, over, low, high)
    return crossings(*on_equal_terms(pair), over, low, high, draws)


def crossings(
    study: Study, remark: str, over: str, low: float, high: float, draws: int
) -> pd.DataFrame:
    """The table of `breakeven` for a study of two options that meet on equal terms; `remark` ends each verdict."""
    labels = study.pair(None, None)
    spaced: Any = np.geomspace if low > 0 else np.linspace

    def gap(values: np.ndarray, draws: int | None = None) -> np.ndarray:
        usd = totals(study, draws, {over: values})
        return usd[labels[0]] - usd[labels[1]]

    grid = spaced(low, high, POINTS)
    mid = gap(grid)
    at_middle = [_refine(gap, spaced, grid[i], grid[i + 1]) for i in _changes(mid)]
    axis = spaced(low, high, BAND_POINTS)
    found = _nearest(axis, gap(axis, draws), at_middle)
    p_never = float(np.mean([np.isnan(f).all() for f in found]))
    if not at_middle:
        both = ~np.isnan(mid)  # where both can run
        sign = np.mean(np.sign(mid[both])) if both.any() else np.nan
        low, high = (grid[both][0], grid[both][-1]) if both.any() else (low, high)
        below, above, verdict = _never(sign, labels, over, low, high, p_never)
        row = (over, np.nan, np.nan, np.nan, p_never, below, above, verdict + remark)
        return pd.DataFrame([row], columns=COLUMNS)
    rows = []
    for i, at in enumerate(at_middle):
        near = np.array([f[i] for f in found])
        band = np.nanpercentile(near, [10, 90]) if not np.isnan(near).all() else (np.nan, np.nan)
        start = gap(np.array([spaced(at_middle[i - 1] if i else low, at, 3)[1]]))[0]
        below, above = (labels[1], labels[0]) if start > 0 else (labels[0], labels[1])
        verdict = _crossing_in_words(below, above, over, at, band, p_never)
        rows.append((over, at, *band, p_never, below, above, verdict + remark))
    return pd.DataFrame(rows, columns=COLUMNS)


def _crossing_in_words(
    below: str, above: str, over: str, at: float, band: Any, p_never: float
) -> str:
    shown, least, most = (
        number_text(x, 3) for x in (at, *band)
    )  # a band over factors has no eight figures
    verdict = f"{below} is cheaper below {shown} {_unit(over)}, {above} above (80 % band {least} to {most}"
    if not np.isnan(band[0]) and not band[0] <= at <= band[1]:
        verdict += ", which the middles of skewed doubts miss"
    return verdict + (f"; no crossing in {p_never:.0%} of the draws)" if p_never else ")")


def _changes(gap: np.ndarray) -> np.ndarray:
    """Indices i where the sign of gap changes between i and i + 1; a zero counts with what follows, so a touch is no change."""
    sign, last = np.sign(gap), len(gap) - 1
    follows = np.minimum.accumulate(np.where(sign != 0, np.arange(len(gap)), last)[::-1])[::-1]
    return np.flatnonzero(sign[follows[:-1]] * sign[follows[1:]] < 0)


def _refine(gap: Any, spaced: Any, left: float, right: float) -> float:
    """The crossing between two points, narrowed by grids of 33 points to a relative 1e-9."""
    for _ in range(6):
        axis = spaced(left, right, 33)
        changes = _changes(gap(axis))
        if not len(changes):
            break
        left, right = axis[changes[0]], axis[changes[0] + 1]
    return float(right)


def _nearest(axis: np.ndarray, gaps: np.ndarray, crossings: list[float]) -> list[np.ndarray]:
    """For each draw, its crossing nearest to each of `crossings` (NaN without one; all NaN array when no crossing)."""
    found = []
    for gap in gaps:
        i = _changes(gap)
        if not len(i):
            found.append(np.full(max(len(crossings), 1), np.nan))
            continue
        share = gap[i] / (gap[i] - gap[i + 1])
        at = axis[i] + share * (axis[i + 1] - axis[i])
        found.append(
            np.array(
                [
                    at[np.abs(np.log(at / c)).argmin() if c > 0 else np.abs(at - c).argmin()]
                    for c in crossings or [at[0]]
                ]
            )
        )
    return found


def _unit(over: str) -> str:
    return over.rsplit(".", 1)[-1].replace("_", " ")


def _never(
    sign: float, labels: tuple[str, str], over: str, low: float, high: float, p_never: float
) -> tuple[str, str, str]:
    where = f"between {number_text(low)} and {number_text(high)} {_unit(over)}"
    if np.isnan(sign):
        return "", "", f"never: one of the two cannot run {where}"
    if sign == 0:
        return "", "", f"never: both cost the same {where}"
    cheaper = labels[1] if sign > 0 else labels[0]
    rest = f"; in {1 - p_never:.0%} of the draws they do cross" if p_never < 1 else ""
    return cheaper, cheaper, f"never: {cheaper} is cheaper everywhere {where}{rest}"
