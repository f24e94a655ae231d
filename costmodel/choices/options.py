"""What can be chosen: an Option, and a Mix of options.

An Option is one serving and any number of techniques. A technique is a frozen dataclass whose
fields are its assumptions. It has at least one of four methods, all without side effects:

    adapt(serving) -> serving           a student, a tuned price, adapters on a base (left to right)
    shape(request, work) -> request     adds segments or calls, sets flags
    buys(case) -> Line | Traffic        what it buys: once, monthly, with demand, every k months
    quality(case) -> Effect             what it does to the share of answers accepted

One that replaces models says by month what that changes: `price_path(case)` of the tokens of an
API, and `log_odds_path(case)` of an accepted answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, is_dataclass, replace
from operator import is_
from typing import Any, TypeVar, cast

import numpy as np

from costmodel.choices.quality.accepted import share_accepted
from costmodel.choices.requests import Request
from costmodel.choices.servings.waiting import sized_in_time
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    Doubt,
    Number,
    Range,
    check,
    check_known,
    field_names,
    frozen,
    in_words,
    middle,
    public,
    require,
    same,
    validate,
)
from costmodel.facts import catalog

SIGNALS = ("router", "asked_confidence", "typed_judge", "free_text_judge")
METHODS = ("adapt", "shape", "buys", "quality")


@frozen
class Case:
    """What a technique sees when it buys: workload, terms, and the finished serving and request.

    Parameters
    ----------
    work : Workload
        What arrives.
    terms : Terms
        Horizon, prices and people.
    serving : Api, Hosted, Provisioned, ...
        Who answers, as the techniques have left it.
    request : Request
        The calls of one request, as the techniques have shaped them.
    requests_per_month : number, request/month
        What this option sees at the start.
    together : tuple of Case
        The other parts of a Mix that share an equal technique.
    techniques : tuple
        All techniques of the option.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import costmodel as cm
    >>> @dataclass(frozen=True)
    ... class Tool:
    ...     def buys(self, case):
    ...         quantity = case.requests_per_month / 1_000
    ...         when = cm.ledgers.with_demand()
    ...         yield cm.ledgers.Line("tool", "serving", quantity, "1,000 calls", 5.0, when, "none")
    >>> option = cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-01"), Tool())
    >>> work = cm.Workload(100_000, input_tokens=900, output_tokens=250)
    >>> cm.ledger(option, work, months=1).set_index("item").loc["tool", "usd"].item()
    500.0
    """

    work: Workload
    terms: Terms
    serving: Any
    request: Request
    requests_per_month: Number
    together: tuple[Case, ...] = ()  # the other parts of a Mix that share an equal technique
    techniques: tuple[Any, ...] = ()  # all of the option: what is watched is found sooner


def is_serving(value: Any) -> bool:
    """Whether something prices model calls: an instance, and not a class."""
    return hasattr(value, "price") and not isinstance(value, type)


def require_servings(technique: Any, *names: str) -> None:
    """Check fields that may name another serving; None is the option's own."""
    for name in names:
        value = getattr(technique, name)
        check(
            value is None or is_serving(value),
            f"{type(technique).__name__}.{name} is {in_words(value)}, "
            "it must be a serving, such as Api(...), or None for the option's own",
        )


