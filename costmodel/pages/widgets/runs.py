"""Answers one at a time, in a thread of their own: the last question counts.

JupyterLab sends what a slider says to a thread beside the cells, so that two answers could be
computed at once and the older one be shown last. Here one thread answers, each question has a
number, and while a hand drags, quick answers follow it; the full one comes when it rests.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import perf_counter

QUIET_S = 0.03  # without a further question the hand has come to rest
OLD_S = 0.2  # a hand that drags sees a picture that often
REST_S = 0.1  # the page shows a picture in it


class Runs:
    """Calls `answer(number, full)`; at once where no kernel runs, as in a script."""

    def __init__(self, answer: Callable[[int, bool], None], threaded: bool) -> None:
        self.answer, self.threaded = answer, threaded
        self.number = self.done = 0
        self.asked_s = self.shown_s = 0.0
        self.wake = threading.Condition()
        self.thread: threading.Thread | None = None

    def ask(self) -> None:
        """Answer once more, soon."""
        with self.wake:
            self.number += 1
            number, self.asked_s = self.number, perf_counter()
            if self.threaded and self.thread is None:
                self.thread = threading.Thread(target=self._work, daemon=True)
                self.thread.start()
            self.wake.notify_all()
        if not self.threaded:
            self.answer(number, True)
            self.done = number

    def settle(self, seconds: float = 60.0) -> bool:
        """Wait until the last question is answered."""
        with self.wake:
            return self.wake.wait_for(lambda: self.done == self.number, seconds)

    def wanted(self, number: int) -> bool:
        """Whether a picture is worth its time: nobody asked anew, or the last one is old."""
        return number == self.number or perf_counter() - self.shown_s > OLD_S

    def alone(self, number: int) -> bool:
        """Whether a page waits for this question, and for no newer one."""
        return self.threaded and number == self.number

    def rest(self) -> None:
        """Leave the processor to the page for a moment, unless another question comes."""
        with self.wake:
            number = self.number
            self.wake.wait_for(lambda: self.number != number, REST_S)

    def _work(self) -> None:
        while True:
            with self.wake:
                self.wake.wait_for(lambda: self.done != self.number)
                number, quiet_s = self.number, perf_counter() - self.asked_s
                moving = self.wake.wait_for(lambda: self.number != number, QUIET_S - quiet_s)  # noqa: B023
                number = self.number
            self.answer(number, not moving)
            if not moving:
                with self.wake:
                    self.done = number
                    self.wake.notify_all()


def kernel_runs() -> bool:
    """Whether a kernel runs, which answers widgets."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None
