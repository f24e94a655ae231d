"""Money over time: net present value, rate of return, annuities, resale, and rents by the hour."""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.core import MONTHS_PER_YEAR, MTOK, SECONDS_PER_HOUR, check, one_step, public

THREE_YEARS = 36  # months
GRID = np.linspace(-3, 30, 6_601)  # ln(1 + rate): -95 % to more than a billion-fold a period


WORST = 0.1  # share of the draws that are the worst ones


@one_step
def compounded(rate_per_year: Any, months: int, since: int = 0) -> Any:
    """What 1 becomes in months 0..H at a yearly rate that counts `since` a month.

    (1 + rate)^(max(m - since, 0) / 12)

    Shape (H + 1,), or (n, H + 1) for n rates; months come first in memory then, because each is
    computed for all draws at once.

    >>> compounded(0.21, 12)[[0, 6, 12]].round(2).tolist()
    [1.0, 1.1, 1.21]
    """
    if np.ndim(rate_per_year) == 0:
        grown = np.maximum(np.arange(months + 1) - since, 0)
        return (1.0 + rate_per_year) ** (grown / MONTHS_PER_YEAR)
    step = (1.0 + np.ravel(rate_per_year)) ** (1 / MONTHS_PER_YEAR)
    powers = np.empty((months + 1, step.size))
    powers[: since + 1] = 1.0
    for m in range(since, months):
        np.multiply(powers[m], step, out=powers[m + 1])
    return powers.T


@public
def certainty_equivalent(costs: Any, risk: float) -> float:
    """What an uncertain cost weighs for somebody who minds bad outcomes.

    mean + risk x (CVaR - mean), with CVaR the mean of the worst tenth of the costs (Rockafellar and
    Uryasev 2000, J Risk 2:21). Not in it: a utility function, so that only the worst tenth counts.

    Parameters
    ----------
    costs : array of draws, shape (n,) [USD]
    risk : float, 0 to 1
        0 is the mean, 1 the mean of the worst tenth.

    Returns
    -------
    float [USD]

    Examples
    --------
    >>> certainty_equivalent(np.arange(1.0, 101.0), 0.0)
    50.5
    >>> certainty_equivalent(np.arange(1.0, 101.0), 1.0)
    95.5
    """
    costs = np.asarray(costs, float)
    if risk == 0:  # nothing to sort
        return float(costs.mean())
    worst = np.sort(costs)[-max(1, round(WORST * costs.size)) :]
    return float(costs.mean() + risk * (worst.mean() - costs.mean()))


@public
def npv(rate: float, amounts: Any) -> float:
    """Net present value of amounts at the ends of periods 0, 1, 2 ...

    NPV = sum of amounts[t] / (1 + rate)^t. The first amount is today's and is not discounted. Not
    in it: inflation and tax.

    Parameters
    ----------
    rate : number above -1
        Discount rate per period.
    amounts : list or array [USD]
        One for each period; costs are negative.

    Returns
    -------
    float [USD]

    Examples
    --------
    >>> round(npv(0.10, [-1_000_000] + [550_000] * 5))
    1084933
    """
    amounts = np.asarray(amounts, float)
    return float(np.sum(amounts / (1.0 + rate) ** np.arange(amounts.size)))


@public
def irr(amounts: Any) -> float:
    """Internal rate of return per period: the rate at which the net present value is 0.

    0 = sum of amounts[t] / (1 + IRR)^t; of several solutions the one nearest to 0. Not in it: the
    rate at which returns are invested again.

    Parameters
    ----------
    amounts : list or array [USD]
        At the ends of periods 0, 1, 2 ...; costs are negative.

    Returns
    -------
    float
        NaN, undefined, where the amounts never change sign.

    Raises
    ------
    ValueError
        Unless there is one finite number for each period.

    Examples
    --------
    >>> round(irr([-1_000_000] + [550_000] * 5), 4)
    0.4698
    >>> irr([100, 100])
    nan
    """
    amounts = np.asarray(amounts, float)
    check(
        amounts.ndim == 1 and np.isfinite(amounts).all(),
        f"irr: amounts is {amounts!r}, it must be one finite number for each period",
    )

    def value(log_factor: Any) -> np.ndarray:  # of 1 + rate
        return np.exp(-np.outer(log_factor, np.arange(amounts.size))) @ amounts

    worth = value(GRID)
    crossings = np.flatnonzero(worth[:-1] * worth[1:] <= 0)
    if not ((amounts > 0).any() and (amounts < 0).any() and crossings.size):
        return np.nan
    at = crossings[np.abs(GRID[crossings]).argmin()]
    from scipy.optimize import brentq

    return float(np.expm1(brentq(lambda x: value(x)[0], *GRID[at : at + 2], xtol=1e-14)))


