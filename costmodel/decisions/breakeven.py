"""Where two options have the same expected present value, with a band, or "never"; and from which
month on one has cost less."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis, of_part
from costmodel.core import check, find_key, number_text, percent, unit_of
from costmodel.decisions.search import root, search_limits, sign_changes, spacing
from costmodel.decisions.simulate import (
    PerDraw,
    levelled,
    mean,
    on_equal_terms,
    paths,
    quantiles,
    simulate,
    totals,
    totals_now,
)

BAND_POINTS = 121  # where crossings are looked for: 20 for each factor of ten over six
BAND_DRAWS, SOME = 400, 10  # draws of a band; every tenth point is asked of all draws
COLUMNS = ["over", "crossing", "p10", "p90", "unit", "p_never", "below", "above", "verdict"]
SETTLING = 4  # times that a crossing of few draws is moved to that of many, at most
SETTLED = 1e-3  # of the cost: nearer, one move is enough; where four leave more, a cost jumps
ZOOMS, ZOOM_POINTS = 10, 5  # grids that narrow a jump to a millionth of its interval


# -- along an input --------------------------------------------------------------------------------


@analysis
def breakeven(
    study: Study,
    first: str | None = None,
    second: str | None = None,
    over: str = "requests_per_month",
    low: float | None = None,
    high: float | None = None,
    draws: int = BAND_DRAWS,
) -> pd.DataFrame:
    """Where two options have the same expected present value, as one input changes.

    The cost of wrong answers is in it when the quality of both is known; otherwise in neither, and
    the verdict says so.

    Parameters
    ----------
    study : Study, or options with a workload
        Where the options stand.
    first, second : str, optional
        Their labels; without them, the only two options.
    over : str
        The input that changes, such as "requests_per_month" or "usd_per_failure".
    low, high : float, optional
        Between which values crossings are looked for, in the unit of the input: by default a
        thousandth to a thousand times the present one, or 0 to 1 for a share.
    draws : int
        Draws of the band.

    Returns
    -------
    DataFrame
        One row per crossing, in rising order: `over`, `crossing`, `p10` and `p90` [`unit`]
        of the nearest crossing of each draw, `p_never` (share of draws without a crossing), `below`
        and `above` (the cheaper option on either side), `verdict`. Without a crossing, one
        row with NaN and the verdict "never: ...".

    Raises
    ------
    CatalogError
        An option or an input that is not there; the nearest names are said.
    ValueError
        One option twice, or `low` not below `high`.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> print(breakeven(study, "Prompt", "Distilled", draws=100)["verdict"][0])
    Prompt is cheaper below ... requests per month, Distilled above (80 % band ...)
    """
    pair = study.only(*study.pair(first, second))
    low, high = search_limits(pair, over, low, high)
    return crossings(*on_equal_terms(pair), over, low, high, draws)


def crossings(
    study: Study, remark: str, over: str, low: float, high: float, draws: int = BAND_DRAWS
) -> pd.DataFrame:
    """The table of `breakeven` for two options on equal terms; `remark` ends each verdict."""
    first, second = study.options
    axis, usd = along(study, over, low, high, draws)
    gaps = usd[first] - usd[second]
    curves = levelled(usd, totals_now(study, draws, discounted=True), simulate(study).worth)
    middle = curves[first] - curves[second]

    def worth(values: np.ndarray) -> PerDraw:
        every = totals(study, study.draws, {over: values}, discounted=True)
        return {label: mean(x) for label, x in every.items()}

    settle = {i: settled(worth, axis, curves, i) for i in sign_changes(middle)}
    if settle and np.isnan([*settle.values()]).all():  # all draws may cross elsewhere
        few = axis[::SOME]
        gap = np.subtract(*worth(few).values())
        for i in sign_changes(gap)[:1]:
            settle[SOME * i] = _zoomed(worth, few[i : i + 2])
            middle[SOME * i] = gap[i]
    changes = [i for i, at in settle.items() if not np.isnan(at)]
    found = [settle[i] for i in changes]
    drawn = _nearest(axis, gaps, found or [low])
    p_never, unit = np.isnan(drawn[:, 0]).mean(), unit_of(find_key(study.inputs, over)) or "share"
    rows = []
    for i, at, near in zip(changes, found, drawn.T, strict=False):
        band = quantiles(near, [10, 90])
        cheaper = (second, first) if middle[i] > 0 else (first, second)
        verdict = _verdict(cheaper, over, at, band, p_never)
        rows.append((over, at, *band, unit, p_never, *cheaper, verdict + remark))
    if not rows:
        asked, gap = axis, middle
        if settle:  # few draws cross where all do not: all say who is cheaper
            asked = axis[~np.isnan(middle)][[0, -1]]
            gap = np.subtract(*worth(asked).values())
        cheaper, verdict = _never((first, second), over, asked, gap, p_never)
        rows = [(over, np.nan, np.nan, np.nan, unit, p_never, *cheaper, verdict + remark)]
    return pd.DataFrame(rows, columns=COLUMNS)


def along(
    study: Study, over: str, low: float, high: float, draws: int = BAND_DRAWS
) -> tuple[np.ndarray, PerDraw]:
    """Points of an input, and present values of each option there, shape (draws, points)."""
    axis, what = spacing(low)(low, high, BAND_POINTS), ("along", over, low, high, draws)
    return axis, study.once(what, lambda: totals(study, draws, {over: axis}, True), of_part)


def settled(
    worth: Callable[[np.ndarray], PerDraw],
    axis: np.ndarray,
    curves: PerDraw,
    i: int,
    jumps: bool = True,
) -> float:
    """The crossing of two options near point i of an axis, by what both are worth on many draws.

    `curves` are means of few draws. Each is scaled to the mean of many at the crossing, which then
    moves a little. NaN where many draws have no crossing there. Where a cost may not jump, one move
    is enough.
    """
    first, second = curves.values()
    at = _root(axis, first - second, i, axis[i])
    for _ in range(SETTLING if jumps else 1):
        usd = [x.item() for x in worth(np.array([at])).values()]
        few = [np.interp(at, axis, x) for x in (first, second)]
        level = [now / then if then else 1.0 for now, then in zip(usd, few, strict=True)]
        gap = first * level[0] - second * level[1]
        at = _root(axis, gap, i, at)
        if not (jumps or len(sign_changes(gap))):
            return np.nan
        if not abs(usd[0] - usd[1]) > SETTLED * abs(usd[0]):
            return at
    return _zoomed(worth, axis[max(i - 1, 0) : i + 3]) if jumps else at


def _zoomed(worth: Callable[[np.ndarray], PerDraw], axis: np.ndarray) -> float:
    """The crossing by ever narrower grids, because a cost may jump there. NaN without any."""
    for _ in range(ZOOMS):
        first, second = worth(axis).values()
        changes = sign_changes(first - second)
        if not len(changes):
            return np.nan
        axis = np.linspace(axis[changes[0]], axis[changes[0] + 1], ZOOM_POINTS)
    return float(axis[1])


def _root(axis: np.ndarray, gap: np.ndarray, i: int, near: float) -> float:
    """Where a gap is 0 at the change of sign nearest to point i of the axis; `near` without any."""
    changes = sign_changes(gap)
    return root(axis, gap, changes[np.abs(changes - i).argmin()]) if len(changes) else near


def _nearest(axis: np.ndarray, gaps: np.ndarray, wanted: Sequence[float]) -> np.ndarray:
    """For each draw (rows) its crossing nearest to each wanted value (columns); NaN without any."""
    found = np.full((len(gaps), len(wanted)), np.nan)
    for row, gap in zip(found, gaps, strict=True):
        i = sign_changes(gap)
        if len(i):
            at = axis[i] + gap[i] / (gap[i] - gap[i + 1]) * (axis[i + 1] - axis[i])
            for j, value in enumerate(wanted):
                distance = np.log(at / value) if value > 0 else at - value
                row[j] = at[np.abs(distance).argmin()]
    return found


def _verdict(
    cheaper: tuple[str, str], over: str, at: float, band: np.ndarray, p_never: float
) -> str:
    shown, least, most = (number_text(x, 3) for x in (at, *band))  # nobody knows more figures
    below, above = cheaper
    verdict = f"{below} is cheaper below {shown} {_in_words(over)}, {above} above "
    verdict += f"(80 % band {least} to {most}"
    if at < band[0] or at > band[1]:
        verdict += "; a few dear cases move the mean out of it"
    return verdict + (f"; no crossing in {percent(p_never)} of the draws)" if p_never else ")")


def _never(
    labels: tuple[str, str], over: str, grid: np.ndarray, gap: np.ndarray, p_never: float
) -> tuple[tuple[str, str], str]:
    """The cheaper option on either side where the two do not cross, and the verdict."""
    both = ~np.isnan(gap)  # where both can run
    at = grid[both] if both.any() else grid
    where = f"between {number_text(at[0])} and {number_text(at[-1])} {_in_words(over)}"
    if not both.any():
        return ("", ""), f"never: one of the two cannot run {where}"
    sign = np.sign(gap[both]).mean()
    if sign == 0:
        return ("", ""), f"never: both cost the same {where}"
    cheaper = labels[1] if sign > 0 else labels[0]
    rest = f"; in {percent(1 - p_never)} of the draws they change places" if p_never < 1 else ""
    return (cheaper, cheaper), f"never: {cheaper} is cheaper everywhere {where}{rest}"


def _in_words(over: str) -> str:
    return over.rsplit(".", 1)[-1].replace("_", " ")


# -- along the months ------------------------------------------------------------------------------


@analysis
def breakeven_date(
    study: Study, first: str | None = None, second: str | None = None
) -> pd.DataFrame:
    """From which month on `second` has cost less than `first`, all in all and for good.

    What has been paid up to a month is counted at its present value.

    Parameters
    ----------
    study : Study, or options with a workload
        Where the options stand.
    first, second : str, optional
        Their labels; without them, the only two options.

    Returns
    -------
    DataFrame
        One row: `month` (with its fraction) of the expected payments, `date` (first day of the
        month in which it happens), `p10` and `p90` [month] of the draws in which it happens,
        `p_never` (share in which it does not), `verdict`. NaN and "never" where `second` is behind
        at the horizon.

    Raises
    ------
    ValueError
        One of the two cannot run.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> print(breakeven_date(study, "Prompt", "RAG", draws=100)["verdict"][0])
    RAG has cost less than Prompt from month ... on (...; 80 % band: month ...)
    """
    first, second = study.pair(first, second)
    terms = study.terms
    study, remark = on_equal_terms(study.only(first, second))
    worth = paths(study, study.draws, discounted=True)
    for label, usd in worth.items():
        seldom = np.isnan(mean(usd[:, 0]))
        check(not seldom, f"breakeven_date: {label} cannot run; `compare` says why")
    ahead = (worth[first] - worth[second]).cumsum(axis=1)
    at, drawn = stays_ahead(np.nanmean(ahead, axis=0)[None]).item(), stays_ahead(ahead)
    p_never = np.isnan(drawn).mean()
    p10, p90 = quantiles(drawn, [10, 90])
    if np.isnan(at):
        day = None
        verdict = f"never: {second} has cost more than {first} at the end of {terms.months} months"
        verdict += f"; less in {percent(1 - p_never)} of the draws" if p_never < 1 else ""
    else:
        day = terms.date_of(int(np.ceil(at)))
        since = f"from month {at:.1f} on ({day:%B %Y}; " if at else "from the first day on ("
        verdict = f"{second} has cost less than {first} {since}"
        if p90:
            verdict += f"80 % band: month {p10:.1f} to {p90:.1f}"
        else:
            verdict += "at once in nearly all draws in which it happens"
        verdict += f"; never in {percent(p_never)} of the draws)" if p_never else ")"
    row = {"month": at, "date": day, "p10": p10, "p90": p90, "p_never": p_never}
    return pd.DataFrame([row]).assign(verdict=verdict + remark)


def stays_ahead(ahead: np.ndarray) -> np.ndarray:
    """The month from which on a cumulative balance stays at 0 or above; NaN where it ends below.

    Shape (n, H + 1) -> (n,). Between two months the balance is taken to move evenly.

    >>> stays_ahead(np.array([[-10.0, -5.0, 5.0], [1.0, -1.0, -1.0], [0.0, 2.0, 1.0]])).tolist()
    [1.5, nan, 0.0]
    """
    ahead = np.where(np.abs(ahead) < 1e-9, 0.0, ahead)
    behind, end = ahead < 0, ahead.shape[1] - 1
    last = end - behind[:, ::-1].argmax(axis=1)  # the last month behind
    rows, after = np.arange(len(ahead)), np.minimum(last + 1, end)
    with np.errstate(invalid="ignore", divide="ignore"):
        month = last + ahead[rows, last] / (ahead[rows, last] - ahead[rows, after])
    month = np.where(behind.any(axis=1), np.where(last == end, np.nan, month), 0.0)
    return np.where(np.isnan(ahead).any(axis=1), np.nan, month)
