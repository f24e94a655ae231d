"""Doubt: a Range is drawn once, by key, and shared by everything that uses it.

`middle` and `sample` replace every Range inside nested dataclasses before any equation runs, so equations
see only floats and arrays. The key of a draw is `record.field` for a fact, otherwise `Class.field`, unless the
Range has a name. The key gives a uniform, the Range its quantile: the same quantity has the same draws in
all options, differences are paired, and adding an option changes nothing else.

Draws lie on the first axis and months on the last: a drawn parameter has the shape (n, 1).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Union
from zlib import crc32

import numpy as np

from .errors import check, unknown, whole
from .units import GLOSSARY

DRAWS_MAX = 1_000_000  # more would not fit the memory of a laptop, and no percentile needs them
SEED_MAX = 2**32 - 1
BLOCK = 16_384  # draws turned into values at once, so that they stay in the processor's cache
Z90 = 1.6448536269514722  # standard normal quantile of 0.95: a 90 % range ends there


@dataclass(frozen=True)
class Range:
    """A doubt: "I am `level` sure that it lies between low and high".

    Amounts are lognormal and are split at `mid` when it is given (each side keeps its own spread); shares are logit-normal,
    so that no draw leaves 0..1; a change that can be negative is lognormal in 1 + change, so that no draw falls below -100 %.
    Without a `form` ("amount", "share", "change", or "signed", a normal) the ends say which, and the unit of the field that
    holds it: 20 to 80 cents are no share. `mid` is the median: sqrt(low x high) for an amount without one.
    `name` is the key of the draw; `source` (an id of data/sources.csv) and `why` say where the doubt comes from.
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
        check(isinstance(self.loading, (int, float, np.number)) and -1 <= self.loading <= 1, f"{label}: loading is {self.loading!r}, allowed is -1 to 1")
        check(self.driver or not self.loading, f"{label}: a loading needs a driver; write driver='a name'")
        numbers = all(isinstance(x, (int, float, np.number)) and np.isfinite(x) for x in (self.low, self.high))
        check(numbers, f"{label}: both ends must be finite numbers")
        check(self.low <= self.high, f"{label}: low must not exceed high")
        check(isinstance(self.level, (int, float)) and 0 < self.level < 1, f"{label}: level is {self.level!r}, allowed is between 0 and 1")
        object.__setattr__(self, "guessed", self.form is None)
        if self.form is None:
            share = self.low >= 0 and self.high < 1
            form = "share" if share else "amount" if self.low >= 0 else "change" if self.low > -1 else "signed"
            object.__setattr__(self, "form", form)
        check(self.form in _SCALES, f"{label}: form is {self.form!r}, allowed are {', '.join(_SCALES)}")
        to, back = _SCALES[self.form]
        if self.low < self.high:
            with np.errstate(divide="ignore", invalid="ignore"):
                ends = to(np.array([self.low, self.high], float))
            check(np.isfinite(ends).all(),
                  f"{label}: {_LIMITS[self.form]}; move the end inside, or state a form")  # fmt: skip
        object.__setattr__(self, "split", self.mid is not None)
        if self.mid is None:
            mid = float(back(ends.mean())) if self.low < self.high else float(self.low)
            object.__setattr__(self, "mid", mid)
        check(self.low <= self.mid <= self.high, f"{label}: mid is {self.mid}, it must lie between low and high")

    def fitting(self, unit: str) -> Range:
        """The Range as a field with this unit means it: what looks like a share is an amount where the unit is no share."""
        if not self.guessed or self.low == self.high:
            return self
        if unit in ("share", "share/month") and self.form == "amount":
            raise ValueError(f"Range({self.low}, {self.high}): {_LIMITS['share']}; move the end inside, or state a form")
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
        check(not share, f"Measured({self.accepted}, {self.trials}): accepted is a count; a share of {self.accepted:g} is Measured({round(self.accepted * self.trials):g}, {self.trials:g})")
        check(counts and self.trials > 0 and 0 <= self.accepted <= self.trials,
              f"Measured({self.accepted}, {self.trials}): accepted must lie between 0 and trials, trials above 0")  # fmt: skip

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

        return betaincinv(self.accepted + 0.5, self.trials - self.accepted + 0.5, np.asarray(u, float))


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


