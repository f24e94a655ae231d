"""One thread of BLAS for what is computed here: its matrices are small.

On two busy processors the threads of OpenBLAS wait for each other longer than they compute, and
sums depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
Answer = TypeVar("Answer")


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def one_blas_thread(call: Callable[P, Answer]) -> Callable[P, Answer]:
    """Let a function multiply matrices with one thread; what calls it keeps its own setting."""

    @wraps(call)
    def alone(*args: P.args, **named: P.kwargs) -> Answer:
        with _libraries().limit(limits=1, user_api="blas"):
            return call(*args, **named)

    return alone