# -- owning and renting ---------------------------------------------------------------------------


def annuity(amount: Any, rate_per_year: Any, months: Any) -> Any:
    """Equal month-end payments with a present value of `amount` [USD/month].

    amount x r / (1 - (1 + r)^-n) for the monthly rate r.

    >>> round(float(annuity(1_000.0, 0.10, 12)), 2)
    87.72
    """
    return amount / present_months((1 + rate_per_year) ** (1 / MONTHS_PER_YEAR) - 1, months)


def present_months(rate_per_month: Any, months: Any) -> Any:
    """Present value of 1 at the end of each month: (1 - (1 + r)^-n) / r, and n where r is 0.

    >>> [round(float(present_months(rate, 12)), 3) for rate in (0.0, 0.01)]
    [12.0, 11.255]
    """
    r = np.where(np.abs(rate_per_month) < 1e-12, 1e-12, rate_per_month)
    return -np.expm1(-months * np.log1p(r)) / r


def resale_share(after_three_years: Any, months: Any) -> Any:
    """Resale value of a server over its price: r^(months / 36), the same loss in every year.

    data/facts/own.csv has 0.62, 0.43, 0.30, 0.17 and 0.12 of an H100 after one to five years.

    >>> [round(float(resale_share(0.30, 12 * year)), 2) for year in range(6)]
    [1.0, 0.67, 0.45, 0.3, 0.2, 0.13]
    """
    return after_three_years ** (months / THREE_YEARS)


def usd_per_mtok(usd_per_hour: Any, tokens_per_s: Any, utilisation: Any = 1.0) -> Any:
    """Price of a million tokens of a machine rented by the hour [USD/Mtok].

    USD/h x 1e6 / (3600 tokens/s x utilisation). Not in it: people. An L4 embeds 62,100 tokens a
    second with bge-large (infinity, benchmarking.md): $0.0022 at $0.50/h.

    >>> [round(usd_per_mtok(2.50, 700, busy), 2) for busy in (1, 0.1)]  # $2.50/h, 700 tokens/s
    [0.99, 9.92]
    """
    return usd_per_hour * MTOK / (SECONDS_PER_HOUR * tokens_per_s * utilisation)


def written_off(capex: np.ndarray, life: Any) -> np.ndarray:
    """Straight-line depreciation, shape (n, H + 1), in the `life` months after an asset is bought.

    Within the horizon; what is left at its end stays in the books.

    >>> written_off(np.array([[120.0, 0, 0, 0]]), 3).round(6).tolist()
    [[0.0, 40.0, 40.0, 40.0]]
    """
    month = np.arange(capex.shape[1])
    life = np.maximum(np.asarray(life, float).reshape(-1, 1), 1.0)
    out = np.zeros_like(capex)
    for bought in np.flatnonzero(capex.any(axis=0)):
        share = np.clip((month - bought) / life, 0, 1)
        out += capex[:, [bought]] * np.diff(share, axis=1, prepend=0.0)
    return out


def gain_of_sale(capex: np.ndarray, sold: np.ndarray, life: Any) -> np.ndarray:
    """Gain (above 0) or loss of assets that are sold at the end of the horizon, shape (n,).

    Proceeds less book value, the part of their price that is not yet written off. The gain is
    taxed, the loss saves tax. Not in it: parts of assets that are sold sooner.

    >>> price, sale = np.array([[120.0, 0, 0]]), np.array([70.0])
    >>> gain_of_sale(price, sale, 3).tolist()  # 40 of 120 are still in the books
    [30.0]
    """
    return sold - (capex.sum(axis=1) - written_off(capex, life).sum(axis=1))
