"""The scales on which a doubt is normal, and what the ends of a range must be on each."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple

import numpy as np

from costmodel.core.errors import check, in_words
from costmodel.core.units import INDEX_END

Z90 = 1.6448536269514722  # standard normal quantile of 0.95: a 90 % range ends there


class Form(NamedTuple):
    """A scale on which a doubt is normal, what its ends must be, and between what it is drawn."""

    to_normal: Callable[[Any], Any]
    back: Callable[[Any], Any]
    rule: str
    least: float
    most: float


FORMS = {
    "amount": Form(np.log, np.exp, "an amount must be above 0", 0, inf),
    "share": Form(
        lambda p: np.log(p) - np.log1p(-p),
        lambda x: 1 / (1 + np.exp(-x)),
        "a share must lie strictly between 0 and 1",
        0,
        1,
    ),
    "change": Form(np.log1p, np.expm1, "a change must be above -1", -1, inf),
    "signed": Form(lambda x: x, lambda x: x, "it must be finite", -inf, inf),
    "index": Form(
        lambda x: np.log(x) - np.log(INDEX_END - x),
        lambda z: INDEX_END / (1 + np.exp(-z)),
        f"an index of capability must lie between 0 and {INDEX_END:g}",
        0,
        INDEX_END,
    ),
}


def form_of(low: float, high: float) -> str:
    """The form that the ends suggest."""
    if low >= 0:
        return "share" if high < 1 else "amount"
    return "change" if low > -1 else "signed"


def form_for(least: float, most: float) -> str:
    """The widest form whose draws stay within such limits."""
    if least < 0:
        return "change" if least >= -1 else "signed"
    return "share" if most <= 1 else "amount"


def middle_of(label: str, low: float, high: float, form: Form) -> float:
    """The middle of the ends on the scale of the form; an end that is not on it is refused."""
    if low == high:
        return float(low)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = form.to_normal(np.array([low, high], float))
    check(np.isfinite(ends).all(), outside(label, form))
    return float(form.back(ends.mean()))


def outside(label: str, form: Form) -> str:
    return f"{label}: {form.rule}; move the end inside, or state a form"


def is_one_number(value: Any) -> bool:
    """Whether a value is one number: no doubt, no array and no flag."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def check_texts(label: str, doubt: Any) -> None:
    """Check the texts of a doubt, and how strongly it follows its driver."""
    for name in ("name", "driver", "source", "why"):
        text = getattr(doubt, name, None) or ""
        check(isinstance(text, str), f"{label}: {name} is {in_words(text)}, it must be text")
    loading = doubt.loading
    check(
        is_one_number(loading) and -1 <= loading <= 1,
        f"{label}: loading is {in_words(loading)}, allowed is -1 to 1",
    )
    check(doubt.driver or not loading, f"{label}: a loading needs a driver; write driver='a name'")
