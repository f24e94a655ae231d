"""A study: one question in one object, which every analysis takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from costmodel.choices.mixes import Mix, Part
from costmodel.choices.options import Option, repriced
from costmodel.choices.quality.evidence import after_evidence
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.choices.zeros import accept
from costmodel.core import (
    Measured,
    check,
    check_draws,
    check_known,
    frozen,
    in_words,
    not_none,
    of_kind,
    one_number,
    public,
    require,
    same,
    unknown,
)

P = ParamSpec("P")
Answer = TypeVar("Answer")
Each = TypeVar("Each")
Cut = Callable[[Any, "Study"], Any]
MOST = 300  # options of a study
ALONE = "option"  # the label of an option that was given without one
OF_TERMS = ("months", "on")  # fields of the terms that may be given like fields of the study
OF_THE_RULE = ("quality_floor", "confidence", "risk")
SHORTHAND = ("work", "terms", *OF_TERMS, "draws", "seed", *OF_THE_RULE)


@frozen
class Study:
    """One question with all its numbers, which every analysis takes.

    So all answers to a question rest on the same assumptions and draws.

    Parameters
    ----------
    options : dict of label to Option or Mix
        The choices. One option alone is labelled "option". A `Measured` quality without a name is
        the evaluation of its label, and errs apart from those of other labels.
    work : Workload
        What arrives.
    terms : Terms
        Start, horizon, discounting, price trends, currency. With `terms.on`, all API prices are
        those of that day.
    draws : int, 1 to 1,000,000
        How many random draws lie behind a band.
    seed : int
        What makes the draws repeatable.
    quality_floor : float, share, optional
        Least share of accepted answers. Without one, quality enters by the cost of wrong answers
        alone.
    confidence : float, share
        Least chance, over the draws, to reach the quality floor: an option with less is not
        eligible.
    risk : float, 0 to 1
        Aversion to bad outcomes: options are ranked by mean + risk x (mean of the worst tenth of
        the draws - mean) of the present value of their cost. 0 is the mean alone.
    title, prepared_for, note : str
        Texts for reports.
    accept_zero : tuple of str, or None
        Inputs of people, evaluation and refresh that are 0 on purpose; any other that is 0 is an
        error. None checks none of them.
    evidence : dict of label to Option or Mix
        Options with a `Measured` quality that are not among the choices, such as the pilot of a
        plain prompt: what was judged moves what is not known of the others.
    part_of : tuple of str
        The labels of the study that `only` cut this one from.
    points, before, whole : internal
        The draws of doubts after evidence, the study before it, and that which `only` cut it from.

    Raises
    ------
    ValueError
        Without options, with a wrong object in place of an option, a workload or terms, with a
        zero that was not accepted, or with draws, seed, floor, confidence or risk out of range.

    Examples
    --------
    >>> import costmodel as cm
    >>> options = {
    ...     "large": cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-20")),
    ...     "small": cm.Option(cm.Api("gpt-6-luna", on="2026-11-20")),
    ... }
    >>> work = cm.Workload(300_000, input_tokens=1_500, output_tokens=250)
    >>> study = cm.Study(options, work, cm.Terms(months=12), draws=100)
    >>> cm.compare(study).index.to_list()
    ['small', 'large']

    The shorthand builds the same study, and any field of it may be given by name:

    >>> same = cm.compare(options, work, months=12, draws=100)
    >>> same.equals(cm.compare(study)) and same.equals(cm.compare(study, seed=0))
    True
    >>> cm.compare(study, draw=1_000)
    Traceback (most recent call last):
    TypeError: no argument 'draw' in compare(...); did you mean 'draws'?
    """

    # -- the question
    options: dict[str, Any]
    work: Workload
    terms: Terms = field(default_factory=Terms)
    # -- how it is answered
    draws: int = 10_000
    seed: int = 0
    quality_floor: float | None = None
    confidence: float = 0.8
    risk: float = 0.0
    # -- what a report says
    title: str = ""
    prepared_for: str = ""
    note: str = ""
    accept_zero: tuple[str, ...] | None = ()
    evidence: dict[str, Any] = field(default_factory=dict)
    part_of: tuple[str, ...] = field(default=(), repr=False)
    points: Any = field(default=None, repr=False, compare=False)
    before: Any = field(default=None, repr=False, compare=False)
    whole: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        options = self.options if isinstance(self.options, Mapping) else {ALONE: self.options}
        check(options, "options is empty; write at least one option, or presets")
        many = len(options)
        check(many <= MOST, f"options has {many:,} options, allowed are {MOST}; make two studies")
        for label, option in options.items():
            check(
                isinstance(label, str) and label.strip(),
                f"the label of an option is {in_words(label)}, it must be a text such as 'RAG'",
            )
            of_kind(f"option {label!r}", option, Option, Mix)
        of_kind("the workload", self.work, Workload)
        of_kind("terms", self.terms, Terms)
        if self.accept_zero is not None:
            accept((options, self.work, self.terms), self.accept_zero)
        check_draws(self.draws, self.seed)
        if self.quality_floor is not None:
            require("quality_floor", self.quality_floor, 0, 1)
            one_number("quality_floor", self.quality_floor)  # and no Range
        one_number("confidence", self.confidence, 0, 1)
        one_number("risk", self.risk, 0, 1)
        options = _with_evaluations(options)
        for label, option in self.evidence.items():
            of_kind(f"evidence {label!r}", option, Option, Mix)
            of_kind(f"the quality of evidence {label!r}", option.quality, Measured)
        object.__setattr__(self, "evidence", _with_evaluations(self.evidence))
        if on := self.terms.on:
            options = {label: repriced(option, on) for label, option in options.items()}
        object.__setattr__(self, "options", dict(options))

    # -- its parts ---------------------------------------------------------------------------------

    @property
    def inputs(self) -> tuple[tuple[Any, ...], Workload, Terms]:
        """Options, workload and terms: everything that holds an input."""
        return tuple(self.options.values()), self.work, self.terms

    @property
    def part(self) -> bool:
        """Whether it is about some of the options of another study."""
        return bool(set(self.part_of) - {*self.options})

    @property
    def alone(self) -> bool:
        """Whether it is about one option that was given without a label."""
        return list(self.options) == [ALONE]

    def option(self, label: str | None = None) -> Any:
        """The option with this label; without one, the only option.

        >>> import costmodel as cm
        >>> cm.load("support_assistant").option("Rag")
        Traceback (most recent call last):
        costmodel.core.errors.CatalogError: no option 'Rag' in the study 'Support assistant over a \
knowledge base'; did you mean 'RAG' or 'LoRA' or 'GraphRAG'?
        """
        return self.options[self.label(label)]

    def plain_option(self, label: str) -> Option:
        """The option with this label if it is no Mix, so that its techniques can be changed."""
        option = self.option(label)
        if not isinstance(option, Option):
            plain = [name for name, other in self.options.items() if isinstance(other, Option)]
            raise unknown("option without a mix", label, plain, self._where)
        return option

    def plain_label(self, *usual: str) -> str:
        """The first of these labels that is an option without a mix, else the first such option."""
        plain = [name for name, option in self.options.items() if isinstance(option, Option)]
        check(plain, f"every option of {self._where} is a mix; add one that is not")
        return next((label for label in usual if label in plain), plain[0])

    def label(self, label: str | None = None) -> str:
        """This label if the study has it; without one, that of the only option."""
        if label is None:
            (label,) = self._labels(1, "one")
        check_known("option", label, self.options, self._where)
        return label

    def pair(self, first: str | None = None, second: str | None = None) -> tuple[str, str]:
        """These two labels if the study has them; without them, those of the only two options."""
        if first is None and second is None:
            first, second = self._labels(2, "two")
        pair = self.label(first), self.label(second)
        check(pair[0] != pair[1], f"both labels are {first!r}; name two options")
        return pair

    @property
    def _where(self) -> str:
        return f"the study {self.title!r}" if self.title else "the options"

    def _labels(self, count: int, word: str) -> tuple[str, ...]:
        """All labels, if there are so many."""
        names = ", ".join(map(repr, self.options))
        many = len(self.options)
        check(many == count, f"there are {many} options; name {word} of {names}")
        return tuple(self.options)

    # -- other studies -----------------------------------------------------------------------------

    def only(self, *labels: str) -> Study:
        """The study of some of its options, in this order."""
        options = {label: self.option(label) for label in labels}
        whole = self.part_of or tuple(self.options)
        judged = {**self.evidence, **{x: o for x, o in self.options.items() if x not in labels}}
        known = {x: o for x, o in judged.items() if isinstance(o.quality, Measured)}
        return replace(
            self, options=options, accept_zero=None, part_of=whole, evidence=known, whole=self
        )

    def after_evidence(self) -> Study:
        """The study after its evaluations, which move what is not known of all options."""
        if self.before is not None:
            return self
        return self.once("after evidence", lambda: after_evidence(self))

    def once(self, what: Any, make: Callable[[], Any], cut: Cut | None = None) -> Any:
        """What `make` gives: made once for this study, and kept under the name `what`.

        With `cut` it is about each option apart, and not about the rule: a part takes its options
        from what the study that it was cut from has kept, `cut(kept, part)`.
        """
        kept = self.__dict__.setdefault("_kept", {})
        if what not in kept:
            there = self._kept_by_whole(what) if cut else None
            kept[what] = make() if there is None or cut is None else cut(there, self)
        return kept[what]

    def _kept_by_whole(self, what: Any) -> Any:
        """What a study that this one was cut from has kept, if it says the same of its options."""
        whole = self.whole
        while whole is not None and self._says_the_same(whole):
            if (found := whole.__dict__.get("_kept", {}).get(what)) is not None:
                return found
            whole = whole.whole
        return None

    def _says_the_same(self, whole: Study) -> bool:
        alike = all(getattr(self, x) is getattr(whole, x) for x in ("work", "terms", "points"))
        drawn = (self.draws, self.seed) == (whole.draws, whole.seed)
        return alike and drawn and all(whole.options.get(x) is o for x, o in self.options.items())

    def points_of(self, n: int) -> Any:
        """The draws of doubts after evidence, of n of its draws; None where nothing was judged."""
        if self.points is None:
            return None
        size = len(next(iter(self.points.values())))
        if size == n:
            return self.points
        rows = ((np.arange(n) + 0.5) * size / n).astype(int)
        return {key: values[rows] for key, values in self.points.items()}

    def beside(self, label: str, option: Option | Mix) -> Study:
        """The study with one more option; an option beside itself shares its evaluation."""
        twins = replace(self, options=dict.fromkeys(self.options, option), accept_zero=None)
        equal = (own for name, own in self.options.items() if same(own, twins.options[name]))
        options = {**self.options, label: next(equal, option)}
        return replace(self, options=options, accept_zero=None)

    def changed(self, **changes: Any) -> Study:
        """The study with other fields; None leaves a field as it is.

        `months` and `on` change its terms.

        >>> import costmodel as cm
        >>> study = cm.load("support_assistant").changed(months=12, draws=500)
        >>> study.terms.months, study.draws
        (12, 500)
        """
        changes = not_none(**changes)
        of_terms = {name: changes.pop(name) for name in OF_TERMS if name in changes}
        if of_terms:
            terms = changes.get("terms", self.terms)
            of_kind("terms", terms, Terms)
            if "on" in of_terms and terms.start == Terms(on=terms.on).start:
                of_terms["start"] = None  # nobody chose it, so it follows the date of the prices
            changes["terms"] = replace(terms, **of_terms)
        new = {name: x for name, x in changes.items() if not same(x, getattr(self, name, ...))}
        return replace(self, **new) if new else self


def of_part(by_label: Mapping[str, Each], part: Study) -> dict[str, Each]:
    """What belongs to the options of a part, in its order."""
    return {label: by_label[label] for label in part.options if label in by_label}


# -- evaluations -----------------------------------------------------------------------------------


def evaluation_name(label: str, quality: Measured) -> str:
    """The key of an evaluation without a name: of this label, with these counts."""
    return f"{label} {quality.accepted:g}/{quality.trials:g}.quality"


def _with_evaluations(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with a name for each evaluation that has none, so that two options err apart.

    A part of a mix that is itself an option of the study keeps the evaluation of that option.
    """
    label_of = {id(option): label for label, option in reversed([*options.items()])}

    def named(label: str, option: Any) -> Any:
        if isinstance(option, Mix) and option.quality is None:
            parts = [named_part(label, part) for part in option.mix]
            return option if same(tuple(parts), option.mix) else replace(option, mix=tuple(parts))
        quality = option.quality
        if not isinstance(quality, Measured) or quality.name is not None:
            return option
        return replace(option, quality=replace(quality, name=evaluation_name(label, quality)))

    def named_part(label: str, part: Part) -> Part:
        option = named(label_of.get(id(part.option), label), part.option)
        return part if option is part.option else replace(part, option=option)

    return {label: named(label, option) for label, option in options.items()}