# -- walking nested dataclasses ------------------------------------------------------------------------


def key_of(owner: Any, field: str, value: Any) -> str:
    """The key of a draw: the name of the Range, else that of the field's default, else `record.field` or `Class.field`.

    So what overrides a default stays paired with it: `Rag(top_k=Range(2, 4))` draws with every other `rag.top_k`.
    """
    name = value.name if isinstance(value, Doubt) else None
    return name or _default_key(owner, field) or f"{owner_of(owner)}.{field}"


def owner_of(x: Any) -> str:
    """The name under which the fields of x are cited: a record's id, else its class."""
    return getattr(x, "id", None) or type(x).__name__


def _default_key(owner: Any, field: str) -> str | None:
    return getattr(owner.__dataclass_fields__[field].default, "name", None)


def rewrite(x: Any, change: Callable[[str, Any], Any], memo: dict[int, Any] | None = None, doubts: bool = False) -> Any:
    """A copy of nested dataclasses, tuples and dicts with each leaf replaced by `change(key, value)`.

    Leaves are what is not itself a dataclass, tuple or dict; with `doubts`, only Ranges and evaluations. Untouched parts are
    shared, not copied, and an object that occurs twice is rewritten once.
    """
    memo = {} if memo is None else memo
    if id(x) in memo:
        return memo[id(x)]
    if isinstance(x, tuple):
        items = tuple(rewrite(i, change, memo, doubts) for i in x)
        made: Any = x if all(a is b for a, b in zip(items, x, strict=True)) else items
    elif isinstance(x, dict):
        made = {k: rewrite(v, change, memo, doubts) for k, v in x.items()}
    elif hasattr(x, "__dataclass_fields__") and not isinstance(x, Doubt):
        made = x if doubts and _certain(x) else _rewritten(x, change, memo, doubts)
    else:
        return x
    memo[id(x)] = made
    return made


def _certain(x: Any) -> bool:
    """Whether nothing in here is a doubt."""
    if isinstance(x, (tuple, dict)):
        return all(map(_certain, x.values() if isinstance(x, dict) else x))
    return not isinstance(x, Doubt) and (not hasattr(x, "__dataclass_fields__") or not _doubtful(x))


def _doubtful(x: Any) -> tuple[str, ...]:
    """The fields of a frozen dataclass in which a doubt is; it remembers them, so that what is certain is walked once."""
    known = x.__dict__.get("_doubtful")
    if known is None:
        known = tuple(name for name in _field_names(x) if not _certain(getattr(x, name)))
        object.__setattr__(x, "_doubtful", known)
    return known


def _rewritten(x: Any, change: Callable[[str, Any], Any], memo: dict[int, Any], doubts: bool) -> Any:
    new = {}
    for name in _doubtful(x) if doubts else _field_names(x):
        old = getattr(x, name)
        if old is None or isinstance(old, (str, bool)):
            continue
        if isinstance(old, Doubt):
            value = change(key_of(x, name, old), old)
        elif isinstance(old, (tuple, dict)) or hasattr(old, "__dataclass_fields__"):
            value = rewrite(old, change, memo, doubts)
        else:
            value = old if doubts else change(key_of(x, name, old), old)
        if value is not old:
            new[name] = value
    if not new:
        return x
    twin = object.__new__(type(x))  # not replace(): what __post_init__ checked still holds, and arrays must pass
    for name in _field_names(x):
        object.__setattr__(twin, name, new[name] if name in new else getattr(x, name))
    return twin


def _field_names(x: Any) -> tuple[str, ...]:
    return tuple(x.__dataclass_fields__)


