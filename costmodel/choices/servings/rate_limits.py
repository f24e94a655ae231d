"""Rate limits of an API: the load of its busiest minute is refused, waits, or goes elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from costmodel.choices.purchases import Traffic
from costmodel.choices.schedule import level_of, steady, with_demand
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import SECONDS_PER_MINUTE, Infeasible, percent
from costmodel.laws import queueing

if TYPE_CHECKING:
    from costmodel.choices.servings.api import Api

OVER_LIMIT = ("refuse", "queue", "fallback")
TURNED_AWAY = (
    0.05  # most of the calls of the busiest hour that may meet the limit, where it refuses
)


@dataclass(frozen=True)
class Held:
    """What limits leave of the traffic of production."""

    fits: Any = True  # whether the load is not too much, for each draw
    spilled: Any = 0.0  # share that goes to the fallback, by month where months differ
    waits: str = ""  # of the busiest hour, in words


def held_to_limits(api: Api, traffic: list[Traffic], work: Workload, terms: Terms) -> Held | None:
    """What the limits of an API leave, in the busiest hour of each month; None without limits."""
    production = [t for t in traffic if t.follows_demand]
    if not production or not (most := limits_of(api)):
        return None
    level = level_of(with_demand(), work, terms)
    per_min = work.peak_to_average * SECONDS_PER_MINUTE * level

    def load(counts: list[Any]) -> Any:
        return work.arrivals_per_s(sum(counts)) * per_min

    calls = load([t.count for t in production])
    loads = {"requests": calls, "tokens": load([t.count * t.call.tokens for t in production])}
    if api.fallback is not None:
        shares = (limit / np.maximum(loads[unit], queueing.ROUNDING) for unit, limit in most)
        cover = np.clip(np.minimum.reduce(np.broadcast_arrays(*shares)), 0.0, 1.0)
        rest = {unit: load * (1 - cover) for unit, load in loads.items()}
        fits = _fits(api.fallback, rest, limits_of(api.fallback), terms)
        return Held(fits, queueing.share_above(cover, work.peak_to_average))
    waits = _waits(calls, loads, most) if api.over_limit == "queue" else ""
    return Held(_fits(api, loads, most, terms), waits=waits)


def limits_of(api: Api) -> list[tuple[str, Any]]:
    """(what is limited, how many a minute) of the limits that are given."""
    both = ("requests", api.requests_per_min_max), ("tokens", api.tokens_per_min_max)
    return [(unit, most) for unit, most in both if most is not None]


def _fits(api: Api, loads: dict[str, Any], most: list[tuple[str, Any]], terms: Terms) -> Any:
    """Whether the busiest month keeps the limits, for each draw; one number too many is refused.

    Calls that may wait need room in the mean of the busiest hour, others in its busiest minutes.
    """
    fits: Any = True
    margin = 0.0 if api.over_limit == "queue" else queueing.staffing_margin(TURNED_AWAY)
    for unit, limit in most:
        calls, mean = (_busiest(loads[name]) for name in ("requests", unit))
        need = mean * (1 + margin / np.sqrt(np.maximum(calls, queueing.ROUNDING)))
        if np.ndim(need) == np.ndim(limit) == 0 and need > limit:
            when = "" if steady(loads[unit]) else f" of {_month(loads[unit], terms)}"
            brings = f"the busiest hour{when} brings {mean:,.0f} {unit} a minute"
            if margin:
                brings += f" on average and {need:,.0f} in its busiest minutes"
            queue = "" if api.over_limit == "queue" else "over_limit='queue' if calls may wait, "
            raise Infeasible(
                f"{brings}, the limit of {api.model.id} is {limit:,.0f}; ask for a higher limit, "
                f"write {queue}over_limit='fallback' with fallback=Api(...), or move what can wait "
                "to mode='batch'"
            )
        fits = fits & ~np.greater(need, limit)  # what is no number is an error of its line
    return fits


def _waits(calls: Any, loads: dict[str, Any], most: list[tuple[str, Any]]) -> str:
    """How many calls of the busiest hour wait for the tightest limit, in words."""
    busiest = _busiest(calls)
    places = [busiest * limit / _busiest(loads[unit]) for unit, limit in most]
    place = np.minimum.reduce(np.broadcast_arrays(*places))
    share, seconds = queueing.wait_chance(place, busiest), queueing.wait_at_limit(busiest, place)
    if np.ndim(share):
        return ""
    return f"in the busiest hour {percent(share)} of the calls wait {seconds:,.1f} s for the limit"


def _busiest(load: Any) -> Any:
    """The most of all months."""
    return load if steady(load) else np.max(load, axis=-1, keepdims=np.ndim(load) > 1)


def _month(load: Any, terms: Terms) -> str:
    return f"{terms.date_of(int(np.argmax(load))):%B %Y}"
