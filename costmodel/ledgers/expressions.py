"""Traced values as formulas in the language of spreadsheets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from costmodel.ledgers.tracing import Traced, behind

ONE = re.compile(r"'?[A-Za-z_][\w.$!' ]*|[\d.]+(E[-+]?\d+)?")  # a name, a cell or a number
INFINITE = "9.9E+307"
TEXTS = {  # NumPy's functions; {0}, {1} stand for arguments in brackets where these need some
    "add": "{0}+{1}",
    "subtract": "{0}-{1}",
    "multiply": "{0}*{1}",
    "divide": "{0}/{1}",
    "power": "{0}^{1}",
    "float_power": "{0}^{1}",
    "negative": "0-{0}",
    "positive": "{0}",
    "square": "{0}^2",
    "sqrt": "SQRT({0})",
    "cbrt": "{0}^(1/3)",
    "reciprocal": "1/{0}",
    "absolute": "ABS({0})",
    "sign": "SIGN({0})",
    "exp": "EXP({0})",
    "exp2": "2^{0}",
    "expm1": "EXP({0})-1",
    "log": "LN({0})",
    "log2": "LN({0})/LN(2)",
    "log10": "LN({0})/LN(10)",
    "log1p": "LN(1+{0})",
    "floor": "INT({0})",
    "ceil": "0-INT(0-{0})",
    "rint": "ROUND({0},0)",
    "whole": "TRUNC({0})",
    "maximum": "MAX({0},{1})",
    "minimum": "MIN({0},{1})",
    "greater": "IF({0}>{1},1,0)",
    "greater_equal": "IF({0}>={1},1,0)",
    "less": "IF({0}<{1},1,0)",
    "less_equal": "IF({0}<={1},1,0)",
    "equal": "IF({0}={1},1,0)",
    "not_equal": "IF({0}<>{1},1,0)",
    "logical_and": "IF(AND({a},{b}),1,0)",
    "bitwise_and": "IF(AND({a},{b}),1,0)",
    "logical_or": "IF(OR({a},{b}),1,0)",
    "bitwise_or": "IF(OR({a},{b}),1,0)",
    "logical_not": "IF({a},0,1)",
    "invert": "IF({a},0,1)",
    "isnan": "IF(ISERROR({0}),1,0)",
    "where": "IF({a},{1},{2})",
    "ndtri": "NORMSINV({0})",
    "ndtr": "NORMSDIST({0})",
    "expit": "1/(1+EXP(0-{0}))",
    "logit": "LN({0}/(1-{0}))",
}
KNOWN = {*TEXTS, "input", "element", "linear", "any", "interp", "running"}
LONGEST = 200  # characters of a formula that stands inside another
TOGETHER = 4_000  # characters of formulas that stand inside one: Excel takes 8,192 in all
PARTS = 200  # arguments of one function: Excel takes 255
Place = Callable[[list[str], np.ndarray], list[str]]


def writable(*values: Any) -> bool:
    """Whether a spreadsheet knows every operation behind these values."""
    return not unwritable(*values)


def unwritable(*values: Any) -> list[Traced]:
    """The values behind these whose operation a spreadsheet does not know."""
    return [node for node in behind(*values) if node.op not in KNOWN]


class Expressions:
    """Writes traced values as formulas.

    `name` is what a formula calls an input. `place` gives formulas of their own cells and returns
    how these are called: a value that is used twice, or is long. `table` does so for a column of
    numbers.
    """

    def __init__(
        self, name: Callable[[str], str], place: Place | None, table: Callable[[Any], str]
    ) -> None:
        self.name, self.place, self.table = name, place, table
        self.texts: dict[int, list[str]] = {}
        self.kept: list[Any] = []  # what an id stands for must live

    def write(self, values: Iterable[Any]) -> list[list[str]]:
        """The formulas of the elements of each value."""
        values = list(values)
        self.kept += values
        order = behind(*values)
        uses = Counter(id(x) for node in order for x in node.args if isinstance(x, Traced))
        for node in order:
            if id(node) not in self.texts:
                texts = self._own(node)
                if self.place and (uses[id(node)] > 1 or max(map(len, texts)) > LONGEST):
                    texts = self._placed(node, texts)
                self.texts[id(node)] = texts
        return [self._elements(x, np.shape(getattr(x, "value", x))) for x in values]

    def _placed(self, node: Traced, texts: list[str]) -> list[str]:
        if node.op in ("input", "element") or all(ONE.fullmatch(text) for text in texts):
            return texts
        assert self.place
        return self.place(texts, np.ravel(np.asarray(node.value, float)))

    def _elements(self, x: Any, shape: tuple[int, ...]) -> list[str]:
        """The formulas of a value, spread over a shape."""
        if not isinstance(x, Traced):
            return [literal(v) for v in np.broadcast_to(np.asarray(x, float), shape).ravel()]
        texts = self.texts[id(x)]
        places = np.broadcast_to(np.arange(x.size).reshape(x.shape), shape).ravel()
        return [texts[i] for i in places]

    def _own(self, node: Traced) -> list[str]:
        if node.op == "input":
            return [self.name(node.args[0])]
        if node.op == "element":
            x, place = node.args
            return [self.texts[id(x)][i] for i in np.asarray(place, int).ravel()]
        if node.op == "linear":
            return self._linear(*node.args)
        if node.op == "any":
            return [self._one_of(node.args[0])]
        if node.op == "running":
            row = self._parts(node.args[0])
            return [f"MAX({','.join(row[: i + 1])})" for i in range(len(row))]
        if node.op == "interp":
            x, xp, fp = node.args
            return [self._interpolated(text, xp, fp) for text in self.texts[id(x)]]
        columns = [self._elements(x, node.shape) for x in node.args]
        return [_filled(TEXTS[node.op], row) for row in zip(*columns, strict=True)]

    def _parts(self, x: Traced) -> list[str]:
        """The formulas of elements that one formula takes: in cells where they are long."""
        texts = self.texts[id(x)]
        if self.place and sum(map(len, texts)) > TOGETHER and not all(map(ONE.fullmatch, texts)):
            texts = self.texts[id(x)] = self.place(texts, np.ravel(np.asarray(x.value, float)))
        return texts

    def _one_of(self, x: Traced) -> str:
        """Whether an element is not 0; of many, group by group."""
        texts, holds = self._parts(x), np.ravel(x.value) != 0
        while self.place and len(texts) > PARTS:
            groups = [slice(i, i + PARTS) for i in range(0, len(texts), PARTS)]
            holds = np.array([holds[group].any() for group in groups])
            texts = self.place([_either(texts[group]) for group in groups], holds)
        return _either(texts)

    def _linear(self, x: Traced, matrix: np.ndarray, zero: np.ndarray) -> list[str]:
        rows = np.reshape(np.array(self._parts(x), object), (-1, x.shape[-1]))
        found = []
        for row in rows:
            for column, constant in zip(matrix.T, zero, strict=True):
                terms = [literal(constant)] if constant else []
                terms += [_times(column[i], bracketed(row[i])) for i in np.flatnonzero(column)]
                found.append("+".join(terms) or "0")
        return found

    def _interpolated(self, text: str, xp: np.ndarray, fp: np.ndarray) -> str:
        x, y = self.table(xp), self.table(fp)
        inside = f"MAX({literal(xp[0])},MIN({literal(xp[-1])},{text}))"
        at = f"MIN({len(xp) - 1},MATCH({inside},{x},1))"
        slope = f"(INDEX({y},{at}+1)-INDEX({y},{at}))/(INDEX({x},{at}+1)-INDEX({x},{at}))"
        return f"INDEX({y},{at})+({inside}-INDEX({x},{at}))*{slope}"


def _filled(text: str, arguments: tuple[str, ...]) -> str:
    asked = {name: condition(x) for name, x in zip("ab", arguments, strict=False)}
    return text.format(*map(bracketed, arguments), **asked)


def _either(texts: list[str]) -> str:
    return f"IF(OR({','.join(map(condition, texts))}),1,0)"


def _times(factor: float, text: str) -> str:
    return text if factor == 1 else f"{literal(factor)}*{text}"


def literal(value: float) -> str:
    """A number as a formula holds it."""
    if np.isnan(value):
        return "NA()"
    if np.isinf(value):
        return INFINITE if value > 0 else f"(0-{INFINITE})"
    text = repr(float(value)).upper().removesuffix(".0")
    return f"(0-{text[1:]})" if text.startswith("-") else text


def bracketed(text: str) -> str:
    """A formula that may stand beside an operator."""
    return text if ONE.fullmatch(text) or _is_closed(text) else f"({text})"


def _is_closed(text: str) -> bool:
    """Whether a formula is one function, or stands in brackets."""
    if not re.match(r"[A-Z]*\(", text) or not text.endswith(")"):
        return False
    depth = 0
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and letter == ")":
            return i == len(text) - 1
    return False


def condition(text: str) -> str:
    """What a formula of 1 or 0 asks."""
    if text.startswith("IF(") and text.endswith(",1,0)") and _is_closed(text):
        inner = text[3:-5]
        if not re.search(r",", re.sub(r"\([^()]*\)", "", inner)) and _is_closed(f"({inner})"):
            return inner
    return f"{bracketed(text)}<>0"
