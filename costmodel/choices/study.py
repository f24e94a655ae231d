"""A study: one question in one object, which every analysis takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from costmodel.choices.options import Mix, Option, priced_on
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.choices.zeros import accept
from costmodel.core.checks import require
from costmodel.core.draws import check_draws
from costmodel.core.errors import check, in_words, unknown
from costmodel.core.public import misspelt, public

P = ParamSpec("P")
Answer = TypeVar("Answer")
ALONE = "option"  # the label of an option that was given without one
OF_TERMS = ("months", "on")  # fields of the terms that an analysis takes by themselves


@public
@dataclass(frozen=True)
class Study:
    """One question with its numbers: `cm.compare(study)`, `cm.ledger(study)`, `cm.breakeven(study, "API", "Own GPUs")`.

    Parameters
    ----------
    options : dict of label to Option or Mix
        The choices. One option alone is labelled "option".
    work : Workload
        What arrives.
    terms : Terms
        Start, horizon, discounting, price trends, currency. With `terms.on`, API prices of all options are those of that day.
    draws, seed : int
        How many random draws are behind a band, and what makes them repeatable.
    quality_floor : float, optional
        Least share of accepted answers [share]; without one, quality enters by the cost of wrong answers alone.
    title, prepared_for, note : str
        What reports say of it.
    accept_zero : tuple of str, or None
        Inputs of people, evaluation and refresh that are 0 and meant to be; others are refused. None looks at none of them.

    Raises
    ------
    ValueError
        Without options, with another thing in place of an option, or with draws, seed or floor out of range.
    """

    options: dict[str, Any]
    work: Workload
    terms: Terms = field(default_factory=Terms)
    draws: int = 10_000
    seed: int = 0
    quality_floor: float | None = None
    title: str = ""
    prepared_for: str = ""
    note: str = ""
    accept_zero: tuple[str, ...] | None = ()

    def __post_init__(self) -> None:
        options = self.options if isinstance(self.options, Mapping) else {ALONE: self.options}
        for label, option in options.items():
            check(
                isinstance(option, (Option, Mix)),
                f"option {label!r} is {in_words(option)}, it must be an Option or a Mix",
            )
        check(options, "options is empty; write at least one option, or presets")
        check(
            isinstance(self.work, Workload),
            f"the workload is {in_words(self.work)}, it must be a Workload(...)",
        )
        check(
            isinstance(self.terms, Terms),
            f"terms is {in_words(self.terms)}, it must be Terms(...) or None",
        )
        if self.accept_zero is not None:
            accept((options, self.work, self.terms), self.accept_zero)
        check_draws(self.draws, self.seed)
        if self.quality_floor is not None:
            require("quality_floor", self.quality_floor, 0, 1)
        on = self.terms.on
        object.__setattr__(
            self,
            "options",
            {
                label: option if on is None else priced_on(option, on)
                for label, option in options.items()
            },
        )

    @property
    def inputs(self) -> tuple[tuple[Any, ...], Workload, Terms]:
        """Options, workload and terms: what `leaves`, `doubts` and `find_key` walk through."""
        return tuple(self.options.values()), self.work, self.terms

    @property
    def alone(self) -> bool:
        """Whether it is about one option that was given without a label."""
        return list(self.options) == [ALONE]

    def changed(self, **changes: Any) -> Study:
        """The study with other fields; `months` and `on` are those of its terms, and None leaves a field as it is."""
        given = {name: value for name, value in changes.items() if value is not None}
        terms = given.pop("terms", self.terms)
        of_terms = {name: given.pop(name) for name in OF_TERMS if name in given}
        if of_terms:
            check(
                isinstance(terms, Terms),
                f"terms is {in_words(terms)}, it must be Terms(...) or None",
            )
            if (
                "on" in of_terms and terms.start == Terms(on=terms.on).start
            ):  # nobody chose the start
                of_terms["start"] = None
            terms = replace(terms, **of_terms)
        return replace(self, terms=terms, **given) if given or terms is not self.terms else self

    def option(self, label: str | None = None) -> Any:
        """The option with this label; without one, the only option that there is.

        >>> import costmodel as cm
        >>> cm.load("support_assistant").option("Rag")
        Traceback (most recent call last):
        costmodel.core.errors.CatalogError: no option 'Rag' in the study 'Support assistant over a knowledge base'; did you mean 'RAG' or 'LoRA' or 'GraphRAG'?
        """
        return self.options[self.label(label)]

    def label(self, label: str | None = None) -> str:
        """A label that is there; without one, that of the only option."""
        where = f"the study {self.title!r}" if self.title else "the options"
        if label is None:
            check(
                len(self.options) == 1,
                f"there are {len(self.options)} options; name one of {', '.join(map(repr, self.options))}",
            )
            return next(iter(self.options))
        if label not in self.options:
            raise unknown("option", label, self.options, where)
        return label

    def pair(self, first: str | None, second: str | None) -> tuple[str, str]:
        """Two labels that are there; without names, those of the only two options."""
        if first is None and second is None:
            check(
                len(self.options) == 2,
                f"there are {len(self.options)} options; name two of {', '.join(map(repr, self.options))}",
            )
            first, second = self.options
        pair = self.label(first), self.label(second)
        check(pair[0] != pair[1], f"both labels are {first!r}; name two options")
        return pair

    def plain_option(self, label: str) -> Option:
        """One option by its label, and no mix, whose techniques can be changed."""
        option = self.option(label)
        if not isinstance(option, Option):
            plain = [name for name, other in self.options.items() if isinstance(other, Option)]
            raise unknown("option without a mix", label, plain, f"the study {self.title!r}")
        return option

    def only(self, *labels: str) -> Study:
        """The study of some of its options, in this order."""
        return replace(
            self, options={label: self.option(label) for label in labels}, accept_zero=None
        )


SHORTHAND = ("terms", *OF_TERMS, "draws", "seed", "quality_floor")


def analysis(call: Callable[Concatenate[Study, P], Answer]) -> Callable[..., Answer]:
    """Make a function of a Study public: it also takes `(options, work, ...)`, and any field of the study by its name.

    `compare(study, draws=1_000)` and `compare(options, work, months=12)` reach the function as one Study. Whatever
    the function itself takes stays its own. A misspelt argument is an error with the nearest name.
    """
    own = list(inspect.signature(call).parameters.values())[1:]
    ours = {p.name for p in own}
    fields = tuple(name for name in ("work", *SHORTHAND) if name not in ours)
    name = call.__name__

    @wraps(call)
    def asked(*given: Any, **named: Any) -> Answer:
        changes = {field: named.pop(field) for field in fields if field in named}
        study, *more = given or [named.pop("options", {})]
        if not isinstance(study, Study):
            if "work" not in changes:
                check(more, f"{name} needs a workload: {name}(options, work), or {name}(study)")
                changes["work"], *more = more
            if terms := next((thing for thing in more if isinstance(thing, Terms)), None):
                changes["terms"] = terms
                more = [thing for thing in more if thing is not terms]
            if (
                own
                and own[0].name == "label"
                and isinstance(study, (Option, Mix))
                and "label" not in named
            ):
                more = [None, *more]  # the only option
            study = Study(study, changes.pop("work"), accept_zero=None)
        try:
            return call(study.changed(**changes), *more, **named)
        except TypeError as error:
            if wrong := misspelt(call, name, (study, *more), named, fields):
                raise wrong from None
            raise error

    first = inspect.Parameter(
        "study", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation="Study | Options"
    )
    more = [
        inspect.Parameter(field, inspect.Parameter.KEYWORD_ONLY, default=None) for field in fields
    ]
    asked.__signature__ = inspect.Signature([first, *own, *more])  # type: ignore[attr-defined]
    return asked
