"""The decision: options on the same draws, over any input, and where the answer changes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from costmodel.choices.options import Mix, Option
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.checks import limits, require
from costmodel.core.draws import counted, middle, sample
from costmodel.core.errors import Infeasible, check
from costmodel.core.nested import find_key, leaves, pin
from costmodel.core.ranges import Doubt
from costmodel.core.units import GLOSSARY
from costmodel.core.words import show
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, Options, evaluate, settle

if TYPE_CHECKING:
    import pandas as pd


CHUNK = 10_240  # rows evaluated at once: paths stay in the processor's cache, memory stays flat
POINTS = 241  # where crossings are looked for: 40 for each factor of ten over six
BAND_POINTS = 121
SWEEP_FACTOR, SWEEP_POINTS = 30.0, 61
MOSTLY = 0.9  # of the draws: an option that cannot run in more than the rest is not weighed against others draw by draw
UNKNOWN = "quality unknown: not comparable; give quality=Measured(accepted, trials)"


def chunks(options: Options, work: Workload, terms: Terms, draws: int | None = None, seed: int = 0, grid: Mapping[str, Any] | None = None,
           points: Mapping[str, np.ndarray] | None = None) -> Iterator[tuple[slice, Calendar, dict[str, Bill]]]:  # fmt: skip
    """The bills of all options, some rows at a time: (rows, calendar, {label: bill}); what cannot run has no bill.

    Rows are draws (None: one row, the middle of every Range), each with all points of `grid`, {input: values of equal length}.
    `points` gives the uniforms of every key instead of a Latin hypercube.
    """
    keys = {find_key((tuple(options.values()), work, terms), name): np.ravel(values).astype(float) for name, values in (grid or {}).items()}
    check("Terms.months" not in keys, "the horizon cannot be swept; ask once for each, with months=")
    check("Terms.discount_rate" not in keys, "discount_rate changes present values only, and totals are not discounted; compare npv at two rates")
    for key, values in keys.items():
        if (field := key.rsplit(".", 1)[-1]) in GLOSSARY:
            require(key, values, *limits(field))
    n, k = draws or 1, len(next(iter(keys.values()))) if keys else 1
    for start in range(0, n * k, CHUNK):
        rows = slice(start, min(start + CHUNK, n * k))
        flat = np.arange(rows.start, rows.stop)
        things: Any = (tuple(options.values()), work, terms)
        for key, values in keys.items():
            things = pin(things, key, values[flat % k][:, None])
        numbers = middle if draws is None else partial(sample, n=n, seed=seed, rows=flat // k if keys else rows, points=points)
        chosen, month_work, month_terms = numbers(things)
        calendar, bills = Calendar(month_work, month_terms), {}
        for label, option in zip(options, chosen, strict=True):
            with suppress(Infeasible):
                bills[label] = evaluate(option, month_work, month_terms)
        yield rows, calendar, bills


def totals(options: Options, work: Workload, terms: Terms, draws: int | None = None, seed: int = 0, grid: Mapping[str, Any] | None = None,
           points: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:  # fmt: skip
    """USD over the horizon of each option, on the same draws (None: at the middle of every Range).

    `grid` maps keys of inputs to values of equal length k: the result is then of the shape (draws, k), or (k,) at the
    middle; without a grid (draws,), or () at the middle. Infeasible options and points are NaN.
    """
    return gather((Bill.total,), options, work, terms, draws, seed, grid, points)[0]


def gather(numbers: Sequence[Callable[[Bill, Calendar], Any]], options: Options, work: Workload, terms: Terms, draws: int | None = None,
           seed: int = 0, grid: Mapping[str, Any] | None = None, points: Mapping[str, np.ndarray] | None = None) -> list[dict[str, np.ndarray]]:  # fmt: skip
    """Several numbers of the same bills, each as `totals` has the total."""
    if draws is not None and points is None:
        counted(draws, seed)
    k = np.size(next(iter(grid.values()))) if grid else 1
    out = [{label: np.full((draws or 1) * k, np.nan) for label in options} for _ in numbers]
    for rows, calendar, bills in chunks(options, work, terms, draws, seed, grid, points):
        for label, bill in bills.items():
            for number, found in zip(numbers, out, strict=True):
                values = np.where(bill.fits, number(bill, calendar), np.nan)
                found[label][rows] = np.broadcast_to(values, (rows.stop - rows.start, 1))[:, 0]
    shape = (() if draws is None else (draws,)) + ((k,) if grid else ())
    return [{label: values.reshape(shape) for label, values in found.items()} for found in out]


def failures(bill: Bill, calendar: Calendar) -> Any:
    """The part of a total that is the cost of wrong answers."""
    return bill.total(calendar, phase="failures")


def compare(options: Options | Option | Mix, work: Workload, months: int | None = None, draws: int = 10_000, seed: int = 0,
            terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:  # fmt: skip
    """Options side by side on the same draws, cheapest first.

    Index option; columns: mid (all Ranges at their middle), p10 p50 p90 [USD over the horizon], npv (present value of
    mid), per_month, per_request, per_accepted (without the cost of failures, over accepted answers), quality (share
    accepted at the middle), p_cheapest, why_not. Costs are positive. `p_cheapest` ranks totals with the cost of
    failures, among options whose quality is known; when none is known it ranks cost alone, and `why_not` says so.
    """
    options, terms = settle(options, terms, months=months, on=on)
    check(options, "compare needs at least one option")
    return weigh(options, work, terms, draws, seed)[0]


def weigh(options: Options, work: Workload, terms: Terms, draws: int, seed: int) -> tuple[pd.DataFrame, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The table of `compare`, and behind it for every draw the totals, and what of them is the cost of wrong answers."""
    import pandas as pd

    counted(draws, seed)
    mid_work, mid_terms = middle((work, terms))
    calendar = Calendar(mid_work, mid_terms)
    rows, why = {}, {}
    for label, option in options.items():
        try:
            bill = evaluate(middle(option), mid_work, mid_terms)
        except Infeasible as reason:
            why[label] = str(reason)
            continue
        mid, requests = float(bill.total(calendar)), float(bill.requests * calendar.requests)
        known = bill.accepted is not None
        answers = requests * bill.accepted if known else np.nan
        without = mid - float(failures(bill, calendar))
        rows[label] = {
            "mid": mid, "npv": float(bill.total(calendar, discounted=True)), "per_month": mid / terms.months, "per_request": mid / requests,
            "per_accepted": np.nan if not known else without / answers if answers else np.inf, "quality": float(bill.accepted) if known else np.nan,
        }  # fmt: skip
        if not known:
            why[label] = UNKNOWN
    runs, comparable = {label: options[label] for label in rows}, [label for label in rows if label not in why]
    usd, wrong = gather((Bill.total, failures), runs, work, terms, draws, seed) if runs else ({}, {})
    for label, x in usd.items():
        if (lost := np.isnan(x).mean()) and label not in why:  # it is ranked, and those draws are lost
            why[label] = f"does not fit in {'less than 1%' if lost < 0.01 else f'{lost:.0%}'} of the draws; the percentiles are those of the others"
    for label, share in p_cheapest({label: usd[label] for label in comparable or runs}).items():
        rows[label]["p_cheapest"] = share
    for label, x in usd.items():
        rows[label].update(zip(("p10", "p50", "p90"), quantiles(x, [10, 50, 90]), strict=True))
    columns = ["mid", "p10", "p50", "p90", "npv", "per_month", "per_request", "per_accepted", "quality", "p_cheapest", "why_not"]
    cells: dict[str, Any] = {c: np.array([rows.get(label, {}).get(c, np.nan) for label in options], float) for c in columns[:-1]}
    table = pd.DataFrame(cells | {"why_not": [why.get(label, "") for label in options]}, index=pd.Index(list(options), name="option"))
    return table.sort_values("mid", kind="stable"), usd, wrong


