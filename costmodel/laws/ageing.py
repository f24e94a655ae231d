"""What time does to a feature in service: caches that go cold, prices that fall, projects that end early.

Pure functions. Not in them: price wars, and what a better model would have earned.
"""

from __future__ import annotations

from typing import Any

from costmodel.core.public import public
from costmodel.core.units import MONTHS_PER_YEAR


@public
def cold_cache_ratio(cached: Any, read: Any, write: Any = 1.0) -> Any:
    """Bill of prompt tokens the morning after a migration over the one before [x]: everything is cold, and maybe written.

    (1 - s + s x write) / (1 - s + s x read), s the cached share of the tokens, prices relative to plain input. A cache is
    keyed on the prefix and on the model, so a new model reads nothing.

    >>> (
    ...     round(cold_cache_ratio(0.74, 0.10), 2),
    ...     round(cold_cache_ratio(0.68, 0.10, 1.25), 2),
    ... )  # tianpan.co: the bill tripled
    (2.99, 3.02)
    """
    return (1 - cached + cached * write) / (1 - cached + cached * read)


@public
def cached_share_of(ratio: Any, read: Any, write: Any = 1.0) -> Any:
    """Cached share of the prompt tokens that a rise of the bill by `ratio` betrays [share]; `cold_cache_ratio` solved for it.

    (ratio - 1) / (ratio (1 - read) + write - 1).

    >>> round(cached_share_of(3.0, 0.10), 2), round(cached_share_of(3.0, 0.10, 1.25), 2)
    (0.74, 0.68)
    """
    return (ratio - 1) / (ratio * (1 - read) + write - 1)


@public
def overpaid_share(fall_per_year: Any, months: Any) -> Any:
    """Price of falling behind: share of the bill that the same quality would no longer cost after `months` [share].

    1 - (1 - fall)^(months / 12). List prices of one model do not fall so: it takes an upgrade to get it.

    >>> round(overpaid_share(0.35, 12), 2), round(overpaid_share(0.35, 24), 2)
    (0.35, 0.58)
    """
    return 1 - (1 - fall_per_year) ** (months / MONTHS_PER_YEAR)


@public
def gain_of_waiting(
    usd_once: Any,
    usd_per_month: Any,
    usd_value_per_month: Any,
    months: Any,
    discount_rate: Any = 0.10,
    superfluous: Any = 0.0,
) -> Any:
    """Price of waiting: gain of starting `months` later [USD], below 0 a loss.

    months x (running cost - value of a month) + usd_once x (1 - (1 - superfluous) / (1 + rate)^(months / 12)): nothing is
    paid and nothing earned meanwhile, the build is paid later, and the share `superfluous` of it not at all, because the next
    model does it by itself. That running it gets cheaper is no reason to wait: who starts today can upgrade too
    (`overpaid_share` if not).

    >>> (
    ...     round(gain_of_waiting(60_000, 4_000, 6_000, 6)),
    ...     round(gain_of_waiting(60_000, 4_000, 6_000, 6, superfluous=0.30)),
    ... )
    (-9208, 7955)
    """
    later = (1 - superfluous) * (1 + discount_rate) ** (-months / MONTHS_PER_YEAR)
    return months * (usd_per_month - usd_value_per_month) + usd_once * (1 - later)


@public
def per_survivor(usd: Any, abandoned: Any) -> Any:
    """Spend per project that survives [USD], when a share of them is abandoned after it was spent: usd / (1 - abandoned).

    >>> round(
    ...     per_survivor(1.0, 0.30), 2
    ... )  # 30 % abandoned for inadequate risk controls (Gartner, 2024)
    1.43
    """
    return usd / (1 - abandoned)
