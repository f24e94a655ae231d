"""What time does to a feature in service: prices that fall, projects that end early.

Every argument is a number or an array of draws; they broadcast to the shape of the result. Not in
it: price wars, and the earnings of a better model.
"""

from __future__ import annotations

from typing import Any

from costmodel.core import MONTHS_PER_YEAR, public


@public
def overpaid_share(fall_per_year: Any, months: Any) -> Any:
    """Share of the bill that the same quality would no longer cost after some months.

    1 - (1 - fall)^(months / 12). Not in it: list prices of one model, which do not fall so; it
    takes an upgrade to get the lower price.

    Parameters
    ----------
    fall_per_year : share or array
        Yearly fall of the price of the same quality.
    months : number or array, at least 0 [month]
        Time without an upgrade.

    Returns
    -------
    number or array [share]

    Examples
    --------
    >>> round(overpaid_share(0.35, 12), 2), round(overpaid_share(0.35, 24), 2)
    (0.35, 0.58)
    """
    return 1 - (1 - fall_per_year) ** (months / MONTHS_PER_YEAR)


@public
def after_moves(step: Any, moves: Any) -> Any:
    """Price of a token after moves to successors, over that of the model in use today [x].

    (1 + step)^moves. Not in it: list prices that change between two moves (`Trends.api`).

    Parameters
    ----------
    step : number or array, at least -1 [x]
        Price of a successor over that of the model that it replaces, less 1.
    moves : number or array, at least 0
        How many models have been left behind.

    Returns
    -------
    number or array [x]

    Examples
    --------
    >>> after_moves(0.5, 2)
    2.25
    """
    return (1 + step) ** moves


@public
def gain_of_waiting(
    usd_once: Any,
    usd_per_month: Any,
    usd_value_per_month: Any,
    months: Any,
    discount_rate: Any = 0.10,
    superfluous: Any = 0.0,
) -> Any:
    """Gain of starting some months later; below 0 a loss.

    months x (running cost - value of a month) + usd_once x (1 - (1 - superfluous) / (1 + rate)^
    (months / 12)): nothing is paid and nothing earned meanwhile, and the build is paid later. Not
    in it: running costs that fall, because who starts today can upgrade too.

    Parameters
    ----------
    usd_once : number or array [USD]
        Build.
    usd_per_month, usd_value_per_month : number or array [USD/month]
        Running cost, and the benefit while it runs.
    months : number or array, at least 0 [month]
        Wait.
    discount_rate : number or array, above -1 [share/year]
    superfluous : share or array
        Part of the build that the next model does by itself.

    Returns
    -------
    number or array [USD]

    Examples
    --------
    >>> round(gain_of_waiting(60_000, 4_000, 6_000, 6))
    -9208
    >>> round(gain_of_waiting(60_000, 4_000, 6_000, 6, superfluous=0.30))
    7955
    """
    later = (1 - superfluous) * (1 + discount_rate) ** (-months / MONTHS_PER_YEAR)
    return months * (usd_per_month - usd_value_per_month) + usd_once * (1 - later)


@public
def per_survivor(usd: Any, abandoned: Any) -> Any:
    """Spend per project that survives, when a share of them is abandoned after it was spent.

    usd / (1 - abandoned). Not in it: projects that end half-way.

    Parameters
    ----------
    usd : number or array [USD]
        Spend of one project.
    abandoned : share or array, below 1

    Returns
    -------
    number or array [USD]

    Examples
    --------
    >>> round(per_survivor(1.0, 0.30), 2)  # 30 % are abandoned (Gartner, 2024)
    1.43
    """
    return usd / (1 - abandoned)
