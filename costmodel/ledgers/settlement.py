"""What a contract and the tax office add to a bill: the discount and the shortfall of a spend
commitment, and value added tax that does not come back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from costmodel.choices.purchases import PHASES, Line, Lines, cite
from costmodel.choices.schedule import path
from costmodel.choices.terms import STEADY, Terms
from costmodel.choices.workload import Workload
from costmodel.core import MONTHS_PER_YEAR
from costmodel.ledgers.calendar import Calendar

UNTAXED = ("failures",)  # what wrong answers cost is no purchase


def committed(terms: Terms, serving: Any) -> bool:
    """Whether what this serving sells counts towards the spend commitment of the terms."""
    seller = getattr(getattr(serving, "api", serving), "provider", None)
    return terms.spend is not None and seller == terms.spend.provider


def settlement(lines: list[Line], covered: list[Line], work: Workload, terms: Terms) -> Lines:
    """Lines for the commitment, which `covered` counts towards, and for the tax on all `lines`."""
    calendar, added = Calendar(work, terms), []
    if terms.spend is not None:
        added = list(_of_commitment(paid_by_month(covered, calendar), terms))
        yield from added
    if not np.any(terms.vat):
        return
    rate = terms.vat * (1 - terms.vat_recovered)
    basis = "all that is bought, pay left out, x {vat} x (1 - {vat_recovered})"
    for phase in (p for p in PHASES if p not in UNTAXED):
        taxed = [x for x in (*lines, *added) if x.phase == phase and x.trend != "labour"]
        if taxed:
            usd, cites = rate * paid_by_month(taxed, calendar), cite(terms, "vat", "vat_recovered")
            yield _amounts("value added tax", phase, usd, basis, cites)


def _of_commitment(spent: Any, terms: Terms) -> Lines:
    """The discount of each month, and at the end of each year what is short."""
    spend: Any = terms.spend
    off = spent * spend.discount
    basis, cites = "what is bought at the seller x {discount}", cite(spend, "discount")
    yield _amounts("discount of the spend commitment", "serving", -off, basis, cites)
    short = np.zeros_like(spent - off)
    for first in range(1, terms.months + 1, MONTHS_PER_YEAR):
        last = min(first + MONTHS_PER_YEAR - 1, terms.months)
        paid = (spent - off)[..., (first if first > 1 else 0) : last + 1].sum(-1, keepdims=True)
        due = spend.usd_per_year * (last - first + 1) / MONTHS_PER_YEAR
        short[..., last] = np.maximum(due - paid, 0.0)[..., 0]
    basis = "({usd_per_year} a year - what is paid) x {shortfall_fee}"
    cites = cite(spend, "usd_per_year", "shortfall_fee")
    usd = short * spend.shortfall_fee
    yield _amounts("shortfall of the spend commitment", "serving", usd, basis, cites)


def paid_by_month(lines: Iterable[Line], calendar: Calendar) -> Any:
    """USD of months 0..H."""
    zero = np.zeros(calendar.months + 1)
    return sum((x.usd * calendar.path(x.schedule, x.trend) for x in lines), zero)


def _amounts(item: str, phase: str, usd: Any, basis: str, cites: tuple[str, ...]) -> Line:
    """A line of known amounts in months 0..H."""
    return Line(item, phase, 1.0, "USD", 1.0, path(usd), STEADY, basis=basis, cites=cites)
