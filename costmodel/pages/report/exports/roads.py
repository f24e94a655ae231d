"""The branches that a model took, in words over the inputs that decide them."""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.core import listed, number_text
from costmodel.ledgers.tracing import Traced, inputs_of
from costmodel.pages.report.exports.workbook import FIRST

STAYS = {  # what a comparison says while it is true, and while it is not
    "greater": ("stays above", "stays at or below"),
    "greater_equal": ("stays at or above", "stays below"),
    "less": ("stays below", "stays at or above"),
    "less_equal": ("stays at or below", "stays above"),
    "equal": ("stays", "stays other than"),
    "not_equal": ("stays other than", "stays"),
}
TURNED = {"greater": "less", "greater_equal": "less_equal", "less": "greater",
          "less_equal": "greater_equal"}  # fmt: skip
NAMED = 4  # inputs; of more, one fewer is named and the others are counted


def road(node: Traced, was: bool) -> str:
    """What must stay, so that a model takes the branch that it took.

    >>> from costmodel.ledgers.tracing import Trace
    >>> trace = Trace()
    >>> prompt, answer = (Traced(trace, "input", (x,), 9.0, None) for x in ("prompt", "answer"))
    >>> road(prompt - 4_000 > 0, False)
    'prompt stays at or below 4,000'
    >>> road((prompt + answer > answer) == 0, True)
    'what follows from answer and prompt stays at or below answer'
    >>> road(np.less_equal(4_000, prompt), True)
    'prompt stays at or above 4,000'
    """
    if node.op == "logical_not" or _asks(node, "equal"):
        return road(node.args[0], not was)
    if _asks(node, "not_equal"):
        return road(node.args[0], was)
    if node.op == "any":
        return f"{road(node.args[0], was)} {'somewhere' if was else 'throughout'}"
    if node.op not in STAYS:
        if node.value is True or node.value is False or np.asarray(node.value).dtype == bool:
            return f"{_side(node)} decides as it did"
        return f"{_side(node)} {STAYS['not_equal'][not was]} 0"
    (left, right), op = node.args, node.op
    if not isinstance(left, Traced):
        left, right, op = right, left, TURNED.get(op, op)
    if isinstance(left, Traced) and left.op == "subtract" and _is_zero(right):
        left, right = left.args
    return f"{_side(left)} {STAYS[op][not was]} {_side(right)}"


def _is_zero(x: Any) -> bool:
    return not isinstance(x, Traced) and not np.any(x)


def _asks(node: Traced, op: str) -> bool:
    """Whether a comparison with 0 asks whether another condition holds."""
    asked = node.args[0]
    known = isinstance(asked, Traced) and np.asarray(asked.value).dtype == bool
    return node.op == op and known and _is_zero(node.args[1])


def _side(x: Any) -> str:
    if not isinstance(x, Traced):
        return number_text(float(x)) if np.size(x) == 1 else "its limits"
    names = sorted(inputs_of(x), key=lambda name: (not name.startswith(FIRST), name))
    if x.op == "input":
        return names[0]
    shown = (
        names if len(names) <= NAMED else [*names[: NAMED - 1], f"{len(names) - NAMED + 1} more"]
    )
    return f"what follows from {listed(shown)}"
