"""Adaptation: managed fine-tuning, full fine-tuning or LoRA on own GPUs, distillation.

The training run is one line among many: its life (labels, runs that fail, evaluation, engineering, retraining, the end
of the base model) is in `lifecycle`, the run itself in `own_run`. Not in it: preference tuning and RL (`predict_training`
has their runs), the slowdown of a server that holds many adapters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from costmodel.choices.options import Case
from costmodel.choices.purchases import Line, Traffic, cite
from costmodel.choices.schedule import every, monthly, once
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.techniques.tune_life import Ending, ending, keep, labels, life
from costmodel.choices.techniques.tune_offers import (
    refuse_base,
    refuse_closed,
    refuse_terms,
    tuned_price,
)
from costmodel.choices.techniques.tune_run import checkpoint_gb, managed, own, quoted
from costmodel.core.checks import require, validate
from costmodel.core.draws import middle
from costmodel.core.errors import Infeasible, check, unknown
from costmodel.core.public import public
from costmodel.core.ranges import Doubt, Number, Range
from costmodel.core.units import GB, HOURS_PER_DAY, HOURS_PER_MONTH
from costmodel.facts import catalog
from costmodel.facts.catalog import practice
from costmodel.laws.quality import Effect, examples_gain, student_shift
from costmodel.laws.training.calibration import laws
from costmodel.laws.training.run import STACKS

MOST_EPOCHS = 1_000.0
BYTES_PER_PROBABILITY = 6.0  # a token id in 4 bytes and its probability in 2
ERROR = laws()[2]["adapter"]  # of the predicted speed of a tune: 80 % lie within
LEARNS = "log-linear in the examples: Zhang et al. 2024 (arXiv:2402.17193) find power laws in data for tunes; the sizes are assumptions, wide"
STUDENTS = "98 % of the teacher on GLUE (KD-LoRA, arXiv:2410.20777); 71 of 94 points for a small model swapped in untuned"


@dataclass(frozen=True, kw_only=True)
class Tune:
    """What every tune has in common.

    A run passes the gate with `pass_chance`; how many it takes is drawn (`luck`), unless `runs` says it. The run itself
    is predicted, unless its `mfu`, its `speed` over the prediction or its price (`usd_per_run`) is known; `speed_error` is how far
    published adapter runs lie from the prediction, and is widened for full tunes, mixtures of experts and offload. A plain
    script (`stack="naive"`) does not pack.
    """

    examples: Number = 1_000
    tokens_per_example: Number = Range(
        500, 2_000, mid=1_000, why="assumption: one request and its answer"
    )
    epochs: Number = practice("fine_tune.epochs")
    labels: catalog.Labels | str = "expert_example"
    minutes_per_check: Number = Range(
        0.25, 3, mid=1, why="assumption: a person reads, repairs or drops each example"
    )
    build_weeks: Number = practice("fine_tune.build_weeks")
    pass_chance: Number = Range(
        0.10,
        0.34,
        mid=0.25,
        name="Tune.pass_chance",
        source="rag-builds",
        why="3 to 10 runs until one is good enough",
    )
    luck: Number = Range(
        0.05,
        0.95,
        mid=0.5,
        form="share",
        why="where in the distribution of the number of runs: nearly uniform in 0..1",
    )
    runs: Number | None = None
    failed_share: Number = Range(
        0.4,
        0.97,
        mid=0.8,
        name="Tune.failed_share",
        why="assumption: what a failed run takes before it is stopped",
    )
    sweep_runs: Number = 0
    sweep_share: Number = Range(
        0.05, 0.3, mid=0.1, why="assumption: settings are searched on a part of the data"
    )
    debug_hours: Number = Range(
        2,
        16,
        mid=6,
        name="Tune.debug_hours",
        why="assumption: find the fault in data or code of a failed run",
    )
    candidate_items: Number = practice("eval.examples")
    speed: Number | None = None
    speed_error: Number = Range(
        1 / ERROR,
        ERROR,
        mid=1,
        level=0.80,
        name="training.speed",
        source="derived",
        why="published adapter runs over the prediction",
    )
    mfu: Number | None = None
    usd_per_run: Number | None = None
    seq_len: Number = 2_048
    packed: bool | None = None
    stack: str = "standard"
    hours_per_run: Number = Range(
        0.5, 3, mid=1, why="assumption: waiting, loading and saving of a run, on each GPU"
    )
    checkpoints: Number = 3
    usd_per_gb_month: Number = practice("tinker.usd_per_gb_month")
    retrain_months: Number = practice("fine_tune.retrain_months")
    retrain_labels: Number = Range(
        0.1, 0.5, mid=0.25, why="assumption: share of the labels made again at each retraining"
    )
    retrain_hours: Number = Range(
        16, 60, mid=40, why="assumption: data, run, evaluation and release of a retraining"
    )
    base_life_months: Number = Range(
        18,
        48,
        mid=30,
        why="assumption: own weights are never switched off, but better bases and the end of support retire them",
    )
    labels_kept: Number = Range(
        0.4,
        0.97,
        mid=0.8,
        why="assumption; 847 of 2,000 examples in one published case (tianpan.co, 2026-04-23)",
    )
    rebuild_share: Number = Range(
        0.15,
        0.6,
        mid=0.3,
        why="assumption: share of the first engineering done again on a new base",
    )
    upkeep_fte: Number = practice("fine_tune.maintenance_fte")
    adapters: Number = 1
    further_share: Number = Range(
        0.05,
        0.4,
        mid=0.15,
        why="assumption: a further tenant reuses the pipeline, days after weeks for the first",
    )
    log_odds: Number = Range(
        0.3,
        1.6,
        mid=0.9,
        form="amount",
        why="assumption: gain of 1,000 examples on a narrow task over plain instructions; wide",
    )
    log_odds_per_tenfold: Number = Range(
        0.1, 0.7, mid=0.3, why="assumption: what ten times the examples add; wide"
    )

    labelled: ClassVar[tuple[str, ...]] = ()  # fields that multiply the examples which people label

    def __post_init__(self) -> None:
        for name, find in (("labels", catalog.label), ("tuning", catalog.tuning)):
            if isinstance(getattr(self, name, None), str):
                object.__setattr__(self, name, find(getattr(self, name)))
        kind = type(self).__name__
        check(
            isinstance(self.labels, catalog.Labels),
            f"{kind}.labels is {self.labels!r}, it must be a kind of label such as 'expert_example'",
        )
        offer = getattr(self, "tuning", None)
        check(
            offer is None or isinstance(offer, catalog.Tuning),
            f"{kind}.tuning is {offer!r}, it must be an offer such as 'vertex.gemini-3.5-flash'",
        )
        for name, words in (
            ("packed", (True, False, None)),
            ("quantised", (True, False)),
            ("customer", (True, False)),
            ("terms_allow_training", (True, False)),
        ):
            check(
                any(getattr(self, name, False) is w for w in words),
                f"{kind}.{name} is {getattr(self, name, None)!r}, allowed are {', '.join(map(str, words))}",
            )
        validate(self, optional=("runs", "mfu", "speed", "usd_per_run", "packed"))
        for name, allowed in (("examples", 1), ("tokens_per_example", 1), ("epochs", 0.01)):
            value = getattr(self, name)
            least = value.low if isinstance(value, Doubt) else np.min(value)
            check(
                least >= allowed,
                f"{type(self).__name__}.{name} is {value}, allowed is at least {allowed}: without {name} there is nothing to train on",
            )
        for name in ("runs", "adapters", "seq_len"):
            if getattr(self, name) is not None:
                require(f"{type(self).__name__}.{name}", getattr(self, name), low=1)
        if self.stack not in STACKS:
            raise unknown("stack", self.stack, STACKS, where=kind)
        most = self.epochs.high if isinstance(self.epochs, Doubt) else np.max(self.epochs)
        check(
            most <= MOST_EPOCHS,
            f"{kind}.epochs is {self.epochs}, allowed is up to {MOST_EPOCHS:g}: more passes over the same examples only repeat them",
        )
        length, window = middle((self.tokens_per_example, self.seq_len))
        own = (
            offer is None and self.usd_per_run is None and np.ndim(length) == np.ndim(window) == 0
        )  # draws reach beyond what is usual
        check(
            not own or length <= window,
            f"{kind}.seq_len is {window:,.0f}, an example has {length:,.0f} tokens: what is "
            "longer would be cut off; give a seq_len that holds an example",
        )

    @property
    def tokens(self) -> Any:
        """Tokens of one training run."""
        return self.examples * self.tokens_per_example * self.epochs

    @property
    def method(self) -> str:
        """How the weights are trained: "full", "lora" or "qlora"."""
        return "qlora" if getattr(self, "quantised", False) else "lora"

    def ends(self, case: Case) -> Ending:
        """When the base model ends."""
        model = case.serving.model
        if model.retired and model.retired <= case.terms.start:
            raise Infeasible(
                f"{model.id} is retired since {model.retired}, this option starts on {case.terms.start}; choose a base that is alive"
            )
        return ending(
            self, model.retired, cite(model, "retired") if model.retired else (), case.terms
        )

    def trained(self, case: Case, ends: Ending) -> Iterator[Line | Traffic]:
        """The life around a run on own GPUs, and the checkpoints."""
        run = quoted(self) if self.usd_per_run is not None else own(self, case.serving, self.method)
        yield from life(self, case, run, ends)
        yield keep(checkpoint_gb(case.serving, self.method), self)

    def quality(self, case: Case) -> Effect:
        return Effect(
            examples_gain(self.examples, self.log_odds, self.log_odds_per_tenfold), LEARNS
        )


@public
@dataclass(frozen=True, kw_only=True)
class FineTune(Tune):
    """Fine-tune all weights: at a provider (`tuning`, with an Api serving), or on the GPUs of a Hosted serving.

    An offer for a size class of open models trains at the provider's price and answers on a Hosted serving, with the rent of its endpoint.

    You buy labels, failed runs and upkeep; you give up the base model's updates. Each of `adapters` tenants at a provider
    has a tuned model of its own; whole models of several tenants do not share own GPUs.
    """

    tuning: catalog.Tuning | str | None = None
    customer: bool = False
    base_life_months: Number = practice("api.model_life_months")

    @property
    def method(self) -> str:
        return "full"

    def adapt(self, serving: Any) -> Any:
        if self.tuning is not None:
            refuse_base(self.tuning, serving)
        if not isinstance(serving, Api):
            if np.any(np.asarray(self.adapters) > 1):
                raise Infeasible(
                    "whole models of several tenants do not share GPUs; use Lora(adapters=...)"
                )
            return serving
        if self.tuning is None:
            raise Infeasible(
                f"FineTune on {serving.model.id!r} needs tuning=, the provider's offer; known: {', '.join(catalog.tunings())}"
            )
        return replace(serving, model=tuned_price(serving.model, self.tuning))

    def ends(self, case: Case) -> Ending:
        """When the base model ends; at a provider the day it retires the tuned model, or takes no more jobs."""
        if isinstance(case.serving, Hosted) and self.tuning is None:
            return super().ends(case)
        days = {
            getattr(self.tuning, name): name
            for name in ("retires", "closes")
            if getattr(self.tuning, name)
        }
        day = min(days, default=None)
        return ending(
            self,
            day,
            cite(self.tuning, days[day]) if day else (),
            case.terms,
            closes=self.tuning.closes,
        )

    def buys(self, case: Case) -> Iterator[Line | Traffic]:
        ends = self.ends(case)
        yield from labels(self, self.examples, ends)
        if isinstance(case.serving, Hosted) and self.tuning is None:
            yield from self.trained(case, ends)
            return
        refuse_closed(self.tuning, case.terms.start, self.build_weeks, self.customer)
        if self.tuning.usd_per_mtok_train is None and self.usd_per_run is None:
            raise Infeasible(
                f"the training price of {self.tuning.id} is not known; choose another offer"
            )
        yield from life(
            self, case, managed(self) if self.usd_per_run is None else quoted(self), ends
        )
        if isinstance(case.serving, Hosted):
            yield keep(checkpoint_gb(case.serving, self.method), self)
        elif self.tuning.usd_per_hour_hosting is not None:
            yield Line(
                "host the tuned model",
                "serving",
                HOURS_PER_MONTH * self.adapters,
                "hour",
                self.tuning.usd_per_hour_hosting,
                monthly(),
                "api",
                basis="every hour of the month, busy or idle",
                cites=cite(self.tuning, "usd_per_hour_hosting"),
            )


@public
@dataclass(frozen=True, kw_only=True)
class Lora(Tune):
    """Train a small adapter on a Hosted base: a third fewer FLOPs than a full tune, many adapters on one base.

    `quantised=True` is QLoRA: a base in 4 bits needs a quarter of the memory and runs slower. `adapters` tenants share the
    fleet; the workload is then that of all of them. `tuning` is a provider's offer for the size class of the base: it trains at
    that price, and the adapter answers on the Hosted serving.
    """

    examples: Number = 2_000
    tuning: catalog.Tuning | str | None = None
    customer: bool = False
    quantised: bool = False
    log_odds_adapter: Number = Range(
        -0.25,
        0.1,
        mid=-0.05,
        form="signed",
        why="assumption: about as good as a full tune on small sets, less on large ones (arXiv:2405.09673)",
    )

    def adapt(self, serving: Any) -> Any:
        hosted = _hosted(serving, self)
        if self.tuning is not None:
            refuse_base(self.tuning, serving, "Lora")
        return hosted

    def ends(self, case: Case) -> Ending:
        """When the base model ends; the adapter is yours, so a provider that closes only ends what it trains."""
        return replace(
            super().ends(case), closes=self.tuning.closes if self.tuning is not None else None
        )

    def buys(self, case: Case) -> Iterator[Line | Traffic]:
        ends = self.ends(case)
        yield from labels(self, self.examples, ends)
        if self.tuning is None:
            yield from self.trained(case, ends)
            return
        refuse_closed(self.tuning, case.terms.start, self.build_weeks, self.customer)
        yield from life(
            self, case, managed(self) if self.usd_per_run is None else quoted(self), ends
        )
        yield keep(checkpoint_gb(case.serving, self.method), self)

    def quality(self, case: Case) -> Effect:
        full = super().quality(case)
        return replace(full, log_odds=full.log_odds + self.log_odds_adapter)


@public
@dataclass(frozen=True, kw_only=True)
class Distill(Tune):
    """Let a large teacher label your traffic and train a small Hosted student on it: cheap to run, narrow, brittle.

    `real_share` of the examples are labelled by people, the others by `teacher` (an Api or Hosted serving) as traffic at its
    own price; `kept` of those pass the filter. Before release the teacher answers `shadow_share` of the traffic once more
    for `shadow_days`. The student is trained as a LoRA and reaches `of_teacher` of what the teacher has accepted.
    Terms of closed models and some licences forbid to train on their answers: such a teacher is refused unless
    `terms_allow_training=True` says that your contract allows it. Hard cases go back to the teacher by `cascade(student, teacher, escalated)`.
    """

    teacher: Any
    terms_allow_training: bool = False
    examples: Number = 20_000
    quantised: bool = False
    rationale_tokens: Number = Range(
        100, 400, mid=200, why="assumption: a short rationale beside each answer"
    )
    kept: Number = Range(
        0.5, 0.9, mid=0.7, why="assumption: share of teacher answers that pass the filter"
    )
    real_share: Number = Range(
        0.05,
        0.35,
        mid=0.15,
        why="assumption; 30 % real in one published blend (tianpan.co, 2026-04-19)",
    )
    soft_labels: Number = 0
    minutes_per_check: Number = Range(
        0.02, 0.5, mid=0.1, why="assumption: a person checks a sample, not each example"
    )
    shadow_days: Number = Range(
        7, 28, mid=14, why="assumption; two weeks in a published practice (tianpan.co, 2026-04-19)"
    )
    shadow_share: Number = Range(
        0.02, 0.5, mid=0.1, why="assumption: requests that the teacher answers as well"
    )
    build_weeks: Number = practice("distillation.build_weeks")
    of_teacher: Number = Range(0.75, 0.99, mid=0.94, why=STUDENTS + "; at 20,000 examples")
    log_odds: Number = Range(
        0.3,
        1.8,
        mid=1.0,
        form="amount",
        why="assumption: gain of 1,000 examples where the teacher's quality is unknown; wide",
    )

    labelled: ClassVar[tuple[str, ...]] = ("real_share",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check(
            hasattr(self.teacher, "price"),
            f"Distill.teacher is {self.teacher!r}, it must be a serving such as Api('deepseek-v4-pro')",
        )

    def adapt(self, serving: Any) -> Any:
        hosted = _hosted(serving, self)
        refuse_terms(self.teacher, hosted.model, self.terms_allow_training)
        return hosted

    def buys(self, case: Case) -> Iterator[Line | Traffic]:
        ends, months = self.ends(case), every(self.retrain_months)
        yield from labels(self, self.examples * self.real_share, ends)
        count = self.examples * (1 - self.real_share) / self.kept * self.adapters
        basis, cites = (
            "{examples} examples x (1 - {real_share}) / {kept} kept",
            cite(self, "examples", "real_share", "kept", "rationale_tokens"),
        )
        for call in case.request.calls:
            asked = replace(
                call, output_tokens=call.output_tokens + self.rationale_tokens, cache=None
            )
            number = count * call.per_request
            yield Traffic(
                "teacher labels", asked, number, once(), "data", self.teacher, basis, cites
            )
            yield Traffic(
                "teacher labels for retraining",
                asked,
                number * self.retrain_labels,
                months,
                "maintenance",
                self.teacher,
                basis + " x {retrain_labels}",
                (*cites, *cite(self, "retrain_labels", "retrain_months")),
            )
            shadowed = (
                case.requests_per_month
                * call.per_request
                * self.shadow_days
                * HOURS_PER_DAY
                / HOURS_PER_MONTH
                * self.shadow_share
            )
            yield Traffic(
                "shadow comparison",
                call,
                shadowed,
                once(),
                "release",
                self.teacher,
                "requests of {shadow_days} days x {shadow_share} answered by the teacher too",
                cite(self, "shadow_days", "shadow_share"),
            )
        if np.any(self.soft_labels):
            kept = self.examples * (1 - self.real_share) * self.adapters
            gb = (
                kept
                * case.request.main.output_tokens
                * self.soft_labels
                * BYTES_PER_PROBABILITY
                / GB
            )
            yield Line(
                "keep the teacher's probabilities",
                "data",
                gb,
                "GB",
                self.usd_per_gb_month,
                monthly(),
                "service",
                basis="{examples} examples x (1 - {real_share}) x answer tokens x {soft_labels} probabilities x 6 bytes",
                cites=cite(self, "examples", "real_share", "soft_labels", "usd_per_gb_month"),
            )
        yield from self.trained(case, ends)

    def quality(self, case: Case) -> Effect:
        if self.teacher.accepted is None or case.serving.accepted is None:
            return super().quality(case)
        return Effect(
            student_shift(
                case.serving.accepted,
                self.teacher.accepted,
                self.of_teacher,
                self.examples,
                self.log_odds_per_tenfold,
            ),
            STUDENTS,
        )


def _hosted(serving: Any, t: Any) -> Hosted:
    if not isinstance(serving, Hosted):
        name = type(t).__name__
        raise Infeasible(
            f"{name} needs a Hosted serving, this one is {type(serving).__name__}; at a provider use FineTune(tuning=...)"
        )
    return serving
