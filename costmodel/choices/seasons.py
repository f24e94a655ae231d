"""Seasons: how the requests of the twelve months differ from those of an ordinary month."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from costmodel.core import (
    MONTHS_PER_YEAR,
    Number,
    check,
    check_known,
    checked,
    field_names,
    not_none,
    one_number,
)


@checked
class Seasons:
    """What single months bring beyond an ordinary one, every year again.

    An ordinary month is one with 0, or without a number; it brings `requests_per_month`, and
    nothing is scaled so that the year has the same sum.

    Parameters
    ----------
    january, february, march, april, may, june : number, x, optional
    july, august, september, october, november, december : number, x, optional
        Requests beyond those of an ordinary month: 1.8 is +180 %, 2.8 times as many, and -0.5 is
        half of them.

    Raises
    ------
    ValueError
        When a month falls by more than all of it.

    Examples
    --------
    >>> import costmodel as cm
    >>> peak = cm.choices.Seasons(december=1.8)
    >>> peak.factors("2027-11-01", 3).tolist()
    [1.0, 1.0, 2.8, 1.0]
    """

    january: Number | None = None
    february: Number | None = None
    march: Number | None = None
    april: Number | None = None
    may: Number | None = None
    june: Number | None = None
    july: Number | None = None
    august: Number | None = None
    september: Number | None = None
    october: Number | None = None
    november: Number | None = None
    december: Number | None = None

    @property
    def extra(self) -> dict[str, Any]:
        """Requests beyond those of an ordinary month [x], of the months that have a number."""
        return not_none(**{name: getattr(self, name) for name in field_names(self)})

    def factors(self, start: str, months: int) -> np.ndarray:
        """Requests of months 0..H over those of an ordinary one, (H + 1,) or (n, H + 1).

        Month 1 is that of `start`.
        """
        extra = (np.atleast_1d(self.extra.get(name, 0.0)) for name in field_names(self))
        year = 1.0 + np.concatenate(np.broadcast_arrays(*extra), axis=-1)
        first = date.fromisoformat(str(start)[:10]).month
        return year[..., (np.arange(months + 1) + first - 2) % MONTHS_PER_YEAR]


def seasons_of(given: Any) -> Any:
    """Seasons from what a user writes: {month: extra share}, or twelve factors from January on.

    >>> seasons_of([1.0] * 11 + [2.5]) == seasons_of({"december": 1.5})
    True
    """
    names = field_names(Seasons)
    if isinstance(given, dict):
        for name in given:
            check_known("month", name, names, where="seasons")
        return Seasons(**given)
    if not isinstance(given, (list, tuple)):
        return given
    check(
        len(given) == len(names),
        f"seasons has {len(given)} factors, a list must have twelve, from January to December, "
        "each over an ordinary month, such as 2.8",
    )
    for name, factor in zip(names, given, strict=True):
        one_number(f"seasons: {name} in a list", factor)
    return Seasons(**{n: f - 1 for n, f in zip(names, given, strict=True) if f != 1})
