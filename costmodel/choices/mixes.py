"""Several options behind one door: a router, or a cascade, with a signal that picks requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from costmodel.choices.options import Option
from costmodel.core import (
    Number,
    Range,
    check,
    check_known,
    checked,
    frozen,
    middle,
    public,
    require,
    same,
    validate,
)
from costmodel.facts import catalog

PARTS_MAX = 64  # options in a mix, those of inner mixes counted
SIGNALS = ("router", "asked_confidence", "typed_judge", "free_text_judge")


@frozen
class Part:
    """A part of a Mix: an option with the requests that it sees and those that it answers.

    Parameters
    ----------
    option : Option or Mix
    sees : number, share, optional
        Requests for which it is called; None: those that it answers (a router).
    answers : number, share, optional
        Requests that it answers; None: those that the other parts leave.

    Raises
    ------
    ValueError
        When a share is outside 0 to 1, or a part answers more than it sees.

    Examples
    --------
    >>> import costmodel as cm
    >>> small, large = (cm.Option(cm.Api(m)) for m in ("gpt-6-luna", "gpt-6.1-terra"))
    >>> first, second = cm.Part(small, sees=1.0, answers=0.7), cm.Part(large)
    >>> [(round(sees, 1), round(answers, 1)) for _, sees, answers in cm.Mix(first, second).parts()]
    [(1.0, 0.7), (0.3, 0.3)]
    """

    option: Any
    sees: Number | None = None
    answers: Number | None = None

    def __post_init__(self) -> None:
        check(
            isinstance(self.option, (Option, Mix)),
            f"Part: {self.option!r} is not an option, such as Option(Api('gpt-6-sol'))",
        )
        validate(self)
        if self.sees is not None and self.answers is not None:
            sees, answers = middle((self.sees, self.answers))
            check(
                np.all(sees >= answers),
                f"Part: answers {answers} of the requests but sees only {sees}",
            )


@checked
class Signal:
    """What tells which requests the second part of a mix gets: those with the least of it.

    Parameters
    ----------
    signal_auc : number, share, 0.5 to 1
        Chance that a right answer of the first part has more of the signal than a wrong one. At 0.5
        it tells nothing.
    correlation : number, share
        How the two parts are right on the same questions (tetrachoric).

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.choices.Signal.of("typed_judge").signal_auc.mid
    0.82
    """

    signal_auc: Number
    correlation: Number = catalog.fact("task_quality", "same_question.correlation").value

    @classmethod
    def of(cls, name: str) -> Signal:
        """A published signal: router, asked_confidence, typed_judge or free_text_judge."""
        check_known("signal", name, SIGNALS, "task_quality.csv")
        return cls(catalog.fact("task_quality", f"{name}.signal_auc").value)


@frozen(init=False)
class Mix:
    """Several options behind one door, itself an option: a router, or a cascade.

    Equal servings of the parts share their load, and equal techniques are bought once.

    Parameters
    ----------
    *parts : Part
        Together they answer every request once. In a router a part sees what it answers; in a
        cascade the first part sees everything, and the next sees and answers what is handed on.
    signal : Signal or str, optional
        What picks the requests of the second of two parts. None: nothing does, and the quality is
        the mean of the parts.
    quality : number, share, or Measured, optional
        Share of answers accepted in your own evaluation of the whole.

    Raises
    ------
    ValueError
        When the parts do not answer all requests, when more than one leaves `answers` open, or when
        a signal has to pick among other than two.

    Examples
    --------
    >>> import costmodel as cm
    >>> small, large = (cm.Option(cm.Api(m)) for m in ("gpt-6-luna", "gpt-6.1-terra"))
    >>> [answers for _, _, answers in cm.Mix(cm.Part(small, answers=0.75), cm.Part(large)).parts()]
    [0.75, 0.25]
    """

    mix: tuple[Part, ...]
    signal: Signal | None
    quality: Number | None

    def __init__(
        self,
        *more: Part,
        mix: Iterable[Part] = (),
        signal: Signal | str | None = None,
        quality: Number | None = None,
    ) -> None:
        signal = Signal.of(signal) if isinstance(signal, str) else signal
        vars(self).update(quality=quality, mix=(*mix, *more), signal=signal)
        if quality is not None:
            require("quality", quality, 0, 1)
        check(
            self.signal is None or (isinstance(self.signal, Signal) and len(self.mix) == 2),
            "Mix: a signal picks the requests of the second of two parts; give two parts and "
            f"signal=Signal(auc) or one of {', '.join(SIGNALS)}",
        )
        check(
            self.mix and all(isinstance(p, Part) for p in self.mix),
            "Mix needs Parts: Mix(Part(a, sees, answers), ...)",
        )
        check(
            self.size <= PARTS_MAX,
            f"Mix: with its inner mixes it holds {self.size} options, allowed are {PARTS_MAX}; "
            "leave some out",
        )
        shares: list[Any] = [p.answers for p in self.mix if p.answers is not None]
        rest = len(self.mix) - len(shares)
        most = sum(getattr(s, "high", s) for s in shares)
        check(rest <= 1, "Mix: only one part may leave `answers` open")
        if rest:
            check(
                most <= 1 + 1e-9,
                f"Mix: the parts may answer up to {most:g} of all requests, allowed is 1 together",
            )
            return
        check(
            most == sum(getattr(s, "low", s) for s in shares),
            "Mix: a part that answers a Range of the requests needs another with answers=None, "
            "which takes the rest",
        )
        check(
            abs(most - 1) < 1e-9,
            f"Mix: the parts answer {most:g} of all requests, together they must answer 1",
        )

    def parts(self) -> list[tuple[Option, Any, Any]]:
        """(option, share of requests it sees, share it answers), inner mixes resolved.

        Equal options are one.
        """
        found: list[tuple[Option, Any, Any]] = []
        for p, answers in zip(self.mix, self.answers(), strict=True):
            sees = answers if p.sees is None else p.sees
            for option, s, a in p.option.parts():
                at = next((i for i, known in enumerate(found) if same(option, known[0])), None)
                if at is None:
                    found.append((option, sees * s, answers * a))
                else:
                    _, seen, answered = found[at]
                    found[at] = option, seen + sees * s, answered + answers * a
        return found

    @cached_property
    def size(self) -> int:
        """Options in it, those of inner mixes counted."""
        return sum(getattr(p.option, "size", 1) for p in self.mix)

    def answers(self) -> list[Any]:
        """Share of the requests that each of its own parts answers."""
        rest = 1.0 - sum(p.answers for p in self.mix if p.answers is not None)
        return [rest if p.answers is None else p.answers for p in self.mix]


@public
def cascade(
    first: Any, second: Any, escalated: Number, signal: Signal | str | None = "asked_confidence"
) -> Mix:
    """Try `first` on everything; some requests go on to `second`, and are paid twice.

    Those go on whose answers have the least of a signal (`cm.knowledge.cascade_right`).

    Parameters
    ----------
    first, second : Option or Mix
    escalated : number, share
        Requests that go on.
    signal : Signal or str, optional
        "typed_judge" where an answer can be checked, "asked_confidence" of the first model,
        "router" before it answers, "free_text_judge"; None: at random.

    Returns
    -------
    Mix

    Examples
    --------
    >>> import costmodel as cm
    >>> small, large = (cm.Option(cm.Api(m)) for m in ("gpt-6-luna", "gpt-6.1-terra"))
    >>> [(sees, answers) for _, sees, answers in cm.cascade(small, large, 0.25).parts()]
    [(1.0, 0.75), (0.25, 0.25)]
    """
    if isinstance(escalated, Range) and escalated.name is None:
        escalated = replace(escalated, name="Cascade.escalated")
    parts = Part(first, sees=1.0), Part(second, sees=escalated, answers=escalated)
    return Mix(*parts, signal=signal)