@public
@dataclass(frozen=True, init=False)
class Option:
    """A choice: one serving (who answers) and any number of techniques (how it answers well).

    Parameters
    ----------
    serving : Api, Hosted, Provisioned, ...
        Who answers.
    *techniques : Rag, Lora, Evals, ...
        What is built around it, such as `Rag()` or `Lora(examples=4_000)`; their order does not
        matter, but where several change the serving.
    quality : number, share, or Measured, optional
        Share of answers accepted in your own evaluation. It replaces the effects of all techniques,
        but not those of later models (`Upgrades.quality_step`).

    Raises
    ------
    ValueError
        When something else is given, or when a technique is there twice.

    Examples
    --------
    >>> import costmodel as cm
    >>> api = cm.Api("gpt-6.1-terra", on="2026-11-20")
    >>> option = cm.Option(api, cm.FewShot(examples=8), cm.Evals(), quality=cm.Measured(68, 80))
    >>> len(option.techniques)
    2
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
            is_serving(serving),
            f"Option: the first argument is {in_words(serving)}, "
            "it must be a serving, Api(...) or Hosted(...)",
        )
        for i, technique in enumerate(self.techniques):
            known = any(callable(getattr(technique, name, None)) for name in METHODS)
            check(
                known and not isinstance(technique, type),
                f"Option: {in_words(technique)} is not a technique, "
                "such as Rag() or Lora(examples=2_000)",
            )
            check(
                not any(same(technique, other) for other in self.techniques[:i]),
                f"Option: {type(technique).__name__}(...) is there twice; leave one out",
            )
        if quality is not None:
            require("quality", quality, 0, 1)

    def parts(self) -> list[tuple[Option, Any, Any]]:
        """(option, share of requests it sees, share it answers)."""
        return [(self, 1.0, 1.0)]

    def case(self, work: Workload, terms: Terms, share: Any = 1.0) -> Case:
        """The case after every adapt and shape, so that everybody sees the finished request."""
        serving, request = self.serving, work.request()
        for technique in self.techniques:
            if hasattr(technique, "adapt"):
                serving = technique.adapt(serving)
            if hasattr(technique, "shape"):
                request = technique.shape(request, work)
        requests = work.requests_per_month * share
        case = Case(work, terms, serving, request, requests, techniques=self.techniques)
        return sized_in_time(case)

    def accepted(self, case: Case) -> Any:
        """Share of answers accepted: your evaluation, or that of the serving with every effect."""
        if self.quality is not None:
            return self.quality
        effects = (t.quality(case) for t in self.techniques if hasattr(t, "quality"))
        return share_accepted(case, effects)


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


@frozen
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

    def __post_init__(self) -> None:
        validate(self)

    @classmethod
    def of(cls, name: str) -> Signal:
        """A published signal: router, asked_confidence, typed_judge or free_text_judge."""
        check_known("signal", name, SIGNALS, "task_quality.csv")
        return cls(catalog.fact("task_quality", f"{name}.signal_auc").value)


@public
@dataclass(frozen=True, init=False)
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
        object.__setattr__(self, "quality", quality)
        if quality is not None:
            require("quality", quality, 0, 1)
        object.__setattr__(self, "mix", (*mix, *more))
        object.__setattr__(self, "signal", Signal.of(signal) if isinstance(signal, str) else signal)
        check(
            self.signal is None or (isinstance(self.signal, Signal) and len(self.mix) == 2),
            "Mix: a signal picks the requests of the second of two parts; give two parts and "
            f"signal=Signal(auc) or one of {', '.join(SIGNALS)}",
        )
        check(
            self.mix and all(isinstance(p, Part) for p in self.mix),
            "Mix needs Parts: Mix(Part(a, sees, answers), ...)",
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
        """(option, share of requests it sees, share it answers), inner mixes resolved."""
        found = []
        for p, answers in zip(self.mix, self.answers(), strict=True):
            sees = answers if p.sees is None else p.sees
            found += [(option, sees * s, answers * a) for option, s, a in p.option.parts()]
        return found

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


Thing = TypeVar("Thing")


@public
def repriced(thing: Thing, on: str) -> Thing:
    """An option with every API in it at the prices of another date: also judges and teachers.

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
    >>> cm.choices.repriced(option, "2026-11-01").techniques[0].judge.on
    '2026-11-01'
    >>> cm.choices.repriced(option, "2026-11-20") is option
    True
    """
    return each_priced(thing, lambda serving: serving.at(on))


def each_priced(thing: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of what holds servings, with each that has a price card (Api, Provisioned) changed.

    What does not change is the object itself.
    """
    if isinstance(thing, tuple):
        items: Any = tuple(each_priced(item, change) for item in thing)
        return thing if all(map(is_, items, thing)) else items
    if isinstance(thing, Doubt) or not is_dataclass(thing):
        return thing
    if hasattr(thing, "at"):
        return change(thing)
    moved = {}
    for name in field_names(thing):
        old = getattr(thing, name)
        if (new := each_priced(old, change)) is not old:
            moved[name] = new
    return replace(cast(Any, thing), **moved) if moved else thing
