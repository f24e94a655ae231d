"""How numbers and names are written for a reader: one way for an amount, a share and an input."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np

from costmodel.core.errors import check, in_words
from costmodel.core.forms import is_one_number
from costmodel.core.public import frozen, public
from costmodel.core.ranges import Doubt
from costmodel.core.units import KILO, MILLION

MINUS = "−"  # of amounts and shares in words; what is typed or read by machines has "-"


def signed(text: str) -> str:
    """A number that was written, with a minus sign for a hyphen, and none before nothing.

    >>> signed("-4.1"), signed("-0"), signed("-0.00 %"), signed("0.5")
    ('−4.1', '0', '0.00 %', '0.5')
    """
    if not text.startswith("-"):
        return text
    return text[1:] if not re.search("[1-9∞]", text) else MINUS + text[1:]


def number_text(value: Any, figures: int | None = None) -> str:
    """A number as people write it, first rounded to so many figures; a Range with its ends.

    >>> from costmodel.core.ranges import Range
    >>> [number_text(x) for x in (1_000_000, 4.125, 0.00004, Range(3, 10, mid=4))]
    ['1,000,000', '4.125', '4e-05', '4 (3 to 10)']
    >>> number_text(123_456, figures=3)
    '123,000'
    """
    if isinstance(value, Doubt):
        mid, low, high = (number_text(x, figures) for x in (value.mid, value.low, value.high))
        return mid if value.low == value.high else f"{mid} ({low} to {high})"
    number = float(value) if figures is None else float(f"{value:.{figures}g}")
    if 1000 <= abs(number) < 1e12:
        return f"{number:,.0f}"
    return f"{number:.4g}"


RATES = 1e-3, 1e6  # of any currency for one US dollar


@frozen
class Currency:
    """The currency that a report shows. All bills are in US dollars; no exchange rate is built in.

    Parameters
    ----------
    code : str
        Three letters, such as "EUR".
    per_usd : float
        Units of the currency for one US dollar, above 0.
    rate_date : str
        The day of that rate, such as "2026-11-20".

    Raises
    ------
    ValueError
        From `parse`, when the text is no currency with its rate and day.

    Examples
    --------
    >>> Currency.parse("EUR 0.92 2026-11-20")
    Currency(code='EUR', per_usd=0.92, rate_date='2026-11-20')
    >>> Currency.parse("EUR")
    Traceback (most recent call last):
    ValueError: currency is 'EUR'; write the code, the units per US dollar and the day ...
    """

    code: str = "USD"
    per_usd: float = 1.0
    rate_date: str = ""

    def __post_init__(self) -> None:
        code, rate = self.code, self.per_usd
        check(
            isinstance(code, str) and re.fullmatch("[A-Z]{3}", code),
            f"the code of a currency is {in_words(code)}, it must be three letters such as EUR",
        )
        low, high = RATES
        check(
            is_one_number(rate) and low <= rate <= high and (code != "USD" or rate == 1),
            f"the rate of {code} is {in_words(rate)}, allowed is "
            + ("1" if code == "USD" else f"{low:g} to {high:g} for one US dollar"),
        )

    @property
    def rate(self) -> str:
        """The rate in words, "1 USD = 0.92 EUR on 2026-11-20"; nothing for US dollars."""
        foreign = f"1 USD = {self.per_usd:g} {self.code} on {self.rate_date}"
        return "" if self.code == "USD" else foreign

    @classmethod
    def parse(cls, text: str) -> Currency:
        """The currency of a text: "USD", or a code, a rate and its day, "EUR 0.92 2026-11-20"."""
        words = str(text).split()
        if words == ["USD"]:
            return cls()
        try:
            code, rate, day = words
            rate_date = date.fromisoformat(day).isoformat()
            return cls(code.upper() if code.isascii() else code, float(rate), rate_date)
        except ValueError as error:
            said = f"{error}; " if str(error).startswith("the rate") else ""
            raise ValueError(
                f"currency is {in_words(text)}; {said}write the code, the units per US dollar and "
                "the day of the rate: 'EUR 0.92 2026-11-20'"
            ) from None


USD = Currency()
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def dollars(x: float, money: Currency = USD) -> str:
    """Money in three figures at most; `x` is already in that currency.

    >>> [dollars(x) for x in (0.0139, 0.1, 4.1, 950, 12_000, 147_382, 1_200_000, -2_500)]
    ['$0.0139', '$0.10', '$4.10', '$950', '$12k', '$147k', '$1.2M', '−$2.5k']
    """
    number = short(abs(x))
    if "." in number and len(number.partition(".")[2]) == 1 and number[-1].isdigit():
        number += "0"  # cents have two digits
    return f"{MINUS if x < 0 else ''}{SIGNS.get(money.code, money.code + ' ')}{number}"


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


def percent(x: float, below: float | None = None) -> str:
    """A share in whole percent; one that is less than `below` does not round up to it.

    >>> percent(0.707), percent(-0.06), percent(0.796, below=0.8), percent(0.79999, below=0.8)
    ('71 %', '−6 %', '79.6 %', '79.9 %')
    """
    text = signed(f"{100 * x:.0f} %") if np.isfinite(x) else "?"
    if below is None or x >= below or text != percent(below):
        return text
    return f"{np.floor(1000 * x) / 10:.1f} %"


def chance_of(share: float, below: float | None = None) -> str:
    """A share of the draws: no draws make anything certain, and none rounds up to `below`.

    >>> [chance_of(x) for x in (0.0, 0.004, 0.554, 0.998, 1.0)]
    ['0 %', '<1 %', '55 %', '>99 %', '100 %']
    """
    if 0 < share < 0.005:
        return "<1 %"
    return ">99 %" if 0.995 < share < 1 else percent(share, below)


def listed(names: Iterable[str]) -> str:
    """Names in one sentence; of several, one that holds a comma or "and" stands in quotes.

    >>> listed(["RAG"]), listed(["RAG", "Prompt", "Small model, few-shot"])
    ('RAG', 'RAG, Prompt and "Small model, few-shot"')
    """
    names = [*names]
    if len(names) == 1:
        return names[0]
    *first, last = (f'"{x}"' if re.search(r",|\band\b", x) else x for x in names)
    return f"{', '.join(first)} and {last}"


@public
def money(usd: float, terms: Any = None) -> str:
    """An amount in two or three figures, with the code of the currency.

    Parameters
    ----------
    usd : float
        The amount in US dollars.
    terms : Terms, optional
        Whose currency is shown; US dollars without it.

    Returns
    -------
    str

    Examples
    --------
    >>> money(12_345.6), money(1_236_000), money(0.03123), money(4.1), money(47.78)
    ('USD 12,300', 'USD 1.24M', 'USD 0.0312', 'USD 4.10', 'USD 47.8')
    >>> money(-1_020_000), money(-0.0)
    ('−USD 1.02M', 'USD 0')
    """
    currency = USD if terms is None else terms.money
    size = abs(usd * currency.per_usd)
    if not np.isfinite(size):
        number = "?"
    elif size >= 999_500_000:
        number = f"{size / (KILO * MILLION):.3g}B"
    elif size >= 999_500:
        number = f"{size / MILLION:.3g}M"
    elif size >= 100:
        number = f"{round(size, 3 - len(f'{size:.0f}')):,.0f}"
    elif 0.1 <= size < 10:
        number = f"{size:.2f}"
    else:
        number = f"{size:.3g}"
    return f"{MINUS if usd < 0 else ''}{currency.code} {number}"
