"""Usage of your own as a workload: every number with the band that the data give it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.lengths import PromptLengths
from costmodel.choices.workload import Workload
from costmodel.core import (
    DAYS_PER_MONTH,
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    MONTHS_PER_YEAR,
    Range,
    check,
    public,
    whole_number,
)
from costmodel.core.forms import Z90
from costmodel.ingest.reader import TOKENS
from costmodel.ingest.usage import SIZES, Usage, size_of
from costmodel.laws.queueing import MOST_LEVELS, duration_curve

DIGITS = 5  # of a number in a scenario
MEASURED = "measured"  # its id in data/facts/sources.csv
CACHED = TOKENS[1:4]
PROMPT = TOKENS[:4]
LENGTHS = {  # tokens of a mean call -> their column, and their name in `PromptLengths`
    "instruction_tokens": ("cached", "instructions"),
    "input_tokens": ("input", "input"),
    "output_tokens": ("output", "output"),
    "reasoning_tokens": ("reasoning", "reasoning"),
}
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
RATIOS = {  # figure -> what is divided by what
    "instruction_tokens": ("cached", "calls"),
    "input_tokens": ("input", "calls"),
    "output_tokens": ("output", "calls"),
    "reasoning_tokens": ("reasoning", "calls"),
    "cached_share": ("cache_read", "prompt"),
    "batch_share": ("in_batches", "calls"),
}


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
    counted = table if (table["calls"] > 0).all() else table[table["calls"] > 0]
    check(
        len(counted),
        "the usage does not say how many calls it is of; give them: usage.with_calls(per_day=...) "
        "in Python, --calls-per-day in a terminal, calls_per_day in a report",
    )
    day = counted["time"].dt.floor("D")
    per_day = counted["calls"].groupby(day).sum().resample("D").sum()
    total = float(per_day.sum())
    # figure -> (middle, relative standard error)
    found = {"requests_per_month": _rate(per_day, counted["time"])}
    groups = day if day.nunique() >= GROUPS_MIN else np.arange(len(counted))
    sums = counted.groupby(groups)[["calls", *TOKENS]].sum()
    sums["in_batches"] = counted["calls"].where(counted["batch"], 0.0).groupby(groups).sum()
    sums["cached"], sums["prompt"] = sums[CACHED].sum(axis=1), sums[PROMPT].sum(axis=1)
    found |= {name: _ratio(sums[top], sums[bottom]) for name, (top, bottom) in RATIOS.items()}
    failed = usage.set_aside["reason"].str.startswith("failed").sum()
    found["failed_share"] = failed / (failed + total), 1 / np.sqrt(max(failed, 1))
    found |= _hours(counted)
    found |= _sessions(table if usage.sessions is None else usage.sessions)
    ends = {name: (mid / (factor := np.exp(Z90 * error)), mid, mid * factor)
            for name, (mid, error) in found.items() if np.isfinite(mid)}  # fmt: skip
    if len(per_day) >= 7 * LEAST_WEEKS:
        ends["growth_per_year"] = _growth(per_day)
    first, last = (f"{end:%Y-%m}" for end in (table["time"].min(), table["time"].max()))
    when = first if first == last else f"{first} to {last}"
    frame = pd.DataFrame.from_dict(ends, "index", columns=["low", "mid", "high"])
    frame = frame.reindex([name for name in FIGURES if name in ends]).rename_axis("figure")
    why = f"your usage, {when}, {total:,.0f} calls"
    return frame.assign(unit=frame.index.map(FIGURES), why=why)


@public
def workload(usage: Usage, **fields: Any) -> Workload:
    """The workload that usage says, each number a Range with the source "measured".

    `prompt_lengths` carries the distribution of its prompts, so that context tiers are those of
    single calls and not of a mean.

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
    figures = profile(usage)
    for name, row in figures.iterrows():
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
    said["prompt_lengths"] = lengths_of(_timed(usage), figures["why"].iloc[0])
    return Workload(**(said | fields))


@public
def prompt_lengths(usage: Usage) -> pd.DataFrame:
    """How long the prompts are: calls and mean tokens between powers of 2 and the context tiers of
    the price list.

    A row of an export that sums many calls counts with its mean prompt, because it says no more.

    Parameters
    ----------
    usage : Usage

    Returns
    -------
    DataFrame
        By group, the shortest first: `above` and `up_to` [token], `share_of_calls`, and the mean
        `instruction_tokens` (read from or written to a cache), `input_tokens`, `output_tokens` and
        `reasoning_tokens` of a call.

    Raises
    ------
    ValueError
        Where the usage has no calls with a time.

    Examples
    --------
    >>> import costmodel as cm
    >>> days = pd.date_range("2026-10-01", periods=3).strftime("%Y-%m-%d")
    >>> table = pd.DataFrame({"time": days, "model": "gpt-4o", "input": [900, 900, 3e5]})
    >>> made = prompt_lengths(cm.ingest.Usage.of(table.assign(output=100)))
    >>> made[["above", "up_to", "input_tokens"]].values.tolist()
    [[512.0, 1024.0, 900.0], [272000.0, 512000.0, 300000.0]]
    """
    return _groups(_timed(usage))


