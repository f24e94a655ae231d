"""Doubt: a Range is drawn once, by key, and shared by everything that uses it.

`middle` and `sample` replace every Range inside nested dataclasses before any equation runs, so equations
see only floats and arrays. The key of a draw is `record.field` for a fact, otherwise `Class.field`, unless the
Range has a name. The key gives a uniform, the Range its quantile: the same quantity has the same draws in
all options, differences are paired, and adding an option changes nothing else.

Draws lie on the first axis and months on the last: a drawn parameter has the shape (n, 1).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Union

import numpy as np

from costmodel.core.errors import check
from costmodel.core.public import public

Z90 = 1.6448536269514722  # standard normal quantile of 0.95: a 90 % range ends there


@public
@dataclass(frozen=True)
class Range:
    """A doubt: "I am `level` sure that it lies between low and high".

    Amounts are lognormal and are split at `mid` when it is given (each side keeps its own spread); shares are logit-normal,
    so that no draw leaves 0..1; a change that can be negative is lognormal in 1 + change, so that no draw falls below -100 %.
    Without a `form` ("amount", "share", "change", or "signed", a normal) the ends say which, and the unit of the field that
    holds it: 20 to 80 cents are no share. `mid` is the median: sqrt(low x high) for an amount without one.
    `name` is the key of the draw; `source` (an id of data/facts/sources.csv) and `why` say where the doubt comes from.
    `driver` names what moves this doubt together with others, and `loading`, -1 to 1, how strongly: two doubts with loadings a and b
    on one driver have the rank correlation of a normal copula with the correlation a x b.

    >>> round(Range(50, 150).mid, 3)
    86.603
    >>> [round(float(x), 3) for x in Range(50, 150).quantile(np.array([0.05, 0.5, 0.95]))]
    [50.0, 86.603, 150.0]
    >>> Range(2, 1)
    Traceback (most recent call last):
    ValueError: Range(2, 1): low must not exceed high
    """

    low: float
    high: float
    mid: float = None  # type: ignore[assignment]  # filled in __post_init__
    level: float = 0.90
    name: str | None = None
    form: str = None  # type: ignore[assignment]
    source: str = ""
    why: str = ""
    driver: str | None = None
    loading: float = 0.0
    guessed: ClassVar[bool] = False  # the form was not given; each Range has its own answer
    split: ClassVar[bool] = False  # the mid was given

    def __post_init__(self) -> None:
        label = f"Range({self.low}, {self.high})"
        check(
            isinstance(self.loading, (int, float, np.number)) and -1 <= self.loading <= 1,
            f"{label}: loading is {self.loading!r}, allowed is -1 to 1",
        )
        check(
            self.driver or not self.loading,
            f"{label}: a loading needs a driver; write driver='a name'",
        )
        numbers = all(
            isinstance(x, (int, float, np.number)) and np.isfinite(x) for x in (self.low, self.high)
        )
        check(numbers, f"{label}: both ends must be finite numbers")
        check(self.low <= self.high, f"{label}: low must not exceed high")
        check(
            isinstance(self.level, (int, float)) and 0 < self.level < 1,
            f"{label}: level is {self.level!r}, allowed is between 0 and 1",
        )
        object.__setattr__(self, "guessed", self.form is None)
        if self.form is None:
            share = self.low >= 0 and self.high < 1
            form = (
                "share"
                if share
                else "amount"
                if self.low >= 0
                else "change"
                if self.low > -1
                else "signed"
            )
            object.__setattr__(self, "form", form)
        check(
            self.form in _SCALES,
            f"{label}: form is {self.form!r}, allowed are {', '.join(_SCALES)}",
        )
        to, back = _SCALES[self.form]
        if self.low < self.high:
            with np.errstate(divide="ignore", invalid="ignore"):
                ends = to(np.array([self.low, self.high], float))
            check(
                np.isfinite(ends).all(),
                f"{label}: {_LIMITS[self.form]}; move the end inside, or state a form",
            )
        object.__setattr__(self, "split", self.mid is not None)
        if self.mid is None:
            mid = float(back(ends.mean())) if self.low < self.high else float(self.low)
            object.__setattr__(self, "mid", mid)
        check(
            self.low <= self.mid <= self.high,
            f"{label}: mid is {self.mid}, it must lie between low and high",
        )

    def fitting(self, unit: str) -> Range:
        """The Range as a field with this unit means it: what looks like a share is an amount where the unit is no share."""
        if not self.guessed or self.low == self.high:
            return self
        if unit in ("share", "share/month") and self.form == "amount":
            raise ValueError(
                f"Range({self.low}, {self.high}): {_LIMITS['share']}; move the end inside, or state a form"
            )
        if self.form != "share" or unit.startswith("share"):
            return self
        return dataclasses.replace(self, form="amount", mid=self.mid if self.split else None)  # type: ignore[arg-type]

    def quantile(self, u: Any) -> Any:
        """Value at probability u in 0..1, any shape."""
        if self.low == self.high:
            return self.low
        from scipy.special import ndtri

        return self.at_z(ndtri(np.asarray(u, float)))

    def at_z(self, z: np.ndarray) -> Any:
        """Value at the standard normal quantile z, any shape."""
        from scipy.special import ndtri

        to, back = _SCALES[self.form]
        low, mid, high = (to(np.float64(x)) for x in (self.low, self.mid, self.high))
        end = Z90 if self.level == 0.90 else float(ndtri((1 + self.level) / 2))
        return back(mid + z * np.where(z < 0, (mid - low) / end, (high - mid) / end))


@public
@dataclass(frozen=True)
class Measured:
    """Your own evaluation: `accepted` answers of `trials`. Its doubt is the Jeffreys posterior, a Beta.

    Other counts are another evaluation, drawn apart: 70 of 100 is probably, not surely, better than 68 of 100. Equal counts
    are taken for one evaluation; where they are two, give one a `name`.

    >>> Measured(68, 100).mid
    0.68
    >>> [round(float(x), 2) for x in Measured(68, 100).quantile(np.array([0.05, 0.95]))]
    [0.6, 0.75]
    """

    accepted: float
    trials: float
    name: str | None = None

    def __post_init__(self) -> None:
        counts = all(isinstance(x, (int, float, np.number)) for x in (self.accepted, self.trials))
        share = counts and 0 < self.accepted < 1 < self.trials
        check(
            not share,
            f"Measured({self.accepted}, {self.trials}): accepted is a count; a share of {self.accepted:g} is Measured({round(self.accepted * self.trials):g}, {self.trials:g})",
        )
        check(
            counts and self.trials > 0 and 0 <= self.accepted <= self.trials,
            f"Measured({self.accepted}, {self.trials}): accepted must lie between 0 and trials, trials above 0",
        )

    @property
    def mid(self) -> float:
        return self.accepted / self.trials

    @property
    def low(self) -> float:
        return min(float(self.quantile(0.05)), self.mid)

    @property
    def high(self) -> float:
        return max(float(self.quantile(0.95)), self.mid)

    def quantile(self, u: Any) -> Any:
        from scipy.special import betaincinv

        return betaincinv(
            self.accepted + 0.5, self.trials - self.accepted + 0.5, np.asarray(u, float)
        )


Doubt = (Range, Measured)
if TYPE_CHECKING:
    Number = Any  # a field holds a Range until `sample` or `middle` puts a number there, which types cannot tell
else:
    Number = Union[float, np.ndarray, Range, Measured]


def _logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-p)


def _expit(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


_SCALES: dict[str, tuple[Callable, Callable]] = {
    "amount": (np.log, np.exp),
    "share": (_logit, _expit),
    "change": (np.log1p, np.expm1),
    "signed": (lambda x: x, lambda x: x),
}
_LIMITS = {
    "amount": "an amount must be above 0",
    "share": "a share must lie strictly between 0 and 1",
    "change": "a change must be above -1",
    "signed": "it must be finite",
}
