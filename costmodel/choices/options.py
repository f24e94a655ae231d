"""What can be chosen: Option and Mix, and what they buy.

An Option is one serving and any number of techniques. A technique is a frozen dataclass whose fields are its
assumptions and which answers up to four questions, all pure, each optional:

    adapt(serving) -> serving           a student, a tuned price, adapters on a base (applied left to right)
    shape(request, work) -> request     adds segments or calls, sets flags
    buys(case) -> Line | Traffic        what it buys, once, monthly, with demand, every k months
    quality(case) -> Effect             a shift of the log-odds that an answer is accepted, with its evidence
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, is_dataclass, replace
from functools import reduce
from operator import is_
from typing import Any, TypeVar

import numpy as np

from costmodel.choices.requests import Request
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.checks import require, validate
from costmodel.core.draws import middle
from costmodel.core.errors import check, in_words
from costmodel.core.nested import same
from costmodel.core.public import public
from costmodel.core.ranges import Doubt, Number, Range
from costmodel.laws.quality import shift


@public
@dataclass(frozen=True)
class Case:
    """What a technique sees when it buys: workload, terms, and the finished serving and request."""

    work: Workload
    terms: Terms
    serving: Any
    request: Request
    requests_per_month: Number
    together: tuple[Case, ...] = ()  # the other parts of a Mix that share an equal technique
    techniques: tuple[Any, ...] = ()  # all of the option: what is watched is found sooner


def require_servings(technique: Any, *names: str) -> None:
    """Check that fields which may name another serving do, or are None: the option's own."""
    for name in names:
        value = getattr(technique, name)
        serving = value is None or (hasattr(value, "price") and not isinstance(value, type))
        check(
            serving,
            f"{type(technique).__name__}.{name} is {in_words(value)}, it must be a serving, such as Api(...), or None for the option's own",
        )


@public
@dataclass(frozen=True, init=False)
class Option:
    """A choice: one serving (who answers) and any number of techniques (how it is made to answer well).

    `quality` is the share of answers accepted in your own evaluation, a number, a Range or
    `Measured(accepted, trials)`; it overrides every effect.
    """

    serving: Any
    techniques: tuple[Any, ...]
    quality: Number | None

    def __init__(
        self,
        serving: Any,
        *more: Any,
        techniques: Iterable[Any] = (),
        quality: Number | None = None,
    ) -> None:
        object.__setattr__(self, "serving", serving)
        object.__setattr__(self, "techniques", (*techniques, *more))
        object.__setattr__(self, "quality", quality)
        check(
            hasattr(serving, "price") and not isinstance(serving, type),
            f"Option: the first argument is {in_words(serving)}, it must be a serving, Api(...) or Hosted(...)",
        )
        for t in self.techniques:
            known = any(
                callable(getattr(t, m, None)) for m in ("adapt", "shape", "buys", "quality")
            ) and not isinstance(t, type)
            check(
                known,
                f"Option: {in_words(t)} is not a technique, such as Rag() or Lora(examples=2_000)",
            )
        twice = next(
            (
                t
                for i, t in enumerate(self.techniques)
                if any(same(t, other) for other in self.techniques[:i])
            ),
            None,
        )
        check(twice is None, f"Option: {type(twice).__name__}(...) is there twice; leave one out")
        if quality is not None:
            require("quality", quality, 0, 1)

    def parts(self) -> list[tuple[Option, Any, Any]]:
        """(option, share of requests it sees, share it answers)."""
        return [(self, 1.0, 1.0)]

    def case(self, work: Workload, terms: Terms, share: Any = 1.0) -> Case:
        """The case after every adapt and every shape, so that everybody sees the finished request."""
        serving = reduce(
            lambda s, t: t.adapt(s) if hasattr(t, "adapt") else s, self.techniques, self.serving
        )
        request = reduce(
            lambda r, t: t.shape(r, work) if hasattr(t, "shape") else r,
            self.techniques,
            work.request(),
        )
        return Case(
            work,
            terms,
            serving,
            request,
            work.requests_per_month * share,
            techniques=self.techniques,
        )

    def accepted(self, case: Case) -> Any:
        """Share of answers accepted: the user's evaluation, else the serving's base shifted by every effect."""
        if self.quality is not None:
            return self.quality
        if case.serving.accepted is None:
            return None
        effects = [t.quality(case) for t in self.techniques if hasattr(t, "quality")]
        share = shift(case.serving.accepted, sum((e.log_odds for e in effects), 0.0))
        return reduce(lambda p, e: p * e.kept, effects, share)


