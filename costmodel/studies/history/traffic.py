"""Usage of your own as a workload: every number with the band that the data give it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.workload import Workload
from costmodel.core import (
    DAYS_PER_MONTH,
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    MONTHS_PER_YEAR,
    Range,
    check,
    of_kind,
    public,
)
from costmodel.core.forms import Z90
from costmodel.ingest.reader import TOKENS
from costmodel.ingest.usage import Usage
from costmodel.laws.queueing import duration_curve

DIGITS = 5  # of a number in a scenario
MEASURED = "measured"  # its id in data/facts/sources.csv
CACHED = TOKENS[1:4]
PROMPT = TOKENS[:4]
DAYS_PER_YEAR = DAYS_PER_MONTH * MONTHS_PER_YEAR
HOURS_OF_A_WEEK = 168
QUIET = 0.05  # an hour of the week below this share of the mean hour is not active
BUSIEST = 0.99  # the busiest hour is this quantile: the very first has too much chance in it
LEAST_WEEKS = 26  # from which a growth may be drawn on for years
LEAST_MONTHS = 24  # from which a season can be told from growth
LEAST_CALLS_PER_HOUR = 5  # from which the peak is not mostly chance
LEVELS = 8
GROUPS_MIN = 4  # days from which the band is that of days, otherwise that of calls
FIGURES = {
    "requests_per_month": "1/month",
    "growth_per_year": "share/year",
    "active_hours_per_month": "hour/month",
    "peak_to_average": "x",
    "instruction_tokens": "token",
    "input_tokens": "token",
    "output_tokens": "token",
    "reasoning_tokens": "token",
    "cached_share": "share of input tokens",
    "batch_share": "share of calls",
    "failed_share": "share of calls",
    "steps_per_session": "calls",
    "context_growth_per_step": "token",
}
OF_A_WORKLOAD = list(FIGURES)[:8]


@public
def profile(usage: Usage) -> pd.DataFrame:
    """What usage says about a workload: rates, growth, hours, tokens, cache, batch and sessions.

    The band of a mean is that of its days, because calls of one day are alike: +-1.645 standard
    errors on the scale of logarithms. What the data cannot say is left out: growth below half a
    year, hours where times are days.

    Parameters
    ----------
    usage : Usage

    Returns
    -------
    DataFrame
        By figure: `low`, `mid`, `high`, `unit` and `why`, from how many calls of which time.
        `instruction_tokens` is what was read from or written to a cache, which repeats, and
        `input_tokens` is fresh.

    Raises
    ------
    ValueError
        Where the usage has no calls with a time.

    Examples
    --------
    >>> import costmodel as cm
    >>> days = pd.date_range("2026-10-01", periods=30).strftime("%Y-%m-%d")
    >>> table = pd.DataFrame({"time": days, "model": "gpt-4o", "calls": 1_000, "output": 2e5})
    >>> float(profile(cm.ingest.Usage.of(table)).loc["output_tokens", "mid"])
    200.0
    """
    table = _timed(usage)
    hourly = bool((table["time"].dt.normalize() != table["time"]).any())
    day = table["time"].dt.floor("D")
    calls = table["calls"].fillna(0.0)
    check(calls.sum() > 0, "the usage does not say how many calls it is of")
    per_day = calls.groupby(day).sum().resample("D").sum()
    days = _days(table["time"], per_day, hourly)
    found: dict[str, tuple[float, float]] = {}  # figure -> (middle, relative standard error)
    rate = float(calls.sum() / days)
    whole = per_day[1:-1] if hourly and len(per_day) > GROUPS_MIN else per_day
    found["requests_per_month"] = rate * DAYS_PER_MONTH, _error(whole, calls.sum())
    sums = {name: table[name].fillna(0.0).where(calls > 0, 0.0) for name in TOKENS}
    repeated, prompt = sum(sums[c] for c in CACHED), sum(sums[c] for c in PROMPT)
    for figure, tokens in {
        "instruction_tokens": repeated,
        "input_tokens": sums["input"],
        "output_tokens": sums["output"],
        "reasoning_tokens": sums["reasoning"],
    }.items():
        found[figure] = _ratio(tokens, calls, day)
    found["cached_share"] = _ratio(sums["cache_read"], prompt, day)
    found["batch_share"] = _ratio(calls.where(table["batch"], 0.0), calls, day)
    failed = usage.set_aside["reason"].str.startswith("failed").sum()
    found["failed_share"] = failed / (failed + calls.sum()), 1 / np.sqrt(max(failed, 1))
    if hourly:
        found |= _hours(table["time"], calls)
    found |= _sessions(table, prompt)
    why = _why(table, calls)
    rows = {
        name: (*_band(mid, error), FIGURES[name], why)
        for name, (mid, error) in found.items()
        if np.isfinite(mid)
    }
    if len(per_day) >= 7 * LEAST_WEEKS:
        rows["growth_per_year"] = (*_growth(per_day), FIGURES["growth_per_year"], why)
    frame = pd.DataFrame.from_dict(rows, "index", columns=["low", "mid", "high", "unit", "why"])
    return frame.loc[[name for name in FIGURES if name in rows]].rename_axis("figure")


@public
def workload(usage: Usage, **fields: Any) -> Workload:
    """The workload that usage says, each number a Range with the source "measured".

    Parameters
    ----------
    usage : Usage
    **fields
        Fields of the `Workload` that usage cannot say, such as `usd_per_failure`, or that you set
        otherwise.

    Returns
    -------
    Workload

    Raises
    ------
    ValueError
        Where the usage has no calls with a time.

    Examples
    --------
    >>> import costmodel as cm
    >>> days = pd.date_range("2026-10-01", periods=30).strftime("%Y-%m-%d")
    >>> table = pd.DataFrame({"time": days, "model": "gpt-4o", "calls": 1_000, "output": 2e5})
    >>> work = workload(cm.ingest.Usage.of(table), usd_per_failure=0.4)
    >>> work.output_tokens, work.requests_per_month.why
    (200.0, 'your usage, 2026-10, 30,000 calls')
    """
    said: dict[str, Any] = {}
    for name, row in profile(usage).iterrows():
        if name not in OF_A_WORKLOAD:
            continue
        form = "change" if name == "growth_per_year" else "amount"
        low, mid, high = (float(f"{row[end]:.{DIGITS}g}") for end in ("low", "mid", "high"))
        low = max(low, 1.0) if name == "peak_to_average" else low
        if mid == 0 or low == high:
            said[name] = mid
        else:
            said[name] = Range(low, high, mid=mid, form=form, source=MEASURED, why=row.why)
    if seasons := _seasons(usage):
        said["seasons"] = seasons
    return Workload(**(said | fields))


@public
def load_curve(usage: Usage, levels: int = LEVELS) -> pd.DataFrame:
    """How the load varies over the active hours, beside the curve that the model draws from its
    peak.

    Parameters
    ----------
    usage : Usage
        With times of single calls or of hours.
    levels : int
        How many equal shares of the hours.

    Returns
    -------
    DataFrame
        Busiest first: `hours` (share of the active hours up to here), `measured` and `model`, load
        over its mean.

    Raises
    ------
    ValueError
        Where the times are days.

    Examples
    --------
    >>> import costmodel as cm
    >>> times = pd.date_range("2026-10-01", periods=500, freq="37min").astype(str)
    >>> table = pd.DataFrame({"time": times, "model": "gpt-4o", "output": 10})
    >>> float(load_curve(cm.ingest.Usage.of(table), levels=2).measured.mean())
    1.0
    """
    table = _timed(usage)
    check((table["time"].dt.normalize() != table["time"]).any(), "the usage has days, no hours")
    load = _active(table["time"], table["calls"].fillna(0.0)).sort_values(ascending=False)
    parts = [part.mean() / load.mean() for part in np.array_split(load.to_numpy(), levels)]
    peak = max(float(load.quantile(BUSIEST) / load.mean()), 1.0)
    shares = np.arange(1, levels + 1) / levels
    return pd.DataFrame({"hours": shares, "measured": parts, "model": duration_curve(peak, levels)})


# -- one figure ------------------------------------------------------------------------------------


def _timed(usage: Usage) -> pd.DataFrame:
    """The rows that have a time."""
    of_kind("usage", usage, Usage)
    table = usage.table[usage.table["time"].notna()]
    check(len(table), "the usage has no calls with a time; name the column of times in columns=")
    return table


def _days(times: pd.Series, per_day: pd.Series, hourly: bool) -> float:
    """How many days the usage covers."""
    if not hourly or len(times) < 2:
        return float(len(per_day))
    span = (times.max() - times.min()).total_seconds() / 3600 / HOURS_PER_DAY
    return max(span * len(times) / (len(times) - 1), 1.0)  # and the mean gap after the last call


def _error(per_day: pd.Series, calls: float) -> float:
    """The relative standard error of a daily rate: of its days, at least that of a count."""
    least = 1 / np.sqrt(calls)
    if len(per_day) < GROUPS_MIN:
        return least
    return max(least, float(per_day.std() / per_day.mean() / np.sqrt(len(per_day))))


def _ratio(top: pd.Series, bottom: pd.Series, day: pd.Series) -> tuple[float, float]:
    """A ratio of sums and its relative standard error between days (Cochran 1977, equation 6.9)."""
    total = float(bottom.sum())
    if total == 0 or top.sum() == 0:
        return (0.0 if total else np.nan), 0.0
    ratio = float(top.sum() / total)
    groups = day if day.nunique() >= GROUPS_MIN else np.arange(len(top))
    rest = (top - ratio * bottom).groupby(groups).sum()
    n = len(rest)
    error = float(np.sqrt((rest**2).sum() * n / max(n - 1, 1))) / total / ratio
    return ratio, error


def _band(mid: float, error: float) -> tuple[float, float, float]:
    factor = float(np.exp(Z90 * error))
    return mid / factor, mid, mid * factor


def _growth(per_day: pd.Series) -> tuple[float, float, float]:
    """Growth a year from the weeks: a line through the logarithms of their calls."""
    weeks = per_day.rolling(7).sum()[6::7]
    y, x = np.log(weeks[weeks > 0]).to_numpy(), np.flatnonzero(weeks > 0) * 7.0
    slope, level = np.polyfit(x, y, 1)
    rest = y - slope * x - level
    error = np.sqrt((rest**2).sum() / (len(x) - 2) / ((x - x.mean()) ** 2).sum())
    low, mid, high = np.expm1((slope + Z90 * error * np.array([-1, 0, 1])) * DAYS_PER_YEAR)
    return float(low), float(mid), float(high)


def _seasons(usage: Usage) -> list[float]:
    """Twelve factors over an ordinary month, from January on; none below two years of usage."""
    table = _timed(usage)
    months = table.groupby(table["time"].dt.strftime("%Y-%m"))["calls"].sum()[1:-1]
    if len(months) < LEAST_MONTHS:
        return []
    x = np.arange(len(months))
    trend = np.polyval(np.polyfit(x, np.log(months), 1), x)
    factor = np.exp(np.log(months) - trend).groupby(months.index.str[-2:]).mean()
    return (factor / factor.median()).tolist()


def _active(times: pd.Series, calls: pd.Series) -> pd.Series:
    """Calls of each active hour: of the hours of a week that are not quiet."""
    hours = calls.groupby(times.dt.floor("h")).sum().resample("h").sum()
    of_week = hours.index.day_of_week * HOURS_PER_DAY + hours.index.hour
    usual = hours.groupby(of_week).mean()
    busy = usual.index[usual >= QUIET * usual.mean()]
    return hours[of_week.isin(busy)]


def _hours(times: pd.Series, calls: pd.Series) -> dict[str, tuple[float, float]]:
    """Active hours, and the busiest over the mean of them."""
    load = _active(times, calls)
    share = (load.index.day_of_week * HOURS_PER_DAY + load.index.hour).nunique() / HOURS_OF_A_WEEK
    if (times.max() - times.min()).days < 7 or load.mean() < LEAST_CALLS_PER_HOUR:
        return {}
    peak = float(load.quantile(BUSIEST) / load.mean())
    error = 1 / np.sqrt(max(load.quantile(BUSIEST), 1.0))
    return {
        "active_hours_per_month": (share * HOURS_PER_MONTH, 0.0),
        "peak_to_average": (max(peak, 1.0), float(error)),
    }


def _sessions(table: pd.DataFrame, prompt: pd.Series) -> dict[str, tuple[float, float]]:
    """Calls of a session, and by how much its context grows from call to call."""
    named = table["session"].astype(str) != ""
    if not named.any():
        return {}
    ordered = table[named].assign(prompt=prompt[named]).sort_values("time", kind="stable")
    by = ordered.groupby(ordered["session"].astype(str))
    steps = by["calls"].sum()
    grown = by["prompt"].diff().dropna()
    found = {"steps_per_session": (float(steps.mean()), _spread(steps))}
    if len(grown) and grown.mean() > 0:
        found["context_growth_per_step"] = float(grown.mean()), _spread(grown)
    return found


def _spread(values: pd.Series) -> float:
    """The relative standard error of a mean."""
    return float(np.nan_to_num(values.std() / values.mean() / np.sqrt(len(values))))


def _why(table: pd.DataFrame, calls: pd.Series) -> str:
    first, last = (f"{t:%Y-%m}" for t in (table["time"].min(), table["time"].max()))
    when = first if first == last else f"{first} to {last}"
    return f"your usage, {when}, {calls.sum():,.0f} calls"
