"""Numbers and names in words: one way to write an amount, a share, a Range and the meaning of a field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from costmodel.core.errors import check
from costmodel.core.public import public
from costmodel.core.ranges import Doubt
from costmodel.core.units import KILO, MILLION


def readable(key: str) -> str:
    """The key of an input for a reader; what the workload brings needs no owner.

    >>> readable("Rag.top_k"), readable("Workload.requests_per_month")
    ('Rag: top k', 'requests per month')
    """
    owner, _, field = key.removeprefix("Workload.").rpartition(".")
    return f"{owner}: {field}".replace("_", " ") if owner else field.replace("_", " ")


def show(value: Any) -> str:
    """A number as people write it: 4.125, 4,000,000, or "4 (3 to 10)" for a Range.

    >>> show(1_000_000), show(4.125), show(0.00004)
    ('1,000,000', '4.125', '4e-05')
    """
    if isinstance(value, Doubt):
        return (
            show(value.mid)
            if value.low == value.high
            else f"{show(value.mid)} ({show(value.low)} to {show(value.high)})"
        )
    number = float(value)
    if number and (abs(number) < 1e-3 or abs(number) >= 1e12):
        return f"{number:.4g}"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"


@public
@dataclass(frozen=True)
class Currency:
    """The currency that reports show: its code, units of it per US dollar, and the day of that rate.

    >>> Currency.parse("EUR 0.92 2026-11-20")
    Currency(code='EUR', per_usd=0.92, rate_date='2026-11-20')
    >>> Currency.parse("EUR")
    Traceback (most recent call last):
    ValueError: currency is 'EUR'; write the code, the units per US dollar and the day of the rate: 'EUR 0.92 2026-11-20'
    """

    code: str = "USD"
    per_usd: float = 1.0
    rate_date: str = ""

    @classmethod
    def parse(cls, text: str) -> Currency:
        words = str(text).split()
        if words == ["USD"]:
            return cls()
        try:
            code, rate, day = words
            rate_date = date.fromisoformat(day).isoformat()
            check(len(code) == 3 and code.isalpha() and 0 < float(rate) < np.inf, "")
        except ValueError:
            raise ValueError(
                f"currency is {text!r}; write the code, the units per US dollar and the day of the rate: 'EUR 0.92 2026-11-20'"
            ) from None
        return cls(code.upper(), float(rate), rate_date)


USD = Currency()
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def dollars(x: float, money: Currency = USD) -> str:
    """Money in three figures at most; `x` is already in that currency.

    >>> [dollars(x) for x in (0.0139, 0.1, 4.1, 950, 12_000, 147_382, 1_200_000, -2_500)]
    ['$0.0139', '$0.10', '$4.10', '$950', '$12k', '$147k', '$1.2M', '-$2.5k']
    """
    number = short(abs(x))
    if "." in number and len(number.partition(".")[2]) == 1 and number[-1].isdigit():
        number += "0"  # cents have two digits
    return f"{'-' if x < 0 else ''}{SIGNS.get(money.code, money.code + ' ')}{number}"


def short(x: float) -> str:
    """An amount in three figures at most.

    >>> [short(x) for x in (0, 0.25, 300_000, 4_438_311, 2e9, 999_999)]
    ['0', '0.25', '300k', '4.44M', '2B', '1M']
    """
    if not np.isfinite(x) or x == 0:
        return "0" if x == 0 else "?"
    x = float(f"{x:.3g}")
    for size, letter in ((KILO * MILLION, "B"), (MILLION, "M"), (KILO, "k")):
        if abs(x) >= size:
            return f"{x / size:.3g}{letter}"
    return f"{x:.3g}"


def percent(x: float) -> str:
    """A share for a reader.

    >>> percent(0.707)
    '71 %'
    """
    return f"{100 * x:.0f} %"


@public
def money(usd: float, terms: Any = None) -> str:
    """An amount for a reader, to two or three figures.

    >>> money(12_345.6), money(1_236_000), money(0.03123), money(4.12)
    ('USD 12,300', 'USD 1.24M', 'USD 0.0312', 'USD 4.12')
    """
    code, amount = ("USD", usd) if terms is None else (terms.money.code, usd * terms.money.per_usd)
    size = abs(amount)
    if size >= 999_500:
        return f"{code} {amount / MILLION:,.2f}M"
    if size >= 100:
        digits = max(len(f"{size:.0f}") - 3, 0)
        return f"{code} {round(amount, -digits):,.0f}"
    return f"{code} {amount:,.2f}" if size >= 1 or size == 0 else f"{code} {amount:.3g}"
