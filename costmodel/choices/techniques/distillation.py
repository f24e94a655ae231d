"""Distillation: a large teacher labels your traffic, and a small student learns from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from costmodel.choices.effort import BUILD, usual
from costmodel.choices.options import Case
from costmodel.choices.purchases import Cites, Line, Purchases, cite, every_call
from costmodel.choices.quality.accepted import with_passages
from costmodel.choices.requests import Request
from costmodel.choices.schedule import monthly, once
from costmodel.choices.techniques.tuning import Tune
from costmodel.choices.tunes.life import retraining
from costmodel.choices.tunes.offers import refuse_terms
from costmodel.choices.tunes.readiness import Readiness
from costmodel.core import DAYS_PER_MONTH, GB, Number, check, frozen
from costmodel.facts.catalog import practice
from costmodel.laws.quality import Effect, expit, student_shift

BYTES_PER_PROBABILITY = 6.0  # a token id in 4 bytes and its probability in 2
STUDENTS = (
    "98 % of the teacher on GLUE (KD-LoRA, arXiv:2410.20777); "
    "71 of 94 points for a small model swapped in untuned"
)


@frozen(kw_only=True)
class Distill(Tune):
    """Let a large teacher label your traffic and train a small student on it.

    You buy answers that are cheap to run; they are narrow and brittle. Hard cases go back to the
    teacher by `cascade(student, teacher, escalated)`. The student is trained as a LoRA, on own GPUs
    or by a provider.

    Parameters
    ----------
    teacher : serving
        Who labels the examples, as traffic at its own price, such as Api("deepseek-v4-pro").
    terms_allow_training : bool
        True where your contract allows to train on the teacher's answers. Terms of closed models
        and some licences forbid it: such a teacher is refused otherwise.
    tuning, customer
        The provider's offer that trains the student, which then answers behind an Api, as of
        `Lora`. A provider lets its own models teach its own models.
    real_share, kept : number or Range, 0 to 1
        Share of the examples that people label, and of the teacher's answers that pass the filter.
    shadow_days, shadow_share : number or Range
        Before the release the teacher answers this share of the traffic once more, for some days.
    readiness : Readiness or None
        Rules by which the student takes over, and what they cost; None compares and asks nothing.
    of_teacher : number or Range, 0 to 1
        What the student reaches of what the teacher has accepted.
    examples, tokens_per_example, epochs, labels, minutes_per_label, label_role, minutes_per_check
        The training set, as of `FineTune`; by default people check only a sample.
    quantised : bool
        True is QLoRA, as of `Lora`.
    rationale_tokens : number or Range, at least 0
        Rationale that the teacher writes beside each answer [token].
    soft_labels : number or Range, at least 0
        Probabilities of the teacher that are kept for each token [count].
    build_weeks : number or Range, at least 0
        Weeks of an engineer before the first answer.
    pass_chance, luck, runs, failed_share, sweep_runs, sweep_share, debug_hours, candidate_items
        The runs until one passes, as of `FineTune`.
    mfu, speed, speed_error, usd_per_run, seq_len, packed, stack, hours_per_run
        One run, as of `FineTune`.
    checkpoints, usd_per_gb_month
        The weights that are kept, as of `FineTune`.
    retrain_months, retrain_labels, retrain_hours
        Retraining, as of `FineTune`.
    base_life_months, provider_life_months, labels_kept, rebuild_share
        The end of the base model, as of `FineTune`.
    upkeep_fte, adapters, further_share
        Upkeep, and tenants, as of `FineTune`.

    Raises
    ------
    Infeasible
        Where the serving is an Api without an offer, or the teacher must not teach.
    ValueError
        When a field is outside its range, or the teacher is no serving.

    Examples
    --------
    >>> import costmodel as cm
    >>> student = cm.Option(
    ...     cm.Hosted("llama-3.1-8b", gpu="L40S"), cm.Distill(teacher=cm.Api("gpt-6-luna"))
    ... )
    >>> cm.compare(student, cm.Workload(10_000, input_tokens=500), draws=1).why_not.item()
    'gpt-6-luna is not known as open weights, ...'
    """

    # -- the teacher and the student
    teacher: Any
    terms_allow_training: bool = False
    examples: Number = 20_000
    quantised: bool = False
    # -- the data
    rationale_tokens: Number = practice("distillation.rationale_tokens")
    kept: Number = practice("distillation.kept")
    real_share: Number = practice("distillation.real_share")
    soft_labels: Number = 0
    minutes_per_check: Number = practice("distillation.minutes_per_check")
    # -- comparison before the release
    shadow_days: Number = practice("distillation.shadow_days")
    shadow_share: Number = practice("distillation.shadow_share")
    readiness: Readiness | None = Readiness()
    build_weeks: Number = usual("distillation.build_weeks", BUILD)
    # -- quality
    of_teacher: Number = practice("distillation.of_teacher")

    labelled: ClassVar[tuple[str, ...]] = ("real_share",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check(
            hasattr(self.teacher, "price"),
            f"Distill.teacher is {self.teacher!r}, it must be a serving such as "
            "Api('deepseek-v4-pro')",
        )

    def adapt(self, serving: Any) -> Any:
        student = super().adapt(serving)
        refuse_terms(self.teacher, serving, self.terms_allow_training)
        return student

    def buys(self, case: Case) -> Purchases:
        yield from super().buys(case)
        yield from self._lessons(case)
        if self.readiness is not None:
            yield from self.readiness.proof(self, case, self.run(case))
        if np.any(self.soft_labels):
            numbers = self.examples * (1 - self.real_share) * self.adapters * self.soft_labels
            size = numbers * case.request.main.output_tokens * BYTES_PER_PROBABILITY
            yield Line(
                "keep the teacher's probabilities",
                "data",
                size / GB,
                "GB",
                self.usd_per_gb_month,
                monthly(),
                basis="{examples} examples x (1 - {real_share}) x answer tokens "
                "x {soft_labels} probabilities x 6 bytes",
                cites=("usd_per_gb_month",),
            )

    def _lessons(self, case: Case) -> Purchases:
        """What the teacher answers: labels, labels again, and a comparison before the release."""
        teacher, (again, often, named) = self.teacher, retraining(self, case)
        asked = Request(
            tuple(
                replace(call, output_tokens=call.output_tokens + self.rationale_tokens, cache=None)
                for call in case.request.calls
            )
        )
        count = self.examples * (1 - self.real_share) / self.kept * self.adapters
        basis = self.tenants_words + "{examples} examples x (1 - {real_share}) / {kept} kept"
        yield from every_call(
            "teacher labels", asked, count, once(), "data", teacher, basis, ("rationale_tokens",)
        )
        yield from every_call(
            "teacher labels for retraining",
            asked,
            count * self.retrain_labels,
            again,
            "maintenance",
            teacher,
            basis + " x {retrain_labels} " + often,
            ("rationale_tokens", *named),
        )
        seen = case.requests_per_month * self.shadow_days / DAYS_PER_MONTH * self.shadow_share
        words, rules = "requests of {shadow_days} days x {shadow_share}", self.readiness
        cites: Cites = ()
        if rules is not None:
            seen, cites = seen / rules.ready_chance, cite(rules, "ready_chance")
            words += " / {ready_chance}"
        words += " answered by the teacher too"
        args = once(), "release", teacher, words, cites
        yield from every_call("shadow comparison", case.request, seen, *args)

    def quality(self, case: Case) -> Effect:
        student, teacher = (with_passages(x, case.work) for x in (case.serving, self.teacher))
        if teacher is None:
            return super().quality(case)
        task = case.work.task
        reached = student_shift(
            expit(student),
            expit(teacher),
            self.of_teacher,
            self.examples,
            task.log_odds_per_tenfold,
        )
        return Effect(reached, STUDENTS, log_odds_closed=task.log_odds_knowledge)