@public
@dataclass(frozen=True)
class Part:
    """A part of a Mix: `sees` is the share of requests it is called for, `answers` the share it answers.

    `sees=None` means the same as answers (a router); `answers=None` means what the other parts leave.
    """

    option: Any
    sees: Number | None = None
    answers: Number | None = None

    def __post_init__(self) -> None:
        check(
            isinstance(self.option, (Option, Mix)),
            f"Part: {self.option!r} is not an option, such as Option(Api('gpt-6-sol'))",
        )
        validate(self, optional=("sees", "answers"))
        if self.sees is not None and self.answers is not None:
            sees, answers = middle((self.sees, self.answers))
            check(
                np.all(np.asarray(sees) >= np.asarray(answers)),
                f"Part: answers {answers} of the requests but sees only {sees}",
            )


@public
@dataclass(frozen=True, init=False)
class Mix:
    """Several options behind one door, itself an option: a router has sees = answers; in a cascade the first part
    sees everything, and the second sees and answers what is escalated."""

    mix: tuple[Part, ...]

    def __init__(self, *more: Part, mix: Iterable[Part] = ()) -> None:
        object.__setattr__(self, "mix", (*mix, *more))
        check(
            self.mix and all(isinstance(p, Part) for p in self.mix),
            "Mix needs Parts: Mix(Part(a, sees, answers), ...)",
        )
        check(
            sum(p.answers is None for p in self.mix) <= 1,
            "Mix: only one part may leave `answers` open",
        )
        doubts = [
            p.answers
            for p in self.mix
            if isinstance(p.answers, Doubt) and p.answers.low < p.answers.high
        ]
        open_ = any(p.answers is None for p in self.mix)
        check(
            not doubts or open_,
            "Mix: a part that answers a Range of the requests needs another with answers=None, which takes the rest",
        )
        most = sum(
            p.answers.high if isinstance(p.answers, Doubt) else p.answers
            for p in self.mix
            if p.answers is not None
        )
        check(
            not open_ or most <= 1 + 1e-9,
            f"Mix: the parts may answer up to {most:g} of all requests, allowed is 1 together",
        )
        given = sum(
            p.answers.mid if isinstance(p.answers, Doubt) else p.answers
            for p in self.mix
            if p.answers is not None
        )
        whole = (
            given <= 1 + 1e-9 if any(p.answers is None for p in self.mix) else abs(given - 1) < 1e-9
        )
        check(
            whole, f"Mix: the parts answer {given:g} of all requests, together they must answer 1"
        )

    def parts(self) -> list[tuple[Option, Any, Any]]:
        rest = 1.0 - sum((p.answers for p in self.mix if p.answers is not None), 0.0)
        found = []
        for p in self.mix:
            answers = rest if p.answers is None else p.answers
            sees = answers if p.sees is None else p.sees
            found += [(option, sees * s, answers * a) for option, s, a in p.option.parts()]
        return found


@public
def cascade(first: Any, second: Any, escalated: Number) -> Mix:
    """Try `first` on everything; `escalated` of the requests go on to `second`, and are paid twice.

    Which requests go on is not modelled: the quality is the mean of both, weighted by what each answers.
    """
    if isinstance(escalated, Range) and escalated.name is None:
        escalated = replace(escalated, name="Cascade.escalated")
    return Mix(Part(first, sees=1.0), Part(second, sees=escalated, answers=escalated))


Thing = TypeVar("Thing")


@public
def priced_on(thing: Thing, on: str) -> Thing:
    """An option with every API in it at the prices of another date: its serving, judges, teachers, overflow.

    Parameters
    ----------
    thing : Option, Mix, or anything that holds servings
        Rents of GPUs are facts of the catalogue, not of the price list, and stay as they are.
    on : str
        The date of the prices, such as "2026-11-01".

    Returns
    -------
    Option, Mix, ...
        A copy, or the object itself where all prices are of that date already.

    Raises
    ------
    ValueError
        When prices that were changed by hand would have to move.

    Examples
    --------
    >>> import costmodel as cm
    >>> cheap = cm.Api("gpt-6-luna", on="2026-11-20")
    >>> option = cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-20"), cm.Evals(judge=cheap))
    >>> cm.choices.priced_on(option, "2026-11-01").techniques[0].judge.on
    '2026-11-01'
    >>> cm.choices.priced_on(option, "2026-11-20") is option
    True
    """
    if isinstance(thing, tuple):
        items: Any = tuple(priced_on(item, on) for item in thing)
        return thing if all(map(is_, items, thing)) else items
    if isinstance(thing, Doubt) or not is_dataclass(thing):
        return thing
    if hasattr(thing, "at"):  # what has prices of a date: Api, Provisioned
        return thing.at(on)
    old = {name: getattr(thing, name) for name in thing.__dataclass_fields__}
    new = {name: priced_on(value, on) for name, value in old.items()}
    moved = {name: value for name, value in new.items() if value is not old[name]}
    return replace(thing, **moved) if moved else thing