def quantiles(x: np.ndarray, percents: Sequence[float]) -> np.ndarray:
    """Percentiles along the draws, of those in which an option runs; NaN where it runs in none."""
    if not np.isnan(x).any():
        return np.percentile(x, percents, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # "All-NaN slice": NaN is the answer
        return np.nanpercentile(x, percents, axis=0)


def p_cheapest(usd: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Share of the draws in which each option costs least; ties are split."""
    if not usd:
        return {}
    stack = np.vstack([np.where(np.isnan(x), np.inf, x) for x in usd.values()])
    least = stack == stack.min(axis=0)
    return dict(zip(usd, (least / least.sum(axis=0)).mean(axis=1).tolist(), strict=True))


def sweep(options: Options | Option | Mix, work: Workload, over: str | Mapping[str, Any], values: Any = None, months: int | None = None,
          draws: int | None = None, seed: int = 0, terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:  # fmt: skip
    """Cost of each option while one input, or the product of several, takes other values.

    `over` is a field ("requests_per_month", "Rag.top_k", "H100-SXM.neocloud.on_demand.usd_per_gpu_hour") with `values`
    (None: a thirtieth to thirty times the present one, or 0 to 1 for a share), or {field: values, ...}. Columns: option,
    one for each field, mid; with `draws` also p10 p50 p90. An option of unknown quality is NaN beside one whose wrong answers
    are in the bill.
    """
    import pandas as pd

    options, terms = settle(options, terms, months=months, on=on)
    axes = {over: values} if isinstance(over, str) else dict(over)
    check(axes, "sweep needs an input; write its name and its values")
    for name, axis in axes.items():
        if axis is None:
            low, high = _limits(options, work, terms, name, None, None, SWEEP_FACTOR)
            axes[name] = np.geomspace(low, high, SWEEP_POINTS) if low > 0 else np.linspace(low, high, SWEEP_POINTS)
        check(np.size(axes[name]), f"sweep over {name!r} needs values")
    grid = dict(zip(axes, (m.ravel() for m in np.meshgrid(*axes.values(), indexing="ij")), strict=True))
    middles = totals(options, work, terms, grid=grid)
    spread = totals(options, work, terms, draws, seed, grid) if draws else {}
    frames = []
    unknown = {label for label, option in options.items() if quality_unknown(option, work, terms)}
    for label in unknown if len(unknown) < len(options) else ():
        for usd in (middles, spread) if draws else (middles,):
            usd[label] = np.full_like(usd[label], np.nan)
    for label in options:
        frame = pd.DataFrame({"option": label, **grid, "mid": middles[label]})
        if draws:
            frame[["p10", "p50", "p90"]] = quantiles(spread[label], [10, 50, 90]).T
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def breakeven(first: Option | Mix, second: Option | Mix, work: Workload, over: str = "requests_per_month", low: float | None = None,
              high: float | None = None, months: int | None = None, draws: int = 400, seed: int = 0, terms: Terms | None = None,
              on: str | None = None, labels: tuple[str, str] = ("first", "second")) -> pd.DataFrame:  # fmt: skip
    """Where two options cost the same over the horizon, as one input changes: every crossing, a band, or "never".

    The cost of wrong answers is in it when the quality of both is known; otherwise in neither, and the verdict says so.
    One row per crossing, in rising order: over crossing p10 p90 p_never below above verdict. `below` and `above` name
    the cheaper option on either side; the band is that of the crossing nearest in each draw, `p_never` the share of draws
    without any. Without a crossing there is one row, with NaN and the verdict "never: ...". Looked for between `low` and
    `high`: by default a thousandth to a thousand times the present value, or 0 to 1 for a share.
    """
    import pandas as pd

    counted(draws, seed)
    check(labels[0] != labels[1], f"breakeven: both labels are {labels[0]!r}; give two")
    options, terms = settle(dict(zip(labels, (first, second), strict=True)), terms, months=months, on=on)
    low, high = _limits(options, work, terms, over, low, high)
    spaced: Any = np.geomspace if low > 0 else np.linspace
    work, without = levelled(options, work, terms)

    def gap(values: np.ndarray, draws: int | None = None) -> np.ndarray:
        usd = totals(options, work, terms, draws, seed, {over: values})
        return usd[labels[0]] - usd[labels[1]]

    grid = axis = spaced(low, high, POINTS)
    mid = gap(axis)
    crossings = [_refine(gap, spaced, axis[i], axis[i + 1]) for i in _changes(mid)]
    axis = spaced(low, high, BAND_POINTS)
    found = _nearest(axis, gap(axis, draws), crossings)
    p_never = float(np.mean([np.isnan(f).all() for f in found]))
    columns = ["over", "crossing", "p10", "p90", "p_never", "below", "above", "verdict"]
    if not crossings:
        both = ~np.isnan(mid)  # where both can run
        sign = np.mean(np.sign(mid[both])) if both.any() else np.nan
        low, high = (grid[both][0], grid[both][-1]) if both.any() else (low, high)
        below, above, verdict = _never(sign, labels, over, low, high, p_never)
        return pd.DataFrame([(over, np.nan, np.nan, np.nan, p_never, below, above, verdict + without)], columns=columns)
    rows = []
    for i, at in enumerate(crossings):
        near = np.array([f[i] for f in found])
        band = np.nanpercentile(near, [10, 90]) if not np.isnan(near).all() else (np.nan, np.nan)
        start = gap(np.array([spaced(crossings[i - 1] if i else low, at, 3)[1]]))[0]
        below, above = (labels[1], labels[0]) if start > 0 else (labels[0], labels[1])
        shown, least, most = (show(float(f"{x:.3g}")) for x in (at, *band))  # a band over factors has no eight figures
        verdict = f"{below} is cheaper below {shown} {_unit(over)}, {above} above (80 % band {least} to {most}"
        verdict += "" if np.isnan(band[0]) or band[0] <= at <= band[1] else ", which the middles of skewed doubts miss"
        verdict += f"; no crossing in {p_never:.0%} of the draws)" if p_never else ")"
        rows.append((over, at, *band, p_never, below, above, verdict + without))
    return pd.DataFrame(rows, columns=columns)


def quality_unknown(option: Option | Mix, work: Workload, terms: Terms) -> bool:
    """Whether wrong answers cost something and nobody knows how many this option gives."""
    option, work, terms = middle((option, work, terms))
    try:
        return bool(np.any(work.usd_per_failure)) and evaluate(option, work, terms).accepted is None
    except Infeasible:
        return False


def comparable(options: Mapping[str, Any], work: Workload, terms: Terms) -> dict[str, Any]:
    """The options that may be held against each other: where wrong answers cost something, those of unknown quality only among themselves."""
    known = {label: option for label, option in options.items() if not quality_unknown(option, work, terms)}
    return known or dict(options)


def levelled(options: Mapping[str, Any], work: Workload, terms: Terms) -> tuple[Workload, str]:
    """The workload in which two options meet, and what to say of it: wrong answers cost nothing where one quality is not known."""
    unknown = [label for label, option in options.items() if quality_unknown(option, work, terms)]
    if not unknown:
        return work, ""
    return replace(work, usd_per_failure=0.0), f"; without the cost of wrong answers, because the quality of {' and '.join(unknown)} is not known"


def running(usd: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The options that run in at least MOSTLY of the draws, and the draws in which all of these do."""
    kept = {label: x for label, x in usd.items() if np.mean(~np.isnan(x)) >= MOSTLY}
    runs = ~np.isnan(np.vstack(list(kept.values()))).any(axis=0) if kept else np.zeros(0, bool)
    return {label: x[runs] for label, x in kept.items()}, runs


def _limits(options: Options, work: Workload, terms: Terms, over: str, low: float | None, high: float | None,
            factor: float = 1000.0) -> tuple[float, float]:  # fmt: skip
    things = (tuple(options.values()), work, terms)
    key = find_key(things, over)
    value = dict(leaves(things))[key]
    now = float(value.mid if isinstance(value, Doubt) else value)
    field = over.rsplit(".", 1)[-1]
    if GLOSSARY.get(field, ("",))[0] in ("share", "share/month"):
        start, end = limits(field)
    else:
        start, end = (now / factor, now * factor) if now else (0.0, 1.0)
    least, most = limits(field)
    for name, given in (("low", low), ("high", high)):
        if given is not None:
            require(f"breakeven over {over!r}: {name}", given, least, most)
    low, high = max(start, least) if low is None else low, min(end, most) if high is None else high
    check(low < high, f"breakeven over {over!r}: low {low:g} must be below high {high:g}")
    return low, high


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
        found.append(np.array([at[np.abs(np.log(at / c)).argmin() if c > 0 else np.abs(at - c).argmin()] for c in crossings or [at[0]]]))
    return found


def _unit(over: str) -> str:
    return over.rsplit(".", 1)[-1].replace("_", " ")


def _never(sign: float, labels: tuple[str, str], over: str, low: float, high: float, p_never: float) -> tuple[str, str, str]:
    where = f"between {show(low)} and {show(high)} {_unit(over)}"
    if np.isnan(sign):
        return "", "", f"never: one of the two cannot run {where}"
    if sign == 0:
        return "", "", f"never: both cost the same {where}"
    cheaper = labels[1] if sign > 0 else labels[0]
    rest = f"; in {1 - p_never:.0%} of the draws they do cross" if p_never < 1 else ""
    return cheaper, cheaper, f"never: {cheaper} is cheaper everywhere {where}{rest}"
