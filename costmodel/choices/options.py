"""What can be chosen: an Option, and a Mix of options.

An Option is one serving and any number of techniques. A technique is a frozen dataclass whose
fields are its assumptions. It has at least one of four methods, all without side effects:

    adapt(serving) -> serving           a student, a tuned price, adapters on a base (left to right)
    shape(request, work) -> request     adds segments or calls, sets flags
    buys(case) -> Line | Traffic        what it buys: once, monthly, with demand, every k months
    quality(case) -> Effect             what it does to the share of answers accepted

One that replaces models says by month what that changes: `price_path(case)` of the tokens of an
API, and `odds_path(case)` of an accepted answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import is_dataclass, replace
from operator import is_
from typing import Any, TypeVar, cast

from costmodel.choices.quality.accepted import share_accepted
from costmodel.choices.requests import Request
from costmodel.choices.servings.waiting import sized_in_time
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    Doubt,
    Number,
    check,
    field_names,
    frozen,
    in_words,
    is_nest,
    public,
    require,
    same,
)

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


@frozen(init=False)
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
        but not those of later models (`Upgrades.quality_step`). Where task, model and techniques
        say something of it, a `Measured` has that as its prior in a study.

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
        vars(self).update(serving=serving, techniques=(*techniques, *more), quality=quality)
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
    if getattr(thing, "_priced_on", None) == on:  # it was asked before: nothing moves
        return thing
    made = each_priced(thing, lambda serving: serving.at(on))
    if is_nest(made):
        object.__setattr__(made, "_priced_on", on)
    return made


def each_priced(thing: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of what holds servings, with each that has a price card (Api, Provisioned) changed.

    What does not change is the object itself.
    """
    return each(thing, lambda part: hasattr(part, "at"), change)


def each(thing: Any, wanted: Callable[[Any], bool], change: Callable[[Any], Any]) -> Any:
    """A copy of nested dataclasses and tuples with `change(part)` for each part that is wanted.

    What does not change is the object itself.
    """
    if isinstance(thing, tuple):
        items: Any = tuple(each(item, wanted, change) for item in thing)
        return thing if all(map(is_, items, thing)) else items
    if isinstance(thing, Doubt) or not is_dataclass(thing):
        return thing
    if wanted(thing):
        return change(thing)
    moved = {}
    for name in field_names(thing):
        old = getattr(thing, name)
        if (new := each(old, wanted, change)) is not old:
            moved[name] = new
    return replace(cast(Any, thing), **moved) if moved else thing