# -- the arguments of an analysis ------------------------------------------------------------------


def analysis(call: Callable[Concatenate[Study, P], Answer]) -> Callable[..., Answer]:
    """Let a function of a Study also take options with a workload.

    `compare(study, draws=1_000)` and `compare(options, work, months=12)` reach the function as one
    Study. The function's own arguments stay its own. A misspelt argument is an error with the
    nearest name.
    """
    own = list(inspect.signature(call).parameters.values())[1:]
    names = [p.name for p in own]
    fields = tuple(field for field in SHORTHAND if field not in names)
    name, helpful = call.__name__, public(call)

    @wraps(call)
    def asked(*first: Any, **named: Any) -> Answer:
        if strange := named.keys() - {*names, *fields, "study", "options"}:
            known = (*names, *fields)
            raise TypeError(str(unknown("argument", min(strange), known, f"{name}(...)")))
        changes = {field: named.pop(field) for field in fields if field in named}
        study, *more = first or [named.pop("study", named.pop("options", {}))]
        if not isinstance(study, Study):
            if "work" not in changes:
                check(more, f"{name} needs a workload: {name}(options, work), or {name}(study)")
                changes["work"], *more = more
            for terms in [thing for thing in more if isinstance(thing, Terms)]:
                changes.setdefault("terms", terms)
                more.remove(terms)
            if names[:1] == ["label"] and "label" not in named and isinstance(study, (Option, Mix)):
                more = [None, *more]  # the only option
            study = Study(study, changes.pop("work"), accept_zero=None)
        return helpful(study.changed(**changes).after_evidence(), *more, **named)

    study = inspect.Parameter("study", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    by_name = [inspect.Parameter(f, inspect.Parameter.KEYWORD_ONLY, default=None) for f in fields]
    asked.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # set by hand
        [study.replace(annotation="Study | Options"), *own, *by_name]
    )
    return public(asked)