def same(a: Any, b: Any) -> bool:
    """Structural equality of nested dataclasses that may hold arrays of draws."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, name), getattr(b, name)) for name in _field_names(a))
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else bool(a == b)


def walk(x: Any) -> Iterator[tuple[Any, str, Any]]:
    """Every (owner, field, number) inside nested dataclasses, tuples and dicts."""
    if isinstance(x, (tuple, list, dict)):
        for item in x.values() if isinstance(x, dict) else x:
            yield from walk(item)
    elif dataclasses.is_dataclass(x) and not isinstance(x, Doubt):
        for name in _field_names(x):
            value = getattr(x, name)
            if isinstance(value, (*Doubt, int, float, np.number, np.ndarray)) and not isinstance(value, bool):
                yield x, name, value
            else:
                yield from walk(value)


def objects(x: Any) -> Iterator[Any]:
    """Every dataclass inside nested dataclasses, tuples and dicts, outermost first (Ranges are not counted)."""
    if isinstance(x, (tuple, list, dict)):
        for item in x.values() if isinstance(x, dict) else x:
            yield from objects(item)
    elif dataclasses.is_dataclass(x) and not isinstance(x, Doubt):
        yield x
        for name in _field_names(x):
            yield from objects(getattr(x, name))


def leaves(x: Any) -> Iterator[tuple[str, Any]]:
    """Every (key, number) inside nested dataclasses, each key once, in order of first sight."""
    seen: set[str] = set()
    for owner, name, value in walk(x):
        key = key_of(owner, name, value)
        if key not in seen:
            seen.add(key)
            yield key, value


def find_key(x: Any, name: str) -> str:
    """The key for `name`: a key itself, a `Class.field` or `record.field`, or a bare field name that is unambiguous."""
    keys: dict[str, set[str]] = {}
    for owner, field, value in walk(x):
        key = key_of(owner, field, value)
        for alias in (key, f"{owner_of(owner)}.{field}", field):
            keys.setdefault(alias, set()).add(key)
    found = keys.get(name, set())
    if name in found:
        return name
    if len(found) == 1:
        return next(iter(found))
    if found:
        raise ValueError(f"{name!r} could be {' or '.join(map(repr, sorted(found)))}; write one of them")
    raise unknown("input", name, keys, where="these options and this workload")


def pin(x: Any, key: str, value: Any) -> Any:
    """x with the leaf `key` set to `value`, wherever it occurs (a number, a Range, or an (n, 1) array)."""
    return rewrite(x, lambda k, old: value if k == key else old)


# -- checking what a user gave -------------------------------------------------------------------------

_BOUNDS = {"share": (0, 1), "share/month": (0, 1), "share/year": (-1, np.inf), "log-odds": (-np.inf, np.inf)}  # by unit
_OWN_BOUNDS = {"active_hours_per_month": (1, 744), "agreement": (0.501, 1), "overlap": (0, 0.9), "peak_to_average": (1, np.inf), "pue": (1, np.inf), "gpus_per_replica": (1, 1024)}  # by field

DIVISORS = ("base_life_months", "batch_max", "chars_per_s", "chunk_tokens", "effect", "embedder_life_months", "every_months", "gb_per_unit", "gpus_per_server", "kept", "load_max", "map_call_tokens", "mbu", "memory_usable", "mfu", "refresh_months",
            "pass_chance", "requests_per_s", "retrain_months", "speed", "steps", "tokens_per_min_per_unit", "transfer", "units_step")  # fmt: skip
LEAST_DIVISOR = 1e-6


def require(name: str, value: Any, low: float = 0, high: float = np.inf) -> None:
    """Check that a number, Range or array lies in low..high; the error names the field, the value and the limits."""
    allowed = f"at least {low:g}" if high == np.inf else f"between {low:g} and {high:g}"
    number = isinstance(value, (*Doubt, int, float, np.number, np.ndarray)) and not isinstance(value, bool)
    if not number:  # no array is ever spelt out for nothing
        raise ValueError(f"{name} is {value!r}, it must be a number or a Range, {allowed}")
    check(np.size(value) > 0, f"{name} is an empty array, it must be a number or a Range, {allowed}")
    ends = (value.low, value.high) if isinstance(value, Doubt) else (float(np.min(value)), float(np.max(value)))
    shown = value if np.ndim(value) == 0 else ends
    check(np.isfinite(ends).all(), f"{name} is {shown}, it must be a finite number, {allowed}")
    check(ends[0] >= low and ends[1] <= high, f"{name} is {shown}, allowed is {allowed}")


def plain(name: str, value: Any, low: float = 0, high: float = np.inf) -> None:
    """Check a value that must be one number, no Range and no array.

    >>> plain("days", Range(1, 2))
    Traceback (most recent call last):
    ValueError: days is a Range, it must be one number, at least 0
    """
    allowed = f"at least {low:g}" if high == np.inf else f"between {low:g} and {high:g}"
    one = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    check(one, f"{name} is {'a Range' if isinstance(value, Doubt) else repr(value)}, it must be one number, {allowed}")
    require(name, value, low, high)


def listed(name: str, values: Any, low: float = 0, high: float = np.inf) -> np.ndarray:
    """A list of numbers as an array; the error names the list, what it holds and the limits.

    >>> listed("queries_per_day", [5, -1])
    Traceback (most recent call last):
    ValueError: queries_per_day is (-1.0, 5.0), allowed is at least 0
    """
    try:
        array = np.array([float(v) for v in np.atleast_1d(values) if not isinstance(v, str)])
        good = len(array) == np.size(values) > 0
    except (TypeError, ValueError):
        good = False
    check(good, f"{name} is {values!r}, it must be a list of numbers, at least one")
    require(name, array, low, high)
    return array


def validate(x: Any, optional: tuple[str, ...] = ()) -> None:
    """Check every field of a dataclass against what its unit in the glossary allows.

    Shares lie in 0..1, yearly changes above -1, log-odds anywhere, other numbers at 0 or above; flags are True or False, dates
    are days or None. Texts and records are checked where they are used.
    """
    for name in _field_names(x):
        value, label = getattr(x, name), f"{type(x).__name__}.{name}"
        unit = GLOSSARY.get(name, ("text",))[0]
        if unit in ("text", "record") or (value is None and name in optional):
            continue
        if unit == "flag":
            check(isinstance(value, bool), f"{label} is {value!r}, allowed are True and False")
        elif unit == "date":
            check(value is None or is_day(value), f"{label} is {value!r}, it must be a day such as '2027-03-31', or None")
        else:
            require(label, value, *limits(name))
            if isinstance(value, Range) and (fitting := value.fitting(unit)) is not value:
                object.__setattr__(x, name, fitting)


def is_day(value: Any) -> bool:
    """Whether a text is a day of the calendar, such as 2027-03-31."""
    try:
        return date.fromisoformat(value).isoformat() == value
    except (TypeError, ValueError):
        return False


def limits(name: str) -> tuple[float, float]:
    """The least and the greatest value that the unit of a field allows; what divides something is above 0."""
    low, high = _OWN_BOUNDS.get(name) or _BOUNDS.get(GLOSSARY.get(name, ("",))[0], (0, np.inf))
    return (LEAST_DIVISOR if name in DIVISORS else low), high


# -- replacing doubts by numbers -----------------------------------------------------------------------


def middle(x: Any) -> Any:
    """x with every Range replaced by its median.

    >>> middle((Range(50, 150, mid=100), 3))
    (100, 3)
    """
    if isinstance(x, Doubt):
        return x.mid
    if isinstance(x, tuple):
        return tuple(middle(i) for i in x)
    return rewrite(x, lambda key, value: value.mid, doubts=True)


def sample(x: Any, n: int, seed: int = 0, rows: Any = slice(None), points: Mapping[str, np.ndarray] | None = None) -> Any:
    """x with every Range replaced by n paired draws of the shape (n, 1); `rows` (a slice or indices) takes some.

    `points` gives the uniforms of all keys (and "driver <name>") instead: a design that somebody else has made.
    """

    if points is None:
        counted(n, seed)
    taken: dict[tuple[str, Any], Any] = {}  # one array per doubt, so that what is shared can be recognised

    def draw(key: str, value: Any) -> Any:
        if value.low == value.high:
            return value.mid
        if (key, value) not in taken:
            own = draw_key(key, value)
            if points is None:
                taken[key, value] = draws(own, value, n, seed)[rows]
            else:
                u = points[own][rows]
                driven = value.quantile(followed(points[driver_key(value)][rows], u, value.loading)) if is_driven(value) else value.quantile(u)
                taken[key, value] = np.asarray(driven)
        return taken[key, value]

    return rewrite(x, draw, doubts=True)


def draw_key(key: str, value: Any) -> str:
    """The key of the uniforms of a doubt: two evaluations err apart, one errs the same everywhere."""
    return f"{key} {value.accepted:g}/{value.trials:g}" if isinstance(value, Measured) and value.name is None else key


def is_driven(value: Any) -> bool:
    return isinstance(value, Range) and value.driver is not None and value.loading != 0


def driver_key(value: Any) -> str:
    return f"driver {value.driver}"


def doubts(x: Any) -> dict[str, Range | Measured]:
    """Every doubt inside nested dataclasses by the key of its uniforms, each once, in order of first sight."""
    found: dict[str, Range | Measured] = {}
    for owner, name, value in walk(x):
        if isinstance(value, Doubt) and value.low < value.high:
            found.setdefault(draw_key(key_of(owner, name, value), value), value)
    return found


def drive(x: Any, driver: str, loadings: Mapping[str, float]) -> Any:
    """x with doubts that a named driver moves together: {input: loading}, each loading -1 to 1.

    Correlation enters the draws in no other way. A doubt keeps its own range; its rank follows the driver's, and with a loading of 0 it stays as it is.
    Errors: `CatalogError` for an input that is not there, `ValueError` for one that is no Range.

    >>> from costmodel import Trends, middle, sample
    >>> both = sample(drive(Trends(), "economy", {"Trends.api": 0.9, "Trends.gpu": 0.9}), 2_000)
    >>> bool(np.corrcoef(both.api.ravel(), both.gpu.ravel())[0, 1] > 0.7)
    True
    """
    check(isinstance(loadings, Mapping), f"drive: loadings is {loadings!r}, it must be {{input: loading}}")
    found = {find_key(x, name): loading for name, loading in loadings.items()}

    def moved(key: str, value: Any) -> Any:
        if key not in found:
            return value
        check(isinstance(value, Range), f"{key} is {value!r}; only a Range can follow a driver")
        return dataclasses.replace(value, driver=driver, loading=found[key]) if found[key] else value

    return rewrite(x, moved)


@lru_cache(maxsize=512)
def draws(key: str, doubt: Range | Measured, n: int, seed: int) -> np.ndarray:
    """n draws of one doubt, shape (n, 1): a Latin hypercube whose order is seeded by the key.

    >>> a, b = draws("price", Range(1, 3), 1000, 0), draws("price", Range(1, 3), 1000, 0)
    >>> bool((100 * a > 90 * b).all())
    True
    """
    order = strata(key, n, seed)
    if isinstance(doubt, Range) and is_driven(doubt):
        mixed = followed(uniforms(driver_key(doubt), n, seed), uniforms(key, n, seed), doubt.loading)
        order = np.argsort(np.argsort(mixed[:, 0]))  # ranks: one draw in each stratum again
    values = np.empty((n, 1))
    for start in range(0, n, BLOCK):
        block = slice(start, start + BLOCK)
        values[block, 0] = doubt.at_z(_normals(n)[order[block]]) if isinstance(doubt, Range) else doubt.quantile((order[block] + 0.5) / n)
    values.flags.writeable = False
    return values


def followed(driver: np.ndarray, own: np.ndarray, loading: float) -> np.ndarray:
    """Uniforms that follow a driver: Phi(loading x z(driver) + sqrt(1 - loading^2) x z(own)), a normal copula."""
    from scipy.special import ndtr, ndtri

    return ndtr(loading * ndtri(driver) + np.sqrt(1 - loading**2) * ndtri(own))


def counted(draws: int, seed: int) -> None:
    """Check the number of draws and the seed, before anything of that size is made."""
    whole("draws", draws, 1, DRAWS_MAX)
    whole("seed", seed, 0, SEED_MAX)


@lru_cache(maxsize=32)
def strata(key: str, n: int, seed: int) -> np.ndarray:
    """Which of n equal strata each draw of a key falls into, shape (n,): an order seeded by the key."""
    return np.random.default_rng([seed, crc32(key.encode())]).permutation(n)


@lru_cache(maxsize=4)
def _normals(n: int) -> np.ndarray:
    """Standard normal quantiles of the middles of n equal strata, in order."""
    from scipy.special import ndtri

    return ndtri((np.arange(n) + 0.5) / n)


def uniforms(key: str, n: int, seed: int) -> np.ndarray:
    """The uniforms of a key in 0..1, shape (n, 1): the middle of each of n equal strata once, in an order of its own."""
    return ((strata(key, n, seed) + 0.5) / n)[:, None]