@public
def load_curve(usage: Usage, levels: int = LEVELS) -> pd.DataFrame:
    """How the load varies over the active hours, beside the curve that the model draws from its
    peak.

    Parameters
    ----------
    usage : Usage
        With times of single calls or of hours.
    levels : int
        How many equal shares of the hours, at most one for each active hour.

    Returns
    -------
    DataFrame
        Busiest first: `share_of_hours` (active hours up to here), and the load over its mean,
        `measured` and `predicted`.

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
    check(_has_hours(table["time"]), "the usage has days, no hours")
    load = _active(table).sort_values(ascending=False)
    whole_number("load_curve: levels", levels, 1, min(len(load), MOST_LEVELS))
    parts = [part.mean() / load.mean() for part in np.array_split(load.to_numpy(), levels)]
    peak = max(float(load.quantile(BUSIEST) / load.mean()), 1.0)
    shares = np.arange(1, levels + 1) / levels
    made = {"share_of_hours": shares, "measured": parts}
    return pd.DataFrame(made | {"predicted": duration_curve(peak, levels)})


# -- lengths of prompts ----------------------------------------------------------------------------


def _groups(table: pd.DataFrame) -> pd.DataFrame:
    """`prompt_lengths` of the rows that count their calls."""
    counted = table[table["calls"] > 0]
    columns = counted[["calls", *TOKENS]].assign(cached=counted[CACHED].sum(axis=1))
    sums = columns.groupby(size_of(counted)).sum()
    ends = np.array([0.0, *SIZES, np.inf])
    made = {"above": ends[sums.index], "up_to": ends[sums.index + 1],
            "share_of_calls": sums["calls"] / sums["calls"].sum()}  # fmt: skip
    made |= {name: sums[column] / sums["calls"] for name, (column, _) in LENGTHS.items()}
    return pd.DataFrame(made).reset_index(drop=True)


def lengths_of(table: pd.DataFrame, why: str = "") -> PromptLengths | None:
    """The lengths of prompts over their mean; None where all are of one group."""
    groups = _groups(table)
    share = groups["share_of_calls"]
    found = {"shares": share}
    for name, (_, of_lengths) in LENGTHS.items():
        if mean := float(share @ groups[name]):
            found[of_lengths] = groups[name] / mean
    rounded = {
        name: tuple(float(f"{x:.{DIGITS}g}") for x in values) for name, values in found.items()
    }
    return PromptLengths(**rounded, why=why) if len(groups) > 1 else None


# -- one figure ------------------------------------------------------------------------------------


def _timed(usage: Usage) -> pd.DataFrame:
    """The rows that have a time."""
    table = usage.table[usage.table["time"].notna()]
    check(len(table), "the usage has no calls with a time; name the column of times in columns=")
    return table


def _has_hours(times: pd.Series) -> bool:
    """Whether the times say more than days."""
    return bool((times.dt.normalize() != times).any())


def _rate(per_day: pd.Series, times: pd.Series) -> tuple[float, float]:
    """Calls a month and the relative standard error: of their days, at least that of a count."""
    days, whole = len(per_day), per_day
    if _has_hours(times):
        span = (times.max() - times.min()).total_seconds() / 3600 / HOURS_PER_DAY
        days = max(span * len(times) / max(len(times) - 1, 1), 1.0)  # and a gap after the last call
        whole = per_day[1:-1] if len(per_day) > GROUPS_MIN else per_day
    least = 1 / np.sqrt(per_day.sum())
    error = _spread(whole) if len(whole) >= GROUPS_MIN else 0.0
    return float(per_day.sum() / days * DAYS_PER_MONTH), max(least, error)


def _ratio(top: pd.Series, bottom: pd.Series) -> tuple[float, float]:
    """A ratio of sums and its relative standard error between groups (Cochran 1977, eq. 6.9)."""
    total, n = float(bottom.sum()), len(top)
    if total == 0 or top.sum() == 0:
        return (0.0 if total else np.nan), 0.0
    ratio = float(top.sum() / total)
    rest = float(((top - ratio * bottom) ** 2).sum())
    return ratio, np.sqrt(rest * n / max(n - 1, 1)) / total / ratio


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


def _active(table: pd.DataFrame) -> pd.Series:
    """Calls of each active hour: of the hours of a week that are not quiet."""
    hours = table["calls"].groupby(table["time"].dt.floor("h")).sum().resample("h").sum()
    of_week = hours.index.day_of_week * HOURS_PER_DAY + hours.index.hour
    usual = hours.groupby(of_week).mean()
    return hours[of_week.isin(usual.index[usual >= QUIET * usual.mean()])]


def _hours(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Active hours, and the busiest over the mean of them."""
    times = table["time"]
    if not _has_hours(times) or (times.max() - times.min()).days < 7:
        return {}
    load = _active(table)
    if load.mean() < LEAST_CALLS_PER_HOUR:
        return {}
    share = len(load.groupby([load.index.day_of_week, load.index.hour])) / HOURS_OF_A_WEEK
    busiest = float(load.quantile(BUSIEST))
    peak = max(busiest / float(load.mean()), 1.0), 1 / np.sqrt(max(busiest, 1.0))
    return {"active_hours_per_month": (share * HOURS_PER_MONTH, 0.0), "peak_to_average": peak}


def _sessions(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Calls of a session, and by how much its context grows from call to call."""
    named = table[table["session"].astype(str) != ""].sort_values("time", kind="stable")
    if named.empty:
        return {}
    by = named["session"].astype(str)
    steps = named["calls"].groupby(by).sum()
    grown = named[PROMPT].fillna(0.0).sum(axis=1).groupby(by).diff().dropna()
    found = {"steps_per_session": (float(steps.mean()), _spread(steps))}
    if len(grown) and grown.mean() > 0:
        found["context_growth_per_step"] = float(grown.mean()), _spread(grown)
    return found


def _spread(values: pd.Series) -> float:
    """The relative standard error of a mean."""
    return float(np.nan_to_num(values.std() / values.mean() / np.sqrt(len(values))))
