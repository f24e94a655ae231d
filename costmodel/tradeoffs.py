"""What would have to be true, from when on, and for whom: goals, dates, dominance and maps of who is cheapest where.

Options are ranked by money, or by dominance: never by scores, which turn round when an option is added that nobody wants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from costmodel.choices.options import Mix, Option
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.checks import limits, require
from costmodel.core.draws import counted
from costmodel.core.errors import check, unknown
from costmodel.core.nested import find_key, leaves
from costmodel.core.ranges import Doubt
from costmodel.core.units import GLOSSARY
from costmodel.core.words import readable, show
from costmodel.decision import UNKNOWN, _changes, _refine, comparable, compare, levelled, totals
from costmodel.ledgers.engine import Options, pick, settle
from costmodel.ledgers.evidence import meanings
from costmodel.uncertainty import FAN_DRAWS, paths

if TYPE_CHECKING:
    import pandas as pd


REACH, POINTS = 30.0, 61
MAP_POINTS = 41
COSTS = ("per_accepted", "per_request", "per_month", "mid", "npv")
EDGE = 1e-4  # shares are looked at from here to one less this


# -- what would have to be true ------------------------------------------------------------------------


def goal_seek(options: Options, work: Workload, goal: str, over: str | Iterable[str] | None = None, usd: float | None = None,
              months: int | None = None, terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:  # fmt: skip
    """What would have to be true for `goal` to be the cheapest option, or, if it is, to be so no more: one input at a time.

    With `usd`, the value at which the total of `goal` over the horizon crosses that amount. `over` names inputs; None: every Range,
    and the requests. Columns: input meaning now needed low high inside chance verdict: `needed` is the crossing nearest to
    `now` (NaN: never, between a thirtieth and thirty times, or 0 and 1 for a share), `inside` whether it lies in the Range, `chance` the
    probability that the input lies beyond it. All else stays at its middle. Nearest to hand first: by chance, then by distance.
    Options of unknown quality are left out beside known ones.
    """
    import pandas as pd

    options, terms = settle(options, terms, months=months, on=on)
    pick(options, goal)
    if usd is not None:
        require("usd", usd)
    else:
        options = comparable(options, work, terms)
        check(goal in options, f"goal_seek: {goal!r} cannot be ranked: {UNKNOWN}")
        check(len(options) > 1, "goal_seek needs another option to be cheaper than, or usd=")
    things = (tuple(options.values()), work, terms)
    values = dict(leaves(things))
    names = [over] if isinstance(over, str) else list(over) if over is not None else ["Workload.requests_per_month"]
    keys = [find_key(things, name) for name in names]
    keys += [k for k, v in values.items() if over is None and isinstance(v, Doubt) and v.low < v.high and k not in keys]
    wanted = {goal: options[goal]} if usd is not None else options

    def gap_of(found: Mapping[str, np.ndarray]) -> np.ndarray:
        rest = [x for label, x in found.items() if label != goal]
        return found[goal] - (usd if usd is not None else np.nanmin(np.vstack(rest), axis=0))

    ahead = float(gap_of({k: np.ravel(v) for k, v in totals(wanted, work, terms).items()})[0])
    check(not np.isnan(ahead), f"goal_seek: {goal!r} cannot run, or nothing else can; `compare` says why")
    meaning, rows = meanings(things), []
    for key in keys:
        low, high = _reach(key, values[key])
        spaced: Any = np.geomspace if low > 0 else np.linspace

        def gap(axis: np.ndarray, key: str = key) -> np.ndarray:
            with np.errstate(all="ignore"):
                return gap_of(totals(wanted, work, terms, grid={key: axis}))

        axis = spaced(low, high, POINTS)
        now = values[key].mid if isinstance(values[key], Doubt) else float(values[key])
        try:
            crossings = [(axis[i], axis[i + 1]) for i in _changes(gap(axis))]
        except ValueError as reason:  # inputs that only hold together, such as shares that must add up to 1
            rows.append((key, meaning[key], now, np.nan, *_ends(values[key]), False, 0.0, f"not asked: {reason}"))
            continue
        at = _refine(gap, spaced, *min(crossings, key=lambda c: _far(now, c[0]))) if crossings else np.nan
        rows.append((key, meaning[key], *_sought(key, values[key], now, at, ahead <= 0, goal, usd, low, high)))
    table = pd.DataFrame(rows, columns=["input", "meaning", "now", "needed", "low", "high", "inside", "chance", "verdict"])
    order = table.assign(far=[_far(n, x) for n, x in zip(table["now"], table["needed"], strict=True)])
    return table.loc[order.sort_values(["chance", "far"], ascending=[False, True], kind="stable").index].reset_index(drop=True)


def _reach(key: str, value: Any) -> tuple[float, float]:
    """Between which values an input is looked at."""
    low, high = limits(key.rsplit(".", 1)[-1])
    unit = GLOSSARY.get(key.rsplit(".", 1)[-1], ("share",))[0]  # a key with a name of its own, such as accepted.large
    if getattr(value, "form", "share") == "share" and isinstance(value, Doubt) and unit.startswith("share"):
        return max(low, EDGE), min(high, 1 - EDGE)
    now = float(value.mid if isinstance(value, Doubt) else value)
    if isinstance(value, Doubt) and value.low <= 0:
        wide = value.high - value.low
        return max(low, value.low - wide), min(high, value.high + wide)
    if np.isfinite(high) and low >= 0:
        return low, high
    start, end = sorted((now / REACH, now * REACH)) if now else (0.0, 1.0)
    return max(low, start), min(high, end)


def _mid(value: Any) -> Any:
    return value.mid if isinstance(value, Doubt) else value


def _far(now: float, at: float) -> float:
    """How far a value is from the present one: in factors where both are above 0."""
    if np.isnan(at):
        return np.inf
    return float(abs(np.log(at / now))) if now > 0 and at > 0 else abs(at - now)


def _sought(key: str, value: Any, now: float, at: float, met: bool, goal: str, usd: float | None, low: float, high: float) -> tuple:
    ends = _ends(value)
    goes = f"costs {'more' if met else 'less'} than USD {show(usd)}" if usd is not None else "is no longer the cheapest" if met else "becomes the cheapest"
    if np.isnan(at):
        return now, np.nan, *ends, False, 0.0, f"never: nothing between {show(low)} and {show(high)} changes it alone"
    inside = bool(ends[0] <= at <= ends[1])
    chance = _beyond(value, now, at) if isinstance(value, Doubt) else 0.0
    doubt = f", {'inside' if inside else 'outside'} the range; {chance:.0%} likely" if isinstance(value, Doubt) else ""
    return now, at, *ends, inside, chance, f"{goal} {goes} once {readable(key)} is {'above' if at > now else 'below'} {show(at)} (now {show(now)}{doubt})"


def _ends(value: Any) -> tuple[float, float]:
    return (value.low, value.high) if isinstance(value, Doubt) else (np.nan, np.nan)


def _beyond(doubt: Any, now: float, at: float) -> float:
    """Probability that a doubt lies on the far side of a value."""
    u = (np.arange(2_000) + 0.5) / 2_000
    x = doubt.quantile(u)
    return float(np.mean(x > at) if at > now else np.mean(x < at))


# -- from when on --------------------------------------------------------------------------------------


def breakeven_date(first: Option | Mix, second: Option | Mix, work: Workload, months: int | None = None, draws: int = FAN_DRAWS, seed: int = 0,
                   terms: Terms | None = None, on: str | None = None, labels: tuple[str, str] = ("first", "second")) -> pd.DataFrame:  # fmt: skip
    """From which month on `second` has cost less than `first`, all in all and for good; one row.

    Columns: month date p10 p90 p_never verdict. Months may have fractions, `date` is the first day of the month in which it happens; NaN and "never" where
    `second` is behind at the horizon. The band is that of the draws in which it happens, `p_never` the share in which it does not.
    """
    import pandas as pd

    counted(draws, seed)
    check(labels[0] != labels[1], f"breakeven_date: both labels are {labels[0]!r}; give two")
    options, terms = settle(dict(zip(labels, (first, second), strict=True)), terms, months=months, on=on)
    work, without = levelled(options, work, terms)
    for label, usd in totals(options, work, terms).items():
        check(not np.isnan(usd), f"breakeven_date: {label} cannot run; `compare` says why")

    def month(draws: int | None) -> np.ndarray:
        usd = paths(options, work, terms, draws, seed)
        return stays_ahead((usd[labels[0]] - usd[labels[1]]).cumsum(axis=1))

    at, drawn = float(month(None)[0]), month(draws)
    never = float(np.isnan(drawn).mean())
    p10, p90 = np.nanpercentile(drawn, [10, 90]) if never < 1 else (np.nan, np.nan)
    day = None if np.isnan(at) else terms.date_of(int(np.ceil(at)))
    if np.isnan(at):
        verdict = f"never: {labels[1]} has cost more than {labels[0]} at the end of {terms.months} months"
        verdict += f"; less in {1 - never:.0%} of the draws" if never < 1 else ""
    else:
        since = f"from month {at:.1f} on ({day:%B %Y}" if at else "from the first day on ("
        band = f"80 % band: month {p10:.1f} to {p90:.1f}" if p90 else "at once in nearly all draws in which it happens"
        verdict = f"{labels[1]} has cost less than {labels[0]} {since}{'; ' if at else ''}{band}"
        verdict += f"; never in {never:.0%} of the draws)" if never else ")"
    verdict += without
    return pd.DataFrame([(at, day, p10, p90, never, verdict)], columns=["month", "date", "p10", "p90", "p_never", "verdict"])


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


# -- dominance and maps --------------------------------------------------------------------------------


def frontier(options: Options, work: Workload, latency: Mapping[str, float] | None = None, cost: str = "per_accepted", months: int | None = None,
             terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:  # fmt: skip
    """Which options nothing beats on cost, quality and latency at once, and by whom the others are dominated.

    Index option, cheapest first; columns: the cost (a column of `compare`, "per_accepted" by default), quality, latency_s, efficient, dominated_by,
    why_not. `latency` gives seconds by label, of your own measurement; where it is given, an option without it is not comparable.
    `cost` is one of per_accepted, per_request, per_month, mid and npv. An option dominates another if it is as good in all and better in one. Adding an option can dominate others; it turns no order round.
    """
    import pandas as pd

    table = compare(options, work, months=months, draws=1, terms=terms, on=on)
    if cost not in COSTS:
        raise unknown("cost", cost, COSTS, "the columns of compare")
    for label in latency or {}:
        if label not in table.index:
            raise unknown("option", label, table.index, "the latencies")
        require(f"latency of {label!r}", latency[label])  # type: ignore[index]
    seconds = pd.Series(latency or {}, dtype=float).reindex(table.index)
    asked = {"cost": table[cost], "worse": -table["quality"]} | ({"seconds": seconds} if latency else {})
    points = np.column_stack([x.to_numpy(float) for x in asked.values()])
    known = ~np.isnan(points).any(axis=1)
    by = []
    for i, point in enumerate(points):
        beats = known & known[i] & (points <= point).all(axis=1) & (points < point).any(axis=1)
        by.append(", ".join(table.index[beats]))
    out = pd.DataFrame({cost: table[cost], "quality": table["quality"], "latency_s": seconds, "efficient": known & (np.array(by) == ""), "dominated_by": by})
    out["why_not"] = np.where(known, "", np.where(table["why_not"] != "", table["why_not"], "not comparable: its latency is not known"))
    return out.sort_values(cost, kind="stable")


def regions(options: Options, work: Workload, over: Mapping[str, Any], quality_floor: float | None = None, months: int | None = None,
            terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:  # fmt: skip
    """Who is cheapest where: a map over any two inputs, every other one at its middle.

    `over` is {input: values, input: values}; None takes a thirtieth to thirty times the present value, or 0 to 1 for a share. Columns: the two inputs, best, usd, second,
    margin (what the second costs more, as a share). With a floor, options below that quality at the present point are left out,
    and those of unknown quality beside known ones.
    """
    import pandas as pd

    options, terms = settle(options, terms, months=months, on=on)
    check(isinstance(over, Mapping) and len(over) == 2, f"regions needs two inputs, {{input: values, input: None}}; over is {over!r}")
    options = comparable(options, work, terms)
    if quality_floor is not None:
        require("quality_floor", quality_floor, 0, 1)
        quality = compare(options, work, draws=1, terms=terms)["quality"]
        options = {label: option for label, option in options.items() if quality[label] >= quality_floor}
    check(options, "regions: no option reaches the quality floor")
    values = dict(leaves((tuple(options.values()), work, terms)))
    axes: dict[str, np.ndarray] = {}
    keys = {name: find_key((tuple(options.values()), work, terms), name) for name in over}
    check(len(set(keys.values())) == 2, f"regions needs two inputs, and {' and '.join(map(repr, over))} are one")
    for name, given in over.items():
        low, high = _reach(keys[name], values[keys[name]])
        check(given is None or np.size(given), f"regions: {name!r} needs values, or None")
        axes[name] = np.ravel(given) if given is not None else (np.geomspace if low > 0 else np.linspace)(low, high, MAP_POINTS)
    grid = dict(zip(axes, (m.ravel() for m in np.meshgrid(*axes.values(), indexing="ij")), strict=True))
    usd = totals(options, work, terms, grid=grid)
    stack = np.vstack([np.where(np.isnan(x), np.inf, x) for x in usd.values()])
    order, labels = np.argsort(stack, axis=0, kind="stable"), np.array([*usd, ""], dtype=object)
    place = np.arange(stack.shape[1])
    least = stack[order[0], place]
    more = stack[order[1], place] if len(usd) > 1 else np.full(place.size, np.inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        margin = np.where(np.isfinite(more), more / least - 1, np.nan)
    best, second = np.where(np.isfinite(least), order[0], -1), np.where(np.isfinite(more), order[min(1, len(usd) - 1)], -1)
    table = pd.DataFrame({**grid, "best": labels[best], "usd": np.where(np.isfinite(least), least, np.nan), "second": labels[second], "margin": margin})
    table.attrs["now"] = {name: float(_mid(values[key])) for name, key in keys.items()}  # for the figure
    return table
