"""The inputs of a question: how a number is read, shown and placed on a slider, and search."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from costmodel.core import (
    MILLION,
    Doubt,
    Range,
    check,
    label_of,
    limits,
    meaning_of,
    number_text,
    short,
    unit_of,
)

DECADE = 10  # a slider over more than this factor is logarithmic
REACH = {  # how far a slider reaches where the value itself does not say: (from, to)
    "months": (1, 120),
    "usd_per_failure": (0, 10),
    "growth_per_year": (-0.5, 2),
    "reasoning_tokens": (0, 10_000),
    "instruction_tokens": (0, 10_000),
    "peak_to_average": (1, 20),
    "active_hours_per_month": (20, 730),
    "ramp_months": (0, 24),
    "minutes_per_request": (0, 60),
    "usd_per_month": (0, 100_000),
    "pages_in": (0, 50),
    "accepted_answers": (0, 400),
    "judged_answers": (0, 400),
}
FACTOR = {"requests_per_month": 100, "requests_per_day": 100}  # 10 for the others
MEANT = {  # what can be meant, where the glossary allows more
    "requests_per_month": (1, 1e10),
    "requests_per_day": (1, 1e9),
    "input_tokens": (0, 1e7),
    "instruction_tokens": (0, 1e7),
    "output_tokens": (0, 1e6),
    "reasoning_tokens": (0, 1e7),
    "usd_per_failure": (0, 1e6),
    "growth_per_year": (-0.99, 20),
    "months": (1, 120),
    "ramp_months": (0, 120),
    "tokens": (1, 1e11),
    "pages": (1, 1e8),
    "top_k": (1, 1_000),
    "usd_per_hour": (0, 10_000),
}
MEANT_OF = {  # and by unit, where no field of that unit says more
    "month": (0, 120),
    "week": (0, 520),
    "day": (0, 3_650),
    "share/year": (-0.99, 20),
    "x": (0, 1_000),
    "FTE": (0, 1_000),
    "minute": (0, 10_000),
    "USD/Mtok": (0, 1_000),
    "USD/GPU-hour": (0, 1_000),
    "USD/kWh": (0, 100),
}
DIVIDES = 1e-5  # what must be above 0 has a least value below this in the glossary
LEAST = {"month": 0.1, "x": 0.01, "minute": 0.01, "s": 0.01}  # what is meant there
LEAST |= dict.fromkeys(("token", "count", "request/month", "character/s", "token/min"), 1)
LEAST_OTHER = 0.001
ONE_NUMBER = (  # what can be no range
    "quality_floor confidence Terms.months requests_per_day usd_per_month FineTune.adapters "
    "Fleet.warm_replicas"
).split()
SHARED = "price list", "part of a mix"  # holders whose inputs are told apart by their keys
BEYOND = 1e4  # times the present value: more is a slip of the hand
NUMBER = r"([-+−]?\s*[$€£]?\s*(?:\d{1,3}(?:[,_ ]\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?)"
NUMBER += r"\s*(k|m|bn|b|thousand|million|billion|%)?"
GROUPED = re.compile(  # 300.000: which one? Not 1.155M, nor 12.500 %
    r"(?<![\d.,])([1-9]\d{0,2}(?:\.\d{3})+)(?![\d.,]|\s*(?:[kmb%]|thousand|bn|e[-+]?\d))",
    re.IGNORECASE,
)
SMALL_NOW = 10  # an input that is below this now is written with a point, not in thousands
COMMA = re.compile(r"(?<![\d.,])(0(?=,)|\d+(?=,(?:\d\d?|\d{4,})(?!\d))),(\d+)(?![\d.,])")  # 0,5
ONE = re.compile(rf"\s*{NUMBER}\s*", re.IGNORECASE)
TWO = re.compile(rf"\s*{NUMBER}\s*(?:to|\.\.+|–|—|-)\s*{NUMBER}\s*", re.IGNORECASE)
AROUND = re.compile(rf"\s*{NUMBER}\s*\(\s*{NUMBER}\s*to\s*{NUMBER}\s*\)\s*", re.IGNORECASE)
SIZES = {"": 1, "%": 0.01, "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6}
SIZES |= dict.fromkeys(("b", "bn", "billion"), 1e9)
NO_HELP = ("a", "an", "the", "of", "per", "for", "in", "my", "each")  # no help to a search
ALSO = {  # words of a search without their "s", and those by which the glossary says it
    "salary": ("hourly cost",),
    "wage": ("hourly cost",),
    "latency": ("wait", "peak speed", "planned load", "most sequences", "busiest"),
    "speed": ("wait", "slow"),
    "hallucination": ("wrong", "accepted"),
    "error": ("wrong",),
    "mistake": ("wrong",),
    "accuracy": ("accepted", "quality"),
    "length": ("token",),
    "day": ("month",),
    "price": ("cost", "rent", "usd"),
    "cost": ("price", "rent", "usd"),
    "traffic": ("requests",),
    "volume": ("requests",),
    "user": ("requests", "tenants"),
    "hardware": ("gpu", "server"),
    "interest": ("discount rate",),
    "retraining": ("between trainings",),
}
INSTEAD = {  # where a text finds nothing
    "support agent": "person",
    "clerk": "person",
    "employee": "person",
    "staff": "person",
}
GROUPS = ("Traffic", "Quality", "Prices", "People", "GPUs", "Terms")
OF_GPUS = set("Gpu Fleet Hosted Owned Model Rent Provisioned Colocation Energy Server".split())
OF_PEOPLE = set("hour week minute FTE hour/month USD/hour USD/week".split())
OF_QUALITY = set("log-odds index USD/failure".split())
QUALITIES = re.compile(
    "accepted|quality|recall|agreement|signal|stopped|wrong|closed_book|context_"
)


@dataclass(frozen=True)
class Input:
    """One input of the question: what it is, its present value, and where it may lie."""

    key: str
    value: Any
    label: str
    meaning: str
    unit: str
    group: str
    low: float  # ends of the slider
    high: float
    least: float  # what is allowed
    most: float
    also: str = ""  # further words by which it is found

    @property
    def log(self) -> bool:
        wide = self.low > 0 and self.high / self.low > DECADE
        return wide and not self.whole and not self.share

    @property
    def whole(self) -> bool:
        counted = self.key.endswith("months") or self.unit == "count"
        return counted and isinstance(self.value, int)

    @property
    def share(self) -> bool:
        return self.unit.startswith("share") or getattr(self.value, "form", "") == "share"

    @property
    def mid(self) -> float:
        return float(getattr(self.value, "mid", self.value))

    @property
    def allowed(self) -> str:
        least, most = number_text(self.least), number_text(self.most)
        if 0 < self.least < DIVIDES:
            return f"allowed is above 0{'' if math.isinf(self.most) else f' and up to {most}'}"
        if math.isinf(self.most):
            return f"allowed is at least {least}"
        return f"allowed is between {least} and {most}"

    def read(self, text: str) -> Any:
        """The number or Range that a text means; an error says what is allowed.

        >>> volume = Input("Workload.requests_per_month", 3e5, "", "", "", "", 1, 2, 1, 1e10)
        >>> volume.read("1.2M"), volume.read("20k-60k").high
        (1200000.0, 60000.0)
        >>> volume.read("1e12")
        Traceback (most recent call last):
        ValueError: 1e12 is not possible: allowed is between 1 and 10,000,000,000
        """
        text = GROUPED.sub(self._one_way, text)
        if found := COMMA.search(text):
            raise ValueError(f"{found[0]} has a comma; write {found[1]}.{found[2]}, with a point")
        if "%" in text and not self.share:
            raise ValueError(f"{text.strip()} is a share, and {self.label} is in {self.unit}")
        numbers = numbers_in(text)
        check(numbers, f"{text!r} is no number; write {self._such_as()}")
        low, high = min(numbers), max(numbers)
        inside = self.least <= low and high <= self.most
        meant = self.most == 1 < low <= high <= 100 and "%" not in text
        percents = f"; write {text.strip()} %" if meant else ""
        check(inside, f"{text.strip()} is not possible: {self.allowed}{percents}")
        if len(numbers) == 1 or low == high:
            return int(low) if self.whole and low == int(low) else low
        check(numbers[-2] < numbers[-1], f"{text.strip()} must begin with its low end")
        check(
            low > 0 or self.least < 0,
            f"{text.strip()} begins at 0, and a range begins above it; write "
            f"{number_text(high / 20, 2)} to {number_text(high, 3)}, or one number",
        )
        check(
            high < 1 or not self.share or self.most > 1,
            f"{text.strip()} ends at 1, and a range of a share ends below it; write "
            f"{number_text(low, 3)} to {number_text((19 + low) / 20, 2)}, or one number",
        )
        mid: Any = numbers[0] if len(numbers) == 3 else None
        return Range(low, high, mid=mid, why="yours")

    def _one_way(self, found: re.Match[str]) -> str:
        """What 1.200 means: 1.2, or 1,200 where that alone is possible; refused where both may be
        meant."""
        text, whole = found[0], float(found[0].replace(".", ""))
        if text.count(".") > 1:
            return f"{whole:,.0f}"
        point = self.least <= float(text) <= self.most
        if point and (whole > self.most or abs(self.mid) < SMALL_NOW):
            return text
        if not point and self.least <= whole <= self.most:
            return f"{whole:,.0f}"
        plain = number_text(float(text))
        plain += "0" * bool(GROUPED.fullmatch(plain))
        raise ValueError(f"{text} can be read in two ways; write {plain} or {whole:,.0f}")

    def _such_as(self) -> str:
        """Examples of what can be typed."""
        now = number_text(self.mid, 3)
        if self.share:
            ways = [now, f"{number_text(100 * self.mid, 3)} %"]
        else:
            ways = [now, *(["1.2M"] if self.most >= MILLION and self.mid >= DECADE else [])]
        if self.key not in ONE_NUMBER:
            low, high = max(self.mid / 2, self.least) or 1, min(self.mid * 2, self.most) or 3
            if self.share:
                high = min(high, (1 + self.mid) / 2)
            if low < high:
                ways.append(f"a range such as {number_text(low, 2)} to {number_text(high, 2)}")
        return f"{', '.join(ways[:-1])}{',' * (len(ways) > 2)} or {ways[-1]}" if ways[1:] else now


def numbers_in(text: str) -> list[float]:
    """The numbers of "25", "20-60", "0.2 to 0.8", "1.2M", "30 (20 to 60)"; none of another text.

    >>> numbers_in("1.2M"), numbers_in("20-60"), numbers_in("-5 %"), numbers_in("many")
    ([1200000.0], [20.0, 60.0], [-0.05], [])
    >>> numbers_in("4 (3 to 10)"), numbers_in("$1,000 to 2k"), numbers_in("0,5")
    ([4.0, 3.0, 10.0], [1000.0, 2000.0], [])
    """
    for form in (ONE, TWO, AROUND):
        found = form.fullmatch(text)
        if found and all(re.search(r"\d", digits) for digits in found.groups()[::2]):
            parts = found.groups()
            sizes = [SIZES[(size or "").lower()] for size in parts[1::2]]
            digits = [float(re.sub(r"[,_$€£\s]", "", d).replace("−", "-")) for d in parts[::2]]
            if len(sizes) == 2 and not parts[1] and digits[0] < digits[1]:
                sizes[0] = sizes[1]  # "20-60k" is 20,000 to 60,000
            return [x * size for x, size in zip(digits, sizes, strict=True)]
    return []


def shown_text(value: Any) -> str:
    """A value as it stands in its box, and as `numbers_in` reads it again.

    >>> shown_text(300_000.0), shown_text(Range(20_000, 60_000, mid=30_000))
    ('300,000', '30k (20k to 60k)')
    >>> shown_text(Range(280, 282))
    '281 (280 to 282)'
    """
    if isinstance(value, Doubt) and value.low < value.high:
        for figures in (2, 3):  # where two do not tell the ends apart
            low, high = (short(float(f"{end:.{figures}g}")) for end in (value.low, value.high))
            if low != high:
                break
        return f"{short(value.mid)} ({low} to {high})"
    text = number_text(value, 6)
    return text + "0" * bool(GROUPED.fullmatch(text))  # 4.125 could be read as 4,125


def describe(key: str, value: Any, place: str = "") -> Input:
    """What a control needs to know of an input.

    >>> describe("Workload.requests_per_month", 3e5).label, describe("Terms.months", 36).high
    ('requests per month', 120)
    """
    place = place or key  # the class and the field, where the key is the name of a Range
    owner, _, field_ = place.rpartition(".")
    unit, form = unit_of(place), getattr(value, "form", "")
    low, mid, high = (float(getattr(value, end, value)) for end in ("low", "mid", "high"))
    least, most = limits(place)
    if known := MEANT.get(field_) or MEANT_OF.get(unit):
        least, most = max(least, known[0]), min(most, known[1])
    elif math.isinf(most) and mid:
        most = float(f"{max(abs(mid), abs(high)) * BEYOND:.1g}")
    if 0 < least < DIVIDES:
        least = LEAST.get(unit, LEAST_OTHER)
    least, most = min(least, low), max(most, high)  # what it is now, is meant
    factor = FACTOR.get(field_, DECADE)
    ends: tuple[float, float] = (mid / factor, mid * factor) if mid > 0 else (0, 1)
    if isinstance(value, int) and unit == "count":
        ends = math.floor(ends[0]), max(ends[1], DECADE)
        ends = max(ends[0], min(mid, 1)), ends[1]
    if field_ in REACH:
        ends = REACH[field_]
        if isinstance(value, Doubt) and high > 0:
            ends = ends[0], min(ends[1], DECADE * high)
    elif unit in ("share", "share/month") or form == "share":
        ends = 0, 1 if high > 0.2 else 0.2
    elif form == "signed" or unit in ("share/year", "log-odds") or mid < 0:
        room = (high - low) / 2 or 0.5
        ends = low - room, high + room
    elif isinstance(value, Doubt):
        ends = low / 2, high * 2
    start, end = max(min(ends[0], low), least), min(max(ends[1], high), most)
    said, meant = getattr(value, "why", ""), meaning_of(place)
    holder, _, last = key.rpartition(".")
    label = label_of(key if last == field_ else place)
    if last != field_ and label.endswith(tuple(f" ({words})" for words in SHARED)):
        label = label_of(f"{holder}.{field_}")
    group = group_of(field_, unit, owner)
    also = meant if said else ""
    return Input(key, value, label, said or meant, unit, group, start, end, least, most, also)


def group_of(name: str, unit: str, owner: str) -> str:
    """Where an input is looked for: one of GROUPS.

    >>> group_of("usd_per_hour", "USD/hour", "Person"), group_of("top_k", "count", "Rag")
    ('People', 'Traffic')
    """
    if owner in ("Terms", "Trends", "Study"):
        return "Terms"
    if unit in OF_QUALITY or QUALITIES.search(name) or owner == "Task":
        return "Quality"
    if unit in OF_PEOPLE or "fte" in name:
        return "People"
    if owner in OF_GPUS or unit == "USD/GPU-hour":
        return "GPUs"
    if unit.startswith("USD") or name in ("discount", "price_step", "premium", "residency_uplift"):
        return "Prices"
    return "Traffic"


def found_by(inputs: Iterable[Input], text: str, group: str = "") -> list[Input]:
    """The inputs of a group that have all words of a text, or words of the same meaning, in their
    label, meaning, unit or code name; those whose label begins with the text come first.

    >>> volume = describe("Workload.requests_per_month", 3e5)
    >>> [x.label for x in found_by([volume], "requests a DAY")], found_by([volume], "quest")
    (['requests per month'], [])
    """
    words = [re.sub("(?<=..)s$", "", x) for x in text.lower().split() if x not in NO_HELP]
    begins = [
        re.compile(rf"(?<![a-z0-9])({'|'.join(map(re.escape, (word, *ALSO.get(word, ()))))})")
        for word in words
    ]

    def place(one: Input) -> int:
        label, asked = one.label.lower(), text.strip().lower()
        if one.key.lower() == asked:
            return 0
        return 1 if label.startswith(asked) else 3 - all(x.search(label) for x in begins)

    kept = [
        one
        for one in inputs
        if (not group or one.group == group)
        and all(
            begin.search(f"{one.label} {one.key} {one.meaning} {one.unit} {one.also}".lower())
            for begin in begins
        )
    ]
    other = INSTEAD.get(text.strip().lower(), "")
    if not kept and other:
        return found_by(inputs, other, group)
    return sorted(kept, key=place) if words else kept
