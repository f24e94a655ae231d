"""What options of the command line take: a number within its limits, or a day.

A wrong one is refused by the name of its option and as it was typed.
"""

from __future__ import annotations

from typing import Any

import click

from costmodel.core import LARGEST, in_words, is_day


class Within(click.ParamType):
    """A number from low to high, or a whole one."""

    def __init__(self, low: float = 0, high: float = LARGEST, whole: bool = False) -> None:
        self.name = "integer" if whole else "float"
        self.low, self.high, self.read = low, high, int if whole else float
        kind = "a whole number" if whole else "a number"
        self.must = f"{kind} between {_short(low)} and {_short(high)}"

    def convert(self, value: Any, param: click.Parameter | None, _: Any) -> float:
        try:
            number = self.read(value)
        except (ValueError, OverflowError):
            number = None
        if number is None or not self.low <= number <= self.high:
            raise _refused(value, param, self.must)
        return number


class Day(click.ParamType):
    """A day of this century, as YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, _: Any) -> str:
        if not is_day(value):
            raise _refused(value, param, "a day such as 2026-12-01")
        return value


class Folder(click.ParamType):
    """A folder, which is no standard output."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, _: Any) -> str:
        if value == "-":
            raise _refused(value, param, "a folder: what has several files is not printed")
        return value


def _short(number: float) -> str:
    return f"{number:,.10g}"


def _refused(value: Any, param: click.Parameter | None, must: str) -> click.UsageError:
    name = param.opts[-1] if param else "the answer"
    return click.UsageError(f"{name} is {in_words(value)}, it must be {must}")
